"""What the store and its reading side do with sessions of the console, as `gateway.ports.sessions` promises it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from gateway.domain.identifiers import OdsCode
from gateway.domain.session import KeptSession, Why
from gateway.store.sql import sessions
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")


class SessionAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def session(self, digest: str) -> KeptSession | None:
        """See `gateway.ports.sessions.SessionReads`."""
        return await self._ask(lambda reader: sessions.session(reader, digest))

    async def led_to(self, digest: str, token: str) -> str:
        """See `gateway.ports.sessions.SessionReads`."""
        return await self._ask(lambda reader: sessions.led_to(reader, digest, token))

    async def is_used(self, digest: str, token: str) -> bool:
        """See `gateway.ports.sessions.SessionReads`."""
        return await self._ask(lambda reader: sessions.is_used(reader, digest, token))

    async def sought(self, digest: str, key: str) -> str | None:
        """See `gateway.ports.sessions.SessionReads`."""
        return await self._ask(lambda reader: sessions.sought(reader, digest, key))


class SessionActs(ABC):
    """The writes."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def open_session(self, session: KeptSession, *, alone: bool) -> str:
        """See `gateway.ports.sessions.SessionWrites`."""
        return await self._run(partial(sessions.open_session, self._transaction, session, alone=alone))

    async def see_session(self, digest: str, *, now: datetime) -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        await self._run(partial(sessions.see, self._transaction, digest, now=now))

    async def end_session(self, digest: str, *, why: Why, now: datetime) -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        await self._run(partial(sessions.end, self._transaction, digest, why=why, now=now))

    async def end_sessions(self, name: str, *, why: Why, now: datetime, order: str = "") -> int | None:
        """See `gateway.ports.sessions.SessionWrites`."""
        return await self._run(partial(sessions.end_all, self._transaction, name, why=why, now=now, order=order))

    async def use_form(self, digest: str, token: str, *, now: datetime) -> bool:
        """See `gateway.ports.sessions.SessionWrites`."""
        return await self._run(partial(sessions.use, self._transaction, digest, token, now=now))

    async def say_next(self, digest: str, *, notice: str, token: str = "", path: str = "") -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        say = partial(sessions.say_next, self._transaction, digest)
        await self._run(partial(say, notice=notice, token=token, path=path))

    async def said(self, digest: str, *, notice: str) -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        await self._run(partial(sessions.said, self._transaction, digest, notice=notice))

    async def keep_search(self, digest: str, key: str, sought: str, *, now: datetime) -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        await self._run(partial(sessions.keep_search, self._transaction, digest, key, sought, now=now))

    async def keep_form(self, name: str, path: str, typed: str, *, now: datetime, digest: str = "") -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        keep = partial(sessions.keep_form, self._transaction, name, path, typed)
        await self._run(partial(keep, now=now, digest=digest))

    async def forget_form(self, name: str, path: str) -> None:
        """See `gateway.ports.sessions.SessionWrites`."""
        await self._run(partial(sessions.forget_form, self._transaction, name, path))
