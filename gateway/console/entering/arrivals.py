"""People on their way to the identity provider and back: what was sent along, for one browser, once, and not for long.

Source: OpenID Connect Core 3.1.2.1; RFC 9700 2.1 and 4.7 (state and nonce bound to the browser; used once).
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.access.posts import Identity

_LASTS: Final = timedelta(minutes=10)
_MOST: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One attempt to sign in.

    Attributes:
        state: comes back with the person.
        nonce: comes back in the token.
        verifier: shows that whoever redeems the code is who asked for it (PKCE).
        path: the page of the console that the person wanted.
        identity: who it turned out to be, while that person picks a role.
    """

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    path: str
    identity: Identity | None = None
    at: datetime


class Arrivals:
    """Every attempt under way in this process.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._open: OrderedDict[str, Arrival] = OrderedDict()

    def begin(self, path: str, *, identity: Identity | None = None) -> tuple[str, Arrival]:
        """Begin an attempt; gives the secret for the cookie of its browser, and what is sent along."""
        secret = secrets.token_urlsafe(32)
        arrival = Arrival(path=path, identity=identity, at=self._now())
        self._open[_digest(secret)] = arrival
        while len(self._open) > _MOST:
            self._open.popitem(last=False)
        return secret, arrival

    def look(self, secret: str, state: str) -> Arrival | None:
        """Give an attempt of this browser without ending it."""
        arrival = self._open.get(_digest(secret))
        if arrival is None or self._now() - arrival.at > _LASTS:
            return None
        return arrival if hmac.compare_digest(arrival.state.encode(), state.encode()) else None

    def of(self, secret: str) -> Arrival | None:
        """Give the attempt of a browser, for the page on which its owner picks a role."""
        arrival = self._open.get(_digest(secret))
        return arrival if arrival is not None and self._now() - arrival.at <= _LASTS else None

    def take(self, secret: str, state: str) -> Arrival | None:
        """End an attempt, and give it if it is this browser's, and the state is the one that was sent along."""
        arrival = self.look(secret, state)
        if arrival is not None:
            del self._open[_digest(secret)]
        return arrival


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
