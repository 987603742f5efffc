"""Each rule on the prescription, by one thing changed in a valid one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode, ProfessionalId, Register, SnomedCode
from gateway.domain.issue import Effect
from gateway.domain.partner import SignaturePolicy, Trust
from gateway.domain.prescription import (
    Address,
    AsNeeded,
    Bounds,
    ControlledSchedule,
    CourseOfTherapy,
    Delivery,
    Duration,
    Homecare,
    MaxDose,
    PrescriberSignature,
    Prescription,
    ProductLevel,
    Range,
    Rate,
    TimeUnit,
    Timing,
)
from gateway.domain.quantity import Quantity
from gateway.domain.reference import ProductRow, Reference
from gateway.domain.signature import PrescriberVerdict, Standing
from gateway.domain.submission import Action, Order, OrderNumber
from gateway.domain.trace import TraceRow
from gateway.validate.check import check
from gateway.validate.clinical import months_after
from gateway.validate.locate import Locator
from gateway.validate.words.no_dose import says_no_dose
from tests.factories import MILLIGRAM, MOMENT, dosage, line, patient, prescriber, prescription, trust

CODE = "15517911000001104"
FIVE = tuple(line(f"RX{number}", dosages=(dosage(patient_instruction=f"Box {number}"),)) for number in range(5))
NUMBERS = (OrderNumber(trust_number="RX7001", location="ORC[1]-2.1"),)


def product_row(**change: object) -> ProductRow:
    row = ProductRow(code=CODE, level=ProductLevel.VMP, display="Methotrexate 10mg/0.2ml")
    return replace(row, **change)  # type: ignore[arg-type]


def codes(
    value: Prescription, row: ProductRow | None = None, *, trust_: Trust | None = None, now: datetime = MOMENT
) -> list[str]:
    reference = Reference(release="simulation", products={CODE: row or product_row()})
    order = Order(action=Action.NEW, numbers=NUMBERS, prescription=value)
    return [issue.code for issue in check(order, value, None, trust=trust_ or trust(), reference=reference, now=now)]


def with_line(**change: object) -> Prescription:
    return prescription(lines=(line(**change),))


def with_dosage(**change: object) -> Prescription:
    """Change the structure alone; the words, which would contradict it, are left out."""
    return with_line(dosages=(dosage(**{"text": "", **change}),))


def with_timing(**change: object) -> Prescription:
    return with_dosage(timing=Timing(**change))  # type: ignore[arg-type]


def amount(text: str, unit: Coding = MILLIGRAM) -> Quantity:
    return Quantity(value=Decimal(text), unit=unit)


def test_a_valid_prescription_has_no_issue() -> None:
    assert codes(prescription()) == []


HOMELESS = Address(lines=("No fixed abode",), postcode="ZZ99 3VZ")
VAN = Address(lines=("1 Example Street",), postcode="TA1 1AA")
GRAM = Coding(system=MILLIGRAM.system, code="g", display="gram")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(with_line(schedule=ControlledSchedule.CD1), ["CD_SCHEDULE_NOT_ALLOWED"], id="stated schedule 1"),
        pytest.param(with_line(schedule=ControlledSchedule.CD2), ["CD_SCHEDULE_NOT_ALLOWED"], id="stated schedule 2"),
        pytest.param(with_line(schedule=ControlledSchedule.CD3), ["CD_SCHEDULE_NOT_ALLOWED"], id="stated schedule 3"),
        pytest.param(
            with_line(schedule=ControlledSchedule.CD4), ["CD_SCHEDULE_CONFLICT"], id="schedule not the drug's"
        ),
        pytest.param(
            with_line(product=replace(line().product, code=SnomedCode("317972000"))),
            ["DRUG_UNKNOWN"],
            id="unknown code",
        ),
        pytest.param(
            with_line(product=replace(line().product, level=ProductLevel.AMP)), ["PRODUCT_LEVEL_MISMATCH"], id="level"
        ),
        pytest.param(
            with_line(product=replace(line().product, brand_required=True)),
            ["BRAND_REQUIRED"],
            id="brand wanted, none named",
        ),
        pytest.param(prescription(patient=patient(birth_date=date(2014, 10, 6))), ["AGE_REQUIRED_UNDER_12"], id="11"),
        pytest.param(prescription(patient=patient(birth_date=date(2014, 10, 5))), [], id="12 today"),
        pytest.param(
            prescription(patient=patient(birth_date=date(2020, 1, 1), stated_age="6 years")),
            [],
            id="6, and the age stated",
        ),
        pytest.param(prescription(patient=patient(birth_date=date(2027, 1, 1))), ["VALUE_INVALID"], id="not born yet"),
        pytest.param(prescription(patient=patient(address=Address(lines=()))), ["ADDRESS_REQUIRED"], id="no address"),
        pytest.param(
            prescription(patient=patient(address=Address(lines=("",)))), ["ADDRESS_REQUIRED"], id="empty address"
        ),
        pytest.param(
            prescription(patient=patient(address=HOMELESS)), ["DELIVERY_ADDRESS_UNUSABLE"], id="no fixed abode"
        ),
        pytest.param(
            prescription(patient=patient(address=HOMELESS), homecare=Homecare(delivery=Delivery(address=VAN))),
            [],
            id="no fixed abode, delivered elsewhere",
        ),
        pytest.param(
            prescription(homecare=Homecare(delivery=Delivery(address=HOMELESS))),
            ["DELIVERY_ADDRESS_UNUSABLE"],
            id="delivered to no fixed abode",
        ),
        pytest.param(prescription(authored=MOMENT + timedelta(hours=25)), ["AUTHORED_IN_FUTURE"], id="in the future"),
        pytest.param(prescription(authored=MOMENT + timedelta(hours=23)), [], id="within a day"),
        pytest.param(prescription(authored=datetime(2026, 4, 5, 12, tzinfo=UTC)), [], id="six months old"),
        pytest.param(prescription(authored=datetime(2026, 4, 4, 12, tzinfo=UTC)), ["EXPIRED"], id="too old"),
        pytest.param(prescription(authored=datetime(2026, 4, 4, 23, 30, tzinfo=UTC)), [], id="six months in London"),
        pytest.param(prescription(valid_to=date(2027, 10, 5)), [], id="valid twelve months"),
        pytest.param(prescription(valid_to=date(2027, 10, 6)), ["VALIDITY_TOO_LONG"], id="valid too long"),
        pytest.param(
            prescription(valid_from=date(2026, 11, 1), valid_to=date(2026, 10, 31)), ["VALUE_INVALID"], id="ends first"
        ),
        pytest.param(
            prescription(authored=datetime(2026, 9, 1, tzinfo=UTC), valid_to=date(2026, 10, 4)), ["EXPIRED"], id="over"
        ),
        pytest.param(prescription(lines=FIVE), ["TOO_MANY_ITEMS"], id="five items"),
        pytest.param(prescription(lines=FIVE[:4]), [], id="four items"),
        pytest.param(prescription(lines=(line(), line("RX7002"))), ["POSSIBLE_DUPLICATE"], id="said again"),
        pytest.param(
            prescription(lines=(line(), line("RX7002", dosages=(dosage(text="Inject 10mg weekly"),)))),
            [],
            id="one product, other directions",
        ),
        pytest.param(
            prescription(patient=patient(birth_date=date(1900, 10, 4))), ["VALUE_INVALID"], id="nobody is so old"
        ),
        pytest.param(prescription(patient=patient(birth_date=date(1900, 10, 6))), [], id="very old"),
        pytest.param(prescription(prescriber=prescriber(ids=())), ["PRESCRIBER_REQUIRED"], id="no number"),
        pytest.param(
            prescription(prescriber=prescriber(ids=(ProfessionalId(Register.DIN, "12345"),))),
            ["PRESCRIBER_REQUIRED"],
            id="a prescribing code only",
        ),
        pytest.param(
            prescription(prescriber=prescriber(ids=(ProfessionalId(Register.CONSULTANT, "C9999991"),))),
            [],
            id="consultant",
        ),
        pytest.param(
            prescription(
                prescriber=prescriber(
                    ids=(ProfessionalId(Register.GMC, "9999991"), ProfessionalId(Register.NMC, "12A3456B"))
                )
            ),
            ["PRESCRIBER_AMBIGUOUS"],
            id="two licences",
        ),
        pytest.param(with_line(quantity=amount("0")), ["VALUE_INVALID"], id="no quantity"),
        pytest.param(with_line(total_supplies=0), ["VALUE_INVALID"], id="no supply"),
        pytest.param(with_line(total_supplies=100), ["VALUE_INVALID"], id="a hundred supplies"),
        pytest.param(with_line(days_per_supply=367), ["VALUE_INVALID"], id="more than a year's supply"),
        pytest.param(prescription(course=CourseOfTherapy.ACUTE), ["REPEATS_CONFLICT"], id="acute with six supplies"),
        pytest.param(with_line(dosages=()), ["DOSE_MISSING"], id="no directions"),
        pytest.param(with_dosage(text="As directed"), ["TEXT_NOT_A_DOSE"], id="as directed"),
        pytest.param(with_dosage(dose=amount("0.0")), ["VALUE_INVALID"], id="dose of nought"),
        pytest.param(
            with_dosage(dose=Range(low=amount("2"), high=amount("1"))), ["VALUE_INVALID"], id="range upside down"
        ),
        pytest.param(
            with_dosage(dose=Range(low=amount("1"), high=amount("2", GRAM))), ["VALUE_INVALID"], id="two units"
        ),
        pytest.param(with_dosage(dose=Range(low=amount("0"), high=amount("2"))), ["VALUE_INVALID"], id="from nought"),
        pytest.param(with_dosage(dose=Range(high=amount("2"))), [], id="up to"),
        pytest.param(
            with_dosage(rate=Rate(amount=amount("0"), per=amount("1"))), ["VALUE_INVALID"], id="rate of nought"
        ),
        pytest.param(
            with_dosage(
                max_per_period=MaxDose(amount=amount("0"), within=Duration(value=Decimal(1), unit=TimeUnit.DAY))
            ),
            ["VALUE_INVALID"],
            id="at most nothing",
        ),
        pytest.param(with_dosage(as_needed=AsNeeded(), timing=None), [], id="as needed"),
        pytest.param(with_timing(frequency=0), ["VALUE_INVALID"], id="nought times"),
        pytest.param(with_timing(period=Decimal(0)), ["VALUE_INVALID"], id="every nought"),
        pytest.param(
            with_timing(
                administer_over=Duration(value=Decimal(1), unit=TimeUnit.HOUR),
                administer_over_max=Duration(value=Decimal(90), unit=TimeUnit.MINUTE),
            ),
            ["TIMING_CONFLICT"],
            id="two units of one duration",
        ),
        pytest.param(
            with_timing(bounds=Bounds(start=date(2026, 11, 2), end=date(2026, 11, 1))),
            ["VALUE_INVALID"],
            id="ends first",
        ),
        pytest.param(
            with_timing(bounds=Bounds(start=date(2026, 11, 2), duration=Duration(value=Decimal(7), unit=TimeUnit.DAY))),
            ["TIMING_CONFLICT"],
            id="dates and a length",
        ),
    ],
)
def test_one_thing_wrong_gives_one_issue(value: Prescription, expected: list[str]) -> None:
    assert codes(value) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(product_row(schedule=ControlledSchedule.CD2), ["CD_SCHEDULE_NOT_ALLOWED"], id="schedule 2"),
        pytest.param(product_row(schedule=ControlledSchedule.CD5), [], id="schedule 5"),
        pytest.param(product_row(schedule_known=False), ["CD_SCHEDULE_UNKNOWN"], id="unknown schedule"),
        pytest.param(product_row(biologic=True), ["BRAND_REQUIRED"], id="a biologic by its generic name"),
        pytest.param(product_row(level=ProductLevel.VTM), ["VTM_NEEDS_PRODUCT"], id="a substance"),
    ],
)
def test_what_is_known_of_the_product_counts_whatever_was_stated(row: ProductRow, expected: list[str]) -> None:
    assert codes(prescription(), row) == expected


@pytest.mark.parametrize(("days", "expected"), [(28, []), (29, ["EXPIRED"])])
def test_a_schedule_4_drug_is_valid_for_28_days(days: int, expected: list[str]) -> None:
    row = product_row(schedule=ControlledSchedule.CD4)
    assert codes(prescription(), row, now=prescription().authored + timedelta(days=days)) == expected


@pytest.mark.parametrize(
    ("policy", "signed", "expected"),
    [
        (SignaturePolicy.REQUIRED, False, ["SIGNATURE_MISSING"]),
        (SignaturePolicy.REQUIRED, True, ["SIGNATURE_UNVERIFIED"]),
        (SignaturePolicy.TRUST_ATTESTED, False, []),
        (SignaturePolicy.TRUST_ATTESTED, True, []),
        (SignaturePolicy.PAPER_FOLLOWS, False, []),
    ],
)
def test_the_trusts_signature_policy_decides(policy: SignaturePolicy, *, signed: bool, expected: list[str]) -> None:
    signature = PrescriberSignature(format="xmldsig", data=b"<Signature/>") if signed else None
    assert codes(prescription(signature=signature), trust_=trust(signature_policy=policy)) == expected


@pytest.mark.parametrize("policy", SignaturePolicy)
@pytest.mark.parametrize("standing", Standing)
def test_a_wrong_signature_refuses_and_a_valid_one_goes(policy: SignaturePolicy, standing: Standing) -> None:
    value = prescription(signature=PrescriberSignature(format="xmldsig", data=b"<Signature/>"))
    held = {"SIGNATURE_UNVERIFIED"} if policy is SignaturePolicy.REQUIRED else set()
    expected = {Standing.VALID: set(), Standing.INVALID: {"SIGNATURE_INVALID"}, Standing.UNVERIFIABLE: held}[standing]
    found = check(
        Order(action=Action.NEW, numbers=NUMBERS, prescription=value),
        value,
        None,
        trust=trust(signature_policy=policy),
        reference=Reference(release="simulation", products={CODE: product_row()}),
        now=MOMENT,
        signature=PrescriberVerdict(standing=standing, text="a reason"),
    )
    assert {issue.code for issue in found} == expected


def test_every_issue_is_told_at_once() -> None:
    value = prescription(
        patient=patient(address=Address(lines=())),
        prescriber=prescriber(ids=()),
        lines=(line(schedule=ControlledSchedule.CD2, dosages=(dosage(text="mdu", dose=amount("0")),)),),
    )
    assert codes(value) == [
        "ADDRESS_REQUIRED",
        "PRESCRIBER_REQUIRED",
        "CD_SCHEDULE_NOT_ALLOWED",
        "TEXT_NOT_A_DOSE",
        "VALUE_INVALID",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "As directed",
        "AS DIRECTED.",
        "m.d.u.",
        "MDU",
        "Use as directed",
        "take as before",
        "Inject as directed by the ward",
        "",
    ],
)
def test_words_that_say_no_dose_are_found(text: str) -> None:
    assert says_no_dose(text)


@pytest.mark.parametrize(
    "text",
    ["Inject 10mg as directed", "One daily", "Take as directed: 2 tablets at night", "As directed, 5 ml daily"],
)
def test_words_that_say_a_dose_pass(text: str) -> None:
    assert not says_no_dose(text)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(min_value=0, max_value=24))
def test_months_later_is_the_same_day_or_the_last(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_an_incomplete_reading_has_no_further_issue() -> None:
    order = Order(action=Action.NEW, numbers=NUMBERS, prescription=None)
    assert check(order, None, None, trust=trust(), reference=Reference(release="r"), now=MOMENT) == ()


def test_what_the_reader_told_is_not_told_again() -> None:
    value = with_line(schedule=ControlledSchedule.CD2)
    reference = Reference(release="r", products={CODE: product_row()})
    order = Order(action=Action.NEW, numbers=NUMBERS, prescription=value)
    (issue,) = check(order, value, None, trust=trust(), reference=reference, now=MOMENT)
    again = replace(order, issues=(issue,))
    assert check(again, value, None, trust=trust(), reference=reference, now=MOMENT) == ()
    assert issue.effect is Effect.REFUSE


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("lines[0].dosages[0].text", "RXE[1]-7.2"),
        ("lines[0].dosages[0].dose.value", "RXE[1]-3.1"),
        ("lines[0].product.code", "RXE[1]-2.1"),
        ("lines[0].product", "RXE[1]-2.1"),
        ("patient.address", "ORC[1]-2.1"),
    ],
)
def test_an_issue_is_located_in_the_senders_terms(path: str, location: str) -> None:
    sources = {
        "lines[0].dosages[0].text": "RXE[1]-7.2",
        "lines[0].dosages[0].dose": "RXE[1]-3.1",
        "lines[0].product.code": "RXE[1]-2.1",
        "patient.address": "",
    }
    trace = tuple(
        TraceRow(target=target, source=source, rule="r", transform="copy", raw="", result="")
        for target, source in sources.items()
    )
    order = Order(action=Action.NEW, numbers=NUMBERS, prescription=None, trace=trace)
    assert Locator(order)(path) == location
    assert Locator(replace(order, numbers=(), trace=()))(path) == ""


def test_the_provider_named_is_no_clinical_matter() -> None:
    assert codes(prescription(homecare=Homecare(provider=OdsCode("VNCEL")))) == []
