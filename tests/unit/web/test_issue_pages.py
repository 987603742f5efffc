"""Every issue code has a page, and every refusal leads to it."""

import pytest

from gateway.domain.issue import CODES, ENVELOPE, Effect, Issue
from gateway.translate.to_acknowledgement import fhir, xml
from gateway.web.issue_pages import again, index, page
from gateway.web.issue_texts import TEXTS


def test_every_code_has_its_meaning_and_an_example_and_no_page_is_left_over() -> None:
    assert set(TEXTS) == set(CODES)
    assert all(meaning.strip() and example.strip() for meaning, example in TEXTS.values())


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_it_means_what_to_change_and_what_to_send(code: str) -> None:
    written = page(code)
    for heading in ("What it means", "Example", "What to change", "Same id or new"):
        assert f"<dt>{heading}</dt><dd>" in written
    assert f'href="/issues/{code}"' in index()


def test_what_was_not_taken_may_come_again_under_its_name_and_a_contradiction_may_not() -> None:
    assert "same control id" in again("UNREADABLE", CODES["UNREADABLE"])
    assert "same control id" in again("TOO_MANY_REQUESTS", CODES["TOO_MANY_REQUESTS"])
    assert all(
        "new control id" in again(code, row)
        for code, row in CODES.items()
        if row.effect is Effect.HOLD_SOURCE and not row.retryable and code not in ENVELOPE
    )


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_in_fhir_and_xml_leads_to_its_page(code: str) -> None:
    issue = Issue(code=code, location="", text="Something is wrong.")
    assert f"/issues/{code}".encode() in fhir.unreadable(b"", [issue]).body
    assert f"/issues/{code}".encode() in xml.unreadable(b"", [issue]).body


def test_a_page_holds_no_markup_of_its_example() -> None:
    assert "&lt; beside a dose" in page("FIELD_NOT_UNDERSTOOD")
