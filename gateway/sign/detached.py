"""Detached signatures over the sender's own bytes: a compact JWS, or CMS with the attributes of CAdES.

Source: RFC 7515 appendix F; RFC 7797; ETSI EN 319 122-1 (signing-certificate); reliability-security.md TK01, TK02, 6.3.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from gateway.domain.signature import SignatureReason
from gateway.sign.faults import Unknown, Wrong
from gateway.sign.keys_used import Method
from gateway.wire.strict_json import JSON, JsonError, loads

_PARTS: Final = 3
_MOST_CERTIFICATES: Final = 5
_MEMBERS: Final = frozenset({"alg", "x5c", "typ", "cty", "kid", "crit", "b64", "iat", "sigT"})
"""Header members that may stand there. None of them names a place to fetch a key from, or a key."""
LARGEST: Final = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedJws:
    """A JWS without its payload.

    Attributes:
        certificate: DER; the first of `x5c`. Others that were sent along are not used.
        signed: the octets under the signature, payload included.
        when: the signing time it claims.
    """

    method: Method
    certificate: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    value: bytes = field(repr=False)
    when: datetime | None = None


def read_jws(octets: bytes, payload: bytes) -> DetachedJws:
    """Read a compact detached JWS, `header..signature`.

    Raises:
        Wrong: MALFORMED or ALGORITHM_REFUSED.
    """
    parts = octets.split(b".")
    if len(octets) > LARGEST or len(parts) != _PARTS or parts[1]:
        raise _malformed("it is not a detached compact JWS")
    header = _header(_base64url(parts[0]))
    stated = header.get("alg")
    if not isinstance(stated, str) or stated not in set(Method):
        raise Wrong(SignatureReason.ALGORITHM_REFUSED, "the algorithm is absent or not one that is accepted")
    as_it_is = header.get("b64") is False
    if ("b64" in header) != ("crit" in header) or header.get("crit", ["b64"]) != ["b64"]:
        raise _malformed("the header demands what is not understood")
    content = payload if as_it_is else base64.urlsafe_b64encode(payload).rstrip(b"=")
    return DetachedJws(
        method=Method(stated),
        certificate=_certificate(header.get("x5c")),
        signed=parts[0] + b"." + content,
        value=_base64url(parts[2]),
        when=_claimed(header),
    )


def _header(octets: bytes) -> dict[str, JSON]:
    try:
        header = loads(octets)
    except JsonError:
        raise _malformed("the header is not strict JSON") from None
    if not isinstance(header, dict) or set(header) - _MEMBERS:
        raise _malformed("the header has members that are not accepted")
    return header


def _certificate(value: JSON) -> bytes:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_CERTIFICATES:
        raise _malformed("x5c does not hold the certificate")
    try:
        return base64.b64decode(str(value[0]), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("x5c does not hold the certificate") from None


def _claimed(header: dict[str, JSON]) -> datetime | None:
    """Give `iat` (seconds) or `sigT` (RFC 3339); they may not differ."""
    claimed: list[datetime] = []
    try:
        if "iat" in header:
            claimed.append(datetime.fromtimestamp(int(str(header["iat"])), UTC))
        if "sigT" in header:
            claimed.append(datetime.fromisoformat(str(header["sigT"])))
    except (ValueError, OverflowError, OSError):
        raise _malformed("the signing time cannot be read") from None
    if any(one.tzinfo is None for one in claimed) or len(set(claimed)) > 1:
        raise _malformed("the signing time has no zone, or stands twice and differs")
    return claimed[0] if claimed else None


def _base64url(text: bytes) -> bytes:
    try:
        octets = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("a part is not base64url") from None
    if base64.urlsafe_b64encode(octets).rstrip(b"=") != text or not octets:
        raise _malformed("a part is not base64url in its only form")
    return octets


def _malformed(text: str) -> Wrong:
    return Wrong(SignatureReason.MALFORMED, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cades:
    """A CMS signature whose cryptography was found right.

    Attributes:
        certificate: DER; the signer's, bound by the signed attribute signing-certificate-v2.
        when: the signing time it claims.
    """

    certificate: bytes = field(repr=False)
    when: datetime | None = None


_DIGESTS: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def check_cades(octets: bytes, payload: bytes) -> Cades:
    """Read a detached CMS signature and check it over a payload; the certificate's own standing is not looked at.

    Raises:
        Wrong: MALFORMED, ALGORITHM_REFUSED, DIGEST_MISMATCH or SIGNATURE_WRONG.
        Unknown: FORMAT_UNKNOWN, where the extra `cades` is not installed.
    """
    # pyHanko takes most of a second to import, and few senders use CMS.
    try:
        from asn1crypto import cms  # noqa: PLC0415 - as above
        from pyhanko.sign.validation.errors import SignatureValidationError  # noqa: PLC0415 - as above
        from pyhanko.sign.validation.generic_cms import validate_sig_integrity  # noqa: PLC0415 - as above
    except ImportError:
        raise Unknown(SignatureReason.FORMAT_UNKNOWN, "CMS signatures cannot be read here") from None

    try:
        wrapped = cms.ContentInfo.load(octets, strict=True)
        if wrapped["content_type"].native != "signed_data":
            raise _malformed("it is not signed data")
        data = wrapped["content"]
        if len(data["signer_infos"]) != 1 or data["encap_content_info"]["content"].native is not None:
            raise _malformed("it must have one signer, and the content beside it")
        signer = data["signer_infos"][0]
        hashing = _DIGESTS.get(str(signer["digest_algorithm"]["algorithm"].native))
        if hashing is None:
            raise Wrong(SignatureReason.ALGORITHM_REFUSED, "it was made with a hash that is not accepted")
        attributes = _attributes(signer)
        if "signing_certificate_v2" not in attributes:
            raise _malformed("it does not state its signing certificate, as CAdES demands")
        certificate = _signers_certificate(signer, data["certificates"])
        intact, right = validate_sig_integrity(signer, certificate, "data", hashing(payload).digest())
    except SignatureValidationError:
        raise _malformed("its signed attributes contradict it") from None
    except (ValueError, TypeError, KeyError):
        raise _malformed("it is not CMS") from None
    if not intact:
        raise Wrong(SignatureReason.DIGEST_MISMATCH, "the message was changed after it was signed")
    if not right:
        raise Wrong(SignatureReason.SIGNATURE_WRONG, "it was not made with the certificate's key")
    when = attributes.get("signing_time")
    return Cades(certificate=certificate.dump(), when=when if isinstance(when, datetime) else None)


def _attributes(signer: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in signer["signed_attrs"]:
        name, values = str(one["type"].native), one["values"]
        if name in found or len(values) != 1:
            raise _malformed("a signed attribute stands twice")
        found[name] = values[0].native
    return found


def _signers_certificate(signer: Any, certificates: Any) -> Any:
    """Give the certificate the signer names by issuer and number; RSA and elliptic curves only, as elsewhere."""
    named = signer["sid"].chosen
    for one in certificates:
        held = one.chosen
        if (
            one.name == "certificate"
            and held.issuer == named["issuer"]
            and held.serial_number == named["serial_number"].native
        ):
            return held
    raise _malformed("the signer's certificate is not with it")
