"""Verify a prescriber's own signature, whatever its format, without any network.

What is checked, in this order; the number stands on each step:

 1. The format is known, and what it signs is at hand.
 2. The signature has its one accepted form: one Reference, one certificate, allow-listed algorithms and transforms.
 3. The certificate can be read, and its key is of an accepted kind and size.
 4. The digest in it is that of the prescription, made anew at the signing time stated.
 5. The signature is the certificate's key's.
 6. The signing time is stated, is the one that was signed, and is not in the future.
 7. The certificate leads to a configured anchor, each certificate signed by the next.
 8. Every certificate is for what it was used for.
 9. Every certificate was valid when it was signed, and still is where only the signer says when.
10. None was revoked, by fresh lists or OCSP answers that were supplied.
11. The person of the certificate is the prescriber, where the certificate says who it is.

A step that finds it wrong ends the list: it is invalid. A step that lacks what it needs makes it unverifiable, and the
steps after it are still taken where they can be, for one of them may find it wrong.

Source: brief D7, D8; eps.md 4; reliability-security.md 4.2 (S rows), 6.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.domain.identifiers import ProfessionalId, Register
from gateway.domain.prescription import PrescriberSignature
from gateway.domain.signature import PrescriberVerdict, SignatureReason, Standing
from gateway.sign.detached import check_cades, read_jws
from gateway.sign.eps_bundle import EpsOrder, Unsignable
from gateway.sign.eps_digest import Algorithm, digest_value
from gateway.sign.evidence import Evidence
from gateway.sign.faults import Unknown, Wrong
from gateway.sign.keys_used import PublicKey, check_signature, public_key
from gateway.sign.path import Path, check_dates, check_usage, find_path
from gateway.sign.revocation import check_revocation
from gateway.sign.xmldsig import XmlSignature, read_enveloped, read_eps

SKEW = timedelta(minutes=5)
"""How far a signer's clock may be ahead of ours."""
_R = SignatureReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature with what it is a signature of.

    Attributes:
        octets: the sender's own bytes, less a signature that stands in them; what all but the EPS form cover.
        bundle: the order Bundle that the EPS form covers, number lexemes kept; None where there is none.
        sparse: whether that Bundle may lack the site's address and telephone (see `EpsOrder`).
        prescriber: the numbers of the prescriber, as the prescription states them.
        received_at: when the gateway received it: the only time that is trusted.
    """

    signature: PrescriberSignature
    octets: bytes = field(repr=False)
    bundle: Mapping[str, Any] | None = field(repr=False, default=None)
    sparse: bool = False
    prescriber: tuple[ProfessionalId, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the list: `pass`, `FAIL` or `not known`."""

    number: int
    name: str
    result: str
    reason: SignatureReason | None = None
    text: str = ""

    def __str__(self) -> str:
        said = f" {self.reason}: {self.text}" if self.reason else ""
        return f"{self.number:2} {self.result:9} {self.name}{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The list as far as it went, and the verdict it leads to."""

    steps: tuple[Step, ...]

    @property
    def verdict(self) -> PrescriberVerdict:
        """The verdict: what is wrong outweighs what is not known."""
        for result, standing in (("FAIL", Standing.INVALID), ("not known", Standing.UNVERIFIABLE)):
            for step in self.steps:
                if step.result == result:
                    return PrescriberVerdict(standing=standing, reason=step.reason, text=step.text)
        return PrescriberVerdict(standing=Standing.VALID)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.steps), self.verdict.words])


def verify(signed: Signed, evidence: Evidence) -> Report:
    """Verify a prescriber's signature.

    Args:
        signed: the signature and what it covers.
        evidence: anchors and revocation evidence, as supplied.

    Returns:
        Every step that was taken.

    Raises:
        Nothing.
    """
    return _Verification(signed, evidence).report()


class _Verification:
    """What the steps learn from one another."""

    _certificate: x509.Certificate
    _key: PublicKey
    _path: Path
    _check_digest: Callable[[], None]
    _check_value: Callable[[], None]

    def __init__(self, signed: Signed, evidence: Evidence) -> None:
        self._signed = signed
        self._evidence = evidence
        self._signature = signed.signature
        self._claimed = signed.signature.when
        self._der = b""

    def report(self) -> Report:
        taken: list[Step] = []
        steps = (
            ("format known", self._format),
            ("form and algorithms", self._form),
            ("certificate readable", self._read_certificate),
            ("digest of the prescription", self._digest),
            ("signature is the key's", self._value),
            ("signing time", self._time),
            ("chain to an anchor", self._chain),
            ("key usage", self._usage),
            ("certificates in date", self._dates),
            ("revocation", self._revocation),
            ("signer is the prescriber", self._signer),
        )
        for number, (name, step) in enumerate(steps, start=1):
            taken.append(_run(number, name, step))
            if taken[-1].result == "FAIL" or taken[-1].reason in _ENDS:
                break
        return Report(steps=tuple(taken))

    # 1. The format.
    def _format(self) -> None:
        if self._signature.format not in {"xmldsig-eps", "xmldsig", "jws", "cades"}:
            raise Unknown(_R.FORMAT_UNKNOWN, "its format is not known here")
        if self._signature.format == "xmldsig-eps" and self._signed.bundle is None:
            raise Unknown(_R.CONTENT_ABSENT, "the order it would cover could not be written")

    # 2. The form. What can be checked only later is kept for the step it belongs to.
    def _form(self) -> None:
        match self._signature.format:
            case "jws":
                self._take_jws()
            case "cades":
                self._take_cades()
            case "xmldsig":
                self._take_xml(read_enveloped(self._signed.octets))
            case _:
                self._take_eps()

    def _take_xml(self, found: XmlSignature) -> None:
        self._der = found.certificate
        self._check_digest = _nothing  # the enveloped form is hashed where it is read
        self._check_value = lambda: check_signature(self._key, found.method, found.value, found.signed_info)

    def _take_eps(self) -> None:
        found = read_eps(self._signature.data)
        self._take_xml(found)
        self._check_digest = lambda: self._eps_digest(found)

    def _take_jws(self) -> None:
        found = read_jws(self._signature.data, self._signed.octets)
        self._der, self._claimed = found.certificate, found.when
        self._check_digest = _nothing  # a JWS signs the bytes themselves
        self._check_value = lambda: check_signature(self._key, found.method, found.value, found.signed)

    def _take_cades(self) -> None:
        found = check_cades(self._signature.data, self._signed.octets)
        self._der, self._claimed = found.certificate, found.when
        self._check_digest = self._check_value = _nothing  # checked as it was read

    # 3. The certificate.
    def _read_certificate(self) -> None:
        try:
            self._certificate = x509.load_der_x509_certificate(self._der)
        except ValueError:
            raise Wrong(_R.MALFORMED, "the certificate cannot be read") from None
        self._key = public_key(self._certificate)

    # 4. The digest.
    def _digest(self) -> None:
        self._check_digest()

    def _eps_digest(self, found: XmlSignature) -> None:
        if self._claimed is None:
            raise Wrong(_R.TIME_MISMATCH, "the signing time, which is part of what is signed, is not stated")
        try:
            order = EpsOrder(self._signed.bundle or {}, sparse=self._signed.sparse)
            digest = digest_value(order, self._claimed, Algorithm.RS256)
        except (Unsignable, ValueError, TypeError, AttributeError):
            raise Wrong(_R.DIGEST_MISMATCH, "the prescription lacks a part that is always signed") from None
        if base64.b64decode(digest) != found.digest:
            text = "it is not a signature of this prescription at the time stated"
            raise Wrong(_R.DIGEST_MISMATCH, text)

    # 5. The signature.
    def _value(self) -> None:
        self._check_value()

    # 6. The time.
    def _time(self) -> None:
        stated = self._signature.when
        if stated is not None and self._claimed is not None and stated != self._claimed:
            raise Wrong(_R.TIME_MISMATCH, "the time stated beside it is not the one that was signed")
        if self._claimed is not None and self._claimed > self._signed.received_at + SKEW:
            raise Wrong(_R.SIGNED_IN_FUTURE, "it claims to be signed in the future")

    @property
    def _signed_at(self) -> datetime:
        """The signing time claimed; without a claim, the time of receipt, before which it was made."""
        return self._claimed or self._signed.received_at

    # 7. The chain.
    def _chain(self) -> None:
        self._path = find_path(self._certificate, self._evidence)

    # 8. What the certificates are for.
    def _usage(self) -> None:
        check_usage(self._path)

    # 9. Dates.
    def _dates(self) -> None:
        check_dates(self._path, self._signed_at, self._signed.received_at)

    # 10. Revocation.
    def _revocation(self) -> None:
        check_revocation(self._path, self._evidence, self._signed_at, self._signed.received_at)

    # 11. The person.
    def _signer(self) -> None:
        stated = list(_people(self._certificate))
        known = {number.register: _plain(number.value) for number in self._signed.prescriber}
        compared = [(register, value) for register, value in stated if register in known]
        if any(known[register] != _plain(value) for register, value in compared):
            raise Wrong(_R.SIGNER_DIFFERS, "the certificate is another person's than the prescriber")
        if stated and not compared:
            text = "the certificate names its holder by a number that the prescription does not state"
            raise Unknown(_R.SIGNER_NOT_COMPARABLE, text)


_ENDS = frozenset({_R.FORMAT_UNKNOWN, _R.CONTENT_ABSENT, _R.NO_ANCHORS})
"""Reasons after which no later step has what it needs."""
_SDS = re.compile(r"(\d{12})_")
"""How an NHS smartcard's certificate names its holder: `CN=555253521108_SURNAME`."""
_PREFIXED = re.compile(r"(GMC|NMC|GPHC|HCPC|GDC|SDS)[ :_|-]+([A-Z0-9]+)", re.IGNORECASE)
_REGISTERS = {
    "GMC": Register.GMC,
    "NMC": Register.NMC,
    "GPHC": Register.GPHC,
    "HCPC": Register.HCPC,
    "GDC": Register.GDC,
    "SDS": Register.SDS_USER,
}


def _people(certificate: x509.Certificate) -> list[tuple[Register, str]]:
    """Give the numbers by which a certificate names its holder: a smartcard's, or one with its register before it."""
    found: list[tuple[Register, str]] = []
    for oid in (NameOID.COMMON_NAME, NameOID.USER_ID, NameOID.SERIAL_NUMBER):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            text = str(attribute.value)
            if match := _SDS.match(text):
                found.append((Register.SDS_USER, match[1]))
            found.extend((_REGISTERS[one[1].upper()], one[2]) for one in _PREFIXED.finditer(text))
    return found


def _plain(number: str) -> str:
    """Give a number without the letter that some put before a GMC number."""
    return re.sub(r"^C(?=\d{7}$)", "", number.upper())


def _nothing() -> None:
    return


def _run(number: int, name: str, step: Callable[[], None]) -> Step:
    try:
        step()
    except Wrong as fault:
        return Step(number=number, name=name, result="FAIL", reason=fault.reason, text=fault.text)
    except Unknown as fault:
        return Step(number=number, name=name, result="not known", reason=fault.reason, text=fault.text)
    except (ValueError, TypeError, x509.DuplicateExtension):
        text = "something in it cannot be read"
        return Step(number=number, name=name, result="FAIL", reason=_R.MALFORMED, text=text)
    return Step(number=number, name=name, result="pass")
