"""How a simulated prescriber signs: well, and under an authority of which the gateway knows nothing.

The signature is a detached compact JWS over the octets of the message, beside it in a header of the request.

Source: RFC 7515 appendix F; mapping.md 3.4.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

HEADER: Final = "X-JWS-Signature"
_BITS: Final = 2048
_VALID_FOR: Final = timedelta(days=365)
_NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example prescribing certificate")])


class Signer:
    """One key with its own certificate.

    Args:
        now: the time.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        made = now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_NAME)
            .issuer_name(_NAME)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(made - timedelta(days=1))
            .not_valid_after(made + _VALID_FOR)
            .sign(self._key, hashes.SHA256())
        )
        chain = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
        self._header = _base64url(json.dumps({"alg": "RS256", "x5c": chain}).encode())

    def sign(self, octets: bytes) -> str:
        """Give what stands in the header; equal octets have equal signatures."""
        signed = self._header + b"." + _base64url(octets)
        value = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (self._header + b".." + _base64url(value)).decode()


def _base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")
