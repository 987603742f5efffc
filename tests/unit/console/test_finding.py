"""Searching, over a real store: what is found, what is not, and what the page says of it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.roles import Role
from gateway.console.searching.results import next_thing, within_one
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import NhsNumber, OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.notice import reference
from gateway.domain.prescription import Homecare, Name, Prescription
from gateway.ports.looking_up import Hit
from tests.contract.store_engines import (
    TRUST,
    make_acceptance,
    make_order,
    make_prescription,
    make_refusal,
)
from tests.doors import NAMES
from tests.factories import line, patient, prescription
from tests.unit.console.looking import Looking, looking

RIGHT = make_prescription("A").number.value
WRONG = RIGHT[:-1] + ("A" if RIGHT[-1] != "A" else "B")
NUMBERS = [number for value in range(9990000000, 9990000400) if (number := NhsNumber.parse(str(value)))]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path) as opened:
        yield opened


async def keep(console: Looking, *many: Prescription) -> None:
    for number, one in enumerate(many):
        await console.exchange.store.accept(make_acceptance(f"{one.group_number}-{number}", make_order(one)))


def named(name: str, family: str, given_name: str, nhs_number: NhsNumber) -> Prescription:
    who = patient(name=Name(family=family, given=(given_name,)), nhs_number=nhs_number)
    return prescription(group=f"GRP{name}", patient=who, lines=(line(f"RX{name}"),))


async def by_name(console: Looking, family: str, *, status: int = 200, **more: str) -> str:
    fields = {"day": "12", "month": "4", "year": "1979", "given": "", "postcode": "", **more}
    return await console.post("/console/search/name", status=status, family=family, **fields)


def main(text: str) -> str:
    return text.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("text", ["9990000077", "999 000 0077", "RXA0", "GRPA", "PO-77", "MSGA", " rxa0 "])
async def test_one_box_finds_it_by_whatever_number_there_is(console: Looking, text: str) -> None:
    what = replace(make_prescription("A"), homecare=Homecare(purchase_order="PO-77"))
    await console.exchange.store.accept(make_acceptance("A", make_order(what)))
    shown = main(await console.seek(text))
    if text == " rxa0 ":
        assert "no prescription" in shown, "order numbers are the trust's own: capitals are not folded"
        return
    assert f"/console/prescriptions/{what.id}" in shown
    assert "1 prescription<" in shown
    assert "1 Example Street" in shown
    assert console.at.startswith("/console/results/")
    assert any(f'"{what.id}"' in leaf or str(what.id) in leaf for leaf in console.leaves())


async def test_ids_and_digests_find_it_too(console: Looking) -> None:
    what = make_prescription("A")
    await keep(console, what)
    ((digest,),) = console.opened.rows("SELECT digest FROM message")
    for text in (str(what.id), str(what.lines[0].id).upper(), str(digest)):
        assert f"/console/prescriptions/{what.id}" in await console.seek(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("9990000078", "This NHS number is not valid. Check for swapped digits."),
        (WRONG, "This prescription ID is not valid. Check for swapped or missing characters."),
        ("", "Enter an NHS number, or a prescription, order, PO or message number."),
        ("x" * 101, "Enter no more than 100 characters, and none that cannot be seen."),
        ("a\u202eb", "Enter no more than 100 characters, and none that cannot be seen."),
    ],
)
async def test_what_cannot_be_a_number_is_said_on_the_field_and_kept(console: Looking, text: str, fault: str) -> None:
    shown = main(await console.seek(text, status=422))
    assert f'<a href="#sought">{fault}</a>' in shown
    assert 'id="sought-error"' in shown
    assert re.search(r'aria-describedby="sought-hint sought-error"', shown)
    assert text.strip() in shown


async def test_what_was_not_looked_for_is_not_said_to_be_missing(console: Looking) -> None:
    said = "Nothing was searched for under this number as it stands"
    assert said in main(await console.seek(WRONG, status=422))
    assert said not in main(await console.seek("\u202e77", status=422))


TODAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"next_delivery": date(2026, 10, 9), "holder": "provider"}, "Delivery 9 Oct 2026"),
        ({"next_delivery": date(2026, 10, 1), "holder": "provider"}, "Delivery 1 Oct 2026: nothing was heard of it"),
        ({"next_delivery": date(2026, 10, 9), "holder": "trust"}, "Example Trust (RBA) to act"),
        ({"cancels": (CancelState.ASKED,)}, "Ring the provider: the cancel is not confirmed"),
        ({"cancels": (CancelState.TOO_LATE,), "holder": "provider"}, "Reach the patient: too late to cancel"),
    ],
)
async def test_the_next_thing_is_what_it_waits_for(console: Looking, change: dict[str, object], said: str) -> None:
    await keep(console, make_prescription("A"))
    found = await console.exchange.enquiries.search(tenant=None, order_number="RXA0")
    hit = replace(Hit(found=found[0], nhs_number="", since=console.clock.now()), **change)  # type: ignore[arg-type]
    assert next_thing(hit, NAMES, TODAY) == said


async def test_nothing_found_says_what_was_looked_for_and_that_looking_works(console: Looking) -> None:
    shown = main(await console.seek("999 000 0077"))
    assert "999 000 0077: no prescription" in shown
    assert "its check digit is right" in shown
    assert "Ask the trust" in shown


async def test_who_may_not_search_is_offered_no_box(console: Looking) -> None:
    assert 'role="search"' in await console.get("/console/help")
    console.be(Role.OPERATOR, None)
    assert 'role="search"' not in await console.get("/console/help")


async def test_focus_goes_to_the_heading_of_what_was_found(console: Looking) -> None:
    assert re.search(r'<h1 id="results" tabindex="-1" autofocus>', await console.seek("RXA"))


async def test_open_coming_and_past_are_told_apart(console: Looking) -> None:
    later = replace(make_prescription("B"), valid_from=date(2026, 11, 1))
    await keep(console, make_prescription("A"), later)
    over = make_order(make_prescription("C"), state=LineState.HELD)
    await console.exchange.store.accept(make_acceptance("C", over))
    shown = main(await console.seek("9990000077"))
    assert "Open (2)" in shown
    assert "Coming (1)" in shown
    assert "Held: code not known" in shown


async def test_refused_messages_are_found_with_the_reason(console: Looking) -> None:
    await console.exchange.store.accept(make_refusal("R-1"))
    for text in ("R-1", "MSGR-1"):
        shown = main(await console.seek(text))
        assert "Refused messages (1)" in shown
        assert "The check digit is wrong." in shown
        assert "/console/messages/in-1" in shown


async def test_the_reference_read_out_on_the_telephone_leads_to_its_item(console: Looking) -> None:
    what = make_prescription("A")
    await console.exchange.store.accept(make_acceptance("A", make_order(what, state=LineState.HELD)))
    ((number,),) = console.opened.rows("SELECT id FROM alert")
    called = reference(number)
    for typed in (called, f" {called.lower().replace('0', 'o')} "):
        page = main(await console.seek(typed))
        assert console.at == f"/console/work/{number}"
        assert called in page
    console.be(Role.HOMECARE_PHARMACIST, OdsCode("RCC"))
    nothing = main(await console.seek(called))
    assert f"{called}: no prescription" in nothing
    assert "/console/work/" not in nothing


async def test_a_reference_that_is_an_order_number_too_shows_both(console: Looking) -> None:
    first = make_prescription("A")
    await console.exchange.store.accept(make_acceptance("A", make_order(first, state=LineState.HELD)))
    ((number,),) = console.opened.rows("SELECT id FROM alert")
    called = reference(number)
    await keep(console, prescription(group="GRPZ", lines=(line(called),)))
    page = main(await console.seek(called))
    assert f'href="/console/work/{number}"' in page
    assert f"{called}: 1 prescription" in page


async def test_a_list_that_was_cut_off_says_so(console: Looking) -> None:
    await keep(console, *(make_prescription(f"M{number}") for number in range(103)))
    shown = main(await console.seek("9990000077"))
    assert "999 000 0077: 103 prescriptions" in shown
    assert "103 prescriptions were found. Only the newest 100 are listed" in shown
    assert shown.count('scope="row"') == 100


async def test_a_name_needs_a_birth_date_and_what_was_typed_is_kept(console: Looking) -> None:
    shown = main(await by_name(console, "O'Brien", status=422, day="", month="", year=""))
    assert "Enter the date of birth." in shown
    assert 'value="O&#39;Brien"' in shown
    for change, words in (
        ({"day": "31", "month": "2"}, "must be a real date"),
        ({"year": ""}, "must include a year"),
        ({"year": "2999"}, "between 1880 and today"),
        ({"day": "٣"}, ""),
    ):
        shown = main(await by_name(console, "Smith", status=422 if words else 200, **change))
        assert words in shown
    assert "Enter the last name." in main(await by_name(console, " - ", status=422))


async def test_names_that_are_easily_taken_for_one_another_are_shown_with_a_caution(console: Looking) -> None:
    await keep(
        console,
        named("A", "Smith", "Ann", NUMBERS[0]),
        named("B", "Smith", "Anne", NUMBERS[5]),
        named("C", "Smith", "Bartholomew", NUMBERS[30]),
    )
    shown = main(await by_name(console, "SMITH"))
    assert "3 people, 3 prescriptions" in shown
    assert shown.count("Take care:") == 2
    assert "TA1 1AA" in shown
    assert main(await by_name(console, "smith", given="Bar")).count("Take care:") == 0
    assert "Nobody was found" in main(await by_name(console, "Smythe"))


async def test_too_many_people_are_not_listed(console: Looking) -> None:
    await keep(console, *(named(f"N{number}", "Jones", "Jo", NUMBERS[number]) for number in range(11)))
    shown = main(await by_name(console, "Jones"))
    assert "Too many people have this name and date of birth" in shown
    assert "/console/prescriptions/" not in shown
    assert "Jo Jones" not in shown


async def test_what_is_not_indexed_yet_is_said(console: Looking) -> None:
    await keep(console, make_prescription("A"))
    console.opened.raw.execute("DELETE FROM patient_index")
    assert "still being indexed by name" in main(await by_name(console, "Testpatient"))


async def test_a_record_that_asks_for_more_care_shows_no_address(console: Looking) -> None:
    order = make_order(make_prescription("A"), state=LineState.HELD)
    issue = Issue(code="FIELD_NOT_UNDERSTOOD", location="MSH-28", text="A security label.")
    order = replace(order, verdict=replace(order.verdict, issues=(issue,)))
    await console.exchange.store.accept(make_acceptance("A", order))
    shown = main(await console.seek("9990000077"))
    assert "Address not shown: the message bears a security label" in shown
    assert "Example Street" not in shown


async def test_another_trust_finds_what_it_would_find_if_it_did_not_exist(console: Looking) -> None:
    await keep(console, make_prescription("A"))
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    own = await console.seek("RXA0")
    console.be(Role.HOMECARE_PHARMACIST, OdsCode("RZA"))
    foreign, nothing = main(await console.seek("RXA0")), main(await console.seek("RXB0"))
    assert "1 prescription<" in own
    assert foreign.replace("RXA0", "RXB0") == nothing


async def test_names_with_scripts_and_marks_of_direction_are_shown_inert(console: Looking) -> None:
    await keep(console, named("A", "<script>alert(1)</script>\u202e", "Zoë", NUMBERS[0]))
    shown = await console.seek(str(NUMBERS[0]))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown


async def test_a_search_is_not_another_session_s(console: Looking) -> None:
    await console.seek("RXA0")
    await console.get("/console/results/nothing", status=404)


@given(st.text(alphabet="abc", max_size=6), st.text(alphabet="abc", max_size=6))
def test_one_character_apart_is_a_matter_of_counting(one: str, other: str) -> None:
    def edits(word: str) -> set[str]:
        splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
        return {
            word,
            *(left + right[1:] for left, right in splits if right),
            *(left + letter + right for left, right in splits for letter in "abc"),
            *(left + letter + right[1:] for left, right in splits if right for letter in "abc"),
            *(left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1),
        }

    assert within_one(one, other) is (other in edits(one))
