"""The prescriber's signature between reading and checking: where it came, what it covers, what it is worth. Pure.

The EPS form covers an order Bundle: the sender's own where it sent one, else the message this gateway would send. All
other forms cover the sender's bytes.

Source: brief D7, D8; mapping.md 3.4 (HCSIG); eps.md 4.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.domain.prescription import PrescriberSignature, Prescription
from gateway.domain.signature import PrescriberVerdict
from gateway.domain.submission import Order, Reading, Submission, WireFormat
from gateway.domain.trace import TraceRow
from gateway.sign.evidence import Evidence
from gateway.sign.prescriber import Signed, verify
from gateway.translate.from_hl7v2.signature import CODE
from gateway.translate.maps.rules import GATEWAY
from gateway.wire.fhir_xml import FhirXml
from gateway.wire.strict_json import JsonError, loads

HEADER: Final = "X-JWS-Signature"
_BESIDE: Final = GATEWAY.named("HTTP.signature")
_FIELDS_TO_CODE: Final = 4
_BREAK: Final = re.compile(rb"[^\r\n]+[\r\n]*")


def with_detached(reading: Reading, submission: Submission) -> Reading:
    """Give the reading with the signature that came beside the bytes, put to every prescription in them."""
    if not submission.detached_signature:
        return reading
    return replace(reading, orders=tuple(_signed(order, submission) for order in reading.orders))


def _signed(order: Order, submission: Submission) -> Order:
    if order.prescription is None:
        return order
    if order.prescription.signature is not None:
        text = "One signature of the prescriber stands in the message and another beside it; send one."
        issue = Issue(code="SIGNATURE_INVALID", location=HEADER, text=text)
        return replace(order, issues=(*order.issues, issue))
    signature = PrescriberSignature(format="jws", data=submission.detached_signature)
    raw = f"sha256:{hashlib.sha256(signature.data).hexdigest()}"
    row = TraceRow(target="signature", source=HEADER, rule=_BESIDE.id, transform="copy", raw=raw, result=raw)
    prescription = replace(order.prescription, signature=signature)
    return replace(order, prescription=prescription, trace=(*order.trace, row))


def judge(
    submission: Submission,
    prescription: Prescription,
    message: FhirMessage | None,
    evidence: Evidence,
    fhir_xml: FhirXml | None,
) -> PrescriberVerdict | None:
    """Verify the signature of a prescription.

    Args:
        submission: for the bytes that are covered.
        prescription: for the signature and its prescriber.
        message: as written; None where no destination was found.
        evidence: in force now.
        fhir_xml: for orders that came as FHIR XML.

    Returns:
        The verdict; None where there is no signature.
    """
    signature = prescription.signature
    if signature is None:
        return None
    own, written = own_bundle(submission, fhir_xml), written_bundle(message)
    signed = Signed(
        signature=signature,
        octets=covered(submission),
        bundle=own or written,
        sparse=own is None,
        prescriber=prescription.prescriber.ids,
        received_at=submission.received_at,
    )
    return verify(signed, evidence).verdict


def covered(submission: Submission) -> bytes:
    """Give the bytes a detached signature is over: those received, less the HL7 v2 segment that holds it."""
    if submission.format is not WireFormat.HL7V2:
        return submission.body
    declared = submission.body.lstrip(b"\x0b")[3:8]
    segments = _BREAK.findall(submission.body)
    return b"".join(one for one in segments if not _holds_signature(one, declared))


def _holds_signature(segment: bytes, declared: bytes) -> bool:
    """Tell it as the reader does: OBX-3 begins with the very code, by the delimiters that the message declares.

    A segment that only resembles it is read as a measurement, and must be covered like any other.
    """
    separator, within = declared[:1], declared[1:3] + declared[4:5]
    fields = segment.split(separator) if separator and within else []
    if len(fields) < _FIELDS_TO_CODE or fields[0] != b"OBX":
        return False
    return re.split(b"[" + re.escape(within) + b"]", fields[3].rstrip(b"\r\n"))[0] == CODE.encode()


def own_bundle(submission: Submission, fhir_xml: FhirXml | None) -> Mapping[str, Any] | None:
    """Give the EPS message a FHIR trust sent, which is what its prescriber signs; None where it sent something else."""
    body = submission.body
    if submission.format is not WireFormat.FHIR:
        return None
    try:
        in_xml = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
        value = fhir_xml.to_json(body) if in_xml and fhir_xml else loads(body)
    except (JsonError, ValueError):
        return None
    is_message = isinstance(value, dict) and (value.get("resourceType"), value.get("type")) == ("Bundle", "message")
    return value if isinstance(value, dict) and is_message else None


def written_bundle(message: FhirMessage | None) -> Mapping[str, Any] | None:
    """Give the message this gateway wrote, parsed with its number lexemes."""
    written = loads(message.body) if message else None
    return written if isinstance(written, dict) else None
