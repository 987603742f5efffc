"""Who looks at the console: a session for each browser, kept in the store, so that every node knows it.

People come by an identity provider, or, in development only (D15), by a link that works once: whoever reads the
terminal the gateway was started from may look. When a link has been used a fresh one is announced, so that a second
browser can be opened too.

A session ends by rest, by age, by the end of the post that was taken, by leaving, or because the same person signed in
elsewhere. What was being typed at that moment is kept for the same person, and for nobody else.

Each request costs one small reading; that its person asked for something is written down twice a minute at most.

Source: console.md 1, 7; reliability-security.md 8 (pharmacist).
"""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog

from gateway.access.posts import Identity, Post
from gateway.access.principal import Kind, Principal
from gateway.console.entering.session import (
    Ended,
    Session,
    Typed,
    Visit,
    digest_of,
    read_identity,
    read_session,
    written_typed,
    written_who,
)
from gateway.domain.errors import Unavailable
from gateway.domain.session import KeptSession, Why
from gateway.ports.sessions import SessionReads, SessionWrites

_log = structlog.get_logger(__name__)

_MOST_LINKS: Final = 16
_ENDED_FOR: Final = timedelta(hours=12)
_PICKING_LASTS: Final = timedelta(minutes=10)
_SEEN_APART: Final = timedelta(seconds=30)
"""How late it may be written down that a person asked for something: a session rests so much less long at most."""
_MOST_CHARACTERS: Final = 32_000
"""Of one form that is kept; more than any page of ours takes."""
_AGAIN_SECONDS: Final = 0.1
BY_LINK: Final = Principal(kind=Kind.OPERATOR, tenant=None, name="operator")
"""Whom a development link lets in."""

WORDS: Final[Mapping[Why, str]] = MappingProxyType(
    {
        Why.REST: "Nothing was done here for a while.",
        Why.AGE: "A session lasts no longer than a working day.",
        Why.POST: "The role you had taken has ended.",
        Why.LEFT: "You signed out.",
        Why.ELSEWHERE: "You signed in somewhere else, and one person has one session at a time.",
        Why.ISSUER: "You signed out of your organisation's sign-in.",
    }
)
"""Why a session ended, for the page that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was opened.

    Attributes:
        secret: for its cookie.
        typed: the page on which its person typed something that could not be sent; empty if there is none.
    """

    secret: str
    typed: str


class Sessions:
    """The sessions of the console.

    Args:
        now: the clock.
        reads: where they are looked up.
        writes: where they are kept.
        announce: told each new link's path; prints it where the operator looks.
        idle: how long a session may rest.
        absolute: how long it may last.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        reads: SessionReads,
        writes: SessionWrites,
        *,
        announce: Callable[[str], None] = lambda _: None,
        idle: timedelta = timedelta(hours=1),
        absolute: timedelta = timedelta(hours=12),
    ) -> None:
        self._now = now
        self._reads = reads
        self._writes = writes
        self._announce = announce
        self._idle = idle
        self._absolute = absolute
        self._links: OrderedDict[str, None] = OrderedDict()

    def link(self) -> str:
        """Make a link that works once at this node, and give its path."""
        code = secrets.token_urlsafe(32)
        self._links[digest_of(code)] = None
        while len(self._links) > _MOST_LINKS:
            self._links.popitem(last=False)
        return f"/console/enter/{code}"

    async def enter(self, code: str) -> Opened | None:
        """Use a link, or give None if it is unknown or used."""
        if digest_of(code) not in self._links:
            return None
        del self._links[digest_of(code)]
        self._announce(self.link())
        who = written_who(BY_LINK, "", (), None, developing=True)
        return await self._open(BY_LINK.name, who, self._now(), alone=False)

    async def sign_in(self, identity: Identity, post: Post) -> Opened:
        """Open the session of a person in one post, and end any other of theirs."""
        principal = post.principal(identity.name)
        who = written_who(principal, identity.person, identity.posts, post.until, developing=False)
        return await self._open(identity.name, who, self._now(), alone=True)

    async def ask_role(self, identity: Identity, path: str) -> str:
        """Remember for a while who somebody is that has yet to pick a role; gives the secret for the cookie."""
        who = written_who(None, identity.person, identity.posts, None, developing=False)
        return (await self._open(identity.name, who, self._now(), alone=False, path=path)).secret

    async def asked_role(self, secret: str) -> tuple[Identity, str] | None:
        """Give who has yet to pick a role, and where they want to go."""
        kept = await self._reads.session(digest_of(secret)) if secret else None
        if kept is None or not kept.path or kept.ended_at or self._now() - kept.opened_at > _PICKING_LASTS:
            return None
        identity = read_identity(kept)
        return (identity, kept.path) if identity else None

    async def change(
        self, session: Session, principal: Principal, *, person: str, until: datetime | None = None
    ) -> Opened:
        """Go on as another: in another post, or in development as an invented person.

        Whatever the old session held of the old role is gone, but not its age.
        """
        await self._writes.end_session(session.digest, why=Why.LEFT, now=self._now())
        who = written_who(principal, person, session.posts, until, developing=session.developing)
        return await self._open(principal.name, who, session.opened_at, alone=principal != BY_LINK)

    async def visit(self, secret: str, *, asks: bool) -> Visit:
        """Say who makes a request.

        Args:
            secret: the cookie's; empty if there is none.
            asks: a person asks, and the session lasts: not a page that renews itself.
        """
        if not secret:
            return Visit()
        try:
            kept = await self._reads.session(digest_of(secret))
        except Unavailable:
            return Visit(away=True)
        session = read_session(kept, secret) if kept else None
        if kept is None or session is None:
            return Visit()
        if (ended := self._over(kept, session)) is not None:
            return Visit(ended=ended if self._now() - ended.at < _ENDED_FOR else None)
        if asks and self._now() - kept.seen_at >= _SEEN_APART:
            with suppress(Unavailable):  # it is asked for something else yet, and that is refused if need be
                await self._writes.see_session(kept.digest, now=self._now())
                session = replace(session, seen_at=self._now())
        return Visit(session=session)

    async def peek(self, secret: str) -> Session | None:
        """Give the session of a cookie, unless it is over, without making it last.

        Raises:
            Unavailable: nobody can say.
        """
        visit = await self.visit(secret, asks=False)
        if visit.away:
            raise Unavailable("sessions cannot be read")
        return visit.session

    def ends_at(self, session: Session) -> datetime:
        """Give when a session ends if its owner does nothing more."""
        ends = min(session.seen_at + self._idle, session.opened_at + self._absolute)
        return min(ends, session.until) if session.until else ends

    async def leave(self, session: Session) -> None:
        """End a session that its person leaves."""
        await self._writes.end_session(session.digest, why=Why.LEFT, now=self._now())

    async def end_all(self, name: str, why: Why, *, order: str = "") -> int | None:
        """End every session of a person at every node, and tell how many there were.

        Args:
            name: short name.
            why: why.
            order: id of the order that is obeyed, which counts once.

        Returns:
            How many; None where the order was obeyed before.
        """
        return await self._writes.end_sessions(name, why=why, now=self._now(), order=order)

    async def use(self, session: Session, token: str) -> bool:
        """Tell whether a form's token is used for the first time; it never is again."""
        return await self._writes.use_form(session.digest, digest_of(token), now=self._now())

    async def led(self, session: Session, token: str, *, seconds: float) -> str:
        """Give where a form led when it was first sent, waiting a little while it is being done; empty if unknown."""
        for _ in range(max(1, round(seconds / _AGAIN_SECONDS))):
            if path := await self._reads.led_to(session.digest, digest_of(token)):
                return path
            await asyncio.sleep(_AGAIN_SECONDS)
        return ""

    async def renew(self, session: Session, view: str) -> None:
        """Remember that an open page renewed itself."""
        await self._writes.use_form(session.digest, digest_of(f"renewed {view}"), now=self._now())

    async def renewed(self, session: Session, view: str) -> bool:
        """Tell whether an open page renewed itself before in this session."""
        return await self._reads.is_used(session.digest, digest_of(f"renewed {view}"))

    async def keep(self, session: Session, path: str, typed: Typed) -> None:
        """Keep what was typed on a page of a session and may have been refused, to be shown there again."""
        name = session.principal.name
        await self._writes.keep_form(name, path, written_typed(typed), now=self._now(), digest=session.digest)

    async def keep_late(self, ended: Ended | None, csrf: str, path: str, typed: Typed) -> bool:
        """Keep a form that came after its session was over, for the person it belonged to.

        Args:
            ended: what is remembered of that session.
            csrf: what the form carries; a form that does not carry the session's own is not kept.
            path: the page it stood on.
            typed: what was typed.

        Returns:
            Whether it was kept.
        """
        if ended is None or not hmac.compare_digest(ended.csrf.encode(), csrf.encode()):
            return False
        if sum(len(field) + sum(map(len, values)) for field, values in typed.items()) > _MOST_CHARACTERS:
            return False
        await self._writes.keep_form(ended.name, path, written_typed(typed), now=self._now())
        return True

    async def forget(self, session: Session, path: str) -> None:
        """Forget what was typed on a page, where anything was kept of it: it was sent."""
        if path in session.typed:
            await self._writes.forget_form(session.principal.name, path)

    async def remember(self, session: Session, sought: str) -> str:
        """Keep a search and give its opaque id."""
        key = secrets.token_urlsafe(12)
        await self._writes.keep_search(session.digest, key, sought, now=self._now())
        return key

    async def put(self, session: Session, key: str, words: str) -> None:
        """Keep something under a name of its own, in place of what stood there. It may be forgotten as searches are."""
        await self._writes.keep_search(session.digest, key, words, now=self._now())

    async def sought(self, session: Session, key: str) -> str | None:
        """Give what was searched for, or put."""
        return await self._reads.sought(session.digest, key)

    async def say(self, secret: str, notice: str) -> None:
        """Let the next page of a session say something once."""
        await self._writes.say_next(digest_of(secret), notice=notice)

    async def left(self, visit: Visit) -> None:
        """Keep what a request leaves for the next one. What was done is done, whether that can be kept or not."""
        session = visit.session
        if session is None:
            return
        try:
            if visit.shown:
                await self._writes.said(session.digest, notice=session.notice)
            if visit.notice or visit.once:
                token = digest_of(visit.once) if visit.once else ""
                await self._writes.say_next(session.digest, notice=visit.notice, token=token, path=visit.path)
        except Unavailable:
            _log.warning("session_not_kept")

    async def _open(self, name: str, who: str, opened_at: datetime, *, alone: bool, path: str = "") -> Opened:
        secret = secrets.token_urlsafe(32)
        seen_at = max(self._now(), opened_at)  # the clock of the node that opened the one before may be ahead
        kept = KeptSession(
            digest=digest_of(secret), name=name, who=who, opened_at=opened_at, seen_at=seen_at, path=path
        )
        return Opened(secret=secret, typed=await self._writes.open_session(kept, alone=alone))

    def _over(self, kept: KeptSession, session: Session) -> Ended | None:
        """Give what is to be remembered of a session if it is over."""
        now, ends = self._now(), self.ends_at(session)
        if kept.ended_at is not None and kept.why is not None:
            why, at = kept.why, kept.ended_at
        elif now > ends:
            why, at = self._why(session, ends), ends
        else:
            return None
        return Ended(name=kept.name, csrf=session.csrf, why=why, at=at)

    def _why(self, session: Session, ends: datetime) -> Why:
        if session.until is not None and ends == session.until:
            return Why.POST
        return Why.AGE if ends == session.opened_at + self._absolute else Why.REST
