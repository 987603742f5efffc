"""What needs a person: lines past their deadline, and alerts that are open. From the base tables alone (I3)."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.domain.custody import Holder
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.enquiries import WATCH, AlertView, Overdue, Waiting
from gateway.store.sql import clock_jumps
from gateway.store.sql.alerts import held_for, open_alert
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.seeing import OWN_ALERT
from gateway.store.sql.transaction import Reader, Transaction
from gateway.store.sql.viewing import ALERTS, alert_view

# An alert of an earlier state, or of another matter, does not speak for this one; an open "overdue" does for any state.
_OVERDUE = """
SELECT line.uuid, line.state, line.holder, line.act_by, CASE line.state WHEN 'HELD' THEN prescription.issues END,
    EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.kind = 'overdue'
        AND alert.opened_at >= line.entered_at), line.id
FROM line JOIN prescription ON prescription.id = line.prescription
WHERE line.act_by IS NOT NULL AND line.act_by <= :now AND (line.act_by, line.id) > (:at, :row)
  AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL
    AND (alert.kind = 'overdue' OR alert.opened_at >= line.entered_at AND (alert.kind LIKE 'line-%'
        OR alert.kind IN ('validity-over', 'transmission-blocked', 'reroute-stopped', 'restored'))))
ORDER BY line.act_by, line.id LIMIT :most
"""
_FINISHING: Final = timedelta(minutes=15)
"""Allowed for giving a line to its next provider, once the earlier one has given it up: it is tried all the while."""
_UNSAID: Final = timedelta(hours=2)
"""Allowed for an answer that was asked for before its limit was written down with it."""
# What a provider was asked is timed by itself: the line may move meanwhile, and nothing is done until it answers.
# A line without a deadline, as none should be, was late when it came there: a sweep of deadlines alone passes it over.
_UNANSWERED = """
SELECT line.uuid, line.state, request.kind, request.answer_by,
    EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.kind IN (request.kind, request.kind || '-overdue')
        AND alert.opened_at >= request.asked_at), line.id
FROM (SELECT line, kind, asked_at, answer_by FROM hold WHERE state = 'ASKED'
      UNION ALL SELECT line, 'reroute', asked_at, coalesce(answer_by, asked_at + :limit) FROM reroute
      WHERE state IN ('ASKED', 'PENDING')
      UNION ALL SELECT line, 'reroute-unfinished', revoked_at, revoked_at + :finish FROM reroute
      WHERE state = 'CONFIRMED'
      UNION ALL SELECT line, 'cancel', asked_at, coalesce(answer_by, asked_at + :limit) FROM cancel
      WHERE state IN ('ASKED', 'PENDING') AND line IS NOT NULL
      UNION ALL SELECT (SELECT min(line.id) FROM line WHERE line.prescription = awaited_paper.prescription
          AND (line.delivered > 0
              OR line.state NOT IN ('HELD', 'REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'))),
          'paper', since, act_by FROM awaited_paper WHERE registered_at IS NULL AND act_by <= :now
      UNION ALL SELECT id, 'books-out', entered_at, entered_at FROM line WHERE act_by IS NULL AND state NOT IN (
          'RECEIVED', 'FULFILLED', 'REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')) AS request
JOIN line ON line.id = request.line
WHERE request.answer_by <= :now AND (request.answer_by, line.id, request.kind) > (:at, :row, :asked)
  AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL
    AND (alert.kind IN (request.kind, request.kind || '-overdue', request.kind || '-pending')
        OR alert.opened_at >= request.asked_at
        AND (alert.kind = 'overdue' AND request.kind IN ('cancel', 'reroute')
            OR alert.kind = 'reroute-waits' AND request.kind = 'reroute')))
ORDER BY request.answer_by, line.id, request.kind LIMIT :most
"""
_TICK: Final = timedelta(microseconds=1)
_BEAT = "INSERT INTO heartbeat (name, at) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET at = :at"
_LAST_BEAT = "SELECT at FROM heartbeat WHERE name = ?"
_WAITING = "SELECT tenant, count(*) FROM outbox WHERE state IN ('due', 'claimed', 'on_wire') GROUP BY tenant"
# The numbers first, and what is shown of them then: not of every alert that is open, of which there may be very many.
_NUMBERS = """
SELECT id FROM alert WHERE closed_at IS NULL AND kind {which} 'safety-incident'
    AND (CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant OR {own})
ORDER BY id LIMIT :limit
"""
_OPEN = ALERTS.format(
    source=f"(SELECT id FROM ({_NUMBERS.format(which='=', own=OWN_ALERT)}) AS first"  # noqa: S608 - our own words alone
    f" UNION ALL SELECT id FROM ({_NUMBERS.format(which='<>', own=OWN_ALERT)}) AS others) AS wanted"
    " JOIN alert ON alert.id = wanted.id"
    " LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription",
    condition="alert.closed_at IS NULL ORDER BY alert.kind <> 'safety-incident', alert.id LIMIT :limit",
)


def overdue(reader: Reader, *, now: datetime, after: Overdue | None, limit: int) -> tuple[Overdue, ...]:
    """Find lines past their act-by time that no open alert of their state names, then requests without answer."""
    lines = () if after is not None and after.asked else _lines(reader, now=now, after=after, limit=limit)
    left = limit - len(lines)
    asked = after if after is not None and after.asked else None
    return (*lines, *(_unanswered(reader, now=now, after=asked, limit=left) if left else ()))


def _from(after: Overdue | None, *, now: datetime, limit: int) -> dict[str, Any]:
    at, row = (stored(after.act_by), after.row) if after is not None else (-1, 0)
    return {"now": stored(now), "at": at, "row": row, "most": limit}


def _unanswered(reader: Reader, *, now: datetime, after: Overdue | None, limit: int) -> tuple[Overdue, ...]:
    times = {"limit": _UNSAID // _TICK, "finish": _FINISHING // _TICK, "asked": after.asked if after else ""}
    return tuple(
        Overdue(
            line_id=UUID(bytes=uuid),
            state=LineState(state),
            holder=Holder.PROVIDER.value,
            act_by=instant(answer_by),
            closed_before=bool(before),
            asked=kind,
            row=row,
        )
        for uuid, state, kind, answer_by, before, row in reader.execute(
            _UNANSWERED, {**times, **_from(after, now=now, limit=limit)}
        )
    )


def _lines(reader: Reader, *, now: datetime, after: Overdue | None, limit: int) -> tuple[Overdue, ...]:
    return tuple(
        Overdue(
            line_id=UUID(bytes=uuid),
            state=LineState(state),
            holder=holder,
            act_by=instant(act_by),
            issues=held_for(issues) if issues else (),
            closed_before=bool(before),
            row=row,
        )
        for uuid, state, holder, act_by, issues, before, row in reader.execute(
            _OVERDUE, _from(after, now=now, limit=limit)
        )
    )


def beat(transaction: Transaction, name: str, *, now: datetime) -> None:
    """Say that a part has just done its work."""
    transaction.run(_BEAT, {"name": name, "at": stored(now)})


def clock_jumped(transaction: Transaction, *, now: datetime, text: str) -> bool:
    """Let nothing wait for a moment that an earlier clock had named, and ask a person once whether it is right."""
    clock_jumps.hasten(transaction, now=now)
    return open_alert(transaction, kind="clock-jumped", subject=WATCH, at=now, text=text)


def last_beat(reader: Reader, name: str) -> datetime | None:
    """Tell when a part last did its work."""
    row = next(iter(reader.execute(_LAST_BEAT, (name,))), None)
    return instant(row[0]) if row else None


def waiting(reader: Reader) -> Waiting:
    """Count what waits to be sent."""
    counts = {OdsCode(tenant): count for tenant, count in reader.execute(_WAITING)}
    return Waiting(total=sum(counts.values()), by_tenant=counts)


def open_alerts(reader: Reader, *, tenant: OdsCode | None, limit: int) -> tuple[AlertView, ...]:
    """Give open alerts, safety incidents first, otherwise the oldest."""
    values = {"tenant": tenant.value if tenant else None, "limit": limit}
    return tuple(alert_view(row) for row in reader.execute(_OPEN, values))
