"""What is told to a page that stays open: that something moved, that all is well, and when the session ends.

Events carry an opaque id, a number and a kind, and nothing else: the page asks for itself again, so that who may see
what is decided by the page and by nobody else. "Live" is written by the page only while beats come, and a beat is sent
only while the store answers and the watch looks at deadlines: an open stream proves nothing.

Source: console.md 8; reliability-security.md I8, I9.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gateway.access.policy import Action
from gateway.console.entering.session import Session
from gateway.console.living.feed import Feed
from gateway.console.site import HEADERS, Looker, SignedOut, Site
from gateway.console.whole_number import whole_number
from gateway.console.words import LONDON
from gateway.domain.errors import Unavailable
from gateway.ports.changes import Change
from gateway.wire.strict_json import dumps

BEAT_SECONDS: Final = 15.0
_MOST_OF_ONE: Final = 4
"""Streams of one session: a browser shares one among its tabs, and has six connections in all."""
_MOST: Final = 400
_GAP_SECONDS: Final = 0.5
"""Between two tellings of one stream: what moves in between is told once."""
_SEND_SECONDS: Final = 20.0
"""A browser that takes nothing for so long is let go; it comes back and is told what it missed."""
_LOOK_SECONDS: Final = 1.0
_SESSION_SECONDS: Final = 5.0
"""How late a stream notices that its session has ended; what its page asks for meanwhile is refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What the strip of a page is told when it is written: `live` in the templates.

    Attributes:
        feed: what moves; None where there is nothing to hear.
        seconds: gives for how long a session lasts if its owner does nothing more.
    """

    feed: Feed | None
    seconds: Callable[[Session], float]

    @property
    def events(self) -> str:
        """Give where the page listens, from the number on that it was read at; empty where nothing is told."""
        return f"/console/events?since={self.feed.since}" if self.feed else ""

    def left(self, looker: Looker) -> int:
        """Give for how many seconds somebody may go on looking if nothing more is done."""
        return max(0, int(self.seconds(looker.session))) if looker.session else 0


@dataclass(slots=True)
class Streams:
    """The streams that are open, counted, so that nobody takes them all."""

    open: Counter[str] = field(default_factory=Counter)

    def take(self, whose: str) -> bool:
        """Take a place for a stream; tells whether there was one."""
        if self.open[whose] >= _MOST_OF_ONE or self.open.total() >= _MOST:
            return False
        self.open[whose] += 1
        return True

    def give_back(self, whose: str) -> None:
        """Give a place back."""
        self.open[whose] -= 1
        if self.open[whose] <= 0:
            del self.open[whose]


class _Stream(EventSourceResponse):
    """A stream whose reader may stop reading: that ends it, and is no fault of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            return


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses that a page which stays open asks."""
    feed = site.services.get(Feed)
    assert feed is None or isinstance(feed, Feed)

    def seconds(session: Session) -> float:
        return (site.sessions.ends_at(session) - site.now()).total_seconds()

    site.offer("live", Strip(feed=feed, seconds=seconds))
    streams = Streams()

    async def events(request: Request) -> Response:
        if feed is None:
            raise HTTPException(404)
        session = site.session(request)  # a page that listens is no act of a person
        if session is None:
            raise SignedOut
        looker = Looker(principal=session.principal, session=session)
        request.state.principal = looker.principal
        whose, secret = session.digest, site.cookie.of(request)
        if not streams.take(whose):
            return Response(status_code=503, headers={**HEADERS, "Retry-After": "60"})
        told = _tell(feed, looker, _position(request), left=_Left(site, secret, looker))
        content = _until_closed(told, lambda: streams.give_back(whose))
        return _Stream(content, ping=0, headers=HEADERS, send_timeout=_SEND_SECONDS)

    async def stay(request: Request) -> Response:
        """Go on with a session that would end: the person asked for it, and nothing else is said."""
        await site.form(request)
        return Response(status_code=204, headers=HEADERS)

    return [Route("/events", events, methods=["GET"]), Route("/stay", stay, methods=["POST"])]


async def _until_closed(
    told: AsyncIterator[ServerSentEvent], done: Callable[[], None]
) -> AsyncIterator[ServerSentEvent]:
    try:
        async for event in told:
            yield event
    finally:
        done()


def _position(request: Request) -> int | None:
    """Give the last number that the page knows of; None where it says none that can be one."""
    said = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return whole_number(said)


class _Left:
    """For how long the person at a stream may go on looking, asked now and then.

    Args:
        site: whose sessions.
        secret: the cookie's.
        looker: who opened the stream.
    """

    def __init__(self, site: Site, secret: str, looker: Looker) -> None:
        self._site = site
        self._secret = secret
        self._looker = looker
        self._asked = time.monotonic()
        self._session = looker.session

    async def __call__(self, *, anew: bool) -> float | None:
        """Give the seconds, asking now if they are to be said; None where it is over, or somebody else looks now."""
        if anew or time.monotonic() - self._asked >= _SESSION_SECONDS:
            with suppress(Unavailable):  # then the stream has no beat either, and the page says that it is not live
                self._session = await self._site.sessions.peek(self._secret)
            self._asked = time.monotonic()
        if self._session is None or self._session.principal != self._looker.principal:
            return None
        return (self._site.sessions.ends_at(self._session) - self._site.now()).total_seconds()


async def _tell(feed: Feed, looker: Looker, position: int | None, *, left: _Left) -> AsyncIterator[ServerSentEvent]:
    """Tell one page what moves, until its session or the gateway ends."""
    beaten = said = float("-inf")
    yield ServerSentEvent(comment="open", retry=3000)
    while not feed.stopped.is_set():
        says = time.monotonic() - said >= BEAT_SECONDS
        seconds = await left(anew=says)
        if seconds is None:
            yield ServerSentEvent(event="ended", data="{}")
            return
        changes, until = feed.after(position) if position is not None else None, feed.position
        if changes is None:
            yield ServerSentEvent(event="reset", id=str(until), data="{}")
        for change in _once(changes or (), looker):
            yield ServerSentEvent(event="moved", id=str(change.seq), data=_data(change))
        position = until
        if says:
            said = time.monotonic()
            yield ServerSentEvent(event="session", data=_json(left=max(0, int(seconds))))
        if feed.fresh and time.monotonic() - beaten >= BEAT_SECONDS:
            beaten = time.monotonic()
            at = f"{feed.read_at.astimezone(LONDON):%H:%M:%S}"
            yield ServerSentEvent(event="beat", id=str(until), data=_json(at=at))
        await asyncio.sleep(_GAP_SECONDS if changes else 0)
        await feed.wait(position, seconds=_LOOK_SECONDS)


def _once(changes: Sequence[Change], looker: Looker) -> Iterable[Change]:
    """Give what this person may know of, each thing once, however often it moved.

    Who may see no patient's prescription is told that something of the organisation moved, and of which nothing.
    """
    patients = looker.may(Action.READ_CONSOLE)
    theirs = (change for change in changes if change.is_for(looker.tenant))
    seen = (change if patients else replace(change, prescription_id=None) for change in theirs)
    return sorted({(change.prescription_id, change.kind): change for change in seen}.values(), key=_seq)


def _seq(change: Change) -> int:
    return change.seq


def _data(change: Change) -> str:
    subject = str(change.prescription_id) if change.prescription_id else ""
    return _json(id=subject, version=change.seq, kind=change.kind)


def _json(**values: str | int) -> str:
    return dumps({**values}).decode()
