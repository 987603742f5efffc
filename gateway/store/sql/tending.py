"""What waits for whoever runs the gateway: alerts of their kinds, with where each is and nothing of a patient.

Incidents come first, then what must be acted on soonest, then what is oldest. Bounded: nothing is read beyond `DEEPEST`
rows, and the count stops at the same number.

Source: console.md 3 (the operator sees opaque ids), 6.1; DECISIONS 0059.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import INCIDENTS, TENDED, Standing, is_tended, reason_of, settled
from gateway.ports.attention import DEEPEST, Attention, OpaqueLine, WorkItem
from gateway.store.sql import late
from gateway.store.sql.alerts import held_for
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Reader

_THEIRS: Final = """
alert.closed_at IS NULL AND alert.kind IN (SELECT value FROM json_each(:kinds))
    AND (alert.snoozed_until IS NULL OR alert.snoozed_until <= :now)
"""
_MINE: Final = "alert.taken_by = :taken_by AND alert.taken_by <> '' AND " + _THEIRS.replace(
    "alert.kind IN", "coalesce(alert.kind, '') IN"
)
"""Said so that what one person has taken is found by that, and not by its kinds."""
_NUMBERS: Final = {
    mine: f"SELECT alert.id FROM alert WHERE {which} ORDER BY alert.id LIMIT :most"  # noqa: S608 - our own words alone
    for mine, which in ((False, _THEIRS), (True, _MINE))
}
_COUNT: Final = {
    mine: f"SELECT count(*) FROM (SELECT 1 FROM alert WHERE {which} LIMIT :most) AS counted"  # noqa: S608
    for mine, which in ((False, _THEIRS), (True, _MINE))
}
_ALERT: Final = """
SELECT alert.kind, alert.text, alert.opened_at, alert.taken_by, alert.taken_at, alert.snoozed_until, alert.closed_at,
    alert.tenant, alert.risk, prescription.uuid, line.tenant, line.provider, line.state, line.urgency, line.entered_at,
    CASE line.state WHEN 'HELD' THEN prescription.issues END, line.id
FROM alert LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.id = ?
"""


def page(reader: Reader, *, taken_by: str, first: int, size: int, now: datetime) -> Attention:
    """Give one page of the list."""
    values = {"taken_by": taken_by, "now": stored(now)}
    numbers: list[int] = []
    total = 0
    for kinds in TENDED:
        asked = {**values, "kinds": json.dumps(kinds)}
        if len(numbers) < first + size:
            numbers += [
                number for (number,) in reader.execute(_NUMBERS[bool(taken_by)], {**asked, "most": first + size})
            ]
        total += int(next(iter(reader.execute(_COUNT[bool(taken_by)], {**asked, "most": DEEPEST + 1})))[0])
    rows = tuple(row for one in numbers[first : first + size] if (row := item(reader, one)) is not None)
    return Attention(rows=rows, total=min(total, DEEPEST), more=total > DEEPEST)


def item(reader: Reader, alert: int) -> WorkItem | None:
    """Give one alert as a row; None also where it is of a kind that is not theirs."""
    row = next(iter(reader.execute(_ALERT, (alert,))), None)
    if row is None or not is_tended(row[0]):
        return None
    kind, text, opened_at, taken_by, taken_at, until, closed_at, tenant, risk = row[:9]
    line = _line(reader, row[9:15], row[16]) if row[9] is not None else None
    state = line.state if line is not None else None
    return WorkItem(
        alert=alert,
        kind=kind,
        reason=reason_of(kind, state, held_for(row[15]) if row[15] else ()),
        text=text,
        standing=Standing(incident=kind in INCIDENTS, last_day=None, risk=risk, since=instant(opened_at), number=alert),
        taken_by=taken_by,
        taken_at=instant(taken_at) if taken_at is not None else None,
        snoozed_until=instant(until) if until is not None else None,
        closed_at=instant(closed_at) if closed_at is not None else None,
        opaque=line,
        tenant=OdsCode(tenant) if tenant else None,
        settled=state is not None and settled(kind, state),
    )


def _line(reader: Reader, row: tuple[Any, ...], line: int) -> OpaqueLine:
    prescription, tenant, provider, state, urgency, entered_at = row
    unsent = late.unsent(reader, [line]).get(line) if state == LineState.READY else None
    return OpaqueLine(
        prescription_id=UUID(bytes=prescription),
        tenant=OdsCode(tenant),
        provider=OdsCode(provider) if provider else None,
        state=LineState(state),
        urgency=Urgency(urgency),
        entered_at=instant(entered_at),
        unsent=replace(unsent, said="") if unsent is not None else None,
    )
