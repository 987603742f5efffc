"""What needs a person: lines past their deadline, and alerts that are open. From the base tables alone (I3)."""

from datetime import datetime
from uuid import UUID

import apsw

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.enquiries import AlertView, Overdue
from gateway.store.sqlite.instants import instant, stored
from gateway.store.sqlite.viewing import alert_view

_OVERDUE = """
SELECT uuid, state, holder, act_by FROM line
WHERE act_by IS NOT NULL AND act_by <= ?
  AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL)
ORDER BY act_by, id
"""
_OPEN = """
SELECT alert.id, alert.kind, alert.subject, line.uuid, alert.opened_at, alert.closed_at, alert.text,
       prescription.uuid, line.product_display, prescription.number
FROM alert LEFT JOIN line ON line.id = alert.line LEFT JOIN prescription ON prescription.id = line.prescription
WHERE alert.closed_at IS NULL AND (:tenant IS NULL OR alert.tenant = :tenant
    OR EXISTS (SELECT 1 FROM allocation WHERE allocation.line = alert.line AND allocation.provider = :tenant))
ORDER BY alert.id LIMIT :limit
"""


def overdue(reader: apsw.Connection, *, now: datetime) -> tuple[Overdue, ...]:
    """Find every line past its act-by time that no open alert names."""
    return tuple(
        Overdue(line_id=UUID(bytes=uuid), state=LineState(state), holder=holder, act_by=instant(act_by))
        for uuid, state, holder, act_by in reader.execute(_OVERDUE, (stored(now),))
    )


def open_alerts(reader: apsw.Connection, *, tenant: OdsCode | None, limit: int) -> tuple[AlertView, ...]:
    """Give open alerts, oldest first."""
    values = {"tenant": tenant.value if tenant else None, "limit": limit}
    return tuple(alert_view(row) for row in reader.execute(_OPEN, values))
