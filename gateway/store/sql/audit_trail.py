"""Who saw or did what, from the leaves of the audit; and hashing all leaves anew.

Leaves are found by an index beside them (`audit_about`), which proves nothing: what is shown is read from the leaf.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.ports.audit_trail import AuditLeaf, AuditList, AuditWanted, Busy, LeafHashes
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import EVERYBODY, by, ids_in, leaf_hash
from gateway.store.sql.transaction import Reader

LOOKED_AT: Final = 5000
"""Leaves that are looked at for one part of a list."""
_CHUNK: Final = 200
_CROSSED: Final = timedelta(minutes=10)
_TOP: Final = 2**62
_HOUR: Final = timedelta(hours=1)
_MOST_VIEWS: Final = 20_000

_LEAVES: Final = """
SELECT audit_leaf.seq, audit_leaf.at, audit_leaf.kind, audit_leaf.body
FROM audit_about JOIN audit_leaf ON audit_leaf.seq = audit_about.leaf
WHERE audit_about.about = :about AND audit_about.leaf < :below ORDER BY audit_about.leaf DESC LIMIT :most
"""
_IDS_OF: Final = """
SELECT line.uuid FROM prescription JOIN line ON line.prescription = prescription.id WHERE prescription.uuid = :uuid
UNION SELECT message.id FROM prescription JOIN message ON message.prescription = prescription.id
WHERE prescription.uuid = :uuid
"""
_PRESCRIPTION: Final = "SELECT uuid, tenant, nhs_number FROM prescription WHERE uuid = ? LIMIT 1"
_OF_LINE: Final = """
SELECT prescription.uuid, prescription.tenant, prescription.nhs_number
FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.uuid = ? ORDER BY line.id DESC LIMIT 1
"""
_OF_MESSAGE: Final = """
SELECT prescription.uuid, prescription.tenant, prescription.nhs_number
FROM message JOIN prescription ON prescription.id = message.prescription WHERE message.id = ?
"""
_SIZE: Final = "SELECT size FROM audit_head WHERE id = 1"
_BODIES: Final = "SELECT seq, body, leaf_hash FROM audit_leaf WHERE seq > ? ORDER BY seq LIMIT ?"
_AT: Final = "SELECT at FROM audit_leaf WHERE seq >= ? ORDER BY seq LIMIT 1"
REASON: Final = "reason-digest:"
"""What stands in the subject of a reading before the digest of the reason that was given for it."""
_NOT_FACTS: Final = frozenset({"kind", "seq", "at", "principal", "by", "action", "subject"})

Known = dict[str, tuple[UUID, str, str] | None]


def trail(
    reader: Reader, *, tenant: OdsCode | None, wanted: AuditWanted, below: int | None = None, limit: int
) -> AuditList:
    """List who saw or did what. See `gateway.ports.audit_trail.AuditTrail`."""
    start = _TOP if below is None else below
    if wanted.until is not None:
        start = min(start, _first_after(reader, wanted.until + _CROSSED))
    known: Known = {}
    found: list[AuditLeaf] = []
    for looked, leaf in enumerate(_about(reader, wanted, start), start=1):
        if wanted.since is not None and leaf.at < wanted.since - _CROSSED:
            break
        seen = _opened(reader, leaf, tenant, known) if _fits(leaf, wanted) else None
        if seen is not None:
            found.append(seen)
            if len(found) == limit:
                return AuditList(leaves=tuple(found), further=leaf.seq)
        if looked >= LOOKED_AT:
            return AuditList(leaves=tuple(found), further=leaf.seq, looked_back_to=leaf.at)
    return AuditList(leaves=tuple(found))


def busy(reader: Reader, *, tenant: OdsCode | None, since: datetime, patients: int) -> tuple[Busy, ...]:
    """Find who opened prescriptions of many patients within an hour."""
    views: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    known: Known = {}
    for number, leaf in enumerate(_about(reader, AuditWanted(), _TOP)):
        if leaf.at < since or number >= _MOST_VIEWS:
            break
        if leaf.kind != "access" or " view" not in f" {leaf.action}":
            continue
        for name in leaf.about:
            whose = _whose(reader, name, known)
            if whose is not None and whose[2] and (tenant is None or whose[1] == tenant.value):
                views[leaf.who].append((leaf.at, whose[2]))
    most = (_most_in_an_hour(who, sorted(seen)) for who, seen in views.items())
    return tuple(sorted((one for one in most if one.patients >= patients), key=lambda one: -one.patients))


def _most_in_an_hour(who: str, seen: list[tuple[datetime, str]]) -> Busy:
    within: deque[tuple[datetime, str]] = deque()
    counted: Counter[str] = Counter()
    best = Busy(who=who, began=seen[0][0], ended=seen[0][0], patients=0)
    for at, patient in seen:
        within.append((at, patient))
        counted[patient] += 1
        while at - within[0][0] > _HOUR:
            _, gone = within.popleft()
            counted[gone] -= 1
        patients = sum(count > 0 for count in counted.values())
        if patients > best.patients:
            best = Busy(who=who, began=within[0][0], ended=at, patients=patients)
    return best


def size(reader: Reader) -> int:
    """Count the leaves, by what the audit says of itself."""
    ((count,),) = reader.execute(_SIZE)
    return int(str(count))


def hashes(reader: Reader, *, after: int, most: int) -> LeafHashes:
    """Hash leaves anew and compare."""
    found: list[bytes] = []
    for seq, body, kept in reader.execute(_BODIES, (after, most)):
        expected = after + len(found) + 1
        if seq != expected:
            return LeafHashes(hashes=tuple(found), fault=f"leaf {expected} is missing")
        own = leaf_hash(body)
        if own != kept:
            return LeafHashes(hashes=tuple(found), fault=f"leaf {seq} does not hash to what was kept with it")
        found.append(own)
    return LeafHashes(hashes=tuple(found))


def _about(reader: Reader, wanted: AuditWanted, start: int) -> Iterator[AuditLeaf]:
    """Give the leaves that the index finds, newest first, each once."""
    if wanted.about:
        names = _names_of(reader, wanted.about)
        leaves = {leaf.seq: leaf for name in names for leaf in _under(reader, name, start, most=LOOKED_AT)}
        yield from (leaves[seq] for seq in sorted(leaves, reverse=True))
    else:
        yield from _under(reader, by(wanted.who) if wanted.who else EVERYBODY, start)


def _names_of(reader: Reader, about: str) -> list[str]:
    uuid = parse_uuid(about)
    if uuid is None:
        return [about]
    return [str(uuid), *(str(UUID(bytes=one)) for (one,) in reader.execute(_IDS_OF, {"uuid": uuid.bytes}))]


def _under(reader: Reader, about: str, start: int, *, most: int = LOOKED_AT + 1) -> Iterator[AuditLeaf]:
    before, left = start, most
    while left > 0:
        values = {"about": about, "below": before, "most": min(_CHUNK, left)}
        rows = list(reader.execute(_LEAVES, values))
        yield from map(_leaf, rows)
        if len(rows) < min(_CHUNK, left):
            return
        before, left = int(str(rows[-1][0])), left - len(rows)


def _leaf(row: tuple[Any, ...]) -> AuditLeaf:
    said: dict[str, Any] = msgspec.json.decode(row[3])
    facts = {name: str(value) for name, value in said.items() if name not in _NOT_FACTS}
    subject = str(said.get("subject", "")).split()
    about = _ids((*subject, *facts.values()))
    rest = [word for word in subject if word not in about]
    digests = [word.removeprefix(REASON) for word in rest if word.startswith(REASON)]
    if digests:
        facts["reason_digest"] = digests[0]
    if other := " ".join(word for word in rest if not word.startswith(REASON)):
        facts["subject"] = other
    return AuditLeaf(
        seq=row[0],
        at=instant(row[1]),
        kind=row[2],
        who=str(said.get("principal") or said.get("by") or ""),
        action=str(said.get("action") or said.get("act") or ""),
        about=about,
        facts=facts,
    )


def _ids(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids_in(values)))


def _fits(leaf: AuditLeaf, wanted: AuditWanted) -> bool:
    return (
        (not wanted.who or leaf.who == wanted.who)
        and (not wanted.action or wanted.action.casefold() in f"{leaf.kind} {leaf.action}".casefold())
        and (wanted.since is None or leaf.at >= wanted.since)
        and (wanted.until is None or leaf.at < wanted.until)
    )


def _opened(reader: Reader, leaf: AuditLeaf, tenant: OdsCode | None, known: Known) -> AuditLeaf | None:
    """Say which prescriptions a leaf is about; None for a tenant to whom none of them belongs.

    Of a leaf about several trusts' prescriptions, a trust is shown the ids of its own alone.
    """
    whose = {name: found for name in leaf.about if (found := _whose(reader, name, known)) is not None}
    if tenant is not None:
        own = {name: found for name, found in whose.items() if found[1] == tenant.value}
        if not own:
            return None
        foreign = whose.keys() - own.keys()
        kept = tuple(name for name in leaf.about if name not in foreign)
        leaf, whose = _with_about(leaf, kept), own
    opened = tuple(dict.fromkeys(found[0] for found in whose.values()))
    return replace(leaf, prescriptions=opened)


def _with_about(leaf: AuditLeaf, about: tuple[str, ...]) -> AuditLeaf:
    facts = {name: value for name, value in leaf.facts.items() if not set(_ids((value,))) - set(about)}
    return replace(leaf, about=about, facts=facts)


def _whose(reader: Reader, name: str, known: Known) -> tuple[UUID, str, str] | None:
    """Give the prescription that an id is of, its trust and its patient; None where it is of none."""
    if name not in known:
        uuid = parse_uuid(name)
        known[name] = _look(reader, uuid) if uuid is not None else None
    return known[name]


def _look(reader: Reader, uuid: UUID) -> tuple[UUID, str, str] | None:
    for sql in (_PRESCRIPTION, _OF_LINE, _OF_MESSAGE):
        row = next(iter(reader.execute(sql, (uuid.bytes,))), None)
        if row is not None:
            return UUID(bytes=row[0]), str(row[1]), str(row[2] or "")
    return None


def _first_after(reader: Reader, moment: datetime) -> int:
    """Give a number below which every leaf older than a moment lies, found by halving."""
    wanted, least, most = stored(moment), 1, size(reader) + 1
    while least < most:
        middle = (least + most) // 2
        found = next(iter(reader.execute(_AT, (middle,))), None)
        if found is None or int(str(found[0])) >= wanted:
            most = middle
        else:
            least = middle + 1
    return least
