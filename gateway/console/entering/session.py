"""One browser that was let in: who looks, what its forms must carry, what it searched for.

What was searched for lives here, on this side: addresses hold an opaque id of the search, never an NHS number.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from gateway.access.posts import Post
from gateway.access.principal import Principal

_MOST_SEARCHES: Final = 32
_MOST_FORMS: Final = 512

Value = TypeVar("Value")

Typed = Mapping[str, tuple[str, ...]]
"""What was typed into a form: each field with its values."""


@dataclass(slots=True)
class _Use:
    """What became of a form that was sent."""

    path: str = ""
    known: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser.

    Attributes:
        csrf: what a form of this session must carry.
        notice: what the next page is to say once.
        person: the human being's own name; empty where only the short name is known.
        posts: what the person may be here; one of them at a time.
        until: when the post that is taken ends, if it does.
        developing: let in by the development link, and free to be any invented person.
        searches: opaque id to what was searched for; the oldest are forgotten.
        typed: what was typed where, and not sent because an earlier session was over; by the page it stood on.
    """

    principal: Principal
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    opened_at: datetime
    seen_at: datetime
    notice: str = ""
    person: str = field(default="", repr=False)
    posts: tuple[Post, ...] = ()
    until: datetime | None = None
    developing: bool = False
    searches: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)
    typed: dict[str, Typed] = field(default_factory=dict, repr=False)
    _fresh: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)
    _used: OrderedDict[str, _Use] = field(default_factory=OrderedDict, repr=False)

    def take_notice(self) -> str:
        """Give what is to be said once, and forget it."""
        notice, self.notice = self.notice, ""
        return notice

    def remember(self, sought: str) -> str:
        """Keep a search and give its opaque id."""
        key = secrets.token_urlsafe(12)
        self.searches[key] = sought
        _keep(self.searches, _MOST_SEARCHES)
        return key

    def token(self) -> str:
        """Give a token for one form: what is sent with it is done once, however often it is sent."""
        token = secrets.token_urlsafe(16)
        self._fresh[token] = None
        _keep(self._fresh, _MOST_FORMS)
        return token

    def use(self, token: str) -> bool:
        """Tell whether a form's token is used for the first time; it never is again."""
        if token not in self._fresh:
            return False
        del self._fresh[token]
        self._used[token] = _Use()
        _keep(self._used, _MOST_FORMS)
        return True

    def lead(self, token: str, path: str) -> None:
        """Keep where a form led, for whoever sends it again."""
        if (use := self._used.get(token)) is not None:
            use.path = path
            use.known.set()

    def knows(self, token: str) -> bool:
        """Tell whether a token is still remembered: of one that is not, nobody can say whether it was used."""
        return token in self._fresh or token in self._used

    async def led(self, token: str, *, seconds: float) -> str:
        """Give where a form led when it was first sent, waiting a little while it is being done; empty if unknown."""
        use = self._used.get(token)
        if use is None:
            return ""
        with suppress(TimeoutError):
            await asyncio.wait_for(use.known.wait(), seconds)
        return use.path

    def keep_typed(self, path: str) -> Typed:
        """Give what was typed on a page and not sent; nothing where nothing was."""
        return self.typed.get(path, MappingProxyType({}))


def _keep(kept: OrderedDict[str, Value], most: int) -> None:
    """Forget the oldest."""
    while len(kept) > most:
        kept.popitem(last=False)
