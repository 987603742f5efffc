"""Reads organisation lists of the Organisation Data Service: `etr.csv`, `ets.csv`, `epraccur.csv`, `edispensary.csv`.

All have one layout without a header: code, name, two groupings, five lines of address, postcode, opening and closing
date (YYYYMMDD), status, sub-type, parent; further columns are not read.

Source: NHS England, ODS CSV downloads, standard 27-column layout.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode

COLUMNS: Final = ("code", "name", "postcode", "opened", "closed", "parent")
_LEAST_COLUMNS: Final = 15


def read_organisations(path: Path) -> Iterator[dict[str, str]]:
    """Give the rows of one list, with dates as YYYY-MM-DD.

    Raises:
        ConfigurationError: a row has too few columns, no name, or a code or date that is none; the text is not UTF-8.
    """
    count = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for count, cells in enumerate(csv.reader(lines, strict=True), 1):
                yield _row(f"{path.name}: row {count}", cells)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name}: is not UTF-8 text") from None
    except csv.Error:
        raise ConfigurationError(f"{path.name}: row {count + 1}: is not a CSV row, or ends early") from None
    if not count:
        raise ConfigurationError(f"{path.name}: is empty")


def _row(where: str, cells: list[str]) -> dict[str, str]:
    if len(cells) < _LEAST_COLUMNS:
        raise ConfigurationError(f"{where}: has {len(cells)} columns; an ODS list has 27")
    cells = [" ".join(cell.split()) for cell in cells]
    code = OdsCode.parse(cells[0])
    if code is None or not cells[1]:
        raise ConfigurationError(f"{where}: has no ODS code or no name")
    parent = cells[14]
    return {
        "code": code.value,
        "name": cells[1],
        "postcode": cells[9],
        "opened": _date(where, cells[10]),
        "closed": _date(where, cells[11]),
        "parent": parent,
    }


def _date(where: str, text: str) -> str:
    if not text:
        return ""
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
        except ValueError:
            pass
    raise ConfigurationError(f"{where}: a date is not YYYYMMDD")
