"""What a trust was told that its people had done to its lines, and a restore lost: to be done again before they leave.

A cancel or hold that was done at once, because nothing had left, is in nobody's list of messages. The trust's system
was told of it, where it takes such news, and its log may state it. Nothing is cancelled or held by that: its people see
to it, and the trust's orders stay here until they have.

Source: reliability-security.md I22, I7; mapping.md 10.3.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.transaction import Row, Transaction

_LINES: Final = """
SELECT line.id, line.state,
    EXISTS (SELECT 1 FROM cancel WHERE cancel.line = line.id),
    EXISTS (SELECT 1 FROM hold WHERE hold.line = line.id AND hold.kind = 'hold' AND hold.state = 'ASKED')
FROM line WHERE line.tenant = :tenant AND line.action IN ('new', 'replace')
    AND (line.order_number = :name OR line.uuid = :uuid) ORDER BY line.id
"""
_ARCHIVED: Final = """
SELECT 1 FROM archived_line WHERE tenant = :tenant AND (order_number = :name OR uuid = :uuid) LIMIT 1
"""
_WORDS: Final = {LineState.CANCELLED: "cancelled", LineState.ON_HOLD: "on hold"}


def not_so(
    transaction: Transaction, tenant: OdsCode, told: Mapping[str, LineState], *, now: datetime
) -> tuple[str, ...]:
    """Give the names of lines that do not stand as their trust was told, each with an alert.

    Args:
        transaction: a write.
        tenant: the trust.
        told: by item id or order number, how the trust was told that the line stands: one of `reconciliation.ACTS`.
        now: when.
    """
    return tuple(name for name in sorted(told) if _differs(transaction, tenant, name, told[name], now))


def _differs(transaction: Transaction, tenant: OdsCode, name: str, state: LineState, now: datetime) -> bool:
    uuid = parse_uuid(name)
    values = {"tenant": tenant.value, "name": name, "uuid": uuid.bytes if uuid is not None else b""}
    rows = transaction.rows(_LINES, values)
    if not rows and transaction.row(_ARCHIVED, values) is None:
        text = f"The trust was told that this line is {_WORDS[state]}, and it is not known here: its order is lost."
        open_alert(transaction, kind="act-lost", subject=f"{tenant} {name}", tenant=tenant, at=now, text=text)
        return True
    wrong = list(_wrong(rows, state))
    text = f"The trust was told, in the time that a restore lost, that this line is {_WORDS[state]}; here it is not."
    for row in wrong:
        open_alert(transaction, kind="act-lost", subject=f"{tenant} {name} {row}", line=row, at=now, text=text)
    return bool(wrong)


def _wrong(rows: list[Row], state: LineState) -> Iterator[int]:
    """Give the rows of lines for which nobody has done again what was done: asked of its provider is done."""
    for row, stands, cancel, hold in rows:
        if stands in TERMINAL or (cancel and state is LineState.CANCELLED):
            continue
        if state is LineState.ON_HOLD and (hold or stands == LineState.ON_HOLD):
            continue
        yield int(row)
