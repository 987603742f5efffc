"""The store, through which every commit of the gateway goes; `gateway.enquiries` is the reading side.

Each method is one transaction, durable when it returns. Every implementation passes the same contract suite
(`tests/contract/`). Methods raise `Unavailable` when nothing was stored, or nobody knows: the same may be asked again.

Source: brief D3, D4; reliability-security.md I1 to I13.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from gateway.destination import TransmitOutcome
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.acts import Act, Expiry, Rescue, Ruling, Turned
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.message import SealedMessage
from gateway.domain.reconciliation import Reconciled, Statement
from gateway.domain.renewal import LEAD_TIME, RenewalEvent
from gateway.domain.reroute import Reroute, Revocation
from gateway.domain.submission import Answer, Submission
from gateway.ports.acceptance import Acceptance, KnownLine, Refused, StoredAnswer
from gateway.ports.again import AgainWrites
from gateway.ports.asking import AskingWrites
from gateway.ports.attention import WorkWrites
from gateway.ports.board import BoardWrites
from gateway.ports.callback import Callback, CallbackResult
from gateway.ports.code_maps import CodeMapWrites
from gateway.ports.filters import FilterWrites
from gateway.ports.lead_times import LeadTimeWrites
from gateway.ports.notices import NoticeWrites
from gateway.ports.outages import OutageWrites
from gateway.ports.people import PeopleWrites
from gateway.ports.proposals import ProposalWrites
from gateway.ports.sessions import SessionWrites
from gateway.ports.stated import StatedWrites
from gateway.ports.work import BY_OPERATOR, Claim, Whereabouts


class Store(
    AgainWrites,
    AskingWrites,
    StatedWrites,
    CodeMapWrites,
    FilterWrites,
    LeadTimeWrites,
    NoticeWrites,
    OutageWrites,
    PeopleWrites,
    ProposalWrites,
    SessionWrites,
    BoardWrites,
    WorkWrites,
    Protocol,
):
    """Writes. One transaction each; durable on return."""

    async def known_lines(
        self,
        tenant: OdsCode,
        order_numbers: Sequence[str],
        group_numbers: Sequence[str] = (),
        *,
        items: Sequence[UUID] = (),
        prescriptions: Sequence[UUID] = (),
    ) -> tuple[KnownLine, ...]:
        """Give the lines a trust has under these numbers, item ids or prescription ids, each once, oldest first."""

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
        """Give the stored answer for a control id of a trust; where there is none, what `known_lines` gives."""

    async def allocated_lines(self, provider: OdsCode, order_numbers: Sequence[str]) -> tuple[KnownLine, ...]:
        """Give the lines under these order numbers, of any trust, that are or were allocated to a provider.

        `message_id` of each is the latest message that provider was sent for it.
        """

    async def accept(self, acceptance: Acceptance) -> StoredAnswer:
        """Commit a submission, its orders, outbox rows, history, audit leaves and answer, all or nothing.

        Returns:
            The answer now stored for the control id: this one, or an earlier one if the control id was taken meanwhile
            (the caller compares digests).

        Raises:
            Refusal: ORDER_REUSED, when an order number was taken meanwhile.
            OvertakenError: a line to be cancelled, held or released has moved since it was looked at.
            Unavailable: nothing was stored.
        """

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
        """Keep input that has no place among the submissions: its bytes, or their length and digest; with an alert.

        `answer.later`, if there is one, goes to the trust through the outbox. `control_id` is the message's own, where
        it could be read.
        """

    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, room: dict[OdsCode, int]) -> list[Claim]:
        """Lease due rows: at most `room[destination]` for each destination named; none for one not named or paused.

        Trusts take turns, so that none waits behind another's backlog (I19).

        A row on the wire whose lease ran out is not claimed again: see `recover`.
        """

    async def on_wire(self, claim: Claim, *, now: datetime, octets: bytes | None = None) -> bool:
        """Commit that the first byte is about to leave; `octets` fixes composed news for every later attempt.

        Returns:
            False when the lease is no longer ours or the line may no longer be sent: then nothing may be written.
        """

    async def record(self, claim: Claim, outcome: TransmitOutcome, *, now: datetime, retry_at: datetime | None) -> None:
        """Record an attempt's outcome, move the lines by the lifecycle table and reschedule or finish the row.

        Args:
            claim: as leased.
            outcome: what the adapter answered.
            now: when.
            retry_at: when to try again after `TryLater`, or after `InDoubt` where the provider recognises repeats;
                None when it is not to be tried again.
        """

    async def recover(self, *, now: datetime, recognises_repeats: frozenset[OdsCode]) -> int:
        """Find rows whose lease ran out: claimed rows become due; rows on the wire become in doubt.

        Returns:
            How many rows were found.
        """

    async def acknowledge(
        self, callback: Callback, answer: Acknowledgement | None, issues: Sequence[Issue]
    ) -> CallbackResult:
        """Store a callback and, if it is bound to an allocation (I11), move the lines by the lifecycle table.

        Args:
            callback: as received; stored whatever happens.
            answer: as the adapter read it; None when it could not.
            issues: why it could not, or what in it is not known. Any issue: nothing moves, an alert opens.
        """

    async def reroute(self, request: Reroute) -> tuple[str, ...]:
        """Give lines of one prescription to another provider, all or none, behind the fence (I10).

        Returns:
            Why nothing was done, in words; empty when it was done.
        """

    async def pass_screening(self, act: Act, message: SealedMessage | None = None) -> tuple[str, ...]:
        """Let the lines of a screened order go, by the message sealed for them or by `message`, written anew.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def fail_screening(self, act: Act) -> int:
        """Hold the lines of an order that did not pass its screening. Returns how many moved."""

    async def close_lines(self, act: Act) -> tuple[str, ...]:
        """Close lines that were rejected, returned or never sent, unless a cancel waits for their provider's word.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def answer_query(self, act: Act, *, told: bool = False) -> int:
        """Return queried lines to where they stood; nothing clinical changed. Returns how many moved.

        No message carries the answer: unless the person has `told` the provider, an alert asks for that.
        """

    async def rescue(self, act: Act, rescue: Rescue) -> tuple[str, ...]:
        """End one issue of a line that another supplied in the provider's place.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def rule(self, act: Act, ruling: Ruling) -> tuple[str, ...]:
        """Send or drop a changed order that waits for a cancel which came too late.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def renew(self, act: Act, event: RenewalEvent, prescription: UUID | None = None) -> tuple[str, ...]:
        """Say what became of the open renewals of a prescription; an approval names the new one.

        Returns:
            Why nothing was done, in words; empty when it was.
        """

    async def turn_clock(
        self, *, now: datetime, lead: timedelta = LEAD_TIME, leads: Mapping[OdsCode, timedelta] | None = None
    ) -> Turned:
        """Do what the clock causes by itself: deliveries due, windows over, renewals asked for and lapsed.

        Args:
            now: aware.
            lead: how long before the cover ends a renewal is asked for.
            leads: the same for trusts that state their own.
        """

    async def expire(self, expiry: Expiry, *, now: datetime) -> bool:
        """End a line whose validity is over and queue what tells its holder, or tell a person where a supply is on.

        Returns:
            Whether the line ended.
        """

    async def ask_reroute(self, request: Revocation) -> tuple[str, ...]:
        """Ask the holder of a line to give it up, so that it may go to another; until it confirms, nothing moves.

        Returns:
            Why nothing was asked, in words; empty when it was.
        """

    async def adopt_configuration(self, digest: str, version: str, *, checked_lines: int) -> None:
        """Put a configuration in force from now on, that was checked against so many open lines (I23)."""

    async def stop_reroute(self, tenant: OdsCode, line_id: UUID, reason: str) -> bool:
        """Call off the re-route of a line that is under way, with an alert. Returns whether there was one."""

    async def open_alert(self, *, kind: str, subject: str, line_id: UUID | None, now: datetime, text: str) -> bool:
        """Open an alert unless one of the kind is open for the subject. Returns whether a new one was opened."""

    async def close_alert(self, alert: int, *, by: str, reason: str, now: datetime) -> bool:
        """Close an alert, audited; `by` is a person's short name. Returns whether it was open."""

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
        """Move the uncertain lines of a prescription by what a person found out, audited, and close their alerts.

        What never arrived is due again: the same octets under the same id. `tenant` is the trust whose prescription is
        meant, for another may use the same id (I9); None for any.

        Returns:
            How many lines moved: none where none is in doubt, or while an attempt is under way.
        """

    async def resend(self, what: UUID, *, by: str, reason: str, now: datetime, tenant: OdsCode | None = None) -> int:
        """Make due again, audited, the news and cancels given up: of a message id, or of a prescription's.

        `tenant` is the trust whose messages are meant; None for any.

        Returns:
            How many will be sent; the alerts that asked for it are closed.
        """

    async def pause(
        self, destination: OdsCode, *, by: str, reason: str, now: datetime, kind: str = BY_OPERATOR
    ) -> bool:
        """Send nothing more to a destination; deadlines run on. Returns whether it was not paused so before."""

    async def place_legal_hold(
        self, *, nhs_number: str = "", prescription: UUID | None = None, by: str, reason: str, now: datetime
    ) -> int | None:
        """Keep a patient's records, or one prescription's, whatever their age. Gives its number; None if held so."""

    async def lift_legal_hold(self, number: int, *, by: str, reason: str, now: datetime) -> bool:
        """End a legal hold. Returns whether it was in force."""

    async def resume(
        self, destination: OdsCode, *, by: str, reason: str, now: datetime, kind: str = BY_OPERATOR
    ) -> bool:
        """End one kind of pause of a destination. Returns whether there was one."""

    async def reconcile(self, statement: Statement, *, now: datetime) -> Reconciled | None:
        """Take a provider's statement of all it holds after a restore, and let its destination go on (I22).

        What it has is not sent to it; every difference opens an alert. Nothing goes to any provider before all that
        were held by the restore are reconciled.

        Returns:
            What it did; None where that destination is not waiting for one.
        """

    async def answer_for(self, destination: OdsCode, *, by: str, reason: str, now: datetime) -> tuple[UUID, ...] | None:
        """Let a destination go on after a restore without its statement; what was queued for it becomes uncertain.

        Returns:
            Those lines; None where that destination is not waiting.
        """

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
        """Take the control ids of all a trust was told is held since a backup; let its orders leave if none is lost.

        Args:
            tenant: the trust.
            names: the control ids; None where a person answers for the trust.
            digests: SHA-256 of the bytes that bore a control id, of each that did, where the trust states it.
            told: lines by item id or order number that the trust was told are cancelled or on hold.
            by: short name of the person.
            reason: where the list is from.
            now: when.

        Returns:
            Those not known here, or known for other bytes, each with an alert: the trust must send them again, the
            latter under a new control id; and lines that do not stand as it was told. None where it is not waiting.
        """

    async def end_stated(self, line_id: UUID, *, provider: OdsCode, by: str, reason: str, now: datetime) -> bool:
        """Take note that a provider gave up a line it had stated after a restore. Returns whether one stood."""

    async def clock_jumped(self, *, now: datetime, text: str) -> bool:
        """Make due what waits for a moment that an earlier clock named, and open an alert; true where it is new.

        While it is open nothing ends by the clock. Whoever closes it says that the clock is right: limits that began
        ahead of it are counted from then.
        """

    async def beat(self, name: str, *, now: datetime) -> None:
        """Say that a part which must not stop in silence has just done its work."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf for a reading or a refusal of access."""

    async def close(self) -> None:
        """Finish what was begun and let go."""
