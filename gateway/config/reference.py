"""Reads the reference tables: those that ship with the gateway, or those made from a dm+d release.

The packaged ones are test and simulation data, made from public lists of several dates. They are not a dm+d release and
must never decide about a real prescription; the release name says so on every message.

The tables are strict on purpose (mapping.md 5): `unit_words.csv` holds only words that mean one thing. `U`, `IU`,
`mcg`, `MU`, `ml`, `unit`, `vial`, `pack` and `EA` are absent, as are the look-alike route letters `IN`, `IT` and `IO`;
a trust's own approved entry may still map them.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gateway.config.medicine_names import medicine_names
from gateway.config.product_table import ProductTable
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.errors import ConfigurationError
from gateway.domain.medicine_names import MedicineNames, leading_name, words_of
from gateway.domain.partner import Environment
from gateway.domain.prescription import ControlledSchedule, ProductLevel
from gateway.domain.reference import OrganisationRow, ProductRow, Reference

RELEASE = "simulation-2026-11"
CURRENT: Final = "current"
"""File of the reference folder that names the folder of the release in force."""
DESCRIPTION: Final = "release.json"
TABLES: Final = (
    "medicines.csv",
    "units.csv",
    "unit_words.csv",
    "routes.csv",
    "route_letters.csv",
    "organisations.csv",
    "names.csv",
)

_Rows = Callable[[str], Iterable[dict[str, str]]]


@cache
def load_reference() -> Reference:
    """Give the packaged tables; read once in a process.

    Raises:
        Nothing: the tables are part of the package and a test reads every row.
    """
    units = _units(packaged_rows("units.csv"))
    medicines = packaged_rows("medicines.csv")
    products = {row["code"]: _product(units, row) for row in medicines}
    names = medicine_names(map(_name, medicines))
    return _tables(RELEASE, packaged_rows, units, MappingProxyType(products), names)


def reference_in_force(folder: Path | None, environment: Environment) -> Reference:
    """Give the release that was loaded into a folder, or the packaged tables where none was.

    Raises:
        ConfigurationError: the tables are not those that were loaded; or none was, and the environment is live.
    """
    if folder is not None and (folder / CURRENT).exists():
        return read_release(current_release(folder))
    if environment is Environment.LIVE:
        raise ConfigurationError(
            "the configuration is live, but no dm+d release is loaded: run `gateway reference load`"
        )
    return load_reference()


def current_release(folder: Path) -> Path:
    """Give the folder of the release in force.

    Raises:
        ConfigurationError: none is, or it is not there.
    """
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        raise ConfigurationError(f"{folder}: no reference release is loaded") from None
    if not name or Path(name).name != name or not (folder / name / DESCRIPTION).is_file():
        raise ConfigurationError(f"{folder}: the reference release in force is not there")
    return folder / name


def read_release(folder: Path) -> Reference:
    """Read the tables of one release, after comparing each with the hash taken when it was made.

    Raises:
        ConfigurationError: a table is missing, was changed, or holds a line that cannot be read.
    """
    try:
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        release, hashes = str(described["release"]), dict(described["tables"])
        dated = date.fromisoformat(described["date"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{folder / DESCRIPTION}: cannot be read; load the release again") from None
    for name in TABLES:
        if not (folder / name).is_file() or sha256(folder / name) != hashes.get(name):
            raise ConfigurationError(f"{folder / name}: is not the table that was loaded; load the release again")
    rows = partial(_folder_rows, folder)
    units = _units(rows("units.csv"))
    products = ProductTable(folder / "medicines.csv", partial(_product, units))
    return replace(_tables(release, rows, units, products, medicine_names(rows("names.csv"))), dated=dated)


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packaged_rows(name: str) -> list[dict[str, str]]:
    """Give the rows of a packaged table; none where there is no such table."""
    table = files("gateway.config").joinpath("reference", name)
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.is_file() else []


def _tables(
    release: str,
    rows: _Rows,
    units: Mapping[str, Coding],
    products: Mapping[str, ProductRow],
    names: MedicineNames,
) -> Reference:
    routes = {
        row["code"]: Coding(system=SNOMED, code=row["code"], display=row["display"]) for row in rows("routes.csv")
    }
    return Reference(
        release=release,
        products=products,
        units=MappingProxyType(units),
        unit_words=MappingProxyType({row["word"]: units[row["unit"]] for row in rows("unit_words.csv")}),
        routes=MappingProxyType(routes),
        route_letters=MappingProxyType({row["letters"]: routes[row["route"]] for row in rows("route_letters.csv")}),
        organisations=MappingProxyType({row["code"]: _organisation(row) for row in rows("organisations.csv")}),
        names=names,
    )


def _name(row: dict[str, str]) -> dict[str, str]:
    """Give what a packaged row says of names: its brand's, or its ingredient's other one (`Co-codamol`)."""
    ingredient, lead = row["ingredient"], leading_name(row["display"])
    begins = words_of(lead)[:1] in {words_of(one)[:1] for one in ingredient.split(" + ")}
    name = row["brand"] or (ingredient if begins else lead)
    return {"name": name, "ingredient": ingredient, "brand": "yes" if row["brand"] else "no"}


def _units(rows: Iterable[dict[str, str]]) -> dict[str, Coding]:
    return {
        row["code"]: Coding(system=row["written_system"], code=row["written_code"], display=row["display"])
        for row in rows
    }


def _product(units: Mapping[str, Coding], row: dict[str, str]) -> ProductRow:
    controlled = row["schedule"] not in {"none", "unknown"}
    return ProductRow(
        code=row["code"],
        level=ProductLevel(row["level"]),
        display=row["display"],
        unit=units[row["unit"]] if row["unit"] else None,
        strength=row["strength"],
        biologic=row["biologic"] == "yes",
        schedule=ControlledSchedule(row["schedule"]) if controlled else None,
        schedule_known=row["schedule"] != "unknown",
        replaced_by=row["replaced_by"],
        group=row["group"],
        brand=row["brand"],
        ingredient=row["ingredient"],
    )


def _organisation(row: dict[str, str]) -> OrganisationRow:
    return OrganisationRow(
        code=row["code"],
        name=row["name"],
        postcode=row["postcode"],
        opened=date.fromisoformat(row["opened"]) if row["opened"] else None,
        closed=date.fromisoformat(row["closed"]) if row["closed"] else None,
        parent=row["parent"],
    )


def _folder_rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
