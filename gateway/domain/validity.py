"""Until when a prescription may be supplied from, and until when a supply of it may begin.

The door, the seal and whatever reads an order again ask the same rules here, so that none of them takes what another
stops. Days are those of the United Kingdom's calendar: HMR 2012 reg 217 counts from the *appropriate date* and in
months, and says no hour, so the day of the signature and the end of the last day are London's, whatever offset the
sender's clock states.

Source: HMR 2012 reg 217; mapping.md 8.5; reliability-security.md 6.2 (`nva`); DECISIONS 0074, 0076.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from gateway.domain.calendar import LONDON
from gateway.domain.prescription import ControlledSchedule, Prescription
from gateway.domain.reference import ProductRow

VALID_MONTHS: Final = 6
VALID_DAYS_SCHEDULE_4: Final = 28
_LATEST_DAY: Final = 28
"""Six months end no later than this day of their month: early rather than late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One rule that ends the time in which the supply of a prescription may begin.

    Attributes:
        last: the last day of it, in London.
        path: canonical path of what the sender said that decides it.
        text: what is wrong with an order that comes later, in words without patient data.
    """

    last: date
    path: str
    text: str

    @property
    def moment(self) -> datetime:
        """The last second of the last day, in London's zone."""
        return datetime.combine(self.last, time(23, 59, 59), LONDON)


def not_valid_after(prescription: Prescription) -> datetime:
    """Give the moment after which nothing of the prescription may be supplied: the last second of a London day.

    Six months from the appropriate date, or the end of the stated validity where that is sooner.

    Returns:
        23:59:59 of the last day, in London's zone.

    Source:
        HMR 2012 reg 217; DECISIONS 0074.
    """
    return min(ending.moment for ending in _of_supply(prescription))


def not_begun_after(prescription: Prescription, products: Mapping[str, ProductRow]) -> datetime:
    """Give the moment after which no supply may begin, and a provider must refuse the order's message.

    Never later than `not_valid_after`; sooner where a line is a controlled drug, by what is stated or known of it.

    Args:
        prescription: as read.
        products: dm+d code to row, as of the release in force.

    Returns:
        23:59:59 of the last day, in London's zone.

    Source:
        mapping.md 8.5 (first issue); reliability-security.md 6.2 (`nva`); DECISIONS 0076.
    """
    return min(ending.moment for ending in endings(prescription, products))


def endings(prescription: Prescription, products: Mapping[str, ProductRow]) -> Iterator[Ending]:
    """Give every rule that ends the time in which a supply may begin; the soonest decides."""
    yield from _of_supply(prescription)
    if any(_is_schedule_4(line.schedule, products.get(line.product.code.value)) for line in prescription.lines):
        yield Ending(
            last=_signed(prescription) + timedelta(days=VALID_DAYS_SCHEDULE_4),
            path="authored",
            text=f"A Schedule 4 prescription is valid for {VALID_DAYS_SCHEDULE_4} days.",
        )


def _of_supply(prescription: Prescription) -> Iterator[Ending]:
    months = f"The prescription is older than {VALID_MONTHS} months"
    yield Ending(
        last=_months_on(_signed(prescription)),
        path="authored",
        text=f"{months}, which end on the {_LATEST_DAY}th of a month at the latest.",
    )
    if prescription.valid_to:
        yield Ending(last=prescription.valid_to, path="valid_to", text="The validity of the prescription is over.")


def _signed(prescription: Prescription) -> date:
    return prescription.authored.astimezone(LONDON).date()


def _months_on(signed: date) -> date:
    years, month = divmod(signed.month - 1 + VALID_MONTHS, 12)
    return date(signed.year + years, month + 1, min(signed.day, _LATEST_DAY))


def _is_schedule_4(stated: ControlledSchedule | None, row: ProductRow | None) -> bool:
    return ControlledSchedule.CD4 in {stated, row.schedule if row else None}
