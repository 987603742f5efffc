"""Which reader for which format, and which answer: the dispatch tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, Envelope, Reading, Submission, Verdict, WireFormat
from gateway.ports.work import News
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir import message as from_fhir
from gateway.translate.from_hl7v2 import message as from_hl7v2
from gateway.translate.from_xml import message as from_xml
from gateway.translate.to_acknowledgement import fhir, hl7v2, xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What the gateway can do in one format.

    Attributes:
        read: bytes to a reading; raises `Refusal` when not even the envelope can be read.
        answer: what the sender is told on the same connection.
        unreadable: the same, when the envelope could not be read.
        status: later news of one line, in the sender's own format.
        status_type: media type of that news.
        control_id: where the sender's name for the message stands, for issues.
    """

    read: Callable[[Submission, ReadingContext], Reading]
    answer: Callable[[Submission, Envelope, Verdict], Answer]
    unreadable: Callable[[bytes, Sequence[Issue]], Answer]
    status: Callable[[News], bytes]
    status_type: str
    control_id: str


FORMATS: dict[WireFormat, Format] = {
    WireFormat.HL7V2: Format(
        read=from_hl7v2.read,
        answer=hl7v2.answer,
        unreadable=hl7v2.unreadable,
        status=hl7v2.status,
        status_type="application/hl7-v2+er7",
        control_id="MSH[1]-10",
    ),
    WireFormat.XML: Format(
        read=from_xml.read,
        answer=xml.answer,
        unreadable=xml.unreadable,
        status=xml.status,
        status_type="application/xml",
        control_id="/PrescriptionMessage/@messageId",
    ),
    WireFormat.FHIR: Format(
        read=from_fhir.read,
        answer=fhir.answer,
        unreadable=fhir.unreadable,
        status=fhir.status,
        status_type="application/fhir+json; fhirVersion=4.0",
        control_id="Bundle.identifier.value",
    ),
}
