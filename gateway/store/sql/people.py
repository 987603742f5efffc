"""People of the console: who was let in, and roles granted here until a date.

Leaves name people by their short names alone; what they are called stands in these tables, for the pages.

Source: console.md 6.10; reliability-security.md I10.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.person import Grant, GrantView, Seen, why_not_granted
from gateway.domain.session import Why
from gateway.store.sql import sessions
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Row, Transaction

_SHOWN_FOR: Final = timedelta(days=90)
_SEEN: Final = """
INSERT INTO person (name, role, tenant, person, first_at, last_at) VALUES (:name, :role, :tenant, :person, :at, :at)
ON CONFLICT (name, role, tenant) DO UPDATE SET person = excluded.person, last_at = excluded.last_at
"""
_PEOPLE: Final = """
SELECT name, person, role, tenant, first_at, last_at FROM person WHERE :tenant = '' OR tenant = :tenant
ORDER BY tenant, person, name, role LIMIT :most
"""
_COLUMNS: Final = """
SELECT id, name, person, role, tenant, reason, proposed_by, second_by, given_at, until, ended_by, ended_at
FROM local_grant
"""
_BY_ID: Final = f"{_COLUMNS} WHERE id = :id AND (:tenant = '' OR tenant = :tenant)"
_GRANTS: Final = f"""{_COLUMNS} WHERE until > :since AND (ended_at IS NULL OR ended_at > :since)
    AND (:tenant = '' OR tenant = :tenant)
ORDER BY given_at DESC, id LIMIT :most"""
_OF: Final = f"{_COLUMNS} WHERE name = :name AND until > :now AND ended_at IS NULL ORDER BY until"
_GIVE: Final = """
INSERT INTO local_grant (id, name, person, role, tenant, reason, proposed_by, second_by, given_at, until)
VALUES (:id, :name, :person, :role, :tenant, :reason, :by, :second, :at, :until)
"""
_END: Final = """
UPDATE local_grant SET ended_by = :by, ended_at = :at, ended_for = :reason WHERE id = :id AND ended_at IS NULL
"""


def let_in(
    transaction: Transaction, name: str, *, person: str, role: str, tenant: OdsCode | None, now: datetime
) -> None:
    """Write down who takes which role."""
    values = {"name": name, "person": person, "role": role, "tenant": str(tenant or ""), "at": stored(now)}
    transaction.run(_SEEN, values)


def grant(transaction: Transaction, wanted: Grant) -> tuple[str, ...]:
    """Give a role until a date, once. Gives why not, in words; empty when it is given."""
    if transaction.row(_BY_ID, {"id": wanted.id.bytes, "tenant": ""}) is not None:
        return ()
    people = (wanted.by, wanted.second_by)
    faults = why_not_granted(wanted.name, until=wanted.until, now=wanted.at, people=people)
    if faults:
        return faults
    transaction.run(
        _GIVE,
        {
            "id": wanted.id.bytes,
            "name": wanted.name,
            "person": wanted.person,
            "role": wanted.role,
            "tenant": str(wanted.tenant or ""),
            "reason": wanted.reason,
            "by": wanted.by,
            "second": wanted.second_by,
            "at": stored(wanted.at),
            "until": stored(wanted.until),
        },
    )
    facts = {"role": wanted.role, "tenant": str(wanted.tenant or ""), "until": wanted.until.isoformat()}
    _leaf(transaction, wanted.id, "granted", wanted.at, by=wanted.second_by, to=wanted.name, **facts)
    return ()


def end(
    transaction: Transaction, key: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
) -> tuple[str, ...]:
    """End a grant before its date, and every session of whoever had it. Gives why not, in words; empty when ended."""
    row = transaction.row(_BY_ID, {"id": key.bytes, "tenant": str(tenant or "")})
    if row is None:
        return ("There is no such role.",)
    found = _view(row)
    if not found.in_force(now):
        return (f"{found.ended_by} has ended it already." if found.ended_by else "It has ended by itself already.",)
    transaction.run(_END, {"id": key.bytes, "by": by, "at": stored(now), "reason": reason})
    sessions.end_all(transaction, found.grant.name, why=Why.POST, now=now)
    _leaf(transaction, key, "ended", now, by=by, to=found.grant.name, reason_digest=reason_digest(reason))
    return ()


def everybody(reader: Reader, *, tenant: OdsCode | None, limit: int) -> tuple[Seen, ...]:
    """Give who was let in, by organisation and name."""
    rows = reader.execute(_PEOPLE, {"tenant": str(tenant or ""), "most": limit})
    return tuple(
        Seen(
            name=name,
            person=person,
            role=role,
            tenant=OdsCode(code) if code else None,
            first_at=instant(first),
            last_at=instant(last),
        )
        for name, person, role, code, first, last in rows
    )


def grants(reader: Reader, *, tenant: OdsCode | None, now: datetime, limit: int) -> tuple[GrantView, ...]:
    """Give the grants in force and those that ended lately, the newest first."""
    values = {"tenant": str(tenant or ""), "since": stored(now - _SHOWN_FOR), "most": limit}
    return tuple(_view(row) for row in reader.execute(_GRANTS, values))


def granted_to(reader: Reader, name: str, *, now: datetime) -> tuple[Grant, ...]:
    """Give the grants of one person that can be taken now."""
    rows = reader.execute(_OF, {"name": name, "now": stored(now)})
    return tuple(view.grant for row in rows if (view := _view(row)).in_force(now))


def _view(row: Row) -> GrantView:
    key, name, person, role, tenant, reason, by, second, at, until, ended_by, ended_at = row
    return GrantView(
        grant=Grant(
            id=UUID(bytes=bytes(key)),
            name=name,
            person=person,
            role=role,
            tenant=OdsCode(tenant) if tenant else None,
            reason=reason,
            by=by,
            second_by=second,
            at=instant(at),
            until=instant(until),
        ),
        ended_by=ended_by,
        ended_at=instant(ended_at) if ended_at is not None else None,
    )


def _leaf(transaction: Transaction, key: UUID, act: str, at: datetime, **facts: str) -> None:
    append_leaf(transaction, "grant", at=at, act=act, grant=str(key), **facts)
