"""`Dosage`: the prescriber's words and the whole structure, one to one.

Words are the prescriber's own wherever they gave any. Where they wrote once for the whole line, the words stand on the
first dosage, and each further dosage says that it is a part of those directions, so that nobody adds the two up.

Source: FHIR R4 Dosage and Timing; mapping.md 0.6, 8.1; eps.md 2.8.
"""

from collections.abc import Sequence

from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Line, MaxDose, Range, Rate, Timing
from gateway.domain.quantity import Quantity
from gateway.translate.dose_words import NoWords, words
from gateway.translate.to_fhir.datatypes import (
    amount_range,
    coding,
    concept,
    concepts,
    day,
    duration,
    quantity,
    time_quantity,
)
from gateway.translate.to_fhir.leaves import Element, Leaf, Node, rule


def instructions(line: Line, at: str) -> list[Node]:
    """Write every dosage of a line, in the order sent."""
    several = len(line.dosages) > 1
    texts = _texts(line.dosages, f"{at}.dosages")
    return [
        {
            "sequence": _sequence(dosage, f"{at}.dosages[{index}].sequence", several=several),
            "text": texts[index],
            **_structure(dosage, f"{at}.dosages[{index}]"),
        }
        for index, dosage in enumerate(line.dosages)
    ]


def _sequence(dosage: Dosage, at: str, *, several: bool) -> Leaf | None:
    """Write the place of a dosage among several, the first included, which EPS wants stated (eps.md 2.8)."""
    if dosage.sequence == 1:
        return rule(1, "default.first-in-sequence") if several else None
    return (dosage.sequence, at)


def _texts(dosages: Sequence[Dosage], at: str) -> list[Leaf]:
    shared = len(dosages) > 1 and bool(dosages[0].text) and not any(dosage.text for dosage in dosages[1:])
    return [
        (dosage.text, f"{at}[{index}].text") if dosage.text else _made(dosage, index + 1 if shared else 0)
        for index, dosage in enumerate(dosages)
    ]


def _made(dosage: Dosage, part: int) -> Leaf:
    """Give words for a dosage without its own; nothing where none can be made, which the clinical check reports."""
    made = words([dosage])
    said = "" if isinstance(made, NoWords) else made
    if not part:
        return rule(said, "words.generated")
    lead = f"Part {part} of the directions written in part 1"
    return rule(f"{lead}: {said}" if said else lead, "words.part")


def _structure(dosage: Dosage, at: str) -> dict[str, Node]:
    return {
        "additionalInstruction": concepts(dosage.additional, f"{at}.additional"),
        "patientInstruction": (dosage.patient_instruction, f"{at}.patient_instruction"),
        "timing": _timing(dosage.timing, f"{at}.timing"),
        **_as_needed(dosage.as_needed, f"{at}.as_needed"),
        "site": concept(dosage.site, f"{at}.site"),
        "route": concept(dosage.route, f"{at}.route"),
        "method": concept(dosage.method, f"{at}.method"),
        "doseAndRate": [{**_dose(dosage.dose, f"{at}.dose"), **_rate(dosage.rate, f"{at}.rate")}],
        "maxDosePerPeriod": _max_per_period(dosage.max_per_period, f"{at}.max_per_period"),
        "maxDosePerAdministration": quantity(dosage.max_per_administration, f"{at}.max_per_administration"),
        "maxDosePerLifetime": quantity(dosage.max_per_lifetime, f"{at}.max_per_lifetime"),
    }


def _as_needed(value: AsNeeded | None, at: str) -> dict[str, Node]:
    """Write as required; several reasons are codings of one concept, as EPS words them (mapping.md 8.1)."""
    if value is None:
        return {}
    if not value.reasons:
        return {"asNeededBoolean": (True, at)}
    coded = [coding(reason, f"{at}.reasons[{index}]") for index, reason in enumerate(value.reasons) if reason.code]
    said = [(index, reason.display) for index, reason in enumerate(value.reasons) if not reason.code]
    text = (" and ".join(display for _, display in said), tuple(f"{at}.reasons[{index}].display" for index, _ in said))
    return {"asNeededCodeableConcept": {"coding": [*coded], "text": text}}


def _dose(value: Quantity | Range | None, at: str) -> dict[str, Node]:
    if isinstance(value, Range):
        return {"doseRange": amount_range(value, at)}
    return {"doseQuantity": quantity(value, at)}


def _rate(value: Quantity | Range | Rate | None, at: str) -> dict[str, Node]:
    if isinstance(value, Rate):
        if value.per is None:
            return {"rateQuantity": quantity(value.amount, f"{at}.amount")}
        ratio: Element = {
            "numerator": quantity(value.amount, f"{at}.amount"),
            "denominator": quantity(value.per, f"{at}.per"),
        }
        return {"rateRatio": ratio}
    if isinstance(value, Range):
        return {"rateRange": amount_range(value, at)}
    return {"rateQuantity": quantity(value, at)}


def _max_per_period(value: MaxDose | None, at: str) -> Element:
    if value is None:
        return None
    return {"numerator": quantity(value.amount, f"{at}.amount"), "denominator": duration(value.within, f"{at}.within")}


def _timing(value: Timing | None, at: str) -> Element:
    if value is None:
        return None
    return {
        "event": [day(on, f"{at}.on_dates[{index}]") for index, on in enumerate(value.on_dates)],
        "repeat": _repeat(value, at),
        "code": concept(value.code, f"{at}.code"),
    }


def _repeat(value: Timing, at: str) -> Element:
    over, over_max = value.administer_over, value.administer_over_max
    return {
        **_bounds(value.bounds, f"{at}.bounds"),
        "count": (value.count, f"{at}.count"),
        "countMax": (value.count_max, f"{at}.count_max"),
        "duration": (over.value, f"{at}.administer_over.value") if over else None,
        "durationMax": (over_max.value, f"{at}.administer_over_max.value") if over_max else None,
        "durationUnit": _duration_unit(value, at),
        "frequency": (value.frequency, f"{at}.frequency"),
        "frequencyMax": (value.frequency_max, f"{at}.frequency_max"),
        "period": (value.period, f"{at}.period"),
        "periodMax": (value.period_max, f"{at}.period_max"),
        "periodUnit": (value.period_unit.value, f"{at}.period_unit") if value.period_unit else None,
        "dayOfWeek": [(weekday, f"{at}.day_of_week[{index}]") for index, weekday in enumerate(value.day_of_week)],
        "timeOfDay": [
            (moment.isoformat(), f"{at}.time_of_day[{index}]") for index, moment in enumerate(value.time_of_day)
        ],
        "when": [(when, f"{at}.when[{index}]") for index, when in enumerate(value.when)],
        "offset": (value.offset_minutes, f"{at}.offset_minutes"),
    }


def _duration_unit(value: Timing, at: str) -> Leaf | None:
    """Write the one unit both durations share; the clinical check holds a line where they differ."""
    over, over_max = value.administer_over, value.administer_over_max
    units = [
        (said.unit.value, f"{at}.{where}.unit")
        for said, where in ((over, "administer_over"), (over_max, "administer_over_max"))
        if said
    ]
    return (units[0][0], tuple(path for _, path in units)) if units else None


def _bounds(value: Bounds | None, at: str) -> dict[str, Node]:
    if value is None:
        return {}
    if value.start or value.end:
        return {"boundsPeriod": {"start": day(value.start, f"{at}.start"), "end": day(value.end, f"{at}.end")}}
    if value.duration and value.duration_high:
        low, high = value.duration, value.duration_high
        return {
            "boundsRange": {
                "low": time_quantity(low.value, low.unit, f"{at}.duration.value", f"{at}.duration.unit"),
                "high": time_quantity(high.value, high.unit, f"{at}.duration_high.value", f"{at}.duration_high.unit"),
            }
        }
    if value.duration_high:
        return {"boundsRange": {"high": duration(value.duration_high, f"{at}.duration_high")}}
    return {"boundsDuration": duration(value.duration, f"{at}.duration")}
