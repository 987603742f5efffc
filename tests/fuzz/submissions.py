"""Whole submissions, carried as the doors carry them, and held against everything that must be so.

Every value is accounted for; every answer is one that another library can read; and no order that would be sent says
anything of the medicine that the bytes do not say: its amounts stand in them as numbers of their own, and a part that
differs from the undamaged message's was read from other lexemes.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from xml.etree import ElementTree as ET

import hl7

from gateway.commands.offline import Offline, Seen
from gateway.config.load import load
from gateway.domain.coding import Coding
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import CODES
from gateway.domain.prescription import Dosage, Line, Prescription, Range
from gateway.domain.quantity import Quantity, lexeme
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.domain.trace import TraceRow
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read
from gateway.pipeline.translation import TranslatedOrder
from gateway.translate.formats import FORMATS
from gateway.wiring.around import surroundings

RECEIVED = datetime(2026, 10, 5, 9, tzinfo=UTC)
TRUST = OdsCode("RBA")
FHIR_XML = "application/fhir+xml; fhirVersion=4.0"
PARTS = ("dose", "rate", "timing", "route", "as_needed", "max_per_period", "max_per_administration")

Rows = tuple[TraceRow, ...]


@cache
def around() -> Surroundings:
    """Give the demonstration configuration."""
    return surroundings(load(None, environ=MappingProxyType({})))


def submission(form: WireFormat, body: bytes, content_type: str = "") -> Submission:
    return Submission(
        tenant=TRUST, format=form, body=body, content_type=content_type, received_at=RECEIVED, idempotency_key="key-1"
    )


def carry(form: WireFormat, seed: bytes, body: bytes, content_type: str = "") -> Seen:
    """Carry a damaged message to its answer.

    Raises:
        AssertionError: something does not hold that must.
    """
    given = submission(form, body, content_type)
    seen = Offline(around()).take(given)
    assert seen.unaccounted == ()
    assert seen.verdict.issues or seen.verdict.outcome not in {Outcome.REFUSED, Outcome.HELD}
    assert all(issue.code in CODES for issue in seen.verdict.issues)
    _answers(given, seen)
    for order in seen.orders:
        if order.message is not None:
            assert order.verdict.outcome is Outcome.TRANSLATED
            assert all(message.unexplained == () for message in order.messages)
            _says_so(order, body)
            _differs_only_where_the_bytes_do(order, whole(form, seed, content_type))
    return seen


def _answers(given: Submission, seen: Seen) -> None:
    form = FORMATS[given.format]
    known = form.answer(given, seen.envelope, seen.verdict).body if seen.envelope.control_id else b""
    body = known or form.unreadable(given.body, seen.verdict.issues).body
    if given.format is WireFormat.HL7V2:
        assert str(hl7.parse(body.decode("latin-1")).segment("MSA")[1]) in {"AA", "AE", "AR", "CA", "CE", "CR"}
    elif given.format is WireFormat.XML:
        ET.fromstring(body)  # noqa: S314 - our own
    else:
        assert json.loads(body)["resourceType"]


def _says_so(order: TranslatedOrder, body: bytes) -> None:
    text = html.unescape(body.decode("utf-8", "replace"))
    for line in order.prescription.lines if order.prescription else ():
        for amount in _amounts(line):
            digits = re.escape(lexeme(amount.value))
            assert re.search(rf"(?<![0-9.]){digits}(?![0-9])", text), "an amount that is not in the message"


def _amounts(line: Line) -> Iterator[Quantity]:
    yield line.quantity
    for dosage in line.dosages:
        match dosage.dose:
            case Quantity() as dose:
                yield dose
            case Range(low=low, high=high):
                yield from (end for end in (low, high) if end is not None)


def _differs_only_where_the_bytes_do(order: TranslatedOrder, before: tuple[Rows, dict[str, object]] | None) -> None:
    if order.prescription is None or before is None:
        return
    rows, values = before
    for path, value in medicine(order.prescription).items():
        if values.get(path, value) != value:
            assert lexemes(rows, path) != lexemes(order.trace, path), f"{path} differs, and no lexeme of it does"


def coded(value: object) -> object:
    """Give a value without the words that stand beside its codes: what a code means, the code alone says."""
    if isinstance(value, Coding):
        return (value.system, value.code)
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(coded(getattr(value, one.name)) for one in fields(value))
    return tuple(map(coded, value)) if isinstance(value, tuple) else value


def medicine(prescription: Prescription) -> dict[str, object]:
    """Give what the patient takes, by the canonical path that its trace rows begin with."""
    found: dict[str, object] = {"patient.nhs_number": prescription.patient.nhs_number}
    for index, line in enumerate(prescription.lines):
        at = f"lines[{index}]"
        found |= {f"{at}.product": line.product.code, f"{at}.quantity": coded(line.quantity)}
        found[f"{at}.total_supplies"] = line.total_supplies
        for number, dosage in enumerate(line.dosages):
            found |= _dosage(f"{at}.dosages[{number}]", dosage)
    return found


def _dosage(at: str, dosage: Dosage) -> dict[str, object]:
    return {f"{at}.{part}": coded(getattr(dosage, part)) for part in PARTS}


def lexemes(rows: Rows, path: str) -> list[tuple[str, str]]:
    """Give the lexemes that a part of the prescription was read from."""
    return sorted((row.target, row.raw) for row in rows if row.target.startswith(path) or path.startswith(row.target))


@cache
def whole(form: WireFormat, seed: bytes, content_type: str) -> tuple[Rows, dict[str, object]] | None:
    """Give what the undamaged message says; None where it is not one prescription."""
    try:
        reading = read(submission(form, seed, content_type), around())
    except Refusal:
        return None
    found = [(order.trace, order.prescription) for order in reading.orders if order.prescription is not None]
    return (found[0][0], medicine(found[0][1])) if len(found) == 1 else None
