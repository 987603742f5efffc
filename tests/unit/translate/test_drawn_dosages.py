"""Dosages drawn freely, every element of them, written and read again: the same prescription, in JSON and in XML.

A dosage here is anything that a reader can make; what it has no words for is written without. What FHIR has one element
for is drawn once: bounds are a period or a length, an event of the day or a time on the clock.
"""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.prescription import (
    AsNeeded,
    Bounds,
    Dosage,
    Duration,
    MaxDose,
    Prescription,
    Range,
    Rate,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity
from gateway.domain.submission import WireFormat
from gateway.pipeline.translate import read
from gateway.pipeline.translation import TranslatedOrder
from gateway.translate.timing_words import DAY_WORDS, EVENT_WORDS
from gateway.translate.to_fhir.message import write
from gateway.wire.strict_json import loads
from tests.fuzz.submissions import FHIR_XML, around, submission
from tests.hl7v2_orders import edited
from tests.unit.translate.test_there_and_back import GOLDEN, differences, read_again, translated

T = TypeVar("T")
S01 = (GOLDEN / "hl7v2/S01.hl7").read_bytes()
_UNITS = (
    Coding(system=UCUM, code="mg", display="milligram"),
    Coding(system=UCUM, code="mL", display="millilitre"),
    Coding(system=SNOMED, code="428673006", display="tablet"),
)
_ROUTES = (
    Coding(system=SNOMED, code="34206005", display="Subcutaneous route"),
    Coding(system=SNOMED, code="26643006", display="Oral route"),
)
_METHODS = (Coding(system=SNOMED, code="422145002", display="Inject"),)
_SITES = (Coding(system=SNOMED, code="818983003", display="Abdomen"),)
_SAID = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
_WORDS = st.lists(_SAID, min_size=1, max_size=4).map(" ".join)
_CODED = (
    Coding(system=SNOMED, code="422587007", display="Nausea"),
    Coding(system=SNOMED, code="422400008", display="Vomiting"),
)


def _maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


_numbers = st.builds(
    lambda whole, rest: Decimal(f"{whole}.{rest}" if rest else str(whole)),
    st.integers(1, 999),
    st.text("0123456789", max_size=4),
)
_quantities = st.builds(Quantity, value=_numbers, unit=st.sampled_from(_UNITS))
_durations = st.builds(Duration, value=_numbers, unit=st.sampled_from(list(TimeUnit)))


@st.composite
def _ranges(draw: st.DrawFn) -> Range:
    low, high = sorted((draw(_numbers), draw(_numbers)))
    unit = draw(st.sampled_from(_UNITS))
    ends = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    return Range(
        low=Quantity(value=low, unit=unit) if ends[0] else None,
        high=Quantity(value=high, unit=unit) if ends[1] else None,
    )


_days = st.dates(date(2026, 1, 1), date(2028, 12, 31))


@st.composite
def _bounds(draw: st.DrawFn) -> Bounds:
    match draw(st.sampled_from(["between", "from", "until", "for", "at most", "from to"])):
        case "between":
            start, end = sorted((draw(_days), draw(_days)))
            return Bounds(start=start, end=end)
        case "from":
            return Bounds(start=draw(_days))
        case "until":
            return Bounds(end=draw(_days))
        case "for":
            return Bounds(duration=draw(_durations))
        case "at most":
            return Bounds(duration_high=draw(_durations))
        case _:
            low, high = sorted((draw(_numbers), draw(_numbers)))
            unit = draw(st.sampled_from(list(TimeUnit)))
            return Bounds(duration=Duration(value=low, unit=unit), duration_high=Duration(value=high, unit=unit))


@st.composite
def _timings(draw: st.DrawFn) -> Timing:
    timing = Timing(
        bounds=draw(_maybe(_bounds())),
        on_dates=tuple(draw(st.lists(_days, max_size=3, unique=True))),
        day_of_week=tuple(draw(st.lists(st.sampled_from(sorted(DAY_WORDS)), max_size=3, unique=True))),
        code=draw(_maybe(st.sampled_from(_CODED) | st.builds(Coding, display=_WORDS))),
    )
    if draw(st.booleans()):
        least, most = sorted((draw(st.integers(1, 9)), draw(st.integers(1, 9))))
        timing = replace(timing, frequency=least, frequency_max=draw(st.sampled_from([None, most])))
    if draw(st.booleans()):
        low, high = sorted((draw(_numbers), draw(_numbers)))
        unit = draw(st.sampled_from(list(TimeUnit)))
        timing = replace(timing, period=low, period_max=draw(st.sampled_from([None, high])), period_unit=unit)
    if draw(st.booleans()):
        least, most = sorted((draw(st.integers(1, 99)), draw(st.integers(1, 99))))
        timing = replace(timing, count=least, count_max=draw(st.sampled_from([None, most])))
    if draw(st.booleans()):
        low, high = sorted((draw(_numbers), draw(_numbers)))
        unit = draw(st.sampled_from(list(TimeUnit)))
        most_of = draw(st.sampled_from([None, Duration(value=high, unit=unit)]))
        timing = replace(timing, administer_over=Duration(value=low, unit=unit), administer_over_max=most_of)
    if draw(st.booleans()):
        events = tuple(draw(st.lists(st.sampled_from(sorted(EVENT_WORDS)), min_size=1, max_size=3, unique=True)))
        return replace(timing, when=events, offset_minutes=draw(_maybe(st.integers(1, 600))))
    times = st.times(min_value=time(0), max_value=time(23, 59, 59)).map(lambda at: at.replace(microsecond=0))
    return replace(timing, time_of_day=tuple(draw(st.lists(times, max_size=3, unique=True))))


_dosages = st.builds(
    Dosage,
    text=st.just("") | _WORDS,
    method=_maybe(st.sampled_from(_METHODS)),
    dose=_maybe(_quantities | _ranges()),
    rate=_maybe(
        _quantities
        | _ranges()
        | st.builds(
            Rate,
            amount=_quantities,
            per=st.builds(
                Quantity, value=_numbers, unit=st.sampled_from([Coding(system=UCUM, code="h", display="hour")])
            ),
        )
    ),
    timing=_maybe(_timings()),
    as_needed=_maybe(
        st.just(AsNeeded())
        | st.builds(AsNeeded, reasons=st.lists(st.sampled_from(_CODED), min_size=1, unique=True).map(tuple))
        | st.builds(AsNeeded, reasons=st.tuples(st.builds(Coding, display=_WORDS)))
    ),
    route=_maybe(st.sampled_from(_ROUTES)),
    site=_maybe(st.sampled_from(_SITES)),
    max_per_period=_maybe(st.builds(MaxDose, amount=_quantities, within=_durations)),
    max_per_administration=_maybe(_quantities),
    max_per_lifetime=_maybe(_quantities),
    additional=st.lists(st.sampled_from(_CODED) | st.builds(Coding, display=_WORDS), max_size=2).map(tuple),
    patient_instruction=st.just("") | _WORDS,
).filter(lambda dosage: bool(dosage.text or dosage.dose))


@st.composite
def _directions(draw: st.DrawFn) -> tuple[Dosage, ...]:
    """Draw one to four dosages; their numbers rise, and may stand still."""
    drawn = draw(st.lists(_dosages, min_size=1, max_size=4))
    sequence, out = 1, []
    for dosage in drawn:
        out.append(replace(dosage, sequence=sequence))
        sequence += draw(st.integers(0, 1))
    return tuple(out)


@cache
def _order() -> TranslatedOrder:
    return translated(WireFormat.HL7V2, S01)


def _written(prescription: Prescription) -> bytes:
    order, world = _order(), around()
    sent = submission(WireFormat.HL7V2, S01)
    assert order.provider is not None
    return write(
        prescription,
        submission=sent,
        envelope=read(sent, world).envelope,
        trace=(),
        provider=order.provider,
        environment=world.environment,
        organisation=world.organisation,
        reference_release=world.reference.release,
    ).body


@settings(max_examples=60, deadline=None)
@given(_directions())
def test_dosages_are_the_same_there_and_back_in_both_forms(drawn: tuple[Dosage, ...]) -> None:
    original = _order().prescription
    assert original is not None
    (line,) = original.lines
    body = _written(replace(original, lines=(replace(line, dosages=drawn),)))
    resource = loads(body)
    assert isinstance(resource, dict)
    in_json, in_xml = read_again(body), read_again(fhir_xml().to_xml(resource), FHIR_XML)
    assert differences(in_json, in_xml) == {}
    again = in_json.lines[0].dosages
    assert len(again) == len(drawn)
    for one, two in zip(drawn, again, strict=True):
        made = replace(two, text="") if not one.text else two
        assert differences(_as_read(one), made) == {}


def _as_read(dosage: Dosage) -> Dosage:
    """An empty timing is none, and says nothing."""
    return replace(dosage, timing=None) if dosage.timing == Timing() else dosage


def _in_trust_xml(dosage: Dosage) -> Dosage:
    """Leave out what the trust's XML has no element for; its words stand once, on the item."""
    timing = dosage.timing
    if timing is not None:
        both = timing.frequency is not None and timing.period is not None
        bounds = timing.bounds
        timing = replace(
            timing,
            code=None,
            count_max=None,
            administer_over_max=None,
            bounds=None if bounds is None or bounds.duration_high else bounds,
        )
        if not both:
            timing = replace(timing, frequency=None, frequency_max=None, period=None, period_max=None, period_unit=None)
    reasons = dosage.as_needed.reasons if dosage.as_needed else ()
    return replace(
        dosage,
        text="",
        rate=None,
        timing=timing,
        as_needed=AsNeeded(reasons=tuple(one for one in reasons if one.code)) if dosage.as_needed else None,
        max_per_administration=None,
        max_per_lifetime=None,
        additional=tuple(one for one in dosage.additional if one.code),
    )


def _element(name: str, *inside: str, **attributes: object) -> str:
    said = "".join(f' {key}="{value}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{said}>{''.join(inside)}</{name}>"


def _concept(name: str, coding: Coding | None) -> str:
    return _element(name, coding.display, code=coding.code) if coding else ""


def _amount(name: str, value: Quantity | None) -> str:
    if value is None:
        return ""
    system = "ucum" if value.unit.system == UCUM else "snomed"
    return _element(name, value=value.value, unit=value.unit.display, **{system: value.unit.code})


def _length(name: str, value: Duration | None) -> str:
    return _element(name, value=value.value, unit=value.unit.value) if value else ""


def _timing_element(timing: Timing | None) -> str:
    if timing is None:
        return ""
    often = timing.period_unit and _element(
        "Frequency",
        times=timing.frequency,
        timesMax=timing.frequency_max,
        period=timing.period,
        periodMax=timing.period_max,
        unit=timing.period_unit.value,
    )
    bounds = timing.bounds or Bounds()
    between = _element("Between", **{"from": bounds.start, "to": bounds.end}) if bounds.start or bounds.end else ""
    return _element(
        "Timing",
        often or "",
        *(_element("DayOfWeek", day) for day in timing.day_of_week),
        *(_element("TimeOfDay", at.isoformat()) for at in timing.time_of_day),
        *(_element("When", code, offsetMinutes=timing.offset_minutes) for code in timing.when),
        _length("AdministerOver", timing.administer_over),
        between or _length("For", bounds.duration),
        _element("Doses", str(timing.count)) if timing.count else "",
        *(_element("OnDate", str(day)) for day in timing.on_dates),
    )


def _dosage_element(dosage: Dosage) -> str:
    dose, most = dosage.dose, dosage.max_per_period
    spread = (
        _element("DoseRange", _amount("Low", dose.low), _amount("High", dose.high)) if isinstance(dose, Range) else ""
    )
    return _element(
        "Dosage",
        _concept("Method", dosage.method),
        spread or (_amount("Dose", dose) if isinstance(dose, Quantity) else ""),
        _timing_element(dosage.timing),
        _element("AsRequired", *(_concept("For", one) for one in dosage.as_needed.reasons)) if dosage.as_needed else "",
        _concept("Route", dosage.route),
        _concept("Site", dosage.site),
        _element("MaxPerPeriod", _amount("Amount", most.amount), _length("In", most.within)) if most else "",
        *(_concept("AdditionalInstruction", one) for one in dosage.additional),
        _element("PatientInstruction", dosage.patient_instruction) if dosage.patient_instruction else "",
        sequence=dosage.sequence,
    )


@settings(max_examples=60, deadline=None)
@given(_directions())
def test_dosages_of_the_trusts_xml_are_the_same_there_and_on_and_back(drawn: tuple[Dosage, ...]) -> None:
    stated = tuple(map(_in_trust_xml, drawn))
    example = (GOLDEN / "xml/example-new.xml").read_text(encoding="utf-8")
    before, _, rest = example.partition("<Dosage ")
    after = rest.partition("</Dosage>")[2]
    body = f"{before}{''.join(map(_dosage_element, stated))}{after}".encode()
    (order,) = read(submission(WireFormat.XML, body), around()).orders
    assert order.prescription is not None, order.issues
    found = order.prescription.lines[0].dosages
    assert differences(tuple(replace(one, text="") for one in found), stated) == {}
    again = read_again(_written(order.prescription)).lines[0].dosages
    for one, two in zip(found, again, strict=True):
        made = replace(two, text="") if not one.text else two
        assert differences(_as_read(one), made) == {}


_LETTERS = {
    "S": TimeUnit.SECOND,
    "M": TimeUnit.MINUTE,
    "H": TimeUnit.HOUR,
    "D": TimeUnit.DAY,
    "W": TimeUnit.WEEK,
    "L": TimeUnit.MONTH,
}


@st.composite
def _patterns(draw: st.DrawFn) -> tuple[str, Timing]:
    """Draw a repeat pattern of HL7 table 0335 with what it means."""
    match draw(st.sampled_from(["interval", "times", "weekday", "part"])):
        case "interval":
            number, letter = draw(st.integers(1, 60)), draw(st.sampled_from(sorted(_LETTERS)))
            every = Timing(frequency=1, period=Decimal(number), period_unit=_LETTERS[letter])
            return f"Q{number}{letter}", every
        case "times":
            number = draw(st.integers(5, 12))
            return f"{number}ID", Timing(frequency=number, period=Decimal(1), period_unit=TimeUnit.DAY)
        case "weekday":
            number, day = draw(st.integers(1, 8)), draw(st.integers(1, 7))
            name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day - 1]
            weekly = Timing(frequency=1, period=Decimal(number), period_unit=TimeUnit.WEEK, day_of_week=(name,))
            return f"Q{number}J{day}", weekly
        case _:
            code, event = draw(st.sampled_from([("QAM", "MORN"), ("QPM", "EVE"), ("QHS", "HS")]))
            return code, Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.DAY, when=(event,))


@settings(max_examples=60, deadline=None)
@given(dose=_numbers, pattern=_patterns(), bounds=st.none() | st.tuples(_days, _days), words=st.just("") | _WORDS)
def test_dosages_of_hl7_v2_are_the_same_there_and_on_and_back(
    dose: Decimal, pattern: tuple[str, Timing], bounds: tuple[date, date] | None, words: str
) -> None:
    code, stated = pattern
    start, end = sorted(bounds) if bounds else ("", "")
    dates = (f"{day:%Y%m%d}" if isinstance(day, date) else "" for day in (start, end))
    text = edited(S01.decode().replace("\r", "\n"), {"RXE-3": str(dose), "RXE-7": f"^{words}" if words else ""})
    text = edited(text, dict(zip(("TQ1-7", "TQ1-8"), dates, strict=True)) | {"TQ1-3": code})
    (order,) = read(submission(WireFormat.HL7V2, text.replace("\n", "\r").encode()), around()).orders
    assert order.prescription is not None, order.issues
    (found,) = order.prescription.lines[0].dosages
    within = Bounds(start=min(bounds), end=max(bounds)) if bounds else None
    assert (found.text, str(found.dose.value)) == (words, str(dose))  # type: ignore[union-attr]
    assert found.timing == replace(stated, bounds=within)
    (again,) = read_again(_written(order.prescription)).lines[0].dosages
    assert differences(found, replace(again, text=again.text if words else "")) == {}
