"""What went wrong with a connection, in words."""

import re
import socket
import ssl
from asyncio import IncompleteReadError

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from gateway.domain.broken import in_words

_KEY = ConnectionKey("example.org", 443, True, True, None, None, None)  # noqa: FBT003 - of the library

TOLD = [
    (aiohttp.ServerDisconnectedError(), "the connection was closed without an answer"),
    (IncompleteReadError(b"", 1), "the connection was closed before an answer was complete"),
    (aiohttp.ServerTimeoutError(), "nothing came in time"),
    (TimeoutError(), "nothing came in time"),
    (aiohttp.ConnectionTimeoutError(), "no connection was made in time"),
    (aiohttp.ClientConnectorError(_KEY, OSError()), "nothing takes connections at the address"),
    (aiohttp.ClientConnectorDNSError(_KEY, OSError()), "the name in the address is not known"),
    (aiohttp.ClientConnectorSSLError(_KEY, OSError()), "no secure connection could be agreed"),
    (
        aiohttp.ClientConnectorCertificateError(_KEY, ValueError()),
        "the certificate shown there is not one that we trust",
    ),
    (aiohttp.ClientConnectionResetError(), "the connection broke"),
    (ConnectionResetError(), "the connection broke"),
    (ConnectionRefusedError(), "nothing takes connections at the address"),
    (aiohttp.ClientPayloadError(), "the answer broke off"),
    (aiohttp.InvalidURL("x"), "the address that is configured is none"),
    (socket.gaierror(), "the name in the address is not known"),
    (ssl.SSLError(), "no secure connection could be agreed"),
    (OSError(), "the network failed"),
    (KeyError("x"), "something failed on our side"),
]


@pytest.mark.parametrize(
    ("error", "words"), TOLD, ids=lambda one: type(one).__name__ if not isinstance(one, str) else ""
)
def test_an_error_is_said_in_words_by_its_nearest_class(error: BaseException, words: str) -> None:
    assert in_words(error) == words


def test_no_name_of_a_class_is_said() -> None:
    assert not any(re.search(r"[a-z][A-Z]|Error", in_words(error)) for error, _ in TOLD)
