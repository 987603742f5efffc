"""FHIR JSON, by the rows of reliability-security.md 4.3.

Elsewhere: J01 to J07 value by value in `unit/wire/test_strict_json.py`; J23 to J26 in the contract suite of the store
and in `unit/web`; J29 in `unit/web` (size; attachments are not read). J28 does not apply: narrative is never shown.
A focus that is not there (J10) holds the order, where the corpus refuses it: only the sender can tell what it meant.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.submission import WireFormat
from gateway.wire.strict_json import dumps, loads
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


LINE, WHO = "MedicationRequest", "Patient"
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
    Row("J07", "a second document", lambda body: body + b"{}", REFUSED, "UNREADABLE"),
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
    Row("J21", "30 February", put(LINE, authoredOn="2026-02-30"), REFUSED, ""),
    Row("J21", "a time without a zone", put(LINE, authoredOn="2026-10-05T09:10:00"), REFUSED, ""),
    Row("J21", "hour 24", put(LINE, authoredOn="2026-10-05T24:00:00Z"), REFUSED, ""),
    Row("J22", "a line's number twice", again(LINE), REFUSED, ""),
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


def test_the_same_message_without_the_fault_is_taken() -> None:
    judge(Row("", "", lambda body: body, TAKEN, ""), WireFormat.FHIR, GOOD)
