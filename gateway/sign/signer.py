"""Whose certificate a prescriber's signature bears, to be shown beside the verdict; nothing is verified here.

What cannot be read is not shown: the verdict of `gateway.sign.prescriber` says what the signature is worth.

Source: console.md 6.3 (evidence).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from gateway.domain.prescription import PrescriberSignature
from gateway.sign.detached import read_jws
from gateway.sign.faults import Wrong

_IN_XML: Final = re.compile(rb"<(?:\w+:)?X509Certificate(?:\s[^>]*)?>([A-Za-z0-9+/=\s]+)<")
_METHOD_IN_XML: Final = re.compile(rb"SignatureMethod\s+Algorithm=[\"'][^\"']*#([a-z0-9-]+)[\"']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A certificate in words.

    Attributes:
        serial: in hex, as certificates are quoted.
        method: name of the algorithm the signature states; empty where it states none that is known.
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    method: str = ""


def signer_of(signature: PrescriberSignature) -> Signer | None:
    """Read the certificate that stands in a signature; None where none can be read."""
    found = _der(signature)
    if found is None:
        return None
    der, method = found
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Signer(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            serial=f"{certificate.serial_number:X}",
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            method=method,
        )
    except ValueError:
        return None


def _der(signature: PrescriberSignature) -> tuple[bytes, str] | None:
    match signature.format:
        case "jws":
            return _in_jws(signature.data)
        case "xmldsig" | "xmldsig-eps":
            return _in_xml(signature.data)
        case "cades":
            return _in_cms(signature.data)
        case _:
            return None


def _in_jws(octets: bytes) -> tuple[bytes, str] | None:
    try:
        found = read_jws(octets, b"")
    except Wrong:
        return None
    return found.certificate, found.method.value


def _in_xml(octets: bytes) -> tuple[bytes, str] | None:
    found, method = _IN_XML.search(octets), _METHOD_IN_XML.search(octets)
    if found is None:
        return None
    try:
        der = base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        return None
    return der, method[1].decode() if method else ""


def _in_cms(octets: bytes) -> tuple[bytes, str] | None:
    try:
        from asn1crypto import cms  # noqa: PLC0415 - of the extra `cades`, and few senders use it

        data = cms.ContentInfo.load(octets, strict=True)["content"]
        method = str(data["signer_infos"][0]["signature_algorithm"]["algorithm"].native)
        return bytes(data["certificates"][0].chosen.dump()), method
    except (ImportError, ValueError, TypeError, KeyError, IndexError):
        return None
