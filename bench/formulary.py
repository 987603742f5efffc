"""What the measured trusts prescribe: every product of the packaged tables dosed by the piece, in several ways.

A row is one product, how often it is taken, and for how many weeks one supply lasts, so that dose, quantity and
interval agree. Doses are one piece at a time, good enough for a measurement and for nothing else.
"""

import csv
import re
from functools import cache
from importlib import resources

from gateway.simulate.formulary import Medicine, medicines

_STRENGTH = re.compile(r"(?P<milligrams>\d+(?:\.\d+)?)mg(?:/[\d.]+ml)?")
_INJECTION, _TABLET = "3318611000001103", "428673006"
_EVERY_WEEKS = {1: "ONCE a WEEK", 2: "every TWO weeks", 4: "every 4 weeks"}
_A_DAY = {1: ("QD", "ONCE a day"), 2: ("BID", "TWICE a day")}
_SUPPLY_WEEKS = (4, 8, 12)
_WEEKS_OF_A_YEAR = 48
_NOT_DAILY = frozenset({"Methotrexate"})
"""Taken once a week by mouth; daily is the error that kills, and is held."""


@cache
def formulary() -> tuple[Medicine, ...]:
    """Give the formulary of the simulated trusts and, beside it, every product of the tables that can be dosed so."""
    text = resources.files("gateway.config").joinpath("reference", "medicines.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.split("\n")) if row["schedule"] == "none" and not row["replaced_by"]]
    return (*medicines(), *(medicine for row in rows for medicine in _ways(row)))


def _ways(row: dict[str, str]) -> list[Medicine]:
    strength = _STRENGTH.fullmatch(row["strength"])
    generic_biologic = row["level"] == "VMP" and row["biologic"] == "yes"  # held: a biologic is ordered by brand
    if strength is None or row["level"] not in {"AMP", "VMP"} or generic_biologic:
        return []
    if row["unit"] == _INJECTION and "solution for injection" in row["display"]:
        return [
            _injected(row, strength["milligrams"], every, weeks) for every in _EVERY_WEEKS for weeks in _SUPPLY_WEEKS
        ]
    if row["unit"] == _TABLET and row["ingredient"] not in _NOT_DAILY:
        return [_taken(row, strength["milligrams"], times, weeks) for times in _A_DAY for weeks in _SUPPLY_WEEKS]
    return []


def _injected(row: dict[str, str], dose: str, every: int, weeks: int) -> Medicine:
    return Medicine(
        **_product(row, dose, weeks),
        method_code="422145002",
        method="Inject",
        route_code="34206005",
        route="Subcutaneous route",
        v2_repeat=f"Q{every}W",
        times="1",
        period=str(every),
        period_unit="wk",
        quantity=str(weeks // every),
        supply_unit="pre-filled disposable injection",
        supply_unit_code=_INJECTION,
        directions=f"Inject {dose}mg {_EVERY_WEEKS[every]}",
        cold_chain="Y",
    )


def _taken(row: dict[str, str], dose: str, times: int, weeks: int) -> Medicine:
    pattern, words = _A_DAY[times]
    return Medicine(
        **_product(row, dose, weeks),
        method_code="419652001",
        method="Take",
        route_code="26643006",
        route="Oral route",
        v2_repeat=pattern,
        times=str(times),
        period="1",
        period_unit="d",
        quantity=str(weeks * 7 * times),
        supply_unit="tablet",
        supply_unit_code=_TABLET,
        directions=f"Take {dose}mg {words}",
        cold_chain="N",
    )


def _product(row: dict[str, str], dose: str, weeks: int) -> dict[str, str]:
    return {
        "code": row["code"],
        "level": row["level"],
        "display": row["display"],
        "dose": dose,
        "unit": "milligram",
        "ucum": "mg",
        "interval": str(weeks),
        "interval_unit": "wk",
        "days": str(weeks * 7),
        "most_supplies": str(_WEEKS_OF_A_YEAR // weeks),
    }
