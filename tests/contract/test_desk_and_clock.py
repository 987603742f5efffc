"""What a pharmacist does at a desk and what the clock causes: each act audited, each end told to whoever must know."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.destination import InDoubt, Refused, Taken
from gateway.domain.acts import Act, Expiry, Ruling
from gateway.domain.cancel import CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.event_log import Entry, violations
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.labels import Condition
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.renewal import RenewalEvent
from gateway.domain.submission import Action, Notice
from gateway.ports.acceptance import CancelRequest
from gateway.ports.callback import Effectiveness
from gateway.ports.late import Awaits
from gateway.store.sql.instants import instant
from gateway.watch import Watch
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    seal,
)

S = LineState
E = LineEvent


class Desk(Exchange):
    """An exchange with a pharmacist, and the file to look at."""

    def act(self, what: Prescription, line: int | None = None) -> Act:
        return Act(
            prescription_id=what.id,
            by="j.smith",
            reason="Rang the ward.",
            now=self.clock.now(),
            line_id=what.lines[line].id if line is not None else None,
        )

    def rows(self, sql: str) -> list[Any]:
        return self.opened.rows(sql)

    async def accepted(self, what: Prescription, name: str = "A") -> SealedMessage:
        """Accept a prescription and let its provider accept it."""
        order = make_order(what)
        await self.store.accept(make_acceptance(name, order))
        claim = await self.send()
        await self.store.record(claim, Taken(), now=self.clock.now(), retry_at=None)
        assert order.message is not None
        await self.answer(order.message.id, E.ACCEPTED)
        self.clock.move(seconds=1)
        return order.message

    async def cancel(
        self,
        what: Prescription,
        line: int,
        state: CancelState,
        *,
        by: Prescription | None = None,
        stands: LineState = S.READY,
    ) -> None:
        seen = (await self.states(what))[line]
        message = None if state is CancelState.CONFIRMED else update(what, line)
        replaced = by.lines[0].id if by else None
        request = CancelRequest(
            line_id=what.lines[line].id, seen=seen, state=state, message=message, replaced_by=replaced
        )
        name = f"C{line}{what.group_number}"
        empty = replace(make_acceptance(name), orders=(), cancels=(request,))
        if by is not None:
            order = make_order(by, state=stands)
            verdict = replace(order.verdict, action=Action.REPLACE)
            order = replace(order, verdict=verdict, waits_for=(what.lines[line].id,) if message else ())
            empty = replace(empty, orders=(order,))
        await self.store.accept(empty)


def update(what: Prescription, line: int = 0, name: str = "update") -> SealedMessage:
    return replace(
        seal(what),
        id=derived_id(name, str(what.lines[line].id)),
        event=MessageEvent.UPDATE,
        line_ids=(what.lines[line].id,),
    )


@pytest.fixture(params=sorted(ENGINES))
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset({TRUST}), CUSTODY)
    desk = Desk(opened, clock)
    yield desk
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


# Screening


async def waiting(desk: Desk, lines: int = 1) -> Prescription:
    what = make_prescription("A", lines=lines)
    await desk.store.accept(make_acceptance("A", make_order(what, state=S.AWAITING_SCREENING)))
    return what


async def test_a_passed_screening_sends_the_message_that_was_sealed(desk: Desk) -> None:
    what = await waiting(desk, lines=2)
    assert await desk.claim() == []
    assert await desk.store.pass_screening(desk.act(what)) == ()
    assert await desk.states(what) == [S.READY, S.READY]
    (claim,) = await desk.claim()
    assert claim.message_id == seal(what).id
    assert await desk.store.pass_screening(desk.act(what)) == (
        "no line of this prescription waits for that: look again",
    )


async def test_a_failed_screening_holds_the_order_for_the_trust(desk: Desk) -> None:
    what = await waiting(desk)
    assert await desk.store.fail_screening(desk.act(what)) == 1
    assert await desk.states(what) == [S.HELD]
    assert await desk.claim() == []
    assert await desk.alert_kinds() == ["line-held"]


async def test_a_screening_never_sends_a_line_that_was_cancelled_meanwhile(desk: Desk) -> None:
    what = await waiting(desk, lines=2)
    await desk.cancel(what, 0, CancelState.CONFIRMED)
    found = await desk.enquiries.screened(what.id)
    assert found is not None
    assert (found.waiting, found.whole) == ((what.lines[1].id,), False)
    assert await desk.store.pass_screening(desk.act(what)) != ()
    assert await desk.states(what) == [S.CANCELLED, S.AWAITING_SCREENING]
    anew = seal(replace(what, lines=what.lines[1:]), salt="anew")
    assert await desk.store.pass_screening(desk.act(what), anew) == ()
    assert await desk.states(what) == [S.CANCELLED, S.READY]
    (claim,) = await desk.claim()
    assert claim.message_id == anew.id


async def test_a_screening_after_the_validity_is_over_lets_nothing_go(desk: Desk) -> None:
    what = await waiting(desk)
    desk.clock.move(days=200)
    assert await desk.store.pass_screening(desk.act(what)) == (
        "the prescription is no longer valid: a new one is needed",
    )
    assert await desk.states(what) == [S.AWAITING_SCREENING]


# Closing and answering


async def test_a_rejected_line_is_closed_by_a_pharmacist_with_a_reason(desk: Desk) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.store.record(claim, Refused(reason="no"), now=desk.clock.now(), retry_at=None)
    assert await desk.store.close_lines(desk.act(what, line=1)) == ()
    assert await desk.states(what) == [S.REJECTED, S.CLOSED]
    assert await desk.alert_kinds() == ["line-rejected"]
    assert await desk.store.close_lines(desk.act(what)) == ()
    assert await desk.states(what) == [S.CLOSED, S.CLOSED]
    assert await desk.alert_kinds() == []
    leaves = desk.rows("SELECT body FROM audit_leaf WHERE kind = 'act'")
    assert len(leaves) == 2
    assert all(b'"by":"j.smith"' in body and b"Rang the ward" not in body for (body,) in leaves)


async def test_a_line_that_is_with_its_provider_is_not_closed(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    assert await desk.store.close_lines(desk.act(what)) == ("no line of this prescription waits for that: look again",)
    assert await desk.states(what) == [S.ACCEPTED]


async def test_an_answered_question_returns_the_line_to_where_it_stood(desk: Desk) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.answer(message.id, E.VALIDATED)
    await desk.answer(message.id, E.QUERIED)
    assert await desk.store.answer_query(desk.act(what)) == 1
    assert await desk.states(what) == [S.VALIDATED]


async def test_a_question_that_overtook_the_arrival_returns_to_the_provider(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.answer(claim.message_id, E.QUERIED)
    assert await desk.store.answer_query(desk.act(what)) == 1
    assert await desk.states(what) == [S.WITH_PROVIDER]


async def test_a_question_answered_by_another_prescription_ends_as_superseded(desk: Desk) -> None:
    what, other = make_prescription("A"), make_prescription("B")
    message = await desk.accepted(what)
    await desk.answer(message.id, E.QUERIED)
    await desk.cancel(what, 0, CancelState.ASKED, by=other)
    assert await desk.states(what) == [S.QUERIED]
    await desk.answer(update(what).id, E.CANCEL_CONFIRMED)
    assert await desk.states(what) == [S.SUPERSEDED]
    view = await desk.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    assert [event.event for event in view.events][-2:] == ["replaced", "cancel_confirmed"]


@pytest.mark.parametrize(("told", "alerts"), [(True, []), (False, ["answer-not-told"])])
async def test_nobody_claims_that_the_provider_knows_an_answer_it_was_not_given(
    desk: Desk,
    told: bool,  # noqa: FBT001 - a column of the table
    alerts: list[str],
) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.answer(message.id, E.QUERIED)
    assert await desk.store.answer_query(desk.act(what), told=told) == 1
    assert await desk.alert_kinds() == alerts
    view = await desk.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    assert ("not told yet" in view.events[-1].text) is not told
    assert await desk.claim() == []


# A change whose cancel came too late


async def too_late(desk: Desk) -> tuple[Prescription, Prescription]:
    old, new = make_prescription("A", total=1), make_prescription("B")
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    await desk.answer(message.id, E.DELIVERED)
    assert await desk.states(old) == [S.FULFILLED]
    return old, new


async def drain(desk: Desk) -> None:
    for claim in await desk.claim():
        if await desk.store.on_wire(claim, now=desk.clock.now()):
            await desk.store.record(claim, Taken(), now=desk.clock.now(), retry_at=None)


async def test_a_change_waits_for_a_ruling_when_the_old_order_was_supplied(desk: Desk) -> None:
    _, new = await too_late(desk)
    await drain(desk)
    assert await desk.states(new) == [S.READY]
    assert "cancel-last-delivered" in await desk.alert_kinds()


async def test_the_order_that_waits_in_vain_has_an_alert_of_its_own_until_it_is_ruled_on(desk: Desk) -> None:
    old, new = await too_late(desk)
    assert "change-awaits-ruling" in await desk.alert_kinds()
    books = await desk.enquiries.books()
    assert (books["open"], books["alerted"]) == (1, 1), f"{old.id} is supplied; {new.id} waits, and somebody knows"
    await desk.store.rule(desk.act(new), Ruling.SEND)
    assert "change-awaits-ruling" not in await desk.alert_kinds()


async def test_it_is_known_what_a_change_that_has_not_left_waits_for(desk: Desk) -> None:
    async def awaits(what: Prescription) -> Awaits | None:
        found = await desk.enquiries.dossier(what.id, tenant=TRUST)
        assert found is not None
        unsent = found[1].unsent[what.lines[0].id]
        assert unsent is not None
        return unsent.awaits

    old, new = make_prescription("A", total=1), make_prescription("B")
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    assert await awaits(new) is Awaits.CANCEL
    await desk.answer(message.id, E.DELIVERED)
    assert await awaits(new) is Awaits.RULING
    await desk.store.rule(desk.act(new), Ruling.SEND)
    assert await awaits(new) is None
    await drain(desk)
    assert await desk.states(new) == [S.WITH_PROVIDER]


async def test_a_change_that_is_screened_after_its_cancel_came_too_late_asks_for_a_ruling_too(desk: Desk) -> None:
    old, new = make_prescription("A", total=1), make_prescription("B")
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new, stands=S.AWAITING_SCREENING)
    await desk.answer(message.id, E.DELIVERED)
    assert "change-awaits-ruling" not in await desk.alert_kinds(), "nothing of it could be sent yet"
    assert await desk.store.pass_screening(desk.act(new)) == ()
    await drain(desk)
    assert await desk.states(new) == [S.READY]
    assert "change-awaits-ruling" in await desk.alert_kinds()


async def test_a_pharmacist_rules_that_the_new_order_goes_all_the_same(desk: Desk) -> None:
    _, new = await too_late(desk)
    assert await desk.store.rule(desk.act(new), Ruling.SEND) == ()
    assert "cancel-last-delivered" not in await desk.alert_kinds()
    await drain(desk)
    assert await desk.states(new) == [S.WITH_PROVIDER]
    assert await desk.store.rule(desk.act(new), Ruling.DROP) != ()


async def test_a_pharmacist_rules_that_the_new_order_is_dropped(desk: Desk) -> None:
    _, new = await too_late(desk)
    assert await desk.store.rule(desk.act(new), Ruling.DROP) == ()
    await drain(desk)
    assert await desk.states(new) == [S.CANCELLED]


async def test_nothing_is_ruled_while_the_cancel_is_still_open(desk: Desk) -> None:
    old, new = make_prescription("A"), make_prescription("B")
    await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    assert await desk.store.rule(desk.act(new), Ruling.SEND) != ()
    await drain(desk)
    assert await desk.states(new) == [S.READY]


# The clock


async def expire_all(desk: Desk, message: SealedMessage | None = None) -> list[bool]:
    found = await desk.enquiries.expiring(now=desk.clock.now())
    return [
        await desk.store.expire(
            Expiry(key=one.key, line_id=one.line_id, seen=one.state, message=message if one.holder else None),
            now=desk.clock.now(),
        )
        for one in found
    ]


async def test_a_line_that_never_left_expires_and_is_not_sent(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    assert await expire_all(desk) == []
    desk.clock.move(days=200)
    assert await expire_all(desk) == [True]
    assert await desk.states(what) == [S.EXPIRED]
    assert await desk.claim() == []
    assert await desk.alert_kinds() == ["line-expired"]


async def test_the_provider_is_told_of_the_end_of_validity_and_its_answer_changes_nothing(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    desk.clock.move(days=170)
    message = replace(update(what), not_valid_after=desk.clock.now() + timedelta(days=90))
    desk.clock.move(days=30)
    (found,) = await desk.enquiries.expiring(now=desk.clock.now())
    assert (found.holder, found.state) == (PROVIDER, S.ACCEPTED)
    assert await expire_all(desk, message) == [True]
    await drain(desk)
    result = await desk.answer(message.id, E.CANCEL_CONFIRMED)
    assert result.effect is Effectiveness.APPLIED
    assert await desk.states(what) == [S.EXPIRED]
    assert desk.rows("SELECT state FROM cancel") == [("CONFIRMED",)]


async def test_a_person_is_told_when_the_provider_never_answers_that_the_validity_is_over(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    message = replace(update(what), not_valid_after=desk.clock.now() + timedelta(days=290))
    desk.clock.move(days=200)
    assert await expire_all(desk, message) == [True]
    await drain(desk)
    assert await desk.enquiries.overdue(now=desk.clock.move(minutes=119)) == ()
    (found,) = await desk.enquiries.overdue(now=desk.clock.move(minutes=1))
    assert (found.line_id, found.state, found.asked) == (what.lines[0].id, S.EXPIRED, "cancel")
    watch = Watch(enquiries=desk.enquiries, store=desk.store, clock=desk.clock)
    assert await watch.sweep() == 1
    assert await watch.sweep() == 0
    (alert,) = (one for one in await desk.enquiries.open_alerts(tenant=TRUST, limit=9) if one.kind == "cancel-overdue")
    assert "the provider has not said that it will not supply it" in alert.text
    await desk.answer(message.id, E.CANCEL_PENDING)
    await desk.store.close_alert(alert.id, by="anna", reason="Rang them.", now=desk.clock.now())
    assert await watch.sweep() == 0, "the alert of what is pending speaks for it"
    await desk.answer(message.id, E.CANCEL_CONFIRMED, id="done")
    assert await desk.enquiries.overdue(now=desk.clock.move(days=9)) == ()


async def test_a_supply_after_the_end_of_validity_is_a_safety_incident(desk: Desk) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    desk.clock.move(days=200)
    assert await expire_all(desk) == [True]
    assert "cancel-not-sent" in await desk.alert_kinds()
    await desk.answer(message.id, E.DELIVERED)
    assert await desk.states(what) == [S.EXPIRED]
    assert "safety-incident" in await desk.alert_kinds()


async def test_what_may_be_under_way_does_not_expire_but_a_person_is_told_once(desk: Desk) -> None:
    doubtful, moving = make_prescription("A"), make_prescription("B")
    message = await desk.accepted(moving, "B")
    await desk.answer(message.id, E.DISPATCHED)
    await desk.store.accept(make_acceptance("A", make_order(doubtful)))
    claim = await desk.send()
    await desk.store.record(claim, InDoubt(reason="cut"), now=desk.clock.now(), retry_at=None)
    desk.clock.move(days=200)
    assert await expire_all(desk) == [False, False]
    assert (await desk.states(doubtful), await desk.states(moving)) == ([S.UNCERTAIN], [S.IN_SUPPLY])
    assert (await desk.alert_kinds()).count("validity-over") == 2
    assert await expire_all(desk) == []


async def test_a_line_in_supply_expires_between_two_deliveries(desk: Desk) -> None:
    what = make_prescription("A", total=3)
    message = await desk.accepted(what)
    await desk.answer(message.id, E.DELIVERED)
    desk.clock.move(days=200)
    assert await expire_all(desk) == [True]
    assert await desk.states(what) == [S.EXPIRED]
    assert desk.rows("SELECT state FROM delivery ORDER BY issue") == [("DELIVERED",), ("WITHDRAWN",), ("WITHDRAWN",)]


async def test_a_line_with_an_open_cancel_is_left_to_it(desk: Desk) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    await desk.cancel(what, 0, CancelState.ASKED)
    desk.clock.move(days=200)
    assert await desk.enquiries.expiring(now=desk.clock.now()) == ()


async def test_a_line_that_moved_since_it_was_looked_at_does_not_expire(desk: Desk) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    desk.clock.move(days=200)
    (found,) = await desk.enquiries.expiring(now=desk.clock.now())
    await desk.answer(message.id, E.VALIDATED)
    expiry = Expiry(key=found.key, line_id=found.line_id, seen=found.state)
    assert not await desk.store.expire(expiry, now=desk.clock.now())
    assert await desk.states(what) == [S.VALIDATED]


async def test_a_fulfilled_line_is_closed_when_the_time_for_corrections_is_over(desk: Desk) -> None:
    what = make_prescription("A", total=1)
    message = await desk.accepted(what)
    await desk.answer(message.id, E.DELIVERED)
    desk.clock.move(days=29)
    assert (await desk.store.turn_clock(now=desk.clock.now())).closed == 0
    desk.clock.move(days=1)
    assert (await desk.store.turn_clock(now=desk.clock.now())).closed == 1
    assert await desk.states(what) == [S.CLOSED]
    assert (await desk.enquiries.books())["delivered"] == 1


async def test_a_delivery_may_be_booked_when_its_day_has_come_but_not_of_a_queried_line(desk: Desk) -> None:
    what = lasting(make_prescription("A", total=3))
    message = await desk.accepted(what)
    assert (await desk.store.turn_clock(now=desk.clock.now())).due == 1
    await desk.answer(message.id, E.QUERIED)
    assert (await desk.store.turn_clock(now=desk.clock.move(days=28))).due == 0
    await desk.store.answer_query(desk.act(what))
    assert (await desk.store.turn_clock(now=desk.clock.now())).due == 1
    assert desk.rows("SELECT state FROM delivery ORDER BY issue") == [("RELEASED",), ("RELEASED",), ("PLANNED",)]


# Renewals


def lasting(what: Prescription, days: int = 28) -> Prescription:
    return replace(what, lines=tuple(replace(line, days_per_supply=days) for line in what.lines))


async def test_the_clock_asks_for_a_renewal_once_when_the_cover_ends_within_the_lead_time(desk: Desk) -> None:
    what = lasting(make_prescription("A", total=3))
    await desk.accepted(what)
    assert (await desk.store.turn_clock(now=desk.clock.now())).renewals == 0
    desk.clock.move(days=28)
    assert (await desk.store.turn_clock(now=desk.clock.now())).renewals == 1
    assert (await desk.store.turn_clock(now=desk.clock.now())).renewals == 0
    assert desk.rows("SELECT state FROM renewal") == [("REQUESTED",)]
    assert await desk.alert_kinds() == ["renewal-requested"]
    view = await desk.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    assert view.events[-1].event == "renewal_requested"


@pytest.mark.parametrize(("weeks", "asked"), [(11, 0), (12, 1)])
async def test_a_trust_says_how_long_before_the_end_it_wants_to_be_asked(desk: Desk, weeks: int, asked: int) -> None:
    await desk.accepted(lasting(make_prescription("A", total=3)))  # covers 84 days
    other = {OdsCode("RZA"): timedelta(weeks=52)}
    assert (await desk.store.turn_clock(now=desk.clock.now(), leads=other)).renewals == 0
    leads = {TRUST: timedelta(weeks=weeks)}
    assert (await desk.store.turn_clock(now=desk.clock.now(), leads=leads)).renewals == asked


async def test_a_line_whose_length_of_supply_is_not_said_or_of_one_supply_is_not_renewed_by_the_clock(
    desk: Desk,
) -> None:
    await desk.accepted(make_prescription("A", total=3), "A")
    await desk.accepted(lasting(make_prescription("B", total=1)), "B")
    assert (await desk.store.turn_clock(now=desk.clock.move(days=150))).renewals == 0


async def test_a_provider_asks_for_a_renewal_and_the_trust_names_the_new_prescription(desk: Desk) -> None:
    what, new = make_prescription("A"), make_prescription("B")
    message = await desk.accepted(what)
    assert (await desk.answer(message.id, E.RENEWAL_REQUESTED)).effect is Effectiveness.APPLIED
    await desk.accepted(new, "B")
    assert await desk.store.renew(desk.act(what), RenewalEvent.PASSED_ON) == ()
    assert await desk.store.renew(desk.act(what), RenewalEvent.PASSED_ON) != ()
    assert await desk.store.renew(desk.act(what), RenewalEvent.APPROVED) != ()
    assert await desk.store.renew(desk.act(what), RenewalEvent.APPROVED, derived_id("nothing")) != ()
    assert await desk.store.renew(desk.act(what), RenewalEvent.APPROVED, new.id) == ()
    assert desk.rows("SELECT state, prescription FROM renewal") == [("APPROVED", new.id.bytes)]
    assert await desk.alert_kinds() == []
    assert await desk.states(what) == [S.ACCEPTED]


async def test_a_renewal_is_declined_with_a_reason_or_lapses_with_its_line(desk: Desk) -> None:
    what, other = make_prescription("A"), make_prescription("B")
    for name, one in (("A", what), ("B", other)):
        message = await desk.accepted(one, name)
        await desk.answer(message.id, E.RENEWAL_REQUESTED)
        desk.clock.move(seconds=1)
    assert await desk.store.renew(desk.act(what), RenewalEvent.DECLINED) == ()
    await desk.answer(message.id, E.RETURNED)
    await desk.store.close_lines(desk.act(other))
    assert (await desk.store.turn_clock(now=desk.clock.now())).lapsed == 1
    assert desk.rows("SELECT state FROM renewal ORDER BY id") == [("DECLINED",), ("LAPSED",)]


@pytest.mark.parametrize(("order", "opened"), [("RXA0", 1), ("RXB0", 0)])
async def test_a_trusts_request_opens_a_renewal_of_the_order_it_names(desk: Desk, order: str, opened: int) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    notice = Notice(
        kind="renewal-requested",
        text="A renewal is asked for.",
        nhs_numbers=(str(what.patient.nhs_number),),
        orders=(order,),
        always=True,
    )
    await desk.store.accept(replace(make_acceptance("N"), orders=(), notices=(notice,)))
    assert len(desk.rows("SELECT 1 FROM renewal")) == opened
    assert await desk.alert_kinds() == ["renewal-requested"]


# Seeing


async def test_a_line_is_shown_with_its_deliveries_and_its_renewal(desk: Desk) -> None:
    what = lasting(make_prescription("A", total=3))
    message = await desk.accepted(what)
    await desk.answer(message.id, E.DISPATCHED)
    await desk.answer(message.id, E.RENEWAL_REQUESTED)
    view = await desk.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    (line,) = view.lines
    assert [(one.issue, one.state) for one in line.deliveries] == [(1, "DISPATCHED"), (2, "PLANNED"), (3, "PLANNED")]
    assert line.deliveries[1].due_on is not None
    assert line.renewal is not None
    assert line.renewal.state == "REQUESTED"


async def condition(desk: Desk) -> Condition | None:
    (found,) = await desk.enquiries.latest(tenant=None, limit=1)
    return found.condition


async def test_a_prescription_says_why_it_is_worse_than_its_state(desk: Desk) -> None:
    what = make_prescription("A", total=1)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await watched(desk, what)
    assert await condition(desk) is Condition.SENT_OVERDUE
    await desk.answer(claim.message_id, E.ACCEPTED)
    assert await condition(desk) is None
    await desk.cancel(what, 0, CancelState.ASKED)
    await watched(desk, what)
    assert await condition(desk) is Condition.CANCEL_OVERDUE
    await desk.answer(update(what).id, E.CANCEL_CONFIRMED)
    assert await condition(desk) is None
    await desk.answer(claim.message_id, E.DELIVERED)
    assert await condition(desk) is Condition.INCIDENT


async def watched(desk: Desk, what: Prescription) -> None:
    line = what.lines[0].id
    await desk.store.open_alert(kind="overdue", subject=str(line), line_id=line, now=desk.clock.now(), text="Late.")


async def test_our_own_history_passes_the_check_that_we_offer_to_others(desk: Desk) -> None:
    old, new = await too_late(desk)
    await desk.store.rule(desk.act(new), Ruling.DROP)
    await drain(desk)
    what = lasting(make_prescription("D", total=3))
    message = await desk.accepted(what, "D")
    for event in (E.QUERIED, E.DISPENSED, E.SUPPLY_SHORT, E.BALANCE_SUPPLIED, E.RENEWAL_REQUESTED):
        await desk.answer(message.id, event)
        await desk.store.answer_query(desk.act(what))
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.answer(update(what).id, E.CANCEL_PENDING)
    await desk.answer(message.id, E.RETURNED)
    await desk.store.turn_clock(now=desk.clock.move(days=40))
    assert (await desk.states(old), await desk.states(what)) == ([S.CLOSED], [S.CANCELLED])
    history = desk.rows(
        "SELECT at, line, event, actor, issue FROM ("
        "SELECT at, line, event, actor, NULL AS issue, seq, 0 AS beside FROM event"
        " WHERE (moved = 1 OR event LIKE 'cancel%')"
        " UNION ALL SELECT delivery_event.at, line, event, actor, issue, source, delivery_event.id FROM delivery_event"
        " JOIN delivery ON delivery.id = delivery_event.delivery WHERE source IS NOT NULL) AS each ORDER BY seq, beside"
    )
    entries = [
        Entry(number=number, line=str(line), event=event, actor=actor, at=instant(at), delivery=issue)
        for number, (at, line, event, actor, issue) in enumerate(history, start=1)
    ]
    assert len(entries) > 25
    assert list(violations(entries)) == []
