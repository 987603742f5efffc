import base64
import json

import pytest

from gateway.console.prescription.signature import signature_words


def sealed(verdict: str) -> bytes:
    payload = base64.urlsafe_b64encode(json.dumps({"aes": {"verdict": verdict}}).encode()).rstrip(b"=")
    data = base64.b64encode(b"e30." + payload + b".AA").decode()
    return json.dumps({"entry": [{}, {"resource": {"signature": [{"data": data}]}}]}).encode()


@pytest.mark.parametrize("words", ["valid", "stated by trust", "paper follows", "carried, could not be verified: old"])
def test_the_sealed_verdict_is_shown_in_its_own_words(words: str) -> None:
    assert signature_words(sealed(words)) == words


@pytest.mark.parametrize("message", [None, b"", b"{}", b"[]", b'{"entry": []}', b'{"entry": [{"resource": {}}]}'])
def test_where_nothing_was_sealed_nothing_is_said(message: bytes | None) -> None:
    assert signature_words(message) == ""
