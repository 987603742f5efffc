"""The schema that this code needs, whatever the engine: its numbered steps, and the arrows that the database asks.

A step named `pre` leaves code of the version before it running; `post` needs the new code.
"""

import importlib.resources
import re
from dataclasses import dataclass

from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.delivery import DELIVERY_TABLE, DeliveryState
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, LineState
from gateway.domain.renewal import RENEWAL_TABLE
from gateway.store.sql.transaction import Connection

_NAME = re.compile(r"(\d{4})_(pre|post)_\w+\.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """How the schema of a store stands to this code.

    Attributes:
        newest: the newest step that ran on the store.
        needs: the newest step that code must know to work on it.
        missing: steps of this code that have not run.
        known: the newest step of this code.
    """

    newest: int
    needs: int
    missing: tuple[int, ...]
    known: int

    @property
    def fits(self) -> bool:
        """Whether this code may work on the store as it is."""
        return not self.missing and self.needs <= self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration: `kind` is `pre` or `post`."""

    number: int
    kind: str
    sql: str


def steps_in(package: str) -> dict[int, Step]:
    """Give every step of an engine by its number, in order.

    Args:
        package: the one that holds the files.
    """
    folder = importlib.resources.files(package)
    found = {name: _NAME.fullmatch(name) for name in sorted(entry.name for entry in folder.iterdir())}
    return {
        int(match[1]): Step(number=int(match[1]), kind=match[2], sql=(folder / name).read_text("utf-8"))
        for name, match in found.items()
        if match
    }


def arrows() -> frozenset[tuple[LineState, str, LineState]]:
    """Give every arrow of the lifecycle as (state, event, next); a row that returns may return to any open state."""
    found: set[tuple[LineState, str, LineState]] = set()
    for row in LINE_TABLE:
        for state in row.states:
            ends = [end for end in LineState if end is not state] if row.to == BEFORE else [LineState(row.to)]
            found.update((state, row.event.value, end) for end in ends)
    return frozenset(found)


def region_arrows() -> frozenset[tuple[str, str, str, str]]:
    """Give every arrow of the machines beside the line as (machine, state, event, next)."""
    found: set[tuple[str, str, str, str]] = set()
    for one in DELIVERY_TABLE:
        ends = [end.value for end in DeliveryState] if one.to == BEFORE else [str(one.to)]
        found.update(("delivery", state.value, one.event.value, end) for state in one.states for end in ends)
    for machine, table in (("cancel", CANCEL_TABLE), ("renewal", RENEWAL_TABLE)):
        found.update((machine, state, row.event.value, row.to.value) for row in table for state in row.states)
    return frozenset(found)


def write_arrows(connection: Connection) -> None:
    """Fill the tables that the database's own rules ask, where they are not what this code says."""
    wanted = {(state.value, event, end.value) for state, event, end in arrows()}
    if set(connection.execute("SELECT state, event, next FROM arrow")) != wanted:
        connection.execute("DELETE FROM arrow")
        connection.executemany("INSERT INTO arrow VALUES (?, ?, ?)", sorted(wanted))
    beside = region_arrows()
    if set(connection.execute("SELECT machine, state, event, next FROM region_arrow")) != beside:
        connection.execute("DELETE FROM region_arrow")
        connection.executemany("INSERT INTO region_arrow VALUES (?, ?, ?, ?)", sorted(beside))
