"""RXE-19, the total of one day: compared with dose and frequency, and never carried.

It is a sum and not a limit. Where the dose is not for every day, senders write what is taken on a day of it.

Source: HL7 v2.5.1 4.14.4.19; mapping.md 3.4 (RXE-19: sum check only).
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from gateway.domain.prescription import Dosage, TimeUnit
from gateway.domain.quantity import Quantity, parse_decimal
from gateway.domain.reference import ProductRow
from gateway.translate.from_hl7v2.amounts import unit
from gateway.translate.from_hl7v2.coded import coded_within
from gateway.translate.from_hl7v2.desk import Desk
from gateway.wire.er7 import Segment

_PERIODS = {TimeUnit.DAY: Decimal(24), TimeUnit.HOUR: Decimal(1)}
"""Hours of the units in which a number of times a day can be counted."""


def check_daily_total(desk: Desk, rxe: Segment | None, dosages: Sequence[Dosage], row: ProductRow | None) -> None:
    """Hold a daily total that is neither the sum of a day nor one dose; what cannot be reckoned is not compared."""
    repetition = desk.one(rxe, 19)
    leaf = desk.leaf(repetition)
    total = parse_decimal(leaf.raw) if leaf else None
    if leaf is None or not total:
        return
    aside = desk.aside()
    sent = unit(aside, coded_within(aside, repetition, 2), "", row)
    steps = [list(step) for _, step in groupby(dosages, key=lambda dosage: dosage.sequence)]
    days = [_day(step) for step in steps]
    doses = [dosage.dose for dosage in dosages if isinstance(dosage.dose, Quantity)]
    if not doses or None in days or any(sent is not None and sent.code != dose.unit.code for dose in doses):
        return
    if total not in {*days, *(dose.value for dose in doses)}:
        text = "The daily total is not what the dose and the frequency make."
        desk.flag("DOSE_CONFLICT", leaf.locator, text, (leaf.raw, " or ".join(f"{day:f}" for day in days if day)))


def _day(step: Sequence[Dosage]) -> Decimal | None:
    """Give what one day of dosages that apply together makes; None where one of them does not say."""
    parts = [_part(dosage) for dosage in step]
    return sum((part for part in parts if part is not None), Decimal(0)) if None not in parts else None


def _part(dosage: Dosage) -> Decimal | None:
    timing, dose = dosage.timing, dosage.dose
    if timing is None or not isinstance(dose, Quantity) or timing.frequency is None or timing.frequency_max:
        return None
    if timing.period is None or timing.period_max or timing.period_unit is None:
        return None
    hours = _PERIODS.get(timing.period_unit)
    if hours is None or timing.day_of_week or timing.period * hours > _PERIODS[TimeUnit.DAY]:
        return dose.value
    return dose.value * timing.frequency * _PERIODS[TimeUnit.DAY] / (timing.period * hours)
