"""What went wrong with a connection, in words that people read: never the name of a class.

Console, timeline and alerts show these words; the name of the class is for the log (`failure` of an outcome). The names
are those of the standard library and of the HTTP client, matched by name so that the domain knows neither.

Source: console.md 10 (no codes without words).
"""

from collections.abc import Mapping
from typing import Final

_NOBODY: Final = "nothing takes connections at the address"
_BROKE: Final = "the connection broke"
_LATE: Final = "nothing came in time"
_NAME: Final = "the name in the address is not known"
_TRUST: Final = "the certificate shown there is not one that we trust"
_SECURE: Final = "no secure connection could be agreed"

_WORDS: Final[Mapping[str, str]] = {
    "ServerDisconnectedError": "the connection was closed without an answer",
    "IncompleteReadError": "the connection was closed before an answer was complete",
    "EOFError": "the connection was closed before an answer was complete",
    "ClientPayloadError": "the answer broke off",
    "ClientResponseError": "what came back is no HTTP answer",
    "ConnectionTimeoutError": "no connection was made in time",
    "TimeoutError": _LATE,
    "ClientConnectorDNSError": _NAME,
    "gaierror": _NAME,
    "ClientConnectorCertificateError": _TRUST,
    "SSLCertVerificationError": _TRUST,
    "ServerFingerprintMismatch": _TRUST,
    "ClientSSLError": _SECURE,
    "SSLError": _SECURE,
    "ClientConnectorError": _NOBODY,
    "ConnectionRefusedError": _NOBODY,
    "InvalidURL": "the address that is configured is none",
    "ConnectionError": _BROKE,
    "ClientOSError": _BROKE,
    "OSError": "the network failed",
}


def in_words(error: BaseException) -> str:
    """Say what went wrong, by the nearest class of the error that has words."""
    known = (one.__name__ for one in type(error).__mro__ if one.__name__ in _WORDS)
    return _WORDS.get(next(known, ""), "something failed on our side")
