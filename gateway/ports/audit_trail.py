"""Who saw or did what: the leaves of the audit that name a person or another caller, and the check of all leaves.

A leaf holds opaque ids, codes, times and digests, and no more is shown than it holds: no address it came from, and of a
reason the digest alone.

Source: console.md 6.9; reliability-security.md 7, I5, I8.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLeaf:
    """One leaf that names who.

    Attributes:
        kind: `access` for a reading; otherwise the act: `act`, `alert-closed`, `paused`, …
        who: short name of a person, or of a partner's system.
        action: what was done, in the words of the door that noted it; empty where the kind says all.
        about: opaque ids of what it concerns: prescriptions, lines, messages.
        facts: the other facts of the leaf, as they stand in it.
        prescriptions: of `about`, those that can be opened, each with itself or with the line of it that is named.
    """

    seq: int
    at: datetime
    kind: str
    who: str
    action: str
    about: tuple[str, ...]
    facts: Mapping[str, str]
    prescriptions: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWanted:
    """What a list is narrowed to; an empty member narrows nothing.

    Attributes:
        about: a prescription's id, or the name of a message.
        action: words that its action or kind contains.
        since: inclusive; `until` exclusive.
    """

    who: str = ""
    about: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditList:
    """A part of the list, newest first.

    Attributes:
        further: the list goes on with lower numbers than this; None at its end.
        looked_back_to: where the search stopped before the list was full; what is older was not looked at.
    """

    leaves: tuple[AuditLeaf, ...]
    further: int | None = None
    looked_back_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafHashes:
    """Some leaves in their order, each hashed anew.

    Attributes:
        hashes: of those that are as they say.
        fault: what is wrong with the next; empty where nothing is.
    """

    hashes: tuple[bytes, ...] = field(repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """One who opened prescriptions of many patients within an hour.

    Attributes:
        began: the first of them; `ended` the last.
        patients: distinct NHS numbers.
    """

    who: str
    began: datetime
    ended: datetime
    patients: int


class AuditTrail(Protocol):
    """Reads of the audit. A trust's auditor sees the leaves about its own prescriptions; None sees all."""

    async def trail(
        self, *, tenant: OdsCode | None, wanted: AuditWanted, below: int | None = None, limit: int = 50
    ) -> AuditList:
        """List who saw or did what, newest first, after looking at a bounded number of leaves."""

    async def busy(self, *, tenant: OdsCode | None, since: datetime, patients: int) -> tuple[Busy, ...]:
        """Find who opened prescriptions of so many distinct patients within an hour, the most first."""

    async def leaf_count(self) -> int:
        """Count the leaves, by what the audit says of itself."""

    async def leaf_hashes(self, *, after: int, most: int) -> LeafHashes:
        """Hash leaves anew, in their order, and compare each with the hash that was kept with it."""
