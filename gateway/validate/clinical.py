"""Homecare rules on the prescription: law first, then what a pharmacist would send back.

Every rule looks at canonical values and gathers what it finds; none stops the next. Nothing is mended: a value is
accepted, held for a person, or refused.

Source: HMR 2012 reg 217 and 219; domain.md 5; mapping.md 2.3, 8.3, 8.5; brief D8, D14.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.domain.identifiers import LICENSED, Register
from gateway.domain.issue import Issue
from gateway.domain.partner import SignaturePolicy, Trust
from gateway.domain.prescription import (
    NEVER_ELECTRONIC,
    Bounds,
    CourseOfTherapy,
    Dosage,
    Line,
    Prescription,
    ProductLevel,
    Range,
    Timing,
)
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow, Reference
from gateway.domain.signature import PrescriberVerdict, Standing
from gateway.domain.validity import endings
from gateway.validate.directions import line_doubts
from gateway.validate.unseen import unseen
from gateway.validate.words.no_dose import says_no_dose

MOST_LINES = 4
"""Items in one prescription; eps.md 5.8."""
AGE_TO_STATE = 12
"""Under this age the prescription must state it; HMR 2012 reg 217."""
OLDEST = 125
"""Years; nobody has grown older. Older dates stand for one that is not known."""
LONGEST_VALIDITY_MONTHS = 12
AHEAD = timedelta(hours=24)
"""How far in the future a prescription may be dated; mapping.md 3.4."""
MOST_SUPPLIES = 99
MOST_SUPPLY_DAYS = 366

_LONDON = ZoneInfo("Europe/London")
_IDENTIFIES = (*LICENSED, Register.PROFESSIONAL, Register.CONSULTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the rules may see.

    Attributes:
        locate: canonical path to the sender's own place.
        now: when the gateway received the submission.
        signature: the verdict on the prescriber's signature, if there is one.
    """

    prescription: Prescription
    trust: Trust
    reference: Reference
    now: datetime
    locate: Callable[[str], str]
    signature: PrescriberVerdict | None = None

    def issue(self, code: str, path: str, text: str) -> Issue:
        """Make an issue about a canonical path, located in the sender's terms."""
        return Issue(code=code, location=self.locate(path), text=text)


def check_prescription(seen: Findings) -> Iterator[Issue]:
    """Give every issue of the prescription and its lines."""
    yield from _people(seen)
    yield from _dates(seen)
    yield from _signature(seen)
    value = seen.prescription
    if len(value.lines) > MOST_LINES:
        text = f"The prescription has {len(value.lines)} items; at most {MOST_LINES} are allowed."
        yield seen.issue("TOO_MANY_ITEMS", f"lines[{MOST_LINES}]", text)
    yield from _twice(seen)
    for index, line in enumerate(value.lines):
        at = f"lines[{index}]"
        yield from _controlled(seen, line, at)
        yield from _product(seen, line, at)
        yield from _supplies(seen, line, at)
        yield from _directions(seen, line, at)


def _twice(seen: Findings) -> Iterator[Issue]:
    """Hold a line that orders again what another line of the prescription orders: the same product and directions."""
    lines = seen.prescription.lines
    for index, line in enumerate(lines):
        if any(_same_order(line, earlier) for earlier in lines[:index]):
            text = "Two lines order the same product with the same directions; send one, or say how they differ."
            yield seen.issue("POSSIBLE_DUPLICATE", f"lines[{index}].product.code", text)


def _same_order(line: Line, other: Line) -> bool:
    return (line.product.code, line.dosages) == (other.product.code, other.dosages)


def _people(seen: Findings) -> Iterator[Issue]:
    patient = seen.prescription.patient
    authored = _london(seen.prescription.authored)
    if patient.birth_date > authored:
        yield seen.issue("VALUE_INVALID", "patient.birth_date", "The date of birth is after the prescription's date.")
    elif _age(patient.birth_date, authored) > OLDEST:
        text = f"The date of birth is more than {OLDEST} years ago; send the real one."
        yield seen.issue("VALUE_INVALID", "patient.birth_date", text)
    elif _age(patient.birth_date, authored) < AGE_TO_STATE and not patient.stated_age:
        yield seen.issue("AGE_REQUIRED_UNDER_12", "patient.birth_date", "The patient is under 12; state the age.")
    yield from _addresses(seen)
    numbers = {number.register for number in seen.prescription.prescriber.ids}
    if not numbers.intersection(_IDENTIFIES):
        text = "The prescriber has no registration number."
        yield seen.issue("PRESCRIBER_REQUIRED", "prescriber", text)
    if len([one for one in seen.prescription.prescriber.ids if one.register in LICENSED]) > 1:
        text = "The prescriber has more than one registration number; send the one prescribed under."
        yield seen.issue("PRESCRIBER_AMBIGUOUS", "prescriber.ids", text)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _addresses(seen: Findings) -> Iterator[Issue]:
    home = seen.prescription.patient.address
    delivery = seen.prescription.homecare.delivery
    deliver_to = delivery.address if delivery else None
    if not any(home.lines) and not home.no_fixed_abode:
        yield seen.issue("ADDRESS_REQUIRED", "patient.address", "The patient's address is missing.")
    if deliver_to and (deliver_to.no_fixed_abode or not any(deliver_to.lines)):
        text = "The delivery address cannot be found by a van."
        yield seen.issue("DELIVERY_ADDRESS_UNUSABLE", "homecare.delivery.address", text)
    elif deliver_to is None and home.no_fixed_abode:
        text = "The patient has no fixed abode; state a delivery address."
        yield seen.issue("DELIVERY_ADDRESS_UNUSABLE", "patient.address.postcode", text)


def _dates(seen: Findings) -> Iterator[Issue]:
    value = seen.prescription
    authored = _london(value.authored)
    if value.authored > seen.now + AHEAD:
        yield seen.issue("AUTHORED_IN_FUTURE", "authored", "The prescription is dated in the future.")
    for ending in endings(value, seen.reference.products):
        if ending.moment < seen.now:
            yield seen.issue("EXPIRED", ending.path, ending.text)
    if value.valid_to is None:
        return
    if value.valid_to < (value.valid_from or authored):
        yield seen.issue("VALUE_INVALID", "valid_to", "The validity ends before it begins.")
    if value.valid_to > months_after(authored, LONGEST_VALIDITY_MONTHS):
        yield seen.issue("VALIDITY_TOO_LONG", "valid_to", f"The validity exceeds {LONGEST_VALIDITY_MONTHS} months.")


def _london(moment: datetime) -> date:
    """Give the London date: the appropriate date is a date, not an instant (domain.md 5, Time)."""
    return moment.astimezone(_LONDON).date()


def months_after(day: date, months: int) -> date:
    """Give the same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    first_of_next = date(day.year + years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(day.year + years, month + 1, min(day.day, last))


def _signature(seen: Findings) -> Iterator[Issue]:
    """Apply the trust's policy (D8): where a signature is required, none refuses and an unverified one holds.

    One that is wrong refuses whatever the policy.
    """
    required = seen.trust.signature_policy is SignaturePolicy.REQUIRED
    verdict = seen.signature
    if seen.prescription.signature is None:
        if required:
            yield seen.issue("SIGNATURE_MISSING", "signature", "The prescription is not signed.")
    elif verdict is not None and verdict.standing is Standing.INVALID:
        yield seen.issue("SIGNATURE_INVALID", "signature", f"The prescriber's signature: {verdict.text}.")
    elif required and (verdict is None or verdict.standing is not Standing.VALID):
        why = verdict.text if verdict else "it was not looked at"
        yield seen.issue("SIGNATURE_UNVERIFIED", "signature", f"The prescriber's signature is not verified: {why}.")


def _controlled(seen: Findings, line: Line, at: str) -> Iterator[Issue]:
    """Refuse Schedules 1 to 3 by what is stated and by what is known of the product, whichever says so (D14)."""
    row = seen.reference.products.get(line.product.code.value)
    known = row.schedule if row else None
    if line.schedule in NEVER_ELECTRONIC or known in NEVER_ELECTRONIC:
        path = f"{at}.schedule" if line.schedule in NEVER_ELECTRONIC else f"{at}.product.code"
        text = "A controlled drug of Schedule 1 to 3 cannot leave this gateway; prescribe it on paper or by EPS."
        yield seen.issue("CD_SCHEDULE_NOT_ALLOWED", path, text)
    elif row and not row.schedule_known:
        text = "The controlled-drug schedule of this product is not known here."
        yield seen.issue("CD_SCHEDULE_UNKNOWN", f"{at}.product.code", text)
    elif row and line.schedule and line.schedule is not known:
        text = "The schedule stated is not the product's."
        yield seen.issue("CD_SCHEDULE_CONFLICT", f"{at}.schedule", text)


def _product(seen: Findings, line: Line, at: str) -> Iterator[Issue]:
    path = f"{at}.product.code"
    row = seen.reference.products.get(line.product.code.value)
    if row is None:
        text = f"The code is not in release {seen.reference.release}."
        yield seen.issue("DRUG_UNKNOWN", path, text)
        return
    if row.level is ProductLevel.VTM:
        yield seen.issue("VTM_NEEDS_PRODUCT", path, "The code names a substance, not a product.")
    elif row.level is not line.product.level:
        yield seen.issue("PRODUCT_LEVEL_MISMATCH", path, "The level stated is not the level of the code.")
    elif _needs_brand(row, line):
        yield seen.issue("BRAND_REQUIRED", path, "This product must be prescribed by brand.")


def _needs_brand(row: ProductRow, line: Line) -> bool:
    generic = row.level in {ProductLevel.VMP, ProductLevel.VMPP}
    return generic and (row.biologic or line.product.brand_required)


def _supplies(seen: Findings, line: Line, at: str) -> Iterator[Issue]:
    if line.quantity.value <= 0:
        yield seen.issue("VALUE_INVALID", f"{at}.quantity.value", "The quantity must be above nought.")
    if not 1 <= line.total_supplies <= MOST_SUPPLIES:
        text = f"The number of supplies must be between 1 and {MOST_SUPPLIES}."
        yield seen.issue("VALUE_INVALID", f"{at}.total_supplies", text)
    if line.days_per_supply is not None and not 1 <= line.days_per_supply <= MOST_SUPPLY_DAYS:
        text = f"The days of one supply must be between 1 and {MOST_SUPPLY_DAYS}."
        yield seen.issue("VALUE_INVALID", f"{at}.days_per_supply", text)
    if seen.prescription.course is CourseOfTherapy.ACUTE and line.total_supplies > 1:
        text = "An acute prescription has one supply, and more are stated."
        yield seen.issue("REPEATS_CONFLICT", f"{at}.total_supplies", text)


def _directions(seen: Findings, line: Line, at: str) -> Iterator[Issue]:
    if not line.dosages:
        yield seen.issue("DOSE_MISSING", f"{at}.dosages", "The directions are missing.")
    for index, dosage in enumerate(line.dosages):
        yield from _dosage(seen, dosage, f"{at}.dosages[{index}]")
    for path in unseen(line, at):
        text = "The words hold characters that cannot be seen, or that turn the order of reading."
        yield seen.issue("TEXT_UNSEEN_CHARACTERS", path, text)
    row = seen.reference.products.get(line.product.code.value)
    first = seen.prescription.valid_from or _london(seen.prescription.authored)
    for doubt in line_doubts(line, row, first, seen.prescription.valid_to):
        yield replace(
            seen.issue(doubt.code, f"{at}.{doubt.at}", doubt.text), values=doubt.values, escalated=doubt.escalated
        )


def _dosage(seen: Findings, dosage: Dosage, at: str) -> Iterator[Issue]:
    if dosage.text and says_no_dose(dosage.text):
        yield seen.issue("TEXT_NOT_A_DOSE", f"{at}.text", "The directions do not state a dose.")
    for path, amount in _amounts(dosage, at):
        if amount.value <= 0:
            yield seen.issue("VALUE_INVALID", f"{path}.value", "An amount must be above nought.")
    for part, name in ((dosage.dose, "dose"), (dosage.rate, "rate")):
        if isinstance(part, Range) and _upside_down(part):
            text = "The lower end is above the upper, or in another unit."
            yield seen.issue("VALUE_INVALID", f"{at}.{name}", text)
    if dosage.timing:
        yield from _timing(seen, dosage.timing, f"{at}.timing")


def _amounts(dosage: Dosage, at: str) -> Iterator[tuple[str, Quantity]]:
    for part, name in ((dosage.dose, "dose"), (dosage.rate, "rate")):
        if isinstance(part, Quantity):
            yield f"{at}.{name}", part
        elif isinstance(part, Range):
            yield from ((f"{at}.{name}.{end}", side) for end, side in (("low", part.low), ("high", part.high)) if side)
        elif part is not None:
            yield f"{at}.{name}.amount", part.amount
            if part.per:
                yield f"{at}.{name}.per", part.per
    if dosage.max_per_period:
        yield f"{at}.max_per_period.amount", dosage.max_per_period.amount


def _upside_down(value: Range) -> bool:
    low, high = value.low, value.high
    return bool(low and high) and (low.unit.code != high.unit.code or low.value > high.value)  # type: ignore[union-attr]


def _timing(seen: Findings, timing: Timing, at: str) -> Iterator[Issue]:
    numbers: tuple[tuple[str, int | Decimal | None], ...] = (
        ("frequency", timing.frequency),
        ("frequency_max", timing.frequency_max),
        ("period", timing.period),
        ("period_max", timing.period_max),
        ("count", timing.count),
        ("count_max", timing.count_max),
    )
    for name, number in numbers:
        if number is not None and number <= 0:
            yield seen.issue("VALUE_INVALID", f"{at}.{name}", "A number of times must be above nought.")
    over, over_max = timing.administer_over, timing.administer_over_max
    if over and over_max and over.unit is not over_max.unit:
        yield seen.issue("TIMING_CONFLICT", f"{at}.administer_over", "The two durations are in different units.")
    if timing.bounds:
        yield from _bounds(seen, timing.bounds, f"{at}.bounds")


def _bounds(seen: Findings, bounds: Bounds, at: str) -> Iterator[Issue]:
    if bounds.start and bounds.end and bounds.end < bounds.start:
        yield seen.issue("VALUE_INVALID", f"{at}.end", "The end is before the start.")
    if (bounds.start or bounds.end) and (bounds.duration or bounds.duration_high):
        yield seen.issue("TIMING_CONFLICT", f"{at}.duration", "Dates and a length are both stated; send one of them.")
