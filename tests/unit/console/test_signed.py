"""The prescriber's signature in words: six states and none of them merged; the seal is another thing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.prescription.signed import SignatureShown, SignatureState, signature
from gateway.domain.prescription import PrescriberSignature, Prescription
from tests.contract.store_engines import make_prescription
from tests.signers import HOLDER, NOW, SIGNED, Authority, signer

GOOD = signer(Authority())
RECEIVED = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)


def signed(verdict: str) -> Prescription:
    value = PrescriberSignature(format="jws", data=GOOD.jws(b"x"), when=SIGNED, verdict=verdict)
    return replace(make_prescription("A", lines=3), signature=value)


def shown(verdict: str, *, now: datetime = NOW) -> SignatureShown:
    return signature(signed(verdict), None, RECEIVED, now)


@pytest.mark.parametrize(
    ("verdict", "state", "why"),
    [
        ("valid", SignatureState.GOOD, ""),
        ("", SignatureState.NOT_CHECKED, "it was not looked at when the message came"),
        ("carried, could not be verified: no list", SignatureState.UNKNOWN, "no list"),
        ("invalid: it was changed", SignatureState.BAD, "it was changed"),
    ],
)
def test_each_verdict_is_one_state_with_its_reason(verdict: str, state: SignatureState, why: str) -> None:
    found = shown(verdict)
    assert (found.state, found.why) == (state, why)


def test_a_certificate_that_expired_since_does_not_make_a_good_signature_bad() -> None:
    found = shown("valid", now=NOW + timedelta(days=200))
    assert found.state is SignatureState.EXPIRED_SINCE
    assert found.label == "Good when signed, certificate has since expired"


def test_it_says_who_signed_when_what_was_covered_and_by_which_certificate() -> None:
    rows = dict(shown("valid").rows)
    assert rows["Signing time"] == "5 Oct 2026, 10:10:00 BST"
    assert rows["What was covered"] == "All 3 lines of the message as received"
    assert rows["Certificate of"] == f"CN={HOLDER}"
    assert rows["Certificate serial number"] == f"{GOOD.certificate.serial_number:X}"
    assert rows["Algorithm"] == "RS256"
    assert rows["Revocation"].startswith("Not revoked")


@pytest.mark.parametrize("verdict", ["", "invalid: x", "carried, could not be verified: x"])
def test_nothing_is_said_to_be_covered_or_clean_that_was_not_proved(verdict: str) -> None:
    rows = dict(shown(verdict).rows)
    assert rows["What was covered"] == "Not proved for all 3 lines"
    assert "Not revoked" not in rows["Revocation"]


def test_without_a_signature_it_is_none_and_an_order_that_was_not_read_is_not_checked() -> None:
    assert signature(make_prescription("A"), None, RECEIVED, NOW).state is SignatureState.NONE
    assert signature(None, None, RECEIVED, NOW).state is SignatureState.NOT_CHECKED


def test_green_is_for_good_signatures_alone() -> None:
    green = {state for state in SignatureState if SignatureShown(state=state).colour == "green"}
    assert green == {SignatureState.GOOD, SignatureState.EXPIRED_SINCE}
