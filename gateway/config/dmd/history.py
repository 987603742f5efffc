"""Codes that dm+d has replaced, from the history file of a release.

Each row says that a concept was known by one code from one day, and until another if that is over. A code stands for
its successor only where exactly one concept claims it: an old code never names two things for certain.

Source: NHSBSA dm+d XML schema `history_v1_0.xsd`; mapping.md 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from gateway.config.dmd.xml_rows import HISTORY, rows
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import SnomedCode

Claims = Mapping[str, frozenset[str]]
"""Former code to every concept that the history says bore it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the file says of substances, products, units and routes; its other sections are not used here."""

    vtms: Claims = field(default_factory=dict)
    vmps: Claims = field(default_factory=dict)
    units: Claims = field(default_factory=dict)
    routes: Claims = field(default_factory=dict)


def read_history(path: Path | None) -> History:
    """Read the history of a release; none where the file is not there.

    Raises:
        ConfigurationError: the file is malformed, or a row lacks a code.
    """
    if path is None:
        return History()
    found: dict[str, dict[str, set[str]]] = {"VTM": {}, "VMP": {}, "UOM": {}, "ROUTE": {}}
    for name, row in rows(path, HISTORY, tuple(found)):
        now, former = row.get("IDCURRENT", ""), row.get("IDPREVIOUS", "")
        if name == "ROUTE" and former.isdigit() and SnomedCode.parse(former) is None:
            continue  # a route's number from before dm+d used SNOMED CT; no message can name it
        if SnomedCode.parse(now) is None or SnomedCode.parse(former) is None:
            raise ConfigurationError(f"{path.name}: a {name} lacks IDCURRENT or IDPREVIOUS, or one is no identifier")
        if former != now:
            found[name].setdefault(former, set()).add(now)
    return History(
        vtms=_frozen(found["VTM"]),
        vmps=_frozen(found["VMP"]),
        units=_frozen(found["UOM"]),
        routes=_frozen(found["ROUTE"]),
    )


def _frozen(claims: Mapping[str, set[str]]) -> Claims:
    return MappingProxyType({former: frozenset(now) for former, now in claims.items()})
