"""What EPS `$prepare` answers: the bytes a prescriber's signing device is asked to sign.

Source: eps.md 4.3; XML Signature Syntax and Processing, SignedInfo.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gateway.sign.eps_bundle import EpsOrder
from gateway.sign.eps_fragments import fragments_string


class Algorithm(StrEnum):
    """The signing algorithm; RS1 (SHA-1) only reproduces old answers and is never accepted for a new signature."""

    RS256 = "RS256"
    RS1 = "RS1"


_XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_METHODS = {
    Algorithm.RS256: (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2001/04/xmlenc#sha256",
        hashlib.sha256,
    ),
    Algorithm.RS1: (f"{_XMLDSIG}rsa-sha1", f"{_XMLDSIG}sha1", hashlib.sha1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The answer to `$prepare`.

    Attributes:
        digest: base64 of the canonical SignedInfo.
        timestamp: the signing time, which must come back as `Provenance.signature.when`.
    """

    digest: str
    timestamp: str
    algorithm: Algorithm

    def parameters(self) -> dict[str, Any]:
        """Give the answer as a FHIR Parameters resource."""
        values = (("digest", self.digest), ("timestamp", self.timestamp), ("algorithm", self.algorithm.value))
        return {
            "resourceType": "Parameters",
            "parameter": [{"name": name, "valueString": value} for name, value in values],
        }


def digest_value(order: EpsOrder, when: datetime, algorithm: Algorithm) -> str:
    """Give the base64 hash of the fragments string."""
    hashed = _METHODS[algorithm][2](fragments_string(order, when).encode())
    return base64.b64encode(hashed.digest()).decode()


def signed_info(value: str, algorithm: Algorithm) -> str:
    """Give the canonical SignedInfo that holds a digest value."""
    signature_method, digest_method, _ = _METHODS[algorithm]
    return (
        f'<SignedInfo xmlns="{_XMLDSIG}"><CanonicalizationMethod Algorithm="{_C14N}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{signature_method}"></SignatureMethod><Reference><Transforms>'
        f'<Transform Algorithm="{_C14N}"></Transform></Transforms><DigestMethod Algorithm="{digest_method}">'
        f"</DigestMethod><DigestValue>{value}</DigestValue></Reference></SignedInfo>"
    )


def prepare(order: EpsOrder, when: datetime, algorithm: Algorithm = Algorithm.RS256) -> Prepared:
    """Prepare an order for signing at a moment.

    Raises:
        Unsignable: a part that is signed is missing.
    """
    info = signed_info(digest_value(order, when, algorithm), algorithm)
    return Prepared(
        digest=base64.b64encode(info.encode()).decode(),
        timestamp=when.astimezone(UTC).isoformat(timespec="seconds"),
        algorithm=algorithm,
    )
