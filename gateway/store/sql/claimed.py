"""A provider that speaks of supplying what it had given up, or what it was never known to have.

The line stays where it is, for no arrow leads from there; but nobody may then confirm here that nobody has it.

Source: reliability-security.md I2, I7.
"""

from collections.abc import Iterable
from typing import Final

from gateway.domain.cancel import GIVEN_BACK
from gateway.domain.fence import TAKES_ON
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.store.sql.transaction import Transaction

GIVES_UP: Final = (LineEvent.REJECTED, LineEvent.REFUSED_FORMAT, LineEvent.RETURNED, LineEvent.NOT_SUPPLIED)
"""What a provider says of a line that it does not have, or no longer."""


NOBODYS: Final = frozenset({LineState.UNDELIVERABLE, *GIVEN_BACK})
"""States after which nobody is known to have a line."""


def _named(words: Iterable[LineEvent | LineState]) -> str:
    names = ", ".join(sorted(f"'{word.value}'" for word in words))
    return f"({names})"


CLAIMED: Final = f"""
(line.state IN {_named(NOBODYS)} AND EXISTS (
    SELECT 1 FROM event AS said JOIN callback ON callback.id = said.callback
    WHERE said.line = line.id AND coalesce(said.epoch, 1) = line.epoch AND callback.destination = line.provider
        AND (said.event IN {_named(TAKES_ON)} OR said.event = 'arrived' AND line.state = 'UNDELIVERABLE')
        AND NOT EXISTS (
            SELECT 1 FROM event AS later WHERE later.line = said.line AND later.seq > said.seq
                AND later.event IN {_named(GIVES_UP)})))
"""  # noqa: S608 - our own words alone
"""Of a line: its last provider says that it has it, whatever state that is here."""
_CLAIMED: Final = f"SELECT 1 FROM line WHERE line.id = ? AND {CLAIMED}"  # noqa: S608 - our own words alone


def claimed(transaction: Transaction, line: int) -> bool:
    """Tell whether the last provider of a line that nobody has says that it has it."""
    return transaction.row(_CLAIMED, (line,)) is not None
