"""Golden messages: the issues each must give, and a reason for every value of what is made of them."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal

import pytest

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import (
    Bounds,
    CourseOfTherapy,
    Delivery,
    Duration,
    Gender,
    Prescription,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity
from tests.hl7v2_orders import GOLDEN, codes, edited, golden, issues, read

NAMES = ["S01", "S03", "S04", "S09", "S10"]


def _expected(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((GOLDEN / f"{name}.expected.json").read_text())
    return found


def _prescription(text: str) -> Prescription:
    prescription = read(text).orders[0].prescription
    assert prescription is not None
    return prescription


def _values(value: object, at: str) -> Iterator[str]:
    """Give the path of every value that says something."""
    if value is None or value in ("", ()):
        return
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _values(item, f"{at}[{index}]")
    elif is_dataclass(value) and len(fields(value)) > 1:
        for field in fields(value):
            yield from _values(getattr(value, field.name), f"{at}.{field.name}".lstrip("."))
    else:
        yield at


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_message_gives_exactly_its_issues(name: str) -> None:
    assert codes(read(golden(name))) == set(_expected(name)["issues"])


@pytest.mark.parametrize("name", [*NAMES, "S12"])
def test_no_input_is_unaccounted(name: str) -> None:
    reading = read(golden(name))
    assert reading.unaccounted == ()
    assert [left.source for left in reading.leftovers if left.disposition == "unknown"] == []


@pytest.mark.parametrize("name", ["S01", "S03", "S10"])
def test_every_value_of_the_prescription_has_a_trace_row(name: str) -> None:
    order = read(golden(name)).orders[0]
    targets = {row.target for row in order.trace}
    paths = list(_values(order.prescription, ""))
    assert len(paths) > 60
    for path in paths:
        assert any(path == target or path.startswith((f"{target}.", f"{target}[")) for target in targets), path


def test_reading_the_same_bytes_again_gives_the_same_reading() -> None:
    assert read(golden("S01")) == read(golden("S01"))


def test_the_first_order_is_read_whole() -> None:
    prescription = _prescription(golden("S01"))
    line = prescription.lines[0]
    dosage = line.dosages[0]
    assert line.product.code.value == "15517911000001104"
    assert dosage.text == "Inject 10mg ONCE a WEEK on a Monday"
    assert dosage.dose == Quantity(value=Decimal(10), unit=Coding(system=UCUM, code="mg", display="milligram"))
    assert dosage.timing == Timing(
        frequency=1,
        period=Decimal(1),
        period_unit=TimeUnit.WEEK,
        bounds=Bounds(start=date(2026, 10, 19), end=date(2027, 4, 5)),
    )
    assert dosage.route == Coding(system=SNOMED, code="34206005", display="Subcutaneous route")
    assert dosage.method == Coding(system=SNOMED, code="422145002", display="Inject")
    assert (line.quantity.value, line.quantity.unit.code) == (4, "3318611000001103")
    assert (line.total_supplies, line.interval) == (6, Duration(value=Decimal(4), unit=TimeUnit.WEEK))
    assert (line.order_number, line.order_assigner, line.priority) == ("RX7001", "RBA", "routine")


def test_the_people_and_the_service_are_read() -> None:
    prescription = _prescription(golden("S01"))
    homecare = prescription.homecare
    assert prescription.patient.gender is Gender.FEMALE
    assert [(local.value, local.assigner) for local in prescription.patient.local_ids] == [("HC100001", "RBA")]
    assert [number.value for number in prescription.prescriber.ids] == ["9999991"]
    assert prescription.prescriber.organisation is not None
    assert prescription.prescriber.organisation.ods == OdsCode("RBA11")
    assert prescription.responsible_consultant is not None
    assert prescription.clinical_check is not None
    assert prescription.clinical_check.at == datetime.fromisoformat("2026-10-05T08:55:00+01:00")
    assert (prescription.type_code, prescription.course) == ("1201", CourseOfTherapy.CONTINUOUS)
    assert prescription.authored == datetime.fromisoformat("2026-10-05T09:10:00+01:00")
    assert (homecare.provider, homecare.backups) == (OdsCode("VNE51"), (OdsCode("VNCEL"),))
    assert (homecare.tier, homecare.funding, homecare.registration) == ("mid-tech", "trust", "HCREG-5521")
    assert homecare.delivery == Delivery(
        first_required_by=date(2026, 10, 19),
        frequency=Duration(value=Decimal(4), unit=TimeUnit.WEEK),
        total=6,
        place="home",
        cold_chain=True,
    )
    assert [allergy.substance.code for allergy in prescription.allergies] == ["91936005"]
    assert [(seen.code.code, str(seen.value)) for seen in prescription.observations] == [("27113001", "72.5 kilogram")]


def test_a_refused_nhs_number_is_located() -> None:
    assert [issue.location for issue in issues(read(golden("S09")))] == ["PID[1]-3[1].1"]


def test_both_doses_of_a_conflict_are_shown() -> None:
    found = issues(read(golden("S10")))
    assert [issue.values for issue in found] == [("10 milligram", "20 milligram")]


@pytest.mark.parametrize("number", ["-1", "0", "7"])
def test_a_sequence_number_changes_nothing_and_is_left_out_by_its_own_rule(number: str) -> None:
    plain, numbered = read(golden("S01")), read(edited(golden("S01"), {"MSH-13": number}))
    assert numbered.orders == plain.orders
    left = {leftover.source: leftover.rule for leftover in numbered.leftovers}
    assert left["MSH[1]-13.1"].startswith("HL7V2.ignored.MSH-13: the sequence number protocol is not offered")
