"""How a statement of `gateway.store.sql` is said to PostgreSQL: its values are numbered, and an insert says its row.

A list of row numbers is an array. Everything else of a statement stands in what both engines understand; functions
that only SQLite brings with it are defined in the schema under the same name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from gateway.store.sql.listing import numbers
from gateway.store.sql.transaction import Values

_LIST: Final = re.compile(r"(?<!NOT )\bIN " + re.escape(numbers("@")).replace("@", r"([:\w?]+)"))
_ARRAY: Final = "= ANY (ARRAY" + numbers(r"\1") + ")"
"""A list of row numbers is read once, before the rows: as a table to join, of which a thousand rows are reckoned
whatever it holds, it had the few hundred open alerts of everybody walked instead, and each asked whose it is."""
_VALUE: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*|(?<!:):([a-z_]+)|\?")
_INSERT: Final = re.compile(r"\s*INSERT INTO (\w+)")
_GIVES_ROWS: Final = re.compile(r"\s*(SELECT|WITH|VALUES)\b|.*\bRETURNING\b", re.DOTALL)
_IDS: Final = (
    "alert allocation archive attempt callback cancel code_map_entry configuration delivery delivery_event hold"
    " kept_apart legal_hold line outbox pause planned_outage prescription renewal reroute sent_again"
    " stated_fact stated_holding submission work_note"
)
_NUMBERED: Final = {**dict.fromkeys(_IDS.split(), "id"), "event": "seq"}
"""The tables that number their rows, and where they write the number."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as PostgreSQL is given it.

    Attributes:
        names: of its values in order; empty where they are given in order already.
        gives_rows: to whoever asked.
        numbers: whether it gives the number of the row that it inserts, which nobody asked for.
    """

    text: str
    names: tuple[str, ...]
    gives_rows: bool
    numbers: bool

    def arguments(self, values: Values) -> tuple[Any, ...]:
        """Give the values in the order of their numbers."""
        if isinstance(values, Mapping):
            return tuple(values[name] for name in self.names)
        return tuple(values)


@cache
def statement(sql: str) -> Statement:
    """Translate a statement; each once, for there are a few hundred, and all are constants."""
    names: dict[str, int] = {}
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] == "?":
            count += 1
            return f"${count}"
        if found[1]:
            return f"${names.setdefault(found[1], len(names) + 1)}"
        return found[0]

    text = _VALUE.sub(number, _LIST.sub(_ARRAY, sql))
    gives_rows = _GIVES_ROWS.match(text) is not None
    insert = _INSERT.match(text)
    key = _NUMBERED.get(insert[1]) if insert and not gives_rows else None
    if key is not None:
        text = f"{text.rstrip()} RETURNING {key}"
    return Statement(text, tuple(names), gives_rows, key is not None)
