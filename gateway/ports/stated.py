"""What a person states about a prescription after it was sealed: an order number, the paper original that followed.

It is the trust's own record. It changes nothing that was signed or sealed, and no message carries it.

Source: mapping.md 0 (10: signed content and envelope are apart); domain.md 1; brief D8.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from gateway.domain.identifiers import OdsCode


class FactKind(StrEnum):
    """What is stated."""

    PURCHASE_ORDER = "purchase-order"
    PAPER_ORIGINAL = "paper-original"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFact:
    """One fact that a person stated. A later one of the same kind stands in its place; none is ever taken out.

    Attributes:
        value: the order number; for a paper original, who saw it.
        on: the day it was seen; None where a day means nothing.
        by: short name of the person who states it.
        note: in words; never patient data.
    """

    kind: FactKind
    value: str
    on: date | None = None
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAwaited:
    """The paper original of a prescription that went with the words that it follows.

    Attributes:
        act_by: by when it is to be registered.
        registered: who saw it and when, as stated last; None while nobody did.
    """

    act_by: datetime
    registered: StatedFact | None = None


class StatedWrites(Protocol):
    """One transaction; durable on return, and audited with the person's short name."""

    async def state_fact(self, prescription: UUID, fact: StatedFact, *, tenant: OdsCode) -> bool:
        """Keep a fact; an order number can be searched for from then on.

        Returns:
            Whether it is new: the same value stated again is kept once, and so is what the trust has no such
            prescription for, which is not kept at all.
        """


class StatedReads(Protocol):
    """What was stated; `tenant` narrows it as everywhere."""

    async def stated_facts(self, prescription: UUID, *, tenant: OdsCode | None) -> tuple[StatedFact, ...]:
        """Give what people stated about a prescription, oldest first."""

    async def awaited_paper(self, prescription: UUID, *, tenant: OdsCode | None) -> PaperAwaited | None:
        """Give where the paper original of a prescription stands; None where none follows it.

        A provider is not told: it is the trust's own record.
        """
