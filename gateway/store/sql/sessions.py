"""Sessions of the console, by the digests of their secrets, with what their people searched for, typed and sent.

All of it is of use for hours: whoever opens a session clears away what is older than a day, and a restore all of it.

Source: console.md 7; reliability-security.md 8 (pharmacist).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from gateway.domain.session import KeptSession, Why
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Reader, Transaction

_KEPT_FOR: Final = timedelta(hours=24)
"""Longer than any session lasts, and than anybody is told why it ended."""
_TYPED_FOR: Final = timedelta(hours=12)
_MOST_SEARCHES: Final = 32
_MOST_FORMS: Final = 4

_OLD: Final = "DELETE FROM console_session WHERE seen_at < :at"
_OLD_ONCE: Final = "DELETE FROM console_once WHERE at < :at"
_OLD_SEARCHES: Final = "DELETE FROM console_search WHERE at < :at"
_OLD_FORMS: Final = "DELETE FROM console_form WHERE at < :at"
_OPEN: Final = """
INSERT INTO console_session (digest, name, who, opened_at, seen_at, path, notice)
VALUES (:digest, :name, :who, :opened, :seen, :path, :notice)
"""
_TAKE_UP: Final = "UPDATE console_form SET session = :digest WHERE name = :name AND session = ''"
_LAST_TYPED: Final = "SELECT path FROM console_form WHERE session = :digest ORDER BY at DESC, path LIMIT 1"
_SEE: Final = "UPDATE console_session SET seen_at = :at WHERE digest = :digest AND ended_at IS NULL AND seen_at < :at"
_END: Final = """
UPDATE console_session SET ended_at = :at, why = :why, notice = '' WHERE digest = :digest AND ended_at IS NULL
"""
_OF: Final = "SELECT digest FROM console_session WHERE name = :name AND ended_at IS NULL"
_NO_SEARCHES: Final = "DELETE FROM console_search WHERE session = :digest"
_ONCE: Final = """
INSERT INTO console_once (whose, token, at) VALUES (:whose, :token, :at) ON CONFLICT (whose, token) DO NOTHING
"""
_ORDERS: Final = "orders to end sessions"
"""Whose these are in `console_once`; no digest is called so."""
_SAY: Final = "UPDATE console_session SET notice = :notice WHERE digest = :digest AND ended_at IS NULL"
_LED: Final = "UPDATE console_once SET led_to = :path WHERE whose = :digest AND token = :token"
_SAID: Final = "UPDATE console_session SET notice = '' WHERE digest = :digest AND notice = :notice"
_SEARCH: Final = """
INSERT INTO console_search (session, key, sought, at) VALUES (:digest, :key, :sought, :at)
ON CONFLICT (session, key) DO UPDATE SET sought = excluded.sought, at = excluded.at
"""
_FEWER_SEARCHES: Final = """
DELETE FROM console_search WHERE session = :digest AND key NOT IN (
    SELECT key FROM console_search WHERE session = :digest ORDER BY at DESC, key LIMIT :most)
"""
_FORM: Final = """
INSERT INTO console_form (name, path, typed, at, session) VALUES (:name, :path, :typed, :at, :digest)
ON CONFLICT (name, path) DO UPDATE SET typed = excluded.typed, at = excluded.at, session = excluded.session
"""
_FEWER_FORMS: Final = """
DELETE FROM console_form WHERE name = :name AND path NOT IN (
    SELECT path FROM console_form WHERE name = :name ORDER BY at DESC, path LIMIT :most)
"""
_NO_FORM: Final = "DELETE FROM console_form WHERE name = :name AND path = :path"
_SESSION: Final = """
SELECT s.digest, s.name, s.who, s.opened_at, s.seen_at, s.path, s.notice, s.ended_at, s.why, f.path, f.typed
FROM console_session AS s LEFT JOIN console_form AS f ON f.session = s.digest AND f.name = s.name
WHERE s.digest = :digest ORDER BY f.at
"""
_LED_TO: Final = "SELECT led_to FROM console_once WHERE whose = :digest AND token = :token"
_SOUGHT: Final = "SELECT sought FROM console_search WHERE session = :digest AND key = :key"
_EVERY: Final = (
    "DELETE FROM console_session",
    "DELETE FROM console_once",
    "DELETE FROM console_search",
    "DELETE FROM console_form",
)


def open_session(transaction: Transaction, session: KeptSession, *, alone: bool) -> str:
    """Open a session. Gives the page on which its person typed something last and could not send it."""
    now = session.seen_at
    for statement in (_OLD, _OLD_ONCE, _OLD_SEARCHES):
        transaction.run(statement, {"at": stored(now - _KEPT_FOR)})
    transaction.run(_OLD_FORMS, {"at": stored(now - _TYPED_FOR)})
    if alone:
        end_all(transaction, session.name, why=Why.ELSEWHERE, now=now)
    values = {"digest": session.digest, "name": session.name, "who": session.who, "path": session.path}
    times = {"opened": stored(session.opened_at), "seen": stored(now)}
    transaction.run(_OPEN, {**values, **times, "notice": session.notice})
    if session.path:
        return ""
    transaction.run(_TAKE_UP, {"digest": session.digest, "name": session.name})
    last = transaction.row(_LAST_TYPED, {"digest": session.digest})
    return str(last[0]) if last else ""


def see(transaction: Transaction, digest: str, *, now: datetime) -> None:
    """Write down that its person asked for something; time never goes back."""
    transaction.run(_SEE, {"digest": digest, "at": stored(now)})


def end(transaction: Transaction, digest: str, *, why: Why, now: datetime) -> None:
    """End a session; one that is over keeps its reason."""
    transaction.run(_END, {"digest": digest, "why": why.value, "at": stored(now)})
    transaction.run(_NO_SEARCHES, {"digest": digest})


def end_all(transaction: Transaction, name: str, *, why: Why, now: datetime, order: str = "") -> int | None:
    """End every session of a person, and tell how many there were; None where the order was obeyed before."""
    if order and not use(transaction, _ORDERS, order, now=now):
        return None
    theirs = [str(digest) for (digest,) in transaction.rows(_OF, {"name": name})]
    for digest in theirs:
        end(transaction, digest, why=why, now=now)
    return len(theirs)


def use(transaction: Transaction, whose: str, token: str, *, now: datetime) -> bool:
    """Tell whether a token is used for the first time."""
    return transaction.changed(_ONCE, {"whose": whose, "token": token, "at": stored(now)})


def say_next(transaction: Transaction, digest: str, *, notice: str, token: str, path: str) -> None:
    """Keep what the next page says once, and where a form led."""
    if notice:
        transaction.run(_SAY, {"digest": digest, "notice": notice})
    if token:
        transaction.run(_LED, {"digest": digest, "token": token, "path": path})


def said(transaction: Transaction, digest: str, *, notice: str) -> None:
    """Forget what was said, unless something else is to be said by now."""
    transaction.run(_SAID, {"digest": digest, "notice": notice})


def keep_search(transaction: Transaction, digest: str, key: str, sought: str, *, now: datetime) -> None:
    """Keep what was searched for under an opaque id, or anything that a session is to know under a name."""
    transaction.run(_SEARCH, {"digest": digest, "key": key, "sought": sought, "at": stored(now)})
    transaction.run(_FEWER_SEARCHES, {"digest": digest, "most": _MOST_SEARCHES})


def keep_form(transaction: Transaction, name: str, path: str, typed: str, *, now: datetime, digest: str) -> None:
    """Keep what a person typed on a page and could not send."""
    values = {"name": name, "path": path, "typed": typed, "at": stored(now), "digest": digest}
    transaction.run(_FORM, values)
    transaction.run(_FEWER_FORMS, {"name": name, "most": _MOST_FORMS})


def forget_form(transaction: Transaction, name: str, path: str) -> None:
    """Forget what was kept of a page."""
    transaction.run(_NO_FORM, {"name": name, "path": path})


def forget_all(transaction: Transaction) -> None:
    """End a life of the store: whom an earlier one let in comes in anew."""
    for statement in _EVERY:
        transaction.run(statement)


def session(reader: Reader, digest: str) -> KeptSession | None:
    """Give a session, whether it is over or not."""
    rows = list(reader.execute(_SESSION, {"digest": digest}))
    if not rows:
        return None
    key, name, who, opened, seen, path, notice, ended, why, *_ = rows[0]
    typed: Mapping[str, str] = {form: fields for *_, form, fields in rows if form is not None}
    return KeptSession(
        digest=key,
        name=name,
        who=who,
        opened_at=instant(opened),
        seen_at=instant(seen),
        path=path,
        notice=notice,
        ended_at=instant(ended) if ended is not None else None,
        why=Why(why) if why else None,
        typed=MappingProxyType(typed),
    )


def led_to(reader: Reader, digest: str, token: str) -> str:
    """Give where a form led that was sent; empty while that is not known."""
    row = next(iter(reader.execute(_LED_TO, {"digest": digest, "token": token})), None)
    return str(row[0]) if row else ""


def is_used(reader: Reader, digest: str, token: str) -> bool:
    """Tell whether a token of a session was used."""
    return any(reader.execute(_LED_TO, {"digest": digest, "token": token}))


def sought(reader: Reader, digest: str, key: str) -> str | None:
    """Give what was searched for in a session."""
    row = next(iter(reader.execute(_SOUGHT, {"digest": digest, "key": key})), None)
    return str(row[0]) if row else None
