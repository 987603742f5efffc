"""CMS signatures with the attributes of CAdES, made by pyHanko."""

from collections.abc import Callable

import pytest
import time_machine
from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from gateway.domain.identifiers import ProfessionalId, Register
from gateway.domain.prescription import PrescriberSignature
from gateway.domain.signature import SignatureReason, Standing
from gateway.sign.prescriber import Report, Signed, verify
from tests.signers import NOW, Authority, Signer, evidence, signer

ROOT = Authority()
GOOD = signer(ROOT)
BODY = b"MSH|^~\\&|a\rORC|NW\r"
R = SignatureReason


async def sign(
    who: Signer = GOOD,
    body: bytes = BODY,
    *,
    digest: str = "sha256",
) -> bytes:
    key = keys.PrivateKeyInfo.load(who.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    made = SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(who.der), signing_key=key, cert_registry=SimpleCertificateStore()
    )
    with time_machine.travel(NOW, tick=False):
        signed = await made.async_sign_general_data(body, digest, detached=True, use_cades=True)
    assert isinstance(signed, cms.ContentInfo)
    return bytes(signed.dump())


def check(data: bytes, body: bytes = BODY) -> Report:
    prescriber = (ProfessionalId(register=Register.GMC, value="C1234567"),)
    signature = PrescriberSignature(format="cades", data=data)
    signed = Signed(signature=signature, octets=body, prescriber=prescriber, received_at=NOW)
    return verify(signed, evidence(ROOT))


async def test_a_detached_cades_signature_is_valid() -> None:
    report = check(await sign())
    assert report.verdict.standing is Standing.VALID, str(report)


async def test_a_changed_byte_of_the_message_is_noticed() -> None:
    assert check(await sign(), BODY + b" ").verdict.reason is R.DIGEST_MISMATCH


@pytest.mark.parametrize(
    "change",
    [lambda _: b"", lambda _: b"0\x80", lambda o: o[:-1], lambda o: o + b"\0", lambda _: b"<Signature/>"],
    ids=["nothing", "a start", "cut off", "more", "XML"],
)
async def test_what_is_no_cms_is_invalid(change: Callable[[bytes], bytes]) -> None:
    assert check(change(await sign())).verdict.reason is R.MALFORMED


async def test_a_changed_signature_is_wrong() -> None:
    data = bytearray(await sign())
    data[-5] ^= 1
    assert check(bytes(data)).verdict.standing is Standing.INVALID


async def test_an_unknown_authority_is_not_trusted() -> None:
    other = signer(Authority(name="Another"))
    assert check(await sign(other)).verdict.reason is R.CHAIN_UNTRUSTED


async def test_without_the_attributes_of_cades_it_is_malformed() -> None:
    data = cms.ContentInfo.load(await sign())
    info = data["content"]["signer_infos"][0]
    info["signed_attrs"] = [one for one in info["signed_attrs"] if one["type"].native != "signing_certificate_v2"]
    assert check(bytes(data.dump(force=True))).verdict.reason is R.MALFORMED
