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
from gateway.pipeline.translate import TranslatedOrder, read
from gateway.translate.timing_words import DAY_WORDS, EVENT_WORDS
from gateway.translate.to_fhir.message import write
from gateway.wire.strict_json import loads
from tests.fuzz.submissions import FHIR_XML, around, submission
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
