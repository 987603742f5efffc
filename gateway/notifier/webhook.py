"""Notices by webhook: a signed POST of JSON to a host that the configuration names, and to no other.

    Homecare-Notice: the notice's id, the same at every attempt
    Homecare-Timestamp: seconds since 1970
    Homecare-Signature: v1=HMAC-SHA256 of "timestamp.body" with the shared secret, in hex

The receiver compares the signature, refuses what is older than a few minutes, and takes each id once.

Source: RFC 2104; console.md 6.11.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from gateway.domain.notice_rules import Webhooks
from gateway.notifier.sender import Later, Letter, Never, Result, Went
from gateway.wire.strict_json import dumps

_TAKEN: Final = range(200, 300)
_AGAIN: Final = frozenset({408, 409, 425, 429})
_REFUSED: Final = range(400, 500)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Give the signature of a post."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


class Poster:
    """Posts to the hosts that are named.

    Args:
        webhooks: which, and with what secret.
        now: the clock, for the timestamp.
    """

    def __init__(self, webhooks: Webhooks, *, now: Callable[[], datetime]) -> None:
        self._webhooks = webhooks
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def send(self, letter: Letter) -> Result:
        """See `Sender`. What the other side writes back is not read."""
        address = letter.to.webhook
        if (urlsplit(address).hostname or "").lower() not in self._webhooks.hosts:
            return Never(said="its host is not named")
        body = written(letter)
        timestamp = int(self._now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "Homecare-Notice": str(letter.notice.id),
            "Homecare-Timestamp": str(timestamp),
            "Homecare-Signature": signature(self._webhooks.secret, timestamp, body),
        }
        try:
            async with (
                asyncio.timeout(self._webhooks.seconds),
                self._open().post(address, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return _result(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Later(said=type(error).__name__)

    async def look(self) -> str:
        """See `Sender`. A post cannot be tried without telling somebody: `gateway notices test` does."""
        return ""

    async def close(self) -> None:
        """See `Sender`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def written(letter: Letter) -> bytes:
    """Write the body: `text` for a chat, the rest for a program. No patient data."""
    notice = letter.notice
    return dumps(
        {
            "id": str(notice.id),
            "kind": notice.kind.value,
            "circle": notice.circle,
            "person": notice.person,
            "text": f"{notice.words.text} {letter.link}",
            "subject": notice.words.subject,
            "link": letter.link,
            "written_at": notice.written_at.isoformat(),
        }
    )


def _result(status: int) -> Result:
    said = f"the webhook answered {status}"
    if status in _TAKEN:
        return Went(said=said)
    return Never(said=said) if status in _REFUSED and status not in _AGAIN else Later(said=said)
