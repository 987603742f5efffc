"""A pharmacist's check of an order: what is laid before the person who checks, and letting go or returning what was.

The prescriber's words and the structured dose stand one above the other, with what contradicts between them. The last
three prescriptions of the same medicine are compared word by word and amount by amount. The quantity is added up where
nothing has to be assumed. What was not sent is said to be not stated.

Source: console.md 6.4; mapping.md 8.3, 8.5 and 10.2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.acts import Act
from gateway.domain.amounts import amount_words
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Dosage, Line, Prescription
from gateway.domain.quantity import lexeme
from gateway.domain.reference import ProductRow
from gateway.pipeline.pharmacy import Pharmacy
from gateway.ports.screening import Screening, ToScreen
from gateway.translate.dose_words import NoWords, words
from gateway.translate.timing_words import UNIT_WORDS, spelt_date
from gateway.validate.supply import SupplySum, supply_doubts, supply_sum
from gateway.validate.words.check import Doubt, doubts

SHOWN: Final = 3
"""Earlier prescriptions of the same medicine that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that an earlier prescription said otherwise."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier prescription of the same medicine."""

    prescription_id: UUID
    received_at: datetime
    line: Line
    state: LineState
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToScreen:
    """One line as it is laid before the person.

    Attributes:
        own_words: the prescriber's.
        structured: the structured dose in words; empty where it cannot be said, and `unsaid` says why.
        contradictions: where the two, or the quantity, do not agree.
        sum: the quantity against the dose; None where it cannot be added up.
    """

    line: Line
    state: LineState
    own_words: str
    structured: str
    unsaid: str
    contradictions: tuple[Doubt, ...]
    sum: SupplySum | None
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An order that is to be checked."""

    prescription_id: UUID
    tenant: OdsCode
    received_at: datetime
    act_by: datetime | None
    prescription: Prescription = field(repr=False)
    lines: tuple[LineToScreen, ...]
    issues: tuple[Issue, ...]

    @property
    def waits(self) -> bool:
        """Whether a line of it waits for the check."""
        return any(line.state is LineState.AWAITING_SCREENING for line in self.lines)


class ScreeningDesk(Pharmacy):
    """What the pages of screening do; see `Pharmacy` for letting go."""

    async def waiting(self, *, tenant: OdsCode | None, limit: int) -> tuple[ToScreen, ...]:
        """Give what waits, the one to be acted on first first."""
        return await self._enquiries.to_screen(tenant=tenant, limit=limit)

    async def look(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Case | None:
        """Lay one order before a person; None where there is none, or it is not theirs."""
        found = await self._enquiries.screening(prescription_id, tenant=tenant)
        return None if found is None else self._case(found)

    async def fail(self, act: Act) -> int:
        """Return an order to its prescriber: it is held until the trust corrects or cancels it. Gives how many lines.

        Raises:
            Unavailable: the store is away; nothing was done.
        """
        return await self._store.fail_screening(act)

    def _case(self, found: Screening) -> Case:
        return Case(
            prescription_id=found.prescription_id,
            tenant=found.tenant,
            received_at=found.received_at,
            act_by=found.act_by,
            prescription=found.prescription,
            lines=tuple(self._line(line, found) for line in found.prescription.lines),
            issues=found.issues,
        )

    def _line(self, line: Line, found: Screening) -> LineToScreen:
        row = self._row(line)
        said = words(line.dosages, spelt_date)
        return LineToScreen(
            line=line,
            state=found.states.get(line.id, LineState.RECEIVED),
            own_words=own_words(line),
            structured=said if isinstance(said, str) else "",
            unsaid=said.reason if isinstance(said, NoWords) else "",
            contradictions=(*doubts(line, row), *supply_doubts(line, row)),
            sum=supply_sum(line, row),
            earlier=tuple(self._earlier(line, row, found))[:SHOWN],
        )

    def _row(self, line: Line) -> ProductRow | None:
        return self._around.reference.products.get(line.product.code.value)

    def _earlier(self, line: Line, row: ProductRow | None, found: Screening) -> Iterator[Earlier]:
        for order in found.earlier:
            for other in order.prescription.lines:
                if self._same_medicine(line, row, other):
                    yield Earlier(
                        prescription_id=order.prescription_id,
                        received_at=order.received_at,
                        line=other,
                        state=order.states.get(other.id, LineState.RECEIVED),
                        differences=tuple(differences(other, line)),
                    )

    def _same_medicine(self, line: Line, row: ProductRow | None, other: Line) -> bool:
        """Tell whether two lines are of one medicine: one code, or one substance in whatever strength and form."""
        if line.product.code == other.product.code:
            return True
        theirs = self._row(other)
        return bool(row and theirs and row.ingredient and row.ingredient == theirs.ingredient)


def own_words(line: Line) -> str:
    """Give the prescriber's words of a line, in the order of its dosages; empty where there are none."""
    return " ".join(dosage.text for dosage in line.dosages if dosage.text)


def differences(before: Line, now: Line) -> Iterator[Difference]:
    """Give what two lines of one medicine say differently."""
    for what, old, new in (
        ("Product", before.product.display, now.product.display),
        ("Directions", own_words(before), own_words(now)),
        ("Structured dose", _structure(before.dosages), _structure(now.dosages)),
        ("Quantity each supply", _quantity(before), _quantity(now)),
        ("Supplies", str(before.total_supplies), str(now.total_supplies)),
        ("Time between supplies", _interval(before), _interval(now)),
    ):
        if old != new:
            yield Difference(what=what, before=old or "not stated", now=new or "not stated")


def _structure(dosages: Sequence[Dosage]) -> str:
    said = words(dosages, spelt_date)
    return said if isinstance(said, str) else ""


def _quantity(line: Line) -> str:
    return amount_words(str(line.quantity))


def _interval(line: Line) -> str:
    if line.interval is None:
        return ""
    return f"{lexeme(line.interval.value)} {UNIT_WORDS[line.interval.unit]}{'s' * (line.interval.value != 1)}"
