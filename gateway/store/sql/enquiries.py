"""Reads, on whichever engine answers; no question waits for a write.

`tenant` narrows every question: a trust sees its own prescriptions, a provider its lines (`seeing`), None all (I9).
The statements do that by themselves; an engine that has a second lock is told whose question it is.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from gateway.domain.acts import Expiring, Screened
from gateway.domain.books import DayList, Ledger, Listed, Side
from gateway.domain.identifiers import OdsCode
from gateway.domain.node import NodeSeen
from gateway.domain.orphans import Standing
from gateway.domain.proposal import ProposalView
from gateway.domain.provider_health import Pulse
from gateway.domain.reroute import HeldPrescription, WrittenOrder
from gateway.enquiries import MOST_OVERDUE, AlertView, Found, LegalHold, Overdue, PauseView, PrescriptionView, Waiting
from gateway.ports.audit_trail import AuditList, AuditWanted, Busy, LeafHashes
from gateway.ports.board import Backlog, Counted, Figure, ItemsWanted, ItemView, Standings
from gateway.ports.changes import Moved
from gateway.ports.dossier import Dossier, LeafFacts
from gateway.ports.inspection import Below, MessageId, MessageList, MessageRow, MessageView, Wanted
from gateway.ports.looking_up import Hits, Key, NamedHits, NameSought, OwnMessage, RefusedMessage
from gateway.ports.work import News
from gateway.store.sql import (
    audit_trail,
    board,
    books,
    changes,
    clock,
    counting,
    desk,
    finding,
    holdings,
    inspected,
    inspecting,
    ledger,
    legal_holds,
    lookup,
    nodes,
    pauses,
    proposals,
    standing,
    telling,
    viewing,
    watching,
)
from gateway.store.sql import checkup as checkups
from gateway.store.sql import dossier as dossiers
from gateway.store.sql.attention_store import AttentionAnswers
from gateway.store.sql.code_map_store import CodeMapAnswers
from gateway.store.sql.escalating_store import NoticeAnswers
from gateway.store.sql.filters import FilterAnswers
from gateway.store.sql.outages import OutageAnswers
from gateway.store.sql.people_store import PeopleAnswers
from gateway.store.sql.screening import ScreeningAnswers
from gateway.store.sql.sessions_store import SessionAnswers
from gateway.store.sql.stated import StatedAnswers
from gateway.store.sql.transaction import Reader

T = TypeVar("T")


class Readers(Protocol):
    """An engine's reading connections."""

    async def ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question in one transaction, so that the parts of its answer agree.

        Args:
            question: run on a thread of its own; reads, and nothing else.
            tenant: whose question it is; None for the gateway's own, which may see everything.

        Raises:
            Unavailable: the store cannot be read.
        """

    async def ready(self) -> dict[str, str]:
        """Give the settings in force that durability rests on, the generation and the leaves.

        Raises:
            Unavailable: one of them is wrong, the schema is not this version's, or the store cannot be read.
        """

    async def close(self) -> None:
        """Finish what was asked and let go."""


class SqlEnquiries(
    StatedAnswers,
    AttentionAnswers,
    CodeMapAnswers,
    FilterAnswers,
    NoticeAnswers,
    OutageAnswers,
    PeopleAnswers,
    ScreeningAnswers,
    SessionAnswers,
):
    """Questions to one store."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._counting = books.Counting()

    async def search(
        self, *, tenant: OdsCode | None, nhs_number: str = "", number: str = "", order_number: str = ""
    ) -> tuple[Found, ...]:
        """See `gateway.enquiries.Enquiries`.

        Raises:
            ValueError: not exactly one of the three is given.
        """
        given = [bool(nhs_number), bool(number), bool(order_number)]
        if sum(given) != 1:
            raise ValueError("search by exactly one thing")
        return await self._ask(
            lambda reader: finding.search(
                reader, tenant=tenant, nhs_number=nhs_number, number=number, order_number=order_number
            ),
            tenant,
        )

    async def latest(self, *, tenant: OdsCode | None, limit: int) -> tuple[Found, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: finding.latest(reader, tenant=tenant, limit=limit), tenant)

    async def on_its_way(self, *, provider: OdsCode, limit: int) -> tuple[Found, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: finding.on_its_way(reader, provider=provider, limit=limit))

    async def prescription(self, prescription_id: UUID, *, tenant: OdsCode | None) -> PrescriptionView | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: viewing.prescription(reader, prescription_id, tenant=tenant), tenant)

    async def dossier(
        self, prescription_id: UUID, *, tenant: OdsCode | None
    ) -> tuple[PrescriptionView, Dossier] | None:
        """See `gateway.enquiries.Enquiries`; a tenant that may not see it is refused under the second lock too."""
        if tenant is not None:
            seen = await self._ask(lambda reader: finding.visible(reader, prescription_id, tenant), tenant)
            if seen is None:
                return None
        return await self._ask(lambda reader: dossiers.dossier(reader, prescription_id, tenant=tenant))

    async def answer_octets(self, row: int) -> bytes | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: dossiers.answer_octets(reader, row))

    async def leaf_of(self, event: int) -> LeafFacts | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: dossiers.leaf_of(reader, event))

    async def look_up(self, key: Key, value: str, *, tenant: OdsCode | None) -> Hits:
        """See `gateway.ports.looking_up.LookingUp`."""
        of = await self._ask(lookup.trusts) if key is Key.CONTROL_ID else ()
        return await self._ask(lambda reader: lookup.look_up(reader, key, value, tenant=tenant, of=of), tenant)

    async def by_name(self, sought: NameSought, *, tenant: OdsCode | None) -> NamedHits:
        """See `gateway.ports.looking_up.LookingUp`."""
        return await self._ask(lambda reader: lookup.by_name(reader, sought, tenant=tenant), tenant)

    async def refused(self, value: str, *, tenant: OdsCode | None) -> tuple[RefusedMessage, ...]:
        """See `gateway.ports.looking_up.LookingUp`."""
        return await self._ask(lambda reader: lookup.refused(reader, value, tenant=tenant), tenant)

    async def own_messages(self, control_id: str, *, tenant: OdsCode) -> tuple[OwnMessage, ...]:
        """See `gateway.ports.looking_up.LookingUp`."""
        return await self._ask(lambda reader: lookup.own_messages(reader, control_id, tenant=tenant), tenant)

    async def ever_had(self, provider: OdsCode) -> bool:
        """See `gateway.ports.looking_up.LookingUp`."""
        return await self._ask(lambda reader: lookup.ever_had(reader, provider))

    async def by_control_id(self, control_id: str, *, tenant: OdsCode) -> tuple[Found, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: finding.by_control_id(reader, control_id, tenant=tenant), tenant)

    async def news(self, seq: int) -> News:
        """See `gateway.enquiries.Enquiries`.

        Raises:
            KeyError: there is no such event.
        """
        return await self._ask(lambda reader: telling.news(reader, seq))

    async def overdue(
        self, *, now: datetime, after: Overdue | None = None, limit: int = MOST_OVERDUE
    ) -> tuple[Overdue, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: watching.overdue(reader, now=now, after=after, limit=limit))

    async def held(
        self,
        *,
        prescription_id: UUID | None = None,
        provider: OdsCode | None = None,
        tenant: OdsCode | None = None,
        movable: bool = False,
        most: int = holdings.EVERY,
    ) -> tuple[HeldPrescription, ...]:
        """See `gateway.enquiries.Enquiries`.

        Raises:
            ValueError: not exactly one of the two is given.
        """
        if prescription_id is not None and provider is None:
            return await self._ask(lambda reader: holdings.of_prescription(reader.execute, prescription_id))
        if provider is not None and prescription_id is None:
            return await self._ask(
                lambda reader: holdings.of_provider(reader.execute, provider, tenant=tenant, movable=movable, most=most)
            )
        raise ValueError("ask by exactly one thing")

    async def proposals(self, *, tenant: OdsCode | None, now: datetime, limit: int = 100) -> tuple[ProposalView, ...]:
        """See `gateway.ports.proposals.ProposalReads`."""
        return await self._ask(lambda reader: proposals.waiting(reader, tenant=tenant, now=now, limit=limit), tenant)

    async def proposal(self, proposal: UUID, *, tenant: OdsCode | None, now: datetime) -> ProposalView | None:
        """See `gateway.ports.proposals.ProposalReads`."""
        return await self._ask(lambda reader: proposals.one(reader, proposal, tenant=tenant, now=now), tenant)

    async def proposals_of(
        self, kind: str, subject: str, *, tenant: OdsCode | None, now: datetime
    ) -> tuple[ProposalView, ...]:
        """See `gateway.ports.proposals.ProposalReads`."""
        return await self._ask(
            lambda reader: proposals.of_subject(reader, kind, subject, tenant=tenant, now=now), tenant
        )

    async def revoked(self) -> tuple[HeldPrescription, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: holdings.revoked(reader.execute))

    async def screened(self, prescription_id: UUID, *, tenant: OdsCode | None = None) -> Screened | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: desk.screened(reader.execute, prescription_id, tenant))

    async def expiring(self, *, now: datetime) -> tuple[Expiring, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: clock.expiring(reader.execute, now=now))

    async def standing(self) -> tuple[Standing, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(standing.standing)

    async def configuration_in_force(self) -> tuple[str, str, datetime] | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(standing.in_force)

    async def written(self, key: int) -> WrittenOrder:
        """See `gateway.enquiries.Enquiries`.

        Raises:
            KeyError: there is no such prescription.
        """
        return await self._ask(lambda reader: holdings.written(reader.execute, key))

    async def open_alerts(self, *, tenant: OdsCode | None, limit: int) -> tuple[AlertView, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: watching.open_alerts(reader, tenant=tenant, limit=limit), tenant)

    async def last_beat(self, name: str) -> datetime | None:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: watching.last_beat(reader, name))

    async def changes(self, *, since: int, limit: int) -> Moved:
        """See `gateway.ports.changes.Changes`."""
        return await self._ask(lambda reader: changes.since(reader, seq=since, limit=limit))

    async def newest_change(self) -> int:
        """See `gateway.ports.changes.Changes`."""
        return await self._ask(changes.newest)

    async def to_count(self, *, limit: int) -> Counted:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(lambda reader: counting.to_count(reader, limit=limit))

    async def counted(self) -> Standings:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(board.counted)

    async def figures(self, *, tenant: OdsCode | None, first: date, last: date) -> tuple[Figure, ...]:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(lambda reader: board.figures(reader, tenant=tenant, first=first, last=last), tenant)

    async def pulses(self) -> Mapping[OdsCode, Pulse]:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(counting.pulses_of)

    async def backlog(self, *, tenant: OdsCode | None) -> Mapping[OdsCode, Backlog]:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(lambda reader: board.backlog(reader, tenant=tenant), tenant)

    async def items(self, wanted: ItemsWanted, *, tenant: OdsCode | None) -> tuple[ItemView, ...]:
        """See `gateway.ports.board.BoardReads`."""
        return await self._ask(lambda reader: board.items(reader, wanted, tenant=tenant), tenant)

    async def pauses(self) -> tuple[PauseView, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(pauses.open_pauses)

    async def legal_holds(self) -> tuple[LegalHold, ...]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(legal_holds.in_force)

    async def nodes(self) -> tuple[NodeSeen, ...]:
        """Give every node that runs on the store or ended without a word, the oldest first.

        Raises:
            Unavailable: the store cannot be read.
        """
        return await self._ask(nodes.nodes)

    async def waiting(self) -> Waiting:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(watching.waiting)

    async def books(self) -> dict[str, int]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(self._counting.count)

    async def ledger(self, *, day: date | None, now: datetime) -> Ledger:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: ledger.ledger(reader, day=day, now=now))

    async def listed(self, party: OdsCode, *, side: Side, day: date) -> DayList:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: ledger.listed(reader, party, side=side, day=day))

    async def listed_as(self, party: OdsCode, *, side: Side, names: Sequence[str]) -> Mapping[tuple[str, int], Listed]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._ask(lambda reader: ledger.known(reader, party, side=side, names=names))

    async def messages(
        self, *, tenant: OdsCode | None, wanted: Wanted, below: Below | None = None, limit: int = 50
    ) -> MessageList:
        """See `gateway.ports.inspection.Inspection`."""
        return await self._ask(
            lambda reader: inspecting.messages(reader, tenant=tenant, wanted=wanted, below=below, limit=limit), tenant
        )

    async def message(self, message_id: MessageId, *, tenant: OdsCode | None) -> MessageView | None:
        """See `gateway.ports.inspection.Inspection`."""
        return await self._ask(lambda reader: inspected.message(reader, message_id, tenant=tenant), tenant)

    async def messages_named(self, text: str, *, tenant: OdsCode | None) -> tuple[MessageRow, ...]:
        """See `gateway.ports.inspection.Inspection`."""
        return await self._ask(lambda reader: inspecting.named(reader, text, tenant=tenant), tenant)

    async def configurations(self) -> tuple[tuple[str, datetime], ...]:
        """See `gateway.ports.inspection.Inspection`."""
        return await self._ask(inspecting.configurations)

    async def trail(
        self, *, tenant: OdsCode | None, wanted: AuditWanted, below: int | None = None, limit: int = 50
    ) -> AuditList:
        """See `gateway.ports.audit_trail.AuditTrail`."""
        return await self._ask(
            lambda reader: audit_trail.trail(reader, tenant=tenant, wanted=wanted, below=below, limit=limit)
        )

    async def busy(self, *, tenant: OdsCode | None, since: datetime, patients: int) -> tuple[Busy, ...]:
        """See `gateway.ports.audit_trail.AuditTrail`."""
        return await self._ask(lambda reader: audit_trail.busy(reader, tenant=tenant, since=since, patients=patients))

    async def leaf_count(self) -> int:
        """See `gateway.ports.audit_trail.AuditTrail`."""
        return await self._ask(audit_trail.size)

    async def leaf_hashes(self, *, after: int, most: int) -> LeafHashes:
        """See `gateway.ports.audit_trail.AuditTrail`."""
        return await self._ask(lambda reader: audit_trail.hashes(reader, after=after, most=most))

    async def ready(self) -> dict[str, str]:
        """See `gateway.enquiries.Enquiries`."""
        return await self._readers.ready()

    async def checkup(self, *, now: datetime) -> checkups.Checkup:
        """Read how the store stands, for figures that are published; raises `Unavailable`."""
        return await self._ask(lambda reader: checkups.read(reader, now=now))

    async def close(self) -> None:
        """Finish what was asked and let go."""
        await self._readers.close()

    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        return await self._readers.ask(question, tenant)
