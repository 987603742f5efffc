"""Sessions of the console: what the store promises of them, so that every node knows who was let in by another.

Nothing here is an audit leaf: who came in, looked and left is noted by the console itself.

Source: console.md 7; reliability-security.md 8 (pharmacist).
"""

from datetime import datetime
from typing import Protocol

from gateway.domain.session import KeptSession, Why


class SessionWrites(Protocol):
    """One transaction each; durable on return."""

    async def open_session(self, session: KeptSession, *, alone: bool) -> str:
        """Open a session, and forget what is too old to be of use to anybody.

        Args:
            session: not open yet. What its person typed in an earlier one, and nobody has taken up, is its own now.
            alone: whether it ends every other of the same name.

        Returns:
            The page on which something was typed last and not sent; empty if there is none.
        """

    async def see_session(self, digest: str, *, now: datetime) -> None:
        """Write down that its person asked for something."""

    async def end_session(self, digest: str, *, why: Why, now: datetime) -> None:
        """End a session; one that is over keeps its reason. What was searched for in it is forgotten."""

    async def end_sessions(self, name: str, *, why: Why, now: datetime, order: str = "") -> int | None:
        """End every session of a person.

        Args:
            name: short name.
            why: why.
            now: when.
            order: id of the order that is obeyed, which counts once; empty where nobody ordered it.

        Returns:
            How many were ended; None where the order was obeyed before.
        """

    async def use_form(self, digest: str, token: str, *, now: datetime) -> bool:
        """Tell whether a form of a session is sent for the first time; it never is again."""

    async def say_next(self, digest: str, *, notice: str, token: str = "", path: str = "") -> None:
        """Keep what the next page says once, and where a form led that was sent; an empty notice takes back none."""

    async def said(self, digest: str, *, notice: str) -> None:
        """Forget what was said."""

    async def keep_search(self, digest: str, key: str, sought: str, *, now: datetime) -> None:
        """Keep what was searched for under an opaque id; of one session the oldest are forgotten.

        Anything else that a session is to know for a while is kept so too. Under one key the later stands.
        """

    async def keep_form(self, name: str, path: str, typed: str, *, now: datetime, digest: str = "") -> None:
        """Keep what a person typed on a page, in place of what was kept of it; of one person the oldest are forgotten.

        Args:
            name: short name of the person, who alone gets it back.
            path: the page.
            typed: its fields.
            now: when.
            digest: the session that has it; empty where it is for the next one.
        """

    async def forget_form(self, name: str, path: str) -> None:
        """Forget what was kept of a page: it was sent."""


class SessionReads(Protocol):
    """What is asked for each page; no tenant narrows it, for nobody asks but with the secret of the cookie."""

    async def session(self, digest: str) -> KeptSession | None:
        """Give a session, whether it is over or not; None where nothing is known of it, or no more."""

    async def led_to(self, digest: str, token: str) -> str:
        """Give where a form led that was sent; empty while that is not known."""

    async def is_used(self, digest: str, token: str) -> bool:
        """Tell whether a token of a session was used."""

    async def sought(self, digest: str, key: str) -> str | None:
        """Give what was searched for in a session."""
