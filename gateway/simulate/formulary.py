"""What the simulated trusts prescribe: real shapes of homecare orders, where dose, unit, route and quantity agree.

The rows stand in `formulary.csv`. Codes and names are those of the packaged reference tables (a test compares them);
doses are usual adult ones, good enough for a simulator and for nothing else.
"""

import csv
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """One way of prescribing one product; every field is text exactly as it goes into a message.

    Attributes:
        v2_repeat: the repeat pattern of HL7 table 0335.
        times: and `period`, `period_unit`: the same for FHIR and the trust XML.
        days: how long one supply lasts.
    """

    code: str
    level: str
    display: str
    dose: str
    unit: str
    ucum: str
    method_code: str
    method: str
    route_code: str
    route: str
    v2_repeat: str
    times: str
    period: str
    period_unit: str
    quantity: str
    supply_unit: str
    supply_unit_code: str
    interval: str
    interval_unit: str
    days: str
    most_supplies: str
    directions: str
    cold_chain: str


@cache
def medicines() -> tuple[Medicine, ...]:
    """Give every row of the formulary, in the order of the file."""
    text = resources.files("gateway.simulate").joinpath("formulary.csv").read_text(encoding="utf-8")
    names = {field.name for field in fields(Medicine)}
    return tuple(
        Medicine(**{key: value for key, value in row.items() if key in names})
        for row in csv.DictReader(text.split("\n"))
    )
