"""Where the server is, and how a client speaks to it: by a socket of this machine, or over TLS.

Source: reliability-security.md C12.
"""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.domain.errors import ConfigurationError
from gateway.domain.host import is_loopback

SETTING: Final = "GATEWAY_REDIS_URL"
_OPTIONS: Final = frozenset({"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
"""What may follow the question mark: nothing that loosens a time limit or the check of a certificate."""


def checked(url: str) -> str:
    """Give the address back if it is one that may be used.

    Raises:
        ConfigurationError: it is of no known kind, goes over a network without TLS, or asks for what it may not.
    """
    try:
        parts = urlsplit(url)
        host, options = parts.hostname or "", dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{SETTING}: cannot be read as an address") from None
    if parts.scheme not in {"unix", "rediss", "redis"}:
        raise ConfigurationError(f"{SETTING}: begins with unix://, rediss:// or redis://")
    if parts.scheme == "redis" and not is_loopback(host):
        raise ConfigurationError(f"{SETTING}: another machine is reached over TLS alone (rediss://)")
    if unknown := sorted(options.keys() - _OPTIONS):
        raise ConfigurationError(
            f"{SETTING}: {', '.join(unknown)} cannot be set here; {', '.join(sorted(_OPTIONS))} can"
        )
    return url


def client(url: str, *, patience_seconds: float) -> Redis:
    """Make a client that waits so long for an answer and no longer, and tries nothing twice."""
    return Redis.from_url(
        checked(url),
        protocol=2,
        socket_timeout=patience_seconds,
        socket_connect_timeout=patience_seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
