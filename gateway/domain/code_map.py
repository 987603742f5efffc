"""A trust's own codes: those that nobody has mapped, and the entries two people approved for them.

An entry is dated and numbered, and counts from the moment it is approved until somebody takes it back. What was read
with it keeps its number; taking it back changes nothing that was read before.

Source: mapping.md 5 (two approvers, the text is part of the key); brief D12; console.md 6.8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.partner import TRUST_CODES, CodeEntry, Trust
from gateway.domain.trace import TraceRow

_VERSIONED: Final = f"{TRUST_CODES}@"
NATIONAL: Final = frozenset({SNOMED, UCUM})
"""Systems that belong to nobody here: a code of theirs that is not known is not for a trust to give a meaning to."""


class MapKind(StrEnum):
    """What an entry of a code map may be about."""

    DRUG = "drug"
    UNIT = "unit"
    ROUTE = "route"
    SITE = "site"
    METHOD = "method"
    TIMING = "timing"
    CANCEL_REASON = "cancel-reason"
    PROFESSION = "profession"


APPROVED_HERE: Final = frozenset(
    {MapKind.DRUG, MapKind.UNIT, MapKind.ROUTE, MapKind.SITE, MapKind.METHOD, MapKind.TIMING}
)
"""The kinds that hold a line, and that two people may therefore settle at the console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCode:
    """A code of a sender that no table and no entry reads.

    Attributes:
        kind: what it names: a drug, a unit, a route and so on.
        code: as sent; empty where only words were sent.
        text: the words beside it, as sent.
        system: the sender's own name of the code's system, or the address of a national one.
        location: where it stands, in the sender's notation.
        issue: code of the issue that it gave rise to.
    """

    kind: MapKind
    code: str
    text: str = ""
    system: str = ""
    location: str = ""
    issue: str = ""

    @property
    def can_be_mapped(self) -> bool:
        """Whether an entry may give it a meaning: it is the trust's own, and it is a code."""
        return self.kind in APPROVED_HERE and bool(self.code) and self.system not in NATIONAL

    def id_at(self, trust: OdsCode) -> UUID:
        """Give the opaque name of this code at a trust; text and system are part of what it is."""
        return derived_id("unknown-code", trust.value, self.kind.value, self.code, self.text, self.system)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedEntry:
    """An entry that two people approved at the console.

    Attributes:
        number: its version: no two entries of a gateway have the same, and none is given again.
        code_id: of the unknown code it settles.
        entry: what is read by it; `entry.version` is the number as traces name it.
        proposed_by, approved_by: short names of two different people.
        reason: of the proposer, in words; never patient data.
        withdrawn_at: when it was taken back; None while it counts.
    """

    number: int
    trust: OdsCode
    code_id: UUID
    entry: CodeEntry
    proposed_by: str
    approved_by: str
    reason: str = field(repr=False)
    approved_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_reason: str = field(default="", repr=False)

    @property
    def counts(self) -> bool:
        """Whether messages are read by it now."""
        return self.withdrawn_at is None


class RereadState(StrEnum):
    """Where the reading again of one held order stands."""

    WAITING = "waiting"
    RELEASED = "released"
    """It was read clean and let go, to the provider or to the pharmacist's check."""
    STILL_HELD = "still-held"
    """It was read, and is held for other reasons, which are written down."""
    OVERTAKEN = "overtaken"
    """The order was cancelled, corrected or ended before it was read again."""
    FAILED = "failed"
    """Reading it failed through a fault of ours; a person was told."""


def version_of(number: int) -> str:
    """Give an entry's number as traces and pages write it: `v12`."""
    return f"v{number}"


def entry_of(number: int, unknown: UnknownCode, target: Coding, people: tuple[str, str]) -> CodeEntry:
    """Give what a reader looks a code up by."""
    return CodeEntry(
        kind=unknown.kind.value,
        code=unknown.code,
        text=unknown.text,
        system=unknown.system,
        target=target,
        approved_by=people,
        version=version_of(number),
    )


def with_approved(trust: Trust, approved: Sequence[ApprovedEntry]) -> Trust:
    """Give a trust with the entries that were approved at the console, beside those of its file.

    Where the file leads the same code elsewhere, neither counts: the order is held rather than guessed at.
    """
    if not approved:
        return trust
    file = {_key(row): row.target for row in trust.codes}
    own = {_key(one.entry): one.entry.target for one in approved}
    torn = {key for key, target in own.items() if key in file and (file[key].code != target.code)}
    rows = (*(one.entry for one in approved), *trust.codes)
    return replace(trust, codes=tuple(row for row in rows if _key(row) not in torn))


def maps_version(trust: Trust) -> str:
    """Name the approved entries that count for a trust, in a few characters; empty where there are none."""
    numbers = sorted(row.version for row in trust.codes if row.version)
    return derived_id("approved-entries", *numbers).hex[:12] if numbers else ""


def entries_in(trace: Sequence[TraceRow]) -> tuple[str, ...]:
    """Give the versions of the approved entries by which values were read, each once."""
    return tuple(
        dict.fromkeys(row.transform.removeprefix(_VERSIONED) for row in trace if row.transform.startswith(_VERSIONED))
    )


def _key(row: CodeEntry) -> tuple[str, str, str, str]:
    return (row.kind, row.code, row.text, row.system)
