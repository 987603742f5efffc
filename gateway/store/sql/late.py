"""Why a line has not left, and which stage of its supply is late: what the tables say of it.

Source: console.md 4 (READY), 6.1.
"""

from datetime import date
from typing import Any, Final

from gateway.domain.delivery import ENDED, DeliveryState
from gateway.ports.late import Awaits, Stage, Unsent
from gateway.store.sql.awaiting import AWAITS_RULING
from gateway.store.sql.instants import instant
from gateway.store.sql.pauses import HOLDS_ORDERS
from gateway.store.sql.transaction import Reader

_QUEUED: Final = """
SELECT outbox.id, outbox.state, outbox.due_at, outbox.attempts, outbox.withheld, outbox.destination, outbox.tenant
FROM allocation JOIN outbox ON outbox.message_id = allocation.message
WHERE allocation.line = ? AND allocation.ended_at IS NULL
"""
_AWAITS: Final = f"""
SELECT CASE WHEN cancel.state <> 'TOO_LATE' THEN 'cancel' ELSE 'ruling' END FROM line
JOIN cancel ON cancel.replaced_by = line.uuid JOIN line AS old ON old.id = cancel.line
WHERE line.id = ? AND old.state NOT IN ('CANCELLED', 'SUPERSEDED', 'REFUSED')
    AND (cancel.state IN ('ASKED', 'PENDING') OR (cancel.state = 'TOO_LATE' AND EXISTS (
        SELECT 1 FROM alert WHERE alert.line = line.id AND kind = '{AWAITS_RULING}' AND closed_at IS NULL)))
ORDER BY cancel.state <> 'TOO_LATE', cancel.id LIMIT 1
"""  # noqa: S608 - of our own words alone
_PAUSED: Final = f"""
SELECT begun_at, reason FROM pause WHERE ended_at IS NULL
    AND (destination = :destination OR {HOLDS_ORDERS.format(tenant=":tenant")})
ORDER BY id LIMIT 1
"""  # noqa: S608 - of our own words alone
_TRIED: Final = "SELECT at, reason FROM attempt WHERE outbox = ? AND outcome <> 'on_wire' ORDER BY id DESC LIMIT 1"
_STAGES: Final = """
SELECT issue, state, entered_at, agreed_for, due_on FROM delivery AS one WHERE line = ?
    AND epoch = (SELECT max(epoch) FROM delivery WHERE line = one.line AND issue = one.issue)
ORDER BY issue
"""
_MADE: Final = frozenset({*ENDED, DeliveryState.DELIVERED})


def unsent(reader: Reader, line: int) -> Unsent | None:
    """Give where the sending of a line stands; None where nothing of it is queued."""
    found = next(iter(reader.execute(_QUEUED, (line,))), None)
    if found is None:
        return None
    row, state, due_at, attempts, withheld, destination, tenant = found
    where = {"destination": destination, "tenant": tenant}
    paused: tuple[Any, ...] = next(iter(reader.execute(_PAUSED, where)), (None, ""))
    tried: tuple[Any, ...] = next(iter(reader.execute(_TRIED, (row,))), (None, ""))
    awaits = next(iter(reader.execute(_AWAITS, (line,))), None)
    return Unsent(
        state=state,
        due_at=instant(due_at),
        attempts=attempts,
        tried_at=instant(tried[0]) if tried[0] is not None else None,
        said=tried[1],
        paused_at=instant(paused[0]) if paused[0] is not None else None,
        paused_for=paused[1],
        withheld=bool(withheld),
        awaits=Awaits(awaits[0]) if awaits is not None else None,
    )


def stage(reader: Reader, line: int) -> Stage | None:
    """Give the first supply of a line that is not made; None where every one that is planned was."""
    for issue, state, since, agreed, due in reader.execute(_STAGES, (line,)):
        if (stands := DeliveryState(state)) not in _MADE:
            day = agreed or due
            return Stage(issue=issue, state=stands, since=instant(since), day=date.fromisoformat(day) if day else None)
    return None
