"""The gateway's seal: an ES256 JWS over the manifest, put in as the last entry of the message.

It says what the gateway received, from whom, what it made of it, for whom, and until when. It is an organisation's
seal, never the prescriber's signature, which travels untouched inside the message (reliability-security.md 6.1).

No circle: the message is written as bytes M ending in `]}`; the manifest holds SHA-256(M); what is sent is M with that
ending replaced by `,` + the seal entry + `]}`. The entry has one fixed form, so a verifier can cut it off, restore
`]}` and hash exactly what was written. `verify` is the other half, and needs nothing of this file.

Source: brief D7; RFC 7515 (compact JWS, `x5c`), RFC 7518 clause 3.4 (ES256), RFC 7638 (`kid`), RFC 6979.
"""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.message import FhirMessage, SealedMessage
from gateway.ports.sealer import SealFacts
from gateway.sign.manifest import manifest

ENDING: Final = b"]}"
_ES256: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
TOKEN_TYPE: Final = "hcgw-seal"  # noqa: S105 - the `typ` of the JWS, no secret
ENTRY: Final = (
    ',{{"fullUrl":"urn:uuid:{seal}","resource":{{"resourceType":"Provenance","id":"{seal}",'
    '"target":[{{"identifier":{{"system":"https://tools.ietf.org/html/rfc4122","value":"{message}"}}}}],'
    '"recorded":"{moment}",'
    '"agent":[{{"type":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/provenance-participant-type",'
    '"code":"assembler"}}]}},"who":{{"identifier":{{"system":"https://fhir.nhs.uk/Id/ods-organization-code",'
    '"value":"{issuer}"}}}}}}],'
    '"signature":[{{"type":[{{"system":"urn:iso-astm:E1762-95:2013","code":"1.2.840.10065.1.12.1.5"}}],'
    '"when":"{moment}","who":{{"identifier":{{"system":"https://fhir.nhs.uk/Id/ods-organization-code",'
    '"value":"{issuer}"}}}},"targetFormat":"application/fhir+json","sigFormat":"application/jose","data":"{data}"}}]}}}}'
)
"""The one form of a seal entry. Signature type 1.2.840.10065.1.12.1.5 is a verification signature, not an author's."""


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Give the JWK thumbprint of a P-256 key, the `kid` of every seal made with it. Source: RFC 7638 clause 3."""
    canonical = json.dumps(public_jwk(key), separators=(",", ":"), sort_keys=True).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Give the required members of a P-256 public key as a JWK. Source: RFC 7518 clause 6.2.1."""
    numbers = key.public_numbers()
    x, y = (_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


class Seal:
    """Implements `ports.Sealer` with a key held in memory.

    Args:
        key: P-256.
        chain: the key's certificate first, then any intermediates; not the anchor.
        issuer: the gateway's own ODS code.

    Raises:
        ConfigurationError: the key is not P-256, or the certificate is another key's.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, chain: Sequence[x509.Certificate], issuer: OdsCode) -> None:
        public = key.public_key()
        if not isinstance(key.curve, ec.SECP256R1):
            raise ConfigurationError("the seal key is not on curve P-256")
        if not chain or chain[0].public_key() != public:
            raise ConfigurationError("the first seal certificate is not the certificate of the seal key")
        self._key = key
        self._issuer = issuer
        self.key_id = thumbprint(public)
        header = {
            "alg": "ES256",
            "kid": self.key_id,
            "typ": TOKEN_TYPE,
            "x5c": [b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain],
        }
        self._protected = _base64url(json.dumps(header, separators=(",", ":")).encode()).encode() + b"."

    def seal(self, message: FhirMessage, facts: SealFacts) -> SealedMessage:
        """Put the seal on a message.

        The same message and facts give the same bytes: signatures are deterministic.

        Raises:
            ValueError: a leaf of the message is unexplained, or its body does not end in `]}`: nothing is sealed that
                the gateway cannot account for (D1).
        """
        if message.unexplained:
            raise ValueError(f"{len(message.unexplained)} leaves of the message are unexplained")
        if not message.body.endswith(ENDING):
            raise ValueError("the message does not end with its entries")
        token = self._sign(manifest(message, facts, self._issuer))
        entry = seal_entry(message.id, self._issuer.value, facts.received_at, token)
        return SealedMessage(
            id=message.id,
            event=message.event,
            destination=message.destination,
            line_ids=message.line_ids,
            epoch=facts.epoch,
            not_valid_after=facts.not_valid_after,
            body=message.body[: -len(ENDING)] + entry + ENDING,
            key_id=self.key_id,
            rendered=facts.rendered,
            rendered_type=facts.rendered_type,
        )

    def _sign(self, payload: bytes) -> bytes:
        """Give the compact JWS of a payload."""
        signing_input = self._protected + _base64url(payload).encode()
        r, s = decode_dss_signature(self._key.sign(signing_input, _ES256))
        return signing_input + b"." + _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big")).encode()


def seal_entry(message: UUID, issuer: str, sealed_at: datetime, token: bytes) -> bytes:
    """Give the seal entry of a message, its leading comma included."""
    moment = sealed_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ENTRY.format(
        seal=derived_id("seal", str(message)),
        message=message,
        moment=moment,
        issuer=issuer,
        data=b64encode(token).decode(),
    ).encode()


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
