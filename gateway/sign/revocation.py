"""Whether a certificate of a path is revoked, by the lists and OCSP answers that were supplied. Nothing is fetched.

A list or an answer counts only if its authority signed it. That a certificate is revoked is believed even of an old
one; that it is not, only of one that is fresh.

Source: RFC 5280 section 5; RFC 6960 sections 3.2 and 4.2.2; brief D8; eps.md 4.7 (whose fail-open is not followed).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.domain.signature import SignatureReason
from gateway.sign.evidence import Evidence
from gateway.sign.faults import Unknown, Wrong
from gateway.sign.path import Path, extension, issued

SKEW = timedelta(minutes=5)
_COMPROMISED = frozenset(
    {x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise, x509.ReasonFlags.aa_compromise}
)
"""Reasons after which no signing time is believed (eps.md 4.7)."""
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one authentic source says of one certificate."""

    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None

    def fresh(self, now: datetime, fresh_for: timedelta) -> bool:
        """Tell whether it may be relied upon for a certificate that is not revoked."""
        ends = self.next_update
        return (
            ends is not None and self.this_update <= now + SKEW and now <= ends and now - self.this_update <= fresh_for
        )


def check_revocation(path: Path, evidence: Evidence, signed_at: datetime, now: datetime) -> None:
    """Check that no certificate below the anchor is revoked.

    Raises:
        Wrong: REVOKED.
        Unknown: REVOKED_SINCE, REVOCATION_STALE or REVOCATION_UNKNOWN.
    """
    unknown: Unknown | None = None
    for certificate, issuer in pairwise(path):
        said = [*_lists(certificate, issuer, evidence), *_answers(certificate, issuer, evidence)]
        try:
            _judge(said, evidence, signed_at, now)
        except Unknown as fault:
            unknown = unknown or fault
    if unknown:
        raise unknown


def _judge(said: list[_Said], evidence: Evidence, signed_at: datetime, now: datetime) -> None:
    revoked = [one for one in said if one.revoked_at is not None]
    if any(one.reason in _COMPROMISED or (one.revoked_at and one.revoked_at <= signed_at) for one in revoked):
        raise Wrong(SignatureReason.REVOKED, "a certificate was revoked when it was signed")
    if revoked:
        raise Unknown(SignatureReason.REVOKED_SINCE, "a certificate was revoked after the time the signer states")
    if any(one.fresh(now, evidence.fresh_for) for one in said):
        return
    if said:
        raise Unknown(SignatureReason.REVOCATION_STALE, "the revocation evidence for a certificate is out of date")
    raise Unknown(SignatureReason.REVOCATION_UNKNOWN, "there is no revocation evidence for a certificate")


def _lists(certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence) -> Iterator[_Said]:
    for crl in evidence.crls:
        if crl.issuer != issuer.subject or not _covers(crl, certificate) or not _signed_list(crl, issuer):
            continue
        row = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        yield _Said(
            this_update=crl.last_update_utc,
            next_update=crl.next_update_utc,
            revoked_at=row.revocation_date_utc if row else None,
            reason=_reason(row) if row else None,
        )


def _signed_list(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    usage = extension(issuer, x509.KeyUsage)
    key = issuer.public_key()
    if usage is not None and not usage.crl_sign:
        return False
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return isinstance(crl.signature_hash_algorithm, _STRONG) and crl.is_signature_valid(key)
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return False


def _covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Tell whether a list speaks of the certificate: not a delta, not indirect, not of another part or kind."""
    for one in crl.extensions:
        if isinstance(one.value, x509.IssuingDistributionPoint):
            if not _in_part(one.value, certificate):
                return False
        elif one.critical or isinstance(one.value, x509.DeltaCRLIndicator):
            return False
    return not any(one.critical for row in crl for one in row.extensions if not isinstance(one.value, x509.CRLReason))


def _in_part(part: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if part.indirect_crl or part.only_contains_attribute_certs or part.only_some_reasons or part.relative_name:
        return False
    if (part.only_contains_user_certs and authority) or (part.only_contains_ca_certs and not authority):
        return False
    points = extension(certificate, x509.CRLDistributionPoints) or ()
    named = {name for point in points for name in point.full_name or ()}
    return not part.full_name or not named.isdisjoint(part.full_name)


def _reason(row: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return row.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def _answers(certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence) -> Iterator[_Said]:
    for response in evidence.answers:
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            continue
        mine = [one for one in response.responses if _is_about(one, certificate, issuer)]
        if not mine or not _signed_answer(response, issuer, evidence):
            continue
        for one in mine:
            if one.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN:
                yield _Said(
                    this_update=one.this_update_utc,
                    next_update=one.next_update_utc,
                    revoked_at=one.revocation_time_utc,
                    reason=one.revocation_reason,
                )


def _is_about(one: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if one.serial_number != certificate.serial_number:
        return False
    name = _hash(one.hash_algorithm, issuer.subject.public_bytes())
    return name == one.issuer_name_hash and _hash(one.hash_algorithm, _key_bits(issuer)) == one.issuer_key_hash


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Give the subject public key's bits: what an OCSP answer names its issuer by (RFC 6960 section 4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return b""


def _hash(algorithm: hashes.HashAlgorithm, octets: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(octets)
    return digest.finalize()


def _signed_answer(response: ocsp.OCSPResponse, issuer: x509.Certificate, evidence: Evidence) -> bool:
    """Tell whether the issuer answered, or one it appointed for answers (RFC 6960 section 4.2.2.2)."""
    for signer in (issuer, *response.certificates):
        if signer != issuer and not _appointed(signer, issuer, response, evidence):
            continue
        if _is_signer(response, signer):
            return True
    return False


def _appointed(
    signer: x509.Certificate, issuer: x509.Certificate, response: ocsp.OCSPResponse, evidence: Evidence
) -> bool:
    purposes = extension(signer, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.OCSP_SIGNING not in purposes or not issued(signer, issuer):
        return False
    if not signer.not_valid_before_utc <= response.produced_at_utc <= signer.not_valid_after_utc:
        return False
    return all(one.revoked_at is None for one in _lists(signer, issuer, evidence))


def _is_signer(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    algorithm = response.signature_hash_algorithm
    if not isinstance(algorithm, _STRONG):
        return False
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
