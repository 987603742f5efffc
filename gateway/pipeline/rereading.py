"""Reading held orders again from the bytes they came as, with the maps and tables of today.

One task an order. What comes clean is sealed and let go as if it had come today under its old name; what does not stays
held, with what is wrong now. A task ends in the one transaction that does what it says: a stop in between leaves it
waiting, and whoever comes next does it once.

Source: mapping.md 10.2 (HELD, map entry approved); brief D2, D3; console.md 6.8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import structlog

from gateway.domain.code_map import RereadState, entries_in
from gateway.domain.errors import Refusal, Unavailable
from gateway.domain.issue import Effect, Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Order, Outcome, Submission
from gateway.domain.validity import not_begun_after
from gateway.enquiries import Enquiries
from gateway.pipeline.accepting import MAKES_LINES, Accepting
from gateway.pipeline.bench import Bench
from gateway.pipeline.code_book import CodeBook
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import LONDON, read, translate
from gateway.pipeline.translation import TranslatedOrder, Translation
from gateway.ports.acceptance import KnownLine, OvertakenError
from gateway.ports.clock import Clock
from gateway.ports.code_maps import OrderAsTaken, Reread, RereadTask
from gateway.ports.sealer import Sealer
from gateway.ports.store import Store

_log = structlog.get_logger("gateway")

_LOOKS: Final = 5
_TRIES: Final = 3
_AT_ONCE: Final = 50
_HOLDS: Final = frozenset({Effect.HOLD_MAP, Effect.HOLD_SOURCE, Effect.REFUSE})
GONE: Final = "the order cannot be found in its message any more"
NO_TRUST: Final = "its trust is not configured"
EXPIRED: Final = "its prescription is no longer valid: a new one is needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a held order is understood as now.

    Attributes:
        translation: of its whole message; None where not even the envelope can be read.
        order: the one meant; None where it is not found.
        issues: everything that is wrong with it now.
    """

    translation: Translation | None
    order: TranslatedOrder | None
    issues: tuple[Issue, ...]

    @property
    def held_for(self) -> tuple[str, ...]:
        """The codes of what holds it, each once; none where it may go."""
        return tuple(dict.fromkeys(issue.code for issue in self.issues if issue.effect in _HOLDS))


def understand(taken: OrderAsTaken, around: Surroundings, known: Sequence[KnownLine], day: date) -> Understood:
    """Read a held order again. Pure.

    Args:
        taken: as it came.
        around: configuration and tables; its trusts may have an entry that is only proposed.
        known: what the trust has under the numbers that the message names.
        day: the London date whose entries count: today's, not that on which it came.
    """
    submission = taken.written.submission
    try:
        reading = read(submission, around, day)
    except Refusal as refusal:
        return Understood(translation=None, order=None, issues=refusal.issues)
    own = {line.line_id for line in taken.lines}
    translation = translate(submission, reading, [line for line in known if line.line_id not in own], around)
    order = _own(taken, translation)
    issues = (*reading.issues, *(order.verdict.issues if order else ()))
    return Understood(translation=translation, order=order, issues=tuple(dict.fromkeys(issues)))


async def known_lines_of(
    store: Store, submission: Submission, around: Surroundings, day: date
) -> tuple[KnownLine, ...]:
    """Look up what the trust has under everything a message names.

    Raises:
        Unavailable: the store is away.
    """
    try:
        orders = read(submission, around, day).orders
    except Refusal:
        return ()
    changes = [order.change for order in orders if order.change is not None]
    own = [number.trust_number for order in orders for number in order.numbers]
    return await store.known_lines(
        submission.tenant,
        [*own, *(number.trust_number for change in changes for number in change.orders)],
        [order.group_number for order in orders if order.change is None],
        items=[item for change in changes for item in change.items],
        prescriptions=[change.prescription_id for change in changes if change.prescription_id is not None],
    )


def _own(taken: OrderAsTaken, translation: Translation) -> TranslatedOrder | None:
    """Find the order meant among those of its message: by its id where it is whole, else by its numbers."""
    numbers = {(line.order_number, line.order_assigner) for line in taken.lines}
    for order in translation.orders:
        if order.order.action not in MAKES_LINES:
            continue
        if order.prescription is not None and order.prescription.id == taken.prescription_id:
            return order
        if numbers == _numbers(order.order):
            return order
    return None


def _numbers(order: Order) -> set[tuple[str, str]]:
    return {(number.trust_number, number.assigner) for number in order.numbers if number.order_control != "RP"}


class Rereading(Bench):
    """Works off what waits to be read again.

    Args:
        book: the entries that count; looked at anew before anything is read.
        store, enquiries, sealer, around, clock: see `Bench`.
    """

    def __init__(
        self,
        *,
        book: CodeBook,
        store: Store,
        enquiries: Enquiries,
        sealer: Sealer,
        around: Surroundings,
        clock: Clock,
    ) -> None:
        super().__init__(store=store, enquiries=enquiries, sealer=sealer, around=around, clock=clock)
        self._book = book

    async def work(self) -> int:
        """Read again what waits, oldest first; gives how many tasks ended.

        Raises:
            Unavailable: the store or the key is away; what did not end waits.
        """
        return sum([await self._one(task) for task in await self._enquiries.rereads_waiting(limit=_AT_ONCE)])

    async def _one(self, task: RereadTask) -> bool:
        try:
            state = await self.run(task)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - plug-in code, or a fault of ours: the order stays held and a person is told
            give_up = task.tries + 1 >= _TRIES
            _log.exception("reread_failed", task=task.number, tries=task.tries + 1)
            await self._store.reread_failed(task.number, now=self._clock.now(), give_up=give_up)
            return give_up
        _log.info("reread", task=task.number, state=state.value)
        return True

    async def run(self, task: RereadTask) -> RereadState:
        """Read one order again and end its task.

        Raises:
            Unavailable: the store or the key is away; the task waits.
        """
        await self._book.look(self._enquiries)  # the entry was there when its task was: now this node has it
        taken = await self._enquiries.order_as_taken(task.key)
        extra: tuple[Issue, ...] = ()
        for _ in range(_LOOKS):
            try:
                return await self._store.finish_reread(await self._reread(task, taken, extra))
            except OvertakenError:
                continue
            except Refusal as refusal:
                extra = refusal.issues
        raise Unavailable("what the order refers to moves faster than it can be read")

    async def _reread(self, task: RereadTask, taken: OrderAsTaken, extra: tuple[Issue, ...]) -> Reread:
        now = self._clock.now()
        if taken.written.submission.tenant not in self._around.trusts:
            return Reread(task=task.number, order=None, outcome=NO_TRUST, now=now)
        day = now.astimezone(LONDON).date()
        known = await known_lines_of(self._store, taken.written.submission, self._around, day)
        understood = understand(taken, self._around, known, day)
        order, translation = understood.order, understood.translation
        if order is None or translation is None:
            why = ", ".join(understood.held_for) or GONE
            return Reread(task=task.number, order=None, outcome=why, now=now)
        prescription = order.prescription
        if extra or (prescription and not_begun_after(prescription, self._around.reference.products) < now):
            order = _kept_back(order, extra)
        accepting = Accepting(self._sealer, self._around)
        submission, envelope = taken.written.submission, translation.envelope
        accepted = accepting.accepted(submission, envelope, order)
        goes = accepted.state is not LineState.HELD
        cancels = [one for one in order.cancels if not one.repeated] if goes else []
        return Reread(
            task=task.number,
            order=accepted,
            cancels=tuple(accepting.cancel(submission, envelope, order, one) for one in cancels),
            outcome="" if goes else ", ".join((*understood.held_for, *(issue.code for issue in extra))) or EXPIRED,
            entries=entries_in(order.trace) if goes else (),
            now=now,
        )


def _kept_back(order: TranslatedOrder, extra: tuple[Issue, ...]) -> TranslatedOrder:
    """Give an order that reads clean and must not go all the same: understood, unsealed, held."""
    verdict = replace(order.verdict, outcome=Outcome.HELD, issues=(*order.verdict.issues, *extra))
    return replace(order, verdict=verdict, message=None, cancels=())
