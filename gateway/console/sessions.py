"""Who looks at the console: a session for each browser, opened by a link that works once.

Development only (D15): whoever reads the terminal the gateway was started from may look. Each link works once; when it
has been used a fresh one is announced, so that a second browser can be opened too.

What was searched for lives in the session, on this side: addresses hold an opaque id of the search, never an NHS
number.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.access.principal import Kind, Principal

_MOST_LINKS: Final = 16
_MOST_SESSIONS: Final = 256
_MOST_SEARCHES: Final = 32


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser.

    Attributes:
        csrf: what a form of this session must carry.
        notice: what the next page is to say once.
        person: the human being's own name; empty where only the short name is known.
        searches: opaque id to what was searched for; the oldest are forgotten.
    """

    principal: Principal
    csrf: str
    opened_at: datetime
    seen_at: datetime
    notice: str = ""
    person: str = field(default="", repr=False)
    searches: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)

    def take_notice(self) -> str:
        """Give what is to be said once, and forget it."""
        notice, self.notice = self.notice, ""
        return notice

    def remember(self, sought: str) -> str:
        """Keep a search and give its opaque id."""
        key = secrets.token_urlsafe(12)
        self.searches[key] = sought
        while len(self.searches) > _MOST_SEARCHES:
            self.searches.popitem(last=False)
        return key


class Sessions:
    """The sessions of this process.

    Args:
        now: the clock.
        announce: told each new link's path; prints it where the operator looks.
        idle: how long a session may rest.
        absolute: how long it may last.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        announce: Callable[[str], None] = lambda _: None,
        idle: timedelta = timedelta(hours=1),
        absolute: timedelta = timedelta(hours=12),
    ) -> None:
        self._now = now
        self._announce = announce
        self._idle = idle
        self._absolute = absolute
        self._links: OrderedDict[str, None] = OrderedDict()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def link(self) -> str:
        """Make a link that works once, and give its path."""
        code = secrets.token_urlsafe(32)
        self._links[_digest(code)] = None
        while len(self._links) > _MOST_LINKS:
            self._links.popitem(last=False)
        return f"/console/enter/{code}"

    def enter(self, code: str) -> str | None:
        """Use a link: give the new session's secret for the cookie, or None if the link is unknown or used."""
        if _digest(code) not in self._links:
            return None
        del self._links[_digest(code)]
        self._announce(self.link())
        secret = secrets.token_urlsafe(32)
        self._sessions[_digest(secret)] = Session(
            principal=Principal(kind=Kind.OPERATOR, tenant=None, name="operator"),
            csrf=secrets.token_urlsafe(32),
            opened_at=self._now(),
            seen_at=self._now(),
        )
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return secret

    def find(self, secret: str) -> Session | None:
        """Give the session of a cookie, unless it rested or lasted too long."""
        session = self._sessions.get(_digest(secret))
        if session is None:
            return None
        now = self._now()
        if now - session.seen_at > self._idle or now - session.opened_at > self._absolute:
            del self._sessions[_digest(secret)]
            return None
        session.seen_at = now
        return session

    def peek(self, secret: str) -> Session | None:
        """Give the session of a cookie as `find` does, without making it last: no person asked."""
        session = self._sessions.get(_digest(secret))
        return session if session is not None and self._now() <= self.ends_at(session) else None

    def ends_at(self, session: Session) -> datetime:
        """Give when a session ends if its owner does nothing more."""
        return min(session.seen_at + self._idle, session.opened_at + self._absolute)

    def leave(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(secret), None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
