"""Where two people give a trust's own code a meaning: one proposes, another looks at what it would do and approves.

What an entry would do is tried on the stored bytes of every message it would touch, with nothing stored. What was
proposed travels whole to the second person: code, words, target. At approval it is judged again by the tables of then.

Source: mapping.md 5; console.md 6.8; brief D12.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from gateway.domain.code_map import ApprovedEntry, MapKind, UnknownCode, entry_of
from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.proposal import Proposal, ProposalState, ProposalView
from gateway.enquiries import Enquiries
from gateway.pipeline.code_book import CodeBook
from gateway.pipeline.code_targets import Candidate, Found, search, target
from gateway.pipeline.rereading import Understood, known_lines_of, understand
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import LONDON
from gateway.ports.clock import Clock
from gateway.ports.code_maps import Approval, HeldCode, OrderAsTaken
from gateway.ports.store import Store

KIND: Final = "map-entry"
"""The kind of its proposals."""
LOOKS_BACK: Final = timedelta(days=90)
PAGE: Final = 25
WAITS: Final = timedelta(days=14)
CANNOT: Final = "This code cannot be given a meaning here."
GONE: Final = "What it was to mean is not in the tables any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One message that an entry would touch, as it stands and as it would be.

    Attributes:
        before: as it is stored: its order, its lines and what was wrong with it.
        after: as it would be understood with the entry.
        checked_first: whether a pharmacist would check it before it goes.
    """

    before: OrderAsTaken
    after: Understood
    checked_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What an entry would do to messages of the last 90 days, a page of them."""

    total: int
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What was proposed: a code of a trust, and what it is to mean."""

    trust: OdsCode
    unknown: UnknownCode
    target: Coding


class CodeDesk:
    """What the pages of held codes do.

    Args:
        store: where everything commits.
        enquiries: what is known of codes.
        around: configuration and tables in force.
        book: the entries that count on this node.
        clock: the time of acts.
        wake: called when something was approved, so that held orders are read again at once.
    """

    def __init__(
        self,
        *,
        store: Store,
        enquiries: Enquiries,
        around: Surroundings,
        book: CodeBook,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._enquiries = enquiries
        self._around = around
        self._book = book
        self._clock = clock
        self._wake = wake

    @property
    def release(self) -> str:
        """The release of the tables that are searched."""
        return self._around.reference.release

    def search(self, unknown: UnknownCode, words: str) -> Found:
        """Find candidates by words of their names."""
        return search(unknown, words, self._around.reference)

    def target(self, unknown: UnknownCode, code: str, display: str = "") -> Candidate | None:
        """Give what a code of the tables is; None where there is no such code."""
        return target(unknown, code.strip(), display.strip(), self._around.reference)

    async def propose(self, held: HeldCode, chosen: Candidate, *, by: str, reason: str, token: UUID) -> tuple[str, ...]:
        """Propose what a code means.

        Returns:
            Why it was not, in words; empty when it stands.

        Raises:
            Unavailable: the store is away.
        """
        if not held.unknown.can_be_mapped or held.entry is not None:
            return (CANNOT,)
        if chosen.stops:
            return chosen.stops
        now = self._clock.now()
        return await self._store.propose(
            Proposal(
                id=token,
                kind=KIND,
                subject=str(held.code_id),
                payload=written(Meaning(trust=held.trust, unknown=held.unknown, target=chosen.coding)),
                tenant=held.trust,
                by=by,
                reason=reason,
                at=now,
                expires_at=now + WAITS,
            )
        )

    async def open_proposal(self, code_id: UUID, *, tenant: OdsCode | None) -> ProposalView | None:
        """Give the proposal for a code that waits for a second person; None where none does."""
        found = await self.proposals(code_id, tenant=tenant)
        return next((one for one in found if one.state is ProposalState.OPEN), None)

    async def proposals(self, code_id: UUID, *, tenant: OdsCode | None) -> tuple[ProposalView, ...]:
        """Give every proposal there was for a code, newest first."""
        return await self._enquiries.proposals_of(KIND, str(code_id), tenant=tenant, now=self._clock.now())

    async def approve(self, proposal: ProposalView, *, by: str) -> ApprovedEntry | tuple[str, ...]:
        """Let a second person approve; held orders are read again at once.

        Returns:
            The entry; or why nothing was done, in words.

        Raises:
            Unavailable: the store is away.
        """
        meant = read(proposal.proposal.payload)
        chosen = self.target(meant.unknown, meant.target.code, meant.target.display)
        if chosen is None:
            return (GONE,)
        if chosen.stops:
            return chosen.stops
        approval = Approval(
            proposal=proposal.proposal.id,
            trust=meant.trust,
            unknown=meant.unknown,
            target=meant.target,
            by=by,
            now=self._clock.now(),
        )
        entry = await self._store.approve_entry(approval)
        if isinstance(entry, ApprovedEntry):
            await self._moved()
        return entry

    async def reject(self, proposal: ProposalView, *, by: str, reason: str) -> tuple[str, ...]:
        """Reject a proposal, with a reason. Gives why not, in words; empty when it is rejected."""
        tenant = proposal.proposal.tenant
        return await self._store.withdraw(
            proposal.proposal.id, by=by, reason=reason, tenant=tenant, now=self._clock.now()
        )

    async def withdraw(self, entry: ApprovedEntry, *, by: str, reason: str) -> tuple[str, ...]:
        """Take an entry back: it counts for no later message. Gives why not; empty when it is done."""
        now = self._clock.now()
        reasons = await self._store.withdraw_entry(entry.number, by=by, reason=reason, tenant=entry.trust, now=now)
        if not reasons:
            await self._moved()
        return reasons

    async def read_again(self, held: HeldCode, *, by: str, reason: str) -> int:
        """Have the held orders with a code read again, as after a new release; gives how many."""
        now = self._clock.now()
        count = await self._store.ask_reread(held.code_id, by=by, reason=reason, tenant=held.trust, now=now)
        self._wake()
        return count

    async def try_out(self, held: HeldCode, meant: Coding, *, page: int = 1) -> Trial:
        """Try an entry on the messages of the last 90 days that it would touch; nothing is stored."""
        now = self._clock.now()
        touched = await self._enquiries.touched(
            held.code_id, tenant=held.trust, since=now - LOOKS_BACK, limit=PAGE, offset=(page - 1) * PAGE
        )
        around = self._with(held, meant)
        tried = [await self._try(await self._enquiries.order_as_taken(key), around, now) for key in touched.keys]
        return Trial(total=touched.total, tried=tuple(tried))

    async def _try(self, taken: OrderAsTaken, around: Surroundings, now: datetime) -> Tried:
        day = now.astimezone(LONDON).date()
        known = await known_lines_of(self._store, taken.written.submission, around, day)
        after = understand(taken, around, known, day)
        order = after.order
        checked = order.prescription.clinical_check if order and order.prescription else None
        asked = order is not None and order.order.needs_review
        trust = around.trusts[taken.written.submission.tenant]
        return Tried(before=taken, after=after, checked_first=asked or (trust.screening and checked is None))

    def _with(self, held: HeldCode, meant: Coding) -> Surroundings:
        """Give the surroundings as if the entry counted already."""
        entry = entry_of(0, held.unknown, meant, ("", ""))
        trust = self._around.trusts[held.trust]
        return replace(
            self._around, trusts={**self._around.trusts, held.trust: replace(trust, codes=(entry, *trust.codes))}
        )

    async def _moved(self) -> None:
        await self._book.look(self._enquiries)
        self._wake()


def written(meaning: Meaning) -> bytes:
    """Write what is proposed, as the proposal keeps it."""
    unknown, to = meaning.unknown, meaning.target
    return msgspec.json.encode(
        {
            "trust": meaning.trust.value,
            "kind": unknown.kind.value,
            "code": unknown.code,
            "text": unknown.text,
            "system": unknown.system,
            "target": {"system": to.system, "code": to.code, "display": to.display},
        },
        order="deterministic",
    )


def read(payload: bytes) -> Meaning:
    """Read back what `written` wrote."""
    said = msgspec.json.decode(payload)
    return Meaning(
        trust=OdsCode(said["trust"]),
        unknown=UnknownCode(kind=MapKind(said["kind"]), code=said["code"], text=said["text"], system=said["system"]),
        target=Coding(**said["target"]),
    )
