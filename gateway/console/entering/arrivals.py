"""People on their way to the identity provider and back, for one browser, and not for long.

What is sent along follows from a secret that the browser itself keeps in a cookie. Nothing of it is kept here: so any
node may take a person back, and strangers who knock take nobody's place. The code that comes back is redeemed once, by
the identity provider, and only with this browser's secret.

Source: OpenID Connect Core 3.1.2.1; RFC 7636 4.1; RFC 9700 2.1 and 4.7 (state and nonce bound to the browser).
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.console.entering.session import derived

LASTS: Final = timedelta(minutes=10)
_AHEAD: Final = timedelta(minutes=1)
"""How far the clock of the node that sent somebody away may be ahead of this one's."""
_CARRIED: Final = re.compile(r"([A-Za-z0-9_-]{43})[.](\d{1,11})[.]([A-Za-z0-9_-]{0,600})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One attempt to sign in.

    Attributes:
        secret: what its browser keeps.
        path: the page of the console that the person wanted.
        at: when it began, to the second.
    """

    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    path: str
    at: datetime

    @property
    def state(self) -> str:
        """Comes back with the person."""
        return derived(self.secret, "state")

    @property
    def nonce(self) -> str:
        """Comes back in the token."""
        return derived(self.secret, "nonce")

    @property
    def verifier(self) -> str:
        """Shows that whoever redeems the code is who asked for it (PKCE)."""
        return derived(self.secret, "verifier")

    def carried(self) -> str:
        """Give what stands in the cookie."""
        path = urlsafe_b64encode(self.path.encode()).rstrip(b"=").decode()
        return f"{self.secret}.{int(self.at.timestamp())}.{path}"


def came_back(carried: str, state: str, now: datetime) -> Arrival | None:
    """Give the attempt that a browser carries, if the state that came back is its own and it is not too late."""
    found = _CARRIED.fullmatch(carried)
    if found is None:
        return None
    secret, seconds, path = found.groups()
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
        arrival = Arrival(secret=secret, path=urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode(), at=at)
    except (ValueError, OverflowError, OSError):
        return None
    if not -_AHEAD <= now - at <= LASTS:
        return None
    return arrival if hmac.compare_digest(arrival.state.encode(), state.encode()) else None
