"""What people do about what needs attention: take it, hand it over, put it off, and write down what they were told.

An act means every alert that is open for the line of the one named, so that a line is one person's. Nothing here ends
anything: a row leaves the list when its line moves on, or when a person closes it with a reason.

Source: console.md 6.1; reliability-security.md I3.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import NO_SUCH_ITEM, Call
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.reckoning import renew
from gateway.store.sql.transaction import Transaction

_ALERT: Final = """
SELECT alert.id, alert.line, alert.subject, alert.kind, alert.taken_by, alert.closed_at, alert.closed_by,
    alert.taken_at
FROM alert WHERE alert.id = :alert AND (CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant)
"""
_OF_LINE: Final = "SELECT id FROM alert WHERE line = ? AND closed_at IS NULL ORDER BY id"
_TAKE: Final = "UPDATE alert SET taken_by = :by, taken_at = :at, snoozed_until = NULL WHERE id = :alert"
_PUT_OFF: Final = "UPDATE alert SET snoozed_until = :until WHERE id = :alert"
_NOTE: Final = """
INSERT INTO work_note (alert, line, at, by, kind, person, spoken_at, until, days_at_home, words)
VALUES (:alert, :line, :at, :by, :kind, :person, :spoken_at, :until, :days_at_home, :words)
"""


def take(
    transaction: Transaction,
    alerts: Sequence[int],
    *,
    by: str,
    seen: Mapping[int, str],
    tenant: OdsCode | None,
    now: datetime,
) -> Mapping[int, str]:
    """Take items: from nobody, or from whom the page said."""
    return _each(
        transaction,
        alerts,
        tenant,
        lambda row: _give(transaction, row, to=by, by=by, seen=seen.get(row[0], ""), now=now),
    )


def hand_over(
    transaction: Transaction,
    alerts: Sequence[int],
    *,
    to: str,
    by: str,
    seen: Mapping[int, str],
    tenant: OdsCode | None,
    now: datetime,
) -> Mapping[int, str]:
    """Hand items to a named person, who has them from when they take them: until then the ladder goes on."""
    return _each(
        transaction,
        alerts,
        tenant,
        lambda row: _give(transaction, row, to=to, by=by, seen=seen.get(row[0], ""), now=now),
    )


def put_off(
    transaction: Transaction,
    alert: int,
    *,
    until: datetime,
    latest: datetime,
    reason: str,
    by: str,
    tenant: OdsCode | None,
    now: datetime,
) -> str:
    """Put an item off; it comes back by itself."""
    if until <= now:
        return "that time is over already"
    if until > latest:
        return "somebody must act before that: choose an earlier time"

    def act(row: tuple[Any, ...]) -> str:
        for one in _open_of(transaction, row):
            transaction.run(_PUT_OFF, {"alert": one, "until": stored(until)})
        _note(transaction, row, by=by, kind="put off", until=stored(until), words=reason, now=now)
        _leaf(
            transaction,
            row,
            by=by,
            act="put-off",
            now=now,
            until=until.isoformat(),
            reason_digest=reason_digest(reason),
        )
        return ""

    return _each(transaction, (alert,), tenant, act)[alert]


def log_call(
    transaction: Transaction, alert: int, call: Call, *, by: str, tenant: OdsCode | None, now: datetime
) -> str:
    """Write down what somebody said; what they said of the patient's stock counts from now on."""
    if call.spoken_at > now:
        return "that time is still to come"

    def act(row: tuple[Any, ...]) -> str:
        said = {"spoken_at": stored(call.spoken_at), "days_at_home": call.days_at_home}
        _note(transaction, row, by=by, kind="call", person=call.person, words=call.words, now=now, **said)
        _leaf(transaction, row, by=by, act="call", now=now, reason_digest=reason_digest(call.words))
        if call.days_at_home is not None and row[1] is not None:
            renew(transaction, row[1])
        return ""

    return _each(transaction, (alert,), tenant, act)[alert]


def reminded(
    transaction: Transaction,
    alerts: Sequence[int],
    *,
    person: str,
    words: str,
    by: str,
    tenant: OdsCode | None,
    now: datetime,
) -> Mapping[int, str]:
    """Write down that a provider was reminded."""

    def act(row: tuple[Any, ...]) -> str:
        _note(transaction, row, by=by, kind="reminded", person=person, words=words, now=now)
        _leaf(transaction, row, by=by, act="reminded", now=now)
        return ""

    return _each(transaction, alerts, tenant, act)


def _each(
    transaction: Transaction,
    alerts: Sequence[int],
    tenant: OdsCode | None,
    act: Callable[[tuple[Any, ...]], str],
) -> Mapping[int, str]:
    """Do it to each that is open and the tenant's own."""
    answers: dict[int, str] = {}
    for alert in dict.fromkeys(alerts):
        row = transaction.row(_ALERT, {"alert": alert, "tenant": tenant.value if tenant else None})
        if row is None:
            answers[alert] = NO_SUCH_ITEM
        elif row[5] is not None:
            answers[alert] = f"{row[6]} has closed it meanwhile"
        else:
            answers[alert] = act(row)
    return answers


def _give(transaction: Transaction, row: tuple[Any, ...], *, to: str, by: str, seen: str, now: datetime) -> str:
    has, own, took = row[4], to == by, row[7] is not None
    if has == to and (took or not own):
        return ""
    if has not in {seen, to}:
        return f"{has} has taken it meanwhile" if has else "it was given back meanwhile"
    for one in _open_of(transaction, row):
        transaction.run(_TAKE, {"alert": one, "by": to, "at": stored(now) if own else None})
    _note(transaction, row, by=by, kind="taken" if own else "handed over", person=to, now=now)
    _leaf(transaction, row, by=by, act="taken" if own else "handed-over", now=now, to=to)
    return ""


def _open_of(transaction: Transaction, row: tuple[Any, ...]) -> list[int]:
    """Give every alert that is open for the line of one."""
    if row[1] is None:
        return [row[0]]
    return [alert for (alert,) in transaction.rows(_OF_LINE, (row[1],))]


def _note(
    transaction: Transaction,
    row: tuple[Any, ...],
    *,
    by: str,
    kind: str,
    now: datetime,
    person: str = "",
    words: str = "",
    spoken_at: int | None = None,
    until: int | None = None,
    days_at_home: int | None = None,
) -> None:
    times = {"at": stored(now), "spoken_at": spoken_at, "until": until, "days_at_home": days_at_home}
    what = {"alert": row[0], "line": row[1], "by": by, "kind": kind, "person": person, "words": words}
    transaction.run(_NOTE, {**what, **times})


def _leaf(transaction: Transaction, row: tuple[Any, ...], *, by: str, act: str, now: datetime, **facts: str) -> None:
    append_leaf(transaction, "work", at=now, act=act, alert=row[3], number=row[0], subject=row[2], by=by, **facts)
