"""News of a patient, told to people: one alert for each open line it concerns; a renewal asked for, as a task."""

from datetime import datetime

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import Actor, LineEvent
from gateway.domain.submission import Notice
from gateway.store.sql import renewals
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.history import Happening, line_now
from gateway.store.sql.transaction import Transaction

_OPEN_LINES = """
SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
WHERE prescription.nhs_number = ? AND prescription.tenant = ?
    AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
ORDER BY line.id
"""


_OF_ORDER = """
SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
WHERE line.order_number = ? AND prescription.nhs_number = ? AND prescription.tenant = ? AND line.replaced = 0
    AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
"""


def tell(transaction: Transaction, notice: Notice, tenant: OdsCode, *, subject: str, now: datetime) -> None:
    """Open the alerts a notice leads to; where no open line is concerned, one for the trust if it must be told."""
    if notice.kind == renewals.KIND and _renew(transaction, notice, tenant, now=now):
        return
    lines = [
        row
        for number in notice.nhs_numbers
        for (row,) in transaction.rows(_OPEN_LINES, (number, tenant.value))
        if number
    ]
    for line in lines:
        about = f"{subject}:{line}"
        open_alert(transaction, kind=notice.kind, subject=about, line=line, at=now, text=notice.text)
    if not lines and notice.always:
        open_alert(transaction, kind=notice.kind, subject=subject, at=now, text=notice.text, tenant=tenant)


def _renew(transaction: Transaction, notice: Notice, tenant: OdsCode, *, now: datetime) -> bool:
    """Open a renewal of each order it is asked of; tell whether every one of them is an open order of the patient."""
    found = [
        {
            row
            for patient in notice.nhs_numbers
            for (row,) in transaction.rows(_OF_ORDER, (order, patient, tenant.value))
        }
        for order in notice.orders
    ]
    happening = Happening(
        event=LineEvent.RENEWAL_REQUESTED, actor=Actor.TRUST_PHARMACIST, at=now, text="asked for by the trust's system"
    )
    for row in sorted(set().union(*found)):
        renewals.request(transaction, line_now(transaction, row), happening)
    return bool(found) and all(found)
