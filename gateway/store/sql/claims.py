"""Leasing due work to a worker, and the step before the first byte (I12).

A lease is a token of this life of the database, the row and how often it was claimed; whoever comes with another token
changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.hold import HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent, LineState
from gateway.ports.work import Claim, WorkKind
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.cancels import never_left
from gateway.store.sql.history import LINE_COLUMNS, Happening, LineNow, line_now, line_of, record_event
from gateway.store.sql.idling import idle_since
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.pauses import HOLDS_ORDERS, may_send
from gateway.store.sql.reconciling import stopped
from gateway.store.sql.transaction import Row, Transaction

# Both skip along the index, from destination to destination and from trust to trust, however much any has waiting.
DESTINATIONS: Final = """
WITH RECURSIVE waiting (destination) AS (
    SELECT min(destination) FROM outbox WHERE state = 'due'
    UNION ALL
    SELECT (SELECT min(destination) FROM outbox WHERE state = 'due' AND destination > waiting.destination)
    FROM waiting WHERE waiting.destination IS NOT NULL)
SELECT destination FROM waiting WHERE destination IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM pause WHERE pause.destination = waiting.destination AND ended_at IS NULL)
"""
"""Destinations that have something waiting and are not paused."""
_TELLING = "SELECT destination FROM outbox WHERE state IN ('claimed', 'on_wire') AND kind = 'tell'"
"""Trusts that are being told something, by this node or another: the next waits, so that news keeps its order."""
TENANTS: Final = """
WITH RECURSIVE waiting (tenant) AS (
    SELECT min(tenant) FROM outbox WHERE state = 'due' AND destination = :destination
    UNION ALL
    SELECT (SELECT min(tenant) FROM outbox
            WHERE state = 'due' AND destination = :destination AND tenant > waiting.tenant)
    FROM waiting WHERE waiting.tenant IS NOT NULL)
SELECT tenant FROM waiting WHERE tenant IS NOT NULL
"""
WAITS: Final = """EXISTS (
        SELECT 1 FROM wait LEFT JOIN outbox AS earlier ON earlier.id = wait.earlier
        LEFT JOIN line ON line.id = wait.line
        WHERE wait.outbox = {row}.id AND (earlier.state IN ('due', 'claimed', 'on_wire')
            OR (line.state NOT IN ('CANCELLED', 'SUPERSEDED', 'REFUSED')
                AND NOT EXISTS (SELECT 1 FROM ruling WHERE ruling.outbox = wait.outbox AND ruled = 'send'))))
"""
"""Whether a row of the queue still waits: for one before it to be settled, or for the line it replaces to end."""
_DUE = f"""
SELECT id FROM outbox WHERE state = 'due' AND withheld = 0 AND destination = ? AND tenant = ? AND due_at <= ?
    AND (kind = 'tell' OR NOT EXISTS (
        SELECT 1 FROM pause WHERE ended_at IS NULL AND {HOLDS_ORDERS.format(tenant="outbox.tenant")}))
    AND NOT {WAITS.format(row="outbox")}
ORDER BY due_at, id LIMIT ?
"""  # noqa: S608 - of our own words alone
_LEASE = """
UPDATE outbox SET state = 'claimed', claims = claims + 1, lease_until = :until,
    lease = :generation || '.' || id || '.' || (claims + 1) || '.' || :worker
WHERE id = :id
"""
_CLAIMED = """
SELECT outbox.id, outbox.lease, outbox.kind, outbox.destination, outbox.message_id,
    coalesce(outbox.octets, message.rendered, message.body), outbox.content_type, outbox.attempts,
    outbox.possible_duplicate, outbox.accepted_at, outbox.news,
    (SELECT min(at) FROM attempt WHERE attempt.outbox = outbox.id)
FROM outbox LEFT JOIN message ON outbox.kind = 'deliver' AND message.id = outbox.message_id
WHERE outbox.id = ?
"""
_ENTRY = """
SELECT kind, state, lease, lease_until, attempts, possible_duplicate, accepted_at, tenant, withheld
FROM outbox WHERE id = ?
"""
_ON_WIRE = """
UPDATE outbox SET state = 'on_wire', attempts = :attempt, octets = coalesce(octets, :octets) WHERE id = :id
"""
_GIVE_BACK = "UPDATE outbox SET state = 'due', lease = NULL, lease_until = NULL WHERE id = ?"
_FINISH = "UPDATE outbox SET state = :state, lease = NULL, lease_until = NULL WHERE id = :id"
_ATTEMPT = """
INSERT INTO attempt (outbox, number, at, lease, outcome, fenced, reason, evidence)
VALUES (:outbox, :number, :at, :lease, :outcome, :fenced, :reason, :evidence)
"""
_MESSAGE_LINES = f"""
SELECT {LINE_COLUMNS}, allocation.ended_at IS NULL AND allocation.epoch = line.epoch
FROM allocation JOIN line ON line.id = allocation.line WHERE allocation.message = ? ORDER BY allocation.line
"""  # noqa: S608 - of our own words alone
_CANCEL = "SELECT 1 FROM message WHERE id = ? AND event = 'prescription-order-update'"
_CANCEL_WANTED = """
SELECT 1 FROM cancel WHERE message = :message AND state IN ('ASKED', 'PENDING')
UNION ALL SELECT 1 FROM reroute WHERE message = :message AND state IN ('ASKED', 'PENDING')
"""
_CANCEL_LINES = """
SELECT cancel.line, EXISTS (SELECT 1 FROM allocation WHERE allocation.line = cancel.line AND ended_at IS NULL)
FROM cancel WHERE cancel.message = :message AND cancel.line IS NOT NULL
UNION ALL
SELECT reroute.line, reroute.epoch = line.epoch FROM reroute JOIN line ON line.id = reroute.line
WHERE reroute.message = :message ORDER BY 1
"""
_HOLD_LINES = """
SELECT hold.line, EXISTS (SELECT 1 FROM allocation WHERE allocation.line = hold.line AND ended_at IS NULL)
FROM hold WHERE hold.message = ? ORDER BY hold.line
"""
_ASKS_HOLD = "SELECT kind FROM hold WHERE message = ?"
_HOLD_WANTED = "SELECT 1 FROM hold WHERE message = :message AND state = 'ASKED'"
_SEALED = "SELECT event = 'prescription-order-update', not_valid_after FROM message WHERE id = ?"

_LEAVES = {LineState.READY: LineEvent.ON_WIRE, LineState.UNCERTAIN: LineEvent.VERBATIM_RETRY}
"""From which states a message may leave, and what that is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the outbox as it stands inside the transaction."""

    kind: WorkKind
    state: str
    lease: str | None
    lease_until: datetime | None
    attempts: int
    possible_duplicate: bool
    accepted_at: datetime
    tenant: OdsCode
    withheld: bool = False
    """A line of its message is on hold."""

    def held_by(self, claim: Claim) -> bool:
        """Tell whether the lease is still this claim's."""
        return self.lease == claim.lease and self.state in {"claimed", "on_wire"}


def claim_due(
    transaction: Transaction, *, worker: str, now: datetime, lease_seconds: float, room: dict[OdsCode, int]
) -> list[Claim]:
    """Lease due rows, as far as each destination has room and is not paused."""
    until = stored(now + timedelta(seconds=lease_seconds))
    claims = []
    waiting = {destination for (destination,) in transaction.rows(DESTINATIONS)}
    waiting -= {destination for (destination,) in transaction.rows(_TELLING)}
    for destination, limit in room.items():
        if destination.value not in waiting:
            continue
        for row in _fairly(transaction, destination, now=now, limit=max(limit, 0)):
            values = {"id": row, "until": until, "generation": str(transaction.generation), "worker": worker}
            transaction.run(_LEASE, values)
            claims.append(claim_of(transaction, row))
    return claims


def _fairly(transaction: Transaction, destination: OdsCode, *, now: datetime, limit: int) -> list[int]:
    """Give due rows of a destination: one of each trust in turn, so that none waits behind another's backlog (I19).

    The turn goes on from the trust that was served last; each trust's own rows keep their order.
    """
    tenants = sorted(tenant for (tenant,) in transaction.rows(TENANTS, {"destination": destination.value}))
    last = transaction.served.get(destination, "")
    ring = [tenant for tenant in tenants if tenant > last] + [tenant for tenant in tenants if tenant <= last]
    queues = [transaction.rows(_DUE, (destination.value, tenant, stored(now), limit)) for tenant in ring]
    turns = sorted((turn, place, row) for place, queue in enumerate(queues) for turn, (row,) in enumerate(queue))
    taken = turns[:limit]
    if taken:
        transaction.served[destination] = ring[taken[-1][1]]
    return [row for _, _, row in taken]


def claim_of(transaction: Transaction, row: int) -> Claim:
    """Give the claim that holds a leased row."""
    found = transaction.row(_CLAIMED, (row,))
    assert found is not None
    return _claim(found, idle=_idle(transaction, found))


def _idle(transaction: Transaction, row: Row) -> timedelta:
    """Give the time since its acceptance in which it was not for want of an answer that it did not go."""
    if row[11] is None:
        return timedelta()
    begun = instant(row[11])
    return begun - instant(row[9]) + idle_since(transaction, UUID(bytes=row[4]), OdsCode(row[3]), begun)


def _claim(row: Row, *, idle: timedelta) -> Claim:
    return Claim(
        id=row[0],
        lease=row[1],
        kind=WorkKind(row[2]),
        destination=OdsCode(row[3]),
        message_id=UUID(bytes=row[4]),
        octets=row[5],
        content_type=row[6],
        attempt=row[7] + 1,
        possible_duplicate=bool(row[8]),
        accepted_at=instant(row[9]),
        idle=idle,
        news=row[10],
    )


def entry(transaction: Transaction, row: int) -> Entry | None:
    """Read a row of the outbox."""
    found = transaction.row(_ENTRY, (row,))
    if found is None:
        return None
    return Entry(
        kind=WorkKind(found[0]),
        state=found[1],
        lease=found[2],
        lease_until=instant(found[3]) if found[3] is not None else None,
        attempts=found[4],
        possible_duplicate=bool(found[5]),
        accepted_at=instant(found[6]),
        tenant=OdsCode(found[7]),
        withheld=bool(found[8]),
    )


def put_on_wire(transaction: Transaction, claim: Claim, *, now: datetime, octets: bytes | None) -> bool:
    """Write that the first byte is about to leave; False when nothing may be written."""
    found = entry(transaction, claim.id)
    if found is None or not found.held_by(claim) or found.state != "claimed":
        return False
    if found.lease_until is None or found.lease_until <= now:
        return False
    ordered_by = found.tenant if found.kind is WorkKind.DELIVER else None
    if found.withheld or not may_send(transaction, claim.destination, ordered_by=ordered_by):
        transaction.run(_GIVE_BACK, (claim.id,))
        return False
    if found.kind is WorkKind.DELIVER and not _may_leave(transaction, claim, now=now):
        return False
    transaction.run(_ON_WIRE, {"id": claim.id, "attempt": claim.attempt, "octets": octets})
    note_attempt(transaction, claim, "on_wire", now=now)
    return True


def is_cancel(transaction: Transaction, message: UUID) -> bool:
    """Tell whether a message is the cancel of a line; what becomes of it moves no line by itself."""
    return transaction.row(_CANCEL, (message.bytes,)) is not None


def hold_of(transaction: Transaction, message: UUID) -> HoldKind | None:
    """Say whether a message asks for a hold or a release; what becomes of it moves no line by itself."""
    row = transaction.row(_ASKS_HOLD, (message.bytes,))
    return HoldKind(row[0]) if row else None


def lines_of(transaction: Transaction, message: UUID) -> list[tuple[int, bool]]:
    """Give the rows of a message's lines, each with whether its allocation to the receiver is the current one."""
    return [(line.row, current) for line, current in lines_now(transaction, message)]


def lines_now(transaction: Transaction, message: UUID) -> list[tuple[LineNow, bool]]:
    """Give a message's lines as they stand, each with whether its allocation to the receiver is the current one."""
    given = transaction.rows(_MESSAGE_LINES, (message.bytes,))
    if given:
        return [(line_of(found), bool(found[-1])) for found in given]
    asked = transaction.rows(_CANCEL_LINES, {"message": message.bytes})
    asked = asked or transaction.rows(_HOLD_LINES, (message.bytes,))
    return [(line_now(transaction, row), bool(current)) for row, current in asked]


def note_attempt(
    transaction: Transaction,
    claim: Claim,
    outcome: str,
    *,
    now: datetime,
    reason: str = "",
    evidence: bytes = b"",
    fenced: bool = False,
) -> None:
    """Keep one step of a transmission."""
    transaction.run(
        _ATTEMPT,
        {
            "outbox": claim.id,
            "number": claim.attempt,
            "at": stored(now),
            "lease": claim.lease,
            "outcome": outcome,
            "fenced": fenced,
            "reason": reason,
            "evidence": evidence,
        },
    )


def finish(transaction: Transaction, row: int, state: str) -> None:
    """Take a row out of the queue: `done`, or `stuck` for a person."""
    transaction.run(_FINISH, {"id": row, "state": state})


def _may_leave(transaction: Transaction, claim: Claim, *, now: datetime) -> bool:
    is_update, not_valid_after = transaction.row(_SEALED, (claim.message_id.bytes,)) or (False, 0)
    if not is_update:
        return _send_lines(transaction, claim, too_late=instant(not_valid_after) < now, now=now)
    values = {"message": claim.message_id.bytes}
    if transaction.row(_CANCEL_WANTED, values) or transaction.row(_HOLD_WANTED, values):
        return True
    finish(transaction, claim.id, "done")
    return False


def _send_lines(transaction: Transaction, claim: Claim, *, too_late: bool, now: datetime) -> bool:
    found = lines_now(transaction, claim.message_id)
    waiting = [line for line, current in found if current and line.state in _LEAVES]
    blocked = len(waiting) < len(found) or not all(current for _, current in found)
    if blocked or too_late:
        finish(transaction, claim.id, "stuck" if waiting else "done")
        never_left(transaction, waiting, goes=False, now=now)
        still = (line_now(transaction, line.row) for line in waiting)
        for line in (line for line in still if line.state in _LEAVES):
            text = "Its message may no longer be sent: it is out of date, or another of its lines has moved on."
            open_alert(transaction, kind="transmission-blocked", subject=str(line.id), line=line.row, at=now, text=text)
        return False
    if waiting and stopped(transaction, waiting, epoch=waiting[0].epoch, row=claim.id, now=now):
        return False
    for line in waiting:
        text = f"attempt {claim.attempt}" + (", possible duplicate" if claim.possible_duplicate else "")
        happening = Happening(event=_LEAVES[line.state], actor=Actor.GATEWAY, at=now, text=text)
        record_event(transaction, line, happening)
    return True
