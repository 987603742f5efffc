"""Sessions of a console under test, kept by the store's own statements in a database of their own, in memory."""

from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw

import gateway.store.sqlite.migrations as steps
from gateway.access.posts import Identity, Post
from gateway.access.principal import Principal
from gateway.console.entering.sessions import Sessions
from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.session import KeptSession
from gateway.store.sql.sessions_store import SessionActs, SessionAnswers
from gateway.store.sql.transaction import Reader, Row, Transaction, Values
from gateway.wire.strict_json import dumps, loads

T = TypeVar("T")
_TABLES = next(Path(steps.__path__[0]).glob("*_pre_sessions.sql")).read_text()


class Kept(SessionActs, SessionAnswers):
    """Where they are kept."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute(_TABLES)
        self._transaction = Transaction(connection=self.connection, deadlines=ALWAYS, tells=frozenset(), generation=1)
        self.away = False
        self.opened: list[str] = []

    async def open_session(self, session: KeptSession, *, alone: bool) -> str:
        self.opened.append(session.digest)
        return await super().open_session(session, alone=alone)

    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        assert tenant is None
        self._be_there()
        return question(self.connection)

    async def _run(self, write: Callable[[], T]) -> T:
        self._be_there()
        return write()

    def _be_there(self) -> None:
        if self.away:
            raise Unavailable("away")


class SessionsAtHand(Sessions):
    """Sessions that a test can look into, and change."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        announce: Callable[[str], None] = lambda _: None,
        idle: timedelta = timedelta(hours=1),
        absolute: timedelta = timedelta(hours=12),
    ) -> None:
        self.kept = Kept()
        super().__init__(now, self.kept, self.kept, announce=announce, idle=idle, absolute=absolute)

    def let_in(self, name: str, post: Post) -> str:
        """Let somebody in, and give the secret of their cookie."""
        return at_once(self.sign_in(Identity(name=name, person=name.title(), posts=(post,)), post)).secret

    def newest(self) -> KeptSession:
        """Give the session that was opened last."""
        found = at_once(self.kept.session(self.kept.opened[-1]))
        assert found is not None
        return found

    def become(self, principal: Principal, *, digest: str = "") -> None:
        """Make every browser, or one, another person's."""
        become(self.kept.connection.execute, principal, digest=digest)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("it waits")


def become(execute: Callable[[str, Values], Iterable[Row]], principal: Principal, *, digest: str = "") -> None:
    """Make every browser that is let in, or one, another person's, past the program."""
    every = list(execute("SELECT digest, who, opened_at, seen_at FROM console_session WHERE ended_at IS NULL", ()))
    for key, who, opened, seen in every:
        if digest not in {"", key}:
            continue
        read = loads(str(who).encode())
        assert isinstance(read, dict)
        tenant = principal.tenant.value if principal.tenant else ""
        read |= {"kind": principal.kind.value, "tenant": tenant, "role": principal.role.value if principal.role else ""}
        execute("DELETE FROM console_session WHERE digest = ?", (key,))
        execute(
            "INSERT INTO console_session (digest, name, who, opened_at, seen_at, path, notice)"
            " VALUES (?, ?, ?, ?, ?, '', '')",
            (key, principal.name, dumps(read).decode(), opened, seen),
        )
