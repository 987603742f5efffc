"""What translation may know, and the check that every message of ours passes before it is sealed.

Source: brief D1, D6.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.destination import Destination
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Environment, Trust
from gateway.domain.reference import Reference
from gateway.domain.routing import RoutingTable
from gateway.sign.evidence import Evidence
from gateway.validate.eps import check_message
from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.written import check_written, read_back
from gateway.wire.fhir_xml import FhirXml


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What translation may know: configuration and tables in force, nothing that changes while it runs.

    Attributes:
        organisation: the gateway's own ODS code, named in every message it writes.
        destinations: the adapter that speaks to each provider.
        fhir: the check of every message before it is sealed.
        fhir_xml: turns FHIR XML into JSON for the reader; None where only JSON is read.
        evidence: gives what prescribers' signatures are judged by, as it is on disk now.
    """

    organisation: OdsCode
    environment: Environment
    trusts: Mapping[OdsCode, Trust]
    routing: RoutingTable
    reference: Reference
    destinations: Mapping[OdsCode, Destination]
    receiver_names: frozenset[str] = frozenset()
    fhir: FhirChecker | None = None
    fhir_xml: FhirXml | None = None
    evidence: Callable[[], Evidence] = Evidence


def faults_of(written: FhirMessage, around: Surroundings) -> tuple[Issue, ...]:
    """Check a message of our own in full: by the rules of the dialect, and by FHIR and our profiles."""
    bundle = read_back(written)
    return (*check_message(written, str, bundle), *(check_written(written, around.fhir, bundle) if around.fhir else ()))
