"""A cancel, a hold or a release that a person asks at the console: judged, written, sealed and committed.

It goes the way of the trust's own message: the same judgement of each line, the same update to its provider, the same
fences in the store. Nothing is cancelled or held because it was asked: only what never left, or what its provider
confirms (I7). Lines that are not as the person saw them are left alone, all of them.

Source: mapping.md 10.2 and 10.3; reliability-security.md I7, I16; console.md 6.3, 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.asking import Answered, AskedFor, LineAnswer, Moved, Seen, Wish
from gateway.domain.cancel import CancelState
from gateway.domain.errors import Unavailable
from gateway.domain.hold import HoldKind, HoldState, beneath
from gateway.domain.lifecycle import TERMINAL
from gateway.domain.message import SealedMessage
from gateway.domain.partner import Provider
from gateway.domain.reroute import WrittenOrder
from gateway.domain.submission import Change
from gateway.domain.validity import not_valid_after
from gateway.pipeline import holding
from gateway.pipeline.bench import Bench
from gateway.pipeline.changes import repeated, stands, unreachable, why_late
from gateway.pipeline.holding import LineHold
from gateway.pipeline.sealing import CANCEL_LASTS, FIRST_EPOCH, seal_facts
from gateway.pipeline.surroundings import faults_of
from gateway.pipeline.withdrawing import Withdrawal, seal_withdrawal
from gateway.ports.acceptance import CancelRequest, HoldRequest, KnownLine, OvertakenError
from gateway.ports.asking import PersonsRequest
from gateway.translate.cancel_reasons import reason_of
from gateway.translate.to_fhir.hold import Held, write_hold

_LOOKS: Final = 5
"""How often lines are looked at anew that moved, and moved back, between the look and the commit."""
_KINDS: Final = {AskedFor.HOLD: HoldKind.HOLD, AskedFor.RELEASE: HoldKind.RELEASE}
_UNSETTLED: Final = frozenset({CancelState.ASKED, CancelState.PENDING})
_RING_CANCEL: Final = "No message can carry the cancel to the provider. Not cancelled: ring them."
_NO_HOLDS: Final = "The provider's system takes no holds and releases from here: ring them."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What is to be stored of one line, if anything, and what the person is told of it."""

    answer: LineAnswer
    cancel: CancelRequest | None = None
    hold: HoldRequest | None = None


class Asking(Bench):
    """What a person asks of the lines of a prescription, in the name of its trust."""

    async def foresee(self, wish: Wish) -> tuple[LineAnswer, ...] | Moved:
        """Say what would come of it. Nothing is asked of anybody, and nothing written.

        Raises:
            Unavailable: the store cannot be read, or the key is away.
        """
        known = await self._known(wish)
        moved = _moved(wish, known, self._clock.now())
        if moved is not None:
            return moved
        return tuple(one.answer for one in await self._judge(wish, known) if one.answer.line_id in wish.lines)

    async def ask(self, wish: Wish) -> tuple[LineAnswer, ...] | Moved:
        """Do it: at once where nothing of a line has left, else by asking its provider.

        Returns:
            What came of it for each line; or, where a line is not as it was seen, how they stand: nothing was done.

        Raises:
            Unavailable: the store or the key is away; nothing was stored.
        """
        for _ in range(_LOOKS):
            known = await self._known(wish)
            moved = _moved(wish, known, self._clock.now())
            if moved is not None:
                return moved
            judged = await self._judge(wish, known)
            cancels = tuple(one.cancel for one in judged if one.cancel is not None)
            holds = tuple(one.hold for one in judged if one.hold is not None)
            try:
                if cancels or holds:
                    now = self._clock.now()
                    await self._store.ask(PersonsRequest(wish=wish, cancels=cancels, holds=holds, now=now))
            except OvertakenError:
                continue
            return tuple(one.answer for one in judged if one.answer.line_id in wish.lines)
        raise Unavailable("the lines moved each time they were looked at; nothing was done")

    async def _known(self, wish: Wish) -> tuple[KnownLine, ...]:
        """Give every line of the prescription, and changes of its orders that are held here."""
        own = await self._store.known_lines(wish.tenant, [], prescriptions=[wish.prescription_id])
        numbers = [line.order_number for line in own if line.line_id in wish.lines and line.order_number]
        same = await self._store.known_lines(wish.tenant, numbers) if numbers else ()
        ids = {line.line_id for line in own}
        held = [line for line in same if line.proposed and line.state not in TERMINAL and line.line_id not in ids]
        return (*own, *held)

    async def _judge(self, wish: Wish, known: Sequence[KnownLine]) -> list[_Judged]:
        written = {held.tenant: held.key for held in await self._enquiries.held(prescription_id=wish.prescription_id)}
        key = written.get(wish.tenant)  # another trust may use the same id
        order = await self._enquiries.written(key) if key is not None else None
        meant = [line for line in known if line.line_id in wish.lines]
        if wish.what is AskedFor.CANCEL:
            beside = [line for line in known if line.prescription_id != wish.prescription_id]
            return [self._cancel(wish, line, (*meant, *beside), order) for line in (*meant, *beside)]
        return [self._hold(wish, line, meant, known, order) for line in meant]

    def _cancel(
        self, wish: Wish, line: KnownLine, selected: Sequence[KnownLine], order: WrittenOrder | None
    ) -> _Judged:
        state = stands(line, selected)
        if line.state in TERMINAL or state is CancelState.TOO_LATE:
            return _told(line, Answered.NOT_POSSIBLE, why_late(line))
        if repeated(line):
            return _told(line, Answered.BEFORE)
        message = self._withdrawal(wish, line, order) if state in _UNSETTLED else None
        request = CancelRequest(
            line_id=line.line_id,
            seen=beneath(line.state, line.before),
            state=state,
            reason_code=wish.reason_code,
            reason=wish.reason,
            message=message,
            elsewhere=unreachable(line),
        )
        if state is CancelState.CONFIRMED:
            return _Judged(answer=_answer(line, Answered.DONE), cancel=request)
        told = _answer(line, Answered.ASKED) if message else _answer(line, Answered.RING, _RING_CANCEL)
        return _Judged(answer=told, cancel=request)

    def _withdrawal(self, wish: Wish, line: KnownLine, order: WrittenOrder | None) -> SealedMessage | None:
        """Write and seal what asks the holder to cancel; None where it cannot be told."""
        provider = self._holder(line)
        if order is None or line.prescription is None or provider is None or line.message_id is None:
            return None
        if unreachable(line):
            return None
        order = replace(order, prescription=line.prescription)
        now = self._clock.now()
        withdrawal = Withdrawal(
            line_id=line.line_id,
            order_message=line.message_id,
            epoch=max(line.epoch, FIRST_EPOCH),
            name=f"console cancel {now.isoformat()}",
            why=wish.reason,
            reason=reason_of(wish.reason_code),
            not_valid_after=max(not_valid_after(line.prescription), now + CANCEL_LASTS),
        )
        return seal_withdrawal(withdrawal, written=order, provider=provider, around=self._around, sealer=self._sealer)

    def _hold(
        self,
        wish: Wish,
        line: KnownLine,
        selected: Sequence[KnownLine],
        known: Sequence[KnownLine],
        order: WrittenOrder | None,
    ) -> _Judged:
        now, kind = self._clock.now(), _KINDS[wish.what]
        over = line.prescription is not None and not_valid_after(line.prescription) < now
        one = holding.stands(kind, line, selected, known, expired=over)
        if one.state is HoldState.REFUSED:
            return _told(line, Answered.NOT_POSSIBLE, one.why)
        if one.repeated:
            return _told(line, Answered.BEFORE)
        message = self._update(wish, one, order, now) if one.state is HoldState.ASKED else None
        if one.state is HoldState.ASKED and message is None:
            return _told(line, Answered.NOT_POSSIBLE, _NO_HOLDS)
        request = HoldRequest(
            line_id=line.line_id,
            kind=kind,
            seen=line.state,
            beneath=one.beneath,
            open_request=line.hold,
            state=one.state,
            reason=wish.reason,
            message=message,
        )
        what = Answered.DONE if one.state is HoldState.CONFIRMED else Answered.ASKED
        return _Judged(answer=_answer(line, what), hold=request)

    def _update(self, wish: Wish, one: LineHold, order: WrittenOrder | None, now: datetime) -> SealedMessage | None:
        """Write and seal what asks the holder to hold or release; None where it takes no such message."""
        line, provider = one.line, self._holder(one.line)
        if order is None or line.prescription is None or provider is None or line.message_id is None:
            return None
        if not self._around.destinations[provider.ods].promises.holds:
            return None
        named = replace(order.envelope, control_id=f"console {one.kind} {now.isoformat()}")
        held = Held(
            prescription=line.prescription,
            line_id=line.line_id,
            order_message=line.message_id,
            change=Change(reason_text=wish.reason),
            kind=one.kind,
        )
        message = write_hold(
            held,
            submission=order.submission,
            envelope=named,
            provider=provider,
            environment=self._around.environment,
            organisation=self._around.organisation,
            reference_release=self._around.reference.release,
        )
        if faults_of(message, self._around):
            return None
        latest = not_valid_after(line.prescription)
        facts = replace(
            seal_facts(order.submission, named, line.prescription, self._around),
            epoch=max(line.epoch, FIRST_EPOCH),
            not_valid_after=max(latest, now + CANCEL_LASTS) if one.kind is HoldKind.HOLD else latest,
            signature_format="",
            signature_digest="",
            signature_verdict=one.kind.value,
        )
        return self._sealer.seal(message, facts)

    def _holder(self, line: KnownLine) -> Provider | None:
        return self._around.routing.providers.get(line.destination) if line.destination else None


def _answer(line: KnownLine, what: Answered, why: str = "") -> LineAnswer:
    return LineAnswer(line_id=line.line_id, what=what, state=line.state, why=why)


def _told(line: KnownLine, what: Answered, why: str = "") -> _Judged:
    return _Judged(answer=_answer(line, what, why))


def _moved(wish: Wish, known: Sequence[KnownLine], now: datetime) -> Moved | None:
    """Tell how the lines stand where one of them is not as it was seen."""
    found: Mapping[UUID, Seen] = {
        line.line_id: Seen(state=line.state, epoch=line.epoch) for line in known if line.line_id in wish.lines
    }
    return None if found == dict(wish.lines) else Moved(lines=found, at=now)
