"""Why a line has not left, and which stage of its supply is late: what the tables say of it.

Source: console.md 4 (READY), 6.1.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from gateway.domain.delivery import ENDED, DeliveryState
from gateway.ports.late import Awaits, Stage, Unsent
from gateway.store.sql.awaiting import AWAITS_RULING
from gateway.store.sql.instants import instant
from gateway.store.sql.listing import numbers
from gateway.store.sql.pauses import HOLDS_ORDERS
from gateway.store.sql.transaction import Reader

_QUEUED: Final = f"""
SELECT allocation.line, outbox.state, outbox.due_at, outbox.attempts, outbox.withheld, tried.at, tried.reason,
    stopped.begun_at, stopped.reason
FROM allocation JOIN outbox ON outbox.message_id = allocation.message
LEFT JOIN attempt AS tried ON tried.id = (
    SELECT max(attempt.id) FROM attempt WHERE attempt.outbox = outbox.id AND attempt.outcome <> 'on_wire')
LEFT JOIN pause AS stopped ON stopped.id = (
    SELECT min(pause.id) FROM pause WHERE pause.ended_at IS NULL
        AND (pause.destination = outbox.destination OR {HOLDS_ORDERS.format(tenant="outbox.tenant")}))
WHERE allocation.line IN {numbers("?")} AND allocation.ended_at IS NULL
"""  # noqa: S608 - of our own words alone
_AWAITS: Final = f"""
SELECT line.id, CASE WHEN cancel.state <> 'TOO_LATE' THEN 'cancel' ELSE 'ruling' END FROM line
JOIN cancel ON cancel.replaced_by = line.uuid JOIN line AS old ON old.id = cancel.line
WHERE line.id IN {numbers("?")} AND old.state NOT IN ('CANCELLED', 'SUPERSEDED', 'REFUSED')
    AND (cancel.state IN ('ASKED', 'PENDING') OR (cancel.state = 'TOO_LATE' AND EXISTS (
        SELECT 1 FROM alert WHERE alert.line = line.id AND kind = '{AWAITS_RULING}' AND closed_at IS NULL)))
ORDER BY cancel.state = 'TOO_LATE', cancel.id DESC
"""  # noqa: S608 - of our own words alone
_STAGES: Final = f"""
SELECT line, issue, state, entered_at, agreed_for, due_on FROM delivery AS one WHERE line IN {numbers("?")}
    AND epoch = (SELECT max(epoch) FROM delivery WHERE line = one.line AND issue = one.issue)
ORDER BY issue
"""  # noqa: S608 - of our own words alone
_MADE: Final = frozenset({*ENDED, DeliveryState.DELIVERED})


def unsent(reader: Reader, lines: Collection[int]) -> Mapping[int, Unsent]:
    """Give where the sending of each of some lines stands; a line of which nothing is queued is not there."""
    if not lines:
        return {}
    which = (json.dumps(list(lines)),)
    awaits: dict[int, str] = dict(reader.execute(_AWAITS, which))
    return {line: _unsent(row, awaits.get(line)) for line, *row in reader.execute(_QUEUED, which)}


def _unsent(row: Sequence[Any], awaits: str | None) -> Unsent:
    state, due_at, attempts, withheld, tried_at, said, paused_at, paused_for = row
    return Unsent(
        state=state,
        due_at=instant(due_at),
        attempts=attempts,
        tried_at=instant(tried_at) if tried_at is not None else None,
        said=said or "",
        paused_at=instant(paused_at) if paused_at is not None else None,
        paused_for=paused_for or "",
        withheld=bool(withheld),
        awaits=Awaits(awaits) if awaits is not None else None,
    )


def stages(reader: Reader, lines: Collection[int]) -> Mapping[int, Stage]:
    """Give the first supply of each of some lines that is not made; one that has none is not there."""
    found: dict[int, Stage] = {}
    for line, issue, state, since, agreed, due in reader.execute(_STAGES, (json.dumps(list(lines)),)) if lines else ():
        if line not in found and (stands := DeliveryState(state)) not in _MADE:
            day = date.fromisoformat(agreed or due) if agreed or due else None
            found[line] = Stage(issue=issue, state=stands, since=instant(since), day=day)
    return found
