"""Coded tables, one row a code: what a sender's code means, and where that is laid down. Beside it stands `tables.csv`.

A code that is not in its table has no meaning here; whoever reads the field holds it, or leaves it out by a rule.

Source: mapping.md 4.3 and 4.5.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One code of one table."""

    table: str
    code: str
    means: str
    citation: str


@cache
def rows() -> tuple[Row, ...]:
    """Give every row of every table."""
    text = files("gateway.translate.maps").joinpath("tables.csv").read_text(encoding="utf-8")
    return tuple(Row(**row) for row in csv.DictReader(text.splitlines()))


def table(name: str) -> Mapping[str, str]:
    """Give a table: code to meaning, in the order of its rows.

    Raises:
        KeyError: there is none of that name; modules ask while they are imported.
        ValueError: a code stands twice.
    """
    found = [row for row in rows() if row.table == name]
    if not found:
        raise KeyError(name)
    means = {row.code: row.means for row in found}
    if len(means) != len(found):
        raise ValueError(f"a code of {name} stands twice")
    return MappingProxyType(means)
