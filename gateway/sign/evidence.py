"""What a prescriber's signature is judged by: anchors, intermediates, revocation lists and OCSP answers, all supplied.

Nothing is ever fetched. Evidence that is missing or old makes a signature unverifiable, never valid (D8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.x509 import ocsp

PEM = b"-----BEGIN "
FRESH_FOR = timedelta(hours=24)
"""How old revocation evidence may be; reliability-security.md 6.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Supplied certificates and revocation evidence; empty where nothing was configured.

    Attributes:
        anchors: authorities that are trusted to name prescribers.
        intermediates: authorities between an anchor and a prescriber; trusted only through an anchor.
        fresh_for: how old revocation evidence may be.
    """

    anchors: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    answers: tuple[ocsp.OCSPResponse, ...] = ()
    """OCSP responses."""
    fresh_for: timedelta = FRESH_FOR


def read_certificates(octets: bytes) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a PEM file, or the one of a DER file.

    Raises:
        ValueError: it holds none, or one that cannot be read.
    """
    if PEM in octets:
        return tuple(x509.load_pem_x509_certificates(octets))
    return (x509.load_der_x509_certificate(octets),)


def read_crl(octets: bytes) -> x509.CertificateRevocationList:
    """Read a revocation list, PEM or DER.

    Raises:
        ValueError: it cannot be read.
    """
    return x509.load_pem_x509_crl(octets) if PEM in octets else x509.load_der_x509_crl(octets)


def read_ocsp(octets: bytes) -> ocsp.OCSPResponse:
    """Read an OCSP response, DER.

    Raises:
        ValueError: it cannot be read.
    """
    return ocsp.load_der_ocsp_response(octets)


def authorities(evidence: Evidence) -> Iterable[x509.Certificate]:
    """Give the anchors, then the intermediates."""
    return (*evidence.anchors, *evidence.intermediates)
