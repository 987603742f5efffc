"""The seal and its stand-alone verifier."""

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.message import FhirMessage, SealedMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import PrescriberSignature, Prescription
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.domain.trace import TraceRow
from gateway.ports.sealer import SealFacts
from gateway.sign import seal as seal_module
from gateway.sign import verify as verify_module
from gateway.sign.seal import Seal
from gateway.sign.verify import Report, Result, read_anchors, verify
from gateway.store import keys as key_files
from gateway.store.keys import KeyRing, load_or_make
from gateway.translate.to_fhir.message import write
from tests.factories import MOMENT, prescription

GATEWAY = OdsCode("HCGW1")
SOURCE = b"MSH|^~\\&|EPMA|RBA\rPID|1\r"


@cache
def keys() -> KeyRing:
    return load_or_make(Path(mkdtemp()), development=True, now=MOMENT)


def written(value: Prescription | None = None) -> FhirMessage:
    return write(
        value or prescription(),
        submission=Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=SOURCE, received_at=MOMENT),
        envelope=Envelope(format=WireFormat.HL7V2, control_id="S01-0001", system="EPMA"),
        trace=[
            TraceRow(target=target, source="", rule="r", transform="copy", raw="", result="")
            for target in (
                "id", "number", "group_number", "patient", "prescriber", "authored", "type_code", "course", "lines",
                "homecare", "signature",
            )
        ],
        provider=Provider(
            ods=OdsCode("VNE51"), name="Example Homecare", environment=Environment.TEST, adapter="sandbox", endpoint=""
        ),
        environment=Environment.TEST,
        organisation=GATEWAY,
        reference_release="simulation-2026-11",
    )  # fmt: skip


def facts(**change: object) -> SealFacts:
    submission = Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=SOURCE, received_at=MOMENT)
    known = SealFacts(
        originator=OdsCode("RBA"),
        source_type="application/hl7-v2",
        source_digest=submission.digest,
        control_id="S01-0001",
        received_at=MOMENT,
        epoch=1,
        not_valid_after=MOMENT + timedelta(days=180),
        map_version="2026.11.1",
        reference_release="simulation-2026-11",
    )
    return replace(known, **change)  # type: ignore[arg-type]


@cache
def sealed() -> SealedMessage:
    return keys().seal(GATEWAY).seal(written(), facts())


def checked(octets: bytes, *, now: datetime = MOMENT, audience: str | None = "VNE51") -> Report:
    return verify(octets, keys().anchors, now=now, audience=audience)


def test_a_sealed_message_verifies_and_gives_back_the_bytes_that_were_written() -> None:
    report = checked(sealed().body)
    assert report.ok, str(report)
    assert report.message == written().body
    assert report.manifest is not None
    assert report.manifest["msg"] == str(sealed().id)


def test_the_sealed_message_is_the_message_with_one_more_entry() -> None:
    before, after = json.loads(written().body), json.loads(sealed().body)
    assert after["entry"][:-1] == before["entry"]
    assert after["entry"][-1]["resource"]["resourceType"] == "Provenance"
    assert after["entry"][-1]["fullUrl"] == f"urn:uuid:{derived_id('seal', str(sealed().id))}"


def test_sealing_again_gives_the_same_bytes() -> None:
    assert keys().seal(GATEWAY).seal(written(), facts()).body == sealed().body


@settings(max_examples=400, deadline=None)
@given(at=st.integers(min_value=0, max_value=len(sealed().body) - 1), bit=st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_breaks_the_seal(at: int, bit: int) -> None:
    octets = bytearray(sealed().body)
    octets[at] ^= 1 << bit
    assert not checked(bytes(octets)).ok


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_get_a_report(octets: bytes) -> None:
    assert not checked(octets).ok


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        pytest.param(lambda body: body + b"\n", "SEAL_MISSING", id="a byte after the end"),
        pytest.param(lambda body: b"\xef\xbb\xbf" + body, "ENCODING_INVALID", id="a byte order mark"),
        pytest.param(lambda _: written().body, "SEAL_MISSING", id="no seal"),
        pytest.param(
            lambda body: body.replace(b'"value":4,', b'"value":40,'), "DIGEST_MISMATCH", id="another quantity"
        ),
        pytest.param(lambda body: body.replace(b'"when":"2026', b'"when":"2025'), "ENTRY_ALTERED", id="another time"),
        pytest.param(lambda body: b"{" + body[1:].replace(b'","', b'", "', 1), "DIGEST_MISMATCH", id="a blank"),
    ],
)
def test_a_changed_message_is_refused_for_the_right_reason(octets: object, reason: str) -> None:
    changed = octets(sealed().body)  # type: ignore[operator]
    assert changed != sealed().body
    assert checked(changed).reason == reason


def _with_token(change: object) -> bytes:
    found = re.search(rb'"data":"([^"]+)"\}\]\}\}\]\}$', sealed().body)
    assert found is not None
    header, payload, signature = b64decode(found[1]).split(b".")
    token = b".".join(change(header, payload, signature))  # type: ignore[operator]
    return sealed().body[: found.start(1)] + b64encode(token) + sealed().body[found.end(1) :]


def _header(header: bytes, **change: object) -> bytes:
    members = {**json.loads(urlsafe_b64decode(header + b"==")), **change}
    return urlsafe_b64encode(json.dumps({k: v for k, v in members.items() if v is not None}).encode()).rstrip(b"=")


def _last(text: bytes) -> bytes:
    """Change the unused bits of the last character: another text for the same octets."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + bytes([alphabet[alphabet.index(text[-1]) ^ 1]])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda h, p, _: (_header(h, alg="none"), p, b""), "ALGORITHM_REFUSED", id="no algorithm"),
        pytest.param(lambda h, p, s: (_header(h, alg="HS256"), p, s), "ALGORITHM_REFUSED", id="a keyed hash"),
        pytest.param(lambda h, p, s: (_header(h, typ="JWT"), p, s), "ALGORITHM_REFUSED", id="another type of token"),
        pytest.param(lambda h, p, s: (_header(h, jku="https://evil"), p, s), "TOKEN_MALFORMED", id="a key address"),
        pytest.param(lambda h, p, s: (_header(h, crit=["b64"]), p, s), "TOKEN_MALFORMED", id="a critical member"),
        pytest.param(lambda h, p, s: (_header(h, x5c=[]), p, s), "TOKEN_MALFORMED", id="no certificate"),
        pytest.param(lambda h, p, s: (_header(h, x5c=["AAAA"]), p, s), "TOKEN_MALFORMED", id="no real certificate"),
        pytest.param(lambda h, p, s: (_header(h, kid="x"), p, s), "KEY_MISMATCH", id="another key id"),
        pytest.param(lambda h, p, s: (_header(h), p, s), "SIGNATURE_INVALID", id="the header written otherwise"),
        pytest.param(lambda h, p, s: (h, p, _last(s)), "TOKEN_MALFORMED", id="unused bits of the signature"),
        pytest.param(lambda h, p, s: (h, p, s[:-2]), "SIGNATURE_INVALID", id="a short signature"),
        pytest.param(lambda h, p, _: (h, p, b"A" * 86), "SIGNATURE_INVALID", id="a signature of noughts"),
    ],
)
def test_a_changed_token_is_refused_for_the_right_reason(change: object, reason: str) -> None:
    assert checked(_with_token(change)).reason == reason


def test_a_seal_of_an_unknown_authority_is_refused() -> None:
    stranger = load_or_make(Path(mkdtemp()), development=True, now=MOMENT)
    report = verify(sealed().body, stranger.anchors, now=MOMENT)
    assert report.reason == "CHAIN_UNTRUSTED"
    assert report.message is None


def test_a_seal_made_with_a_certificate_out_of_date_is_refused() -> None:
    late = facts(received_at=MOMENT + timedelta(days=800), not_valid_after=MOMENT + timedelta(days=900))
    body = keys().seal(GATEWAY).seal(written(), late).body
    assert checked(body, now=MOMENT + timedelta(days=801)).reason == "CERTIFICATE_OUT_OF_DATE"


def _sealed_under(*, leaf_is_authority: bool = False, issuer_is_authority: bool = True) -> Report:
    """Seal with a certificate issued by another that may or may not issue, and verify with that one as the anchor."""
    issuer_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = key_files._name("Issuer")
    issuer = key_files._certificate(
        "Issuer", issuer_key.public_key(), name, issuer_key, MOMENT, authority=issuer_is_authority
    )
    leaf = key_files._certificate("Leaf", leaf_key.public_key(), name, issuer_key, MOMENT, authority=leaf_is_authority)
    body = Seal(leaf_key, [leaf], GATEWAY).seal(written(), facts()).body
    return verify(body, [issuer], now=MOMENT)


def test_only_a_signing_certificate_of_an_authority_may_seal() -> None:
    assert _sealed_under().ok
    assert _sealed_under(leaf_is_authority=True).reason == "KEY_USAGE_WRONG"
    assert _sealed_under(issuer_is_authority=False).reason == "KEY_USAGE_WRONG"


def test_a_certificate_that_is_itself_an_anchor_is_trusted() -> None:
    assert verify(sealed().body, keys().chain, now=MOMENT).ok


def test_a_message_for_somebody_else_is_told_and_the_rest_still_checked() -> None:
    report = checked(sealed().body, audience="VNCEL")
    assert report.reason == "AUDIENCE_WRONG"
    assert report.checks[14].result is Result.PASS


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (MOMENT + timedelta(days=181), "EXPIRED"),
        (MOMENT - timedelta(minutes=6), "SEALED_IN_FUTURE"),
        (MOMENT - timedelta(minutes=4), ""),
    ],
)
def test_the_time_of_a_message_is_checked(now: datetime, reason: str) -> None:
    assert checked(sealed().body, now=now).reason == reason


def test_a_message_that_names_other_lines_than_its_manifest_is_refused() -> None:
    other = replace(written(), line_ids=(derived_id("other"),))
    body = keys().seal(GATEWAY).seal(other, facts()).body
    assert checked(body).reason == "CONTENT_MISMATCH"


def test_source_bytes_other_than_those_received_are_refused() -> None:
    body = keys().seal(GATEWAY).seal(written(), facts(source_digest="0" * 64)).body
    assert checked(body).reason == "SOURCE_MISMATCH"


def test_the_prescribers_signature_is_bound_by_its_digest() -> None:
    signature = PrescriberSignature(format="xmldsig", data=b"<Signature/>", when=MOMENT)
    message = written(prescription(signature=signature))
    bound = facts(signature_digest=signature.digest, signature_format="xmldsig", signature_verdict="valid")
    assert checked(keys().seal(GATEWAY).seal(message, bound).body).ok
    unbound = keys().seal(GATEWAY).seal(message, facts()).body
    assert checked(unbound).reason == "PRESCRIBER_SIGNATURE_MISMATCH"


def test_bytes_of_another_format_are_bound_by_their_digest() -> None:
    body = keys().seal(GATEWAY).seal(written(), facts(rendered=b"a,b", rendered_type="text/csv")).body
    assert verify(body, keys().anchors, now=MOMENT, rendered=b"a,b").ok
    assert verify(body, keys().anchors, now=MOMENT, rendered=b"a,c").reason == "RENDERED_MISMATCH"


def test_a_member_named_twice_is_refused_even_under_a_good_seal() -> None:
    body = written().body.replace(b'{"resourceType":"Bundle"', b'{"resourceType":"Bundle","resourceType":"Bundle"', 1)
    octets = keys().seal(GATEWAY).seal(replace(written(), body=body), facts()).body
    assert checked(octets).reason == "CONTENT_INVALID"


def test_what_cannot_be_accounted_for_is_never_sealed() -> None:
    with pytest.raises(ValueError, match="unexplained"):
        keys().seal(GATEWAY).seal(replace(written(), unexplained=("Bundle.id",)), facts())


def test_only_bytes_that_end_with_their_entries_are_sealed() -> None:
    with pytest.raises(ValueError, match="end with its entries"):
        keys().seal(GATEWAY).seal(replace(written(), body=b"{}"), facts())


def test_the_report_prints_the_numbered_checklist() -> None:
    text = str(checked(sealed().body))
    assert [line.split(".")[0].strip() for line in text.splitlines()[:-1]] == [str(n) for n in range(1, 19)]
    assert text.endswith("The seal is good.")


def test_the_verifier_knows_the_same_entry_as_the_sealer_without_sharing_code() -> None:
    assert verify_module._ENTRY == seal_module.ENTRY
    source = Path(verify_module.__file__).read_text()
    assert "from gateway" not in source
    assert "import gateway" not in source


def test_anchors_are_read_from_pem() -> None:
    assert read_anchors(keys().anchors_pem()) == keys().anchors


def test_a_seal_needs_the_certificate_of_its_own_key() -> None:
    stranger = load_or_make(Path(mkdtemp()), development=True, now=MOMENT.astimezone(UTC))
    with pytest.raises(Exception, match="not the certificate"):
        Seal(keys().key, stranger.chain, GATEWAY)
