"""Where the joining server may be, and what an address may ask for."""

import ssl
from typing import Any

import pytest

from gateway.domain.errors import ConfigurationError
from gateway.joining.address import checked, client


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/valkey/valkey.sock",
        "unix://user:word@/run/valkey/valkey.sock?db=3",
        "redis://127.0.0.1",
        "redis://[::1]:6380/1",
        "redis://localhost:6379",
        "rediss://user:word@cache.example:6380/0?ssl_ca_certs=/etc/ssl/house.pem",
    ],
)
async def test_a_socket_loopback_and_tls_may_be_used(url: str) -> None:
    assert checked(url) == url
    await client(url, patience_seconds=1.0).aclose()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://cache.example:6379", "TLS alone"),
        ("redis://10.0.0.7", "TLS alone"),
        ("redis://", "TLS alone"),
        ("http://127.0.0.1", "begins with"),
        ("127.0.0.1:6379", "begins with"),
        ("", "begins with"),
        ("redis://127.0.0.1:many", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("rediss://cache.example?nonsense", "cannot be read"),
        ("rediss://cache.example?ssl_cert_reqs=none", "ssl_cert_reqs cannot be set here"),
        ("rediss://cache.example?ssl_check_hostname=false&socket_timeout=99", "socket_timeout, ssl_check_hostname"),
    ],
)
def test_an_address_that_is_open_or_loosens_a_limit_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        checked(url)


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(ConfigurationError) as refused:
        checked("redis://user:topsecret@cache.example")
    assert "topsecret" not in str(refused.value)


async def test_tls_is_verified_with_the_name() -> None:
    one = client("rediss://cache.example", patience_seconds=1.0)
    connection: Any = one.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    asked = connection.ssl_context
    assert (asked.check_hostname, asked.cert_reqs) == (True, ssl.CERT_REQUIRED)
    await one.aclose()
