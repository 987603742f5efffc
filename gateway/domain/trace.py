"""Traces: for every value in the output, the place in the input that says so.

Source: mapping.md 2.2; brief D1.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(slots=True)
class TraceRow:
    """One value's origin; written once, never changed.

    It is not frozen, and its members have an order, for the sake of time: making a frozen one takes several times as
    long, and every message makes a hundred. So it is with `Leftover`.

    Attributes:
        target: canonical path, `lines[0].dosages[0].dose.value`; a row covers everything below its target.
        source: locator in the sender's notation; empty for a default or a derived value.
        rule: stable id of the rule, `RXE-3.dose.1`.
        transform: `copy`, `table:<name>@<version>`, `parse:<name>`, `derive:<name>` or `default:<name>`.
        raw: the lexeme as received.
        result: the value it became, as text.
    """

    target: str
    source: str
    rule: str
    transform: str
    raw: str
    result: str


class Disposition(StrEnum):
    """What became of an input value that no output value comes from."""

    IGNORED_BY_RULE = "ignored by rule"
    CARRIED_AS_NOTE = "carried as note"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Leftover:
    """An input value that is the source of no output value; kept, with what became of it and the rule that says so."""

    source: str
    raw: str
    disposition: Disposition
    rule: str = ""
