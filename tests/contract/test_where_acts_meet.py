"""Two acts on one line, or on two lines of one message: each alone is right, and so must both together be."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.destination import InDoubt, Taken, TransmitOutcome, TryLater
from gateway.domain.acts import Expiry, Ruling
from gateway.domain.cancel import CancelState
from gateway.domain.custody import CUSTODY
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.reroute import Reroute, Revocation, Wanted
from gateway.pipeline import holding
from gateway.ports.acceptance import CancelRequest, OvertakenError
from gateway.ports.work import Whereabouts
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Clock,
    make_acceptance,
    make_change,
    make_hold,
    make_order,
    make_prescription,
    seal,
)
from tests.contract.test_desk_and_clock import Desk, expire_all, update
from tests.factories import MOMENT

S = LineState
E = LineEvent
NEXT = OdsCode("VNCEL")


class Counter(Desk):
    """A desk at which lines are also held and given to other providers."""

    asked = 0

    async def hold(self, what: Prescription, kind: HoldKind = HoldKind.HOLD, *, lines: int | None = None) -> None:
        """Ask for a hold or a release of the first lines of a prescription, or of all, as the pipeline does."""
        self.asked += 1
        known = await self.store.known_lines(TRUST, [], items=[each.id for each in what.lines])
        chosen = known[:lines]
        wanted = [holding.stands(kind, line, chosen, known, expired=False) for line in chosen]
        assert all(one.state is not HoldState.REFUSED for one in wanted), wanted
        requests = [make_hold(one, what, f"{kind}{self.asked}{one.line.line_id}") for one in wanted]
        await self.store.accept(make_change(f"H{self.asked}{what.group_number}", *requests))

    async def cancel_held(self, what: Prescription, line: int, state: CancelState) -> None:
        """Cancel a line that is on hold here, as the pipeline does: it looks at what is under the hold."""
        message = None if state is CancelState.CONFIRMED else update(what, line)
        request = CancelRequest(line_id=what.lines[line].id, seen=S.READY, state=state, message=message)
        await self.store.accept(replace(make_acceptance(f"C{line}"), orders=(), cancels=(request,)))

    async def reroute(self, what: Prescription, *, seen: int = 1, to: OdsCode = NEXT) -> tuple[str, ...]:
        return await self.store.reroute(given(what, seen=seen, to=to))

    async def deliver(
        self, outcome: TransmitOutcome | None = None, *, to: OdsCode = PROVIDER, again: bool = False
    ) -> int:
        """Carry what is due to a provider as far as an outcome; give how many left."""
        left = 0
        now = self.clock.now()
        for claim in await self.claim(to):
            if await self.store.on_wire(claim, now=now):
                left += 1
                await self.store.record(claim, outcome or Taken(), now=now, retry_at=now if again else None)
        return left

    def told(self) -> list[str]:
        """Give what the trust is to be told of, in the order it happened."""
        return [
            name
            for (name,) in self.rows(
                "SELECT event.event FROM outbox JOIN event ON event.seq = outbox.news ORDER BY outbox.id"
            )
        ]

    def queue(self) -> list[tuple[str, int]]:
        """Give the state of every row for providers, and whether it is withheld."""
        return self.rows("SELECT state, withheld FROM outbox WHERE kind = 'deliver' ORDER BY id")


def given(what: Prescription, *, seen: int = 1, to: OdsCode = NEXT) -> Reroute:
    message = replace(seal(what, provider=to, epoch=seen + 1), not_valid_after=MOMENT + timedelta(days=180))
    wanted = Wanted(to=to, people=("anna", "ben"), reason="the provider left the market")
    return Reroute(
        tenant=TRUST, seen=dict.fromkeys((one.id for one in what.lines), seen), message=message, wanted=wanted
    )


def revocation(what: Prescription, line: int = 0) -> Revocation:
    message: SealedMessage = replace(
        seal(what, salt=f"revocation{line}"), event=MessageEvent.UPDATE, line_ids=(what.lines[line].id,)
    )
    wanted = Wanted(to=NEXT, people=("anna", "ben"), reason="the provider left the market")
    return Revocation(tenant=TRUST, line_id=what.lines[line].id, epoch=1, message=message, wanted=wanted)


@pytest.fixture(params=sorted(ENGINES))
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Counter]:
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset({TRUST}), CUSTODY)
    desk = Counter(opened, clock)
    yield desk
    closing = opened.close()
    assert asyncio.iscoroutine(closing)
    await closing


# A re-route, and what was asked before it


async def test_a_change_that_waits_for_its_cancel_still_waits_at_another_provider(desk: Counter) -> None:
    old, new = make_prescription("A"), make_prescription("B")
    await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    assert await desk.reroute(new) == ()
    assert await desk.deliver(to=NEXT) == 0, "the old order may still be supplied"
    await desk.deliver()
    await desk.answer(update(old).id, E.CANCEL_CONFIRMED)
    assert await desk.deliver(to=NEXT) == 1


async def test_a_change_that_was_ruled_to_go_goes_to_another_provider_too(desk: Counter) -> None:
    old, new = make_prescription("A", total=1), make_prescription("B")
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    await desk.answer(message.id, E.DELIVERED)
    assert await desk.store.rule(desk.act(new), Ruling.SEND) == ()
    assert await desk.reroute(new) == ()
    assert await desk.deliver(to=NEXT) == 1


async def test_a_change_may_be_ruled_on_after_it_was_given_to_another_provider(desk: Counter) -> None:
    old, new = make_prescription("A", total=1), make_prescription("B")
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    assert await desk.reroute(new) == ()
    await desk.answer(message.id, E.DELIVERED)
    assert await desk.deliver(to=NEXT) == 0
    assert await desk.store.rule(desk.act(new), Ruling.SEND) == ()
    assert await desk.deliver(to=NEXT) == 1


async def test_a_hold_that_the_earlier_provider_never_answered_holds_the_order_before_the_next(desk: Counter) -> None:
    other = make_prescription("C")
    await desk.store.accept(make_acceptance("C", make_order(other)))
    sent = await desk.send()
    await desk.hold(other)
    await desk.store.record(sent, InDoubt(reason="cut"), now=desk.clock.now(), retry_at=None)
    await desk.store.ask_reroute(revocation(other))
    await desk.answer(revocation(other).message.id, E.CANCEL_CONFIRMED)  # type: ignore[union-attr]
    assert await desk.reroute(other) == ()
    assert await desk.states(other) == [S.ON_HOLD]
    assert await desk.deliver(to=NEXT) == 0
    assert desk.rows("SELECT count(*) FROM hold WHERE state = 'ASKED'") == [(0,)]
    assert desk.told()[-1] == "hold_confirmed"
    await desk.hold(other, HoldKind.RELEASE)
    assert await desk.deliver(to=NEXT) == 1


@pytest.mark.parametrize(
    ("begun", "days", "told"),
    [
        (False, 179, set()),
        (False, 181, {"released-expired"}),
        (True, 181, set()),
        (True, 183, {"released-expired"}),
    ],
)
async def test_a_released_line_may_begin_while_its_message_is_valid_and_goes_on_while_it_is_itself(
    desk: Counter,
    begun: bool,  # noqa: FBT001 - a row of the table
    days: int,
    told: set[str],
) -> None:
    what = make_prescription("A")  # its message is valid for 180 days, itself for 182
    order = await desk.accepted(what)
    if begun:
        await desk.answer(order.id, E.DELIVERED)
    for kind, answer in ((HoldKind.HOLD, E.HOLD_CONFIRMED), (HoldKind.RELEASE, E.RELEASE_CONFIRMED)):
        await desk.hold(what, kind)
        claim = await desk.send()
        await desk.store.record(claim, Taken(), now=desk.clock.now(), retry_at=None)
        if kind is HoldKind.RELEASE:
            desk.clock.move(days=days)
        await desk.answer(claim.message_id, answer)
    assert await desk.states(what) == [S.IN_SUPPLY if begun else S.ACCEPTED]
    assert set(await desk.alert_kinds()) == told


async def test_a_hold_of_one_line_of_a_message_that_goes_to_another_provider_is_told_to_a_person(desk: Counter) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    await desk.hold(what, lines=1)
    assert await desk.reroute(what) == ()
    assert await desk.states(what) == [S.READY, S.READY]
    assert desk.rows("SELECT state FROM hold") == [("OVERTAKEN",)]
    assert "hold-not-sent" in await desk.alert_kinds()


@pytest.mark.parametrize("end", ["cancelled", "expired", "closed"])
async def test_a_re_route_ends_with_its_line(desk: Counter, end: str) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.store.ask_reroute(revocation(what))
    if end == "cancelled":
        await desk.cancel(what, 0, CancelState.ASKED)
        await desk.answer(update(what).id, E.CANCEL_CONFIRMED)
    elif end == "expired":
        desk.clock.move(days=200)
        assert await expire_all(desk) == [True]
    else:
        await desk.answer(message.id, E.RETURNED)
        await desk.store.close_lines(desk.act(what))
    assert desk.rows("SELECT state FROM reroute") == [("OFF",)]
    assert await desk.deliver() == 0, "no revocation of what is at its end"


async def test_a_revocation_without_an_answer_is_told_though_its_line_moves_on(desk: Counter) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.store.ask_reroute(revocation(what))
    await desk.deliver()
    await desk.answer(message.id, E.VALIDATED)
    found = await desk.enquiries.overdue(now=desk.clock.move(hours=3))
    assert [one.asked for one in found] == ["reroute"]


# A request written for the earlier holder


async def test_a_cancel_written_for_the_earlier_holder_is_written_anew(desk: Counter) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    assert await desk.reroute(what) == ()
    request = CancelRequest(line_id=what.lines[0].id, seen=S.READY, state=CancelState.ASKED, message=update(what))
    with pytest.raises(OvertakenError):
        await desk.store.accept(replace(make_acceptance("C"), orders=(), cancels=(request,)))


async def test_a_hold_written_for_the_earlier_holder_is_written_anew(desk: Counter) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    known = await desk.store.known_lines(TRUST, [], items=[what.lines[0].id])
    (one,) = [holding.stands(HoldKind.HOLD, line, known, known, expired=False) for line in known]
    assert one.state is HoldState.ASKED
    assert await desk.reroute(what) == ()
    with pytest.raises(OvertakenError):
        await desk.store.accept(make_change("H", make_hold(one, what, "h")))


async def test_the_end_of_validity_is_not_told_to_an_earlier_holder(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    await desk.deliver(TryLater(reason="away"))
    desk.clock.move(days=200)
    assert await desk.reroute(what) == ()
    expiry = Expiry(key=1, line_id=what.lines[0].id, seen=S.READY, message=update(what))
    assert not await desk.store.expire(expiry, now=desk.clock.now())


# The end of validity, and what was asked before it


async def test_a_line_does_not_expire_when_a_cancel_came_after_it_was_looked_at(desk: Counter) -> None:
    old, new = make_prescription("A"), make_prescription("B")
    await desk.accepted(old)
    desk.clock.move(days=200)
    (found,) = await desk.enquiries.expiring(now=desk.clock.now())
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    expiry = Expiry(key=found.key, line_id=found.line_id, seen=found.state)
    assert not await desk.store.expire(expiry, now=desk.clock.now())
    assert await desk.states(old) == [S.ACCEPTED]


async def test_a_provider_that_was_told_too_late_to_cancel_is_rung_when_the_rest_expires(desk: Counter) -> None:
    what = make_prescription("A", total=3)
    message = await desk.accepted(what)
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.answer(update(what).id, E.CANCEL_TOO_LATE)
    await desk.answer(message.id, E.DELIVERED)
    desk.clock.move(days=200)
    notice = replace(update(what, name="expired"), not_valid_after=desk.clock.now() + timedelta(days=90))
    assert await expire_all(desk, notice) == [True]
    sent = await desk.deliver()
    assert sent == 2 or "cancel-not-sent" in await desk.alert_kinds()
    history = desk.rows("SELECT text FROM event WHERE event = 'validity_over'")
    assert sent == 2 or "is told" not in history[0][0]


async def test_what_is_on_hold_here_expires_without_a_word_to_a_provider(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    await desk.hold(what)
    assert await desk.states(what) == [S.ON_HOLD]
    desk.clock.move(days=200)
    (found,) = await desk.enquiries.expiring(now=desk.clock.now())
    assert found.holder is None
    assert await expire_all(desk, update(what)) == [True]
    assert await desk.deliver() == 0
    assert "cancel-not-sent" not in await desk.alert_kinds()


@pytest.mark.parametrize("held", [False, True])
async def test_a_cancel_of_one_line_is_confirmed_when_the_other_expires_and_nothing_left(
    desk: Counter, *, held: bool
) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    if held:
        await desk.hold(what)
    await desk.cancel_held(what, 0, CancelState.ASKED)
    desk.clock.move(days=200)
    assert await expire_all(desk) == [True]
    assert await desk.states(what) == [S.CANCELLED, S.EXPIRED]
    assert await desk.deliver() == 0, "the provider never had the order"
    assert set(desk.queue()) == {("done", 0)}
    assert "cancel" in desk.told() or "cancel_confirmed" in desk.told()


# A message of two lines that was not taken


@pytest.mark.parametrize("found", ["refused entry", "never arrived"])
async def test_a_cancel_of_one_line_does_not_keep_the_other_from_its_provider(desk: Counter, found: str) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.cancel(what, 0, CancelState.ASKED)
    now = desk.clock.now()
    if found == "refused entry":
        await desk.store.record(claim, TryLater(reason="busy"), now=now, retry_at=now)
    else:
        await desk.store.record(claim, InDoubt(reason="cut"), now=now, retry_at=None)
        await desk.store.resolve_doubt(what.id, found=Whereabouts.NEVER_ARRIVED, evidence="rang", by="a", now=now)
    assert await desk.deliver() == 1, "the order goes whole"
    assert (await desk.states(what))[1] is S.WITH_PROVIDER
    assert await desk.deliver() == 1, "and its cancel follows"
    await desk.answer(update(what).id, E.CANCEL_CONFIRMED)
    assert await desk.states(what) == [S.CANCELLED, S.WITH_PROVIDER]


@pytest.mark.parametrize("lines", [1, 2])
async def test_what_never_arrived_is_not_sent_again_without_its_cancel_though_that_was_sent(
    desk: Counter, lines: int
) -> None:
    what = make_prescription("A", lines=lines)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.cancel(what, 0, CancelState.ASKED)
    now = desk.clock.now()
    await desk.store.record(claim, InDoubt(reason="cut"), now=now, retry_at=None)
    assert await desk.deliver() == 1, "the cancel follows the order that may have arrived"
    await desk.store.resolve_doubt(what.id, found=Whereabouts.NEVER_ARRIVED, evidence="rang", by="a", now=now)
    if lines == 1:
        assert await desk.deliver() == 0, "nothing is sent that is to be cancelled"
        assert await desk.states(what) == [S.CANCELLED]
        assert "cancel" in desk.told()
    else:
        assert [await desk.deliver(), await desk.deliver()] == [1, 1], "the order whole, and its cancel behind it again"
        await desk.answer(update(what).id, E.CANCEL_CONFIRMED)
        assert await desk.states(what) == [S.CANCELLED, S.WITH_PROVIDER]


async def test_a_cancel_of_one_line_is_confirmed_when_the_order_is_given_up(desk: Counter) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.store.record(claim, TryLater(reason="busy"), now=desk.clock.now(), retry_at=None)
    assert await desk.states(what) == [S.CANCELLED, S.UNDELIVERABLE]
    assert await desk.deliver() == 0
    assert "cancel" in desk.told()


async def test_an_order_that_may_no_longer_leave_confirms_the_cancels_of_its_lines(desk: Counter) -> None:
    what = make_prescription("A", lines=2)
    await desk.store.accept(make_acceptance("A", make_order(what)))
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.cancel(what, 1, CancelState.ASKED)
    desk.clock.move(days=200)
    assert await desk.deliver() == 0
    assert await desk.deliver() == 0, "the provider never had what it would be asked to cancel"
    assert await desk.states(what) == [S.CANCELLED, S.CANCELLED]


# What the trust is told, and rows that nobody would look at again


async def test_the_trust_is_told_of_a_cancel_that_turned_out_never_to_have_left(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.cancel(what, 0, CancelState.ASKED)
    now = desk.clock.now()
    await desk.store.record(claim, TryLater(reason="busy"), now=now, retry_at=now)
    assert await desk.states(what) == [S.CANCELLED]
    assert desk.told() == ["cancel"]


async def test_a_message_is_not_withheld_for_a_line_that_a_provider_says_it_returned(desk: Counter) -> None:
    what = make_prescription("A")
    order = make_order(what)
    await desk.store.accept(make_acceptance("A", order))
    await desk.hold(what)
    assert order.message is not None
    await desk.answer(order.message.id, E.RETURNED)
    assert await desk.states(what) == [S.RETURNED]
    assert desk.rows("SELECT count(*) FROM outbox WHERE withheld = 1") == [(0,)]
    assert await desk.deliver() == 0
    assert desk.rows("SELECT count(*) FROM outbox WHERE kind = 'deliver' AND state = 'due'") == [(0,)]


async def test_the_trust_is_told_of_a_hold_that_turned_out_to_be_ours_to_make(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.hold(what)
    now = desk.clock.now()
    await desk.store.record(claim, TryLater(reason="busy"), now=now, retry_at=now)
    assert await desk.states(what) == [S.ON_HOLD]
    assert desk.told() == ["hold_confirmed"]


@pytest.mark.parametrize("event", [E.REJECTED, E.RETURNED])
async def test_the_trust_is_told_that_its_cancel_is_confirmed_by_an_order_given_back(
    desk: Counter, event: LineEvent
) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.answer(message.id, E.QUERIED)
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.answer(message.id, event)
    assert await desk.states(what) == [S.CANCELLED]
    assert desk.told()[-1] == "cancel_confirmed"


async def test_a_claimed_message_of_an_order_that_was_held_and_then_cancelled_is_settled(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    (claim,) = await desk.claim()
    await desk.hold(what)
    await desk.cancel_held(what, 0, CancelState.CONFIRMED)
    assert await desk.states(what) == [S.CANCELLED]
    assert not await desk.store.on_wire(claim, now=desk.clock.now())
    desk.clock.move(hours=1)
    await desk.store.recover(now=desk.clock.now(), recognises_repeats=frozenset())
    assert await desk.deliver() == 0
    assert desk.queue() == [("done", 0)]


async def test_a_new_order_that_is_dropped_takes_its_own_cancel_along(desk: Counter) -> None:
    old, new = make_prescription("A", total=1), make_prescription("B", lines=2)
    message = await desk.accepted(old)
    await desk.cancel(old, 0, CancelState.ASKED, by=new)
    await desk.cancel(new, 0, CancelState.ASKED)
    await desk.answer(message.id, E.DELIVERED)
    assert await desk.store.rule(desk.act(new), Ruling.DROP) == ()
    assert await desk.states(new) == [S.CANCELLED, S.CANCELLED]
    await desk.deliver()
    assert desk.rows("SELECT count(*) FROM cancel WHERE state = 'ASKED'") == [(0,)]
    sent = desk.rows("SELECT message_id FROM outbox JOIN attempt ON attempt.outbox = outbox.id")
    assert (update(new).id.bytes,) not in sent


# Deadlines


async def test_an_alert_of_another_matter_does_not_speak_for_a_deadline(desk: Counter) -> None:
    what = make_prescription("A")
    message = await desk.accepted(what)
    await desk.answer(message.id, E.RENEWAL_REQUESTED)
    assert await desk.alert_kinds() == ["renewal-requested"]
    found = await desk.enquiries.overdue(now=desk.clock.move(days=30))
    assert [(one.state, one.asked) for one in found] == [(S.ACCEPTED, "")]


async def test_an_earlier_overdue_alert_does_not_speak_for_a_cancel_asked_since(desk: Counter) -> None:
    what = make_prescription("A")
    await desk.accepted(what)
    line = what.lines[0].id
    now = desk.clock.move(days=30)
    await desk.store.open_alert(kind="overdue", subject=str(line), line_id=line, now=now, text="Late.")
    desk.clock.move(days=1)
    await desk.cancel(what, 0, CancelState.ASKED)
    found = await desk.enquiries.overdue(now=desk.clock.move(hours=3))
    assert [one.asked for one in found] == ["cancel"]


# Two answers that contradict each other


async def test_a_cancel_is_not_confirmed_by_us_when_the_provider_says_both_that_it_has_the_order_and_has_not(
    desk: Counter,
) -> None:
    what = make_prescription("A")
    await desk.store.accept(make_acceptance("A", make_order(what)))
    claim = await desk.send()
    await desk.cancel(what, 0, CancelState.ASKED)
    await desk.answer(claim.message_id, E.ACCEPTED)
    now = desk.clock.now()
    await desk.store.record(claim, TryLater(reason="busy"), now=now, retry_at=now)
    assert await desk.states(what) == [S.ACCEPTED]
    assert desk.rows("SELECT state FROM cancel") == [("ASKED",)]
    assert [await desk.deliver(), await desk.deliver()] == [0, 1], "not the order again, but its cancel"
