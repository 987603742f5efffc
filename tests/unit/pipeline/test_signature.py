"""A prescriber's signature through the pipeline: in each format, under each policy, into the seal."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import SignaturePolicy
from gateway.domain.submission import Outcome, Submission, WireFormat
from gateway.pipeline.prepare import prepare_submission
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read, translate
from gateway.pipeline.translation import Translation
from gateway.sign.eps_bundle import EpsOrder
from gateway.sign.eps_digest import prepare
from gateway.sign.evidence import Evidence
from gateway.wire.strict_json import loads
from gateway.wiring.around import surroundings
from tests.signers import NOW, SIGNED, Authority, evidence, signature_element, signer

RBA = OdsCode("RBA")
S01 = (Path(__file__).parents[2] / "golden/hl7v2/S01.hl7").read_bytes()
AROUND = surroundings(load(None))
ROOT = Authority()
GOOD = signer(ROOT, "EXAMPLE PRESCRIBER")
POLICIES = list(SignaturePolicy)
Submitted = Callable[[bytes], Submission]


def around(policy: SignaturePolicy, by: Evidence) -> Surroundings:
    trust = replace(AROUND.trusts[RBA], signature_policy=policy)
    return replace(AROUND, trusts={**AROUND.trusts, RBA: trust}, evidence=lambda: by)


def posted(body: bytes, detached: bytes = b"") -> Submission:
    return Submission(tenant=RBA, format=WireFormat.HL7V2, body=body, received_at=NOW, detached_signature=detached)


def enclosed(form: str, encoding: str, data: str, when: str = "") -> bytes:
    obx = f"OBX|99|ED|HCSIG^Prescriber signature^L||^application^{form}^{encoding}^{data}||||||F|||{when}\r"
    return S01 + obx.encode()


def carry(submission: Submission, policy: SignaturePolicy, by: Evidence) -> Translation:
    here = around(policy, by)
    return translate(submission, read(submission, here), (), here)


def codes(translation: Translation) -> set[str]:
    return {issue.code for issue in translation.verdict.issues if issue.code.startswith("SIGNATURE")}


def in_obx() -> Submission:
    return posted(enclosed("jose", "A", GOOD.jws(S01).decode()))


def beside() -> Submission:
    return posted(S01, GOOD.jws(S01))


def eps_in_obx() -> Submission:
    prepared = prepare_submission(posted(S01), AROUND, SIGNED)
    info = base64.b64decode(prepared.digest)
    element = signature_element(
        info.decode().replace(' xmlns="http://www.w3.org/2000/09/xmldsig#"', ""), GOOD.value(info), GOOD.der
    )
    return posted(
        enclosed("signature+xml", "Base64", base64.b64encode(element.encode()).decode(), "20261005091000+0000")
    )


WAYS = [pytest.param(in_obx, id="OBX"), pytest.param(beside, id="header"), pytest.param(eps_in_obx, id="prepared")]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_valid_signature_goes_and_is_said_to_be_valid(way: Callable[[], Submission], policy: SignaturePolicy) -> None:
    translation = carry(way(), policy, evidence(ROOT))
    assert translation.verdict.outcome is Outcome.TRANSLATED, translation.verdict.issues
    (order,) = translation.orders
    assert order.signature is not None
    assert order.signature.words == "valid"
    assert order.prescription is not None
    assert order.prescription.signature is not None
    assert order.prescription.signature.verdict == "valid"


@pytest.mark.parametrize(
    ("policy", "expected", "found"),
    [
        (SignaturePolicy.REQUIRED, Outcome.HELD, {"SIGNATURE_UNVERIFIED"}),
        (SignaturePolicy.TRUST_ATTESTED, Outcome.TRANSLATED, set()),
        (SignaturePolicy.PAPER_FOLLOWS, Outcome.TRANSLATED, set()),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_one_that_cannot_be_verified_holds_where_it_is_required(
    way: Callable[[], Submission], policy: SignaturePolicy, expected: Outcome, found: set[str]
) -> None:
    translation = carry(way(), policy, evidence(ROOT, crls=()))
    assert (translation.verdict.outcome, codes(translation)) == (expected, found)
    (order,) = translation.orders
    assert order.signature is not None
    assert order.signature.words.startswith("carried, could not be verified: there is no revocation evidence")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("way", WAYS)
def test_an_invalid_one_refuses_whatever_the_policy(way: Callable[[], Submission], policy: SignaturePolicy) -> None:
    submission = way()
    changed = replace(submission, body=submission.body.replace(b"Methotrexate", b"Methotrexat", 1))
    assert changed.body != submission.body
    translation = carry(changed, policy, evidence(ROOT))
    assert translation.verdict.outcome is Outcome.REFUSED
    assert "SIGNATURE_INVALID" in codes(translation)


def test_two_signatures_are_refused() -> None:
    translation = carry(replace(in_obx(), detached_signature=GOOD.jws(S01)), POLICIES[0], evidence(ROOT))
    assert codes(translation) >= {"SIGNATURE_INVALID"}


def test_what_is_prepared_is_the_digest_of_the_message_that_would_be_sent() -> None:
    prepared = prepare_submission(posted(S01), around(SignaturePolicy.REQUIRED, Evidence()), SIGNED)
    written = carry(posted(S01), SignaturePolicy.TRUST_ATTESTED, Evidence()).orders[0].message
    assert written is not None
    bundle = loads(written.body)
    assert isinstance(bundle, dict)
    assert prepared == prepare(EpsOrder(bundle, sparse=True), SIGNED)
    assert prepared.timestamp == "2026-10-05T09:10:00+00:00"


def test_what_would_not_be_sent_is_not_prepared() -> None:
    with pytest.raises(Refusal) as refused:
        prepare_submission(posted(S01.replace(b"9990000077", b"9990000078")), AROUND, datetime.now(UTC))
    assert refused.value.issues


@pytest.mark.parametrize("code", ["HCSIG X", "HCSIG-2", "HCSIG.1", "HCSIGX", "X~HCSIG", "hcsig"])
def test_only_the_segment_that_is_read_as_the_signature_is_outside_it(code: str) -> None:
    """Otherwise a measurement put in afterwards would travel under a signature that does not cover it."""
    added = f"OBX|2|NM|{code}^Body weight^L||90|kg^kilogram^UCUM|||||F|||20261001\r".encode()
    translation = carry(posted(S01 + added, GOOD.jws(S01)), SignaturePolicy.REQUIRED, evidence(ROOT))
    assert translation.verdict.outcome is Outcome.REFUSED
    assert "SIGNATURE_INVALID" in codes(translation)


@pytest.mark.parametrize("delimiters", ["^~\\&", "$*\\%"])
def test_the_segment_of_the_signature_is_found_with_any_delimiters(delimiters: str) -> None:
    component, repetition, _, subcomponent = delimiters
    table = str.maketrans({"^": component, "~": repetition, "&": subcomponent})
    body = S01.decode().translate(table).encode()
    assert body.startswith(f"MSH|{delimiters}|".encode())
    obx = f"OBX|99|ED|HCSIG^Prescriber signature^L||^application^jose^A^{GOOD.jws(body).decode()}||||||F\r"
    signed = posted(body + obx.translate(table).encode())
    translation = carry(signed, SignaturePolicy.REQUIRED, evidence(ROOT))
    assert translation.verdict.outcome is Outcome.TRANSLATED, translation.verdict.issues
