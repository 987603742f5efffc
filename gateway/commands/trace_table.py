"""The trace of a translation as a table for people: every output value, where it came from, and what was left over."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.domain.trace import Leftover, TraceRow

_LEAST_WIDTH = 160
"""Columns where there is no terminal to ask, so that a file or a pipe is not folded to 80."""


def wide_console(*, stderr: bool) -> Console:
    """Give a console as wide as the terminal, and wide enough where there is none."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=max(console.width, _LEAST_WIDTH))


def print_trace(rows: Iterable[TraceRow], leftovers: Iterable[Leftover]) -> None:
    """Print both tables to standard error, beside the message on standard output."""
    console = wide_console(stderr=True)
    values = _table("Every value, and where it comes from", "value", "from", "as received", "became", "rule", "how")
    for row in rows:
        _add(values, row.target, row.source or "-", row.raw, row.result, row.rule, row.transform)
    console.print(values)
    rest = _table("Input that no value comes from", "from", "as received", "what became of it", "rule")
    for one in leftovers:
        _add(rest, one.source, one.raw, one.disposition.value, one.rule)
    if rest.row_count:
        console.print(rest)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row of plain text: square brackets in a locator are no markup."""
    table.add_row(*(Text(cell) for cell in cells))
