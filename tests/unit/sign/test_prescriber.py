"""The prescriber's signature: the S rows of reliability-security.md 4.2, with certificates made here."""

import base64
import copy
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identifiers import ProfessionalId, Register
from gateway.domain.prescription import PrescriberSignature
from gateway.domain.signature import SignatureReason, Standing
from gateway.sign.eps_digest import Algorithm
from gateway.sign.evidence import Evidence
from gateway.sign.prescriber import Report, Signed, verify
from tests.signers import (
    DS,
    NOW,
    SIGNED,
    Authority,
    Signer,
    curve_key,
    evidence,
    rsa_key,
    signature_element,
    signer,
    usage,
)
from tests.unit.translate.from_fhir.orders import message

R = SignatureReason
PRESCRIBER = (ProfessionalId(register=Register.GMC, value="C1234567"),)
ROOT = Authority()
GOOD = signer(ROOT)
EVIDENCE = evidence(ROOT)
XML = b'<?xml version="1.0"?>\n<m:Order xmlns:m="urn:x"><m:Dose unit="mg">5.00</m:Dose>\n</m:Order>\n'
BUNDLE = message()
for _entry in BUNDLE["entry"]:
    if _entry["resource"]["resourceType"] == "Organization":
        _entry["resource"].setdefault(
            "address", [{"use": "work", "line": ["1 Example Street"], "postalCode": "TA1 1AA"}]
        )
        _entry["resource"].setdefault("telecom", [{"system": "phone", "value": "01234567890", "use": "work"}])


def check(
    form: str,
    data: bytes,
    *,
    octets: bytes = b"",
    bundle: Any = None,
    when: datetime | None = SIGNED,
    by: Evidence = EVIDENCE,
    now: datetime = NOW,
    prescriber: tuple[ProfessionalId, ...] = PRESCRIBER,
) -> Report:
    signature = PrescriberSignature(format=form, data=data, when=when)
    signed = Signed(signature=signature, octets=octets, bundle=bundle, prescriber=prescriber, received_at=now)
    return verify(signed, by)


def eps(who: Signer = GOOD, when: datetime = SIGNED, **change: Any) -> Report:
    return check("xmldsig-eps", who.eps(BUNDLE, when), **({"bundle": BUNDLE, "when": when} | change))


def xml(document: bytes, **change: Any) -> Report:
    return check("xmldsig", b"", octets=document, when=None, **change)


def assert_is(report: Report, standing: Standing, reason: SignatureReason | None) -> None:
    assert (report.verdict.standing, report.verdict.reason) == (standing, reason), str(report)


# Valid, in every form.


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(eps, id="EPS"),
        pytest.param(lambda: xml(GOOD.enveloped(XML)), id="enveloped, RSA"),
        pytest.param(lambda: xml(signer(ROOT, key=curve_key(2)).enveloped(XML)), id="enveloped, P-256"),
        pytest.param(lambda: check("jws", GOOD.jws(b"x"), octets=b"x", when=None), id="JWS, RSA"),
        pytest.param(
            lambda: check("jws", signer(ROOT, key=curve_key(2)).jws(b"x"), octets=b"x", when=None), id="JWS, P-256"
        ),
        pytest.param(
            lambda: check("jws", GOOD.jws(b"x", b64=False, crit=["b64"]), octets=b"x", when=None), id="JWS, as it is"
        ),
        pytest.param(
            lambda: check("jws", GOOD.jws(b"x", iat=int(SIGNED.timestamp())), octets=b"x"), id="JWS with its time"
        ),
    ],
)
def test_a_good_signature_is_valid(report: Callable[[], Report]) -> None:
    found = report()
    assert_is(found, Standing.VALID, None)
    assert [step.number for step in found.steps] == list(range(1, 12))
    assert found.verdict.words == "valid"


# S07: what is covered.


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*path, index))]
    return [path]


CLINICAL = re.compile(r"dosageInstruction/0/text$|quantity/value$|medicationCodeableConcept/coding/0/(code|display)$")


@pytest.mark.parametrize(
    "path", [path for path in leaves(BUNDLE) if CLINICAL.search("/".join(map(str, path)))], ids=lambda p: str(p[-3:])
)
def test_a_changed_dose_quantity_or_drug_breaks_the_eps_signature(path: tuple[Any, ...]) -> None:
    other = copy.deepcopy(BUNDLE)
    inner: Any = other
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = 7 if isinstance(inner[path[-1]], int | float) else f"{inner[path[-1]]}1"
    assert_is(eps(bundle=other), Standing.INVALID, R.DIGEST_MISMATCH)


def test_the_signature_of_another_prescription_is_invalid() -> None:
    other = copy.deepcopy(BUNDLE)
    text = str(other)
    assert "identifier" in text
    for entry in other["entry"]:
        if entry["resource"]["resourceType"] == "MedicationRequest":
            extension = entry["resource"]["groupIdentifier"]["extension"][0]
            extension["valueIdentifier"]["value"] = "00000000-0000-4000-8000-00000000ffff"
    assert_is(eps(bundle=other), Standing.INVALID, R.DIGEST_MISMATCH)


def test_the_stated_time_is_part_of_what_is_signed() -> None:
    data = GOOD.eps(BUNDLE, SIGNED)
    later = SIGNED + timedelta(seconds=1)
    assert_is(check("xmldsig-eps", data, bundle=BUNDLE, when=later), Standing.INVALID, R.DIGEST_MISMATCH)
    assert_is(check("xmldsig-eps", data, bundle=BUNDLE, when=None), Standing.INVALID, R.TIME_MISMATCH)


def test_a_time_stated_beside_a_jws_must_be_the_one_in_it() -> None:
    data = GOOD.jws(b"x", iat=int(SIGNED.timestamp()))
    assert_is(check("jws", data, octets=b"x", when=NOW), Standing.INVALID, R.TIME_MISMATCH)


def test_a_time_in_the_future_is_invalid() -> None:
    assert_is(eps(when=NOW + timedelta(minutes=6)), Standing.INVALID, R.SIGNED_IN_FUTURE)


# S01, S02, S03, S04: the form.

INNER = GOOD.enveloped(XML)
SIGNATURE = INNER[INNER.index(b"<Signature") : INNER.index(b"</Signature>") + 12]
FORGED = b'<m:Order xmlns:m="urn:x"><m:Dose unit="mg">50.0</m:Dose>\n'


def within(outer: bytes) -> bytes:
    return FORGED + outer + b"</m:Order>"


ORIGINAL = XML[XML.index(b"<m:Order") :]
XSW = {
    "the signed copy beside the forged": within(ORIGINAL + SIGNATURE),
    "the signed copy before its signature": within(b"<w>" + ORIGINAL + SIGNATURE + b"</w>"),
    "the signed copy inside the signature": within(
        SIGNATURE.replace(b"</Signature>", b"<Object>" + ORIGINAL + b"</Object></Signature>")
    ),
    "the whole signed document inside": within(INNER[INNER.index(b"<m:Order") :]),
    "the forged in a wrapper": b"<w>" + FORGED + b"</m:Order>" + INNER[INNER.index(b"<m:Order") :] + b"</w>",
    "two signatures": INNER.replace(b"</m:Order>", SIGNATURE + b"</m:Order>"),
    "a signature in the forged": within(SIGNATURE),
    "the signature deeper": INNER.replace(SIGNATURE, b"<w>" + SIGNATURE + b"</w>"),
    "by id": within(ORIGINAL.replace(b"<m:Order", b'<m:Order Id="o"', 1) + SIGNATURE.replace(b'URI=""', b'URI="#o"')),
}


@pytest.mark.parametrize("document", XSW.values(), ids=XSW.keys())
def test_a_wrapped_signature_is_refused(document: bytes) -> None:
    assert xml(document).verdict.standing is Standing.INVALID


C14N = b"http://www.w3.org/2001/10/xml-exc-c14n#"
METHOD = b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
FORMS: dict[str, tuple[Callable[[bytes], bytes], set[SignatureReason]]] = {
    "S02 an XPath transform": (
        lambda o: o.replace(
            b'Transform Algorithm="' + C14N, b'Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath'
        ),
        {R.ALGORITHM_REFUSED},
    ),
    "S02 a transform with content": (
        lambda o: o.replace(b"</Transform></Transforms>", b"<XPath>1</XPath></Transform></Transforms>"),
        {R.MALFORMED},
    ),
    "S02 an external URI": (lambda o: o.replace(b"<Reference", b'<Reference URI="http://x/"', 1), {R.MALFORMED}),
    "S02 two References": (
        lambda o: re.sub(rb"(<Reference.*</Reference>)", rb"\1\1", o),
        {R.MALFORMED},
    ),
    "S02 ten thousand References": (
        lambda o: o.replace(b"</SignedInfo>", b"<Reference/>" * 10_000 + b"</SignedInfo>"),
        {R.MALFORMED},
    ),
    "S03 no method": (lambda o: o.replace(b' Algorithm="' + METHOD + b'"', b""), {R.ALGORITHM_REFUSED}),
    "S03 an empty method": (lambda o: o.replace(METHOD, b""), {R.ALGORITHM_REFUSED}),
    "S03 HMAC": (lambda o: o.replace(METHOD, DS.encode() + b"hmac-sha1"), {R.ALGORITHM_REFUSED}),
    "S03 RSA with SHA-1": (lambda o: o.replace(METHOD, DS.encode() + b"rsa-sha1"), {R.ALGORITHM_REFUSED}),
    "S03 RSA with MD5": (
        lambda o: o.replace(METHOD, b"http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        {R.ALGORITHM_REFUSED},
    ),
    "S03 a digest of SHA-1": (
        lambda o: o.replace(b"http://www.w3.org/2001/04/xmlenc#sha256", DS.encode() + b"sha1"),
        {R.ALGORITHM_REFUSED},
    ),
    "S04 a KeyValue": (lambda o: o.replace(b"<KeyInfo>", b"<KeyInfo><KeyValue/>"), {R.MALFORMED}),
    "S04 a RetrievalMethod": (
        lambda o: o.replace(b"<KeyInfo>", b'<KeyInfo><RetrievalMethod URI="http://x/"/>'),
        {R.MALFORMED},
    ),
    "S04 two certificates": (
        lambda o: re.sub(rb"(<X509Certificate>.*</X509Certificate>)", rb"\1\1", o),
        {R.MALFORMED},
    ),
    "S04 PEM armour": (
        lambda o: o.replace(b"<X509Certificate>", b"<X509Certificate>-----BEGIN CERTIFICATE-----"),
        {R.MALFORMED},
    ),
    "S04 no certificate": (lambda o: re.sub(rb"<KeyInfo>.*</KeyInfo>", b"", o), {R.MALFORMED}),
    "S08 another canonical form": (
        lambda o: o.replace(C14N, b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        {R.ALGORITHM_REFUSED},
    ),
    "S08 a comment": (lambda o: o.replace(b"<SignatureValue>", b"<!-- x --><SignatureValue>"), {R.MALFORMED}),
    "S08 white space in SignedInfo": (lambda o: o.replace(b"<Reference", b" <Reference", 1), {R.SIGNATURE_WRONG}),
    "words": (lambda o: o.replace(b"<KeyInfo>", b"x<KeyInfo>"), {R.MALFORMED}),
    "a bare SignedInfo": (lambda o: o[o.index(b"<SignedInfo") : o.index(b"<SignatureValue")], {R.MALFORMED}),
    "an empty value": (lambda o: re.sub(rb"(<SignatureValue>).*(</Sig)", rb"\1\2", o, count=1), {R.MALFORMED}),
    "a DOCTYPE": (lambda o: b"<!DOCTYPE a>" + o, {R.MALFORMED}),
    "not XML": (lambda _: b"MIIB", {R.MALFORMED}),
    "nothing": (lambda _: b"", {R.MALFORMED}),
}


@pytest.mark.parametrize(("change", "reasons"), FORMS.values(), ids=FORMS.keys())
def test_a_signature_in_any_other_form_is_invalid(
    change: Callable[[bytes], bytes], reasons: set[SignatureReason]
) -> None:
    data = GOOD.eps(BUNDLE, SIGNED)
    other = change(data)
    assert other != data
    report = check("xmldsig-eps", other, bundle=BUNDLE)
    assert report.verdict.standing is Standing.INVALID
    assert report.verdict.reason in reasons, str(report)


def test_sha_1_is_never_accepted_and_shown_as_such() -> None:
    data = GOOD.eps(BUNDLE, SIGNED, Algorithm.RS1)
    report = check("xmldsig-eps", data, bundle=BUNDLE)
    assert_is(report, Standing.INVALID, R.ALGORITHM_REFUSED)
    assert "SHA-1" in report.verdict.words


# S08: octets changed.


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.replace(b"5.00", b"5.0"),
        lambda o: o.replace(b"5.00", b"5<!-- -->.00"),
        lambda o: o.replace(b'unit="mg"', b'unit="mcg"'),
        lambda o: o.replace(b"</m:Dose>\n", b"</m:Dose>"),
        lambda o: o.replace(b"<m:Dose", b"<?x?><m:Dose"),
        lambda o: o.replace(b"<m:Dose", b'<m:Dose xmlns:evil="urn:e" evil:x="1"'),
    ],
    ids=["a digit", "a comment", "an attribute", "white space", "an instruction", "an injected namespace"],
)
def test_an_enveloped_document_changed_after_signing_is_invalid(change: Callable[[bytes], bytes]) -> None:
    assert change(INNER) != INNER
    assert xml(change(INNER)).verdict.standing is Standing.INVALID


@pytest.mark.parametrize("octets", [b"a\nb", b"a\r\nb", b"\xef\xbb\xbfa\rb", b"", b"a\rb "])
def test_a_detached_signature_is_over_the_very_octets(octets: bytes) -> None:
    assert_is(check("jws", GOOD.jws(b"a\rb"), octets=octets, when=None), Standing.INVALID, R.SIGNATURE_WRONG)


@given(place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_no_byte_of_an_eps_signature_may_be_flipped(place: int, flip: int) -> None:
    data = bytearray(GOOD.eps(BUNDLE, SIGNED))
    data[place % len(data)] ^= flip
    report = check("xmldsig-eps", bytes(data), bundle=BUNDLE)
    if report.verdict.standing is Standing.VALID:  # white space between tags, or base64 with another white space
        assert re.sub(rb"\s", b"", bytes(data)) == GOOD.eps(BUNDLE, SIGNED)
    else:
        assert report.verdict.standing is Standing.INVALID


# JWS headers (TK01, TK02).


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"alg": "none"}, R.ALGORITHM_REFUSED),
        ({"alg": "None"}, R.ALGORITHM_REFUSED),
        ({"alg": "HS256"}, R.ALGORITHM_REFUSED),
        ({"alg": "RS1"}, R.ALGORITHM_REFUSED),
        ({"alg": None}, R.ALGORITHM_REFUSED),
        ({"alg": "ES256"}, R.ALGORITHM_REFUSED),
        ({"alg": "PS256"}, R.SIGNATURE_WRONG),
        ({"jku": "https://example.org/"}, R.MALFORMED),
        ({"x5u": "https://example.org/"}, R.MALFORMED),
        ({"jwk": {"kty": "RSA"}}, R.MALFORMED),
        ({"x5c": None}, R.MALFORMED),
        ({"x5c": []}, R.MALFORMED),
        ({"x5c": ["!"]}, R.MALFORMED),
        ({"x5c": ["AAAA"]}, R.MALFORMED),
        ({"crit": ["exp"]}, R.MALFORMED),
        ({"crit": ["b64"]}, R.MALFORMED),
        ({"b64": False}, R.MALFORMED),
        ({"sigT": "2026-10-05T09:10:00"}, R.MALFORMED),
        ({"iat": "soon"}, R.MALFORMED),
    ],
)
def test_a_jws_header_that_is_not_accepted(members: dict[str, Any], reason: SignatureReason) -> None:
    assert_is(check("jws", GOOD.jws(b"x", **members), octets=b"x", when=None), Standing.INVALID, reason)


@pytest.mark.parametrize("data", [b"", b"a.b.c", b"a..", b"..", b"e30=..AA", b'{"a":1}', b"a" * 200_000])
def test_what_is_no_detached_jws(data: bytes) -> None:
    assert_is(check("jws", data, octets=b"x", when=None), Standing.INVALID, R.MALFORMED)


# S05: keys that may not sign.

OTHER = Authority(key=curve_key(9))
MIDDLE = Authority(name="Middle", key=curve_key(3), parent=ROOT)
SHORT = Authority(name="Short", key=curve_key(4), path_length=0)
BELOW_SHORT = Authority(name="Below", key=curve_key(5), parent=SHORT)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        pytest.param(lambda: signer(ROOT, "GMC:7654321 OTHER"), R.SIGNER_DIFFERS, id="another prescriber"),
        pytest.param(lambda: signer(OTHER), R.CHAIN_UNTRUSTED, id="another authority of the same name"),
        pytest.param(
            lambda: signer(ROOT, usage=usage(digital_signature=True), purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
            R.KEY_USAGE_WRONG,
            id="a server's certificate",
        ),
        pytest.param(
            lambda: signer(ROOT, usage=usage(digital_signature=True), purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
            R.KEY_USAGE_WRONG,
            id="a connection's certificate",
        ),
        pytest.param(lambda: signer(ROOT, usage=usage(key_encipherment=True)), R.KEY_USAGE_WRONG, id="for encryption"),
        pytest.param(lambda: signer(ROOT, usage=None), R.KEY_USAGE_WRONG, id="for nothing stated"),
        pytest.param(lambda: signer(ROOT, ca=True), R.KEY_USAGE_WRONG, id="an authority"),
        pytest.param(
            lambda: signer(ROOT, critical=x509.NameConstraints([x509.DNSName("example.org")], None)),
            R.KEY_USAGE_WRONG,
            id="a condition that is not understood",
        ),
        pytest.param(lambda: signer(ROOT, key=rsa_key(6, 1024)), R.KEY_REFUSED, id="a short key"),
        pytest.param(lambda: signer(BELOW_SHORT), R.KEY_USAGE_WRONG, id="a chain that is too long"),
    ],
)
def test_a_key_that_may_not_sign(who: Callable[[], Signer], reason: SignatureReason) -> None:
    by = evidence(ROOT, anchors=(ROOT.made, SHORT.made), intermediates=(BELOW_SHORT.made,))
    assert_is(eps(who(), by=by), Standing.INVALID, reason)


def test_a_chain_through_a_configured_intermediate_is_valid() -> None:
    by = evidence(ROOT, ROOT.crl(), MIDDLE.crl(), intermediates=(MIDDLE.made,))
    assert_is(eps(signer(MIDDLE), by=by), Standing.VALID, None)
    assert_is(eps(signer(MIDDLE)), Standing.INVALID, R.CHAIN_UNTRUSTED)


@pytest.mark.parametrize(
    ("common", "numbers", "standing", "reason"),
    [
        ("555253521108_RANDOM", {Register.SDS_USER: "555253521108"}, Standing.VALID, None),
        ("555253521108_RANDOM", {Register.SDS_USER: "555253521109"}, Standing.INVALID, R.SIGNER_DIFFERS),
        ("555253521108_RANDOM", {Register.GMC: "C1234567"}, Standing.UNVERIFIABLE, R.SIGNER_NOT_COMPARABLE),
        ("GMC 1234567", {Register.GMC: "C1234567"}, Standing.VALID, None),
        ("Dr A Example", {Register.GMC: "C1234567"}, Standing.VALID, None),
    ],
)
def test_the_signer_is_the_prescriber_where_the_certificate_says(
    common: str, numbers: dict[Register, str], standing: Standing, reason: SignatureReason | None
) -> None:
    prescriber = tuple(ProfessionalId(register=register, value=value) for register, value in numbers.items())
    assert_is(eps(signer(ROOT, common), prescriber=prescriber), standing, reason)


# S06: dates.


@pytest.mark.parametrize(
    ("start", "end", "standing", "reason"),
    [
        (-timedelta(days=9), timedelta(days=9), Standing.VALID, None),
        (-timedelta(days=9), timedelta(minutes=3), Standing.UNVERIFIABLE, R.TIME_ONLY_CLAIMED),
        (-timedelta(days=9), -timedelta(minutes=1), Standing.INVALID, R.OUT_OF_DATE),
        (timedelta(minutes=1), timedelta(days=9), Standing.INVALID, R.OUT_OF_DATE),
    ],
    ids=["in date", "ended between signing and receipt", "ended before signing", "not begun"],
)
def test_certificates_are_in_date_when_signed(
    start: timedelta, end: timedelta, standing: Standing, reason: SignatureReason | None
) -> None:
    assert_is(eps(signer(ROOT, start=SIGNED + start, end=SIGNED + end)), standing, reason)


# S09: revocation.

BEFORE, SINCE = SIGNED - timedelta(days=1), SIGNED + timedelta(minutes=2)
COMPROMISED, RETIRED = x509.ReasonFlags.key_compromise, x509.ReasonFlags.affiliation_changed
RESPONDER_KEY = curve_key(7)


def responder(authority: Authority = ROOT, **change: Any) -> tuple[x509.Certificate, Any]:
    stated: dict[str, Any] = {"usage": usage(digital_signature=True), "purposes": [ExtendedKeyUsageOID.OCSP_SIGNING]}
    made = signer(authority, "Responder", RESPONDER_KEY, **(stated | change))
    return made.certificate, RESPONDER_KEY


C = GOOD.certificate
STALE = NOW - timedelta(hours=25)
REVOCATION: dict[str, tuple[Callable[[], dict[str, Any]], Standing, SignatureReason | None]] = {
    "a fresh list": (lambda: {"crls": (ROOT.crl(),)}, Standing.VALID, None),
    "a fresh answer": (lambda: {"crls": (), "answers": (ROOT.answer(C),)}, Standing.VALID, None),
    "an appointed responder": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, responder=responder()),)},
        Standing.VALID,
        None,
    ),
    "nothing": (lambda: {"crls": ()}, Standing.UNVERIFIABLE, R.REVOCATION_UNKNOWN),
    "an old list": (
        lambda: {"crls": (ROOT.crl(at=STALE),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_STALE,
    ),
    "a list past its end": (
        lambda: {"crls": (ROOT.crl(until=NOW - timedelta(seconds=1)),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_STALE,
    ),
    "a list of the future": (
        lambda: {"crls": (ROOT.crl(at=NOW + timedelta(hours=1)),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_STALE,
    ),
    "an old answer": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, at=STALE),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_STALE,
    ),
    "an answer without an end": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, until=None),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_STALE,
    ),
    "a list signed by another": (
        lambda: {"crls": (ROOT.crl(key=curve_key(9)),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "a list of authorities only": (
        lambda: {"crls": (ROOT.crl(part=x509.IssuingDistributionPoint(None, None, False, True, None, False, False)),)},  # noqa: FBT003 - the library's order
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "an answer by another authority": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, responder=(OTHER.made, OTHER.key)),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "a responder that was not appointed": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, responder=responder(purposes=())),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "a responder of another authority": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, responder=responder(OTHER)),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "an answer about another": (
        lambda: {"crls": (), "answers": (ROOT.answer(signer(ROOT).certificate),)},
        Standing.UNVERIFIABLE,
        R.REVOCATION_UNKNOWN,
    ),
    "revoked before": (lambda: {"crls": (ROOT.crl((C, BEFORE, None)),)}, Standing.INVALID, R.REVOKED),
    "revoked before, in an old list": (
        lambda: {"crls": (ROOT.crl((C, BEFORE, None), at=STALE),)},
        Standing.INVALID,
        R.REVOKED,
    ),
    "revoked before, in one of two": (
        lambda: {"crls": (ROOT.crl(), ROOT.crl((C, BEFORE, None)))},
        Standing.INVALID,
        R.REVOKED,
    ),
    "compromised since": (lambda: {"crls": (ROOT.crl((C, SINCE, COMPROMISED)),)}, Standing.INVALID, R.REVOKED),
    "retired since": (
        lambda: {"crls": (ROOT.crl((C, SINCE, RETIRED)),)},
        Standing.UNVERIFIABLE,
        R.REVOKED_SINCE,
    ),
    "revoked by an answer": (
        lambda: {"crls": (), "answers": (ROOT.answer(C, revoked=BEFORE),)},
        Standing.INVALID,
        R.REVOKED,
    ),
    "no anchors": (lambda: {"anchors": ()}, Standing.UNVERIFIABLE, R.NO_ANCHORS),
}


@pytest.mark.parametrize(("change", "standing", "reason"), REVOCATION.values(), ids=REVOCATION.keys())
def test_revocation_by_supplied_evidence(
    change: Callable[[], dict[str, Any]], standing: Standing, reason: SignatureReason | None
) -> None:
    stated: dict[str, Any] = {"anchors": (ROOT.made,)} | change()
    assert_is(eps(by=Evidence(**stated)), standing, reason)


def test_a_revoked_authority_revokes_what_it_issued() -> None:
    by = evidence(ROOT, ROOT.crl((MIDDLE.made, BEFORE, None)), MIDDLE.crl(), intermediates=(MIDDLE.made,))
    assert_is(eps(signer(MIDDLE), by=by), Standing.INVALID, R.REVOKED)


def test_an_authority_without_evidence_makes_it_unverifiable() -> None:
    by = evidence(ROOT, MIDDLE.crl(), intermediates=(MIDDLE.made,))
    assert_is(eps(signer(MIDDLE), by=by), Standing.UNVERIFIABLE, R.REVOCATION_UNKNOWN)


def test_what_is_wrong_outweighs_what_is_not_known() -> None:
    who = signer(ROOT, "GMC:7654321 OTHER")
    assert_is(eps(who, by=evidence(ROOT, crls=())), Standing.INVALID, R.SIGNER_DIFFERS)


@pytest.mark.parametrize(
    ("form", "reason"), [("pgp", R.FORMAT_UNKNOWN), ("xmldsig-eps", R.CONTENT_ABSENT)], ids=["form", "no order"]
)
def test_what_cannot_be_looked_at_is_not_verified(form: str, reason: SignatureReason) -> None:
    report = check(form, b"x")
    assert_is(report, Standing.UNVERIFIABLE, reason)
    assert report.verdict.words.startswith("carried, could not be verified: ")


def test_the_report_is_a_numbered_list() -> None:
    lines = str(eps()).splitlines()
    assert [line[:2].strip() for line in lines[:-1]] == [str(number) for number in range(1, 12)]
    assert lines[-1] == "valid"


def test_a_signature_over_another_signers_certificate_is_wrong() -> None:
    data = GOOD.eps(BUNDLE, SIGNED)
    other = signer(ROOT, key=rsa_key(8))
    swapped = data.replace(base64.b64encode(GOOD.der), base64.b64encode(other.der))
    assert_is(check("xmldsig-eps", swapped, bundle=BUNDLE), Standing.INVALID, R.SIGNATURE_WRONG)
    assert signature_element("", GOOD.value(b"", hashes.SHA256()), GOOD.der)
