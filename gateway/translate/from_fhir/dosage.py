"""FHIR R4 `Dosage` to the canonical dosage, one to one.

Every member is read or is an issue at its FHIRPath: a shape that is not understood stops the reading, because a
direction with a part missing is a different direction. Numbers keep their digits.

Source: FHIR R4 `Dosage` and `Timing`; mapping.md 6.2 and 8; dates are dates in London (mapping.md 8.2).
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.errors import Refusal
from gateway.domain.issue import Issue
from gateway.domain.prescription import (
    AsNeeded,
    Bounds,
    Dosage,
    Duration,
    MaxDose,
    Range,
    Rate,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity
from gateway.translate.from_fhir.element import Element
from gateway.translate.timing_words import DAY_WORDS, EVENT_WORDS, UNIT_WORDS
from gateway.wire.strict_json import JSON

_LONDON = ZoneInfo("Europe/London")
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d(\.\d{1,6})?"
_UNIT_BY_WORD = {word + plural: unit for unit, word in UNIT_WORDS.items() for plural in ("", "s")}
_Value = TypeVar("_Value")


def dosages(values: JSON, path: str = "dosageInstruction") -> tuple[Dosage, ...]:
    """Read a list of dosages.

    Args:
        values: the list, as strict JSON.
        path: its FHIRPath, for the issues.

    Returns:
        The dosages in the order sent.

    Raises:
        Refusal: with every issue found. Several dosages without `sequence` are TIMING_JOIN_MISSING, a hold: whether
            they apply together or in turn is not ours to choose.
    """
    if not isinstance(values, list) or not values:
        raise Refusal(
            Issue(code="STRUCTURE_INVALID", location=path, text="A list with at least one dosage is expected here.")
        )
    issues: list[Issue] = []
    read = [_dosage(Element(value, f"{path}[{index}]", issues)) for index, value in enumerate(values)]
    for index, value in enumerate(values):
        if len(values) > 1 and isinstance(value, dict) and "sequence" not in value:
            issues.append(
                Issue(
                    code="TIMING_JOIN_MISSING",
                    location=f"{path}[{index}]",
                    text="Give every one of several dosages its sequence.",
                )
            )
    if issues:
        raise Refusal(*issues)
    return tuple(read)


def dosage(value: JSON, path: str = "Dosage") -> Dosage:
    """Read one dosage.

    Args:
        value: the object, as strict JSON.
        path: its FHIRPath, for the issues.

    Raises:
        Refusal: with every issue found, those that hold included.
    """
    issues: list[Issue] = []
    read = _dosage(Element(value, path, issues))
    if issues:
        raise Refusal(*issues)
    return read


def _dosage(element: Element) -> Dosage:
    sequence = element.whole("sequence", least=0)
    dose, rate = _dose_and_rate(element)
    read = Dosage(
        sequence=1 if sequence is None else sequence,
        text=element.text("text"),
        method=_concept(element, "method"),
        dose=dose,
        rate=rate,
        timing=_within(element, "timing", _timing),
        as_needed=_as_needed(element),
        route=_concept(element, "route"),
        site=_concept(element, "site"),
        max_per_period=_within(element, "maxDosePerPeriod", _max_dose),
        max_per_administration=_within(element, "maxDosePerAdministration", _quantity),
        max_per_lifetime=_within(element, "maxDosePerLifetime", _quantity),
        additional=tuple(
            coding for child in element.children("additionalInstruction") if (coding := _coding_of(child)) is not None
        ),
        patient_instruction=element.text("patientInstruction"),
    )
    element.finish()
    return read


def _within(element: Element, name: str, read: Callable[[Element], _Value]) -> _Value | None:
    child = element.child(name)
    return None if child is None else read(child)


def _dose_and_rate(element: Element) -> tuple[Quantity | Range | None, Quantity | Range | Rate | None]:
    doses: list[Quantity | Range] = []
    rates: list[Quantity | Range | Rate] = []
    for child in element.children("doseAndRate"):
        child.value("type")  # ordered or calculated: how the one amount was arrived at, not another amount
        if dose := _dose(child):
            doses.append(dose)
        if rate := _rate(child):
            rates.append(rate)
        child.finish()
    if len(doses) > 1 or len(rates) > 1:
        element.report("DOSE_CONFLICT", "doseAndRate", "Send one dose and one rate for a dosage.")
    return (doses[0] if doses else None, rates[0] if rates else None)


def _dose(element: Element) -> Quantity | Range | None:
    name = element.one_of("doseQuantity", "doseRange")
    if name == "doseRange":
        return _within(element, name, _range)
    return _within(element, name, _quantity) if name else None


def _rate(element: Element) -> Quantity | Range | Rate | None:
    name = element.one_of("rateRatio", "rateRange", "rateQuantity")
    if name == "rateRatio":
        return _within(element, name, _ratio)
    if name == "rateRange":
        return _within(element, name, _range)
    return _within(element, name, _quantity) if name else None


def _quantity(element: Element) -> Quantity:
    value = element.decimal("value")
    if not element.has("value"):
        element.report("FIELD_MISSING", "value", "Send the amount's value.")
    unit = Coding(system=element.text("system"), code=element.text("code"), display=element.text("unit"))
    element.finish()
    return Quantity(value=value or Decimal(1), unit=unit)


def _range(element: Element) -> Range:
    read = Range(low=_within(element, "low", _quantity), high=_within(element, "high", _quantity))
    element.finish()
    return read


def _ratio(element: Element) -> Rate | None:
    amount, per = _within(element, "numerator", _quantity), _within(element, "denominator", _quantity)
    element.finish()
    if amount is None or per is None:
        element.report("FIELD_MISSING", "", "Send both the numerator and the denominator.")
        return None
    return Rate(amount=amount, per=per)


def _max_dose(element: Element) -> MaxDose | None:
    amount, within = _within(element, "numerator", _quantity), _within(element, "denominator", _duration)
    element.finish()
    if amount is None or within is None:
        element.report("FIELD_MISSING", "", "Send both the numerator and the denominator.")
        return None
    return MaxDose(amount=amount, within=within)


def _duration(element: Element) -> Duration | None:
    quantity = _quantity(element)
    by_word = _UNIT_BY_WORD.get(quantity.unit.display)
    by_code = next((unit for unit in TimeUnit if unit == quantity.unit.code), None)
    if by_word and by_code and by_word is not by_code:
        element.report("TIMING_CONFLICT", "unit", "The unit and its code are different lengths of time.")
    unit = by_code if quantity.unit.code else by_word
    if unit is None:
        element.report("UNIT_UNMAPPED", "code", "Send a UCUM unit of time: s, min, h, d, wk, mo or a.")
        return None
    return Duration(value=quantity.value, unit=unit)


def _concept(element: Element, name: str) -> Coding | None:
    return _within(element, name, _coding_of)


def _coding_of(element: Element) -> Coding | None:
    """Take one coding of a CodeableConcept: SNOMED CT where it is among them; its display, else the concept's text."""
    text = element.text("text")
    codings = [_coding(child) for child in element.children("coding")]
    element.finish()
    chosen = sorted(codings, key=lambda coding: coding.system != SNOMED)[:1]
    if any(other.system == chosen[0].system and other.code != chosen[0].code for other in codings):
        element.report("FIELD_NOT_UNDERSTOOD", "coding", "Two different codes of one system are sent; send one.")
    if not chosen:
        return Coding(display=text) if text else None
    coding = chosen[0]
    return Coding(system=coding.system, code=coding.code, display=coding.display or text)


def _coding(element: Element) -> Coding:
    read = Coding(system=element.text("system"), code=element.text("code"), display=element.text("display"))
    element.value("version")
    element.value("userSelected")
    element.finish()
    return read


def _as_needed(element: Element) -> AsNeeded | None:
    name = element.one_of("asNeededCodeableConcept", "asNeededBoolean")
    if name == "asNeededBoolean":
        return AsNeeded() if element.boolean(name) else None
    concept = element.child(name) if name else None
    if concept is None:
        return None
    text = concept.text("text")
    codings = tuple(_coding(child) for child in concept.children("coding"))
    concept.finish()
    return AsNeeded(reasons=codings or ((Coding(display=text),) if text else ()))


def _timing(element: Element) -> Timing:
    on_dates = tuple(
        day
        for index, text in enumerate(element.texts("event"))
        if (day := _date(element, f"event[{index}]", text, whole_days=True))
    )
    code = _concept(element, "code")
    repeat = element.child("repeat")
    element.finish()
    return Timing(on_dates=on_dates, code=code) if repeat is None else _repeat(repeat, on_dates, code)


def _repeat(element: Element, on_dates: tuple[date, ...], code: Coding | None) -> Timing:
    read = Timing(
        frequency=element.whole("frequency"),
        frequency_max=element.whole("frequencyMax"),
        period=element.decimal("period"),
        period_max=element.decimal("periodMax"),
        period_unit=_time_unit(element, "periodUnit"),
        day_of_week=_codes(element, "dayOfWeek", DAY_WORDS),
        time_of_day=_times(element),
        when=_codes(element, "when", EVENT_WORDS),
        offset_minutes=element.whole("offset", least=0),
        administer_over=_over(element, "duration"),
        administer_over_max=_over(element, "durationMax"),
        count=element.whole("count"),
        count_max=element.whole("countMax"),
        bounds=_bounds(element),
        on_dates=on_dates,
        code=code,
    )
    _check_units(element, read)
    element.finish()
    return read


def _check_units(element: Element, read: Timing) -> None:
    """A number of periods or a duration needs its unit (rules tim-1 and tim-2), and an offset its event (tim-9)."""
    if (read.period or read.period_max) and not element.has("periodUnit"):
        element.report("FIELD_MISSING", "periodUnit", "Send the unit of the period.")
    if read.offset_minutes is not None and not read.when:
        element.report("TIMING_CONFLICT", "offset", "Send the event that the offset is counted from.")


def _time_unit(element: Element, name: str) -> TimeUnit | None:
    text = element.text(name)
    unit = next((unit for unit in TimeUnit if unit == text), None)
    if text and unit is None:
        element.report("VALUE_INVALID", name, "Send s, min, h, d, wk, mo or a.")
    return unit


def _over(element: Element, name: str) -> Duration | None:
    value = element.decimal(name)
    if value is None:
        return None
    unit = _time_unit(element, "durationUnit")
    if unit is None and not element.has("durationUnit"):
        element.report("FIELD_MISSING", "durationUnit", "Send the unit of the duration.")
    return Duration(value=value, unit=unit) if unit else None


def _codes(element: Element, name: str, known: dict[str, str]) -> tuple[str, ...]:
    codes = tuple(element.texts(name))
    if any(code not in known for code in codes):
        element.report("TIMING_UNMAPPED", name, "Send codes of the FHIR value set for this element.")
    return codes


def _times(element: Element) -> tuple[time, ...]:
    texts = element.texts("timeOfDay")
    try:
        times = tuple(time.fromisoformat(text) for text in texts if re.fullmatch(_TIME, text, re.ASCII))
    except ValueError:
        times = ()
    if len(times) < len(texts):
        element.report("VALUE_INVALID", "timeOfDay", "Send times as hh:mm:ss.")
    return times


def _bounds(element: Element) -> Bounds | None:
    name = element.one_of("boundsDuration", "boundsRange", "boundsPeriod")
    if name == "boundsDuration":
        return Bounds(duration=_within(element, name, _duration))
    child = element.child(name) if name else None
    if child is None:
        return None
    if name == "boundsRange":
        read = Bounds(duration=_within(child, "low", _duration), duration_high=_within(child, "high", _duration))
    else:
        read = Bounds(start=_end(child, "start"), end=_end(child, "end"))
    child.finish()
    return read


def _end(element: Element, name: str) -> date | None:
    text = element.text(name)
    return _date(element, name, text, whole_days=False) if text else None


def _date(element: Element, name: str, text: str, *, whole_days: bool) -> date | None:
    """Read a dateTime as the date in London; a dose on a date may not lose a time of day."""
    try:
        if re.fullmatch(_DATE, text, re.ASCII):
            return date.fromisoformat(text)
        if re.fullmatch(rf"{_DATE}T{_TIME}(Z|[+-]\d\d:\d\d)", text, re.ASCII):
            moment = datetime.fromisoformat(text).astimezone(_LONDON)
            if whole_days and moment.time() != time():
                element.report("FIELD_NOT_UNDERSTOOD", name, "Send a date here, and its time as timeOfDay.")
            return moment.date()
    except ValueError:
        pass
    element.report("VALUE_INVALID", name, "Send a whole date, or a date and time with its zone.")
    return None
