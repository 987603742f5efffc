"""The store that the pipeline and the worker write to, on whichever engine its transaction runs.

Source: brief D3, D4; gateway.ports.store says what each method promises.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from gateway.destination import TransmitOutcome
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.acts import Act, Expiry, Rescue, Ruling, Turned
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage
from gateway.domain.node import Node
from gateway.domain.proposal import Proposal
from gateway.domain.reconciliation import Reconciled, Statement
from gateway.domain.renewal import LEAD_TIME, RenewalEvent
from gateway.domain.reroute import Reroute, Revocation
from gateway.domain.submission import Answer, Submission
from gateway.ports.acceptance import Acceptance, KnownLine, Refused, StoredAnswer
from gateway.ports.asking import PersonsRequest
from gateway.ports.board import Counted
from gateway.ports.callback import Callback, CallbackResult
from gateway.ports.work import BY_OPERATOR, Claim, Whereabouts
from gateway.store.committer import Committer
from gateway.store.sql import (
    accept,
    acknowledge,
    alerts,
    asking,
    claims,
    clock,
    counting,
    desk,
    giving_up,
    keep,
    known,
    leaves,
    legal_holds,
    lost_messages,
    nodes,
    pauses,
    proposals,
    reconciling,
    renewals,
    rerouting,
    rescuing,
    resending,
    resolving,
    results,
    standing,
    watching,
)
from gateway.store.sql.again import AgainActs
from gateway.store.sql.attention_store import AttentionActs
from gateway.store.sql.code_map_store import CodeMapActs
from gateway.store.sql.escalating_store import NoticeActs
from gateway.store.sql.filters import FilterActs
from gateway.store.sql.lead_times import LeadTimeActs
from gateway.store.sql.outages import OutageActs
from gateway.store.sql.people_store import PeopleActs
from gateway.store.sql.sessions_store import SessionActs
from gateway.store.sql.stated import StatedActs
from gateway.store.sql.transaction import Transaction

T = TypeVar("T")


class SqlStore(
    AgainActs,
    StatedActs,
    AttentionActs,
    CodeMapActs,
    FilterActs,
    LeadTimeActs,
    NoticeActs,
    OutageActs,
    PeopleActs,
    SessionActs,
):
    """Writes, grouped by one committer.

    Args:
        transaction: what each write runs on, inside a transaction that the committer began.
        committer: runs them.
        now: the clock, for what no argument gives a time of.
        settings: those of the engine that durability rests on, as read back from it.
    """

    def __init__(
        self,
        transaction: Transaction,
        committer: Committer,
        now: Callable[[], datetime],
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._transaction = transaction
        self._committer = committer
        self._now = now
        self.settings = settings or {}

    async def known_lines(
        self,
        tenant: OdsCode,
        order_numbers: Sequence[str],
        group_numbers: Sequence[str] = (),
        *,
        items: Sequence[UUID] = (),
        prescriptions: Sequence[UUID] = (),
    ) -> tuple[KnownLine, ...]:
        """See `gateway.ports.store.Store`."""
        asked = known.Asked(orders=order_numbers, groups=group_numbers, items=items, prescriptions=prescriptions)
        return await self._run(partial(known.known_lines, self._transaction, tenant, asked))

    async def look_up(
        self,
        tenant: OdsCode,
        control_id: str,
        order_numbers: Sequence[str],
        group_numbers: Sequence[str] = (),
        *,
        items: Sequence[UUID] = (),
        prescriptions: Sequence[UUID] = (),
    ) -> StoredAnswer | tuple[KnownLine, ...]:
        """See `gateway.ports.store.Store`."""
        asked = known.Asked(orders=order_numbers, groups=group_numbers, items=items, prescriptions=prescriptions)

        def question() -> StoredAnswer | tuple[KnownLine, ...]:
            earlier = accept.answered(self._transaction, tenant, control_id)
            return earlier or known.known_lines(self._transaction, tenant, asked)

        return await self._run(question)

    async def allocated_lines(self, provider: OdsCode, order_numbers: Sequence[str]) -> tuple[KnownLine, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(known.allocated_lines, self._transaction, provider, order_numbers))

    async def accept(self, acceptance: Acceptance) -> StoredAnswer:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(accept.accept, self._transaction, acceptance, now=self._now()))

    async def keep_apart(
        self,
        submission: Submission,
        why: Refused,
        issues: Sequence[Issue],
        *,
        keep_bytes: bool,
        answer: Answer | None = None,
        control_id: str = "",
    ) -> None:
        """See `gateway.ports.store.Store`."""
        kept = partial(keep.keep_apart, self._transaction, submission, why, issues)
        await self._run(partial(kept, keep_bytes=keep_bytes, answer=answer, control_id=control_id))

    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, room: dict[OdsCode, int]) -> list[Claim]:
        """See `gateway.ports.store.Store`."""
        return await self._run(
            partial(claims.claim_due, self._transaction, worker=worker, now=now, lease_seconds=lease_seconds, room=room)
        )

    async def on_wire(self, claim: Claim, *, now: datetime, octets: bytes | None = None) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(claims.put_on_wire, self._transaction, claim, now=now, octets=octets))

    async def record(self, claim: Claim, outcome: TransmitOutcome, *, now: datetime, retry_at: datetime | None) -> None:
        """See `gateway.ports.store.Store`."""
        await self._run(partial(results.record, self._transaction, claim, outcome, now=now, retry_at=retry_at))

    async def recover(self, *, now: datetime, recognises_repeats: frozenset[OdsCode]) -> int:
        """See `gateway.ports.store.Store`."""
        return await self._run(
            partial(results.recover, self._transaction, now=now, recognises_repeats=recognises_repeats)
        )

    async def acknowledge(
        self, callback: Callback, answer: Acknowledgement | None, issues: Sequence[Issue]
    ) -> CallbackResult:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(acknowledge.acknowledge, self._transaction, callback, answer, issues))

    async def ask(self, request: PersonsRequest) -> None:
        """See `gateway.ports.asking.AskingWrites`."""
        await self._run(partial(asking.ask, self._transaction, request))

    async def pass_screening(self, act: Act, message: SealedMessage | None = None) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(desk.pass_screening, self._transaction, act, message))

    async def fail_screening(self, act: Act) -> int:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(desk.fail_screening, self._transaction, act))

    async def close_lines(self, act: Act) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(desk.close_lines, self._transaction, act))

    async def answer_query(self, act: Act, *, told: bool = False) -> int:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(desk.answer_query, self._transaction, act, told=told))

    async def rescue(self, act: Act, rescue: Rescue) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(rescuing.rescue, self._transaction, act, rescue))

    async def rule(self, act: Act, ruling: Ruling) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(desk.rule, self._transaction, act, ruling))

    async def renew(self, act: Act, event: RenewalEvent, prescription: UUID | None = None) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(renewals.decide, self._transaction, act, event, prescription))

    async def turn_clock(
        self, *, now: datetime, lead: timedelta = LEAD_TIME, leads: Mapping[OdsCode, timedelta] | None = None
    ) -> Turned:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(clock.turn, self._transaction, now=now, lead=lead, leads=leads or {}))

    async def expire(self, expiry: Expiry, *, now: datetime) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(clock.expire, self._transaction, expiry, now=now))

    async def reroute(self, request: Reroute) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(rerouting.reroute, self._transaction, request, now=self._now()))

    async def ask_reroute(self, request: Revocation) -> tuple[str, ...]:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(rerouting.ask, self._transaction, request, now=self._now()))

    async def adopt_configuration(self, digest: str, version: str, *, checked_lines: int) -> None:
        """See `gateway.ports.store.Store`."""
        write = partial(standing.adopt, self._transaction, digest, version)
        await self._run(partial(write, checked_lines=checked_lines, now=self._now()))

    async def stop_reroute(self, tenant: OdsCode, line_id: UUID, reason: str) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(rerouting.stop, self._transaction, tenant, line_id, reason, now=self._now()))

    async def open_alert(self, *, kind: str, subject: str, line_id: UUID | None, now: datetime, text: str) -> bool:
        """See `gateway.ports.store.Store`."""

        def write() -> bool:
            line = alerts.newest_line(self._transaction, line_id.bytes) if line_id is not None else None
            return alerts.open_alert(self._transaction, kind=kind, subject=subject, line=line, at=now, text=text)

        return await self._run(write)

    async def close_alert(self, alert: int, *, by: str, reason: str, now: datetime) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(alerts.close_alert, self._transaction, alert, by=by, reason=reason, now=now))

    async def resolve_doubt(
        self,
        prescription: UUID,
        *,
        found: Whereabouts,
        evidence: str,
        by: str,
        now: datetime,
        tenant: OdsCode | None = None,
    ) -> int:
        """See `gateway.ports.store.Store`."""
        resolve = partial(resolving.resolve_doubt, self._transaction, prescription)
        return await self._run(partial(resolve, found=found, evidence=evidence, by=by, now=now, tenant=tenant))

    async def resend(self, what: UUID, *, by: str, reason: str, now: datetime, tenant: OdsCode | None = None) -> int:
        """See `gateway.ports.store.Store`."""
        send = partial(resending.resend, self._transaction, what, by=by, reason=reason)
        return await self._run(partial(send, now=now, tenant=tenant))

    async def pause(
        self, destination: OdsCode, *, by: str, reason: str, now: datetime, kind: str = BY_OPERATOR
    ) -> bool:
        """See `gateway.ports.store.Store`."""
        pause = partial(pauses.pause, self._transaction, destination)
        return await self._run(partial(pause, kind=kind, by=by, reason=reason, now=now))

    async def place_legal_hold(
        self, *, nhs_number: str = "", prescription: UUID | None = None, by: str, reason: str, now: datetime
    ) -> int | None:
        """See `gateway.ports.store.Store`."""
        place = partial(legal_holds.place, self._transaction, nhs_number=nhs_number, prescription=prescription)
        return await self._run(partial(place, by=by, reason=reason, now=now))

    async def lift_legal_hold(self, number: int, *, by: str, reason: str, now: datetime) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(legal_holds.lift, self._transaction, number, by=by, reason=reason, now=now))

    async def resume(
        self, destination: OdsCode, *, by: str, reason: str, now: datetime, kind: str = BY_OPERATOR
    ) -> bool:
        """See `gateway.ports.store.Store`."""
        resume = partial(pauses.resume, self._transaction, destination)
        return await self._run(partial(resume, kind=kind, by=by, reason=reason, now=now))

    async def keep_count(self, counted: Counted, *, now: datetime) -> bool:
        """See `gateway.ports.board.BoardWrites`."""
        return await self._run(partial(counting.keep_count, self._transaction, counted, now=now))

    async def reconcile(self, statement: Statement, *, now: datetime) -> Reconciled | None:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(reconciling.reconcile, self._transaction, statement, now=now))

    async def answer_for(self, destination: OdsCode, *, by: str, reason: str, now: datetime) -> tuple[UUID, ...] | None:
        """See `gateway.ports.store.Store`."""
        answer = partial(reconciling.answer_for, self._transaction, destination)
        return await self._run(partial(answer, by=by, reason=reason, now=now))

    async def trust_told(
        self,
        tenant: OdsCode,
        names: Sequence[str] | None,
        *,
        digests: Mapping[str, Collection[str]] = MappingProxyType({}),
        told: Mapping[str, LineState] = MappingProxyType({}),
        by: str,
        reason: str,
        now: datetime,
    ) -> tuple[str, ...] | None:
        """See `gateway.ports.store.Store`."""
        take = partial(lost_messages.trust_told, self._transaction, tenant, names, digests=digests, told=told)
        return await self._run(partial(take, by=by, reason=reason, now=now))

    async def end_stated(self, line_id: UUID, *, provider: OdsCode, by: str, reason: str, now: datetime) -> bool:
        """See `gateway.ports.store.Store`."""
        end = partial(giving_up.give_up, self._transaction, line_id, provider=provider)
        return await self._run(partial(end, by=by, reason=reason, now=now))

    async def propose(self, proposal: Proposal) -> tuple[str, ...]:
        """See `gateway.ports.proposals.ProposalWrites`."""
        return await self._run(partial(proposals.propose, self._transaction, proposal))

    async def second(self, proposal: UUID, *, by: str, tenant: OdsCode | None, now: datetime) -> tuple[str, ...]:
        """See `gateway.ports.proposals.ProposalWrites`."""
        return await self._run(partial(proposals.second, self._transaction, proposal, by=by, tenant=tenant, now=now))

    async def settle(self, proposal: UUID, *, done: bool, outcome: str, now: datetime) -> bool:
        """See `gateway.ports.proposals.ProposalWrites`."""
        settle = partial(proposals.settle, self._transaction, proposal)
        return await self._run(partial(settle, done=done, outcome=outcome, now=now))

    async def withdraw(
        self, proposal: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
    ) -> tuple[str, ...]:
        """See `gateway.ports.proposals.ProposalWrites`."""
        withdraw = partial(proposals.withdraw, self._transaction, proposal)
        return await self._run(partial(withdraw, by=by, reason=reason, tenant=tenant, now=now))

    async def clock_jumped(self, *, now: datetime, text: str) -> bool:
        """See `gateway.ports.store.Store`."""
        return await self._run(partial(watching.clock_jumped, self._transaction, now=now, text=text))

    async def beat(self, name: str, *, now: datetime) -> None:
        """See `gateway.ports.store.Store`."""
        await self._run(partial(watching.beat, self._transaction, name, now=now))

    async def enter(self, node: Node, *, now: datetime) -> tuple[str, ...]:
        """Write down that a node begins, unless it differs from one that lives; gives in what.

        Raises:
            Unavailable: the store is away.
        """
        return await self._run(partial(nodes.enter, self._transaction, node, now=now))

    async def stay(self, node: Node, *, now: datetime) -> tuple[str, ...]:
        """Write down that a node still runs, unless others began meanwhile that it differs from; gives in what.

        Raises:
            Unavailable: the store is away.
        """
        return await self._run(partial(nodes.stay, self._transaction, node, now=now))

    async def leave(self, name: str) -> None:
        """Forget a node that ends.

        Raises:
            Unavailable: the store is away.
        """
        await self._run(partial(nodes.leave, self._transaction, name))

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """See `gateway.ports.store.Store`."""
        await self._run(
            partial(
                leaves.append_leaf,
                self._transaction,
                "access",
                at=now,
                principal=principal,
                action=action,
                subject=subject,
            )
        )

    async def close(self) -> None:
        """See `gateway.ports.store.Store`."""
        await self._committer.close()

    async def _run(self, write: Callable[[], T]) -> T:
        return await self._committer.submit(partial(self._whole, write))

    def _whole(self, write: Callable[[], T]) -> T:
        """Run one write with the leaves of all that happened in it; of one that fails there are none."""
        try:
            result = write()
            leaves.write_leaves(self._transaction)
        finally:
            self._transaction.leaves.clear()
        return result
