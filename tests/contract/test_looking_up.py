"""Whatever a person has of a prescription finds it, on either engine; and nobody finds what is not theirs."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import NhsNumber, OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent
from gateway.domain.prescription import Homecare, Name, Prescription
from gateway.domain.submission import Action, OrderNumber, OrderVerdict, Outcome, Verdict
from gateway.pipeline.holding import LineHold
from gateway.ports.acceptance import Refused as Apart
from gateway.ports.looking_up import MOST_LISTED, MOST_PEOPLE, Key, NameSought
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_change,
    make_hold,
    make_incomplete,
    make_order,
    make_prescription,
    make_refusal,
    make_submission,
)
from tests.contract.test_archiving import archive, asked, closed, drain
from tests.factories import MOMENT, line, patient, prescription

OTHER = OdsCode("RZA")
STRANGER = OdsCode("VNCEL")
BORN = date(1979, 4, 12)
NUMBERS = [number for value in range(9990000000, 9990001000) if (number := NhsNumber.parse(str(value)))]


async def accept(exchange: Exchange, what: Prescription, name: str = "A", tenant: OdsCode = TRUST) -> None:
    await exchange.store.accept(make_acceptance(name, make_order(what), tenant=tenant))


def named(name: str, family: str, given: str, nhs_number: NhsNumber) -> Prescription:
    who = patient(name=Name(family=family, given=(given,)), nhs_number=nhs_number)
    return prescription(group=f"GRP{name}", patient=who, lines=(line(f"RX{name}0"),))


async def test_every_number_finds_its_prescription_and_says_whose_it_is(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    what = replace(
        what,
        homecare=Homecare(purchase_order="PO-77"),
        lines=(replace(what.lines[0], provider_order_number="HC998877"), what.lines[1]),
    )
    await accept(exchange, what)
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    digests = [row[0] for row in exchange.opened.rows("SELECT digest FROM submission UNION SELECT digest FROM message")]
    ((callback,),) = exchange.opened.rows("SELECT digest FROM callback")
    sought = [
        (Key.NHS_NUMBER, what.patient.nhs_number.value),
        (Key.NUMBER, what.number.value),
        (Key.ORDER_NUMBER, "RXA1"),
        (Key.ORDER_NUMBER, "GRPA"),
        (Key.OTHER_NUMBER, "PO-77"),
        (Key.OTHER_NUMBER, "HC998877"),
        (Key.CONTROL_ID, "MSGA"),
        (Key.ID, str(what.id)),
        (Key.ID, str(what.lines[1].id)),
        (Key.ID, str(claim.message_id)),
        *((Key.DIGEST, digest.upper()) for digest in digests),
    ]
    for key, value in sought:
        for tenant in (None, TRUST, PROVIDER):
            found = await exchange.enquiries.look_up(key, value, tenant=tenant)
            assert [hit.found.prescription_id for hit in found.hits] == [what.id], (key, value, tenant)
            assert found.total == 1
        for tenant in (OTHER, STRANGER):
            assert (await exchange.enquiries.look_up(key, value, tenant=tenant)).hits == (), (key, tenant)
    (by_answer,) = (await exchange.enquiries.look_up(Key.DIGEST, callback, tenant=None)).hits
    assert by_answer.found.prescription_id == what.id
    assert (await exchange.enquiries.look_up(Key.DIGEST, callback, tenant=OTHER)).hits == ()
    (hit,) = (await exchange.enquiries.look_up(Key.NUMBER, what.number.value, tenant=TRUST)).hits
    assert hit.patient is not None
    assert (str(hit.patient.name), hit.nhs_number) == ("MS Aoife Mary TESTPATIENT", what.patient.nhs_number.value)
    assert (hit.holder, hit.since) == ("provider", exchange.clock.now())


@pytest.mark.parametrize(
    ("key", "value"),
    [(Key.ID, "not an id"), (Key.DIGEST, "zz"), (Key.OTHER_NUMBER, "a\0b"), (Key.CONTROL_ID, ""), (Key.ID, "\0")],
)
async def test_what_cannot_be_of_its_kind_is_found_nowhere(exchange: Exchange, key: Key, value: str) -> None:
    await accept(exchange, make_prescription())
    assert (await exchange.enquiries.look_up(key, value, tenant=None)).hits == ()


@pytest.mark.parametrize(
    ("family", "given", "postcode", "people"),
    [
        ("O'BRIEN SORENSEN", "", "", 2),
        ("o'brien-sørensen", "zoe", "", 1),
        ("O’Brien-Sörensen", "Zo", "ta11aa", 1),
        ("O'Brien-Sørensen", "Zoë", "ZZ1 1ZZ", 0),
        ("O'Brien", "", "", 0),
        ("--", "", "", 0),
    ],
)
async def test_names_are_found_whatever_their_case_and_accents(
    exchange: Exchange, family: str, given: str, postcode: str, people: int
) -> None:
    await accept(exchange, named("A", "O'Brien-Sørensen", "Zoë", NUMBERS[0]), "A")
    await accept(exchange, named("B", "OBRIEN SØRENSEN", "Amy", NUMBERS[1]), "B")
    sought = NameSought(family=family, born=BORN, given=given, postcode=postcode)
    found = await exchange.enquiries.by_name(sought, tenant=None)
    assert (found.people, len(found.hits), found.unread_from) == (people, people, None)
    assert (await exchange.enquiries.by_name(sought, tenant=OTHER)).people == 0
    assert (await exchange.enquiries.by_name(replace(sought, born=date(1979, 4, 13)), tenant=None)).people == 0


async def test_too_many_people_of_one_name_are_not_listed_at_all(exchange: Exchange) -> None:
    for number in range(MOST_PEOPLE + 1):
        await accept(exchange, named(f"N{number}", "Smith", "Ann", NUMBERS[number]), f"N{number}")
    found = await exchange.enquiries.by_name(NameSought(family="Smith", born=BORN), tenant=TRUST)
    assert found.too_many
    assert (found.hits, found.people) == ((), MOST_PEOPLE + 1)


async def test_more_than_are_listed_are_counted(exchange: Exchange) -> None:
    for number in range(MOST_LISTED + 5):
        await accept(exchange, make_prescription(f"M{number}"), f"M{number}")
    found = await exchange.enquiries.look_up(Key.NHS_NUMBER, patient().nhs_number.value, tenant=TRUST)
    assert (len(found.hits), found.total) == (MOST_LISTED, MOST_LISTED + 5)


async def test_what_was_accepted_before_there_was_an_index_is_filled_in_by_the_clock(exchange: Exchange) -> None:
    what = replace(make_prescription("A"), homecare=Homecare(purchase_order="PO-1"))
    await accept(exchange, what)
    for table in ("patient_index", "other_number"):
        exchange.opened.raw.execute(f"DELETE FROM {table}")  # noqa: S608 - constants
    sought = NameSought(family="Testpatient", born=BORN)
    before = await exchange.enquiries.by_name(sought, tenant=TRUST)
    assert (before.people, before.unread_from) == (0, make_acceptance("A", make_order(what)).submission.received_at)
    await exchange.store.turn_clock(now=exchange.clock.now())
    after = await exchange.enquiries.by_name(sought, tenant=TRUST)
    assert (after.people, after.unread_from) == (1, None)
    assert (await exchange.enquiries.look_up(Key.OTHER_NUMBER, "PO-1", tenant=None)).total == 1
    await exchange.store.turn_clock(now=exchange.clock.now())
    assert exchange.opened.rows("SELECT prescription, submission FROM search_progress") == [(1, 1)]


async def test_a_refused_message_is_found_by_its_control_id_and_its_order_numbers(exchange: Exchange) -> None:
    refusal = make_refusal("R")
    issue = Issue(code="SIGNATURE_INVALID", location="", text="It does not fit.")
    numbers = (OrderNumber(trust_number="RX-R"),)
    order = OrderVerdict(outcome=Outcome.REFUSED, action=Action.NEW, numbers=numbers, issues=(issue,))
    verdict = Verdict(outcome=Outcome.REFUSED, issues=(issue,), orders=(order,))
    await exchange.store.accept(replace(refusal, verdict=verdict))
    for value in (refusal.envelope.control_id, "RX-R"):
        (found,) = await exchange.enquiries.refused(value, tenant=TRUST)
        assert (found.orders, found.issues, found.tenant) == (("RX-R",), (issue,), TRUST)
        assert await exchange.enquiries.refused(value, tenant=OTHER) == ()
        assert len(await exchange.enquiries.refused(value, tenant=None)) == 1
    exchange.opened.raw.execute("DELETE FROM refused_order")
    assert await exchange.enquiries.refused("RX-R", tenant=None) == ()
    await exchange.store.turn_clock(now=exchange.clock.now())
    assert len(await exchange.enquiries.refused("RX-R", tenant=None)) == 1


async def test_a_trust_finds_its_own_message_whatever_became_of_it_and_no_others(exchange: Exchange) -> None:
    what = make_prescription("A")
    await accept(exchange, what)
    await exchange.store.accept(make_acceptance("B", make_incomplete("B")))
    await exchange.store.accept(make_refusal("R"))
    for control_id, outcome, issues in (
        ("MSGA", Outcome.TRANSLATED, []),
        ("MSGB", Outcome.HELD, ["DOSE_CONFLICT"]),
        ("MSGR", Outcome.REFUSED, ["NHSNO_CHECK_DIGIT"]),
    ):
        (found,) = await exchange.enquiries.own_messages(control_id, tenant=TRUST)
        assert (found.control_id, found.outcome, found.received_at) == (control_id, outcome, MOMENT)
        assert [issue.code for issue in found.issues] == issues
        assert [order.outcome for order in found.orders] == [outcome]
        assert not found.archived
        for stranger in (OTHER, PROVIDER):
            assert await exchange.enquiries.own_messages(control_id, tenant=stranger) == ()
    for unknown in ("MSGC", "", "MSG\0A"):
        assert await exchange.enquiries.own_messages(unknown, tenant=TRUST) == ()


async def test_what_was_refused_as_a_whole_is_found_beside_what_was_taken_under_its_control_id(
    exchange: Exchange,
) -> None:
    await accept(exchange, make_prescription("A"))
    reused = Issue(code="CONTROL_ID_REUSED", location="MSH-10", text="Used before.")
    wrong = Issue(code="ENVIRONMENT_WRONG", location="MSH-11", text="Live.")
    later = replace(make_submission("A2"), received_at=MOMENT + timedelta(hours=1))
    await exchange.store.keep_apart(later, Apart.CLASH, [reused], keep_bytes=True, control_id="MSGA")
    await exchange.store.keep_apart(make_submission("E"), Apart.UNREADABLE, [wrong], keep_bytes=True, control_id="E1")
    await exchange.store.keep_apart(make_submission("U"), Apart.UNREADABLE, [wrong], keep_bytes=True)
    second, first = await exchange.enquiries.own_messages("MSGA", tenant=TRUST)
    assert (first.outcome, second.outcome, second.issues) == (Outcome.TRANSLATED, Outcome.REFUSED, (reused,))
    (envelope,) = await exchange.enquiries.own_messages("E1", tenant=TRUST)
    assert (envelope.outcome, envelope.issues) == (Outcome.REFUSED, (wrong,))
    assert await exchange.enquiries.own_messages("", tenant=TRUST) == ()
    for stranger in (OTHER, PROVIDER):
        assert await exchange.enquiries.own_messages("MSGA", tenant=stranger) == ()


async def test_the_lines_of_a_hold_are_found_by_the_message_that_asked_for_it(exchange: Exchange) -> None:
    what = make_prescription("A")
    await accept(exchange, what)
    (known,) = await exchange.store.known_lines(TRUST, [], items=[what.lines[0].id])
    wanted = LineHold(line=known, kind=HoldKind.HOLD, state=HoldState.CONFIRMED)
    await exchange.store.accept(make_change("H", make_hold(wanted, what, "")))
    (found,) = await exchange.enquiries.by_control_id("MSGH", tenant=TRUST)
    assert found.prescription_id == what.id
    assert (await exchange.enquiries.look_up(Key.CONTROL_ID, "MSGH", tenant=TRUST)).total == 1
    for stranger in (OTHER, STRANGER):
        assert await exchange.enquiries.by_control_id("MSGH", tenant=stranger) == ()
        assert (await exchange.enquiries.look_up(Key.CONTROL_ID, "MSGH", tenant=stranger)).total == 0


async def test_who_ever_had_a_line_had_one_when_it_is_archived_too(exchange: Exchange, tmp_path: Path) -> None:
    assert not await exchange.enquiries.ever_had(PROVIDER)
    await closed(exchange, "A")
    assert await exchange.enquiries.ever_had(PROVIDER)
    await drain(exchange)
    newest = make_prescription("NEWEST")  # the newest number of each table stays
    await exchange.store.accept(make_acceptance("NEWEST", make_order(newest, provider=OdsCode("VDEM1"))))
    now = exchange.clock.now()
    await exchange.store.open_alert(kind="overdue", subject="n", line_id=newest.lines[0].id, now=now, text="?")
    assert archive(asked(tmp_path)).let_go == 1
    assert exchange.opened.rows("SELECT DISTINCT provider FROM allocation") == [("VDEM1",)]
    assert await exchange.enquiries.ever_had(PROVIDER)
    assert not await exchange.enquiries.ever_had(STRANGER)
