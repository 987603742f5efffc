"""The seal key and its certificates, from files.

The files lie in `keys/` under the data folder:

- `seal.key`: the private key, PKCS#8 PEM, P-256, readable by its owner alone;
- `seal.pem`: its certificate first, then any intermediates;
- `anchors.pem`: the authorities that vouch for it: what providers verify with. Public.

In development the three are made on the first run, under a throw-away authority that is marked as such; in production
they are supplied, and one that development made is refused.

Source: brief D15, section 4; reliability-security.md 6.4.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.sign.seal import Seal, public_jwk, thumbprint

FOLDER: Final = "keys"
"""Of the data folder."""
DEVELOPMENT_MARK: Final = "DEVELOPMENT ONLY - NOT FOR PRESCRIPTIONS"
"""Organisational unit of every certificate made here."""
_SEAL_YEARS: Final = 1
_AUTHORITY_YEARS: Final = 20
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The seal key in force.

    Attributes:
        chain: the key's certificate, then any intermediates.
        anchors: what verifiers trust. Public.
        development: whether the authority is a throw-away one.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    anchors: tuple[x509.Certificate, ...]
    development: bool

    def seal(self, issuer: OdsCode) -> Seal:
        """Give the sealer; raises `ConfigurationError` when key and certificate do not belong together."""
        return Seal(self.key, self.chain, issuer)

    @property
    def key_id(self) -> str:
        """The `kid` of every seal."""
        return thumbprint(self.key.public_key())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Give the document of `/.well-known/jwks.json`. Source: RFC 7517."""
        public = public_jwk(self.key.public_key())
        return {"keys": [{**public, "kid": self.key_id, "use": "sig", "alg": "ES256"}]}

    def anchors_pem(self) -> bytes:
        """Give the anchors as PEM, for `gateway verify --anchors` and for providers."""
        return _pem(self.anchors)


def load_or_make(data: Path, *, development: bool, now: datetime | None = None) -> KeyRing:
    """Load the keys, in development making what is not there.

    Args:
        data: the data folder.
        development: whether a throw-away authority may be made and used.
        now: the present moment; the clock's if not given.

    Raises:
        ConfigurationError: a file is missing, unreadable, open to others, out of date, or made by development where
            that may not be used; every fault is listed.
    """
    moment = now or datetime.now(UTC)
    if development:
        _make_missing(data / FOLDER, moment)
    return load_ring(data, development=development, now=moment)


def load_ring(data: Path, *, development: bool, now: datetime) -> KeyRing:
    """Load the keys and make nothing.

    Raises:
        ConfigurationError: as `load_or_make`, and where a file is missing.
    """
    folder = data / FOLDER
    ring = _load(folder, development=development)
    faults = [*_file_faults(folder), *_ring_faults(ring, now)]
    if faults:
        raise ConfigurationError(*faults)
    return ring


def _load(folder: Path, *, development: bool) -> KeyRing:
    missing = [f"{name} is missing from {folder}" for name in _NAMES if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(*missing)
    try:
        key = load_pem_private_key((folder / "seal.key").read_bytes(), password=None)
        chain = x509.load_pem_x509_certificates((folder / "seal.pem").read_bytes())
        anchors = x509.load_pem_x509_certificates((folder / "anchors.pem").read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"a key file in {folder} cannot be read: {type(error).__name__}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("seal.key is not an elliptic-curve key")
    return KeyRing(key=key, chain=tuple(chain), anchors=tuple(anchors), development=development)


_NAMES: Final = ("seal.key", "seal.pem", "anchors.pem")


def _file_faults(folder: Path) -> list[str]:
    private = [path for path in (folder / "seal.key", folder / "authority.key") if path.is_file()]
    return [f"{path} may be read by others; its mode must be 0600" for path in private if path.stat().st_mode & 0o077]


def _ring_faults(ring: KeyRing, now: datetime) -> list[str]:
    faults = []
    if ring.chain[0].public_key() != ring.key.public_key():
        faults.append("the first certificate in seal.pem is not the certificate of seal.key")
    if not ring.chain[0].not_valid_before_utc <= now <= ring.chain[0].not_valid_after_utc:
        faults.append("the seal certificate is not in date")
    if not _leads_to(ring.chain, ring.anchors):
        faults.append("seal.pem does not lead to anchors.pem")
    if not ring.development and any(made_for_development(one) for one in (*ring.chain, *ring.anchors)):
        faults.append("a key made for development may not be used outside development")
    return faults


def made_for_development(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate, or its issuer, is one that development mode made."""
    names = (certificate.subject, certificate.issuer)
    units = [unit.value for name in names for unit in name.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    return DEVELOPMENT_MARK in units


def _leads_to(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> bool:
    """Tell whether each certificate was issued by the next, and the last by an anchor or is one itself."""
    linked = all(_issued(one, issuer) for one, issuer in pairwise(chain))
    return linked and (chain[-1] in anchors or any(_issued(chain[-1], anchor) for anchor in anchors))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _make_missing(folder: Path, now: datetime) -> None:
    """Make the authority once, and a seal certificate when there is none or the last one is out of date."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority_key, authority = _authority(folder, now)
    certificate = folder / "seal.pem"
    if certificate.is_file() and (folder / "seal.key").is_file() and _in_date(certificate, now):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate("Gateway seal", key.public_key(), authority.subject, authority_key, now, authority=False)
    certificate.unlink(missing_ok=True)  # a crash between the two writes then leaves none, and both are made again
    _write_private(folder / "seal.key", key)
    _replace(certificate, _pem([made]))


def _in_date(certificate: Path, now: datetime) -> bool:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc > now


def _authority(folder: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, certificate_file = folder / "authority.key", folder / "anchors.pem"
    if key_file.is_file() and certificate_file.is_file():
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigurationError("authority.key is not an elliptic-curve key")
        return key, x509.load_pem_x509_certificate(certificate_file.read_bytes())
    if certificate_file.is_file():
        raise ConfigurationError(f"{certificate_file} was not made by development: its authority's key is not there")
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Throw-away authority")
    made = _certificate("Throw-away authority", key.public_key(), name, key, now, authority=True)
    _write_private(key_file, key)
    _replace(certificate_file, _pem([made]))
    return key, made


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, DEVELOPMENT_MARK),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    common: str,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    authority: bool,
) -> x509.Certificate:
    years = _AUTHORITY_YEARS if authority else _SEAL_YEARS
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + years * _YEAR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _replace(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _replace(path: Path, octets: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone from the first byte."""
    written = path.with_name(f"{path.name}.new")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
    written.replace(path)


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
