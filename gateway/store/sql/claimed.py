"""A provider that speaks of supplying what it had given up, or what it was never known to have.

The line stays where it is, for no arrow leads from there; but nobody may then confirm here that nobody has it.

Source: reliability-security.md I2, I7.
"""

from typing import Final

from gateway.domain.fence import TAKES_ON
from gateway.domain.lifecycle import LineEvent
from gateway.store.sql.transaction import Transaction

_GIVES_UP: Final = (LineEvent.REJECTED, LineEvent.REFUSED_FORMAT, LineEvent.RETURNED, LineEvent.NOT_SUPPLIED)


def _named(events: frozenset[LineEvent] | tuple[LineEvent, ...]) -> str:
    names = ", ".join(sorted(f"'{event.value}'" for event in events))
    return f"({names})"


CLAIMED: Final = f"""
(line.state IN ('UNDELIVERABLE', 'REJECTED', 'RETURNED') AND EXISTS (
    SELECT 1 FROM event AS said JOIN callback ON callback.id = said.callback
    WHERE said.line = line.id AND coalesce(said.epoch, 1) = line.epoch AND callback.destination = line.provider
        AND (said.event IN {_named(TAKES_ON)} OR said.event = 'arrived' AND line.state = 'UNDELIVERABLE')
        AND NOT EXISTS (
            SELECT 1 FROM event AS later WHERE later.line = said.line AND later.seq > said.seq
                AND later.event IN {_named(_GIVES_UP)})))
"""  # noqa: S608 - our own words alone
"""Of a line: its last provider says that it has it, whatever state that is here."""
_CLAIMED: Final = f"SELECT 1 FROM line WHERE line.id = ? AND {CLAIMED}"  # noqa: S608 - our own words alone


def claimed(transaction: Transaction, line: int) -> bool:
    """Tell whether the last provider of a line that nobody has says that it has it."""
    return transaction.row(_CLAIMED, (line,)) is not None
