"""The paper original of a prescription that went with the words that it follows: awaited until a person registers it.

The row is written in the transaction that stores the sealed message, and holds by when; the watch finds what is late
(`watching`), as long as anything of the prescription may be supplied or was. Registering it closes the alert.

Source: brief D8; reliability-security.md I15.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.domain.deadline import Urgency, urgency
from gateway.domain.prescription import Line
from gateway.ports.stated import StatedFact
from gateway.store.sql.alerts import close_alerts_of
from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Transaction

_AWAIT: Final = """
INSERT INTO awaited_paper (prescription, since, act_by) VALUES (:prescription, :since, :act_by)
ON CONFLICT (prescription) DO NOTHING
"""
_OF: Final = "(SELECT id FROM prescription WHERE uuid = :uuid AND tenant = :tenant)"
_CAME: Final = f"""
UPDATE awaited_paper SET registered_at = :at WHERE registered_at IS NULL AND prescription IN {_OF}
"""  # noqa: S608 - our own words alone
_LINES: Final = f"SELECT id FROM line WHERE prescription IN {_OF} ORDER BY id"  # noqa: S608 - the same
ALERT: Final = "paper-overdue"


def await_original(transaction: Transaction, prescription: int, lines: Iterable[Line], *, now: datetime) -> None:
    """Write down that the paper original is to come, and by when: of several lines the most urgent counts."""
    classes = {urgency(line.priority) for line in lines}
    urgent = Urgency.URGENT if Urgency.URGENT in classes else Urgency.ROUTINE
    act_by = stored(transaction.deadlines.paper_by(urgent, now))
    transaction.run(_AWAIT, {"prescription": prescription, "since": stored(now), "act_by": act_by})


def came(transaction: Transaction, uuid: bytes, tenant: str, fact: StatedFact) -> None:
    """Take note that it was registered: nothing waits for it any more."""
    named = {"uuid": uuid, "tenant": tenant}
    transaction.run(_CAME, {**named, "at": stored(fact.at)})
    for (line,) in transaction.rows(_LINES, named):
        reason = "The paper original was registered."
        close_alerts_of(transaction, line, kinds=frozenset({ALERT}), by=fact.by, reason=reason, now=fact.at)
