"""The certificate in a signature, read to be shown: whatever the form, and never from what is no signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.prescription import PrescriberSignature
from gateway.sign.signer import signer_of
from tests.signers import HOLDER, Authority, curve_key, signer
from tests.unit.sign.test_cades import sign

ROOT = Authority()
GOOD, CURVED = signer(ROOT), signer(ROOT, key=curve_key(2))
XML = b"<order><dose>10</dose></order>"


@pytest.mark.parametrize(
    ("form", "data", "method"),
    [
        ("jws", GOOD.jws(b"x"), "RS256"),
        ("jws", CURVED.jws(b"x", b64=False, crit=["b64"]), "ES256"),
        ("xmldsig", GOOD.enveloped(XML), "rsa-sha256"),
        ("xmldsig-eps", CURVED.enveloped(XML), "ecdsa-sha256"),
    ],
)
def test_the_signer_is_read_from_each_form(form: str, data: bytes, method: str) -> None:
    found = signer_of(PrescriberSignature(format=form, data=data))
    assert found is not None
    assert found.subject == f"CN={HOLDER}"
    assert found.issuer == f"CN={ROOT.name}"
    assert found.method == method
    who = CURVED if method.startswith(("ES", "ec")) else GOOD
    assert int(found.serial, 16) == who.certificate.serial_number
    assert found.not_after == who.certificate.not_valid_after_utc


async def test_the_signer_is_read_from_cms() -> None:
    found = signer_of(PrescriberSignature(format="cades", data=await sign()))
    assert found is not None
    assert found.issuer == f"CN={ROOT.name}"


@given(st.sampled_from(["jws", "xmldsig", "xmldsig-eps", "cades", "other"]), st.binary(max_size=200))
def test_what_is_no_signature_has_no_signer(form: str, data: bytes) -> None:
    assert signer_of(PrescriberSignature(format=form, data=data)) is None


@pytest.mark.parametrize("inner", ["AAAA", "====", "", "MIIB"])
def test_a_certificate_that_cannot_be_read_is_not_shown(inner: str) -> None:
    data = f"<Signature><X509Certificate>{inner}</X509Certificate></Signature>".encode()
    assert signer_of(PrescriberSignature(format="xmldsig", data=data)) is None
