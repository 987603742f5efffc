"""What a reader may know beside the bytes: the partner, the reference tables, and who we are. No clock, no files."""

from dataclasses import dataclass

from gateway.domain.partner import Environment, Trust
from gateway.domain.reference import Reference
from gateway.wire.fhir_xml import FhirXml

MAP_VERSION = "2026.11.1"
"""Version of the translation rules, in every seal; raised with every change that can change output bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingContext:
    """The surroundings of one reading.

    Attributes:
        trust: the authenticated sender, as configured.
        environment: this gateway's own; a message of the other one is refused (D17).
        fhir_xml: turns FHIR XML into JSON; None where only JSON is read.
        receiver_names: what MSH-5 or MSH-6 may call us; empty accepts any.
    """

    trust: Trust
    reference: Reference
    environment: Environment
    receiver_names: frozenset[str] = frozenset()
    fhir_xml: FhirXml | None = None
