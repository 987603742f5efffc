"""How names are compared when somebody is looked for."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.issue import Issue
from gateway.domain.name_key import given_key, name_key, postcode_key, starts_given
from gateway.domain.restricted import is_restricted, labels


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("O'Brien", "obrien"),
        ("O’BRIEN", "obrien"),
        ("Sørensen", "sorensen"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ł\u0301ukasz", "lukasz"),
        ("I\u0307smail", "ismail"),
        ("ISMAİL", "ismail"),
        ("\u202eJones\u200b", "jones"),
        ("محمد", "محمد"),
        ("王", "王"),
        ("<script>", "script"),
        (" - ' ", ""),
    ],
)
def test_case_accents_and_marks_make_no_difference(written: str, key: str) -> None:
    assert name_key(written) == key


@given(st.text())
def test_a_key_is_its_own_key_and_does_not_depend_on_how_accents_are_coded(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
    assert name_key(unicodedata.normalize("NFD", text)) == name_key(unicodedata.normalize("NFC", text))


def test_given_names_are_found_by_their_beginnings_in_any_order() -> None:
    key = given_key(("Anne-Marie", "Zoë"))
    assert key == "anne marie zoe"
    assert starts_given(key, given_key(("Zo",)))
    assert starts_given(key, given_key(("zoe anne",)))
    assert not starts_given(key, given_key(("arie",)))
    assert starts_given(key, "")


def test_a_postcode_is_compared_without_its_space() -> None:
    assert postcode_key("ta1 1aa") == postcode_key("TA1\u00a01AA") == "TA11AA"


@pytest.mark.parametrize(
    ("code", "location", "restricted"),
    [
        ("FIELD_NOT_UNDERSTOOD", "MSH-28", True),
        ("FIELD_NOT_UNDERSTOOD", "MSH[1]-26.1", True),
        ("FIELD_NOT_UNDERSTOOD", "ARV[1]", True),
        ("FIELD_NOT_UNDERSTOOD", "Bundle.entry[2].resource.meta.security[0]", True),
        ("FIELD_NOT_UNDERSTOOD", "MSH-2", False),
        ("FIELD_NOT_UNDERSTOOD", "PID-28", False),
        ("DOSE_CONFLICT", "MSH-28", False),
    ],
)
def test_a_security_label_is_known_by_where_the_hold_lies(code: str, location: str, restricted: bool) -> None:  # noqa: FBT001
    issues = [Issue(code=code, location=location, text="x")] * 2
    assert is_restricted(issues) is restricted
    assert labels(issues) == ((location,) if restricted else ())
