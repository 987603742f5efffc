"""The revocation of a line for a re-route: asked of its holder, and moved by the cancel region's own table.

It is kept apart from the trust's own cancel of the line, which goes to whoever holds it then. A revocation that the
holder confirms moves nothing yet: the line stays where it was until a new message is sealed for the next provider.

Source: mapping.md 10.2 (revoke first), 10.3.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.cancel import CancelRow, CancelState, move, provider_event
from gateway.domain.lifecycle import LineEvent
from gateway.store.sql.alerts import open_alert
from gateway.store.sql.history import Happening, LineNow, note_event
from gateway.store.sql.instants import stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Transaction

_ASKED = "SELECT id, state FROM reroute WHERE line = ? AND state IN ('ASKED', 'PENDING')"
_MOVE = """
UPDATE reroute SET state = :state, revoked_at = coalesce(revoked_at, :revoked), ended_at = :ended WHERE id = :id
"""
_OF_MESSAGE = "SELECT line FROM reroute WHERE message = ? AND state IN ('ASKED', 'PENDING') ORDER BY line"

WORDS: Final[dict[CancelState, str]] = {
    CancelState.CONFIRMED: "given up for a re-route; it may be given to another provider",
    CancelState.PENDING: "asked to give it up for a re-route; a person there must see to it",
    CancelState.TOO_LATE: "too late to give it up for a re-route: supplied",
}


def follow(
    transaction: Transaction, line: LineNow, event: LineEvent, happening: Happening | None, *, now: datetime
) -> CancelRow | None:
    """Move a revocation after the holder's report of the line; `gateway.store.sql.cancels.follow` for a re-route.

    Returns:
        The arrow that was followed; None where no revocation waits for this.
    """
    said = provider_event(event)
    row = transaction.row(_ASKED, (line.row,))
    arrow = move(CancelState(row[1]), said) if row is not None and said is not None else None
    if row is None or arrow is None:
        return None
    at = stored(now)
    confirmed, late = arrow.to is CancelState.CONFIRMED, arrow.to is CancelState.TOO_LATE
    values = {"state": arrow.to.value, "revoked": at if confirmed else None, "ended": at if late else None}
    transaction.run(_MOVE, {**values, "id": row[0]})
    append_leaf(transaction, "reroute", at=now, line=str(line.id), epoch=line.epoch, state=arrow.to.value)
    if happening is not None:
        note_event(transaction, line, replace(happening, text=WORDS.get(arrow.to, "asked for a re-route: no change")))
    if arrow.alert:
        _alert(transaction, line, _words(arrow), at=now)
    return arrow


def waiting_lines(transaction: Transaction, message: UUID) -> list[int]:
    """Give the lines whose revocation this message asks for and still waits for an answer."""
    return [row for (row,) in transaction.rows(_OF_MESSAGE, (message.bytes,))]


def _words(arrow: CancelRow) -> str:
    if arrow.to is CancelState.TOO_LATE:
        return "A re-route came too late: the provider says that it was supplied. The line stays there."
    return "A re-route waits: the provider has not given the line up. Nothing was sent to another."


def _alert(transaction: Transaction, line: LineNow, text: str, *, at: datetime) -> None:
    open_alert(transaction, kind="reroute-waits", subject=str(line.id), line=line.row, at=at, text=text)
