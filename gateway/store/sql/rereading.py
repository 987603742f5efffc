"""Held orders that are read again from the bytes they came as: what waits, and what becomes of each.

A task ends once. Whatever ends it is written with it: the order as it is understood now, its lines' events, the sealed
message and the outbox row; so a stop in the middle loses nothing, and nothing is done twice. What the order was
understood as before is kept with the task.

Source: mapping.md 10.2 (HELD, map entry approved); reliability-security.md I1, I6, I13; console.md 6.8.
"""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.code_map import RereadState
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.prescription import Line, Prescription
from gateway.domain.transition import Moved
from gateway.domain.validity import not_valid_after
from gateway.ports.acceptance import AcceptedOrder, OvertakenError
from gateway.ports.code_maps import HeldLine, OrderAsTaken, Reread, RereadTask, RereadView
from gateway.store.document import decode, encode
from gateway.store.sql import cancels, code_maps, holdings, papers, reconciling
from gateway.store.sql.accept import line_values, number_is_taken
from gateway.store.sql.alerts import close_alerts_of, open_alert
from gateway.store.sql.allocate import Given, allocate, store_message
from gateway.store.sql.history import Happening, LineNow, alert_state, line_now, note_event, record_event
from gateway.store.sql.indexing import index_prescription
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.tell import tell_news
from gateway.store.sql.transaction import Reader, Row, Transaction

_ORDER: Final = "SELECT uuid, issues FROM prescription WHERE id = ?"
_SIGNATURE: Final = "SELECT octets FROM held_signature WHERE prescription = ?"
_LINES: Final = "SELECT uuid, order_number, order_assigner, state FROM line WHERE prescription = ? ORDER BY id"
_WAITING: Final = """
SELECT id, prescription, entry, asked_by, tries FROM reread WHERE state = 'waiting' ORDER BY asked_at, id LIMIT ?
"""
_OF_CODE: Final = """
SELECT reread.id, prescription.uuid, reread.entry, reread.asked_by, reread.asked_at, reread.state, reread.ended_at,
    reread.outcome
FROM unknown_code JOIN reread ON reread.prescription = unknown_code.prescription
JOIN prescription ON prescription.id = reread.prescription
WHERE unknown_code.code_id = :code_id AND (:tenant = '' OR unknown_code.tenant = :tenant)
ORDER BY reread.id DESC LIMIT :most
"""
_TASK: Final = """
SELECT reread.id, reread.prescription, reread.entry, reread.asked_by, reread.state, prescription.tenant,
    prescription.submission, prescription.uuid
FROM reread JOIN prescription ON prescription.id = reread.prescription WHERE reread.id = ?
"""
_KEEP: Final = """
UPDATE reread SET document = prescription.document, issues = prescription.issues, trace = prescription.trace
FROM prescription WHERE prescription.id = reread.prescription AND reread.id = ? AND reread.state = 'waiting'
"""
_UNDERSTAND: Final = """
UPDATE prescription SET number = :number, document = :document, issues = :issues, trace = :trace WHERE id = :id
"""
_FILL: Final = """
UPDATE line SET product_code = :product_code, product_display = :product_display, directions = :directions,
    quantity = :quantity, total_supplies = :total_supplies, urgency = :urgency, provider = :provider,
    valid_until = :valid_until
WHERE prescription = :prescription AND uuid = :uuid
"""
_ROWS: Final = "SELECT id FROM line WHERE prescription = ? ORDER BY id"
_END: Final = (
    "UPDATE reread SET state = :state, ended_at = :at, outcome = :outcome WHERE id = :id AND state = 'waiting'"
)
_TRY: Final = "UPDATE reread SET tries = tries + 1 WHERE id = ? AND state = 'waiting'"
_REPLACED_LINE: Final = "SELECT id FROM line WHERE uuid = ? AND tenant = ? AND replaced = 1 ORDER BY id DESC LIMIT 1"
_WAIT: Final = "INSERT INTO wait (outbox, line) VALUES (?, ?)"

_OF_HOLDING: Final = frozenset({"line-held", "overdue"})
_EVENTS: Final = {LineState.READY: LineEvent.MAP_APPROVED, LineState.AWAITING_SCREENING: LineEvent.WANT_SCREENING}
_FAST: Final = 1
LINES_DIFFER: Final = "it now reads as other lines than it was taken with: ask the trust to send it again"
PART_ENDED: Final = "a line of it has ended: ask the trust to send the others again"
_FAULT: Final = "A held order could not be read again: the fault is the gateway's. It stays held."


def order_as_taken(reader: Reader, key: int) -> OrderAsTaken:
    """Give an order with everything that reading it again needs.

    Raises:
        KeyError: there is no such one.
    """
    written = holdings.written(reader.execute, key)
    (uuid, issues) = next(iter(reader.execute(_ORDER, (key,))))
    signature = next(iter(reader.execute(_SIGNATURE, (key,))), None)
    submission = replace(written.submission, detached_signature=bytes(signature[0]) if signature else b"")
    return OrderAsTaken(
        key=key,
        prescription_id=UUID(bytes=uuid),
        written=replace(written, submission=submission),
        lines=tuple(
            HeldLine(line_id=UUID(bytes=row[0]), order_number=row[1], order_assigner=row[2], state=LineState(row[3]))
            for row in reader.execute(_LINES, (key,))
        ),
        issues=decode(issues, tuple[Issue, ...]),
    )


def waiting(reader: Reader, *, limit: int) -> tuple[RereadTask, ...]:
    """Give orders that wait to be read again, oldest first."""
    return tuple(
        RereadTask(number=row[0], key=row[1], entry=row[2], asked_by=row[3], tries=row[4])
        for row in reader.execute(_WAITING, (limit,))
    )


def of_code(reader: Reader, code_id: UUID, *, tenant: OdsCode | None) -> tuple[RereadView, ...]:
    """Give what became of reading again the orders in which a code was met, newest first."""
    values = {"code_id": code_id.bytes, "tenant": str(tenant or ""), "most": code_maps.MOST}
    return tuple(
        RereadView(
            number=row[0],
            prescription_id=UUID(bytes=row[1]),
            entry=row[2],
            asked_by=row[3],
            asked_at=instant(row[4]),
            state=RereadState(row[5]),
            ended_at=instant(row[6]) if row[6] is not None else None,
            outcome=row[7],
        )
        for row in reader.execute(_OF_CODE, values)
    )


def failed(transaction: Transaction, task: int, *, now: datetime, give_up: bool) -> None:
    """Note that reading an order again failed through a fault of ours; after the last try a person is told."""
    row = transaction.row(_TASK, (task,))
    if row is None or row[4] != RereadState.WAITING:
        return
    transaction.run(_TRY, (task,))
    if not give_up:
        return
    one = _Task(transaction, row, now)
    for line in one.lines:
        subject = str(line.id)
        open_alert(transaction, kind="message-invalid", subject=subject, line=line.row, at=now, text=_FAULT)
    one.end(RereadState.FAILED, "a fault of the gateway")


def finish(transaction: Transaction, reread: Reread) -> RereadState:
    """Let a held order go as it is understood now, or keep it held with what is wrong now, and end its task.

    Raises:
        OvertakenError: an entry it was read by was taken back, or a line it replaces moved.
        Refusal: a number in it was taken by another order.
    """
    row = transaction.row(_TASK, (reread.task,))
    if row is None:
        return RereadState.OVERTAKEN
    if row[4] != RereadState.WAITING:
        return RereadState(row[4])
    if not code_maps.all_count(transaction, reread.entries):
        raise OvertakenError
    return _Task(transaction, row, reread.now).finish(reread)


class _Task:
    """One task, on the rows of the transaction that ends it."""

    def __init__(self, transaction: Transaction, row: Row, now: datetime) -> None:
        self._transaction = transaction
        self._number, self._key, self._entry, self._asked_by, _, tenant, self._submission, uuid = row
        self._tenant = OdsCode(tenant)
        self._uuid = UUID(bytes=uuid)
        self._now = now

    @property
    def lines(self) -> list[LineNow]:
        """The order's lines as they stand."""
        return [line_now(self._transaction, row) for (row,) in self._transaction.rows(_ROWS, (self._key,))]

    def finish(self, reread: Reread) -> RereadState:
        lines = self.lines
        held = [line for line in lines if line.state is LineState.HELD]
        if not held:
            return self.end(RereadState.OVERTAKEN, f"its lines are {', '.join(sorted({one.state for one in lines}))}")
        if len(held) < len(lines) and any(line.state in TERMINAL for line in lines):
            return self._still_held(held, PART_ENDED)
        order = reread.order
        if order is None:
            return self._still_held(held, reread.outcome)
        prescription = order.prescription
        if prescription is not None and not self._same(prescription, lines):
            return self._still_held(held, LINES_DIFFER)
        goes = order.message is not None and prescription is not None and order.state in _EVENTS
        if goes and prescription and number_is_taken(self._transaction, prescription, self._tenant.value):
            raise Refusal(Issue(code="ORDER_REUSED", location="", text="Its number is in use for another order."))
        for request in reread.cancels if goes else ():
            asked = cancels.Asked(tenant=self._tenant, submission=self._submission, now=self._now)
            cancels.ask(self._transaction, request, asked)
        self._understand(order)
        if not goes:
            return self._still_held(held, reread.outcome)
        return self._let_go(order)

    def _same(self, prescription: Prescription, lines: Sequence[LineNow]) -> bool:
        return prescription.id == self._uuid and {line.id for line in prescription.lines} == {one.id for one in lines}

    def _understand(self, order: AcceptedOrder) -> None:
        """Write the order as it is understood now; what it was understood as before stays with the task."""
        prescription = order.prescription
        self._transaction.run(_KEEP, (self._number,))
        self._transaction.run(
            _UNDERSTAND,
            {
                "id": self._key,
                "number": str(prescription.number) if prescription else "",
                "document": encode(prescription).decode() if prescription else None,
                "issues": encode(order.verdict.issues).decode(),
                "trace": zlib.compress(encode(order.trace), _FAST),
            },
        )
        code_maps.note(self._transaction, order.unknown, tenant=self._tenant, prescription=self._key, at=self._now)
        if prescription is not None:
            index_prescription(self._transaction, self._key, prescription)
            for line in prescription.lines:
                self._fill(line, prescription, order)

    def _fill(self, line: Line, prescription: Prescription, order: AcceptedOrder) -> None:
        values = {key: value for key, value in line_values(line).items() if not key.startswith("order_")}
        self._transaction.run(
            _FILL,
            {
                **values,
                "prescription": self._key,
                "provider": str(order.destination) if order.destination else None,
                "valid_until": stored(not_valid_after(prescription)),
            },
        )

    def _let_go(self, order: AcceptedOrder) -> RereadState:
        assert order.message is not None
        lines, words = self.lines, self._words()
        for line in lines:
            happening = Happening(event=_EVENTS[order.state], actor=Actor.MAP_APPROVERS, at=self._now, text=words)
            kept = record_event(self._transaction, line, happening)
            moved = isinstance(kept.result, Moved)
            if not moved:
                raise AssertionError("the lifecycle has no arrow out of HELD")
            by, reason = self._asked_by, words
            close_alerts_of(self._transaction, line.row, kinds=_OF_HOLDING, by=by, reason=reason, now=self._now)
            tell_news(self._transaction, line.row, kept.seq, now=self._now)
        store_message(self._transaction, order.message, self._key, now=self._now)
        if order.paper_follows and order.prescription is not None:
            papers.await_original(self._transaction, self._key, order.prescription.lines, now=self._now)
        if order.state is LineState.READY:
            given = Given(prescription=self._key, tenant=self._tenant, lines=lines)
            outbox = allocate(self._transaction, order.message, given, now=self._now)
            self._wait(order, outbox)
            reconciling.taken(self._transaction, lines, row=outbox, now=self._now)
        return self.end(RereadState.RELEASED, order.state.value)

    def _wait(self, order: AcceptedOrder, outbox: int) -> None:
        """Keep a change back until the cancel of what it replaces is confirmed."""
        for uuid in order.waits_for:
            row = self._transaction.row(_REPLACED_LINE, (uuid.bytes, self._tenant.value))
            if row is None:
                raise OvertakenError
            self._transaction.run(_WAIT, (outbox, row[0]))

    def _still_held(self, lines: Sequence[LineNow], why: str) -> RereadState:
        """Say on the timeline that it was read again, and for what it is held now."""
        for line in lines:
            text = f"{self._words()}; still held: {why}"
            happening = Happening(event=LineEvent.MAP_APPROVED, actor=Actor.MAP_APPROVERS, at=self._now, text=text)
            note_event(self._transaction, line, happening)
            alert_state(self._transaction, line, at=self._now)
        return self.end(RereadState.STILL_HELD, why)

    def _words(self) -> str:
        by = f"with entry v{self._entry}, approved by" if self._entry is not None else "as asked by"
        return f"read again {by} {self._asked_by}"

    def end(self, state: RereadState, outcome: str) -> RereadState:
        """End the task, with its leaf."""
        values = {"id": self._number, "state": state.value, "outcome": outcome, "at": stored(self._now)}
        self._transaction.run(_END, values)
        append_leaf(
            self._transaction,
            "reread",
            at=self._now,
            task=self._number,
            prescription=str(self._uuid),
            state=state.value,
            outcome=outcome,
        )
        return state
