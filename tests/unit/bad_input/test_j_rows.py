"""FHIR JSON, by the rows of reliability-security.md 4.3.

Elsewhere: J01 to J07 value by value in `unit/wire/test_strict_json.py`; J23 to J26 in `acceptance/test_repeats.py`.
Narrative (J28) and attachments (J29) are never shown; what a profile claims (J30) is not believed. A validity that ends
too soon (J20) holds, where the corpus refuses: mapping.md 8.5 makes it a sum. A focus that is not there (J10) holds the
order too: only the sender can tell what it meant.
"""

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.submission import WireFormat
from gateway.wire.strict_json import dumps, loads
from tests.fuzz.submissions import carry
from tests.fuzz.targets import unsigned
from tests.unit.bad_input.rows import HELD, REFUSED, TAKEN, Row, judge, swap
from tests.unit.translate.from_fhir import orders

GOOD = dumps(unsigned(orders.message()))
EXTENSION = [{"url": "https://example.test/x", "valueBoolean": True}]


def edit(kind: str, make: Callable[[Any], object]) -> Callable[[bytes], bytes]:
    """Change the Bundle, or its first resource of a type."""

    def change(body: bytes) -> bytes:
        found: Any = loads(body)
        make(found if kind == "Bundle" else orders.resource(found, kind))
        return dumps(found)

    return change


def put(kind: str, **members: Any) -> Callable[[bytes], bytes]:
    return edit(kind, lambda found: found.update(members))


def again(kind: str) -> Callable[[bytes], bytes]:
    def make(found: Any) -> None:
        entry = next(one for one in found["entry"] if one["resource"]["resourceType"] == kind)
        found["entry"].append(copy.deepcopy(entry) | {"fullUrl": orders.SECOND})

    return edit("Bundle", make)


def both(*changes: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        for one in changes:
            body = one(body)
        return body

    return change


def supply(**members: Any) -> Callable[[bytes], bytes]:
    return edit(LINE, lambda found: found["dispenseRequest"].update(members))


def course(code: str) -> Callable[[bytes], bytes]:
    return edit(LINE, lambda found: found["courseOfTherapyType"]["coding"][0].update(code=code))


def little(found: Any) -> None:
    found["dispenseRequest"]["quantity"]["value"] = 1


def attach(kind: str, data: str) -> Callable[[bytes], bytes]:
    binary = {"resourceType": "Binary", "contentType": kind, "data": data}
    return edit("Bundle", lambda found: found["entry"].append({"fullUrl": orders.SECOND, "resource": binary}))


LINE, WHO = "MedicationRequest", "Patient"
MANY = {f"k{number}": 1 for number in range(100_000)}
FIVE_DAYS, BACKWARDS = ({"start": "2026-10-05", "end": end} for end in ("2026-10-10", "2026-10-01"))
REPEAT = "continuous-repeat-dispensing"
XHTML = '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script><img src="http://127.0.0.1/"/>Take 2</div>'
NARRATIVE = {"status": "generated", "div": XHTML}
CLAIM = {"profile": ["https://fhir.hl7.org.uk/StructureDefinition/UKCore-MedicationRequest"]}
RESTRICTED = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
ROWS = [
    Row(
        "J01",
        "a member twice",
        swap('"status":"active"', '"status":"active","status":"draft"'),
        REFUSED,
        "DUPLICATE_KEY",
    ),
    Row("J01", "twice, once escaped", swap('"status":"active"', '"status":"active","\\u0073tatus":"x"'), REFUSED, ""),
    Row("J02", "NaN", swap('"value":10', '"value":NaN'), REFUSED, "UNREADABLE"),
    Row("J02", "an exponent", swap('"value":10', '"value":1E1'), REFUSED, "VALUE_INVALID"),
    Row("J03", "20 digits", swap('"value":10', '"value":10.123456789012345678'), REFUSED, "VALUE_INVALID"),
    Row("J04", "a number as a text", swap('"value":10', '"value":"10"'), REFUSED, ""),
    Row("J04", "a list for one", put(LINE, status=["active"]), REFUSED, ""),
    Row("J04", "null", put(LINE, status=None), REFUSED, ""),
    Row("J04", "an empty text", put(LINE, status=""), REFUSED, ""),
    Row("J05", "a byte order mark", lambda body: b"\xef\xbb\xbf" + body, REFUSED, "CHARSET_INVALID"),
    Row("J06", "10,000 deep", lambda _: b"[" * 10_000 + b"]" * 10_000, REFUSED, "UNREADABLE"),
    Row("J06", "100,000 members", edit(LINE, lambda found: found.update(MANY)), REFUSED, "TOO_LARGE"),
    Row("J06", "100,000 items", put(LINE, note=[{"text": "a"}] * 100_000), REFUSED, "TOO_LARGE"),
    Row("J07", "a second document", lambda body: body + b"{}", REFUSED, "UNREADABLE"),
    Row(
        "J08",
        "a letter of another alphabet in an id",
        swap("d0c2f3a0-", "d0c2f3\u04300-"),
        REFUSED,
        "IDENTIFIER_INVALID",
    ),
    Row("J08", "another in a number", swap("A0548B-", "\u04100548B-"), REFUSED, "SHORTID_CHECK_DIGIT"),
    Row("J08", "a digit of another script", swap('"9990000077"', '"999000007\u0667"'), REFUSED, "NHSNO_CHECK_DIGIT"),
    Row("J08", "a name in parts", put("Patient", name=[{"family": "Ne\u0301e", "given": ["Ne\u0301"]}]), TAKEN, ""),
    Row("J08", "a turned dose", swap('"Inject 10mg', '"\u202eInject 10mg'), TAKEN, "TEXT_UNSEEN_CHARACTERS"),
    Row(
        "J08",
        "a turned medicine",
        swap('pre-filled syringes"', 'pre-filled syringes\u202e"'),
        TAKEN,
        "TEXT_UNSEEN_CHARACTERS",
    ),
    Row("J09", "no resourceType", edit("Bundle", lambda found: found.pop("resourceType")), REFUSED, ""),
    Row("J09", "resourceType in small letters", put("Bundle", resourceType="bundle"), REFUSED, ""),
    Row("J09", "a document", put("Bundle", type="document"), REFUSED, ""),
    Row("J10", "no header first", edit("Bundle", lambda found: found["entry"].reverse()), REFUSED, ""),
    Row("J10", "two headers", again("MessageHeader"), REFUSED, ""),
    Row(
        "J10",
        "a focus that is not there",
        put("MessageHeader", focus=[{"reference": orders.SECOND}]),
        HELD,
        "REF_UNRESOLVED",
    ),
    Row(
        "J11", "a fullUrl twice", edit("Bundle", lambda f: f["entry"][2].update(fullUrl=orders.MEDICATION)), REFUSED, ""
    ),
    Row(
        "J12",
        "a reference to a host",
        put(LINE, subject={"reference": "http://169.254.169.254/Patient/1"}),
        REFUSED,
        "",
    ),
    Row("J12", "a reference to a file", put(LINE, subject={"reference": "file:///etc/passwd"}), REFUSED, ""),
    Row("J13", "two patients", again(WHO), REFUSED, ""),
    Row("J13", "a patient by name only", put(LINE, subject={"display": "A"}), REFUSED, ""),
    Row("J14", "two medicines", put(LINE, medicationReference={"reference": orders.SECOND}), REFUSED, ""),
    Row("J15", "an unknown status", put(LINE, status="banana"), REFUSED, ""),
    Row("J15", "entered in error", put(LINE, status="entered-in-error"), REFUSED, ""),
    Row("J15", "a proposal", put(LINE, intent="proposal"), REFUSED, ""),
    Row("J16", "a modifier", put(LINE, modifierExtension=EXTENSION), REFUSED, "EXTENSION_NOT_UNDERSTOOD"),
    Row("J16", "a modifier of the patient", put(WHO, modifierExtension=EXTENSION), REFUSED, "EXTENSION_NOT_UNDERSTOOD"),
    Row("J16", "implicit rules", put("Bundle", implicitRules="urn:x"), REFUSED, ""),
    Row("J16", "do not perform", put(LINE, doNotPerform=True), REFUSED, ""),
    Row("J17", "an unknown extension", edit(LINE, lambda found: found["extension"].extend(EXTENSION)), HELD, ""),
    Row("J18", "a misspelt element", put(LINE, dosageInstructions=[]), REFUSED, ""),
    Row("J18", "an element in capitals", put(LINE, Status="active"), REFUSED, ""),
    Row("J19", "a frequency of nought", swap('"frequency":1', '"frequency":0'), REFUSED, ""),
    Row("J19", "a period below nought", swap('"period":1', '"period":-1'), REFUSED, ""),
    Row("J20", "supplies after the validity", supply(validityPeriod=FIVE_DAYS), HELD, "SUPPLY_SUM_MISMATCH"),
    Row("J20", "a validity that ends first", supply(validityPeriod=BACKWARDS), REFUSED, "VALUE_INVALID"),
    Row("J20", "repeats below nought", supply(numberOfRepeatsAllowed=-1), REFUSED, "VALUE_INVALID"),
    Row("J20", "a hundred repeats", supply(numberOfRepeatsAllowed=100), REFUSED, "VALUE_INVALID"),
    Row("J20", "no repeats of a repeat", both(course(REPEAT), supply(numberOfRepeatsAllowed=0)), HELD, ""),
    Row("J20", "repeats of an acute course", course("acute"), HELD, "REPEATS_CONFLICT"),
    Row("J20", "too little for a supply", edit(LINE, little), HELD, "SUPPLY_SUM_MISMATCH"),
    Row("J20", "no quantity", edit(LINE, lambda found: found["dispenseRequest"].pop("quantity")), HELD, ""),
    Row("J21", "30 February", put(LINE, authoredOn="2026-02-30"), REFUSED, ""),
    Row("J21", "a time without a zone", put(LINE, authoredOn="2026-10-05T09:10:00"), REFUSED, ""),
    Row("J21", "hour 24", put(LINE, authoredOn="2026-10-05T24:00:00Z"), REFUSED, ""),
    Row("J22", "a line's number twice", again(LINE), REFUSED, ""),
    Row("J22", "no prescription number", edit(LINE, lambda found: found.pop("groupIdentifier")), REFUSED, ""),
    Row(
        "J27",
        "a controlled drug of Schedule 2",
        swap("15517911000001104", "36126511000001106"),
        REFUSED,
        "CD_SCHEDULE_NOT_ALLOWED",
    ),
    Row(
        "J27",
        "a controlled drug in words alone",
        put(LINE, medicationCodeableConcept={"text": "Oramorph 10mg/5ml conc"}),
        HELD,
        "DRUG_UNCODED",
    ),
    Row("J28", "a narrative with a script", put(LINE, text=NARRATIVE), TAKEN, ""),
    Row("J29", "an attachment", attach("application/pdf", "JVBERi0xLjQ="), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J29", "an attachment cut short", attach("application/pdf", "JVBERi0xL"), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J29", "a program", attach("application/x-msdownload", "TVqQAAM="), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J30", "a profile that is claimed and kept", put(LINE, meta=CLAIM), TAKEN, ""),
    Row("J30", "a profile that is claimed and broken", put(LINE, meta=CLAIM, status="draft"), REFUSED, ""),
    Row("J30", "a restricted order", put(LINE, meta=RESTRICTED), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J30", "a restricted patient", put(WHO, meta=RESTRICTED), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J30", "a restricted message", put("Bundle", meta=RESTRICTED), HELD, "FIELD_NOT_UNDERSTOOD"),
    Row("J31", "an identifier system with a space", swap("/Id/nhs-number", "/Id/nhs-number "), REFUSED, ""),
    Row(
        "J31",
        "http for https",
        swap("https://fhir.nhs.uk/Id/nhs-number", "http://fhir.nhs.uk/Id/nhs-number"),
        REFUSED,
        "",
    ),
    Row("J32", "__proto__", put(LINE, __proto__={"status": "draft"}), REFUSED, ""),
    Row("J32", "constructor", put(LINE, constructor="x"), REFUSED, ""),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_bad_fhir_json_is_told_what_is_wrong_with_it(row: Row) -> None:
    judge(row, WireFormat.FHIR, GOOD)


def test_j22_lines_of_two_prescriptions_in_one_message_are_refused() -> None:
    message = unsigned(orders.two_lines())
    second = [one["resource"] for one in message["entry"] if one["resource"]["resourceType"] == LINE][1]
    second["groupIdentifier"]["value"] = "B0548B-A99968-45148Z"
    seen = carry(WireFormat.FHIR, GOOD, dumps(message))
    assert seen.verdict.outcome is REFUSED
    assert any("groupIdentifier" in issue.location for issue in seen.verdict.issues)


def test_j28_a_narrative_is_carried_in_the_bytes_received_alone() -> None:
    body = put(LINE, text=NARRATIVE)(GOOD)
    (order,) = carry(WireFormat.FHIR, GOOD, body).orders
    assert order.message is not None
    message: Any = loads(order.message.body)
    resources = [entry["resource"] for entry in message["entry"]]
    assert not [one for one in resources if "<script" in str(one) or "Take 2" in str(one)]
    (source,) = (one for one in resources if one["resourceType"] == "Binary")
    assert base64.b64decode(source["data"]) == body


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.FHIR, GOOD)
