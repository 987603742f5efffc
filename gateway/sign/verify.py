"""Verify a sealed message offline. This file stands alone: it needs Python and `cryptography`, no gateway, no network.

What is checked, in this order; the number stands on each block of the code:

 1. The octets are of bearable size and UTF-8 without a byte order mark.
 2. The last entry is a seal entry of the one fixed form. It is cut off and `]}` is restored: that is the message M.
 3. The seal is a compact JWS whose three parts are base64url in its only form, with a header of known members.
 4. Algorithm ES256 and token type `hcgw-seal`, nothing else; the header names no place to fetch a key from.
 5. The certificate's key is on P-256 and its RFC 7638 thumbprint is the `kid`.
 6. The certificates lead to one of the anchors given, each signed by the next, with no signature over SHA-1 or MD5.
 7. The certificate is for signing, is not an authority's, and its issuers are authorities.
 8. The signature is the key's.
 9. The manifest is of a known type, read without duplicate keys, and complete.
10. Every certificate was valid when the seal was made.
11. SHA-256 of M is the manifest's digest.
12. The seal entry says exactly what the manifest and the message id make it say, byte for byte.
13. The message is for the audience asked about.
14. It was sealed in the past, and may still be acted on.
15. M, which is parsed only now, names the same message, destination and lines as the manifest.
16. The trust's own bytes inside M have the digest the manifest states.
17. The prescriber's signature inside M has the digest the manifest states.
18. Bytes of another format, if given, have the digest the manifest states.

Not checked here: whether the prescriber's signature is valid; whether a newer message has replaced this one (compare
`epoch` with the highest seen for the line); whether the same message was seen before.

A failed check ends the list, for what follows rests on it; the exceptions are 13 and 14, which concern the reader and
not the message. `Report.reason` is the stable code of the first failure.
"""

import hashlib
import json
import re
import uuid
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

LIMIT = 16 * 1024 * 1024
"""Largest message read, in octets: three times the largest submission."""
CHAIN_LIMIT = 5
SKEW = timedelta(minutes=5)
"""How far ahead the sealer's clock may be."""

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_NAMESPACE = uuid.UUID("6f1d4ab0-3b0c-5f5a-9a43-8f0c2f0d6a11")
_OPENING = b',{"fullUrl":"urn:uuid:'
_ENTRY = (
    ',{{"fullUrl":"urn:uuid:{seal}","resource":{{"resourceType":"Provenance","id":"{seal}",'
    '"target":[{{"identifier":{{"system":"https://tools.ietf.org/html/rfc4122","value":"{message}"}}}}],'
    '"recorded":"{moment}",'
    '"agent":[{{"type":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/provenance-participant-type",'
    '"code":"assembler"}}]}},"who":{{"identifier":{{"system":"https://fhir.nhs.uk/Id/ods-organization-code",'
    '"value":"{issuer}"}}}}}}],'
    '"signature":[{{"type":[{{"system":"urn:iso-astm:E1762-95:2013","code":"1.2.840.10065.1.12.1.5"}}],'
    '"when":"{moment}","who":{{"identifier":{{"system":"https://fhir.nhs.uk/Id/ods-organization-code",'
    '"value":"{issuer}"}}}},"targetFormat":"application/fhir+json","sigFormat":"application/jose","data":"{data}"}}]}}}}'
)
_SEAL = re.compile(rb'"sigFormat":"application/jose","data":"([A-Za-z0-9+/=]+)"\}\]\}\}\]\}')
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ", "x5c"})
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_PATHS: dict[str, type] = {
    "typ": str,
    "iss": str,
    "aud": str,
    "msg": str,
    "lines": list,
    "epoch": int,
    "src": dict,
    "aes": dict,
    "fhir": dict,
    "iat": str,
    "nva": str,
}


class Result(StrEnum):
    """What came of one check."""

    PASS = "pass"  # noqa: S105 - a word, no secret
    FAIL = "fail"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the checklist.

    Attributes:
        reason: stable code of the failure; empty otherwise.
        detail: what was found, without any content of the message.
    """

    number: int
    name: str
    result: Result
    reason: str = ""
    detail: str = ""

    def __str__(self) -> str:
        told = ": ".join(part for part in (self.reason, self.detail) if part)
        return f"{self.number:2}. {self.result.value:11} {self.name}{f' ({told})' if told else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole checklist.

    Attributes:
        manifest: what the seal states; None unless the signature is good.
        message: the bytes M that were verified; parse these and nothing else. None unless all of 1 to 12 passed.
    """

    checks: tuple[Check, ...]
    manifest: dict[str, object] | None = None
    message: bytes | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.reason

    @property
    def reason(self) -> str:
        """The stable code of the first failure; empty if there was none."""
        return next((check.reason for check in self.checks if check.result is Result.FAIL), "")

    def __str__(self) -> str:
        verdict = "The seal is good." if self.ok else f"NOT VERIFIED: {self.reason}"
        return "\n".join([*map(str, self.checks), verdict])


def verify(
    octets: bytes,
    anchors: Sequence[x509.Certificate],
    *,
    now: datetime,
    audience: str | None = None,
    rendered: bytes | None = None,
) -> Report:
    """Verify a sealed message.

    Args:
        octets: exactly what was received.
        anchors: the certificates trusted to vouch for a gateway's seal.
        now: the present moment, aware.
        audience: the reader's own ODS code; None leaves check 13 out.
        rendered: the bytes received in another format, where the message travelled beside them.

    Returns:
        The checklist; its text is the numbered list.

    Raises:
        Nothing: whatever the octets hold, the answer is a report.
    """
    return _Verification(octets, anchors, now=now, audience=audience, rendered=rendered).run()


def read_anchors(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read anchors from PEM; raises ValueError when there is none."""
    return tuple(x509.load_pem_x509_certificates(pem))


class _Failed(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _NotChecked(Exception):
    pass


class _Verification:
    """One run of the checklist; each step stores what the next ones need."""

    def __init__(
        self,
        octets: bytes,
        anchors: Sequence[x509.Certificate],
        *,
        now: datetime,
        audience: str | None,
        rendered: bytes | None,
    ) -> None:
        self._octets = octets
        self._anchors = tuple(anchors)
        self._now = now
        self._audience = audience
        self._rendered = rendered
        self._message = self._entry = self._token = self._signing_input = self._payload = self._signature = b""
        self._header: dict[str, object] = {}
        self._chain: tuple[x509.Certificate, ...] = ()
        self._manifest: dict[str, object] = {}
        self._bundle: dict[str, object] = {}

    def run(self) -> Report:
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("size and encoding", self._size),
            ("seal entry", self._cut),
            ("token form", self._token_form),
            ("algorithm", self._algorithm),
            ("key id", self._key_id),
            ("certificate chain", self._certificate_chain),
            ("key usage", self._key_usage),
            ("signature", self._check_signature),
            ("manifest", self._read_manifest),
            ("certificates in date", self._in_date),
            ("digest of the message", self._digest),
            ("seal entry unaltered", self._entry_unaltered),
            ("audience", self._check_audience),
            ("time", self._time),
            ("content agrees with the manifest", self._content),
            ("source bytes", self._source),
            ("prescriber's signature bytes", self._prescriber_signature),
            ("other format", self._other_format),
        )
        checks: list[Check] = []
        sound = True
        for number, (name, step) in enumerate(steps, 1):
            check = _run(number, name, step) if sound else Check(number=number, name=name, result=Result.NOT_CHECKED)
            checks.append(check)
            sound = sound and (check.result is not Result.FAIL or step in {self._check_audience, self._time})
        passed = sum(check.result is Result.PASS for check in checks[:12])
        return Report(
            checks=tuple(checks),
            manifest=self._manifest if checks[8].result is Result.PASS else None,
            message=self._message if passed == 12 else None,  # noqa: PLR2004 - checks 1 to 12
        )

    # 1. Size and encoding.
    def _size(self) -> str:
        if len(self._octets) > LIMIT:
            raise _Failed("TOO_LARGE", f"more than {LIMIT} octets")
        if self._octets.startswith(b"\xef\xbb\xbf"):
            raise _Failed("ENCODING_INVALID", "a byte order mark")
        try:
            self._octets.decode()
        except UnicodeDecodeError:
            raise _Failed("ENCODING_INVALID", "not UTF-8") from None
        return f"{len(self._octets)} octets"

    # 2. The seal entry. Its opening holds bare quotation marks, which no JSON string can: the last one is structure.
    def _cut(self) -> str:
        at = self._octets.rfind(_OPENING)
        found = _SEAL.search(self._octets, max(at, 0))
        if at < 0 or not found or found.end() != len(self._octets):
            raise _Failed("SEAL_MISSING", "the last entry is not a seal")
        self._message = self._octets[:at] + b"]}"
        self._entry = self._octets[at:-2]
        self._token = _decoded(found[1], b64decode, b64encode)
        return ""

    # 3. The token's form.
    def _token_form(self) -> str:
        parts = self._token.split(b".")
        if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
            raise _Failed("TOKEN_MALFORMED", "not a compact JWS")
        header, self._payload, self._signature = (_decoded(part, _unpadded, _base64url) for part in parts)
        self._header = _object(header, "TOKEN_MALFORMED")
        if set(self._header) != _HEADER_MEMBERS:
            raise _Failed("TOKEN_MALFORMED", "the header has other members than alg, kid, typ and x5c")
        self._signing_input = b".".join(parts[:2])
        return ""

    # 4. The algorithm.
    def _algorithm(self) -> str:
        if self._header["alg"] != "ES256" or self._header["typ"] != "hcgw-seal":
            raise _Failed("ALGORITHM_REFUSED", "only ES256 seals are accepted")
        return "ES256"

    # 5. The key.
    def _key_id(self) -> str:
        self._chain = _certificates(self._header["x5c"])
        key = self._key()
        numbers = key.public_numbers()
        x, y = (_base64url(number.to_bytes(32, "big")).decode() for number in (numbers.x, numbers.y))
        canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
        if self._header["kid"] != _base64url(hashlib.sha256(canonical.encode()).digest()).decode():
            raise _Failed("KEY_MISMATCH", "kid is not the thumbprint of the certificate's key")
        return f"kid {self._header['kid']}"

    def _key(self) -> ec.EllipticCurvePublicKey:
        key = self._chain[0].public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise _Failed("KEY_MISMATCH", "the certificate's key is not on P-256")
        return key

    # 6. The chain to an anchor. What the message brings along is never trusted for being there.
    def _certificate_chain(self) -> str:
        path = [self._chain[0]]
        rest = list(self._chain[1:])
        while path[-1] not in self._anchors:
            issuer = next((one for one in (*self._anchors, *rest) if one not in path and _issued(path[-1], one)), None)
            if issuer is None or len(path) > CHAIN_LIMIT:
                raise _Failed("CHAIN_UNTRUSTED", "the certificates lead to none of the anchors given")
            path.append(issuer)
        self._chain = tuple(path)
        return f"{len(path)} certificates"

    # 7. What the certificates are for.
    def _key_usage(self) -> str:
        leaf, *issuers = self._chain
        usage = _extension(leaf, x509.KeyUsage)
        if usage is None or not usage.digital_signature:
            raise _Failed("KEY_USAGE_WRONG", "the certificate is not for digital signatures")
        if _authority(leaf):
            raise _Failed("KEY_USAGE_WRONG", "the certificate is an authority's")
        for below, issuer in enumerate(issuers):
            signs = _extension(issuer, x509.KeyUsage)
            limits = _extension(issuer, x509.BasicConstraints)
            if not _authority(issuer) or (signs is not None and not signs.key_cert_sign):
                raise _Failed("KEY_USAGE_WRONG", "an issuer is no certificate authority")
            if limits is not None and limits.path_length is not None and limits.path_length < below:
                raise _Failed("KEY_USAGE_WRONG", "the chain is longer than an authority allows")
        return ""

    # 8. The signature. R and S are 32 octets each (RFC 7518 clause 3.4).
    def _check_signature(self) -> str:
        if len(self._signature) != 64:  # noqa: PLR2004 - as above
            raise _Failed("SIGNATURE_INVALID", "not 64 octets")
        r, s = (int.from_bytes(half, "big") for half in (self._signature[:32], self._signature[32:]))
        try:
            self._key().verify(encode_dss_signature(r, s), self._signing_input, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise _Failed("SIGNATURE_INVALID", "the signature is not the key's") from None
        return ""

    # 9. The manifest: the payload just verified.
    def _read_manifest(self) -> str:
        self._manifest = _object(self._payload, "MANIFEST_INVALID")
        if any(not isinstance(self._manifest.get(name), kind) for name, kind in _PATHS.items()):
            raise _Failed("MANIFEST_INVALID", "a member is missing or of the wrong type")
        if self._manifest["typ"] != "hcgw-seal/1":
            raise _Failed("MANIFEST_INVALID", "unknown type of manifest")
        self._moment("iat")
        self._moment("nva")
        return f"epoch {self._manifest['epoch']}"

    def _moment(self, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(str(self._manifest[name]))
        except ValueError:
            raise _Failed("MANIFEST_INVALID", f"{name} is not a time") from None
        if moment.tzinfo is None:
            raise _Failed("MANIFEST_INVALID", f"{name} has no zone")
        return moment

    def _member(self, group: str, name: str) -> object:
        inner = self._manifest[group]
        return inner.get(name) if isinstance(inner, dict) else None

    # 10. Certificates in date when the seal was made.
    def _in_date(self) -> str:
        made = self._moment("iat").astimezone(UTC)
        if any(not one.not_valid_before_utc <= made <= one.not_valid_after_utc for one in self._chain):
            raise _Failed("CERTIFICATE_OUT_OF_DATE", "a certificate was not valid when the seal was made")
        return ""

    # 11. The message's own digest.
    def _digest(self) -> str:
        if hashlib.sha256(self._message).hexdigest() != self._member("fhir", "sha256"):
            raise _Failed("DIGEST_MISMATCH", "the message is not the one that was sealed")
        return str(self._member("fhir", "sha256"))

    # 12. The entry itself lies outside M: it must be exactly what the sealed facts make it.
    def _entry_unaltered(self) -> str:
        message = str(self._manifest["msg"])
        expected = _ENTRY.format(
            seal=uuid.uuid5(_NAMESPACE, f"seal\x1f{message}"),
            message=message,
            moment=self._manifest["iat"],
            issuer=self._manifest["iss"],
            data=b64encode(self._token).decode(),
        )
        if self._entry != expected.encode():
            raise _Failed("ENTRY_ALTERED", "the seal entry differs from what was sealed")
        return ""

    # 13. Whom it is for.
    def _check_audience(self) -> str:
        if self._audience is None:
            raise _NotChecked
        if self._manifest["aud"] != self._audience:
            raise _Failed("AUDIENCE_WRONG", "the message is for another organisation")
        return str(self._manifest["aud"])

    # 14. When it may be acted on.
    def _time(self) -> str:
        if self._moment("iat") > self._now + SKEW:
            raise _Failed("SEALED_IN_FUTURE", f"sealed at {self._manifest['iat']}")
        if self._now > self._moment("nva"):
            raise _Failed("EXPIRED", f"not to be acted on after {self._manifest['nva']}")
        return f"until {self._manifest['nva']}"

    # 15. The content: the first time anything of M is parsed.
    def _content(self) -> str:
        self._bundle = _object(self._message, "CONTENT_INVALID")
        resources = self._resources()
        header = resources[0] if resources else {}
        if _at(self._bundle, "identifier", "value") != self._manifest["msg"]:
            raise _Failed("CONTENT_MISMATCH", "the message id differs")
        if _at(header, "destination", 0, "receiver", "identifier", "value") != self._manifest["aud"]:
            raise _Failed("CONTENT_MISMATCH", "the destination differs")
        orders = [one for one in resources if one.get("resourceType") == "MedicationRequest"]
        if [_at(order, "identifier", 0, "value") for order in orders] != self._manifest["lines"]:
            raise _Failed("CONTENT_MISMATCH", "the lines differ")
        return f"{len(orders)} lines"

    def _resources(self) -> list[dict[str, object]]:
        entries = self._bundle.get("entry")
        found = [_at(entry, "resource") for entry in entries] if isinstance(entries, list) else []
        return [one for one in found if isinstance(one, dict)]

    # 16. The trust's own bytes.
    def _source(self) -> str:
        sources = [one.get("data") for one in self._resources() if one.get("resourceType") == "Binary"]
        if not sources:
            raise _NotChecked
        if [_sha256_of_base64(one) for one in sources] != [self._member("src", "sha256")]:
            raise _Failed("SOURCE_MISMATCH", "the source bytes are not those that were received")
        return str(self._member("src", "sha256"))

    # 17. The prescriber's signature.
    def _prescriber_signature(self) -> str:
        kinds = (one for one in self._resources() if one.get("resourceType") == "Provenance")
        carried = [data for one in kinds if (data := _at(one, "signature", 0, "data")) is not None]
        stated = self._member("aes", "sha256")
        if not carried and not stated:
            raise _NotChecked
        if [_sha256_of_base64(one) for one in carried] != [stated]:
            raise _Failed("PRESCRIBER_SIGNATURE_MISMATCH", "it is not the signature that was received")
        return str(self._member("aes", "verdict"))

    # 18. Another format.
    def _other_format(self) -> str:
        if self._rendered is None:
            raise _NotChecked
        stated = self._manifest.get("rendered")
        if not isinstance(stated, dict) or stated.get("sha256") != hashlib.sha256(self._rendered).hexdigest():
            raise _Failed("RENDERED_MISMATCH", "the bytes are not those that were sealed")
        return ""


def _run(number: int, name: str, step: Callable[[], str]) -> Check:
    try:
        return Check(number=number, name=name, result=Result.PASS, detail=step())
    except _NotChecked:
        return Check(number=number, name=name, result=Result.NOT_CHECKED)
    except _Failed as failure:
        reason, detail = failure.reason, failure.detail
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        reason, detail = "UNREADABLE", "something in it cannot be read"
    return Check(number=number, name=name, result=Result.FAIL, reason=reason, detail=detail)


def _base64url(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


def _unpadded(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _decoded(text: bytes, decode: Callable[[bytes], bytes], encode: Callable[[bytes], bytes]) -> bytes:
    """Decode base64 that is in its only form: what it decodes to encodes to the same text."""
    try:
        octets = decode(text)
    except (Base64Error, ValueError):
        raise _Failed("TOKEN_MALFORMED", "not base64") from None
    if encode(octets) != text:
        raise _Failed("TOKEN_MALFORMED", "base64 in an unusual form")
    return octets


def _object(octets: bytes, reason: str) -> dict[str, object]:
    """Read a JSON object whose members are each named once."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise _Failed(reason, "a member is named twice")
        return members

    try:
        value = json.loads(octets, object_pairs_hook=once, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Failed(reason, "not strict JSON") from None
    if not isinstance(value, dict):
        raise _Failed(reason, "not a JSON object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _certificates(value: object) -> tuple[x509.Certificate, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= CHAIN_LIMIT:
        raise _Failed("TOKEN_MALFORMED", "x5c is not a list of certificates")
    try:
        found = tuple(x509.load_der_x509_certificate(b64decode(str(one), validate=True)) for one in value)
    except (Base64Error, ValueError):
        raise _Failed("TOKEN_MALFORMED", "x5c does not hold certificates") from None
    if any(b64encode(one.public_bytes(Encoding.DER)).decode() != text for one, text in zip(found, value, strict=True)):
        raise _Failed("TOKEN_MALFORMED", "x5c in an unusual form")
    return found


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and not isinstance(algorithm, _HASHES):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _authority(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _at(value: object, *path: str | int) -> object:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _sha256_of_base64(text: object) -> str:
    try:
        return hashlib.sha256(b64decode(str(text), validate=True)).hexdigest()
    except (Base64Error, ValueError):
        return "not base64"
