import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.reference import load_reference
from gateway.domain.coding import UCUM, Coding
from gateway.domain.errors import Refusal
from gateway.domain.issue import held, refused
from gateway.domain.partner import CodeEntry, Environment
from gateway.domain.prescription import AllergyStatus, CourseOfTherapy, TimeUnit
from gateway.domain.quantity import Quantity, lexeme
from gateway.domain.submission import Action, Reading, Submission, WireFormat
from gateway.domain.trace import Disposition
from gateway.translate.context import ReadingContext
from gateway.translate.from_xml.message import read
from tests import factories

EXAMPLE = (Path(__file__).parents[3] / "golden/xml/example-new.xml").read_text()
CANCEL = (Path(__file__).parents[3] / "golden/xml/example-cancel.xml").read_text()
CONTEXT = ReadingContext(trust=factories.trust(), reference=load_reference(), environment=Environment.TEST)


def reading(text: str | bytes, context: ReadingContext = CONTEXT, content_type: str = "") -> Reading:
    body = text if isinstance(text, bytes) else text.encode()
    return read(
        Submission(
            tenant=context.trust.ods,
            format=WireFormat.XML,
            body=body,
            content_type=content_type,
            received_at=datetime(2026, 10, 5, 9, tzinfo=UTC),
        ),
        context,
    )


def issues(found: Reading) -> set[tuple[str, str]]:
    return {(i.code, i.location) for i in (*found.issues, *(i for order in found.orders for i in order.issues))}


def changed(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


def test_the_published_example_becomes_a_whole_prescription() -> None:
    found = reading(EXAMPLE)
    assert issues(found) == set()
    assert found.unaccounted == ()
    assert all(left.disposition is Disposition.IGNORED_BY_RULE for left in found.leftovers)
    (order,) = found.orders
    prescription = order.prescription
    assert prescription is not None
    (line,) = prescription.lines
    (dosage,) = line.dosages
    assert str(prescription.id) == "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7001"
    assert prescription.course is CourseOfTherapy.REPEAT_DISPENSING
    assert prescription.allergy_status is AllergyStatus.RECORDED
    assert prescription.clinical_check is not None
    assert prescription.homecare.provider is not None
    assert prescription.homecare.provider.value == "VNE51"
    assert prescription.homecare.stock_held_days == 14
    assert line.order_number == "RX7001"
    assert line.total_supplies == 6
    assert dosage.text == "Inject 10mg ONCE a WEEK on a Monday"
    assert dosage.dose == Quantity(value=Decimal(10), unit=Coding(system=UCUM, code="mg", display="milligram"))
    assert dosage.timing is not None
    assert dosage.timing.period_unit is TimeUnit.WEEK
    assert dosage.timing.bounds is not None
    assert dosage.timing.bounds.end == date(2027, 4, 5)
    assert order.numbers[0].location == "/PrescriptionMessage/Prescription/Item[1]/TrustOrderNumber"


def test_a_cancel_names_its_prescription_its_items_its_reason_and_who_asks() -> None:
    found = reading(CANCEL)
    assert issues(found) == set()
    assert found.unaccounted == ()
    (order,) = found.orders
    change = order.change
    assert change is not None
    assert (order.action, order.prescription, order.nhs_number) == (Action.CANCEL, None, "9990000077")
    assert str(change.prescription_id) == "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7001"
    assert [str(item) for item in change.items] == ["a54219b8-f741-4c47-b662-e4f8dfa49001"]
    assert change.reason is not None
    assert (change.reason.code, change.reason_text) == ("0003", "Change to medication treatment regime")
    assert change.by is not None
    assert change.by.name.family == "PRESCRIBER"


def test_a_replacement_names_the_prescription_it_replaces() -> None:
    replaces = "<Replaces>0d3b1c56-6a0c-4a3f-8a54-5f6f2d1b7009</Replaces>"
    text = EXAMPLE.replace("<Action>new<", "<Action>replace<")
    assert {code for code, _ in issues(reading(text))} == {"FIELD_MISSING"}
    found = reading(_with_replaces(text, replaces))
    assert issues(found) == set()
    change = found.orders[0].change
    assert change is not None
    assert str(change.prescription_id) == "0d3b1c56-6a0c-4a3f-8a54-5f6f2d1b7009"


def _with_replaces(text: str, element: str) -> str:
    first = text.index("<Item ")
    return text if "<Replaces>" in text else text[:first] + element + text[first:]


@pytest.mark.parametrize("action", [Action.HOLD, Action.RELEASE])
def test_a_hold_or_a_release_names_its_prescription_like_a_cancel(action: Action) -> None:
    found = reading(CANCEL.replace("<Action>cancel<", f"<Action>{action}<"))
    assert issues(found) == set()
    assert found.unaccounted == ()
    (order,) = found.orders
    assert (order.action, order.prescription) == (action, None)
    assert order.change is not None
    assert order.change.prescription_id is not None
    assert order.change.by is not None


UNREADABLE = {
    "doctype": (EXAMPLE.replace("?>", "?><!DOCTYPE x>", 1).encode(), "UNREADABLE"),
    "lower-case doctype in a comment": (EXAMPLE.replace("?>", "?><!-- <!doctype x> -->", 1).encode(), "UNREADABLE"),
    "external entity": (
        EXAMPLE.replace("?>", '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
        .replace("Aoife", "&e;")
        .encode(),
        "UNREADABLE",
    ),
    "undeclared entity": (changed("Aoife", "&e;").encode(), "UNREADABLE"),
    "UTF-16": (EXAMPLE.replace("UTF-8", "UTF-16", 1).encode("utf-16"), "CHARSET_INVALID"),
    "UTF-16 undeclared": (EXAMPLE.split("?>", 1)[1].encode("utf-16-le"), "CHARSET_INVALID"),
    "latin-1 declared": (EXAMPLE.replace("UTF-8", "ISO-8859-1", 1).encode("latin-1"), "CHARSET_INVALID"),
    "not UTF-8": (changed("Aoife", "Aoif\xe9").encode("latin-1"), "CHARSET_INVALID"),
    "UTF-7 declared": (EXAMPLE.replace("UTF-8", "UTF-7", 1).encode(), "CHARSET_INVALID"),
    "surrogate reference": (changed("Aoife", "&#xD800;").encode(), "UNREADABLE"),
    "control reference": (changed("Aoife", "&#x1;").encode(), "UNREADABLE"),
    "duplicate attribute": (changed('status="01"', 'status="01" status="02"').encode(), "UNREADABLE"),
    "cut off": (EXAMPLE[:900].encode(), "UNREADABLE"),
    "empty": (b"", "UNREADABLE"),
    "deep nesting": (b"<a>" * 5000 + b"</a>" * 5000, "UNREADABLE"),
    "another root": (b"<Envelope/>", "MESSAGE_TYPE_UNSUPPORTED"),
    "right name, wrong namespace": (EXAMPLE.replace(':1"', ':2"', 1).encode(), "MESSAGE_TYPE_UNSUPPORTED"),
    "too large": (EXAMPLE.encode() + b" " * (1 << 20), "TOO_LARGE"),
    "no message id": (re.sub(' messageId="[^"]*"', "", EXAMPLE).encode(), "CONTROL_ID_MISSING"),
}


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_safely_is_refused_before_it_is_believed(case: tuple[bytes, str]) -> None:
    body, code = case
    with pytest.raises(Refusal) as refusal:
        reading(body)
    assert refusal.value.issues[0].code == code


def test_a_charset_of_the_media_type_must_agree() -> None:
    with pytest.raises(Refusal):
        reading(EXAMPLE, content_type="application/xml; charset=iso-8859-1")
    assert issues(reading(EXAMPLE, content_type='application/xml; charset="UTF-8"')) == set()


ROOT = "/PrescriptionMessage"
ITEM = f"{ROOT}/Prescription/Item[1]"
DOSAGE = f"{ITEM}/Dosage[1]"
FAULTS = {
    "comment in an order number": ("RX7001", "RX<!---->7001", "STRUCTURE_INVALID", f"{ITEM}/TrustOrderNumber"),
    "instruction in a name": ("Aoife", "Ao<?x?>ife", "STRUCTURE_INVALID", "/"),
    "stylesheet": ("<PrescriptionMessage", '<?xml-stylesheet href="x"?><PrescriptionMessage', "STRUCTURE_INVALID", "/"),
    "foreign element": ("<Dose ", '<x:Dose xmlns:x="urn:x"/><Dose ', "STRUCTURE_INVALID", f"{DOSAGE}/*"),
    "default namespace switched": ("<Dose ", '<Dose xmlns="urn:x" ', "STRUCTURE_INVALID", f"{DOSAGE}/*"),
    "two doses": ("<Timing>", '<Dose value="5" unit="milligram" ucum="mg"/><Timing>', "STRUCTURE_INVALID", None),
    "unknown element": ("<Supply>", "<Colour>red</Colour><Supply>", "STRUCTURE_INVALID", f"{ITEM}/Colour"),
    "unknown attribute": ('value="10"', 'value="10" x="1"', "STRUCTURE_INVALID", f"{DOSAGE}/Dose/@x"),
    "words between elements": ("<Supply>", "and<Supply>", "STRUCTURE_INVALID", ITEM),
    "xsi:type": (
        "<Dose ",
        '<Dose xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="Quantity" ',
        "STRUCTURE_INVALID",
        f"{DOSAGE}/Dose",
    ),
    "dose of nought": ('value="10"', 'value="0"', "VALUE_INVALID", f"{DOSAGE}/Dose/@value"),
    "signed dose": ('value="10"', 'value="+10"', "VALUE_INVALID", f"{DOSAGE}/Dose/@value"),
    "leading noughts": ('value="10"', 'value="010"', "VALUE_INVALID", f"{DOSAGE}/Dose/@value"),
    "no leading digit": ('value="10"', 'value=".5"', "VALUE_INVALID", f"{DOSAGE}/Dose/@value"),
    "exponent": ('value="10"', 'value="1e1"', "VALUE_INVALID", f"{DOSAGE}/Dose/@value"),
    "dose missing": ('value="10" ', "", "FIELD_MISSING", f"{DOSAGE}/Dose/@value"),
    "no such date": ("1979-04-12", "1979-02-30", "VALUE_INVALID", f"{ROOT}/Patient/DateOfBirth"),
    "date with a zone": ("1979-04-12", "1979-04-12Z", "VALUE_INVALID", f"{ROOT}/Patient/DateOfBirth"),
    "time without a zone": ("09:10:00+01:00", "09:10:00", "VALUE_INVALID", f"{ROOT}/Prescription/AuthoredAt"),
    "NHS number's check digit": ("9990000077", "9990000078", "NHSNO_CHECK_DIGIT", f"{ROOT}/Patient/NhsNumber"),
    "NHS number empty": (">9990000077<", "><", "NHSNO_MISSING", f"{ROOT}/Patient/NhsNumber"),
    "short id": (
        "<TrustGroupNumber>",
        "<ShortId>A0548B-A99968-451486</ShortId><TrustGroupNumber>",
        "SHORTID_CHECK_DIGIT",
        f"{ROOT}/Prescription/ShortId",
    ),
    "GMC number": (">9999991<", ">99<", "IDENTIFIER_INVALID", f"{ROOT}/Prescriber/Id[1]"),
    "dm+d check digit": ("15517911000001104", "15517911000001105", "IDENTIFIER_INVALID", f"{ITEM}/Product/@dmd"),
    "unknown product": ("15517911000001104", "22298006", "DRUG_UNKNOWN", f"{ITEM}/Product/@dmd"),
    "level": ('level="VMP"', 'level="AMP"', "PRODUCT_LEVEL_MISMATCH", f"{ITEM}/Product/@level"),
    "brand wanted": ('level="VMP"', 'level="VMP" brandRequired="true"', "BRAND_REQUIRED", f"{ITEM}/Product/@dmd"),
    "strength in words": ("Methotrexate 10mg/0.2ml", "Methotrexate 15mg/0.3ml", "STRENGTH_TEXT_MISMATCH", None),
    "another drug in words": ("Methotrexate 10mg/0.2ml", "Metformin 10mg/0.2ml", "DRUG_TEXT_MISMATCH", None),
    "stale words": ("pre-filled syringes<", "prefilled syringe<", "DISPLAY_STALE", f"{ITEM}/Product"),
    "deceased": ("<Allergies status", "<Deceased>2026-01-01</Deceased><Allergies status", "PATIENT_DECEASED", None),
    "schedule 2": (
        "</Supply>",
        '</Supply><ControlledDrug schedule="CD2"><QuantityInWords>four</QuantityInWords></ControlledDrug>',
        "CD_SCHEDULE_NOT_ALLOWED",
        f"{ITEM}/ControlledDrug/@schedule",
    ),
    "another sender": ('Sender ods="RBA"', 'Sender ods="RXX"', "SENDER_MISMATCH", f"{ROOT}/Header/Sender/@ods"),
    "live into test": (">test<", ">live<", "ENVIRONMENT_WRONG", f"{ROOT}/Header/Environment"),
    "unknown UCUM": ('ucum="mg"', 'ucum="MG"', "UNIT_UNMAPPED", f"{DOSAGE}/Dose/@ucum"),
    "unit in dangerous words": ('unit="milligram" ucum="mg"', 'unit="IU"', "UNIT_UNMAPPED", f"{DOSAGE}/Dose/@unit"),
    "unit words against code": ('unit="milligram"', 'unit="microgram"', "DOSE_CONFLICT", f"{DOSAGE}/Dose"),
    "form as unit": ('snomed="3318611000001103"', 'snomed="385024007"', "UNIT_UNMAPPED", None),
    "unknown route": ('code="34206005"', 'code="422145002"', "ROUTE_UNMAPPED", f"{DOSAGE}/Route"),
    "end before start": ('to="2027-04-05"/></Timing>', 'to="2026-04-05"/></Timing>', "VALUE_INVALID", None),
    "allergies without a list": ('status="recorded"', 'status="none-known"', "FIELD_NOT_UNDERSTOOD", None),
    "no-break space in a number": (">RX7001<", ">RX\xa07001<", "VALUE_INVALID", f"{ITEM}/TrustOrderNumber"),
}


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_xpath(case: tuple[str, str, str, str | None]) -> None:
    old, new, code, location = case
    found = reading(changed(old, new))
    assert code in {name for name, _ in issues(found)}
    assert location is None or (code, location) in issues(found)
    assert found.unaccounted == ()


HARMLESS = {
    "CDATA and references": ("RX7001", "<![CDATA[RX]]>&#x37;001"),
    "comment between elements": ("<Supply>", "<!-- stock --><Supply>"),
    "schema hint": (
        'schemaVersion="1.0"',
        'schemaVersion="1.0" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x http://x/y"',
    ),
}


@pytest.mark.parametrize("case", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_means_the_same_reads_the_same(case: tuple[str, str]) -> None:
    plain, other = reading(EXAMPLE), reading(changed(*case))
    assert other.orders[0].prescription == plain.orders[0].prescription
    assert issues(other) == set()


def test_every_fault_is_found_at_once() -> None:
    text = changed("9990000077", "9990000078").replace('ucum="mg"', 'ucum="MG"').replace(">test<", ">live<")
    assert {code for code, _ in issues(reading(text))} == {"NHSNO_CHECK_DIGIT", "UNIT_UNMAPPED", "ENVIRONMENT_WRONG"}


def test_an_issue_repeats_no_value_of_the_schema_check() -> None:
    found = reading(changed("<Gender>female", "<Gender>BLOGGS"))
    assert "VALUE_INVALID" in {code for code, _ in issues(found)}
    assert all("BLOGGS" not in issue.text for issue in found.issues)


def test_a_local_unit_is_read_by_the_trusts_own_entry() -> None:
    entry = CodeEntry(kind="unit", code="PFS", text="PFS", target=factories.SYRINGE, approved_by=("a", "b"))
    context = ReadingContext(
        trust=factories.trust(codes=(entry,)), reference=load_reference(), environment=Environment.TEST
    )
    text = changed('unit="pre-filled disposable injection" snomed="3318611000001103"', 'unit="PFS"')
    found = reading(text, context)
    assert {code for code, _ in issues(found)} == {"UNIT_LOCAL_MAPPED"}
    assert found.orders[0].prescription is not None
    assert found.orders[0].prescription.lines[0].quantity.unit == factories.SYRINGE


def test_words_alone_are_a_legal_order() -> None:
    text = re.sub(r"<Dosage .*?</Dosage>", "", EXAMPLE, flags=re.DOTALL)
    found = reading(text)
    assert {code for code, _ in issues(found)} == {"DOSE_TEXT_ONLY"}
    assert found.orders[0].prescription is not None
    (dosage,) = found.orders[0].prescription.lines[0].dosages
    assert (dosage.text, dosage.dose, dosage.timing) == ("Inject 10mg ONCE a WEEK on a Monday", None, None)


def test_every_part_of_a_dosage_is_read() -> None:
    full = """<Timing><Frequency times="1" timesMax="2" period="1" periodMax="2.50" unit="d"/>
      <TimeOfDay>08:00:00</TimeOfDay>
      <When offsetMinutes="30">PC</When><AdministerOver value="4" unit="h"/><For value="10" unit="d"/><Doses>9</Doses>
      <OnDate>2026-11-02</OnDate></Timing><AsRequired/><Route code="34206005">Subcutaneous route</Route>
      <MaxPerPeriod><Amount value="40.0" unit="milligram" ucum="mg"/><In value="1" unit="d"/></MaxPerPeriod>
      <AdditionalInstruction code="417929005">Times</AdditionalInstruction>
      <PatientInstruction>Rest</PatientInstruction></Dosage>"""
    found = reading(re.sub(r"<Timing>.*?</Dosage>", full, EXAMPLE, flags=re.DOTALL))
    assert issues(found) == set()
    prescription = found.orders[0].prescription
    assert prescription is not None
    (dosage,) = prescription.lines[0].dosages
    timing = dosage.timing
    assert timing is not None
    assert timing.period_max is not None
    assert lexeme(timing.period_max) == "2.50"
    assert timing.time_of_day == (time(8),)
    assert (timing.when, timing.offset_minutes, timing.count) == (("PC",), 30, 9)
    assert timing.on_dates == (date(2026, 11, 2),)
    assert dosage.as_needed is not None
    assert dosage.max_per_period is not None
    assert lexeme(dosage.max_per_period.amount.value) == "40.0"
    assert dosage.patient_instruction == "Rest"


def test_the_signature_is_kept_as_received() -> None:
    octets = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ><ds:SignedInfo  a="1"/></ds:Signature>'
    found = reading(EXAMPLE.replace("</PrescriptionMessage>", octets + "</PrescriptionMessage>"))
    assert issues(found) == set()
    assert found.unaccounted == ()
    prescription = found.orders[0].prescription
    assert prescription is not None
    assert prescription.signature is not None
    assert prescription.signature.data == octets.encode()
    assert prescription.signature.format == "xmldsig"


def test_items_that_share_an_order_number_are_refused() -> None:
    item = re.search(r"<Item .*?</Item>", EXAMPLE, re.DOTALL)
    assert item is not None
    twin = item[0].replace("49001", "49002", 1)
    found = reading(EXAMPLE.replace(item[0], item[0] + twin))
    assert issues(found) == {("ORDER_REUSED", f"{ROOT}/Prescription/Item[2]")}


def test_the_same_bytes_give_the_same_reading() -> None:
    first, again = reading(EXAMPLE), reading(EXAMPLE)
    assert first.orders[0].prescription == again.orders[0].prescription
    assert first.orders[0].trace == again.orders[0].trace


LEAVES = [m for m in re.finditer(r'>([^<>\s][^<>]*)<|="([^"]+)"', EXAMPLE) if m.start() > EXAMPLE.index("<Header>")]


@given(
    st.sampled_from(LEAVES), st.sampled_from(["", "x", "0", "1", "-1", "9" * 30, "2026-13-01", " ", "é", "&amp;&lt;"])
)
def test_a_changed_value_never_changes_the_prescription_in_silence(leaf: re.Match[str], value: str) -> None:
    start, end = leaf.span(1) if leaf[1] is not None else leaf.span(2)
    plain = reading(EXAMPLE).orders[0].prescription
    found = reading(EXAMPLE[:start] + value + EXAMPLE[end:])
    assert found.unaccounted == ()
    whole = (*found.issues, *(issue for order in found.orders for issue in order.issues))
    same = bool(found.orders) and found.orders[0].prescription == plain
    if not refused(whole) and not held(whole) and not same:
        prescription = found.orders[0].prescription
        assert prescription is not None
        assert value.strip() in {*(row.raw for row in found.orders[0].trace), "&amp;&lt;"} or found.leftovers
