"""Accepting a submission: everything it leads to, or nothing (D3)."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.domain.deadline import urgency
from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.domain.prescription import Line, Prescription
from gateway.domain.submission import Action, Answer, OrderNumber, Outcome, Submission
from gateway.domain.transition import Moved
from gateway.domain.validity import not_valid_after
from gateway.ports.acceptance import Acceptance, AcceptedOrder, OvertakenError, StoredAnswer
from gateway.store.document import encode
from gateway.store.sql import cancels, code_maps, holds, incomplete, notices, papers, reconciling
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.allocate import Given, allocate, store_message
from gateway.store.sql.history import LINE_COLUMNS, Happening, LineNow, begin, line_now, line_of, record_event
from gateway.store.sql.indexing import index_prescription, index_refused
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.tell import tell_answer
from gateway.store.sql.transaction import Row, Transaction

_ANSWERED = """
SELECT digest, answer_body, answer_type, answer_status, answer_later
FROM submission WHERE tenant = ? AND control_id = ?
"""
_INSERT_SUBMISSION = """
INSERT INTO submission (tenant, control_id, format, content_type, received_at, digest, body, envelope, outcome,
    refused_orders, verdict, leftovers, answer_body, answer_type, answer_status, answer_later)
VALUES (:tenant, :control_id, :format, :content_type, :received_at, :digest, :body, :envelope, :outcome,
    :refused_orders, :verdict, :leftovers, :answer_body, :answer_type, :answer_status, :answer_later)
"""
_INSERT_PRESCRIPTION = """
INSERT INTO prescription (uuid, submission, tenant, action, number, group_number, nhs_number, received_at, document,
    issues, trace)
VALUES (:uuid, :submission, :tenant, :action, :number, :group_number, :nhs_number, :received_at, :document, :issues,
    :trace)
"""
_INSERT_LINE = f"""
INSERT INTO line (uuid, prescription, tenant, action, order_number, order_assigner, product_code, product_display,
    directions, quantity, total_supplies, state, holder, entered_at, epoch, provider, urgency,
    valid_until)
VALUES (:uuid, :prescription, :tenant, :action, :order_number, :order_assigner, :product_code, :product_display,
    :directions, :quantity, :total_supplies, 'RECEIVED', 'gateway', :at, 0, :provider, :urgency, :valid_until)
RETURNING {LINE_COLUMNS}
"""  # noqa: S608 - of our own words alone
_LIVE = """state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED') AND action IN ('new', 'replace')
    AND replaced = 0 AND NOT (action = 'replace' AND state = 'HELD')"""
_OVER = """(state IN ('CANCELLED', 'EXPIRED', 'CLOSED') OR replaced = 1) AND action IN ('new', 'replace')"""
"""It was an order, and is over or changed: no copy of it is a new one. Of a held one that was corrected its successor
tells."""
_UNDER_NUMBER = """
SELECT 1 FROM line
WHERE order_number = :order_number AND tenant = :tenant AND order_number <> '' AND prescription < :first
"""
_TAKEN_ORDER_NUMBER = f"{_UNDER_NUMBER} AND {_LIVE}"
_USED_ORDER_NUMBER = f"""
{_UNDER_NUMBER} AND (({_LIVE}) OR ({_OVER} AND {cancels.SAME_ASSIGNER}))
"""
_TAKEN_ITEM = f"SELECT 1 FROM line WHERE uuid = :uuid AND {_LIVE}"  # noqa: S608 - a constant condition
_USED_ITEM = f"""
SELECT 1 FROM line WHERE uuid = :uuid AND (({_LIVE}) OR ({_OVER} AND tenant = :tenant))
"""  # noqa: S608 - constant conditions
_TAKEN_NUMBER = """
SELECT 1 FROM prescription JOIN line ON line.prescription = prescription.id
WHERE prescription.number = :number AND prescription.number <> ''
  AND (prescription.uuid <> :uuid OR prescription.tenant <> :tenant) AND line.action IN ('new', 'replace')
  AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
"""
_SUPERSEDED = """
SELECT id FROM line WHERE uuid = ? AND tenant = ? AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED',
    'CLOSED') ORDER BY id DESC LIMIT 1
"""
_REPLACED_LINE = "SELECT id FROM line WHERE uuid = ? AND tenant = ? AND replaced = 1 ORDER BY id DESC LIMIT 1"
_WAIT = "INSERT INTO wait (outbox, line) VALUES (?, ?)"
_KEEP_SIGNATURE = "INSERT INTO held_signature (prescription, octets) VALUES (?, ?)"

LineValues = dict[str, str | int | bytes]
"""What a line's row says of the medicine, by the names of its columns."""
_TAKES_NUMBERS = frozenset({Action.NEW, Action.REPLACE})
_FIRST_EVENT = {
    LineState.HELD: LineEvent.HOLD_BACK,
    LineState.AWAITING_SCREENING: LineEvent.WANT_SCREENING,
    LineState.READY: LineEvent.CLEAR,
}
_NONE_YET = 2**62
"""Above the number of every prescription."""
_FAST = 1  # zlib level: traces shrink tenfold at the least effort


def answered(transaction: Transaction, tenant: OdsCode, control_id: str) -> StoredAnswer | None:
    """Give the stored answer for a control id."""
    row = transaction.row(_ANSWERED, (tenant.value, control_id)) if control_id else None
    return _answer(row) if row else None


def accept(transaction: Transaction, acceptance: Acceptance, *, now: datetime) -> StoredAnswer:
    """Write a submission and all that follows from it.

    Raises:
        Refusal: ORDER_REUSED, when a number was taken meanwhile.
    """
    submission = acceptance.submission
    key = acceptance.envelope.control_id or f"digest:{submission.digest}"
    earlier = transaction.row(_ANSWERED, (submission.tenant.value, key))
    if earlier:
        return _answer(earlier)
    row = _store_submission(transaction, acceptance, key)
    append_leaf(
        transaction,
        "submission",
        at=now,
        tenant=submission.tenant.value,
        submission=str(submission.id),
        digest=submission.digest,
        outcome=acceptance.verdict.outcome.value,
    )
    asked = cancels.Asked(tenant=submission.tenant, submission=row, now=now)
    for request in acceptance.cancels:
        cancels.ask(transaction, request, asked)
    for hold in acceptance.holds:
        holds.ask(transaction, hold, asked)
    for stone in acceptance.tombstones:
        cancels.bury(transaction, stone, asked)
    for index, notice in enumerate(acceptance.notices):
        notices.tell(transaction, notice, submission.tenant, subject=f"{submission.id}:{index}", now=now)
    orders = _Orders(transaction, submission, row, now)
    for order in acceptance.orders:
        orders.store(order)
    if acceptance.answer.later is not None:
        tell_answer(transaction, submission, key, acceptance.answer, now=now)
    return StoredAnswer(digest=submission.digest, answer=acceptance.answer)


def _store_submission(transaction: Transaction, acceptance: Acceptance, key: str) -> int:
    submission, answer, verdict = acceptance.submission, acceptance.answer, acceptance.verdict
    # a cancel, a hold or a release that is refused is not another prescription
    refused = sum(order.outcome is Outcome.REFUSED for order in verdict.orders if order.action in _TAKES_NUMBERS)
    row = transaction.insert(
        _INSERT_SUBMISSION,
        {
            "tenant": submission.tenant.value,
            "control_id": key,
            "format": submission.format.value,
            "content_type": submission.content_type,
            "received_at": stored(submission.received_at),
            "digest": submission.digest,
            "body": submission.body,
            "envelope": encode(acceptance.envelope).decode(),
            "outcome": verdict.outcome.value,
            "refused_orders": refused if verdict.orders else int(verdict.outcome is Outcome.REFUSED),
            "verdict": encode(verdict).decode(),
            "leftovers": zlib.compress(encode(acceptance.leftovers), _FAST),
            "answer_body": answer.body,
            "answer_type": answer.content_type,
            "answer_status": answer.http_status,
            "answer_later": answer.later,
        },
    )
    if verdict.outcome is Outcome.REFUSED:
        index_refused(transaction, row, verdict)
    return row


def _answer(row: Row) -> StoredAnswer:
    return StoredAnswer(
        digest=row[0], answer=Answer(body=row[1], content_type=row[2], http_status=row[3], later=row[4])
    )


class _Orders:
    """Stores the orders of one submission."""

    def __init__(self, transaction: Transaction, submission: Submission, submission_row: int, now: datetime) -> None:
        self._transaction = transaction
        self._submission = submission
        self._submission_row = submission_row
        self._first = _NONE_YET
        self._now = now

    def store(self, order: AcceptedOrder) -> None:
        """Store one order: its prescription, its lines, and what is to be sent."""
        if order.message is not None and not code_maps.all_count(self._transaction, order.entries):
            raise OvertakenError
        self._supersede(order)
        rows = self._lines(order)
        self._refuse_taken(order, rows)
        prescription = self._store_prescription(order)
        self._first = min(self._first, prescription)
        lines, stones = [], []
        for values in rows:
            lines.append(self._store_line(order, prescription, values))
            number = str(values["order_number"]), str(values["order_assigner"])
            stones.append(self._waiting_cancel(order, lines[-1], number))
        # A message leaves whole: where the cancel of one of its lines was here first, the others wait for the trust.
        state = LineState.HELD if any(stones) else order.state
        for line, stone in zip(lines, stones, strict=True):
            self._begin(line, state, stone)
        self._tell_operator(order, lines)
        if state is LineState.HELD:
            code_maps.heard_late(self._transaction, order.unknown, tenant=self._submission.tenant, at=self._now)
        if order.message is not None:
            store_message(self._transaction, order.message, prescription, now=self._now)
        if order.paper_follows and order.prescription is not None:
            papers.await_original(self._transaction, prescription, order.prescription.lines, now=self._now)
        if state is LineState.READY:
            given = Given(prescription=prescription, tenant=self._submission.tenant, lines=lines)
            outbox = allocate(self._transaction, order.message, given, now=self._now)
            self._wait(order, outbox)
            reconciling.taken(self._transaction, lines, row=outbox, now=self._now)

    def _waiting_cancel(self, order: AcceptedOrder, line: LineNow, number: tuple[str, str]) -> int | None:
        if order.verdict.action not in _TAKES_NUMBERS:
            return None
        tenant, uuid = self._submission.tenant, self._prescription_id(order)
        return cancels.waiting(self._transaction, line, tenant=tenant, number=number, prescription=uuid)

    def _begin(self, line: LineNow, state: LineState, stone: int | None) -> None:
        begin(self._transaction, line, at=self._now)
        if stone is not None:
            cancels.meet(self._transaction, stone, line, now=self._now)
            return
        happening = Happening(event=_FIRST_EVENT[state], actor=Actor.GATEWAY, at=self._now)
        record_event(self._transaction, line, happening)

    def _tell_operator(self, order: AcceptedOrder, lines: Sequence[LineNow]) -> None:
        """Alert where our own message failed its check: the fault is the gateway's, not the sender's (D6)."""
        places = [issue.location for issue in order.verdict.issues if issue.code == "MESSAGE_INVALID"]
        for line in lines if places else ():
            open_alert(
                self._transaction,
                kind="message-invalid",
                subject=str(line.id),
                line=line.row,
                at=self._now,
                text="What we wrote fails our own check, and was not sealed: our writer is wrong. Where: "
                f"{', '.join(dict.fromkeys(places))} (MESSAGE_INVALID).",
            )

    def _wait(self, order: AcceptedOrder, outbox: int) -> None:
        """Keep a change back until the cancel of what it replaces is confirmed."""
        for uuid in order.waits_for:
            row = self._transaction.row(_REPLACED_LINE, (uuid.bytes, self._submission.tenant.value))
            if row is None:
                raise OvertakenError
            self._transaction.run(_WAIT, (outbox, row[0]))

    def _supersede(self, order: AcceptedOrder) -> None:
        for uuid in order.supersedes:
            row = self._transaction.row(_SUPERSEDED, (uuid.bytes, self._submission.tenant.value))
            if row is None:
                raise _taken(order.verdict.numbers)
            line = line_now(self._transaction, row[0])
            happening = Happening(
                event=LineEvent.CORRECTED, actor=Actor.PRESCRIBER, at=self._now, text="a corrected order arrived"
            )
            if not isinstance(record_event(self._transaction, line, happening).result, Moved):
                raise _taken(order.verdict.numbers)

    def _refuse_taken(self, order: AcceptedOrder, rows: Sequence[LineValues]) -> None:
        if order.verdict.action not in _TAKES_NUMBERS:
            return
        tenant, new = self._submission.tenant.value, order.verdict.action is Action.NEW
        proposed = order.verdict.action is Action.REPLACE and order.state is LineState.HELD
        under_number, of_item = (_USED_ORDER_NUMBER, _USED_ITEM) if new else (_TAKEN_ORDER_NUMBER, _TAKEN_ITEM)
        for number in () if proposed else order.verdict.numbers:
            values = {"order_number": number.trust_number, "tenant": tenant, "first": self._first}
            if self._transaction.row(under_number, {**values, "order_assigner": number.assigner}):
                raise _taken((number,))
        items = any(self._transaction.row(of_item, {"uuid": line["uuid"], "tenant": tenant}) for line in rows)
        if items or (order.prescription and number_is_taken(self._transaction, order.prescription, tenant)):
            raise _taken(order.verdict.numbers)

    def _store_prescription(self, order: AcceptedOrder) -> int:
        prescription = order.prescription
        nhs_number = str(prescription.patient.nhs_number) if prescription else order.nhs_number
        row = self._transaction.insert(
            _INSERT_PRESCRIPTION,
            {
                "uuid": self._prescription_id(order).bytes,
                "submission": self._submission_row,
                "tenant": self._submission.tenant.value,
                "action": order.verdict.action.value,
                "number": str(prescription.number) if prescription else order.verdict.prescription_number,
                "group_number": prescription.group_number if prescription else order.group_number,
                "nhs_number": nhs_number,
                "received_at": stored(self._submission.received_at),
                "document": encode(prescription).decode() if prescription else None,
                "issues": encode(order.verdict.issues).decode(),
                "trace": zlib.compress(encode(order.trace), _FAST),
            },
        )
        if prescription is not None:
            index_prescription(self._transaction, row, prescription)
        if order.state is LineState.HELD:
            self._keep_for_rereading(order, row)
        return row

    def _keep_for_rereading(self, order: AcceptedOrder, prescription: int) -> None:
        """Keep what reading a held order again will need, beside the bytes it came as."""
        submission = self._submission
        code_maps.note(
            self._transaction,
            order.unknown,
            tenant=submission.tenant,
            prescription=prescription,
            at=submission.received_at,
        )
        if submission.detached_signature:
            self._transaction.run(_KEEP_SIGNATURE, (prescription, submission.detached_signature))

    def _prescription_id(self, order: AcceptedOrder) -> UUID:
        """Give the prescription's id; one of our own for an order that could not be completed."""
        return (
            order.prescription.id
            if order.prescription is not None
            else incomplete.prescription_id(order, self._submission)
        )

    def _lines(self, order: AcceptedOrder) -> Sequence[LineValues]:
        if order.prescription is not None:
            return [line_values(line) for line in order.prescription.lines]
        return incomplete.lines(order, self._prescription_id(order))

    def _store_line(self, order: AcceptedOrder, prescription: int, values: LineValues) -> LineNow:
        row = self._transaction.row(
            _INSERT_LINE,
            {
                **values,
                "prescription": prescription,
                "tenant": self._submission.tenant.value,
                "action": order.verdict.action.value,
                "at": stored(self._now),
                "provider": str(order.destination) if order.destination else None,
                "valid_until": stored(not_valid_after(order.prescription)) if order.prescription else None,
            },
        )
        assert row is not None
        return line_of(row)


def line_values(line: Line) -> LineValues:
    """Give what a line's row says of the medicine."""
    words = " ".join(dosage.text for dosage in line.dosages if dosage.text)
    return {
        "uuid": line.id.bytes,
        "order_number": line.order_number,
        "order_assigner": line.order_assigner,
        "product_code": str(line.product.code),
        "product_display": line.product.display,
        "directions": words,
        "quantity": str(line.quantity),
        "total_supplies": line.total_supplies,
        "urgency": urgency(line.priority).value,
    }


def number_is_taken(transaction: Transaction, prescription: Prescription, tenant: str) -> bool:
    """Tell whether another prescription that may still be supplied bears this one's number."""
    named = {"number": str(prescription.number), "uuid": prescription.id.bytes, "tenant": tenant}
    return transaction.row(_TAKEN_NUMBER, named) is not None


def _taken(numbers: Sequence[OrderNumber]) -> Refusal:
    text = "This order number is already in use for an order that was accepted, or that is over."
    locations = [number.location for number in numbers] or [""]
    return Refusal(*(Issue(code="ORDER_REUSED", location=location, text=text) for location in locations))
