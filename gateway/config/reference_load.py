"""Makes the gateway's reference tables from a dm+d release and ODS lists, and puts them in force: all or nothing.

The tables are written to a folder beside the others, read back, renamed, and only then named in `current`, which is
replaced in one step. Earlier releases stay, for what was decided by them.
"""

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from gateway.config.dmd.history import History, read_history
from gateway.config.dmd.lookups import NOT_UNITS, Lookups, read_lookups
from gateway.config.dmd.naming import Naming
from gateway.config.dmd.products import ProductReader
from gateway.config.dmd.xml_rows import HISTORY, KINDS, LOOKUP, FileKind
from gateway.config.medicine_names import NAME_COLUMNS
from gateway.config.ods import COLUMNS as ORGANISATION_COLUMNS
from gateway.config.ods import read_organisations
from gateway.config.reference import CURRENT, DESCRIPTION, TABLES, packaged_rows, read_release, sha256
from gateway.domain.coding import SNOMED
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import SnomedCode
from gateway.domain.reference import Reference

PRODUCT_COLUMNS: Final = (
    "code",
    "level",
    "display",
    "strength",
    "unit",
    "biologic",
    "schedule",
    "replaced_by",
    "group",
    "brand",
    "ingredient",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files of one release.

    Attributes:
        dated: the date in the names of the dm+d files.
        dmd: one file of each kind.
        history: the file of replaced codes, if it is there.
        ods: organisation lists, if any.
    """

    dated: date
    dmd: Mapping[FileKind, Path]
    history: Path | None
    ods: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return (*self.dmd.values(), *([self.history] if self.history else ()), *self.ods)

    @property
    def release(self) -> str:
        """The release as it is recorded on every message, `dmd-2026-11-16`."""
        return f"dmd-{self.dated.isoformat()}"


def find_sources(folder: Path) -> Sources:
    """Find the files of a dm+d release, unpacked, at any depth, and the ODS lists (`*.csv`) beside them.

    Raises:
        ConfigurationError: a file is missing or there more than once, or the files are of different dates.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: is not a folder")
    faults: list[str] = []
    found: dict[FileKind, Path] = {}
    dates: set[date] = set()
    for kind in KINDS:
        paths = sorted(folder.rglob(f"{kind.prefix}*.xml"))
        if len(paths) != 1:
            faults.append(f"{folder}: {len(paths)} files {kind.prefix}*.xml, where one is needed")
            continue
        found[kind] = paths[0]
        if dated := _dated(paths[0], kind):
            dates.add(dated)
        else:
            faults.append(f"{paths[0].name}: the name does not end with a number and a date, ddmmyy")
    history = _history(folder, dates, faults)
    if len(dates) > 1:
        faults.append(f"{folder}: the files are of different releases: {', '.join(map(str, sorted(dates)))}")
    if faults:
        raise ConfigurationError(*faults)
    return Sources(dated=dates.pop(), dmd=found, history=history, ods=tuple(sorted(folder.rglob("*.csv"))))


def _history(folder: Path, dates: set[date], faults: list[str]) -> Path | None:
    """Find the file of replaced codes; it must be of the same date, for it may name what the others do not have."""
    paths = sorted(folder.rglob(f"{HISTORY.prefix}*.xml"))
    if len(paths) > 1:
        faults.append(f"{folder}: {len(paths)} files {HISTORY.prefix}*.xml, where at most one is needed")
    for path in paths:
        if dated := _dated(path, HISTORY):
            dates.add(dated)
        else:
            faults.append(f"{path.name}: the name does not end with a number and a date, ddmmyy")
    return paths[0] if paths else None


def _dated(path: Path, kind: FileKind) -> date | None:
    version = r"(?:\d+_)+" if kind is HISTORY else ""
    match = re.fullmatch(rf"{kind.prefix}{version}\d(\d\d)(\d\d)(\d\d)\.xml", path.name, re.ASCII)
    if match is None:
        return None
    with suppress(ValueError):
        return date(2000 + int(match[3]), int(match[2]), int(match[1]))
    return None


def load_release(sources: Sources, into: Path) -> Reference:
    """Read a release, write its tables and put it in force.

    Args:
        sources: what to read.
        into: the reference folder; made if absent.

    Returns:
        The tables, as a gateway will read them.

    Raises:
        ConfigurationError: a source is malformed; nothing was changed.
    """
    into.mkdir(parents=True, exist_ok=True)
    written = Path(tempfile.mkdtemp(prefix=".loading-", dir=into))
    try:
        _write(sources, written)
        read_release(written)
        place = into / f"{sources.release}-{sha256(written / DESCRIPTION)[:12]}"
        if not place.exists():
            written.rename(place)
        reference = read_release(place)
    finally:
        shutil.rmtree(written, ignore_errors=True)
    _name_current(into, place.name)
    return reference


def _name_current(into: Path, name: str) -> None:
    beside = into / f".{CURRENT}-{os.getpid()}"
    with beside.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(into / CURRENT)


def _write(sources: Sources, folder: Path) -> None:
    history = read_history(sources.history)
    lookups = read_lookups(sources.dmd[LOOKUP], history)
    letters = [row for row in packaged_rows("route_letters.csv") if row["route"] in lookups.routes]
    _table(folder / "units.csv", ("code", "written_system", "written_code", "display"), _unit_rows(lookups))
    _table(folder / "unit_words.csv", ("word", "unit"), packaged_rows("unit_words.csv"))
    _table(folder / "routes.csv", ("code", "display"), _route_rows(lookups))
    _table(folder / "route_letters.csv", ("letters", "route"), letters)
    _table(folder / "organisations.csv", ORGANISATION_COLUMNS, _organisations(sources.ods))
    naming = _write_products(sources, lookups, history, folder / "medicines.csv")
    _table(folder / "names.csv", NAME_COLUMNS, naming.rows())
    description = {
        "release": sources.release,
        "date": sources.dated.isoformat(),
        "sources": {path.name: sha256(path) for path in sources.files},
        "tables": {name: sha256(folder / name) for name in TABLES},
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _write_products(sources: Sources, lookups: Lookups, history: History, path: Path) -> Naming:
    """Write products as they are read; the packaged table says which substances are biologics, for dm+d does not."""
    biologics = {row["code"] for row in packaged_rows("medicines.csv") if row["biologic"] == "yes"}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, PRODUCT_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        reader = ProductReader(lookups, biologics, writer.writerow, history)
        reader.read(sources.dmd)
    return reader.naming


def _route_rows(lookups: Lookups) -> Iterator[dict[str, str]]:
    """Give the release's routes, then former codes under the words of what each is now."""
    former = {code: lookups.routes[now] for code, now in lookups.former_routes.items() if SnomedCode.parse(code)}
    yield from ({"code": code, "display": words} for code, words in sorted(lookups.routes.items()))
    yield from ({"code": code, "display": words} for code, words in sorted(former.items()))


def _unit_rows(lookups: Lookups) -> Iterator[dict[str, str]]:
    """Give our own written forms (UCUM where it has the unit), then the release's other units, then former codes."""
    known = {row["code"]: row for row in packaged_rows("units.csv")}
    yield from known.values()
    units = {code: words for code, words in lookups.units.items() if words not in NOT_UNITS}
    made = {
        code: {"code": code, "written_system": SNOMED, "written_code": code, "display": words}
        for code, words in units.items()
        if code not in known
    }
    yield from made.values()
    for former, code in lookups.former_units.items():
        if former not in known and code in units:
            yield {**(known.get(code) or made[code]), "code": former}


def _organisations(paths: Iterable[Path]) -> Iterator[dict[str, str]]:
    seen: dict[str, dict[str, str]] = {}
    for path in paths:
        for row in read_organisations(path):
            if seen.setdefault(row["code"], row) is row:
                yield row
            elif seen[row["code"]] != row:
                raise ConfigurationError(f"{path.name}: {row['code']} stands in two lists, differently")


def _table(path: Path, columns: tuple[str, ...], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
