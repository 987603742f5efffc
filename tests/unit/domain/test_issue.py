import pytest

from gateway.domain.issue import CODES, ENVELOPE, Effect, Issue, held, of_the_envelope, refused


def issue(code: str) -> Issue:
    return Issue(code=code, location="PID[1]-3", text="x")


def test_an_issue_with_an_unknown_code_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        issue("SOMETHING_ELSE")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_says_what_to_change_and_has_its_hl7_and_fhir_codes(code: str) -> None:
    row = CODES[code]
    assert row.advice.endswith(".")
    assert row.hl7.isdigit()
    assert row.fhir


def test_envelope_codes_all_refuse() -> None:
    assert all(CODES[code].effect is Effect.REFUSE for code in ENVELOPE)
    assert of_the_envelope((issue("VERSION_UNSUPPORTED"),))


def test_refusals_holds_and_warnings_are_told_apart() -> None:
    assert refused((issue("NHSNO_MISSING"),))
    assert held((issue("DOSE_CONFLICT"),))
    assert held((issue("DRUG_UNCODED"),))
    assert not held((issue("SECOND_TEXT"),))
    assert not refused((issue("SECOND_TEXT"),))


def test_a_grave_supply_mismatch_holds() -> None:
    grave = Issue(code="SUPPLY_SUM_MISMATCH", location="RXE[1]-10", text="x", escalated=True)
    assert held((grave,))
    assert not held((issue("SUPPLY_SUM_MISMATCH"),))
