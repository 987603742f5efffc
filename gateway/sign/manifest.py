"""The manifest: the few bytes the gateway's seal signs, holding the digests of everything else.

Octets are signed, not objects: the manifest names the SHA-256 of the message as written, of the bytes the trust sent,
of the signature of the prescriber and of any other rendering, so that verifying never needs to write FHIR again.

Source: brief D7; reliability-security.md 6.2.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Final

from gateway.domain.identifiers import OdsCode
from gateway.domain.message import FhirMessage
from gateway.ports.sealer import SealFacts

TYPE = "hcgw-seal/1"
FHIR_MEDIA_TYPE = "application/fhir+json; fhirVersion=4.0"


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def manifest(message: FhirMessage, facts: SealFacts, issuer: OdsCode) -> bytes:
    """Give the manifest of a message as the exact bytes that are signed.

    Args:
        message: as written; its body is bytes M.
        facts: what the seal states beside the message's own digest.
        issuer: the gateway's own ODS code.
    """
    received = _utc(facts.received_at)
    stated: dict[str, object] = {
        "typ": TYPE,
        "iss": issuer.value,
        "aud": message.destination.value,
        "msg": str(message.id),
        "event": message.event.value,
        "lines": [str(line) for line in message.line_ids],
        "epoch": facts.epoch,
        "src": {
            "mt": facts.source_type,
            "sha256": facts.source_digest,
            "sender": facts.originator.value,
            "mid": facts.control_id,
            "rcvd": received,
        },
        "aes": {
            "present": bool(facts.signature_digest),
            "fmt": facts.signature_format,
            "sha256": facts.signature_digest,
            "verdict": facts.signature_verdict,
        },
        "fhir": {"mt": FHIR_MEDIA_TYPE, "sha256": hashlib.sha256(message.body).hexdigest()},
        "map": {"name": "homecare-prescription", "ver": facts.map_version, "ref": facts.reference_release},
        "iat": received,
        "nva": _utc(facts.not_valid_after),
    }
    if facts.rendered is not None:
        stated["rendered"] = {"mt": facts.rendered_type, "sha256": hashlib.sha256(facts.rendered).hexdigest()}
    return _ENCODER.encode(stated).encode()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
