"""A simulated prescriber signs well, and the gateway can find nothing wrong and nothing known about it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.domain.identifiers import ProfessionalId, Register
from gateway.domain.prescription import PrescriberSignature
from gateway.domain.signature import SignatureReason, Standing
from gateway.sign.evidence import Evidence
from gateway.sign.prescriber import Signed, verify
from gateway.simulate.signing import Signer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module", name="signer")
def made() -> Signer:
    return Signer(lambda: NOW)


def test_nothing_is_wrong_with_it_and_nobody_vouches_for_it(signer: Signer) -> None:
    signed = Signed(
        signature=PrescriberSignature(format="jws", data=signer.sign(b"an order").encode()),
        octets=b"an order",
        bundle=None,
        prescriber=(ProfessionalId(register=Register.GMC, value="9999991"),),
        received_at=NOW,
    )
    verdict = verify(signed, Evidence()).verdict
    assert (verdict.standing, verdict.reason) == (Standing.UNVERIFIABLE, SignatureReason.NO_ANCHORS)
    assert verify(replace(signed, octets=b"another order"), Evidence()).verdict.standing is Standing.INVALID


def test_equal_orders_have_equal_signatures(signer: Signer) -> None:
    assert signer.sign(b"an order") == signer.sign(b"an order") != signer.sign(b"another order")
