"""News of a patient, told to people: one alert for each open line it concerns."""

from datetime import datetime

from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Notice
from gateway.store.sqlite.alerts import open_alert
from gateway.store.sqlite.transaction import Transaction

_OPEN_LINES = """
SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
WHERE prescription.nhs_number = ? AND prescription.tenant = ?
    AND line.state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
ORDER BY line.id
"""


def tell(transaction: Transaction, notice: Notice, tenant: OdsCode, *, subject: str, now: datetime) -> None:
    """Open the alerts a notice leads to; where no open line is concerned, one for the trust if it must be told."""
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
