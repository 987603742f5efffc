"""What is fuzzed: every place where bytes from outside are first believed, with whole messages to damage."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gateway.config.fhir_xml import fhir_xml
from gateway.domain.submission import WireFormat
from gateway.wire.mllp import frame
from gateway.wire.strict_json import dumps
from tests.fuzz import mutate, parsers
from tests.fuzz.submissions import FHIR_XML, carry
from tests.unit.translate.from_fhir import orders, uk_core_orders

GOLDEN = Path(__file__).parents[1] / "golden"
HEADERLESS = (uk_core_orders.collection, uk_core_orders.single)
_LINE = "a54219b8-f741-4c47-b662-e4f8dfa49ab6"
_MESSAGE = "0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f"
DIRECTIONS = (
    "Inject 10mg ONCE a WEEK on a Monday, under the skin",
    "Take 1-2 tablets up to four times a day when required for pain; max 8 in 24 hours",
    "5 ml (250mg/5ml) TDS for 10 days, then 2.5ml b.d. on alternate days until finished",
    "One puff every 4 to 6 hours PRN; half a tablet at 08:00 and 20:00, 1½ at night",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One entry point.

    Attributes:
        seeds: whole messages to damage.
        kinds: how they may be damaged.
        check: reads damaged bytes, with the seed they come from, and raises what does not hold.
    """

    seeds: tuple[bytes, ...]
    kinds: tuple[mutate.Mutation, ...]
    check: Callable[[bytes, bytes], object]


def unsigned(message: dict[str, Any]) -> dict[str, Any]:
    """Give a message without its prescriber's signature, so that it passes as it stands."""
    entries = [entry for entry in message["entry"] if entry["resource"]["resourceType"] != "Provenance"]
    return message | {"entry": entries}


def _bare(read: Callable[[bytes], None]) -> Callable[[bytes, bytes], object]:
    return lambda _, body: read(body)


def _carried(form: WireFormat, content_type: str = "") -> Callable[[bytes, bytes], object]:
    return lambda seed, body: carry(form, seed, body, content_type)


def _files(pattern: str) -> tuple[bytes, ...]:
    return tuple(file.read_bytes() for file in sorted(GOLDEN.glob(pattern)))


def _answer() -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": f"{orders.NHS}CodeSystem/message-event", "code": "prescription-order-response"},
        "response": {"identifier": _MESSAGE, "code": "ok"},
    }
    task = {
        "resourceType": "Task",
        "status": "rejected",
        "focus": {"identifier": {"system": f"{orders.NHS}Id/prescription-order-item-number", "value": _LINE}},
        "statusReason": {"coding": [{"code": "0002"}], "text": "Out of contract"},
    }
    return {
        "resourceType": "Bundle",
        "identifier": {"value": "answer-1"},
        "type": "message",
        "timestamp": "2026-11-02T09:00:00+00:00",
        "entry": [{"resource": header}, {"resource": task}],
    }


def _sandbox() -> dict[str, Any]:
    lines = [{"line": _LINE, "status": "short", "quantity": "2", "reason": "out of stock"}]
    return {"id": "7", "message": _MESSAGE, "at": "2026-11-02T09:00:00Z", "lines": lines}


@cache
def targets() -> dict[str, Target]:
    """Give every target by its name."""
    v2, xml = _files("hl7v2/*.hl7"), _files("xml/*.xml")
    fhir = (*map(dumps, map(unsigned, (orders.message(), orders.two_lines()))), dumps(orders.message()))
    loose = tuple(dumps(make()) for make in HEADERLESS)
    in_xml = tuple(map(fhir_xml().to_xml, (unsigned(orders.message()), *(make() for make in HEADERLESS))))
    answers = (dumps(_answer()),)
    dosage = (dumps(orders.medication_request()["dosageInstruction"]),)
    words = tuple(text.encode() for text in DIRECTIONS)
    made = {
        "er7": (v2, mutate.HL7, _bare(parsers.read_er7)),
        "mllp": (tuple(map(frame, (*v2[:2], b"", b"MSH|x"))), mutate.HL7, _bare(parsers.read_frames)),
        "json": ((*fhir[:1], *answers), mutate.JSON, _bare(parsers.read_json)),
        "fhir-xml": (in_xml, mutate.XML, _bare(parsers.read_fhir_xml)),
        "trust-xml": (xml, mutate.XML, _bare(parsers.read_trust_xml)),
        "directions": (words, mutate.BYTES, _bare(parsers.read_directions)),
        "dosages": (dosage, mutate.JSON, _bare(parsers.read_dosages)),
        "checker": ((*fhir, *loose), mutate.JSON, _bare(parsers.check_fhir)),
        "sandbox": ((dumps(_sandbox()),), mutate.JSON, _bare(parsers.read_sandbox)),
        "fhir-push": (answers, mutate.JSON, _bare(parsers.read_fhir_push)),
        "submitted hl7v2": (v2, mutate.HL7, _carried(WireFormat.HL7V2)),
        "submitted xml": (xml, mutate.XML, _carried(WireFormat.XML)),
        "submitted fhir": ((*fhir, *loose), mutate.JSON, _carried(WireFormat.FHIR)),
        "submitted fhir xml": (in_xml, mutate.XML, _carried(WireFormat.FHIR, FHIR_XML)),
    }
    return {name: Target(seeds=seeds, kinds=kinds, check=check) for name, (seeds, kinds, check) in made.items()}
