"""What moved, read from the audit leaves: see `gateway.ports.changes`."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.ports.changes import Change, Moved
from gateway.store.sql.transaction import Reader

_SINCE = "SELECT seq, kind, body FROM audit_leaf WHERE seq > ? AND seq <= ? ORDER BY seq"
_NEWEST = "SELECT size FROM audit_head WHERE id = 1"
_OF_LINE = """
SELECT prescription.uuid, prescription.tenant, prescription.id FROM line
JOIN prescription ON prescription.id = line.prescription WHERE line.uuid = ? ORDER BY line.id DESC LIMIT 1
"""
_OF_PRESCRIPTION = "SELECT uuid, tenant, id FROM prescription WHERE uuid = ? ORDER BY id DESC LIMIT 1"
_OF_NUMBER = """
SELECT prescription.uuid, prescription.tenant, prescription.id, alert.tenant FROM alert
LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.id = ?
"""
_OF_ALERT = """
SELECT prescription.uuid, prescription.tenant, prescription.id, alert.tenant FROM alert
LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.kind = ? AND alert.subject = ? AND alert.closed_at IS NULL
"""
_PROVIDERS = "SELECT DISTINCT provider FROM allocation WHERE prescription = ?"

_UNSEEN: Final = frozenset({"access", "seal", "callback", "submission", "configuration"})
"""What no page shows by itself: readings, and what always comes with the event that follows from it."""


def newest(reader: Reader) -> int:
    """Give the number of the newest leaf."""
    ((size,),) = reader.execute(_NEWEST)
    return int(size)


def since(reader: Reader, *, seq: int, limit: int) -> Moved:
    """Give what moved after a number: the leaves of at most so many numbers, without those that no page shows."""
    last = newest(reader)
    until = min(last, seq + limit)
    leaves = list(reader.execute(_SINCE, (seq, until)))
    known: dict[tuple[str, ...], tuple[UUID | None, frozenset[OdsCode]]] = {}
    found = tuple(_changes(reader, leaves, known))
    return Moved(changes=found, position=max(until, 0), newest=last)


def _changes(
    reader: Reader, leaves: list[tuple[Any, ...]], known: dict[tuple[str, ...], tuple[UUID | None, frozenset[OdsCode]]]
) -> Iterator[Change]:
    for seq, kind, body in leaves:
        if kind in _UNSEEN:
            continue
        facts: dict[str, Any] = msgspec.json.decode(body)
        names = ("line", "prescription", "number", "alert", "subject")
        key = tuple(str(facts.get(name, "")) for name in names)
        if key not in known:
            known[key] = _whose(reader, facts)
        prescription, seen_by = known[key]
        yield Change(seq=seq, kind=kind, prescription_id=prescription, seen_by=seen_by)


def _whose(reader: Reader, facts: dict[str, Any]) -> tuple[UUID | None, frozenset[OdsCode]]:
    """Find the prescription that a leaf is about, and who may see it."""
    for name, statement in (("line", _OF_LINE), ("prescription", _OF_PRESCRIPTION)):
        wanted = parse_uuid(str(facts.get(name, "")))
        row = next(iter(reader.execute(statement, (wanted.bytes,))), None) if wanted else None
        if row is not None:
            return _seen(reader, row)
    if "alert" in facts:
        row = next(iter(_of_alert(reader, facts)), None)
        if row is not None and row[0] is not None:
            return _seen(reader, row)
        if row is not None and row[3] is not None:
            return None, frozenset({OdsCode(row[3])})
    return None, frozenset()


def _of_alert(reader: Reader, facts: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Give the alert that a leaf is about: by its number where that is said, else the one that is open."""
    number = facts.get("number", facts["alert"])
    if isinstance(number, int):
        yield from reader.execute(_OF_NUMBER, (number,))
    else:
        yield from reader.execute(_OF_ALERT, (str(facts["alert"]), str(facts.get("subject", ""))))


def _seen(reader: Reader, row: tuple[Any, ...]) -> tuple[UUID, frozenset[OdsCode]]:
    providers = (OdsCode(provider) for (provider,) in reader.execute(_PROVIDERS, (row[2],)))
    return UUID(bytes=row[0]), frozenset({OdsCode(row[1]), *providers})
