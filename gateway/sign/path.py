"""From a prescriber's certificate to an anchor: real path validation, and what each certificate is for.

Source: RFC 5280 section 6, as far as a closed hierarchy of signing authorities uses it; a critical extension that is
not understood here stops the path.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from gateway.domain.signature import SignatureReason
from gateway.sign.evidence import Evidence, authorities
from gateway.sign.faults import Unknown, Wrong

LONGEST = 6
"""Certificates in a path, the anchor included."""
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
_NOT_FOR_PEOPLE = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
Path = tuple[x509.Certificate, ...]


def find_path(leaf: x509.Certificate, evidence: Evidence) -> Path:
    """Give the certificates from a leaf to an anchor, both included.

    Raises:
        Unknown: NO_ANCHORS.
        Wrong: CHAIN_UNTRUSTED.
    """
    if not evidence.anchors:
        raise Unknown(SignatureReason.NO_ANCHORS, "no authority for prescribers' certificates is configured")
    if any(one == leaf for one in evidence.anchors):
        raise Wrong(SignatureReason.CHAIN_UNTRUSTED, "the certificate is an authority's own")
    found = next(_paths((leaf,), evidence), None)
    if found is None:
        raise Wrong(SignatureReason.CHAIN_UNTRUSTED, "no configured authority issued the certificate")
    return found


def _paths(path: Path, evidence: Evidence) -> Iterator[Path]:
    if path[-1] in evidence.anchors:
        yield path
    elif len(path) < LONGEST:
        for issuer in authorities(evidence):
            if issuer not in path and issued(path[-1], issuer):
                yield from _paths((*path, issuer), evidence)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether an authority signed a certificate: names and signature, and not over SHA-1 or MD5."""
    try:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is not None and not isinstance(algorithm, _HASHES):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def check_usage(path: Path) -> None:
    """Check that the leaf is for a person's signatures, and every issuer an authority that may be where it is.

    Raises:
        Wrong: KEY_USAGE_WRONG.
    """
    leaf, *issuers = path
    usage = extension(leaf, x509.KeyUsage)
    if usage is None or not (usage.digital_signature or usage.content_commitment):
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "the certificate is not for signatures")
    purposes = extension(leaf, x509.ExtendedKeyUsage)
    if purposes is not None and _NOT_FOR_PEOPLE.issuperset(purposes):
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "the certificate is for machines or connections")
    if _is_authority(leaf):
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "the certificate is an authority's")
    for below, issuer in enumerate(issuers):
        _check_authority(issuer, below)
    if any(one.critical and one.oid not in _UNDERSTOOD for member in path for one in member.extensions):
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "a certificate has a condition that is not understood")


def _check_authority(issuer: x509.Certificate, below: int) -> None:
    signs = extension(issuer, x509.KeyUsage)
    limits = extension(issuer, x509.BasicConstraints)
    if not _is_authority(issuer) or (signs is not None and not signs.key_cert_sign):
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "an issuer is no certificate authority")
    if limits is not None and limits.path_length is not None and limits.path_length < below:
        raise Wrong(SignatureReason.KEY_USAGE_WRONG, "the chain is longer than an authority allows")


def check_dates(path: Path, signed_at: datetime, received_at: datetime) -> None:
    """Check that every certificate was valid when signed, and still is: the signer's time is only a claim.

    Raises:
        Wrong: OUT_OF_DATE.
        Unknown: TIME_ONLY_CLAIMED, where a certificate has ended since.
    """
    if not all(_in_date(one, signed_at) for one in path):
        raise Wrong(SignatureReason.OUT_OF_DATE, "a certificate was not valid at the signing time")
    if not all(_in_date(one, received_at) for one in path):
        text = "a certificate has ended since, and only the signer says when it was signed"
        raise Unknown(SignatureReason.TIME_ONLY_CLAIMED, text)


def _in_date(certificate: x509.Certificate, moment: datetime) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    """Give an extension of a certificate, if it has it."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca
