"""A big store, made in bulk from one prescription that the pipeline itself accepted.

Every row is written by SQL over a series. The backlog passes the triggers that guard the tables: a line begins as
received and follows its history, an allocation stands behind the fence, a leaf has no gap before it. The bigger books
are written without them, as rows would be that had passed them, and with the indexes made at the end. Lines and
messages bear ids of their own; trusts, providers, patients and numbers vary. What differs from a store that grew by
itself: only every `full_every`th prescription has bodies (the message as posted, the document, the trace, the sealed
message; the others have a placeholder where the schema asks for one), so that millions fit on a small disk; the leaves
of the audit may be left out; and that no row refers to nothing is seen to by the series, not by the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import apsw

from gateway.domain.identifiers import OdsCode, PrescriptionNumber
from gateway.simulate.people import nhs_number
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import leaf_body, leaf_hash
from gateway.store.sqlite.schema import migrate

Span: TypeAlias = "dict[str, int]"
CHUNK: Final = 20_000
BIG_CHUNK: Final = 250_000
"""Where nothing can be rolled back, the more at a time the fewer pages are written twice."""
TRUSTS: Final = 150
PROVIDERS: Final = tuple(OdsCode(f"VB{number:03}") for number in range(10))
CHECKED: Final = 100
"""One prescription of so many has a prescription id with the right check character; the others' are of its form."""
DAYS: Final = 32_003
FAMILIES: Final = 10_007
"""Birth dates and last names that patients share; prime, so that together they name few."""
CACHE_KB: Final = 2_000_000
THREADS: Final = 4
_SITE: Final = OdsCode("RBA11")
_DAY: Final = timedelta(days=1)
_TRUST: Final = f"printf('R%03d', n % {TRUSTS})"
_PROVIDER: Final = f"printf('VB%03d', n % {len(PROVIDERS)})"
_AT: Final = ":began + :step * n"
_SMALL: Final = "n % :full <> 0"
_SERIES: Final = """
WITH RECURSIVE series (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM series WHERE n < :last)
"""


def _uuid(kind: int) -> str:
    """Write an id in SQL that has no order, as ours have none, and is no other row's."""
    return f"unhex(printf('%08x%08x%016x', (n * 2654435761) % 4294967296, n, {kind}))"


_PRESCRIPTION_ID, _LINE_ID, _MESSAGE_ID = (_uuid(kind) for kind in range(3))
_SUBMISSION: Final = f"""
{_SERIES} INSERT INTO submission (id, tenant, control_id, format, content_type, received_at, digest, body, envelope,
    outcome, refused_orders, verdict, leftovers, answer_body, answer_type, answer_status)
SELECT n, {_TRUST}, 'BULK-' || n, format, content_type, {_AT}, digest, CASE WHEN {_SMALL} THEN x'00' ELSE body END,
    CASE WHEN {_SMALL} THEN '{{}}' ELSE envelope END, outcome, 0,
    '{{"orders":[{{"outcome":"translated","action":"new"}}]}}', x'00', answer_body, answer_type, answer_status
FROM series, (SELECT * FROM submission WHERE id = 1)
"""  # noqa: S608 - our own words alone, as everywhere here
_PRESCRIPTION: Final = f"""
{_SERIES} INSERT INTO prescription (id, uuid, submission, tenant, action, number, group_number, nhs_number, received_at,
    document, issues, trace)
SELECT n, {_PRESCRIPTION_ID}, n, {_TRUST}, action,
    CASE WHEN n % {CHECKED} = 0 THEN number_of(n) ELSE printf('%06X-0RBA11-%05X0', n >> 20, n & 1048575) END,
    'G' || n, nhs_of(n % :patients), {_AT}, CASE WHEN {_SMALL} THEN NULL ELSE document END, '[]',
    CASE WHEN {_SMALL} THEN x'00' ELSE trace END
FROM series, (SELECT * FROM prescription WHERE id = 1)
"""  # noqa: S608
_PATIENT: Final = f"""
{_SERIES} INSERT INTO patient_index (prescription, born, family, given, postcode)
SELECT n, date('1930-01-01', '+' || (n % :patients % {DAYS}) || ' days'), 'family' || (n % :patients % {FAMILIES}),
    'given' || (n % :patients % 503), 'TA' || (n % :patients % 20) || '1AA'
FROM series
"""  # noqa: S608
_NUMBER: Final = f"""
{_SERIES} INSERT INTO other_number (value, kind, prescription) SELECT 'PO-' || n, 'purchase-order', n FROM series
"""  # noqa: S608
_LOOKED_THROUGH: Final = "UPDATE search_progress SET prescription = :last, submission = :last"
_LINE: Final = f"""
{_SERIES} INSERT INTO line (id, uuid, prescription, tenant, action, order_number, order_assigner, product_code,
    product_display, directions, quantity, total_supplies, state, holder, entered_at, act_by, epoch, provider, urgency,
    valid_until, ended)
SELECT n, {_LINE_ID}, n, {_TRUST}, action, 'RX' || n, order_assigner, product_code, product_display, directions,
    quantity, total_supplies, {{state}}, 'gateway', {_AT}, CASE WHEN n % :open = 0 THEN :act_by END, 1, {_PROVIDER},
    urgency, valid_until, {{state}} = 'CANCELLED'
FROM series, (SELECT * FROM line WHERE id = 1)
"""  # noqa: S608
_MESSAGE: Final = f"""
{_SERIES} INSERT INTO message (id, prescription, event, destination, epoch, not_valid_after, key_id, digest, body,
    content_type, created_at)
SELECT {_MESSAGE_ID}, n, event, {_PROVIDER}, 1, not_valid_after, key_id, digest,
    CASE WHEN {_SMALL} THEN x'00' ELSE body END, content_type, {_AT}
FROM series, (SELECT * FROM message WHERE prescription = 1)
"""  # noqa: S608
_EVENT: Final = f"""
{_SERIES} INSERT INTO event (line, at, event, actor, state_before, state_after, moved, provider, epoch, reason_code,
    reason, amount, unit, text)
SELECT n, {_AT}, :event, :actor, :before, :after, 1, {_PROVIDER}, 1, '', '', '', '', '' FROM series WHERE {{only}}
"""  # noqa: S608
_READY: Final = "UPDATE line SET state = 'READY' WHERE id BETWEEN :first AND :last"
_ALLOCATION: Final = f"""
{_SERIES} INSERT INTO allocation (id, line, prescription, epoch, provider, message, made_at, ended_at)
SELECT n, n, n, 1, {_PROVIDER}, {_MESSAGE_ID}, {_AT}, CASE WHEN n % :open <> 0 THEN {_AT} END FROM series
"""  # noqa: S608
_OUTBOX: Final = f"""
{_SERIES} INSERT INTO outbox (id, kind, destination, tenant, message_id, content_type, accepted_at, due_at, state)
SELECT n + 1, 'deliver', {_PROVIDER}, {_TRUST}, {_MESSAGE_ID}, content_type, {_AT}, {_AT},
    CASE WHEN n % :open = 0 THEN 'due' ELSE 'done' END
FROM series, (SELECT content_type FROM message WHERE prescription = 1)
"""  # noqa: S608 - the first prescription has two rows of the queue: its message, and the answer to its trust
_ENDED: Final = """
UPDATE line SET state = 'CANCELLED', holder = 'nobody' WHERE id BETWEEN :first AND :last AND id % :open <> 0
"""
_AS_IT_ENDED: Final = "CASE WHEN n % :open = 0 THEN 'READY' ELSE 'CANCELLED' END"
_PARTS: Final = """
SELECT name, type, sql FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY type
"""
_LEAF: Final = "INSERT INTO audit_leaf (seq, at, kind, body, leaf_hash) VALUES (?, ?, ?, ?, ?)"
_OF_EVENTS: Final = """
SELECT event.seq, hex(line.uuid), event.at, event.event, event.state_before, event.state_after
FROM event JOIN line ON line.id = event.line WHERE event.line BETWEEN ? AND ? ORDER BY event.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What to make.

    Attributes:
        rows: prescriptions, each with one line.
        began: when the first was received; the others follow, one by one, until `until`.
        full_every: one of so many has its bodies.
        open_every: one of so many is still to be sent; the others were cancelled before they were.
        leaves: whether the audit has their leaves.
        guarded: whether every row passes the triggers. Otherwise lines are written as they ended, and triggers and
            indexes are put back when all rows are there, which is several times as fast.
    """

    rows: int
    began: datetime
    until: datetime
    full_every: int = 10
    open_every: int = 1
    leaves: bool = True
    guarded: bool = True

    @property
    def patients(self) -> int:
        """How many share the prescriptions: ten each."""
        return max(self.rows // 10, 1)

    @property
    def values(self) -> Span:
        """What the statements ask for, beside the span of the series."""
        began, until = stored(self.began), stored(self.until)
        return {
            "began": began,
            "step": (until - began) // (self.rows + 1),
            "act_by": until + _DAY // timedelta(microseconds=1),
            "full": self.full_every,
            "open": self.open_every,
            "patients": self.patients,
        }


Then: TypeAlias = Callable[[apsw.Connection, Bulk], None]


def number_of(number: int) -> str:
    """Give the prescription id of a bulk row, where it is a checked one."""
    return str(PrescriptionNumber.derive(_SITE, "bulk", str(number)))


def nhs_of(patient: int) -> str:
    """Give a patient's NHS number: valid in form, and of nobody (999 is never issued)."""
    stem = f"999{patient % 10**6:06}" if patient < 10**6 else f"998{patient % 10**6:06}"
    return nhs_number(stem) or nhs_of(patient + 1)


def name_of(patient: int) -> tuple[str, date]:
    """Give the last name and the birth date that a patient of the bulk is indexed by."""
    return f"family{patient % FAMILIES}", date(1930, 1, 1) + timedelta(days=patient % DAYS)


def _of(give: Callable[[int], str]) -> Callable[..., str]:
    """Make a function of SQL of one of a number."""

    def called(*values: object) -> str:
        return give(int(str(values[0])))

    return called


def fill(file: Path, bulk: Bulk, and_then: Then | None = None) -> None:
    """Add bulk rows to a store that holds one prescription; guarded ones go on where they were stopped before.

    Args:
        file: the store's.
        bulk: what to make.
        and_then: what else to make, before triggers and indexes are put back.
    """
    connection = apsw.Connection(str(file))
    try:
        done: int = connection.execute("SELECT max(id) FROM prescription").get
        if done < bulk.rows:
            _make(connection, bulk, done, and_then)
            _put_back(connection)
            connection.pragma("journal_mode", "wal")
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        connection.close()


def _make(connection: apsw.Connection, bulk: Bulk, done: int, and_then: Then | None) -> None:
    """Make what is not there yet."""
    # While it is made; what is measured is opened anew, as a gateway opens it.
    connection.pragma("synchronous", 0)
    connection.pragma("cache_size", -CACHE_KB)
    connection.pragma("threads", THREADS)
    connection.create_scalar_function("number_of", _of(number_of), deterministic=True)
    connection.create_scalar_function("nhs_of", _of(nhs_of), deterministic=True)
    if not bulk.guarded:
        connection.pragma("journal_mode", "off")
        for name, kind, _ in connection.execute(_PARTS).fetchall():
            connection.execute(f"DROP {kind} {name}")
    chunk = CHUNK if bulk.guarded else BIG_CHUNK
    for first in range(done + 1, bulk.rows + 1, chunk):
        with connection:
            _chunk(connection, bulk, {"first": first, "last": min(first + chunk - 1, bulk.rows)})
    if and_then is not None:
        with connection:
            and_then(connection, bulk)


def _put_back(connection: apsw.Connection) -> None:
    """Make the triggers and indexes that the schema has and the file has not."""
    whole = apsw.Connection(":memory:")
    migrate(whole, now=datetime.now(UTC))
    there = {row[0] for row in connection.execute(_PARTS)}
    for name, _, sql in whole.execute(_PARTS):
        if name not in there:
            connection.execute(str(sql))
    whole.close()


def _chunk(connection: apsw.Connection, bulk: Bulk, span: Span) -> None:
    values = {**bulk.values, **span}
    line = _LINE.format(state="'RECEIVED'" if bulk.guarded else _AS_IT_ENDED)
    for sql in (_SUBMISSION, _PRESCRIPTION, _PATIENT, _NUMBER, _LOOKED_THROUGH, line, _MESSAGE):
        connection.execute(sql, values)
    _moved(connection, values, ("received", "GW", "", "RECEIVED"))
    _moved(connection, values, ("clear", "GW", "RECEIVED", "READY"))
    for sql in (*([_READY] if bulk.guarded else []), _ALLOCATION, _OUTBOX):
        connection.execute(sql, values)
    if bulk.open_every > 1:
        _moved(connection, values, ("cancel", "TP", "READY", "CANCELLED"), only="n % :open <> 0")
        if bulk.guarded:
            connection.execute(_ENDED, values)
    if bulk.leaves:
        _append(connection, span)


def _moved(connection: apsw.Connection, values: Span, move: tuple[str, str, str, str], *, only: str = "1") -> None:
    event, actor, before, after = move
    said = {"event": event, "actor": actor, "before": before, "after": after}
    connection.execute(_EVENT.format(only=only), {**values, **said})


def _append(connection: apsw.Connection, span: Span) -> None:
    """Append the leaves of a chunk as the store writes them: of the submissions, the seals and the events."""
    size: int = connection.execute("SELECT size FROM audit_head").get
    events = list(connection.execute(_OF_EVENTS, (span["first"], span["last"])))
    leaves = list(_leaves(events, span, size + 1))
    connection.executemany(_LEAF, leaves)
    connection.execute("UPDATE audit_head SET size = ?", (size + len(leaves),))


def _leaves(
    events: list[tuple[int, str, int, str, str, str]], span: Span, seq: int
) -> Iterator[tuple[int, int, str, bytes, bytes]]:
    at, digest = events[0][2], "0" * 64
    for number in range(span["first"], span["last"] + 1):
        name = f"{number:032x}"
        yield _leaf("submission", seq, at, {"tenant": f"R{number % TRUSTS:03}", "submission": name, "digest": digest})
        yield _leaf("seal", seq + 1, at, {"message": name, "destination": "VB000", "digest": digest, "epoch": 1})
        seq += 2
    for event_seq, line, when, event, before, after in events:
        said: dict[str, str | int] = {"event": event, "event_seq": event_seq, "line": line, "epoch": 1}
        yield _leaf("event", seq, when, {**said, "before": before, "after": after})
        seq += 1


def _leaf(kind: str, seq: int, at: int, facts: dict[str, str | int]) -> tuple[int, int, str, bytes, bytes]:
    body = leaf_body(kind, seq=seq, at=instant(at), facts=facts)
    return seq, at, kind, body, leaf_hash(body)
