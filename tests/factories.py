"""Valid values, each with one thing changed by keyword."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import (
    NhsNumber,
    OdsCode,
    PrescriptionNumber,
    ProfessionalId,
    Register,
    SnomedCode,
    derived_id,
)
from gateway.domain.partner import Environment, SignaturePolicy, Trust
from gateway.domain.prescription import (
    Address,
    CourseOfTherapy,
    Dosage,
    Gender,
    Homecare,
    Line,
    Name,
    Organisation,
    Patient,
    Prescription,
    Product,
    ProductLevel,
    Professional,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity

MOMENT = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
SYRINGE = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")
MILLIGRAM = Coding(system=UCUM, code="mg", display="milligram")
SUBCUTANEOUS = Coding(system=SNOMED, code="34206005", display="Subcutaneous route")


def nhs_number(text: str = "9990000077") -> NhsNumber:
    number = NhsNumber.parse(text)
    assert number is not None
    return number


def patient(**change: Any) -> Patient:
    return replace(
        Patient(
            nhs_number=nhs_number(),
            name=Name(family="TESTPATIENT", given=("Aoife", "Mary"), prefix=("MS",)),
            birth_date=date(1979, 4, 12),
            gender=Gender.FEMALE,
            address=Address(lines=("1 Example Street", "Testville"), postcode="TA1 1AA", use="home"),
        ),
        **change,
    )


def prescriber(**change: Any) -> Professional:
    return replace(
        Professional(
            ids=(ProfessionalId(Register.GMC, "9999991"),),
            name=Name(family="PRESCRIBER", given=("Casey",), prefix=("DR",)),
            organisation=Organisation(ods=OdsCode("RBA11"), name="Rheumatology", trust=OdsCode("RBA")),
        ),
        **change,
    )


def dosage(**change: Any) -> Dosage:
    return replace(
        Dosage(
            text="Inject 10mg ONCE a WEEK on a Monday",
            method=Coding(system=SNOMED, code="422145002", display="Inject"),
            dose=Quantity(value=Decimal(10), unit=MILLIGRAM),
            timing=Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK, day_of_week=("mon",)),
            route=SUBCUTANEOUS,
        ),
        **change,
    )


def line(number: str = "RX7001", **change: Any) -> Line:
    return replace(
        Line(
            id=derived_id("line", "RBA", number),
            order_number=number,
            order_assigner="RBA",
            product=Product(
                code=SnomedCode("15517911000001104"),
                display="Methotrexate 10mg/0.2ml solution for injection pre-filled syringes",
                level=ProductLevel.VMP,
            ),
            dosages=(dosage(),),
            quantity=Quantity(value=Decimal(4), unit=SYRINGE),
            total_supplies=6,
        ),
        **change,
    )


def prescription(group: str = "GRP7001", **change: Any) -> Prescription:
    return replace(
        Prescription(
            id=derived_id("prescription", "RBA", group),
            number=PrescriptionNumber.derive(OdsCode("RBA11"), "RBA", group),
            group_number=group,
            patient=patient(),
            prescriber=prescriber(),
            authored=datetime(2026, 10, 5, 9, 10, tzinfo=UTC),
            type_code="1201",
            course=CourseOfTherapy.CONTINUOUS,
            lines=(line(),),
            homecare=Homecare(provider=OdsCode("VNE51"), registration="HCREG-5521", funding="trust"),
        ),
        **change,
    )


def trust(**change: Any) -> Trust:
    return replace(
        Trust(
            ods=OdsCode("RBA"),
            name="Example Trust",
            environment=Environment.TEST,
            signature_policy=SignaturePolicy.TRUST_ATTESTED,
        ),
        **change,
    )
