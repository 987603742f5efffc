"""The provider's answer, in our words. What it may change is decided by the lifecycle table and rule I11."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """What a provider says of one line.

    Attributes:
        line_id: the item it speaks of; None for every line of the message.
        event: one of the provider's events of mapping.md 9.3.
        reason_code: the provider's coded reason, as sent.
        reason: its words, as sent. May hold anything; escaped wherever it is shown.
        amount: quantity supplied, where the report is of a supply.
        batch: number of the batch, as printed on the pack.
        supplied_at: when the provider supplied it; for what is planned or postponed, the day that was agreed.
        issue: which of the supplies of its message it speaks of, from 1, where it says so.
        supplies_left: how many supplies of its message are to come after the one it speaks of, where it says that.
        in_full: it says that the supply it speaks of is now made in full, whatever of it was made before.
    """

    line_id: UUID | None
    event: LineEvent
    reason_code: str = ""
    reason: str = ""
    amount: Decimal | None = None
    unit: str = ""
    batch: str = ""
    expiry: date | None = None
    supplied_at: datetime | None = None
    issue: int | None = None
    supplies_left: int | None = None
    in_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """One answer from one provider.

    Attributes:
        id: the provider's own id for this answer: a repeat of it changes nothing.
        correlation: id of the message it answers (`MessageHeader.response.identifier`, MSA-2); None if it names none.
        epoch: the epoch it echoes, where it does.
        issues: words we do not know. Any issue here means nothing changes and a person is told.
        replaces: id of this provider's earlier answer that this one takes back or restates; its message is this one's
            too where `correlation` is None.
        prescription_number: where it names one, it must be that of the message.
        nhs_number: where it names its patient, it must be the patient of the message; digits only.
    """

    id: str
    correlation: UUID | None
    reports: tuple[LineReport, ...]
    at: datetime | None = None
    epoch: int | None = None
    issues: tuple[Issue, ...] = field(default=())
    replaces: str = ""
    prescription_number: str = ""
    nhs_number: str = field(default="", repr=False)
