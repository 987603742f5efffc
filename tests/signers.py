"""A whole authority for prescribers' signatures, made anew: certificates, lists, OCSP answers and signatures."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID, ObjectIdentifier
from lxml import etree

from gateway.sign.eps_bundle import EpsOrder
from gateway.sign.eps_digest import Algorithm, digest_value, signed_info
from gateway.sign.evidence import Evidence

NOW = datetime(2026, 10, 5, 9, 16, tzinfo=UTC)
SIGNED = datetime(2026, 10, 5, 9, 10, tzinfo=UTC)
DS = "http://www.w3.org/2000/09/xmldsig#"
HOLDER = "GMC:C1234567 EXAMPLE"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(number: int, size: int = 2048) -> rsa.RSAPrivateKey:
    assert number >= 0
    return rsa.generate_private_key(65537, size)


@cache
def curve_key(number: int) -> ec.EllipticCurvePrivateKey:
    assert number >= 0
    return ec.generate_private_key(ec.SECP256R1())


def usage(**true: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**(dict.fromkeys(names.split(), False) | true))


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Authority:
    """One certificate authority."""

    name: str = "Example Authority"
    key: Key = field(default_factory=lambda: curve_key(0))
    parent: "Authority | None" = None
    path_length: int | None = None
    made: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        self.made = certificate(
            self.name,
            self.key,
            self.parent or self,
            usage=usage(key_cert_sign=True, crl_sign=True),
            ca=True,
            path_length=self.path_length,
        )

    def crl(
        self,
        *revoked: tuple[x509.Certificate, datetime, x509.ReasonFlags | None],
        at: datetime = NOW - timedelta(hours=1),
        until: datetime = NOW + timedelta(days=1),
        key: Key | None = None,
        part: x509.IssuingDistributionPoint | None = None,
    ) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder().issuer_name(named(self.name)).last_update(at)
        builder = builder.next_update(until)
        if part:
            builder = builder.add_extension(part, critical=True)
        for one, when, reason in revoked:
            row = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(when)
            if reason:
                row = row.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(row.build())
        return builder.sign(key or self.key, hashes.SHA256())

    def answer(
        self,
        about: x509.Certificate,
        *,
        revoked: datetime | None = None,
        at: datetime = NOW - timedelta(hours=1),
        until: datetime | None = NOW + timedelta(hours=12),
        responder: tuple[x509.Certificate, Key] | None = None,
    ) -> ocsp.OCSPResponse:
        signer, key = responder or (self.made, self.key)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=about,
            issuer=self.made,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=at,
            next_update=until,
            revocation_time=revoked,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
        return builder.sign(key, hashes.SHA256())


def certificate(
    common: str,
    key: Key,
    issuer: Authority,
    *,
    usage: x509.KeyUsage | None,
    ca: bool = False,
    path_length: int | None = None,
    purposes: Sequence[ObjectIdentifier] = (),
    start: datetime = NOW - timedelta(days=100),
    end: datetime = NOW + timedelta(days=100),
    critical: x509.ExtensionType | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(common))
        .issuer_name(named(issuer.name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=True)
    )
    if usage:
        builder = builder.add_extension(usage, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if critical:
        builder = builder.add_extension(critical, critical=True)
    return builder.sign(issuer.key, hashes.SHA256())


@dataclass
class Signer:
    """A prescriber with a certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def value(self, octets: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), digest or hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def eps(
        self, bundle: Any, when: datetime, algorithm: Algorithm = Algorithm.RS256, *, sparse: bool = False
    ) -> bytes:
        """Sign as EPS describes it: over the canonical SignedInfo, written without a namespace of its own."""
        info = signed_info(digest_value(EpsOrder(bundle, sparse=sparse), when, algorithm), algorithm)
        value = self.value(info.encode(), hashes.SHA1() if algorithm is Algorithm.RS1 else hashes.SHA256())  # noqa: S303 - refused
        return signature_element(info.replace(f' xmlns="{DS}"', ""), value, self.der).encode()

    def enveloped(self, document: bytes) -> bytes:
        """Put a Signature as the last child of the root."""
        root = etree.fromstring(document)
        digest = hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
        method = "rsa-sha256" if isinstance(self.key, rsa.RSAPrivateKey) else "ecdsa-sha256"
        more = "http://www.w3.org/2001/04/xmldsig-more#"
        info = (
            f'<SignedInfo xmlns="{DS}"><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
            f'</CanonicalizationMethod><SignatureMethod Algorithm="{more}{method}"></SignatureMethod>'
            f'<Reference URI=""><Transforms><Transform Algorithm="{DS}enveloped-signature"></Transform>'
            '<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></Transform></Transforms>'
            '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>'
            f"<DigestValue>{base64.b64encode(digest).decode()}</DigestValue></Reference></SignedInfo>"
        )
        element = signature_element(info.replace(f' xmlns="{DS}"', ""), self.value(info.encode()), self.der)
        head, _, tail = document.decode().rpartition("</")
        return f"{head}{element}</{tail}".encode()

    def jws(self, payload: bytes, **members: Any) -> bytes:
        """Sign bytes as a detached compact JWS."""
        alg = "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"
        header = {"alg": alg, "x5c": [base64.b64encode(self.der).decode()]} | members
        head = base64url(json.dumps({name: value for name, value in header.items() if value is not None}).encode())
        content = payload if header.get("b64") is False else base64url(payload)
        return head + b".." + base64url(self.value(head + b"." + content))


def signature_element(info: str, value: bytes, der: bytes) -> str:
    return (
        f'<Signature xmlns="{DS}">{info}<SignatureValue>{base64.b64encode(value).decode()}</SignatureValue><KeyInfo>'
        f"<X509Data><X509Certificate>{base64.b64encode(der).decode()}</X509Certificate></X509Data></KeyInfo></Signature>"
    )


def base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def signer(authority: Authority, common: str = HOLDER, key: Key | None = None, **change: Any) -> Signer:
    key = key or rsa_key(1)
    stated = {"usage": usage(content_commitment=True)} | change
    return Signer(key, certificate(common, key, authority, **stated))


def evidence(authority: Authority, *crls: x509.CertificateRevocationList, **change: Any) -> Evidence:
    stated: dict[str, Any] = {"anchors": (authority.made,), "crls": crls or (authority.crl(),)}
    return Evidence(**(stated | change))
