"""Reads the reference tables that ship with the gateway.

This is test and simulation data, made from public lists of several dates. It is not a dm+d release and must never
decide about a real prescription; the release name says so on every message.

The tables are strict on purpose (mapping.md 5): `unit_words.csv` holds only words that mean one thing. `U`, `IU`,
`mcg`, `MU`, `ml`, `unit`, `vial`, `pack` and `EA` are absent, as are the look-alike route letters `IN`, `IT` and `IO`;
a trust's own approved entry may still map them.
"""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from gateway.domain.coding import SNOMED, Coding
from gateway.domain.prescription import ControlledSchedule, ProductLevel
from gateway.domain.reference import ProductRow, Reference

RELEASE = "simulation-2026-11"


@cache
def load_reference() -> Reference:
    """Give the packaged tables; read once in a process.

    Raises:
        Nothing: the tables are part of the package and a test reads every row.
    """
    units = {
        row["code"]: Coding(system=row["written_system"], code=row["written_code"], display=row["display"])
        for row in _rows("units.csv")
    }
    routes = {
        row["code"]: Coding(system=SNOMED, code=row["code"], display=row["display"]) for row in _rows("routes.csv")
    }
    return Reference(
        release=RELEASE,
        products=MappingProxyType({row["code"]: _product(row, units) for row in _rows("medicines.csv")}),
        units=MappingProxyType(units),
        unit_words=MappingProxyType({row["word"]: units[row["unit"]] for row in _rows("unit_words.csv")}),
        routes=MappingProxyType(routes),
        route_letters=MappingProxyType({row["letters"]: routes[row["route"]] for row in _rows("route_letters.csv")}),
    )


def _product(row: dict[str, str], units: dict[str, Coding]) -> ProductRow:
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
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("gateway.config").joinpath("reference", name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
