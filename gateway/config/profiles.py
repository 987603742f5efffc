"""Reads the compiled FHIR tables that ship in the `fhir_profiles` package."""

import json
from importlib import resources
from typing import Any

R4_TABLE = "r4-4.0.1.json"


def load_r4_table() -> dict[str, Any]:
    """Give the compiled R4 4.0.1 table with its provenance."""
    table: dict[str, Any] = json.loads((resources.files("fhir_profiles") / R4_TABLE).read_text(encoding="utf-8"))
    return table
