"""Every kind of bad input, through the real doors: a clear answer in the sender's terms, and nothing half-stored.

One table. Each row is one thing wrong with a message that is otherwise taken; a row says what the sender hears, and
what is left of the message in the store. What was *sent* nowhere is part of every row: the outbox stays empty.
"""

import asyncio
import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import apsw
import hl7
import pytest

from gateway.settings import Settings
from gateway.wire.strict_json import dumps
from gateway.wiring.build import DATABASE, Gateway, Part, build
from gateway.wiring.doors import Waking, http_application, mllp_listener
from tests.dated import as_of_yesterday
from tests.doors import bearer, served
from tests.sessions_at_hand import SessionsAtHand
from tests.unit.translate.from_fhir import orders

GOLDEN = Path(__file__).parents[1] / "golden"
V2 = as_of_yesterday((GOLDEN / "hl7v2" / "S01.hl7").read_bytes().replace(b"|AL|AL|", b"|||"))
XML = as_of_yesterday((GOLDEN / "xml" / "example-new.xml").read_bytes())
FHIR = as_of_yesterday(dumps(orders.unsigned()))
MORPHINE = b"36126511000001106"
METHOTREXATE = b"15517911000001104"
UNKNOWN = b"99999911000001102"
"""Its check digit is right; no release has it."""
PATIENT = (b"TESTPATIENT", b"Aoife", b"9990000077", b"TA1 1AA")

DOORS = {
    "v2": ("/hl7v2", "application/hl7-v2"),
    "mllp": ("", ""),
    "xml": ("/xml", "application/xml"),
    "fhir": ("/FHIR/R4/$process-message", "application/fhir+json"),
}
WHOLE = {"v2": V2, "mllp": V2, "xml": XML, "fhir": FHIR}
Change = Callable[[bytes], bytes]


class Fate(Enum):
    """What is left of a message that was not simply taken."""

    APART = "its bytes are kept apart; no submission"
    MEASURED = "its length and digest are kept apart; no submission"
    REFUSED = "a submission that was refused; no prescription"
    HELD = "a submission whose line waits for a person"
    NOTHING = "nothing: the sender was told to send it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One bad message: how it is made, and what must follow."""

    what: str
    door: str
    change: Change
    code: str
    location: str
    status: int
    fate: Fate

    def __str__(self) -> str:
        return f"{self.door}: {self.what}"


def swap(old: bytes, new: bytes) -> Change:
    def change(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new)

    return change


def without(segment: bytes) -> Change:
    return lambda body: b"".join(line + b"\r" for line in body.split(b"\r") if line and not line.startswith(segment))


def fhir(kind: str, edit: Callable[[dict[str, Any]], object]) -> Change:
    def change(_: bytes) -> bytes:
        found = orders.unsigned()
        edit(found if kind == "Bundle" else orders.resource(found, kind))
        return dumps(found)

    return change


def no_element(name: bytes) -> Change:
    return lambda body: re.sub(rb"<%b[ >].*</%b>" % (name, name), b"", body, flags=re.DOTALL)


def swell(body: bytes) -> bytes:
    return body + b"NTE|1||" + b"a" * (6 << 20)


WRONG_NUMBER = swap(b"9990000077", b"9990000078")
TWICE = swap(b'"status":"active"', b'"status":"active","status":"draft"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway with open doors and no worker."""

    gateway: Gateway
    address: str
    mllp_port: int
    client: aiohttp.ClientSession

    async def say(self, door: str, body: bytes) -> tuple[int, bytes]:
        if door == "mllp":
            return 0, await self.frame(b"\x0b" + body + b"\x1c\r")
        path, kind = DOORS[door]
        headers = bearer(self.gateway.fresh["trust RBA"]) | {"Content-Type": kind}
        async with self.client.post(self.address + path, data=io.BytesIO(body), headers=headers) as response:
            return response.status, await response.read()

    async def frame(self, octets: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.mllp_port)
        with suppress(ConnectionError):
            writer.write(octets)
            writer.write_eof()
        async with asyncio.timeout(5):
            answer = await reader.read(-1)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return answer.removeprefix(b"\x0b").removesuffix(b"\x1c\r")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        # by the store's own library: another SQLite in this process would let go of the store's locks
        file = str(self.gateway.settings.data / DATABASE)
        with closing(apsw.Connection(file, flags=apsw.SQLITE_OPEN_READONLY)) as reader:
            return list(reader.execute(sql))

    def fate(self) -> Fate | None:
        """What the store holds, and that it holds nothing else."""
        apart = self.rows("SELECT body IS NOT NULL FROM kept_apart")
        submissions = self.rows("SELECT outcome FROM submission")
        states = {state for (state,) in self.rows("SELECT state FROM line")}
        prescriptions = self.rows("SELECT 1 FROM prescription")
        assert self.rows("SELECT * FROM outbox WHERE kind = 'deliver'") == []
        assert self.rows("SELECT * FROM message") == []
        if apart:
            assert (len(apart), submissions, states, prescriptions) == (1, [], set(), [])
            return Fate.APART if apart[0][0] else Fate.MEASURED
        if submissions == [("refused",)]:
            assert (states, prescriptions) == (set(), [])
            return Fate.REFUSED
        if submissions == [("held",)]:
            assert states == {"HELD"}
            return Fate.HELD
        assert submissions == []
        assert prescriptions == []
        return Fate.NOTHING


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path))
    gateway = build(Settings(data=tmp_path), broken=lambda: None)
    story = Waking(gateway, lambda: None)
    app = http_application(
        gateway, story, SessionsAtHand(gateway.clock.now), frozenset({Part.HTTP}), "http://127.0.0.1"
    )
    listener = mllp_listener(gateway, story)
    port = await listener.start("127.0.0.1", 0)
    async with served(app) as address, aiohttp.ClientSession() as client:
        yield Running(gateway=gateway, address=address, mllp_port=port, client=client)
    await listener.close()
    await gateway.enquiries.close()
    await gateway.store.close()
    for destination in gateway.destinations.values():
        await destination.close()


def told(door: str, answer: bytes) -> set[tuple[str, str]]:
    """Read an answer with another library than the one that wrote it: (code, location) of each issue."""
    if door == "xml":
        issues = [found for found in ET.fromstring(answer).iter() if found.tag.endswith("}Issue")]  # noqa: S314 - ours
        assert all(len(found) for found in issues)
        return {(found.get("code", ""), found.get("location", "")) for found in issues}
    if door == "fhir":
        value = json.loads(answer)
        resources = [value] if value["resourceType"] == "OperationOutcome" else [e["resource"] for e in value["entry"]]
        outcomes = [found for found in resources if found["resourceType"] == "OperationOutcome"]
        return {
            (issue["details"]["coding"][0]["code"], (issue.get("expression") or [""])[0])
            for outcome in outcomes
            for issue in outcome["issue"]
            if "coding" in issue.get("details", {})
        }
    parsed = hl7.parse(answer.decode())
    errors = parsed.segments("ERR") if b"\rERR|" in answer else []
    assert all(str(error[8]) for error in errors)
    return {(str(error[5][0][0]), str(error[2])) for error in errors}


EXTENSION = {"url": "https://example.test/must-understand", "valueBoolean": True}
ITEM = "/PrescriptionMessage/Prescription/Item[1]"
ORDER = "Bundle.entry[1].resource"
WHO = "Bundle.entry[2].resource"
CODE = f"{ORDER}.medicationCodeableConcept.coding[0].code"
DOCTYPE = b'?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd">\n'
ENTITY = b'?>\n<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1/">]>\n'
WRONG_BYTE = swap(b"TESTPATIENT", b"T\xffP")


def rows(what: str, *made: tuple[str, Change, str, str, int, Fate]) -> list[Row]:
    return [
        Row(what=what, door=door, change=change, code=code, location=location, status=status, fate=fate)
        for door, change, code, location, status, fate in made
    ]


ROWS = [
    *rows(
        "cut short",
        ("v2", lambda body: body[:5], "UNREADABLE", "", 400, Fate.APART),
        ("xml", lambda body: body[:900], "UNREADABLE", "line 10, column 90", 400, Fate.APART),
        ("fhir", lambda body: body[:900], "UNREADABLE", "", 400, Fate.APART),
    ),
    *rows(
        "bytes that are not its character set",
        ("v2", WRONG_BYTE, "CHARSET_INVALID", "MSH^1^18", 400, Fate.APART),
        ("mllp", WRONG_BYTE, "CHARSET_INVALID", "MSH^1^18", 0, Fate.APART),
        ("xml", WRONG_BYTE, "CHARSET_INVALID", "byte 564", 400, Fate.APART),
        ("fhir", WRONG_BYTE, "CHARSET_INVALID", "", 400, Fate.APART),
    ),
    *rows(
        "a character set that is not served",
        ("v2", swap(b"UNICODE UTF-8", b"KEYBCS2"), "CHARSET_INVALID", "MSH^1^18", 400, Fate.APART),
        ("xml", swap(b'encoding="UTF-8"', b'encoding="KOI8-R"'), "CHARSET_INVALID", "", 400, Fate.APART),
    ),
    *rows(
        "no patient",
        ("v2", without(b"PID"), "SEGMENT_MISSING", "PID^1", 422, Fate.REFUSED),
        ("mllp", without(b"PID"), "SEGMENT_MISSING", "PID^1", 0, Fate.REFUSED),
        ("xml", no_element(b"Patient"), "STRUCTURE_INVALID", "/PrescriptionMessage/Prescriber", 422, Fate.REFUSED),
        (
            "fhir",
            fhir("Bundle", lambda found: found["entry"].pop(2)),
            "FIELD_MISSING",
            "Bundle.entry",
            422,
            Fate.REFUSED,
        ),
    ),
    *rows(
        "no order",
        ("v2", without(b"ORC"), "SEGMENT_MISSING", "ORC^1", 422, Fate.REFUSED),
        ("mllp", without(b"ORC"), "SEGMENT_MISSING", "ORC^1", 0, Fate.REFUSED),
        (
            "xml",
            no_element(b"Item"),
            "STRUCTURE_INVALID",
            "/PrescriptionMessage/Prescription/Homecare",
            422,
            Fate.REFUSED,
        ),
        (
            "fhir",
            fhir("Bundle", lambda found: found["entry"].pop(1)),
            "FIELD_MISSING",
            "Bundle.entry",
            422,
            Fate.REFUSED,
        ),
    ),
    *rows(
        "an NHS number with a wrong check digit",
        ("v2", WRONG_NUMBER, "NHSNO_CHECK_DIGIT", "PID^1^3^1^1", 422, Fate.REFUSED),
        ("mllp", WRONG_NUMBER, "NHSNO_CHECK_DIGIT", "PID^1^3^1^1", 0, Fate.REFUSED),
        ("xml", WRONG_NUMBER, "NHSNO_CHECK_DIGIT", "/PrescriptionMessage/Patient/NhsNumber", 422, Fate.REFUSED),
        ("fhir", WRONG_NUMBER, "NHSNO_CHECK_DIGIT", f"{WHO}.identifier[0].value", 422, Fate.REFUSED),
    ),
    *rows(
        "a drug code that is not in the release",
        ("v2", swap(METHOTREXATE, UNKNOWN), "DRUG_UNKNOWN", "RXE^1^2^1^1", 200, Fate.HELD),
        ("xml", swap(METHOTREXATE, UNKNOWN), "DRUG_UNKNOWN", f"{ITEM}/Product/@dmd", 202, Fate.HELD),
        ("fhir", swap(METHOTREXATE, UNKNOWN), "DRUG_UNKNOWN", CODE, 202, Fate.HELD),
    ),
    *rows(
        "a drug code that is none",
        ("v2", swap(METHOTREXATE, b"MTX10"), "IDENTIFIER_INVALID", "RXE^1^2^1^1", 422, Fate.REFUSED),
        ("xml", swap(METHOTREXATE, b"MTX10"), "IDENTIFIER_INVALID", f"{ITEM}/Product/@dmd", 422, Fate.REFUSED),
        ("fhir", swap(METHOTREXATE, b"MTX10"), "IDENTIFIER_INVALID", CODE, 422, Fate.REFUSED),
    ),
    *rows(
        "two doses that differ",
        ("v2", swap(b"TQ1|1||", b"TQ1|1|20^mg|"), "DOSE_CONFLICT", "TQ1^1^2^1^1", 200, Fate.HELD),
        ("mllp", swap(b"TQ1|1||", b"TQ1|1|20^mg|"), "DOSE_CONFLICT", "TQ1^1^2^1^1", 0, Fate.HELD),
    ),
    *rows(
        "a type that is not served",
        ("v2", swap(b"RDE^O11^RDE_O11", b"ADT^A01^ADT_A01"), "MESSAGE_TYPE_UNSUPPORTED", "MSH^1^9", 400, Fate.APART),
        ("mllp", swap(b"RDE^O11^RDE_O11", b"ADT^A01^ADT_A01"), "MESSAGE_TYPE_UNSUPPORTED", "MSH^1^9", 0, Fate.APART),
        ("xml", lambda _: b"<Invoice/>", "MESSAGE_TYPE_UNSUPPORTED", "/*", 400, Fate.APART),
        (
            "fhir",
            swap(b'"prescription-order"', b'"invoice"'),
            "MESSAGE_TYPE_UNSUPPORTED",
            "Bundle.entry[0].resource.eventCoding.code",
            422,
            Fate.APART,
        ),
        ("fhir", lambda _: b'{"resourceType":"Patient"}', "MESSAGE_TYPE_UNSUPPORTED", "Bundle", 400, Fate.APART),
    ),
    *rows(
        "a document type or an external entity",
        ("xml", swap(b"?>\n", DOCTYPE), "UNREADABLE", "byte 39", 400, Fate.APART),
        ("xml", swap(b"?>\n", ENTITY), "UNREADABLE", "byte 39", 400, Fate.APART),
    ),
    *rows("a member that is named twice", ("fhir", TWICE, "DUPLICATE_KEY", f"{ORDER}.status", 400, Fate.APART)),
    *rows(
        "a modifierExtension nobody agreed on",
        *(
            (
                "fhir",
                fhir(kind, lambda found: found.update(modifierExtension=[EXTENSION])),
                "EXTENSION_NOT_UNDERSTOOD",
                f"Bundle.entry[{place}].resource.modifierExtension[0]",
                422,
                Fate.REFUSED,
            )
            for place, kind in enumerate(("MessageHeader", "MedicationRequest", "Patient"))
        ),
    ),
    *rows(
        "a patient under 12 whose age is not stated",
        ("v2", swap(b"19790412", b"20200412"), "AGE_REQUIRED_UNDER_12", "PID^1^7^1^1", 422, Fate.REFUSED),
        (
            "xml",
            swap(b"1979-04-12", b"2020-04-12"),
            "AGE_REQUIRED_UNDER_12",
            "/PrescriptionMessage/Patient/DateOfBirth",
            422,
            Fate.REFUSED,
        ),
        ("fhir", swap(b"1979-04-12", b"2020-04-12"), "AGE_REQUIRED_UNDER_12", f"{WHO}.birthDate", 422, Fate.REFUSED),
    ),
    *rows(
        "a controlled drug of Schedule 2",
        ("v2", swap(METHOTREXATE, MORPHINE), "CD_SCHEDULE_NOT_ALLOWED", "RXE^1^2", 422, Fate.REFUSED),
        ("mllp", swap(METHOTREXATE, MORPHINE), "CD_SCHEDULE_NOT_ALLOWED", "RXE^1^2", 0, Fate.REFUSED),
        ("xml", swap(METHOTREXATE, MORPHINE), "CD_SCHEDULE_NOT_ALLOWED", f"{ITEM}/Product/@dmd", 422, Fate.REFUSED),
        ("fhir", swap(METHOTREXATE, MORPHINE), "CD_SCHEDULE_NOT_ALLOWED", CODE, 422, Fate.REFUSED),
    ),
    *rows(
        "a provider nobody knows",
        ("v2", swap(b"VNE51", b"ZZZ99"), "PROVIDER_UNKNOWN", "ZHC^1^2", 200, Fate.HELD),
        (
            "xml",
            swap(b"VNE51", b"ZZZ99"),
            "PROVIDER_UNKNOWN",
            "/PrescriptionMessage/Prescription/Homecare/Provider/@ods",
            202,
            Fate.HELD,
        ),
        (
            "fhir",
            swap(b"VNE51", b"ZZZ99"),
            "PROVIDER_UNKNOWN",
            f"{ORDER}.dispenseRequest.performer.identifier.value",
            202,
            Fate.HELD,
        ),
    ),
    *rows(
        "six mebibytes",
        *(("v2", swell, "TOO_LARGE", "", 413, Fate.MEASURED), ("mllp", swell, "TOO_LARGE", "", 0, Fate.MEASURED)),
        *((door, swell, "TOO_LARGE", "", 413, Fate.MEASURED) for door in ("xml", "fhir")),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_bad_input_is_answered_in_the_senders_terms_and_nothing_is_half_stored(
    running: Running, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    body = row.change(WHOLE[row.door])
    status, answer = await running.say(row.door, body)
    assert (row.code, row.location) in told(row.door, answer)
    assert status == row.status
    assert running.fate() is row.fate
    assert not any(private in answer for private in PATIENT)
    assert not any(private.decode() in caplog.text for private in PATIENT)
    if row.fate in {Fate.APART, Fate.MEASURED} and row.door != "mllp":
        assert running.rows("SELECT length, digest FROM kept_apart") == [(len(body), hashlib.sha256(body).hexdigest())]


@pytest.mark.parametrize("door", sorted(WHOLE))
async def test_the_same_message_without_the_fault_is_taken(running: Running, door: str) -> None:
    status, answer = await running.say(door, WHOLE[door])
    assert status in {0, 200}
    assert {code for code, _ in told(door, answer)} <= {"ALLERGY_NOT_STATED"}
    assert running.rows("SELECT outcome FROM submission") == [("translated",)]
    assert running.rows("SELECT count(*) FROM outbox WHERE kind = 'deliver'") == [(1,)]


@pytest.mark.parametrize("door", sorted(WHOLE))
async def test_a_control_id_used_again_for_other_bytes_is_a_conflict_and_changes_nothing(
    running: Running, door: str
) -> None:
    first = await running.say(door, WHOLE[door])
    status, answer = await running.say(door, WHOLE[door].replace(b"Testville", b"Elsewhere"))
    assert "CONTROL_ID_REUSED" in {code for code, _ in told(door, answer)}
    assert status in {0, 409}
    assert running.rows("SELECT why, body IS NOT NULL FROM kept_apart") == [("clash", 1)]
    assert running.rows("SELECT count(*) FROM submission") == [(1,)]
    assert running.rows("SELECT count(*) FROM outbox WHERE kind = 'deliver'") == [(1,)]
    assert await running.say(door, WHOLE[door]) == first


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"\x0b" + V2, V2),
        (b"\x0b" + V2[:700], V2[:700]),
        (V2, V2),
        (b"\x0b" + V2 + b"\x1cX", V2),
        (b"\x0b" + V2 + b"\x0b" + V2 + b"\x1c\r", V2),
    ],
    ids=["no end", "cut short", "no frame", "a broken end", "a frame inside a frame"],
)
async def test_broken_framing_is_answered_and_what_arrived_is_kept_apart(
    running: Running, octets: bytes, kept: bytes
) -> None:
    answer = await running.frame(octets)
    assert ("FRAME_INVALID", "") in told("mllp", answer)
    assert b"MSA|AR|S01-0001" in answer
    assert running.fate() is Fate.APART
    assert running.rows("SELECT body FROM kept_apart") == [(kept,)]


@pytest.mark.parametrize("door", sorted(WHOLE))
async def test_on_a_full_disk_nothing_is_stored_and_the_same_bytes_are_taken_later(running: Running, door: str) -> None:
    store = running.gateway.store
    connection = store._transaction.connection
    pages = int(connection.pragma("page_count"))
    await store._run(lambda: connection.pragma("max_page_count", pages))
    filler = b" " * 300_000
    body = WHOLE[door] + (b"NTE|1||" + filler + b"\r" if door in {"v2", "mllp"} else filler)
    status, answer = await running.say(door, body)
    assert ("NOT_STORED", "") in told(door, answer)
    assert status in {0, 503}
    assert running.fate() is Fate.NOTHING
    await store._run(lambda: connection.pragma("max_page_count", 1_000_000))
    status, answer = await running.say(door, body)
    assert status in {0, 200}
    assert running.rows("SELECT count(*) FROM submission WHERE outcome <> 'refused'") == [(1,)]
