"""Which keys and algorithms a prescriber may have signed with, and whether a signature is a key's.

Source: reliability-security.md 6.3 (L0 verify). SHA-1, MD5 and HMAC are never accepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.domain.signature import SignatureReason
from gateway.sign.faults import Wrong

SMALLEST_RSA = 2048
LARGEST_RSA = 8192

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Method(StrEnum):
    """A signature algorithm, by its JOSE name."""

    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    ES384 = "ES384"


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: type[ec.EllipticCurve]
    digest: Callable[[], hashes.HashAlgorithm]
    half: int


_CURVES: Mapping[Method, _Curve] = {
    Method.ES256: _Curve(ec.SECP256R1, hashes.SHA256, 32),
    Method.ES384: _Curve(ec.SECP384R1, hashes.SHA384, 48),
}


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Give the key of a certificate, if it is of a kind and size that is accepted.

    Raises:
        Wrong: KEY_REFUSED.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, rsa.RSAPublicKey) and SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    raise Wrong(SignatureReason.KEY_REFUSED, "the key is of a kind or size that is not accepted")


def check_signature(key: PublicKey, method: Method, signature: bytes, signed: bytes) -> None:
    """Check that a signature over octets is the key's. Elliptic-curve signatures are R and S, one after the other.

    Raises:
        Wrong: ALGORITHM_REFUSED or SIGNATURE_WRONG.
    """
    try:
        if method in _CURVES:
            _check_curve(key, _CURVES[method], signature, signed)
        elif isinstance(key, rsa.RSAPublicKey):
            pad = padding.PKCS1v15() if method is Method.RS256 else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            key.verify(signature, signed, pad, hashes.SHA256())
        else:
            raise Wrong(SignatureReason.ALGORITHM_REFUSED, "the algorithm is not one for the certificate's key")
    except InvalidSignature:
        raise Wrong(SignatureReason.SIGNATURE_WRONG, "it was not made with the certificate's key") from None


def _check_curve(key: PublicKey, curve: _Curve, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curve.curve):
        raise Wrong(SignatureReason.ALGORITHM_REFUSED, "the algorithm is not one for the certificate's key")
    if len(signature) != 2 * curve.half:
        raise InvalidSignature
    r, s = (int.from_bytes(half, "big") for half in (signature[: curve.half], signature[curve.half :]))
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(curve.digest()))
