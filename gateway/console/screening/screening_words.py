"""What stands on the pages of the pharmacist's check: ready words for the templates.

Source: console.md 6.4, 10.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console.pages import Fault, fault, named
from gateway.console.site import Names
from gateway.console.words import STATES, Shown, born, clock_time, day, how_long, inert, nhs_number, short_time
from gateway.domain.amounts import amount_words
from gateway.domain.coding import Coding
from gateway.domain.issue import Effect
from gateway.domain.prescription import Allergy, AllergyStatus, Line, Observation, Prescription, Professional
from gateway.domain.quantity import Quantity, lexeme
from gateway.pipeline.screening import Case, Earlier, LineToScreen
from gateway.ports.screening import ToScreen
from gateway.validate.supply import SupplySum
from gateway.validate.words.check import Doubt

NOT_STATED: Final = "Not stated"
_WEIGHT: Final = frozenset({"27113001", "29463-7"})
"""SNOMED CT and LOINC for body weight."""
_ALLERGIES: Final[dict[AllergyStatus, str]] = {
    AllergyStatus.RECORDED: "",
    AllergyStatus.NONE_KNOWN: "No known allergies, as stated by the trust",
    AllergyStatus.NOT_RECORDED: "The trust says that allergies are not recorded",
    AllergyStatus.NOT_STATED: "Not stated. This is not the same as none known",
}
_CRITICALITY: Final = {
    "high": "high risk",
    "low": "low risk",
    "unable-to-assess": "risk could not be assessed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One order of the list."""

    href: str
    number: str
    patient: str
    medicines: tuple[str, ...]
    trust: str
    received: str
    act_by: str
    overdue: bool
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The quantity against the dose, in words; `why_not` where it cannot be added up."""

    rows: tuple[tuple[str, str], ...]
    fits: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One earlier prescription of the same medicine."""

    href: str
    when: str
    product: str
    directions: str
    quantity: str
    state: Shown
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """One line as it is laid before the person."""

    anchor: str
    product: str
    code: str
    state: Shown
    own_words: str
    structured: str
    contradictions: tuple[tuple[str, tuple[str, ...]], ...]
    details: tuple[tuple[str, str], ...]
    sum: Sum
    past: tuple[Past, ...]


def row(one: ToScreen, names: Names, now: datetime) -> Row:
    """Give one row of the list."""
    act_by, overdue = "No limit is set", False
    if one.act_by is not None:
        overdue = one.act_by < now
        span = how_long(abs(one.act_by - now))
        act_by = f"{short_time(one.act_by)} ({span} {'ago' if overdue else 'left'})"
    return Row(
        href=f"/console/screening/{one.prescription_id}",
        number=one.number,
        patient=inert(one.patient),
        medicines=tuple(inert(medicine) for medicine in one.medicines),
        trust=named(one.tenant, names),
        received=f"{short_time(one.received_at)} ({how_long(now - one.received_at)} ago)",
        act_by=act_by,
        overdue=overdue,
        urgent=one.urgent,
    )


def about(case: Case, now: datetime) -> dict[str, object]:
    """Give everything that stands on the page of one order."""
    prescription, patient = case.prescription, case.prescription.patient
    return {
        "patient": inert(str(patient.name)),
        "born": born(patient.birth_date.isoformat(), now),
        "nhs_number": nhs_number(str(patient.nhs_number)),
        "gender": patient.gender.value.capitalize(),
        "stated_age": inert(patient.stated_age),
        "number": str(prescription.number),
        "prescription_href": f"/console/prescriptions/{case.prescription_id}",
        "received": clock_time(case.received_at),
        "authored": clock_time(prescription.authored),
        "act_by": short_time(case.act_by) if case.act_by else "",
        "late": case.act_by is not None and case.act_by < now,
        "prescriber": _person(prescription.prescriber),
        "allergies": tuple(_allergy(one) for one in prescription.allergies),
        "allergy_status": _ALLERGIES[prescription.allergy_status],
        "weight": _weight(prescription, now),
        "observations": tuple(_observation(one, now) for one in prescription.observations if not _is_weight(one)),
        "indications": tuple(dict.fromkeys(_coding(one) for line in prescription.lines for one in line.reasons)),
        "notes": tuple(inert(note) for note in prescription.notes),
        "medication_list": tuple(inert(one) for one in prescription.medication_list),
        "medicines": [_medicine(line, index) for index, line in enumerate(case.lines, start=1)],
        "warnings": _warnings(case),
    }


def _warnings(case: Case) -> list[Fault]:
    return [fault(issue) for issue in case.issues if issue.effect in {Effect.WARN, Effect.HOLD_SOURCE}]


def _person(person: Professional) -> str:
    numbers = ", ".join(f"{one.register.value.upper()} {one.value}" for one in person.ids)
    return f"{inert(str(person.name))}{f' ({numbers})' if numbers else ''}"


def _coding(coding: Coding) -> str:
    return inert(coding.display or coding.code)


def _allergy(one: Allergy) -> str:
    parts = (
        _coding(one.substance),
        f"reaction: {_coding(one.reaction)}" if one.reaction else "reaction not stated",
        _CRITICALITY.get(one.criticality, "risk not stated"),
    )
    return "; ".join(parts)


def _is_weight(one: Observation) -> bool:
    return one.code.code in _WEIGHT


def _weight(prescription: Prescription, now: datetime) -> str:
    found = [_observation(one, now) for one in prescription.observations if _is_weight(one)]
    return "; ".join(found) or NOT_STATED


def _observation(one: Observation, now: datetime) -> str:
    value = _amount(one.value) if isinstance(one.value, Quantity) else _coding(one.value)
    measured = (
        f"measured {day(one.on)} ({how_long_ago(one, now)})" if one.on else "the day it was measured is not stated"
    )
    name = "" if _is_weight(one) else f"{_coding(one.code)}: "
    return f"{name}{value}, {measured}"


def how_long_ago(one: Observation, now: datetime) -> str:
    """Give how old a measurement is, in days."""
    days = (now.date() - one.on).days if one.on else 0
    return "today" if days == 0 else f"{days} {'day' if days == 1 else 'days'} ago"


def _amount(quantity: Quantity) -> str:
    return inert(amount_words(f"{lexeme(quantity.value)} {quantity.unit.display or quantity.unit.code}"))


def _medicine(one: LineToScreen, index: int) -> Medicine:
    line = one.line
    return Medicine(
        anchor=f"medicine-{index}",
        product=inert(line.product.display),
        code=f"{line.product.level.value} {line.product.code}",
        state=STATES[one.state],
        own_words=inert(one.own_words) or "No words were sent",
        structured=inert(one.structured) or f"It cannot be said in words: {one.unsaid}",
        contradictions=tuple(_contradiction(doubt) for doubt in one.contradictions),
        details=tuple(_details(line)),
        sum=_sum(one.sum, line, one.contradictions),
        past=tuple(_past(earlier) for earlier in one.earlier),
    )


def _contradiction(doubt: Doubt) -> tuple[str, tuple[str, ...]]:
    return doubt.text, tuple(inert(value) for value in doubt.values)


def _details(line: Line) -> Iterable[tuple[str, str]]:
    yield "Quantity each supply", _amount(line.quantity)
    yield "Supplies", str(line.total_supplies)
    yield "Time between supplies", _span(line)
    routes = dict.fromkeys(_coding(dosage.route) for dosage in line.dosages if dosage.route)
    yield "Route", "; ".join(routes) or NOT_STATED
    instructions = [inert(dosage.patient_instruction) for dosage in line.dosages if dosage.patient_instruction]
    if instructions:
        yield "Instructions to the patient", " ".join(instructions)
    yield "Substitution", "Allowed" if line.substitution_allowed else "Not allowed: supply as written"
    if line.schedule:
        yield "Controlled drug", f"Schedule {line.schedule.value.removeprefix('CD')}"
    for note in line.notes:
        yield "Note", inert(note)


def _span(line: Line) -> str:
    if line.interval is not None:
        units = {"d": "days", "wk": "weeks", "mo": "months", "h": "hours", "a": "years"}
        unit = line.interval.unit.value
        return f"{lexeme(line.interval.value)} {units.get(unit, unit)}"
    return f"{line.days_per_supply} days each supply" if line.days_per_supply else NOT_STATED


def _sum(found: SupplySum | None, line: Line, contradictions: Sequence[Doubt]) -> Sum:
    if found is None:
        why = (
            "It cannot be added up without assuming something: the dose, how often, or how long a supply lasts is open."
        )
        return Sum(rows=(), fits="", why_not=why)
    rows = (
        ("Used in a day", amount_words(f"{found.per_day} {found.unit}")),
        ("One supply must last", f"{found.days} days"),
        ("Needed for one supply", amount_words(f"{found.needed} {found.unit}")),
        ("Ordered for one supply", amount_words(f"{found.quantity} {found.unit}")),
        ("Supplies", str(line.total_supplies)),
    )
    differs = any(doubt.code == "SUPPLY_SUM_MISMATCH" for doubt in contradictions)
    fits = "The quantity does not fit the directions" if differs else "The quantity fits the directions"
    return Sum(rows=rows, fits=fits, why_not="")


def _past(one: Earlier) -> Past:
    words = " ".join(dosage.text for dosage in one.line.dosages if dosage.text)
    return Past(
        href=f"/console/prescriptions/{one.prescription_id}",
        when=short_time(one.received_at),
        product=inert(one.line.product.display),
        directions=inert(words) or "No words were sent",
        quantity=f"{_amount(one.line.quantity)}, {one.line.total_supplies} "
        f"{'supply' if one.line.total_supplies == 1 else 'supplies'}",
        state=STATES[one.state],
        differences=tuple((each.what, inert(each.before), inert(each.now)) for each in one.differences),
    )
