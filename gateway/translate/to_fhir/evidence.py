"""Evidence: the clinical check, the prescriber's own signature, and the source bytes.

The signature is carried as it was received, never repaired; the source bytes travel beside what was made of them, for
the signature may cover only those.

Source: brief D7; reliability-security.md 6.1; mapping.md 3.3, 3.6.
"""

from base64 import b64encode

from gateway.domain.prescription import ClinicalCheck, PrescriberSignature, Prescription
from gateway.domain.submission import Submission, WireFormat
from gateway.translate.to_fhir import systems
from gateway.translate.to_fhir.datatypes import instant, reference, urn
from gateway.translate.to_fhir.leaves import Element, Node, constant, rule
from gateway.translate.to_fhir.people import IdOf, Resource, professional, role_id

_MEDIA_TYPE: dict[WireFormat, str] = {
    WireFormat.HL7V2: "application/hl7-v2",
    WireFormat.XML: "application/xml",
    WireFormat.FHIR: "application/fhir+json",
}
_SIGNATURE_MEDIA_TYPE = {
    "xmldsig": "application/signature+xml",
    "xmldsig-eps": "application/signature+xml",
    "jws": "application/jose",
    "cades": "application/pkcs7-signature",
}


def clinical_check(value: ClinicalCheck | None, targets: list[Node], id_of: IdOf) -> list[Resource]:
    """Write who checked the prescription clinically, and when."""
    if value is None:
        return []
    verifier: Element = {
        "system": constant(systems.PARTICIPANT, "verifier"),
        "code": constant("verifier", "verifier"),
    }
    who = reference(role_id(id_of, "clinical_check.by"))
    checked: dict[str, Node] = {
        "resourceType": constant("Provenance", "resource-type"),
        "target": targets,
        "recorded": (instant(value.at), "clinical_check.at"),
        "activity": {"text": constant("Clinical check", "clinical-check")},
        "agent": [{"type": {"coding": [verifier]}, "who": who}],
    }
    return [*professional(value.by, "clinical_check.by", id_of), (id_of("clinical_check"), checked)]


def prescriber_signature(value: Prescription, targets: list[Node], id_of: IdOf) -> list[Resource]:
    """Write the prescriber's signature, if there is one."""
    if value.signature is None:
        return []
    prescriber = reference(role_id(id_of, "prescriber"))
    source: Element = {"role": constant("source", "signed-source"), "what": reference(id_of("source"))}
    written: dict[str, Node] = {
        "resourceType": constant("Provenance", "resource-type"),
        "target": targets,
        "recorded": (instant(value.authored), "authored"),
        "agent": [{"who": prescriber}],
        "entity": [source],
        "signature": [_signature(value.signature, value, prescriber)],
    }
    return [(id_of("signature"), written)]


def _signature(signature: PrescriberSignature, value: Prescription, prescriber: Element) -> Element:
    kind: Element = {
        "system": constant(systems.SIGNATURE_TYPE, "signature-type"),
        "code": constant(systems.AUTHOR_SIGNATURE, "signature-type"),
    }
    claimed = (instant(signature.when), "signature.when") if signature.when else (instant(value.authored), "authored")
    return {
        "type": [kind],
        "when": claimed,
        "who": prescriber,
        "sigFormat": (_SIGNATURE_MEDIA_TYPE.get(signature.format), "signature.format"),
        "data": (b64encode(signature.data).decode(), "signature.data"),
    }


def source(submission: Submission, id_of: IdOf) -> Resource:
    """Write the bytes the trust posted, unchanged."""
    return id_of("source"), {
        "resourceType": constant("Binary", "resource-type"),
        "contentType": rule(_MEDIA_TYPE[submission.format], "source.format"),
        "data": rule(b64encode(submission.body).decode(), "source.bytes"),
    }


def targets(value: Prescription) -> list[Node]:
    """Refer to every line."""
    return [{"reference": rule(urn(line.id), "reference")} for line in value.lines]
