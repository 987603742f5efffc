"""English directions from a structured dosage, or the reason why there are none.

Words are made only where the prescriber gave none (mapping.md 0.6), and never guessed: an element without words, a
part that contradicts another or an amount of nought gives no words at all, so that no direction is ever read without
one of its parts.

Order of parts: method, then joined by " - ": dose, rate, over duration, frequency and period, offset and when, day and
time, route, site, as required, bounds, count, dates, limits per period, per dose and per lifetime, additional
instructions, patient instruction. Dosages of the same sequence are joined by ", and ", of the next by ", then ".

Source: mapping.md 8.1 and 8.2; the NHS dose syntax guide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.prescription import AsNeeded, Dosage, MaxDose, Range, Rate, Timing
from gateway.domain.quantity import Quantity
from gateway.translate import timing_words as timings
from gateway.translate.timing_words import Unsayable, listed, number

_BY_MOUTH = "26643006"
_TAKING = frozenset({"take", "swallow", "chew", "drink", "suck"})
_TIME_WORDS = frozenset(timings.UNIT_WORDS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWords:
    """The dosage has no generated words; the prescriber's own are needed.

    Attributes:
        reason: why, without patient data.
    """

    reason: str


def words(dosages: Sequence[Dosage], say: Callable[[date], str] = timings.on_date) -> str | NoWords:
    """Put structured dosages into English directions.

    Args:
        dosages: in any order; they are read by `sequence`, and those of one sequence in the order given.
        say: gives a date in words; by itself as the message bears it.

    Returns:
        The directions, or `NoWords` when any part of any dosage cannot be said.

    Raises:
        Nothing.

    Source:
        mapping.md 8.1.
    """
    if not dosages:
        return NoWords(reason="there is no dosage to put into words")
    ordered = sorted(dosages, key=lambda dosage: dosage.sequence)
    try:
        steps = [
            ", and ".join(_dosage(dosage, say) for dosage in together)
            for _, together in groupby(ordered, key=lambda dosage: dosage.sequence)
        ]
    except Unsayable as why:
        return NoWords(reason=str(why))
    return ", then ".join(steps)


def _dosage(dosage: Dosage, say: Callable[[date], str]) -> str:
    method = _coded("method", dosage.method)
    rest = " - ".join(part for part in _parts(dosage, say) if part)
    said = " ".join(part for part in (method, rest) if part)
    if not said:
        raise Unsayable("nothing is structured; the prescriber's own text stands alone")
    return said


def _parts(dosage: Dosage, say: Callable[[date], str]) -> tuple[str, ...]:
    timing = dosage.timing or Timing()
    return (
        _dose(dosage.dose),
        _rate(dosage.rate),
        *_when(timing),
        _coded("route", dosage.route),
        _coded("site", dosage.site),
        _as_needed(dosage.as_needed),
        timings.bounds(timing.bounds, say),
        _count(dosage, timing),
        timings.events(timing, say),
        _max_per_period(dosage.max_per_period),
        _at_most(dosage.max_per_administration, "per dose"),
        _at_most(dosage.max_per_lifetime, "for the lifetime of the patient"),
        listed([_coded("additional instruction", instruction) for instruction in dosage.additional]),
        dosage.patient_instruction.strip(),
    )


def _when(timing: Timing) -> tuple[str, ...]:
    parts = (
        timings.over(timing),
        timings.frequency(timing),
        timings.offset_and_when(timing),
        timings.day_and_time(timing),
    )
    if timing.code is not None and not any((*parts, timing.on_dates, timing.count)):
        raise Unsayable("the timing is a code alone")
    return parts


def _coded(element: str, coding: Coding | None) -> str:
    if coding is None:
        return ""
    if not coding.display.strip():
        raise Unsayable(f"the {element} has a code and no words")
    return coding.display.strip()


def _unit(quantity: Quantity) -> str:
    if not quantity.unit.display.strip():
        raise Unsayable("an amount has no words for its unit")
    return quantity.unit.display.strip()


def _amount(quantity: Quantity) -> str:
    return f"{number(quantity.value)} {_unit(quantity)}"


def _dose(dose: Quantity | Range | None) -> str:
    if isinstance(dose, Range):
        return _range(dose)
    return _amount(dose) if dose else ""


def _range(between: Range) -> str:
    low, high = between.low, between.high
    if low and high:
        if _unit(low) != _unit(high):
            return f"{_amount(low)} to {_amount(high)}"
        if high.value < low.value:
            raise Unsayable("the highest amount is below the lowest")
        return f"{number(low.value)} to {_amount(high)}"
    if low:
        return f"at least {_amount(low)}"
    if high:
        return f"up to {_amount(high)}"
    raise Unsayable("a range has neither end")


def _rate(rate: Quantity | Range | Rate | None) -> str:
    if rate is None:
        return ""
    if isinstance(rate, Rate):
        return f"at a rate of {_amount(rate.amount)} {_per(rate.per)}"
    return f"at a rate of {_dose(rate)}"


def _per(quantity: Quantity | None) -> str:
    if quantity is None:
        raise Unsayable("a rate has no time")
    if number(quantity.value) == "1":
        return f"per {_unit(quantity)}"
    plural = "s" if _unit(quantity) in _TIME_WORDS else ""
    return f"every {_amount(quantity)}{plural}"


def _as_needed(as_needed: AsNeeded | None) -> str:
    if as_needed is None:
        return ""
    reasons = listed([_coded("reason for use", reason) for reason in as_needed.reasons])
    return f"as required for {reasons}" if reasons else "as required"


def _count(dosage: Dosage, timing: Timing) -> str:
    said = timings.count(timing)
    if said and not _is_taken(dosage):
        raise Unsayable("a count of doses can be said only of a medicine taken by mouth")
    return said


def _is_taken(dosage: Dosage) -> bool:
    """Whether "take" is right: by mouth, and no method that says otherwise."""
    route = dosage.route
    by_mouth = route is not None and route.system in {"", SNOMED} and route.code == _BY_MOUTH
    return by_mouth and (dosage.method is None or dosage.method.display.strip().lower() in _TAKING)


def _max_per_period(limit: MaxDose | None) -> str:
    return f"up to a maximum of {_amount(limit.amount)} in {timings.length(limit.within)}" if limit else ""


def _at_most(limit: Quantity | None, scope: str) -> str:
    return f"up to a maximum of {_amount(limit)} {scope}" if limit else ""
