"""A list as comma-separated text that a spreadsheet shows and never runs.

Rules:

1. UTF-8 without a mark at its beginning, a header row, one observation a row, lines that end in CR LF.
2. Dates and times in ISO 8601, numbers bare, an absent value is an empty field, and text always in quotation marks, so
   that a spreadsheet whose separator is the semicolon does not cut a cell in two.
3. Text that a spreadsheet might take for a formula is given an apostrophe in front: text whose first character that can
   be seen is `=`, `+`, `-`, `@` or a wide, small, raised or lowered form of them, and text that begins with a tab, a
   carriage return or a line feed. A number is not text: minus five stays minus five.

Source: console.md 6.6; RFC 4180; OWASP, CSV Injection.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from starlette.responses import Response

Cell = str | int | Decimal | date | datetime | None
"""What stands in a field; a `datetime` is aware."""

_STARTS_A_FORMULA: Final = frozenset("=+-@")
_MINUS_SIGNS: Final = frozenset("\u2212\u2010\u2011\u2012\u2013\u2014\u2015")
_MOVES_A_CELL: Final = ("\t", "\r", "\n")
_NOT_SEEN: Final = ("C", "Z")
"""Categories of what has no shape of its own: controls, marks of direction, what is not assigned, spaces."""
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Give a header and rows as comma-separated text.

    Args:
        header: what each column is called.
        rows: as many cells each as the header has.

    Raises:
        ValueError: a row is of another length than the header.
    """
    return csv_line(header) + csv_lines(rows, len(header))


def csv_line(cells: Sequence[Cell]) -> bytes:
    """Give one row alone, as the header is."""
    return csv_lines([cells], len(cells))


def csv_lines(rows: Iterable[Sequence[Cell]], columns: int) -> bytes:
    """Give rows without a header.

    Raises:
        ValueError: a row is of another length.
    """
    lines = []
    for row in rows:
        if len(row) != columns:
            raise ValueError("a row has other columns than the header")
        lines.append(_line(row))
    return "".join(lines).encode(errors="replace")


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Give the same as an answer that a browser keeps as a file.

    Args:
        name: of the file, without its ending: small letters, digits and hyphens, and no patient data (D16).
        header: what each column is called.
        rows: as many cells each as the header has.

    Raises:
        ValueError: the name has anything else in it, or a row is of another length than the header.
    """
    return Response(csv_bytes(header, rows), headers=csv_headers(name))


def csv_headers(name: str) -> dict[str, str]:
    """Give what a file of that name is sent with.

    Raises:
        ValueError: the name is not what `csv_response` allows.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError("a file's name is small letters, digits and hyphens")
    return {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def inert(text: str) -> str:
    """Give text that no spreadsheet takes for a formula: itself, or itself behind an apostrophe."""
    seen = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return f"'{seen}" if _may_run(seen) else seen


def _may_run(text: str) -> bool:
    if text[:1].isascii() and text[:1].isalnum():
        return False  # as most do, and what Unicode says of a sign takes long to ask
    if text.startswith(_MOVES_A_CELL):
        return True
    first = next((sign for sign in text if not unicodedata.category(sign).startswith(_NOT_SEEN)), "")
    plain = unicodedata.normalize("NFKC", first)[:1]
    return bool(plain) and (plain in _STARTS_A_FORMULA or plain in _MINUS_SIGNS)


def _line(cells: Sequence[Cell]) -> str:
    return ",".join(_field(cell) for cell in cells) + "\r\n"


def _field(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return '"' + inert(cell).replace('"', '""') + '"'
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return f"{cell:f}"
        case datetime() if cell.tzinfo is None:
            raise ValueError("a time without its zone")
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
