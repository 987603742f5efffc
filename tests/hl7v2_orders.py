"""HL7 v2 orders for tests: the golden ones, with one field changed at a time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.config.reference import load_reference
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.partner import CodeEntry, Environment, SignaturePolicy, Trust
from gateway.domain.submission import Reading, Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.from_hl7v2 import message

GOLDEN = Path(__file__).parent / "golden" / "hl7v2"
RECEIVED = datetime(2026, 10, 5, 8, 15, tzinfo=UTC)
SYRINGE = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")

TRUST = Trust(
    ods=OdsCode("RBA"),
    name="Example NHS Trust",
    environment=Environment.TEST,
    signature_policy=SignaturePolicy.TRUST_ATTESTED,
    codes=(
        CodeEntry(kind="unit", code="PFS", system="99LOC", target=SYRINGE),
        CodeEntry(kind="unit", code="tablet", system="99LOC", target=TABLET),
    ),
)
CONTEXT = ReadingContext(
    trust=TRUST,
    reference=load_reference(),
    environment=Environment.TEST,
    receiver_names=frozenset({"HCGATEWAY"}),
)


def golden(name: str) -> str:
    """Give a golden message with LF between its segments, to be changed and joined again."""
    return (GOLDEN / f"{name}.hl7").read_bytes().decode().replace("\r", "\n")


def submission(text: str) -> Submission:
    body = text.replace("\n", "\r").encode()
    return Submission(tenant=TRUST.ods, format=WireFormat.HL7V2, body=body, received_at=RECEIVED)


def read(text: str, context: ReadingContext = CONTEXT) -> Reading:
    return message.read(submission(text), context)


def with_trust(**change: object) -> ReadingContext:
    return replace(CONTEXT, trust=replace(TRUST, **change))  # type: ignore[arg-type]


def with_codes(*codes: CodeEntry) -> ReadingContext:
    return with_trust(codes=(*TRUST.codes, *codes))


def edited(text: str, changes: Mapping[str, str]) -> str:
    """Change fields: `{"RXE-3": "20"}` sets RXE-3 of the first RXE; `{"RXE": ""}` leaves the segment out.

    `{"+RXC": "RXC|B|1"}` adds a segment at the end, `{"RXO>": "RXO|1"}` one before the first ORC's RXE.
    """
    lines = text.strip("\n").split("\n")
    for place, value in changes.items():
        if place.startswith("+"):
            lines.append(value)
        elif place.endswith(">"):
            lines.insert(_first(lines, "RXE"), value)
        elif "-" not in place:
            lines[_first(lines, place)] = value
        else:
            _set(lines, place, value)
    return "\n".join(line for line in lines if line) + "\n"


def _first(lines: list[str], name: str) -> int:
    return next(index for index, line in enumerate(lines) if line.startswith(name))


def _set(lines: list[str], place: str, value: str) -> None:
    name, number = place.split("-")
    index = _first(lines, name)
    fields = lines[index].split("|")
    position = int(number) - (name == "MSH")
    fields += [""] * (position + 1 - len(fields))
    fields[position] = value
    lines[index] = "|".join(fields)


def issues(reading: Reading) -> list[Issue]:
    return [*reading.issues, *(issue for order in reading.orders for issue in order.issues)]


def codes(reading: Reading) -> set[str]:
    return {issue.code for issue in issues(reading)}
