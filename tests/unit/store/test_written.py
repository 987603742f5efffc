"""What a line's move writes anew: each index is a page of the file, and again a page of it, at each of its moves."""

import apsw
import pytest

from gateway.store.sql import history
from gateway.store.sqlite.schema import migrate
from tests.factories import MOMENT

OF_WHERE_IT_STANDS = {
    "line_act_by",
    "line_fulfilled",
    "line_held",
    "line_on_its_way",
    "line_to_screen",
    "line_valid_until",
    "line_waits",
    "line_waits_of_provider",
    "line_waits_of_trust",
    "line_without_deadline",
}
"""Indexes that answer where lines stand, or what is still open: a move changes what they say. The last is empty."""


@pytest.mark.parametrize("statement", [history._MOVE, history._STAY], ids=["a move", "a stay on hold"])
def test_a_line_that_moves_writes_no_index_anew_that_says_only_that_it_is_live(statement: str) -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, now=MOMENT)
    assert _written(connection, statement) - {"line"} <= OF_WHERE_IT_STANDS


def _written(connection: apsw.Connection, statement: str) -> set[str]:
    """Give the tables and indexes that a statement opens to write, without what its triggers open."""
    names: dict[int, str] = dict(connection.execute("SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0"))
    found: set[str] = set()
    values = dict.fromkeys(
        ("state", "before", "holder", "at", "act_by", "unsent", "sent", "answered", "rejected", "line")
    )
    steps = list(connection.execute(f"EXPLAIN {statement}", values))
    for number, (address, operation, _, root, *_) in enumerate(steps):
        if number and address == 0:
            break
        if operation == "OpenWrite":
            found.add(names[root])
    assert "line" in found
    return found
