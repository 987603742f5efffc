"""Who must act by when, and what people do about it: deadlines, alerts, doubt, a pause. Told as short stories."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from gateway.destination import InDoubt, Refused, Taken, TryLater
from gateway.domain.deadline import Deadlines, Limit, Term, Urgency
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.enquiries import has_stopped
from gateway.ports.acceptance import HoldRequest
from gateway.ports.work import Claim, Whereabouts
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.watch import Watch
from tests.contract.store_engines import (
    PROVIDER,
    REFUSED,
    TRUST,
    Exchange,
    make_acceptance,
    make_change,
    make_incomplete,
    make_order,
    make_prescription,
    seal,
)
from tests.factories import MOMENT


async def test_an_urgent_line_has_the_deadlines_of_its_class(tmp_path: Path) -> None:
    urgent = Term(since=MOMENT.date(), urgency=Urgency.URGENT, limits={LineState.READY: Limit(seconds=60)})
    store = SqliteStore.open(tmp_path / "gateway.db", now=lambda: MOMENT, deadlines=Deadlines(terms=(urgent,)))
    enquiries = SqliteEnquiries.open(tmp_path / "gateway.db")
    for name, priority in (("A", "asap"), ("B", "routine"), ("C", "")):
        plain = make_prescription(name)
        what = replace(plain, lines=tuple(replace(each, priority=priority) for each in plain.lines))
        await store.accept(make_acceptance(name, make_order(what)))
    assert len(await enquiries.overdue(now=MOMENT + timedelta(seconds=60))) == 1
    assert len(await enquiries.overdue(now=MOMENT + timedelta(minutes=15))) == 3
    await enquiries.close()
    await store.close()


# Alerts


async def opened(exchange: Exchange) -> int:
    (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=10)
    return alert.id


async def sweep(exchange: Exchange) -> int:
    """Look for deadlines as the watch does."""
    return await Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock).sweep()


async def test_an_alert_of_a_held_line_names_what_it_is_held_for(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=10)
    assert (
        alert.text
        == "The line is held; the trust must act. Why: The dose is sent twice and differently (DOSE_CONFLICT)."
    )


async def test_a_person_closes_an_alert_once_with_a_reason_that_the_audit_proves(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    close = partial(exchange.store.close_alert, await opened(exchange), by="anna", now=exchange.clock.now())
    assert await close(reason="The ward was rung.")
    assert not await close(reason="Again.")
    assert not await exchange.store.close_alert(99, by="anna", reason="No such.", now=exchange.clock.now())
    assert await exchange.alert_kinds() == []


async def test_a_closed_alert_says_who_closed_it_and_why(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what, state=LineState.HELD)))
    await exchange.store.close_alert(await opened(exchange), by="anna", reason="Rung.", now=exchange.clock.now())
    view = await exchange.enquiries.prescription(what.id, tenant=TRUST)
    assert view is not None
    (alert,) = view.alerts
    assert (alert.closed_at, alert.closed_by, alert.close_reason) == (exchange.clock.now(), "anna", "Rung.")


async def test_an_alert_that_was_closed_while_its_cause_lasts_comes_back(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    assert await sweep(exchange) == 0
    late = "Held. The trust should have acted by 5 Oct 2026, 10:15:00."
    overdue = f"{late} Why: The dose is sent twice and differently (DOSE_CONFLICT)."
    for text in (overdue, f"{overdue} An alert of this was closed, and it is still so."):
        number = await opened(exchange)
        await exchange.store.close_alert(number, by="anna", reason="Seen.", now=exchange.clock.move(minutes=1))
        assert await sweep(exchange) == 1
        (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=10)
        assert alert.text == text
        assert alert.id > number


async def test_an_alert_of_an_earlier_state_does_not_hide_that_a_later_one_is_overdue(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    await exchange.store.open_alert(
        kind="safety-incident",
        subject="x",
        line_id=make_prescription("A").lines[0].id,
        now=exchange.clock.now(),
        text="An incident.",
    )
    exchange.clock.move(minutes=1)
    await exchange.store.record(claim, Taken(evidence=b""), now=exchange.clock.now(), retry_at=None)
    exchange.clock.move(days=2)
    assert await sweep(exchange) == 1
    assert await exchange.alert_kinds() == ["safety-incident", "overdue"]


# Doubt


async def in_doubt(exchange: Exchange) -> Prescription:
    what = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, InDoubt(reason="no answer"), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.UNCERTAIN] * 2
    assert await exchange.alert_kinds() == ["line-uncertain"] * 2
    assert await exchange.claim() == []
    return what


async def resolve(exchange: Exchange, what: Prescription, found: Whereabouts) -> int:
    return await exchange.store.resolve_doubt(
        what.id, found=found, evidence="Rung; their log was read out.", by="anna", now=exchange.clock.now()
    )


async def test_what_the_provider_has_waits_for_its_answer_and_is_not_sent_again(exchange: Exchange) -> None:
    what = await in_doubt(exchange)
    assert await resolve(exchange, what, Whereabouts.WITH_PROVIDER) == 2
    assert await exchange.states(what) == [LineState.WITH_PROVIDER] * 2
    assert await exchange.alert_kinds() == []
    assert await exchange.claim() == []
    assert await resolve(exchange, what, Whereabouts.NEVER_ARRIVED) == 0


async def test_what_never_arrived_goes_again_with_the_same_bytes_under_the_same_id(exchange: Exchange) -> None:
    what = await in_doubt(exchange)
    sent = make_order(what).message
    assert sent is not None
    assert await resolve(exchange, what, Whereabouts.NEVER_ARRIVED) == 2
    assert await exchange.states(what) == [LineState.READY] * 2
    (claim,) = await exchange.claim()
    assert (claim.message_id, claim.octets, claim.possible_duplicate) == (sent.id, sent.body, False)
    assert claim.attempt == 2
    view = await exchange.enquiries.prescription(what.id, tenant=None)
    assert view is not None
    assert view.events[-1].text == "anna: Rung; their log was read out."


async def test_what_never_arrived_has_not_aged_while_nobody_knew_that(exchange: Exchange) -> None:
    what = await in_doubt(exchange)
    exchange.clock.move(hours=30)
    await resolve(exchange, what, Whereabouts.NEVER_ARRIVED)
    (claim,) = await exchange.claim()
    assert await exchange.store.on_wire(claim, now=exchange.clock.now())
    assert claim.idle == timedelta(hours=30)
    now = exchange.clock.move(minutes=1)
    await exchange.store.record(claim, TryLater(reason="busy"), now=now, retry_at=now + timedelta(seconds=5))
    assert await exchange.states(what) == [LineState.READY] * 2
    assert await exchange.enquiries.overdue(now=now) == ()


async def test_nothing_is_resolved_while_an_attempt_is_under_way_or_nothing_is_in_doubt(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    assert await resolve(exchange, what, Whereabouts.NEVER_ARRIVED) == 0
    claim = await exchange.send()
    assert await resolve(exchange, what, Whereabouts.NEVER_ARRIVED) == 0
    now = exchange.clock.now()
    await exchange.store.record(claim, InDoubt(reason="no answer"), now=now, retry_at=now)
    await exchange.send()
    assert await resolve(exchange, what, Whereabouts.NEVER_ARRIVED) == 0


async def test_a_retry_that_is_due_is_taken_back_when_the_provider_has_it(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, InDoubt(reason="no answer"), now=now, retry_at=now)
    (again,) = await exchange.claim()
    assert await resolve(exchange, what, Whereabouts.WITH_PROVIDER) == 1
    assert not await exchange.store.on_wire(again, now=now)


# A pause


async def test_nothing_is_sent_to_a_paused_destination_and_deadlines_run_on(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    (claimed,) = await exchange.claim()
    now = exchange.clock.now()
    assert await exchange.store.pause(PROVIDER, by="anna", reason="They asked.", now=now)
    assert not await exchange.store.pause(PROVIDER, by="ben", reason="Too.", now=now)
    assert not await exchange.store.on_wire(claimed, now=now)
    assert await exchange.claim() == []
    (pause,) = await exchange.enquiries.pauses()
    assert (pause.destination, pause.begun_by, pause.reason) == (PROVIDER, "anna", "They asked.")
    exchange.clock.move(hours=1)
    assert await sweep(exchange) == 1
    assert await exchange.store.resume(PROVIDER, by="ben", reason="Mended.", now=exchange.clock.now())
    assert not await exchange.store.resume(PROVIDER, by="ben", reason="Mended.", now=exchange.clock.now())
    assert await exchange.enquiries.pauses() == ()
    assert [claim.attempt for claim in await exchange.claim()] == [1]


async def test_time_paused_does_not_age_a_message(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    first = exchange.clock.move(hours=2)
    claim = await exchange.send()
    assert claim.idle == timedelta()
    await exchange.store.record(claim, TryLater(reason="503"), now=first, retry_at=first)
    for kind, begin, end in (("by operator", 1, 50), ("after restore", 40, 71), ("again", 80, 81)):
        for change, hours in ((exchange.store.pause, begin), (exchange.store.resume, end)):
            now = first + timedelta(hours=hours)
            assert await change(PROVIDER, by="anna", reason="They are moving.", now=now, kind=kind)
    exchange.clock.move(hours=100)
    (claim,) = await exchange.claim()
    assert claim.attempt == 2
    assert claim.idle == timedelta(hours=2 + 70 + 1)


async def test_a_pause_of_another_kind_outlasts_the_operators(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    now = exchange.clock.now()
    for kind in ("by operator", "after restore"):
        assert await exchange.store.pause(PROVIDER, by="anna", reason="Why.", now=now, kind=kind)
    await exchange.store.resume(PROVIDER, by="anna", reason="Done.", now=now)
    assert await exchange.claim() == []
    await exchange.store.resume(PROVIDER, by="anna", reason="Done.", now=now, kind="after restore")
    assert len(await exchange.claim()) == 1


# Fair shares


async def test_no_trust_waits_behind_anothers_backlog(exchange: Exchange) -> None:
    trusts = (TRUST, OdsCode("RZA"), OdsCode("RZB"))
    for number in range(12):
        await exchange.store.accept(make_acceptance(f"F{number}", tenant=trusts[0]))
    exchange.clock.move(seconds=1)
    for trust in trusts[1:]:
        await exchange.store.accept(make_acceptance(f"L{trust}", tenant=trust))
    served = [claim.message_id for _ in range(5) for claim in await exchange.claim(room=1)]
    late = [seal(make_prescription(f"L{trust}")).id for trust in trusts[1:]]
    assert set(late) <= set(served[:3])
    first = [seal(make_prescription(f"F{number}")).id for number in range(3)]
    assert [each for each in served if each in first] == first
    waiting = await exchange.enquiries.waiting()
    assert (waiting.total, waiting.by_tenant[TRUST]) == (14, 12)


async def test_a_large_room_is_shared_between_the_trusts(exchange: Exchange) -> None:
    for trust in (TRUST, OdsCode("RZA")):
        for number in range(6):
            await exchange.store.accept(make_acceptance(f"{trust}{number}", tenant=trust))
    claims = await exchange.claim(room=6)
    of_first = {seal(make_prescription(f"{TRUST}{number}")).id for number in range(6)}
    assert sum(claim.message_id in of_first for claim in claims) == 3


# The heartbeat


async def test_the_last_beat_of_each_part_is_known(exchange: Exchange) -> None:
    assert await exchange.enquiries.last_beat("watch") is None
    for _ in range(2):
        await exchange.store.beat("watch", now=exchange.clock.move(minutes=1))
    await exchange.store.beat("other", now=MOMENT)
    assert await exchange.enquiries.last_beat("watch") == MOMENT + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("ago", "stopped"), [(None, True), (0, False), (60, False), (61, True), (-60, False), (-61, True)]
)
def test_a_beat_that_is_old_or_from_a_future_that_never_came_is_none(ago: int | None, *, stopped: bool) -> None:
    last = None if ago is None else MOMENT - timedelta(seconds=ago)
    assert has_stopped(last, now=MOMENT, allowed_seconds=60) is stopped


# What the file itself refuses


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE alert SET closed_at = 1",
        "UPDATE alert SET closed_at = 1, closed_by = 'anna'",
        "UPDATE alert SET closed_at = 1, close_reason = 'Seen.'",
        "UPDATE alert SET closed_by = 'anna', close_reason = 'Seen.'",
        "INSERT INTO alert (kind, subject, opened_at, closed_at, text) VALUES ('k', 's', 1, 1, 't')",
        "DELETE FROM pause",
        "UPDATE pause SET reason = 'Another.'",
        "UPDATE pause SET ended_at = 1",
        "INSERT INTO pause (destination, kind, begun_at, begun_by, reason) VALUES ('VNE51', 'by operator', 1, '', 'r')",
        (
            "INSERT INTO pause (destination, kind, begun_at, begun_by, reason) "
            "VALUES ('VNE51', 'by operator', 1, 'anna', 'Twice.')"
        ),
    ],
)
async def test_only_a_named_person_with_a_reason_closes_or_pauses(exchange: Exchange, edit: str) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    await exchange.store.pause(PROVIDER, by="anna", reason="They asked.", now=MOMENT)
    with pytest.raises(REFUSED):
        exchange.opened.raw.execute(edit)


# What was given up


async def give_up(exchange: Exchange, claim: Claim) -> None:
    assert await exchange.store.on_wire(claim, now=exchange.clock.now(), octets=claim.octets or b"news")
    await exchange.store.record(claim, TryLater(reason="away"), now=exchange.clock.now(), retry_at=None)


async def test_news_that_was_given_up_is_sent_once_more_by_a_person(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(evidence=b""), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    (told,) = await exchange.claim(TRUST)
    await give_up(exchange, told)
    assert await exchange.alert_kinds() == ["tell-stuck"]
    again = partial(exchange.store.resend, by="anna", reason="Their server is back.", now=exchange.clock.now())
    assert await again(derived_id("another")) == 0
    assert await again(what.id) == 1
    assert await again(told.message_id) == 0
    assert await exchange.alert_kinds() == []
    (repeated,) = await exchange.claim(TRUST)
    assert (repeated.message_id, repeated.octets) == (told.message_id, b"news")


@pytest.mark.parametrize("outcome", [Refused(reason="no", evidence=b""), InDoubt(reason="no answer")])
async def test_an_order_is_never_sent_again_this_way(exchange: Exchange, outcome: Refused | InDoubt) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=None)
    for name in (what.id, claim.message_id):
        now = exchange.clock.now()
        assert await exchange.store.resend(name, by="anna", reason="Try.", now=now) == 0
    assert await exchange.claim() == []


async def test_a_message_that_was_given_up_names_every_line_it_speaks_of(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    (claim,) = await exchange.claim()
    await exchange.store.record(claim, Refused(reason="no adapter"), now=exchange.clock.now(), retry_at=None)
    alerts = await exchange.enquiries.open_alerts(tenant=TRUST, limit=10)
    stuck = [alert for alert in alerts if alert.kind == "transmission-stuck"]
    assert {alert.line_id for alert in stuck} == {line.id for line in what.lines}


async def test_an_alert_whose_cause_is_past_says_since_when_and_is_still_a_persons_to_close(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, InDoubt(reason="silence"), now=exchange.clock.now(), retry_at=None)
    (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=10)
    assert (alert.kind, "Settled" in alert.text) == ("line-uncertain", False)
    exchange.clock.move(hours=1)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    (alert,) = await exchange.enquiries.open_alerts(tenant=None, limit=10)
    assert alert.text.endswith("Settled since 5 Oct 2026, 11:15: accepted by provider.")
    view = await exchange.enquiries.prescription(what.id, tenant=None)
    assert view is not None
    assert view.alerts[0].text == alert.text
    assert await exchange.store.close_alert(alert.id, by="anna", reason="seen", now=exchange.clock.now())
    view = await exchange.enquiries.prescription(what.id, tenant=None)
    assert view is not None
    assert "Settled" not in view.alerts[0].text


async def on_hold(exchange: Exchange, what: Prescription, *, release: bool = False) -> None:
    """Hold an order that waits in the queue, or release it."""
    (known,) = await exchange.store.known_lines(TRUST, [what.lines[0].order_number])
    request = HoldRequest(
        line_id=known.line_id,
        kind=HoldKind.RELEASE if release else HoldKind.HOLD,
        seen=known.state,
        beneath=LineState.READY,
        open_request=None,
        state=HoldState.CONFIRMED,
    )
    await exchange.store.accept(make_change("L" if release else "H", request))


async def test_time_on_hold_after_a_first_attempt_neither_ages_a_message_nor_makes_it_overdue(
    exchange: Exchange,
) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    first = exchange.clock.now()
    await exchange.store.record(claim, TryLater(reason="503"), now=first, retry_at=first)
    exchange.clock.move(minutes=5)
    await on_hold(exchange, what)
    exchange.clock.move(days=30)
    assert await exchange.claim() == []
    await on_hold(exchange, what, release=True)
    exchange.clock.move(minutes=1)
    assert await sweep(exchange) == 0
    claim = await exchange.send()
    assert (claim.attempt, claim.idle) == (2, timedelta(days=30))
    await exchange.store.record(claim, TryLater(reason="503"), now=exchange.clock.now(), retry_at=exchange.clock.now())
    assert await exchange.states(what) == [LineState.READY]
    assert await sweep(exchange) == 0  # it had its fifteen minutes less six
    exchange.clock.move(minutes=10)
    assert await sweep(exchange) == 1


async def test_a_line_released_after_its_validity_does_not_leave(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    await on_hold(exchange, what)
    await on_hold(exchange, what, release=True)
    exchange.clock.move(days=400)
    (claim,) = await exchange.claim()
    assert not await exchange.store.on_wire(claim, now=exchange.clock.now())
    assert "transmission-blocked" in await exchange.alert_kinds()
