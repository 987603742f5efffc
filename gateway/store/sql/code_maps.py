"""Codes that nobody has mapped, and the entries that two people approved for them.

Which codes wait is asked of the lines that are held; an entry is written in the transaction in which the second person
agrees, together with the work it makes: every order that waits for it is read again.

Source: mapping.md 5 and 10.2 (HELD); brief D12.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.code_map import ApprovedEntry, MapKind, UnknownCode, entry_of
from gateway.domain.coding import Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.ports.code_maps import Approval, HeldCode, Touched, WaitingOrder
from gateway.store.sql import proposals
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Row, Transaction

MOST: Final = 500
"""Rows of a list that people work through; one that is longer says so."""

_NOTE: Final = """
INSERT INTO unknown_code (prescription, tenant, code_id, kind, code, text, system, location, issue, seen_at)
VALUES (:prescription, :tenant, :code_id, :kind, :code, :text, :system, :location, :issue, :at)
ON CONFLICT (prescription, code_id) DO NOTHING
"""
_HELD: Final = """
SELECT unknown.code_id, unknown.tenant, unknown.kind, unknown.code, unknown.text, unknown.system,
    min(unknown.location), min(unknown.issue), count(*), min(unknown.seen_at), max(unknown.seen_at), waiting.lines
FROM (SELECT unknown_code.code_id AS code_id, count(*) AS lines
    FROM line CROSS JOIN unknown_code
    WHERE line.state = 'HELD' AND unknown_code.prescription = line.prescription
        AND (:tenant = '' OR unknown_code.tenant = :tenant) AND NOT EXISTS (
        SELECT 1 FROM code_map_entry
        WHERE code_map_entry.code_id = unknown_code.code_id AND code_map_entry.withdrawn_at IS NULL)
    GROUP BY unknown_code.code_id) AS waiting
JOIN unknown_code AS unknown ON unknown.code_id = waiting.code_id
GROUP BY unknown.code_id, unknown.tenant, unknown.kind, unknown.code, unknown.text, unknown.system, waiting.lines
ORDER BY waiting.lines DESC, min(unknown.seen_at) LIMIT :most
"""
_ONE: Final = """
SELECT code_id, tenant, kind, code, text, system, min(location), min(issue), count(*), min(seen_at), max(seen_at),
    (SELECT count(*) FROM unknown_code AS same JOIN line ON line.prescription = same.prescription
        WHERE same.code_id = :code_id AND line.state = 'HELD')
FROM unknown_code WHERE code_id = :code_id AND (:tenant = '' OR tenant = :tenant)
GROUP BY code_id, tenant, kind, code, text, system
"""
_ORDERS: Final = """
SELECT prescription.id, prescription.uuid, prescription.received_at, count(*), min(line.state), prescription.nhs_number
FROM unknown_code JOIN prescription ON prescription.id = unknown_code.prescription
JOIN line ON line.prescription = prescription.id
WHERE unknown_code.code_id = :code_id AND line.state = 'HELD' AND (:tenant = '' OR unknown_code.tenant = :tenant)
GROUP BY prescription.id, prescription.uuid, prescription.received_at, prescription.nhs_number
ORDER BY prescription.received_at, prescription.id LIMIT :most
"""
_TOUCHED: Final = """
SELECT prescription FROM unknown_code
WHERE code_id = :code_id AND seen_at >= :since AND (:tenant = '' OR tenant = :tenant)
ORDER BY seen_at DESC, prescription DESC LIMIT :most OFFSET :after
"""
_COUNT_TOUCHED: Final = """
SELECT count(*) FROM unknown_code WHERE code_id = :code_id AND seen_at >= :since AND (:tenant = '' OR tenant = :tenant)
"""
_ENTRIES: Final = """
SELECT id, tenant, code_id, kind, code, text, system, target_system, target_code, target_display, proposed_by,
    approved_by, reason, approved_at, withdrawn_at, withdrawn_by, withdrawn_reason FROM code_map_entry
"""
_LIVE: Final = f"{_ENTRIES} WHERE withdrawn_at IS NULL ORDER BY id"
_OF_CODE: Final = f"{_ENTRIES} WHERE code_id = :code_id AND (:tenant = '' OR tenant = :tenant) ORDER BY id DESC"
_BY_NUMBER: Final = f"{_ENTRIES} WHERE id = :number AND (:tenant = '' OR tenant = :tenant)"
_VERSION: Final = "SELECT coalesce(max(id), 0), count(withdrawn_at) FROM code_map_entry"
_INSERT: Final = """
INSERT INTO code_map_entry (tenant, code_id, kind, code, text, system, target_system, target_code, target_display,
    proposed_by, approved_by, reason, approved_at)
VALUES (:tenant, :code_id, :kind, :code, :text, :system, :target_system, :target_code, :target_display, :proposed_by,
    :approved_by, :reason, :at)
"""
_WITHDRAW: Final = """
UPDATE code_map_entry SET withdrawn_at = :at, withdrawn_by = :by, withdrawn_reason = :reason
WHERE id = :number AND withdrawn_at IS NULL
"""
_AGAIN: Final = """
INSERT INTO reread (prescription, entry, asked_by, asked_at)
SELECT DISTINCT unknown_code.prescription, CAST(:entry AS BIGINT), :by, CAST(:at AS BIGINT) FROM unknown_code
WHERE unknown_code.code_id = :code_id AND (:tenant = '' OR unknown_code.tenant = :tenant)
    AND EXISTS (SELECT 1 FROM line WHERE line.prescription = unknown_code.prescription AND line.state = 'HELD')
    AND NOT EXISTS (SELECT 1 FROM reread
        WHERE reread.prescription = unknown_code.prescription AND reread.state = 'waiting')
"""
_ALREADY: Final = "SELECT id, proposed_by, approved_by FROM code_map_entry WHERE code_id = ? AND withdrawn_at IS NULL"
_COUNTS: Final = "SELECT 1 FROM code_map_entry WHERE id = ? AND withdrawn_at IS NULL"
_MAPPED: Final = "SELECT 1 FROM code_map_entry WHERE code_id = ? AND withdrawn_at IS NULL"


def note(
    transaction: Transaction, found: Iterable[UnknownCode], *, tenant: OdsCode, prescription: int, at: datetime
) -> None:
    """Write down the codes of an order that nothing reads; where an entry counts by now, the order is read again.

    A node may not have heard yet of what was just approved: what it held for want of it does not stay.
    """
    codes = {one.id_at(tenant): one for one in found}
    for code_id, one in codes.items():
        transaction.run(
            _NOTE,
            {
                "prescription": prescription,
                "tenant": tenant.value,
                "code_id": code_id.bytes,
                "kind": one.kind.value,
                "code": one.code,
                "text": one.text,
                "system": one.system,
                "location": one.location,
                "issue": one.issue,
                "at": stored(at),
            },
        )


def heard_late(transaction: Transaction, found: Iterable[UnknownCode], *, tenant: OdsCode, at: datetime) -> None:
    """Put an order down to be read again that was held for a code which has an entry by now."""
    for one in found:
        code_id = one.id_at(tenant)
        row = transaction.row(_ALREADY, (code_id.bytes,))
        if row is not None:
            ask_again(transaction, code_id, entry=row[0], by=f"{row[1]} and {row[2]}", tenant=tenant, at=at)


def held_codes(reader: Reader, *, tenant: OdsCode | None) -> tuple[HeldCode, ...]:
    """Give the codes for which a line is held now and which no entry settles."""
    rows = reader.execute(_HELD, {"tenant": str(tenant or ""), "most": MOST})
    return tuple(_held_code(row) for row in rows)


def held_code(reader: Reader, code_id: UUID, *, tenant: OdsCode | None) -> HeldCode | None:
    """Give one code that was ever met."""
    values = {"code_id": code_id.bytes, "tenant": str(tenant or "")}
    row = next(iter(reader.execute(_ONE, values)), None)
    if row is None:
        return None
    live = next((one for one in entries_of(reader, code_id, tenant=tenant) if one.counts), None)
    return _held_code(row, live)


def waiting_orders(reader: Reader, code_id: UUID, *, tenant: OdsCode | None) -> tuple[WaitingOrder, ...]:
    """Give the orders with a code that are held now, oldest first."""
    values = {"code_id": code_id.bytes, "tenant": str(tenant or ""), "most": MOST}
    return tuple(
        WaitingOrder(
            key=row[0],
            prescription_id=UUID(bytes=row[1]),
            received_at=instant(row[2]),
            lines=row[3],
            state=LineState(row[4]),
            patient=row[5],
        )
        for row in reader.execute(_ORDERS, values)
    )


def touched(
    reader: Reader, code_id: UUID, *, tenant: OdsCode | None, since: datetime, limit: int, offset: int
) -> Touched:
    """Give the orders in which a code was met since a moment, newest first."""
    values = {"code_id": code_id.bytes, "tenant": str(tenant or ""), "since": stored(since)}
    total = next(iter(reader.execute(_COUNT_TOUCHED, values)))[0]
    keys = reader.execute(_TOUCHED, {**values, "most": limit, "after": offset})
    return Touched(total=total, keys=tuple(row[0] for row in keys))


def live_entries(reader: Reader) -> tuple[ApprovedEntry, ...]:
    """Give every entry that counts now, oldest first."""
    return tuple(_entry(row) for row in reader.execute(_LIVE))


def entries_of(reader: Reader, code_id: UUID, *, tenant: OdsCode | None) -> tuple[ApprovedEntry, ...]:
    """Give every entry there ever was for a code, newest first."""
    values = {"code_id": code_id.bytes, "tenant": str(tenant or "")}
    return tuple(_entry(row) for row in reader.execute(_OF_CODE, values))


def version(reader: Reader) -> tuple[int, int]:
    """Give two counts that change whenever an entry is approved or taken back."""
    newest, withdrawn = next(iter(reader.execute(_VERSION)))
    return newest, withdrawn


def approve(transaction: Transaction, approval: Approval) -> ApprovedEntry | tuple[str, ...]:
    """Second a proposal, write the entry, and put every order that waits for it down to be read again."""
    agreed = proposals.second(transaction, approval.proposal, by=approval.by, tenant=approval.trust, now=approval.now)
    found = proposals.one(transaction.connection, approval.proposal, tenant=None, now=approval.now)
    if agreed or found is None:
        return agreed or ("There is no such proposal.",)
    code_id = approval.unknown.id_at(approval.trust)
    if transaction.row(_MAPPED, (code_id.bytes,)) is not None:
        why = "This code was given a meaning meanwhile. Look at that entry first."
        proposals.settle(transaction, approval.proposal, done=False, outcome=why, now=approval.now)
        return (why,)
    number = _insert(transaction, approval, code_id, by=found.proposal.by, reason=found.proposal.reason)
    people = f"{found.proposal.by} and {approval.by}"
    count = ask_again(transaction, code_id, entry=number, by=people, tenant=approval.trust, at=approval.now)
    outcome = f"Entry v{number} counts from now. Held orders that are read again: {count}."
    proposals.settle(transaction, approval.proposal, done=True, outcome=outcome, now=approval.now)
    row = transaction.row(_BY_NUMBER, {"number": number, "tenant": ""})
    assert row is not None
    return _entry(row)


def _insert(transaction: Transaction, approval: Approval, code_id: UUID, *, by: str, reason: str) -> int:
    unknown, target = approval.unknown, approval.target
    number = transaction.insert(
        _INSERT,
        {
            "tenant": approval.trust.value,
            "code_id": code_id.bytes,
            "kind": unknown.kind.value,
            "code": unknown.code,
            "text": unknown.text,
            "system": unknown.system,
            "target_system": target.system,
            "target_code": target.code,
            "target_display": target.display,
            "proposed_by": by,
            "approved_by": approval.by,
            "reason": reason,
            "at": stored(approval.now),
        },
    )
    append_leaf(
        transaction,
        "code-map",
        at=approval.now,
        act="approved",
        number=number,
        trust=approval.trust.value,
        code=str(code_id),
        target=target.code,
        proposed_by=by,
        by=approval.by,
        reason_digest=reason_digest(reason),
    )
    return number


def withdraw(
    transaction: Transaction, number: int, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
) -> tuple[str, ...]:
    """Take an entry back. Gives why not, in words; empty when it no longer counts."""
    row = transaction.row(_BY_NUMBER, {"number": number, "tenant": str(tenant or "")})
    if row is None:
        return ("There is no such entry.",)
    entry = _entry(row)
    if not transaction.changed(_WITHDRAW, {"number": number, "at": stored(now), "by": by, "reason": reason}):
        return (f"{entry.withdrawn_by} has taken it back already.",)
    append_leaf(
        transaction,
        "code-map",
        at=now,
        act="withdrawn",
        number=number,
        trust=entry.trust.value,
        code=str(entry.code_id),
        by=by,
        reason_digest=reason_digest(reason),
    )
    return ()


def all_count(transaction: Transaction, versions: Iterable[str]) -> bool:
    """Tell whether entries, by their versions, all count still: what was read by one taken back is not sealed."""
    numbers = [int(one.removeprefix("v")) for one in versions]
    return all(transaction.row(_COUNTS, (number,)) is not None for number in numbers)


def ask_again(
    transaction: Transaction, code_id: UUID, *, entry: int | None, by: str, tenant: OdsCode | None, at: datetime
) -> int:
    """Put the held orders with a code down to be read again; one that waits for that already waits once."""
    values = {"code_id": code_id.bytes, "entry": entry, "by": by, "tenant": str(tenant or ""), "at": stored(at)}
    transaction.run(_AGAIN, values)
    return transaction.connection.changes()


def ask_by_hand(
    transaction: Transaction, code_id: UUID, *, by: str, reason: str, tenant: OdsCode | None, now: datetime
) -> int:
    """Put the held orders with a code down to be read again because a person asks; gives how many."""
    count = ask_again(transaction, code_id, entry=None, by=by, tenant=tenant, at=now)
    digest = reason_digest(reason)
    append_leaf(
        transaction, "code-map", at=now, act="read-again", code=str(code_id), orders=count, by=by, reason_digest=digest
    )
    return count


def _held_code(row: Row, entry: ApprovedEntry | None = None) -> HeldCode:
    code_id, tenant, kind, code, text, system, location, issue, seen, first, last, waiting = row
    return HeldCode(
        code_id=UUID(bytes=code_id),
        trust=OdsCode(tenant),
        unknown=UnknownCode(kind=MapKind(kind), code=code, text=text, system=system, location=location, issue=issue),
        seen=seen,
        first_seen=instant(first),
        last_seen=instant(last),
        waiting=waiting,
        entry=entry,
    )


def _entry(row: Row) -> ApprovedEntry:
    number, tenant, code_id, kind, code, text, system, to_system, to_code, to_display, by, second, reason, at, *end = (
        row
    )
    unknown = UnknownCode(kind=MapKind(kind), code=code, text=text, system=system)
    target = Coding(system=to_system, code=to_code, display=to_display)
    return ApprovedEntry(
        number=number,
        trust=OdsCode(tenant),
        code_id=UUID(bytes=code_id),
        entry=entry_of(number, unknown, target, (by, second)),
        proposed_by=by,
        approved_by=second,
        reason=reason,
        approved_at=instant(at),
        withdrawn_at=instant(end[0]) if end[0] is not None else None,
        withdrawn_by=end[1],
        withdrawn_reason=end[2],
    )
