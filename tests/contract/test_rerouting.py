"""A line changes hands only behind the fence: whatever races, comes late or is forged, one has it (I2, I10)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gateway.destination import InDoubt, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.cancel import CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.fence import Ground
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import HeldLine, Reroute, RerouteState, Revocation, Wanted
from gateway.ports.acceptance import CancelRequest
from gateway.ports.callback import Effectiveness
from gateway.ports.work import Claim
from gateway.store.sql import rerouting
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    REFUSED,
    TRUST,
    Clock,
    Exchange,
    Raw,
    make_acceptance,
    make_order,
    make_prescription,
)
from tests.factories import MOMENT

NEXT, THIRD = OdsCode("VNCEL"), OdsCode("VNFKT")
PEOPLE = ("anna", "ben")
NEW = make_prescription("A")


def sealed(what: Prescription, *, to: OdsCode, epoch: int, lines: tuple[UUID, ...] = ()) -> SealedMessage:
    return SealedMessage(
        id=derived_id("again", str(what.id), to.value, str(epoch), *map(str, lines)),
        event=MessageEvent.ORDER,
        destination=to,
        line_ids=lines or tuple(line.id for line in what.lines),
        epoch=epoch,
        not_valid_after=MOMENT + timedelta(days=180),
        body=b'{"resourceType":"Bundle"}',
    )


def wanted(to: OdsCode = NEXT, people: tuple[str, str] = PEOPLE) -> Wanted:
    return Wanted(to=to, people=people, reason="the provider has left the market")


def request_of(
    what: Prescription = NEW,
    *,
    to: OdsCode = NEXT,
    seen: int = 1,
    people: tuple[str, str] = PEOPLE,
    refuses_expired: bool = False,
) -> Reroute:
    return Reroute(
        tenant=TRUST,
        seen=dict.fromkeys((line.id for line in what.lines), seen),
        message=sealed(what, to=to, epoch=seen + 1),
        wanted=wanted(to, people),
        refuses_expired=refuses_expired,
    )


def revocation(what: Prescription = NEW, *, epoch: int = 1, line: int = 0, to: OdsCode = NEXT) -> Revocation:
    message = SealedMessage(
        id=derived_id("revocation", str(what.lines[line].id), str(epoch)),
        event=MessageEvent.UPDATE,
        destination=PROVIDER,
        line_ids=(what.lines[line].id,),
        epoch=epoch,
        not_valid_after=MOMENT + timedelta(days=180),
        body=b'{"resourceType":"Bundle"}',
    )
    return Revocation(tenant=TRUST, line_id=what.lines[line].id, epoch=epoch, message=message, wanted=wanted(to))


async def accepted(exchange: Exchange, what: Prescription = NEW) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(what)))


async def finished(exchange: Exchange, outcome: TransmitOutcome | None = None, to: OdsCode = PROVIDER) -> Claim:
    claim = await exchange.send(to)
    await exchange.store.record(claim, outcome or Taken(), now=exchange.clock.now(), retry_at=None)
    return claim


async def line_of(exchange: Exchange, what: Prescription = NEW) -> HeldLine:
    (held,) = await exchange.enquiries.held(prescription_id=what.id)
    return held.lines[0]


async def holders(exchange: Exchange) -> list[tuple[OdsCode | None, int]]:
    (held,) = await exchange.enquiries.held(prescription_id=NEW.id)
    return [(line.holding.provider, line.holding.epoch) for line in held.lines]


async def test_a_line_that_never_left_goes_at_once(exchange: Exchange) -> None:
    await accepted(exchange)
    assert await exchange.store.reroute(request_of()) == ()
    assert await holders(exchange) == [(NEXT, 2)]
    assert await exchange.claim(PROVIDER) == []
    assert len(await exchange.claim(NEXT)) == 1


async def test_attempts_that_are_proven_not_taken_leave_nothing_behind(exchange: Exchange) -> None:
    await accepted(exchange)
    await finished(exchange, TryLater(reason="connection refused"))
    assert await exchange.states(NEW) == [LineState.UNDELIVERABLE]
    assert await exchange.store.reroute(request_of()) == ()


@pytest.mark.parametrize("outcome", [Taken(), InDoubt(reason="cut"), None])
async def test_silence_however_long_is_no_ground(exchange: Exchange, outcome: TransmitOutcome | None) -> None:
    await accepted(exchange)
    if outcome is None:
        await exchange.send()
    else:
        await finished(exchange, outcome)
    exchange.clock.move(days=900)
    (reason,) = await exchange.store.reroute(request_of())
    assert "give it up first" in reason
    assert await holders(exchange) == [(PROVIDER, 1)]


@pytest.mark.parametrize("event", [LineEvent.REJECTED, LineEvent.REFUSED_FORMAT])
async def test_a_rejected_line_goes_at_once(exchange: Exchange, event: LineEvent) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, event)
    assert await exchange.store.reroute(request_of()) == ()
    assert await exchange.states(NEW) == [LineState.READY]


async def test_who_has_it_now_is_not_waited_for_since_another_was_sent_it(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    assert await exchange.store.reroute(request_of()) == ()
    sent = exchange.clock.move(hours=5)
    await exchange.send(NEXT)
    alive = await exchange.enquiries.aliveness(tenant=TRUST)
    assert alive.oldest_unanswered == sent


async def test_a_message_that_the_provider_refused_goes_at_once(exchange: Exchange) -> None:
    await accepted(exchange)
    await finished(exchange, Refused(reason="cannot read it"))
    assert await exchange.store.reroute(request_of()) == ()


async def test_what_expired_goes_only_from_a_provider_that_refuses_what_has_expired(exchange: Exchange) -> None:
    await accepted(exchange)
    await finished(exchange)
    exchange.clock.move(days=181)
    assert await exchange.store.reroute(request_of()) != ()
    assert await exchange.store.reroute(request_of(refuses_expired=True)) == ()
    assert await exchange.states(NEW) == [LineState.READY]


async def test_what_expired_after_it_was_accepted_stays(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    exchange.clock.move(days=181)
    assert await exchange.store.reroute(request_of(refuses_expired=True)) != ()


@pytest.mark.parametrize("people", [("anna", "anna"), ("anna", " Anna "), ("anna", "")])
async def test_one_person_alone_moves_nothing(exchange: Exchange, people: tuple[str, str]) -> None:
    await accepted(exchange)
    assert await exchange.store.reroute(request_of(people=people)) == ("two different people must authorise it",)
    assert await holders(exchange) == [(PROVIDER, 1)]


async def test_of_two_re_routes_at_once_one_wins_and_the_other_is_told(exchange: Exchange) -> None:
    await accepted(exchange)
    results = await asyncio.gather(
        exchange.store.reroute(request_of(to=NEXT)), exchange.store.reroute(request_of(to=THIRD))
    )
    assert sorted(map(len, results)) == [0, 1]
    (holder,) = await holders(exchange)
    assert holder == ((NEXT, 2) if results[0] == () else (THIRD, 2))
    claims = [*await exchange.claim(NEXT), *await exchange.claim(THIRD), *await exchange.claim(PROVIDER)]
    assert len(claims) == 1


@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_two_stores_over_one_place_race_and_one_wins(tmp_path: Path, engine: str) -> None:
    clock = Clock()
    one, other = (ENGINES[engine](tmp_path, clock, frozenset({TRUST}), CUSTODY) for _ in range(2))
    for number in range(25):
        what = make_prescription(f"N{number}")
        await one.store.accept(make_acceptance(f"N{number}", make_order(what)))
        results = await asyncio.gather(
            one.store.reroute(request_of(what, to=NEXT)), other.store.reroute(request_of(what, to=THIRD))
        )
        assert sorted(map(len, results)) == [0, 1]
    await one.close()
    await other.close()


async def test_a_worker_that_holds_an_old_claim_may_not_send(exchange: Exchange) -> None:
    await accepted(exchange)
    (stale,) = await exchange.claim()
    assert await exchange.store.reroute(request_of()) == ()
    assert not await exchange.store.on_wire(stale, now=exchange.clock.now())
    assert await exchange.alert_kinds() == []
    assert await exchange.states(NEW) == [LineState.READY]
    await exchange.send(NEXT)
    await exchange.store.record(stale, Taken(), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(NEW) == [LineState.SENT]


async def test_a_claim_that_goes_on_the_wire_first_keeps_the_line(exchange: Exchange) -> None:
    await accepted(exchange)
    await exchange.send()
    assert await exchange.store.reroute(request_of()) != ()


@pytest.mark.parametrize("event", [LineEvent.ACCEPTED, LineEvent.DISPENSED, LineEvent.REJECTED, LineEvent.DELIVERED])
@pytest.mark.parametrize("epoch", [None, 1, 2])
async def test_a_late_answer_of_the_earlier_provider_changes_nothing(
    exchange: Exchange, event: LineEvent, epoch: int | None
) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    await exchange.store.reroute(request_of())
    await finished(exchange, to=NEXT)
    result = await exchange.answer(claim.message_id, event, id="late", epoch=epoch)
    assert result.effect is Effectiveness.KEPT
    assert await exchange.states(NEW) == [LineState.WITH_PROVIDER]
    kinds = await exchange.alert_kinds()
    supplies = event in {LineEvent.DISPENSED, LineEvent.DELIVERED, LineEvent.ACCEPTED} and epoch != 2
    assert ("safety-incident" in kinds) == supplies
    assert {"answer-unbound", "safety-incident"} & set(kinds)
    view = await exchange.enquiries.prescription(NEW.id, tenant=None)
    assert view is not None
    shown = view.events[-1]
    assert (shown.event, shown.state_before, shown.state_after) == (event, "WITH_PROVIDER", "WITH_PROVIDER")
    assert shown.text.startswith("nothing moved: An ")
    again = await exchange.answer(claim.message_id, event, id="late", epoch=epoch)
    assert again.effect is Effectiveness.KEPT
    assert await exchange.enquiries.prescription(NEW.id, tenant=None) == view


async def test_the_next_provider_has_only_what_the_earlier_left_over_planned(exchange: Exchange) -> None:
    three = make_prescription("A", total=3)
    await accepted(exchange, three)
    claim = await finished(exchange)
    for number, event in enumerate((LineEvent.ACCEPTED, LineEvent.DELIVERED, LineEvent.RETURNED)):
        await exchange.answer(claim.message_id, event, id=str(number))
    whose = "SELECT DISTINCT tenant, provider FROM delivery"
    assert exchange.opened.rows(whose) == [(TRUST.value, PROVIDER.value)]
    assert await exchange.store.reroute(request_of(three)) == ()
    assert exchange.opened.rows(whose) == [(TRUST.value, NEXT.value)]
    again = await finished(exchange, to=NEXT)
    await exchange.answer(again.message_id, LineEvent.ACCEPTED, provider=NEXT)
    view = await exchange.enquiries.prescription(three.id, tenant=None)
    assert view is not None
    assert [(one.issue, one.state) for one in view.lines[0].deliveries] == [
        (1, "DELIVERED"),
        (2, "PLANNED"),
        (3, "PLANNED"),
    ]
    await exchange.answer(again.message_id, LineEvent.DELIVERED, provider=NEXT, id="n1")
    await exchange.answer(again.message_id, LineEvent.DELIVERED, provider=NEXT, id="n2")
    assert await exchange.states(three) == [LineState.FULFILLED]
    assert exchange.opened.rows("SELECT issue, epoch, state FROM delivery ORDER BY issue, epoch") == [
        (1, 1, "DELIVERED"),
        (2, 1, "WITHDRAWN"),
        (2, 2, "DELIVERED"),
        (3, 1, "WITHDRAWN"),
        (3, 2, "DELIVERED"),
    ]


async def test_what_an_earlier_provider_says_late_does_not_count_for_the_next_in_the_fence(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    await exchange.store.reroute(request_of())
    late = await finished(exchange, to=NEXT)
    await exchange.answer(late.message_id, LineEvent.REJECTED, provider=NEXT)
    await exchange.answer(claim.message_id, LineEvent.DELIVERED, id="late")
    (held,) = await exchange.enquiries.held(prescription_id=NEW.id)
    (line,) = held.lines
    assert line.holding.epoch == 2
    assert LineEvent.DELIVERED not in {said.event for said in line.holding.said}


async def test_a_late_supply_of_several_lines_is_an_incident_of_each(exchange: Exchange) -> None:
    two = make_prescription("A", lines=2)
    await accepted(exchange, two)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.REJECTED)
    await exchange.store.reroute(request_of(two))
    await finished(exchange, to=NEXT)
    await exchange.answer(claim.message_id, LineEvent.DELIVERED, id="late")
    alerts = await exchange.enquiries.open_alerts(tenant=None, limit=100)
    assert {one.line_id for one in alerts if one.kind == "safety-incident"} == {line.id for line in two.lines}
    assert [one.kind for one in alerts][:2] == ["safety-incident"] * 2


async def test_the_next_provider_may_not_answer_under_the_earlier_epoch(exchange: Exchange) -> None:
    await accepted(exchange)
    await exchange.store.reroute(request_of())
    claim = await finished(exchange, to=NEXT)
    result = await exchange.answer(claim.message_id, LineEvent.ACCEPTED, provider=NEXT, epoch=1)
    assert result.effect is Effectiveness.KEPT
    result = await exchange.answer(claim.message_id, LineEvent.ACCEPTED, provider=NEXT, epoch=2, id="right")
    assert result.effect is Effectiveness.APPLIED


async def test_lines_that_are_to_leave_together_go_together(exchange: Exchange) -> None:
    two = make_prescription("A", lines=2)
    await accepted(exchange, two)
    one = Reroute(
        tenant=TRUST,
        seen={two.lines[0].id: 1},
        message=sealed(two, to=NEXT, epoch=2, lines=(two.lines[0].id,)),
        wanted=wanted(),
    )
    (reason,) = await exchange.store.reroute(one)
    assert "must go with it" in reason
    assert await exchange.store.reroute(request_of(two)) == ()


async def test_of_several_lines_all_go_or_none(exchange: Exchange) -> None:
    two = make_prescription("A", lines=2)
    await accepted(exchange, two)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.REJECTED, line_id=two.lines[0].id)
    assert await exchange.store.reroute(request_of(two)) != ()
    assert await exchange.claim(NEXT) == []


async def test_a_revocation_is_asked_behind_the_order_and_moves_nothing(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    assert await exchange.store.ask_reroute(revocation()) == ()
    assert await exchange.states(NEW) == [LineState.ACCEPTED]
    assert await exchange.store.ask_reroute(revocation()) == (f"a re-route to {NEXT} is under way",)
    assert await exchange.store.reroute(request_of()) != ()
    asked = await finished(exchange)
    assert asked.message_id == derived_id("revocation", str(NEW.lines[0].id), "1")


async def test_a_confirmed_revocation_frees_the_line_and_tells_the_trust_nothing_of_a_cancel(
    exchange: Exchange,
) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    told = len(await exchange.claim(TRUST))
    await exchange.store.ask_reroute(revocation())
    asked = await finished(exchange)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED)
    line = await line_of(exchange)
    assert line.reroute is not None
    assert line.reroute.state is RerouteState.CONFIRMED
    assert len(await exchange.enquiries.revoked()) == 1
    assert await exchange.store.reroute(request_of()) == ()
    assert await holders(exchange) == [(NEXT, 2)]
    assert told
    assert await exchange.claim(TRUST) == []


@pytest.mark.parametrize("gives_up", [LineEvent.RETURNED, LineEvent.NOT_SUPPLIED])
async def test_what_the_holder_gives_up_by_itself_ends_the_wait_for_its_answer(
    exchange: Exchange, gives_up: LineEvent
) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.ask_reroute(revocation())
    await exchange.answer(claim.message_id, gives_up)
    assert len(await exchange.enquiries.revoked()) == 1
    assert await exchange.store.reroute(request_of()) == ()
    assert await holders(exchange) == [(NEXT, 2)]


async def test_an_unasked_confirmation_is_no_ground(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.answer(claim.message_id, LineEvent.CANCEL_CONFIRMED)
    assert await exchange.store.reroute(request_of()) != ()


async def test_a_supply_after_the_confirmation_takes_it_back(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.ask_reroute(revocation())
    asked = await finished(exchange)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED)
    await exchange.answer(claim.message_id, LineEvent.DELIVERED)
    assert await exchange.store.reroute(request_of()) != ()
    assert await exchange.store.stop_reroute(TRUST, NEW.lines[0].id, "it was supplied meanwhile")
    assert "reroute-stopped" in await exchange.alert_kinds()
    assert not await exchange.store.stop_reroute(TRUST, NEW.lines[0].id, "again")


async def test_a_revocation_that_may_not_have_arrived_is_told(exchange: Exchange) -> None:
    await accepted(exchange)
    await finished(exchange)
    await exchange.store.ask_reroute(revocation())
    await finished(exchange, InDoubt(reason="cut"))
    assert "reroute-waits" in await exchange.alert_kinds()


async def test_the_trusts_own_cancel_after_a_re_route_goes_to_the_next_holder(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.ask_reroute(revocation())
    asked = await finished(exchange)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED)
    await exchange.store.reroute(request_of())
    (known,) = await exchange.store.known_lines(TRUST, [NEW.lines[0].order_number])
    assert (known.cancel, known.destination, known.epoch) == (CancelState.NONE, NEXT, 2)


async def test_a_cancel_of_the_trust_keeps_a_re_route_out(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await cancel_it(exchange)
    (reason,) = await exchange.store.ask_reroute(revocation())
    assert "asked to cancel" in reason


async def cancel_it(exchange: Exchange) -> None:
    """Have the trust ask to cancel the line."""
    cancel = CancelRequest(line_id=NEW.lines[0].id, seen=LineState.ACCEPTED, state=CancelState.ASKED)
    await exchange.store.accept(replace(make_acceptance("C", control_id="C"), orders=(), cancels=(cancel,)))


async def test_a_cancel_that_comes_while_it_is_asked_back_wins(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.ask_reroute(revocation())
    asked = await finished(exchange)
    await cancel_it(exchange)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED)
    assert await exchange.states(NEW) == [LineState.CANCELLED]
    assert await exchange.enquiries.revoked() == ()
    assert await exchange.store.reroute(request_of()) != ()


async def test_a_cancel_that_comes_after_it_was_given_up_keeps_it_from_the_next(exchange: Exchange) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.ask_reroute(revocation())
    asked = await finished(exchange)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED)
    await cancel_it(exchange)
    (reason,) = await exchange.store.reroute(request_of())
    assert "asked to cancel" in reason


@pytest.mark.parametrize("ground", list(Ground))
@pytest.mark.parametrize("event", [None, LineEvent.ACCEPTED, LineEvent.DISPENSED])
async def test_where_the_program_is_wrong_the_database_still_refuses(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, ground: Ground, event: LineEvent | None
) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    if event is not None:
        await exchange.answer(claim.message_id, event)
    monkeypatch.setattr(rerouting, "decide", lambda *_, **__: ground)
    monkeypatch.setattr(rerouting, "event_of", lambda *_: LineEvent.REVOKED_FOR_REROUTE)
    before = await exchange.states(NEW)
    with pytest.raises(REFUSED, match="this line has a "):
        await exchange.store.reroute(request_of())
    assert await exchange.states(NEW) == before
    assert await holders(exchange) == [(PROVIDER, 1)]
    assert await exchange.claim(NEXT) == []


FORGERIES = {
    "no record at all": "",
    "never on the wire, which it was": "never_on_wire",
    "given back, which it was not": "given_back",
    "expired, which it has not": "expired",
}


@pytest.mark.parametrize("ground", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("end", [True, False], ids=["ended first", "not ended"])
async def test_raw_sql_does_not_get_past_the_database(
    exchange: Exchange,
    ground: str,
    end: bool,  # noqa: FBT001
) -> None:
    await accepted(exchange)
    claim = await finished(exchange)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    raw = exchange.opened.raw
    message = forge_message(raw)
    if end:
        raw.execute("UPDATE allocation SET ended_at = 1")
    if ground:
        raw.execute(
            "INSERT INTO reroute (line, epoch, earlier, provider, person, second_person, reason, state, ground,"
            " message, asked_at, revoked_at, ended_at) VALUES (1, 1, ?, ?, 'a', 'b', 'r', 'DONE', ?, NULL, 1, 1, 1)",
            (PROVIDER.value, NEXT.value, ground),
        )
    before = list(raw.execute("SELECT * FROM allocation"))
    for epoch in (1, 2, 7):
        with pytest.raises(REFUSED):
            raw.execute(
                "INSERT INTO allocation (line, prescription, epoch, provider, message, made_at)"
                " VALUES (1, 1, ?, ?, ?, 4102444800000000)"
                if ground != "expired"
                else "INSERT INTO allocation (line, prescription, epoch, provider, message, made_at)"
                " VALUES (1, 1, ?, ?, ?, 1)",
                (epoch, NEXT.value, message),
            )
    assert list(raw.execute("SELECT * FROM allocation")) == before


def forge_message(raw: Raw) -> bytes:
    message = b"m" * 16
    raw.execute(
        "INSERT INTO message (id, prescription, event, destination, epoch, not_valid_after, key_id, digest, body,"
        " content_type, created_at) VALUES (?, 1, 'prescription-order', ?, 2, 1, '', '', ?, '', 1)",
        (message, NEXT.value, b"{}"),
    )
    return message


REROUTE_ROWS = {
    "one person": {"second_person": "a"},
    "the same person in capitals": {"second_person": " A "},
    "nobody": {"person": " "},
    "no reason": {"reason": " "},
    "to the provider that has it": {"provider": PROVIDER.value},
    "an unknown ground": {"ground": "timeout"},
    "done without a ground": {"ground": None},
}


@pytest.mark.parametrize("change", REROUTE_ROWS.values(), ids=REROUTE_ROWS.keys())
async def test_the_record_of_a_re_route_must_be_whole(exchange: Exchange, change: dict[str, str | None]) -> None:
    await accepted(exchange)
    raw = exchange.opened.raw
    row: dict[str, object] = {
        "line": 1,
        "epoch": 1,
        "earlier": PROVIDER.value,
        "provider": NEXT.value,
        "person": "a",
        "second_person": "b",
        "reason": "r",
        "state": "DONE",
        "ground": "never_on_wire",
        "asked_at": 1,
        "ended_at": 1,
    }
    sql = f"INSERT INTO reroute ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"  # noqa: S608
    with pytest.raises(REFUSED):
        raw.execute(sql, {**row, **change})
    raw.execute(sql, row)
    for statement in ("DELETE FROM reroute", "UPDATE reroute SET ground = 'expired'", "UPDATE reroute SET line = 2"):
        with pytest.raises(REFUSED):
            raw.execute(statement)


async def test_every_change_of_hands_leaves_a_leaf_with_both_people(exchange: Exchange) -> None:
    await accepted(exchange)
    await exchange.store.reroute(request_of())
    ((body,),) = exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'reroute'")
    assert all(word in str(body, "utf-8") for word in ("anna", "ben", "never_on_wire", PROVIDER.value, NEXT.value))
