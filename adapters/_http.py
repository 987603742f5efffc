"""One POST, and what is known after it: an answer, proof that nothing was taken, or doubt.

Rules every adapter that speaks HTTP shares (reliability-security.md A09, A10):

1. Nothing left this machine (refused connection, failed handshake, unknown host): `TryLater`.
2. Anything that goes wrong after the first byte may have left: `InDoubt`.
3. Redirects are never followed, bodies are read up to a limit, and only `Content-Encoding: identity` is read.
4. Which answer means success is the provider's contract, so it is the adapter's to say, not this module's.

A kept connection may be closed by the other side at the moment we use it, which leaves us in doubt for no good reason.
So connections are kept only for a provider that recognises repeats.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from gateway.destination import InDoubt, Transmission, TryLater
from gateway.domain.broken import in_words
from gateway.domain.partner import Provider

MOST_OCTETS: Final = 1 << 20
"""Longest response that is read; a longer one is no answer of ours."""
CONNECT_SECONDS: Final = 5.0
_CHUNK: Final = 1 << 16
_LONGEST_WAIT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete response.

    Attributes:
        status: HTTP status.
        media_type: of the body, lower-case, without parameters.
        retry_after_seconds: Retry-After where it was given in seconds.
    """

    status: int
    media_type: str
    body: bytes = field(repr=False)
    retry_after_seconds: float | None = None


class Poster:
    """Posts to one provider. No I/O before the first `post`.

    Args:
        provider: its endpoint, token, limits and whether it recognises repeats.
        accept: media types for the Accept header.
    """

    def __init__(self, provider: Provider, *, accept: str) -> None:
        self._provider = provider
        self._accept = accept
        self._session: aiohttp.ClientSession | None = None

    async def post(self, transmission: Transmission, headers: Mapping[str, str]) -> Reply | TryLater | InDoubt:
        """Send the octets once.

        Args:
            transmission: what to send.
            headers: beside the content type, Accept and the credential.

        Returns:
            The reply, whatever it says; or what is known where there is none.
        """
        try:
            async with self._open().post(
                self._provider.endpoint,
                data=transmission.octets,
                headers={"Content-Type": transmission.content_type, **headers},
                allow_redirects=False,
            ) as response:
                return await _read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return TryLater(reason=f"no connection: {in_words(error)}", failure=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError) as error:
            return InDoubt(reason=f"no answer: {in_words(error)}", failure=type(error).__name__)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            provider = self._provider
            headers = {"Accept": self._accept, "Accept-Encoding": "identity"}
            if provider.token:
                headers["Authorization"] = f"Bearer {provider.token}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=provider.max_in_flight, force_close=not provider.recognises_repeats
                ),
                timeout=aiohttp.ClientTimeout(
                    total=provider.answers_within_seconds,
                    sock_connect=min(CONNECT_SECONDS, provider.answers_within_seconds / 2),
                ),
                headers=headers,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> Reply | InDoubt:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return InDoubt(reason=f"HTTP {response.status} with a Content-Encoding nobody asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST_OCTETS:
            return InDoubt(reason=f"HTTP {response.status} with more than {MOST_OCTETS} bytes")
    return Reply(
        status=response.status,
        media_type=response.content_type.lower() if body else "",
        body=bytes(body),
        retry_after_seconds=_seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(retry_after: str) -> float | None:
    """Read Retry-After in seconds; a date is left to the usual schedule, for it would trust two clocks."""
    if not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(float(retry_after), _LONGEST_WAIT_SECONDS)
