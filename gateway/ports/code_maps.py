"""Codes that nobody has mapped, entries that two people approved, and held orders read again: what the store promises.

Source: mapping.md 5 and 10.2 (HELD); brief D12; console.md 6.8.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.code_map import ApprovedEntry, RereadState, UnknownCode
from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.reroute import WrittenOrder
from gateway.ports.acceptance import AcceptedOrder, CancelRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCode:
    """A code that is not known, with how often it was met.

    Attributes:
        code_id: opaque name, for addresses.
        seen: in how many orders, since `first_seen`.
        waiting: how many lines are held now in orders with this code.
        entry: what it was given to mean, where that counts now.
    """

    code_id: UUID
    trust: OdsCode
    unknown: UnknownCode
    seen: int
    first_seen: datetime
    last_seen: datetime
    waiting: int
    entry: ApprovedEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOrder:
    """One order that is held, of those in which a code was met.

    Attributes:
        key: the store's own name for it.
        patient: NHS number, by which earlier deliveries are found; empty where it could not be read.
    """

    key: int
    prescription_id: UUID
    received_at: datetime
    lines: int
    state: LineState
    patient: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Orders in which a code was met, some of them; `total` says how many there are."""

    total: int
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One line of an order that may be read again."""

    line_id: UUID
    order_number: str
    order_assigner: str
    state: LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAsTaken:
    """An order as it was taken, with everything that reading it again needs.

    Attributes:
        issues: what was wrong with it when it was last read.
    """

    key: int
    prescription_id: UUID
    written: WrittenOrder
    lines: tuple[HeldLine, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadTask:
    """One held order that waits to be read again.

    Attributes:
        number: of the task.
        key: of the order.
        entry: number of the entry that gave rise to it; None where a person asked.
        asked_by: short names of who approved or asked.
        tries: how often it was begun and failed through a fault of ours.
    """

    number: int
    key: int
    entry: int | None
    asked_by: str
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadView:
    """What became of the reading again of one order.

    Attributes:
        outcome: in words or codes; never patient data.
        entry: number of the entry that gave rise to it; None where a person asked.
    """

    number: int
    prescription_id: UUID
    entry: int | None
    asked_by: str
    asked_at: datetime
    state: RereadState
    ended_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a second person agrees to: one code of one trust, and what it means from now on.

    Attributes:
        proposal: the one that is agreed to; it settles in the same transaction.
        target: what the code means.
        by: short name of the second person.
    """

    proposal: UUID
    trust: OdsCode
    unknown: UnknownCode
    target: Coding
    by: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What came of reading a held order again.

    Attributes:
        order: as it is understood now, to be let go or held; None where it could not be read at all.
        cancels: of what it replaces, applied first.
        outcome: why it is still held, in codes; empty where it is let go.
        entries: versions of approved entries that it was read by; another set by now is `OvertakenError`.
    """

    task: int
    order: AcceptedOrder | None
    cancels: tuple[CancelRequest, ...] = ()
    outcome: str = ""
    entries: tuple[str, ...] = ()
    now: datetime


class CodeMapReads(Protocol):
    """What is known of codes; `tenant` narrows it as everywhere: None sees all."""

    async def held_codes(self, *, tenant: OdsCode | None) -> tuple[HeldCode, ...]:
        """Give the codes for which a line is held now and which no entry settles, most lines first, at most 500."""

    async def held_code(self, code_id: UUID, *, tenant: OdsCode | None) -> HeldCode | None:
        """Give one code that was ever met; None also where it is not the tenant's (I9)."""

    async def waiting_orders(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[WaitingOrder, ...]:
        """Give the orders with a code that are held now, oldest first, at most 500."""

    async def touched(
        self, code_id: UUID, *, tenant: OdsCode | None, since: datetime, limit: int, offset: int = 0
    ) -> Touched:
        """Give the orders in which a code was met since a moment, newest first."""

    async def order_as_taken(self, key: int) -> OrderAsTaken:
        """Give an order with its bytes and lines; `KeyError` if there is no such one."""

    async def approved_entries(self) -> tuple[ApprovedEntry, ...]:
        """Give every entry that counts now, of every trust, oldest first."""

    async def entries_of(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[ApprovedEntry, ...]:
        """Give every entry there ever was for a code, newest first."""

    async def entries_version(self) -> tuple[int, int]:
        """Give two counts that change whenever an entry is approved or taken back."""

    async def rereads_waiting(self, *, limit: int) -> tuple[RereadTask, ...]:
        """Give orders that wait to be read again, oldest first."""

    async def rereads_of(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[RereadView, ...]:
        """Give what became of reading again the orders in which a code was met, newest first, at most 500."""


class CodeMapWrites(Protocol):
    """One transaction each; durable on return, and audited with the person's short name."""

    async def approve_entry(self, approval: Approval) -> ApprovedEntry | tuple[str, ...]:
        """Second a proposal, write the entry, and put every order that waits for it down to be read again.

        Returns:
            The entry; or why nothing was done, in words.
        """

    async def withdraw_entry(
        self, number: int, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """Take an entry back: what was read by it stays. Gives why not, in words; empty when it no longer counts."""

    async def ask_reread(self, code_id: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime) -> int:
        """Put the held orders with a code down to be read again, as after new tables; gives how many."""

    async def finish_reread(self, reread: Reread) -> RereadState:
        """Let a held order go as it is understood now, or keep it held with what is wrong now, and end its task.

        A task that has ended is left as it is: the same may be asked by several, and again after a stop.

        Returns:
            Where the task stands.

        Raises:
            OvertakenError: an entry it was read by was taken back, or a line it replaces moved; read it once more.
            Refusal: a number in it was taken by another order.
        """

    async def reread_failed(self, task: int, *, now: datetime, give_up: bool) -> None:
        """Note that reading an order again failed through a fault of ours; after the last try a person is told."""
