"""A copy of a message for testing: the same structure and the same medicine, an invented patient, no real number.

Every value that a person has not to see before unmasking is replaced, also what no rule has read; so are people,
order numbers and names of messages, each by the same invention wherever it stands, so that what agreed still agrees.
What remains are codes, amounts and times of the order itself.

Source: console.md 6.7 (copy to test).
"""

import hashlib
import re
from typing import Final
from xml.sax.saxutils import escape

from gateway.console.inspector.hiding import field_shown, member_shown, target_shown
from gateway.console.inspector.source import segments_of
from gateway.domain.identifiers import derived_id
from gateway.domain.submission import WireFormat
from gateway.ports.inspection import Received
from gateway.translate.maps.rules import plain
from gateway.wire.er7 import NULL, Er7Error, parse
from gateway.wire.strict_json import JSON, JsonError, dumps, loads

NHS_NUMBER: Final = "9990000018"
"""Of the range that is reserved for testing."""
_PATIENT: Final = {
    "patient.nhs_number": NHS_NUMBER,
    "patient.name.family": "TESTPATIENT",
    "patient.name.given": "Copy",
    "patient.name.prefix": "MX",
    "patient.birth_date": "19700101",
    "patient.address.lines": "1 Example Street",
    "patient.address.city": "Testville",
    "patient.address.district": "Testshire",
    "patient.address.postcode": "TA1 1AA",
    "patient.contacts": "07700900000",
}
_KEPT: Final = (
    "patient.gender",
    "patient.address.use",
    "patient.address.country",
    "allergies.substance",
    "allergies.reaction",
    "allergies.criticality",
    "observations",
    "lines.reasons",
    "homecare.delivery.place",
    "homecare.consent_on",
)
_NAMES: Final = (
    "number",
    "group_number",
    "lines.order_number",
    "homecare.purchase_order",
    "homecare.registration",
    "patient.local_ids.value",
    "id",
    "lines.id",
)
_PEOPLE: Final = ("prescriber", "responsible_consultant", "clinical_check.by")
_PERSON: Final = {"family": "TESTPERSON", "given": "Copy", "prefix": "DR"}
_HL7_FIELDS: Final = {
    "PID-3": NHS_NUMBER,
    "PID-5": "TESTPATIENT",
    "PID-7": "19700101",
    "PID-11": "Example",
    "PID-13": "07700900000",
    "PID-14": "07700900000",
}
_HL7_NAMES: Final = re.compile(r"(?:MSH\[\d+\]-10|ORC\[\d+\]-[234]|RXE\[\d+\]-15|TQ2\[\d+\]-[345])(?!\d)", re.ASCII)
_HL7_PEOPLE: Final = re.compile(r"(?:ORC\[\d+\]-(?:10|11|12|19)|RXE\[\d+\]-1[34]|RXO\[\d+\]-1[45])(?!\d)", re.ASCII)
_CLINICAL: Final = re.compile(r"(?:AL1|IAM|DG1|OBX)\[", re.ASCII)
_DATE: Final = re.compile(r"\d{8}(?:\d{4}(?:\d\d)?)?(?:[+-]\d{4})?", re.ASCII)
_SYSTEM: Final = re.compile(r"HL7\d{4}|99[A-Z]{1,8}|SCT|UCUM|ODS|GMC|GPhC|NMC|HCPC|NHS", re.ASCII)
"""Names of coding systems and registers, without which a code beside them says nothing."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME_OF_ENTRY: Final = re.compile(rf"(?:urn:uuid:|[A-Z][A-Za-z]+/)?{_UUID.pattern}", re.ASCII)
"""What one entry of a bundle calls another by: all of the value, for words about a person may hold an id as well."""
_SHORT: Final = 3


def copy_of(view: Received) -> bytes | None:
    """Give the copy; None where the bytes cannot be taken apart, so that nobody can say what would stay in them."""
    targets = {row.source: row.target for order in view.orders for row in order.trace if row.source}
    match WireFormat(view.row.form):
        case WireFormat.HL7V2:
            return _of_hl7v2(view.body, targets)
        case WireFormat.FHIR:
            return _of_json(view.body, targets)
        case WireFormat.XML:
            return _of_xml(view, targets)


def invented(raw: str, target: str) -> str | None:
    """Give what stands for a value whose canonical place is known; None where it stays as it is."""
    path = plain(target)
    if _within(path, _KEPT):
        return None
    for place, value in _PATIENT.items():
        if path == place or path.startswith(f"{place}."):
            return value
    if _within(path, _NAMES):
        return named(raw)
    if _within(path, _PEOPLE):
        return _PERSON.get(path.rpartition(".name.")[2]) if ".name." in path else None
    return None if target_shown(target) else "TEST"


def named(raw: str) -> str:
    """Give an invented number or name for another, always the same for the same."""
    if _UUID.fullmatch(raw):
        return str(derived_id("copy to test", raw))
    return "T" + hashlib.sha256(f"copy to test {raw}".encode()).hexdigest()[:8].upper()


def _of_hl7v2(body: bytes, targets: dict[str, str]) -> bytes | None:
    try:
        message = parse(body)
    except Er7Error:
        return None
    end = {"CR": "\r", "LF": "\n", "CRLF": "\r\n"}[message.line_endings]
    out = []
    for segment in segments_of(body, message):
        for cell in segment.cells:
            fresh = _hl7_value(cell.at, cell.value.text, targets) if cell.at else None
            out.append(cell.value.text if fresh is None else fresh)
        out.append(end)
    return message.charset.encode("".join(out))


def _hl7_value(at: str, raw: str, targets: dict[str, str]) -> str | None:
    """Give what stands for a value of HL7 v2; None where it stays."""
    fresh: str | None = None
    if raw == NULL or _SYSTEM.fullmatch(raw) or (_CLINICAL.match(at) and _DATE.fullmatch(raw)):
        return None
    if _HL7_NAMES.match(at) is not None:
        fresh = named(raw) if at.endswith(".1") else None
    elif at.startswith("MSH"):
        fresh = "T" if at == "MSH[1]-11.1" else None
    elif at in targets:
        fresh = invented(raw, targets[at])
    elif _HL7_PEOPLE.match(at) is not None:
        fresh = "TEST" if len(raw) > _SHORT and not raw.isdigit() else None
    elif not field_shown(at):
        fresh = _of_the_person(at) or ("TEST" if len(raw) > _SHORT else None)
    return fresh


def _of_the_person(at: str) -> str:
    found = re.match(r"(\w{3})\[\d+\]-(\d+)(?:\[\d+\])?\.1$", at, re.ASCII)
    return _HL7_FIELDS.get(f"{found[1]}-{found[2]}", "") if found else ""


def _of_xml(view: Received, targets: dict[str, str]) -> bytes | None:
    """Replace values between their marks, by their text alone: so the copy is not written by another writer of XML.

    A value that is the person's in one place is replaced in every place. Where one is left all the same, because it
    stands in another way than as a whole value, there is no copy.
    """
    try:
        text = view.body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    fresh = {row.raw: _iso(invented(row.raw, row.target)) for order in view.orders for row in order.trace if row.source}
    fresh |= {one.raw: "TEST" for one in view.leftovers if _tells(one.raw) and one.source not in targets}
    fresh[view.row.control_id] = named(view.row.control_id)
    changed = {escape(raw): value for raw, value in fresh.items() if value is not None and len(raw) > _SHORT}
    for raw, value in sorted(changed.items(), key=lambda pair: -len(pair[0])):
        for before, after in ((">", "<"), ('"', '"'), ("'", "'")):
            text = text.replace(f"{before}{raw}{after}", f"{before}{value}{after}")
    return None if any(raw in text and raw != value for raw, value in changed.items() if _tells(raw)) else text.encode()


def _iso(value: str | None) -> str | None:
    return "1970-01-01" if value == "19700101" else value


def _tells(raw: str) -> bool:
    """Tell whether a value that no rule has read could tell who somebody is: not a date, a system or a short code."""
    plain_date = re.match(r"\d{4}-\d\d-\d\d", raw) is not None or _DATE.fullmatch(raw) is not None
    return len(raw) > _SHORT and not plain_date and _SYSTEM.fullmatch(raw) is None and not raw.startswith("http")


def _of_json(body: bytes, targets: dict[str, str]) -> bytes | None:
    try:
        tree = loads(body)
    except JsonError:
        return None
    return dumps(_node(tree, "Bundle", targets))


def _node(node: JSON, path: str, targets: dict[str, str]) -> JSON:
    if isinstance(node, dict):
        return {name: _node(below, f"{path}.{name}", targets) for name, below in node.items()}
    if isinstance(node, list):
        return [_node(below, f"{path}[{number}]", targets) for number, below in enumerate(node)]
    if not isinstance(node, str) or member_shown(path):
        return node
    if path in targets:
        fresh = _iso(invented(node, targets[path]))
        return node if fresh is None else fresh
    kept = len(node) <= _SHORT or path.endswith(".code") or _NAME_OF_ENTRY.fullmatch(node) is not None
    return node if kept else "TEST"


def _within(path: str, above: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in above)
