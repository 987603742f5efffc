"""The code lists of a dm+d release: units, routes and the meaning of the controlled-drug categories.

Source: NHSBSA dm+d XML schema v2.3, `lookup_v2_3.xsd`; mapping.md 5.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gateway.config.dmd.history import Claims, History
from gateway.config.dmd.xml_rows import LOOKUP, Row, rows
from gateway.domain.errors import ConfigurationError
from gateway.domain.prescription import ControlledSchedule

NO_SCHEDULE: Final = "No Controlled Drug Status"
NOT_UNITS: Final = frozenset({"no value", "obsolete-mM"})
"""Entries of the list of units that measure nothing."""
_SECTIONS = ("UNIT_OF_MEASURE", "ROUTE", "CONTROL_DRUG_CATEGORY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What the lists say.

    Attributes:
        units: code to words (`mg`); `routes` likewise.
        former_units: former code to the code that dm+d gives the same unit now; `former_routes` likewise.
        schedules: category code to `none` or a schedule; a category whose words are not understood is absent.
    """

    units: Mapping[str, str]
    routes: Mapping[str, str]
    former_units: Mapping[str, str]
    former_routes: Mapping[str, str]
    schedules: Mapping[str, str]


def read_lookups(path: Path, history: History | None = None) -> Lookups:
    """Read the three lists that are used.

    Args:
        path: the release's file of lists.
        history: codes of units and routes that were replaced, beside those that one itself says it had.

    Raises:
        ConfigurationError: the file is not well-formed, or one of the lists is empty.
    """
    found: dict[str, list[Row]] = {section: [] for section in _SECTIONS}
    for section, row in rows(path, LOOKUP, _SECTIONS):
        if row.get("INVALID") != "1" and row.get("CD") and row.get("DESC"):
            found[section].append(row)
    if missing := [section for section, listed in found.items() if not listed]:
        raise ConfigurationError(*(f"{path.name}: {section} is empty" for section in missing))
    units = {row["CD"]: row["DESC"] for row in found["UNIT_OF_MEASURE"]}
    routes = {row["CD"]: row["DESC"] for row in found["ROUTE"]}
    history = history or History()
    return Lookups(
        units=MappingProxyType(units),
        routes=MappingProxyType(routes),
        former_units=MappingProxyType(_former(found["UNIT_OF_MEASURE"], units, history.units)),
        former_routes=MappingProxyType(_former(found["ROUTE"], routes, history.routes)),
        schedules=MappingProxyType(_schedules(found["CONTROL_DRUG_CATEGORY"])),
    )


def _former(listed: list[Row], current: Mapping[str, str], history: Claims) -> dict[str, str]:
    """Give former codes; one that is in use, or that two units or routes claim, names nothing for certain."""
    claims = {former: set(now) for former, now in history.items() if former not in current and now <= current.keys()}
    for row in listed:
        if "CDPREV" in row and row["CDPREV"] not in current:
            claims.setdefault(row["CDPREV"], set()).add(row["CD"])
    return {code: next(iter(now)) for code, now in claims.items() if len(now) == 1}


def _schedules(listed: list[Row]) -> dict[str, str]:
    """Read what each category means from its words, so that a renumbered list cannot change a schedule."""
    meaning = {row["CD"]: "none" for row in listed if row["DESC"].casefold() == NO_SCHEDULE.casefold()}
    for row in listed:
        if found := re.fullmatch(r"Schedule ([1-5])(?: \(.*\))?", row["DESC"]):
            meaning[row["CD"]] = ControlledSchedule(f"CD{found[1]}").value
    return meaning
