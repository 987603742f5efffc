"""Who looks at the console: a session for each browser, kept in this process alone.

People come by an identity provider, or, in development only (D15), by a link that works once: whoever reads the
terminal the gateway was started from may look. When a link has been used a fresh one is announced, so that a second
browser can be opened too.

A session ends by rest, by age, by the end of the post that was taken, by leaving, or because the same person signed in
elsewhere. What was being typed at that moment is kept for the same person (`kept_forms`), and for nobody else.

Source: console.md 1, 7; reliability-security.md 8 (pharmacist).
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.access.posts import Identity, Post
from gateway.access.principal import Kind, Principal
from gateway.console.entering.kept_forms import KeptForms
from gateway.console.entering.session import Session, Typed

__all__ = ["Ended", "Session", "Sessions", "Why"]

_MOST_LINKS: Final = 16
_MOST_SESSIONS: Final = 4096
_MOST_ENDED: Final = 1024
_ENDED_FOR: Final = timedelta(hours=12)
BY_LINK: Final = Principal(kind=Kind.OPERATOR, tenant=None, name="operator")
"""Whom a development link lets in."""


class Why(StrEnum):
    """Why a session ended, in words for the page that says so."""

    REST = "Nothing was done here for a while."
    AGE = "A session lasts no longer than a working day."
    POST = "The role you had taken has ended."
    LEFT = "You signed out."
    ELSEWHERE = "You signed in somewhere else, and one person has one session at a time."
    ISSUER = "You signed out of your organisation's sign-in."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is remembered of a session that is over.

    Attributes:
        name: short name of the person it belonged to.
        csrf: what its forms carried.
    """

    name: str
    csrf: str = field(repr=False)
    why: Why
    at: datetime


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
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._forms = KeptForms(now, lasts=absolute)

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
        now = self._now()
        return self._open(Session(principal=BY_LINK, opened_at=now, seen_at=now, developing=True))

    def sign_in(self, identity: Identity, post: Post) -> str:
        """Open the session of a person in one post, end any other of theirs, and give the secret for the cookie."""
        self.end_all(identity.name, Why.ELSEWHERE)
        now = self._now()
        return self._open(
            Session(
                principal=post.principal(identity.name),
                opened_at=now,
                seen_at=now,
                person=identity.person,
                posts=identity.posts,
                until=post.until,
            )
        )

    def change(self, secret: str, principal: Principal, *, person: str, until: datetime | None = None) -> str | None:
        """Go on as another: in another post, or in development as an invented person. Gives the new secret.

        Whatever the old session held of the old role is gone, but not its age.
        """
        old = self.find(secret)
        if old is None:
            return None
        self._end(_digest(secret), Why.LEFT)
        if old.developing and principal != BY_LINK:
            self.end_all(principal.name, Why.ELSEWHERE)
        return self._open(
            Session(
                principal=principal,
                opened_at=old.opened_at,
                seen_at=self._now(),
                person=person,
                posts=old.posts,
                until=until,
                developing=old.developing,
            )
        )

    def find(self, secret: str) -> Session | None:
        """Give the session of a cookie, unless it is over; and let it last, for a person asked."""
        session = self.peek(secret)
        if session is not None:
            session.seen_at = self._now()
        return session

    def peek(self, secret: str) -> Session | None:
        """Give the session of a cookie as `find` does, without making it last: no person asked."""
        digest = _digest(secret)
        session = self._sessions.get(digest)
        if session is None or self._now() <= self.ends_at(session):
            return session
        self._end(digest, self._why(session))
        return None

    def ends_at(self, session: Session) -> datetime:
        """Give when a session ends if its owner does nothing more."""
        ends = min(session.seen_at + self._idle, session.opened_at + self._absolute)
        return min(ends, session.until) if session.until else ends

    def leave(self, secret: str, why: Why = Why.LEFT) -> None:
        """End a session."""
        self._end(_digest(secret), why)

    def end_all(self, name: str, why: Why) -> int:
        """End every session of a person, and tell how many there were."""
        theirs = [digest for digest, session in self._sessions.items() if session.principal.name == name]
        for digest in theirs:
            self._end(digest, why)
        return len(theirs)

    def ended(self, secret: str) -> Ended | None:
        """Give what is remembered of a session that is over, for half a day."""
        ended = self._ended.get(_digest(secret))
        return ended if ended is not None and self._now() - ended.at < _ENDED_FOR else None

    def keep(self, secret: str, csrf: str, path: str, typed: Typed) -> bool:
        """Keep a form that came after its session was over, for the person it belonged to.

        Args:
            secret: the cookie's.
            csrf: what the form carries; a form that does not carry the session's own is not kept.
            path: the page it stood on.
            typed: what was typed.

        Returns:
            Whether it was kept.
        """
        ended = self.ended(secret)
        if ended is None or not hmac.compare_digest(ended.csrf.encode(), csrf.encode()):
            return False
        return self._forms.keep(ended.name, path, typed)

    def _open(self, session: Session) -> str:
        secret = secrets.token_urlsafe(32)
        session.typed = self._forms.take(session.principal.name)
        self._sessions[_digest(secret)] = session
        while len(self._sessions) > _MOST_SESSIONS:
            self._end(next(iter(self._sessions)), Why.REST)
        return secret

    def _end(self, digest: str, why: Why) -> None:
        session = self._sessions.pop(digest, None)
        if session is None:
            return
        self._ended[digest] = Ended(name=session.principal.name, csrf=session.csrf, why=why, at=self._now())
        while len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def _why(self, session: Session) -> Why:
        now = self._now()
        if session.until is not None and now > session.until:
            return Why.POST
        return Why.AGE if now - session.opened_at > self._absolute else Why.REST


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
