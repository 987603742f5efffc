"""Every issue code has a page, and every refusal leads to it."""

import pytest

from gateway.console.pages import fault
from gateway.domain.issue import CODES, ENVELOPE, Effect, Issue
from gateway.domain.issue_texts import TEXTS
from gateway.domain.labels import WANTS_RELEASE, held_as
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import Reason, reason_of
from gateway.translate.to_acknowledgement import fhir, xml
from gateway.web.issue_pages import again, index, page


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


@pytest.mark.parametrize("code", sorted(WANTS_RELEASE))
def test_no_page_says_that_people_here_may_give_a_national_code_another_meaning(code: str) -> None:
    assert "two people approve" not in page(code)
    assert "ask the gateway&#x27;s operator for a release that has it" in page(code)
    shown = fault(Issue(code=code, location="RXE-2", text="It is not in the release."))
    assert shown.effect == "Held until our dm+d release has it, or the trust corrects it"


def test_what_is_our_fault_asks_nobody_else_to_mend_it() -> None:
    written, issue = page("MESSAGE_INVALID"), Issue(code="MESSAGE_INVALID", location="Bundle", text="It fails.")
    assert "two people approve" not in written
    assert "Send nothing: the fault is not yours." in written
    assert fault(issue).effect == "Held: the fault is ours"
    assert held_as((issue,)) is None
    assert reason_of("line-held", LineState.HELD, ("MESSAGE_INVALID",)) is Reason.NOT_SENT


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_in_fhir_and_xml_leads_to_its_page(code: str) -> None:
    issue = Issue(code=code, location="", text="Something is wrong.")
    assert f"/issues/{code}".encode() in fhir.unreadable(b"", [issue]).body
    assert f"/issues/{code}".encode() in xml.unreadable(b"", [issue]).body


def test_a_page_holds_no_markup_of_its_example() -> None:
    assert "&lt; beside a dose" in page("FIELD_NOT_UNDERSTOOD")
