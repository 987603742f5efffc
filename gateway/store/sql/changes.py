"""What moved, read from the audit leaves: see `gateway.ports.changes`."""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.ports.changes import Change, Moved
from gateway.store.sql.seeing import OWN_ALERT, sights
from gateway.store.sql.transaction import Reader

_SINCE = "SELECT seq, kind, body FROM audit_leaf WHERE seq > ? AND seq <= ? ORDER BY seq"
_OF_PROPOSAL = "SELECT tenant FROM proposal WHERE id = ?"
_NEWEST = "SELECT size FROM audit_head WHERE id = 1"
_OF_LINE = """
SELECT prescription.uuid, prescription.tenant, prescription.id, line.id FROM line
JOIN prescription ON prescription.id = line.prescription WHERE line.uuid = ? ORDER BY line.id DESC LIMIT 1
"""
_OF_PRESCRIPTION = "SELECT uuid, tenant, id, NULL FROM prescription WHERE uuid = ? ORDER BY id DESC LIMIT 1"
_OF_NUMBER = """
SELECT prescription.uuid, prescription.tenant, prescription.id, line.id, alert.tenant, alert.id FROM alert
LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.id = ?
"""
_OF_ALERT = """
SELECT prescription.uuid, prescription.tenant, prescription.id, line.id, alert.tenant, alert.id FROM alert
LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.kind = ? AND alert.subject = ? AND alert.closed_at IS NULL
"""
_HOLDERS = "SELECT DISTINCT provider FROM allocation WHERE prescription = ? AND ended_at IS NULL"
_HAD = "SELECT provider, ended_at IS NULL FROM allocation WHERE line = ? ORDER BY epoch"
_ITS_PROVIDER = OWN_ALERT.replace(":tenant", "alert.provider")
_CONCERNED = f"SELECT provider FROM alert WHERE id = ? AND {_ITS_PROVIDER}"  # noqa: S608 - our own words alone

_ORGANISATIONS: Final = ("trust", "tenant")
"""Under these a leaf says whose the thing is that it is about, where that is no prescription's."""
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
        names = ("line", "prescription", "number", "alert", "subject", "event_seq", "proposal", *_ORGANISATIONS)
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
            return _seen(row, _of_line(reader, row, facts) if name == "line" else _holders(reader, row[2]))
    if "alert" in facts:
        row = next(iter(_of_alert(reader, facts)), None)
        if row is not None and row[0] is not None:
            return _seen(row, [provider for (provider,) in reader.execute(_CONCERNED, (row[5],))])
        if row is not None and row[4] is not None:
            return None, frozenset({OdsCode(row[4])})
    return None, frozenset(_organisations(reader, facts))


def _organisations(reader: Reader, facts: dict[str, Any]) -> Iterator[OdsCode]:
    """Give whose something is that is of no prescription: a message, a code, what waits for a second person."""
    for name in _ORGANISATIONS:
        if (code := OdsCode.parse(str(facts.get(name, "")))) is not None:
            yield code
    if (proposal := parse_uuid(str(facts.get("proposal", "")))) is not None:
        for (tenant,) in reader.execute(_OF_PROPOSAL, (proposal.bytes,)):
            if tenant is not None:
                yield OdsCode(tenant)


def _holders(reader: Reader, prescription: int) -> list[str]:
    return [provider for (provider,) in reader.execute(_HOLDERS, (prescription,))]


def _of_line(reader: Reader, row: tuple[Any, ...], facts: dict[str, Any]) -> list[str]:
    """Give the providers that may know of something about a line: who has it, and of an event who may see that."""
    had = list(reader.execute(_HAD, (row[3],)))
    if "event_seq" not in facts or all(live for _, live in had):
        return [provider for provider, live in had if live]
    return [provider for provider in {one for one, _ in had} if _shown(reader, row, provider, facts["event_seq"])]


def _shown(reader: Reader, row: tuple[Any, ...], provider: str, event: int) -> bool:
    sight = sights(reader, [row[2]], OdsCode(provider)).get(row[3])
    return sight is not None and sight.shows(event)


def _of_alert(reader: Reader, facts: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Give the alert that a leaf is about: by its number where that is said, else the one that is open."""
    number = facts.get("number", facts["alert"])
    if isinstance(number, int):
        yield from reader.execute(_OF_NUMBER, (number,))
    else:
        yield from reader.execute(_OF_ALERT, (str(facts["alert"]), str(facts.get("subject", ""))))


def _seen(row: tuple[Any, ...], providers: Iterable[str]) -> tuple[UUID, frozenset[OdsCode]]:
    return UUID(bytes=row[0]), frozenset({OdsCode(row[1]), *map(OdsCode, providers)})
