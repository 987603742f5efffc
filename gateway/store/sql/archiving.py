"""Which prescriptions may move to an archive, every row that goes with one, and letting those rows go.

A prescription goes whole: every order that was accepted under its id, with lines, history, messages, transmissions,
alerts. What several may share (the message that was posted, a provider's answer) goes with each, and is emptied here
when nothing hangs on it any more; its key and the answer to it stay for good (I6). The leaves of the audit all stay.

Source: reliability-security.md I6, 7, 9; domain.md (records management).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

import msgspec

from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.enquiries import Found, LegalHold, PrescriptionView
from gateway.store.document import decode
from gateway.store.sql import finding, viewing
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.seeing import ENDED_AS
from gateway.store.sql.tell import answer_id
from gateway.store.sql.transaction import Reader, Row, Transaction

_LINES: Final = "(SELECT id FROM line WHERE prescription = :id)"
_ROWS_OF_QUEUE: Final = """(
    SELECT outbox.id FROM message JOIN outbox ON outbox.message_id = message.id WHERE message.prescription = :id
    UNION SELECT outbox.id FROM line JOIN event ON event.line = line.id JOIN outbox ON outbox.news = event.seq
    WHERE line.prescription = :id)"""
OWN: Final[Mapping[str, str]] = {
    "prescription": "id = :id",
    "line": "prescription = :id",
    "unknown_code": "prescription = :id",
    "reread": "prescription = :id",
    "held_signature": "prescription = :id",
    "stated_fact": "prescription = :id",
    "awaited_paper": "prescription = :id",
    "message": "prescription = :id",
    "allocation": "prescription = :id",
    "event": f"line IN {_LINES}",
    "cancel": f"line IN {_LINES}",
    "reroute": f"line IN {_LINES}",
    "hold": f"line IN {_LINES}",
    "sent_again": f"line IN {_LINES}",
    "alert": f"line IN {_LINES}",
    "work_note": f"line IN {_LINES}",
    "outbox": f"id IN {_ROWS_OF_QUEUE}",
    "attempt": f"outbox IN {_ROWS_OF_QUEUE}",
    "ruling": f"outbox IN {_ROWS_OF_QUEUE}",
    "renewal": f"line IN {_LINES}",
    "delivery": f"line IN {_LINES}",
    "delivery_event": f"delivery IN (SELECT id FROM delivery WHERE line IN {_LINES})",  # noqa: S608
}
"""The tables of which a prescription has rows of its own, each after those it refers to."""
WAITS: Final = f"outbox IN {_ROWS_OF_QUEUE} OR earlier IN {_ROWS_OF_QUEUE} OR line IN {_LINES}"
"""Rows between two orders, one of which waited for the other: they go with the first of them that goes."""
SHARED: Final[Mapping[str, str]] = {
    "submission": f"""id IN (SELECT submission FROM prescription WHERE id = :id
        UNION SELECT submission FROM cancel WHERE line IN {_LINES}
        UNION SELECT submission FROM hold WHERE line IN {_LINES})""",  # noqa: S608
    "callback": f"id IN (SELECT callback FROM event WHERE line IN {_LINES})",  # noqa: S608
}
_OLDEST: Final = """
SELECT id, uuid, tenant FROM prescription WHERE id > :after AND received_at < :before ORDER BY id LIMIT :most
"""
_SAME: Final = "SELECT id FROM prescription WHERE uuid = ? AND tenant = ? ORDER BY id"
_NEWEST: Final = """
SELECT (SELECT max(id) FROM prescription), (SELECT max(id) FROM line), (SELECT max(seq) FROM event),
    (SELECT max(id) FROM outbox), (SELECT max(id) FROM alert), (SELECT max(id) FROM allocation)
"""
_HAS_NEWEST: Final = f"""
SELECT 1 WHERE CAST(:id AS BIGINT) = CAST(:prescription AS BIGINT)
    OR EXISTS (SELECT 1 FROM line WHERE id = :line AND prescription = :id)
    OR EXISTS (SELECT 1 FROM event WHERE seq = :event AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM outbox WHERE id = :outbox AND id IN {_ROWS_OF_QUEUE})
    OR EXISTS (SELECT 1 FROM alert WHERE id = :alert AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM allocation WHERE id = :allocation AND prescription = :id)
"""  # noqa: S608
_OPEN: Final = f"""
SELECT 1 WHERE EXISTS (SELECT 1 FROM line WHERE prescription = :id
        AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'))
    OR EXISTS (SELECT 1 FROM allocation WHERE prescription = :id AND ended_at IS NULL)
    OR EXISTS (SELECT 1 FROM outbox WHERE state IN ('due', 'claimed', 'on_wire') AND id IN {_ROWS_OF_QUEUE})
    OR EXISTS (SELECT 1 FROM cancel WHERE state IN ('ASKED', 'PENDING') AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM hold WHERE state = 'ASKED' AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM reroute WHERE ended_at IS NULL AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM renewal WHERE state IN ('REQUESTED', 'WITH_PRESCRIBER') AND line IN {_LINES})
    OR EXISTS (SELECT 1 FROM wait JOIN outbox ON outbox.id = wait.outbox
        WHERE outbox.state IN ('due', 'claimed', 'on_wire')
            AND (wait.line IN {_LINES} OR wait.earlier IN {_ROWS_OF_QUEUE}))
    OR EXISTS (SELECT 1 FROM line JOIN stated_holding ON stated_holding.line = line.uuid
        WHERE line.prescription = :id AND stated_holding.known = 0 AND stated_holding.ended_at IS NULL)
"""  # noqa: S608
_ALERTED: Final = f"SELECT 1 FROM alert WHERE closed_at IS NULL AND line IN {_LINES}"  # noqa: S608
_HELD: Final = """
SELECT 1 FROM legal_hold JOIN prescription ON prescription.nhs_number = legal_hold.nhs_number
    OR prescription.uuid = legal_hold.prescription
WHERE prescription.id = :id AND legal_hold.lifted_at IS NULL
"""
_LAST: Final = f"""
SELECT max(at) FROM (SELECT max(at) AS at FROM event WHERE line IN {_LINES}
    UNION ALL SELECT received_at FROM prescription WHERE id = :id
    UNION ALL SELECT max(closed_at) FROM alert WHERE line IN {_LINES}) AS each
"""  # noqa: S608
_UNDER_HOLD: Final = """
SELECT DISTINCT uuid FROM prescription WHERE nhs_number = :nhs_number OR uuid = :prescription
"""
_DOCUMENT: Final = "SELECT document FROM prescription WHERE id = :id"
_LEAVE: Final = f"""
INSERT INTO archived_prescription (id, archive, uuid, submission, tenant, action, number, received_at, events,
    delivered, sent, answered, rejected)
SELECT id, :archive, uuid, submission, tenant, action, number, received_at,
    (SELECT count(*) FROM event WHERE line IN {_LINES}),
    CASE WHEN EXISTS (SELECT 1 FROM line WHERE prescription = :id AND state = 'CLOSED'
        AND delivered >= total_supplies) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM line WHERE prescription = :id AND first_sent_at IS NOT NULL) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM line WHERE prescription = :id AND first_answered_at IS NOT NULL) THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM line WHERE prescription = :id AND first_rejected_at IS NOT NULL) THEN 1 ELSE 0 END
FROM prescription WHERE id = :id
"""  # noqa: S608
_LEAVE_LINES: Final = """
INSERT INTO archived_line (id, prescription, uuid, prescription_uuid, tenant, order_number, order_assigner,
    group_number, product_code, action, state, epoch, provider, replaced, cancel)
SELECT line.id, prescription.id, line.uuid, prescription.uuid, line.tenant, line.order_number, line.order_assigner,
    prescription.group_number, line.product_code, line.action, line.state, line.epoch, line.provider, line.replaced,
    (SELECT cancel.state FROM cancel WHERE cancel.line = line.id)
FROM line JOIN prescription ON prescription.id = line.prescription WHERE prescription.id = :id
"""
_LEAVE_GIVEN: Final = f"""
INSERT INTO archived_allocation (id, prescription, line, epoch, provider, made_at, digest, state, attempts)
SELECT allocation.id, allocation.prescription, line.uuid, allocation.epoch, allocation.provider, allocation.made_at,
    message.digest, coalesce({ENDED_AS}, 'RETURNED'), coalesce(outbox.attempts, 0)
FROM allocation JOIN line ON line.id = allocation.line JOIN message ON message.id = allocation.message
LEFT JOIN outbox ON outbox.message_id = allocation.message WHERE allocation.prescription = :id
"""  # noqa: S608 - our own words alone
_SUBMISSION_HANGS: Final = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM prescription WHERE submission = :row)
    OR EXISTS (SELECT 1 FROM cancel WHERE submission = :row) OR EXISTS (SELECT 1 FROM hold WHERE submission = :row)
"""
_CALLBACK_HANGS: Final = "SELECT 1 FROM event WHERE callback = :row"
_VERDICT: Final = "SELECT verdict, tenant, control_id FROM submission WHERE id = :row AND archive IS NULL"
_EMPTY_SUBMISSION: Final = """
UPDATE submission SET archive = :archive, body = :nothing, envelope = '{}', verdict = :verdict, leftovers = :nothing
WHERE id = :row AND archive IS NULL
"""
_EMPTY_ANSWER: Final = "UPDATE outbox SET octets = NULL WHERE message_id = ? AND kind = 'tell' AND state = 'done'"
_EMPTY_CALLBACK: Final = """
UPDATE callback SET archive = :archive, body = :nothing, meaning = '', issues = '' WHERE id = :row AND archive IS NULL
"""


_MESSAGE: Final = """id, prescription, event, destination, epoch, not_valid_after, key_id, digest, body, rendered,
    content_type, created_at"""
"""Every column that both engines have, as they stand in the file; PostgreSQL numbers its messages in one more."""


class LiveStore(Protocol):
    """The store that rows leave, whichever engine holds it; the archive they go to is a file in any case."""

    @property
    def at_once(self) -> int:
        """How many prescriptions leave in one transaction, so that a gateway beside never waits long for the writer."""

    def exists(self) -> bool:
        """Tell whether there is a store at all."""

    def reading(self) -> AbstractContextManager[Reader]:
        """Look at one moment of it.

        Raises:
            ConfigurationError: there is none, or it has another schema; on entering.
            Unavailable: it cannot be read; on entering or within.
        """

    def writing(self) -> AbstractContextManager[Callable[[], AbstractContextManager[Transaction]]]:
        """Open it for transactions, each of which is committed at its end, or undone where it fails.

        Raises:
            Unavailable: it cannot be written; on entering or within.
        """


class Stays(StrEnum):
    """Why a prescription is not archived."""

    OPEN = "not closed"
    ALERTED = "an alert is open"
    LEGAL_HOLD = "legal hold"
    TERM = "its term is not over"
    NEWEST = "among the newest rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A prescription, with every order that was accepted under its id.

    Attributes:
        rows: row ids of the orders.
        tenant: whose it is.
    """

    rows: tuple[int, ...]
    tenant: OdsCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """When the last thing happened to a prescription, and the patient's date of birth where an order states it."""

    at: datetime
    birth_date: date | None


def candidates(reader: Reader, *, before: datetime, page: int = 500) -> Iterator[Candidate]:
    """Give every prescription that was received before a moment, the oldest first, each once."""
    after = 0
    while rows := list(reader.execute(_OLDEST, {"after": after, "before": stored(before), "most": page})):
        for row, uuid, tenant in rows:
            same = tuple(int(one[0]) for one in reader.execute(_SAME, (uuid, tenant)))
            if same[0] == row:
                yield Candidate(rows=same, tenant=OdsCode(tenant))
        after = rows[-1][0]


def stays(reader: Reader, candidate: Candidate) -> Stays | None:
    """Say why a prescription must stay, whatever its age; None where nothing keeps it."""
    names = ("prescription", "line", "event", "outbox", "alert", "allocation")
    newest = dict(zip(names, next(iter(reader.execute(_NEWEST))), strict=True))
    for row in candidate.rows:
        values = {"id": row}
        for why, question in ((Stays.OPEN, _OPEN), (Stays.ALERTED, _ALERTED), (Stays.LEGAL_HOLD, _HELD)):
            if _any(reader, question, values):
                return why
        if _any(reader, _HAS_NEWEST, {**newest, **values}):
            return Stays.NEWEST
    return None


def closed(reader: Reader, candidate: Candidate) -> Closed:
    """Say when the last thing happened to a prescription."""
    last = max(int(next(iter(reader.execute(_LAST, {"id": row})))[0]) for row in candidate.rows)
    (document,) = next(iter(reader.execute(_DOCUMENT, {"id": candidate.rows[-1]})))
    birth_date = decode(document, Prescription).patient.birth_date if document else None
    return Closed(at=instant(last), birth_date=birth_date)


def rows_of(reader: Reader, row: int, table: str, condition: str) -> list[Row]:
    """Give the rows of a table that go with an order, each whole, in order."""
    columns = _MESSAGE if table == "message" else "*"
    found = reader.execute(f"SELECT {columns} FROM {table} WHERE {condition}", {"id": row})  # noqa: S608
    return sorted((tuple(one) for one in found), key=msgspec.msgpack.encode)


def fingerprint(reader: Reader, row: int) -> bytes:
    """Give the SHA-256 over every row that is an order's own: what an archive holds must be what is let go."""
    found = hashlib.sha256()
    for table, condition in OWN.items():
        for one in rows_of(reader, row, table, condition):
            found.update(msgspec.msgpack.encode((table, *one)))
    return found.digest()


def shared_rows(reader: Reader, rows: Sequence[int]) -> dict[str, set[int]]:
    """Give the ids of what orders share with others, by table."""
    return {
        table: {
            int(one[0])
            for row in rows
            for one in reader.execute(f"SELECT id FROM {table} WHERE {condition}", {"id": row})  # noqa: S608
        }
        for table, condition in SHARED.items()
    }


def let_go(transaction: Transaction, candidate: Candidate, archive: int) -> None:
    """Delete the rows of a prescription that stand in an archive; what must stay for good is written first."""
    shared = shared_rows(transaction.connection, candidate.rows)
    for row in candidate.rows:
        values = {"id": row, "archive": archive}
        transaction.run(_LEAVE, values)
        transaction.run(_LEAVE_LINES, {"id": row})
        transaction.run(_LEAVE_GIVEN, {"id": row})
        transaction.run(f"DELETE FROM wait WHERE {WAITS}", {"id": row})  # noqa: S608
        for table, condition in reversed(tuple(OWN.items())):
            transaction.run(f"DELETE FROM {table} WHERE {condition}", {"id": row})  # noqa: S608
    _empty(transaction, shared, archive)


def _empty(transaction: Transaction, shared: Mapping[str, set[int]], archive: int) -> None:
    """Empty what nothing here hangs on any more; its key and the answer to it stay."""
    for row in sorted(shared["submission"]):
        found = transaction.row(_VERDICT, {"row": row})
        if found is not None and transaction.row(_SUBMISSION_HANGS, {"row": row}) is None:
            values = {"row": row, "archive": archive, "nothing": b"", "verdict": _counted(found[0])}
            transaction.run(_EMPTY_SUBMISSION, values)
            transaction.run(_EMPTY_ANSWER, (answer_id(found[1], found[2]).bytes,))
    for row in sorted(shared["callback"]):
        if transaction.row(_CALLBACK_HANGS, {"row": row}) is None:
            transaction.run(_EMPTY_CALLBACK, {"row": row, "archive": archive, "nothing": b""})


def _counted(verdict: str) -> str:
    """Leave of a verdict what the books count: how each order was judged."""
    orders = json.loads(verdict).get("orders", ())
    return json.dumps({"orders": [{"outcome": one["outcome"], "action": one["action"]} for one in orders]})


def _any(reader: Reader, question: str, values: Mapping[str, object]) -> bool:
    return next(iter(reader.execute(question, values)), None) is not None


def candidate_of(reader: Reader, uuid: UUID, tenant: OdsCode) -> Candidate:
    """Give the prescription of an id, with every order that is stored under it now."""
    rows = tuple(int(one[0]) for one in reader.execute(_SAME, (uuid.bytes, tenant.value)))
    return Candidate(rows=rows, tenant=tenant)


def viewed(reader: Reader, prescription_id: UUID) -> PrescriptionView | None:
    """Give everything that is known of a prescription, of an archive as of a store."""
    return viewing.prescription(reader, prescription_id, tenant=None)


def under_hold(reader: Reader, hold: LegalHold) -> frozenset[UUID]:
    """Give the prescriptions that a legal hold is on, of an archive as of a store."""
    of = hold.prescription_id.bytes if hold.prescription_id is not None else None
    rows = reader.execute(_UNDER_HOLD, {"nhs_number": hold.nhs_number or None, "prescription": of})
    return frozenset(UUID(bytes=row[0]) for row in rows)


def sought(reader: Reader, *, nhs_number: str = "", number: str = "", order_number: str = "") -> tuple[Found, ...]:
    """Find by the one value that is given, in an archive as in a store."""
    return finding.search(reader, tenant=None, nhs_number=nhs_number, number=number, order_number=order_number)
