"""Partners: the trusts that send and the providers that supply, as configured.

Loaded from versioned TOML by `config`; frozen afterwards (D12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.renewal import LEAD_TIME

TRUST_CODES: Final = "table:trust-codes"
"""How a trace says that a value was read by an entry of the trust's own map."""


class Environment(StrEnum):
    """Where a message belongs. Nothing marked test reaches a live destination, nor the reverse (D17)."""

    LIVE = "live"
    TEST = "test"


class SignaturePolicy(StrEnum):
    """What a trust must show of its prescriber's signature (D8)."""

    REQUIRED = "required"
    TRUST_ATTESTED = "trust-attested"
    PAPER_FOLLOWS = "paper-follows"


class OnConflict(StrEnum):
    """What a trust wants when its message contradicts itself (D9)."""

    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """One approved entry of a trust's local code map. The text is part of the key (mapping.md 5).

    Attributes:
        valid_from, valid_to: the first and the last London date on which it counts; None for no limit.
        version: number of an entry that was approved at the console, `v12`; empty for one of the trust's file.
    """

    kind: str
    """drug, unit, route, site, method, timing, cancel-reason or profession."""
    code: str
    text: str = ""
    system: str = ""
    target: Coding
    approved_by: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    version: str = ""

    def counts_on(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    @property
    def how(self) -> str:
        """Say in a trace by what a value was read: the table, and the entry's number where it has one."""
        return f"{TRUST_CODES}@{self.version}" if self.version else TRUST_CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class ZField:
    """A field of a trust's own Z-segment that says what our homecare segment would say (mapping.md 3.5).

    Attributes:
        segment: its name; `number`: of the field.
        target: canonical path of the fact, `homecare.purchase_order`.
        valid_from, valid_to: the first and the last London date on which it counts; None for no limit.
    """

    segment: str
    number: int
    target: str
    approved_by: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def place(self) -> str:
        """The field as rules and messages name it: `ZPO-3`."""
        return f"{self.segment}-{self.number}"

    def counts_on(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyChannel:
    """Where a trust is told things after the first answer: `mllp` host and port, or an `http` URL."""

    kind: str
    host: str = ""
    port: int = 0
    url: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"ReplyChannel({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """An NHS trust as a partner.

    Attributes:
        systems: MSH-3 values it sends under; empty means any.
        sites: ODS codes of sites that may appear in place of the trust's own code.
        z_fields: where its own Z-segments say what our homecare segment would; what they do not name stays there.
        dosing_comment_types: NTE comment types that carry dosing words.
        local_id_systems: assigner to identifier-system URL for hospital numbers.
        tells: whether it wants provider decisions sent back (mapping.md 9.1), and where.
        screening: whether a clean order waits for a clinical check that the message does not carry.
        renewal_lead: how long before the supplies end a renewal is asked for.
    """

    ods: OdsCode
    name: str
    environment: Environment
    systems: tuple[str, ...] = ()
    sites: tuple[OdsCode, ...] = ()
    signature_policy: SignaturePolicy
    on_conflict: OnConflict = OnConflict.HOLD
    codes: tuple[CodeEntry, ...] = ()
    z_fields: tuple[ZField, ...] = ()
    dosing_comment_types: tuple[str, ...] = ()
    local_id_systems: Mapping[str, str] = field(default_factory=dict)
    tells: ReplyChannel | None = None
    screening: bool = False
    renewal_lead: timedelta = LEAD_TIME
    consultant_field: str = "PV1-7"

    def on(self, day: date) -> "Trust":
        """Give the trust with the entries of its maps that are in force on a day."""
        codes = tuple(row for row in self.codes if row.counts_on(day))
        z_fields = tuple(row for row in self.z_fields if row.counts_on(day))
        if (len(codes), len(z_fields)) == (len(self.codes), len(self.z_fields)):
            return self
        return replace(self, codes=codes, z_fields=z_fields)

    def entry(self, kind: str, code: str, text: str = "", system: str = "") -> CodeEntry | None:
        """Find the approved entry for a local code; its text and system must agree where the entry states them."""
        for row in self.codes:
            if row.kind == kind and row.code == code and row.text in {"", text} and row.system in {"", system}:
                return row
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A homecare provider as a destination.

    Attributes:
        adapter: entry-point name of the adapter that speaks to it.
        endpoint: where the adapter sends; its meaning is the adapter's.
        recognises_repeats: proven to recognise a repeated message id, so that an in-doubt message may be sent again
            verbatim (I12).
        max_in_flight: how many transmissions may be under way at once.
        answers_within_seconds: time limit of one transmission.
        phone: who is rung there; `out_of_hours`: when nobody answers that; empty where nothing is stated.
        lead_time: what it needs from the moment it can act until the medicine is at the door, in whole days; None where
            nobody has stated it.
        certificate_ends: London day on which the certificate of its system ends, as stated; None where nobody did.
        options: what this adapter alone understands.
    """

    ods: OdsCode
    name: str
    environment: Environment
    adapter: str
    endpoint: str
    active: bool = True
    token: str = ""
    """The credential we show the provider."""
    recognises_repeats: bool = False
    max_in_flight: int = 8
    answers_within_seconds: float = 10.0
    phone: str = ""
    out_of_hours: str = ""
    lead_time: timedelta | None = None
    certificate_ends: date | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Provider({self.ods})"
