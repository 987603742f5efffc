"""Reads the compiled FHIR tables and our profiles, which ship in the `fhir_profiles` package."""

import json
from functools import cache
from importlib import resources
from typing import Any

from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.fhir.profile import compile_profiles

R4_TABLE = "r4-4.0.1.json"
FOLDERS = ("extensions", "profiles", "value-sets")


def load_r4_table() -> dict[str, Any]:
    """Give the compiled R4 4.0.1 table with its provenance."""
    table: dict[str, Any] = json.loads((resources.files("fhir_profiles") / R4_TABLE).read_text(encoding="utf-8"))
    return table


def load_definitions() -> list[dict[str, Any]]:
    """Give our StructureDefinitions and ValueSets, by folder and name."""
    package = resources.files("fhir_profiles")
    files = [file for folder in FOLDERS for file in sorted((package / folder).iterdir(), key=lambda one: one.name)]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".json")]


@cache
def fhir_checker() -> FhirChecker:
    """Give the check of R4, our profiles and the EPS rules; compiled once, in about 0.1 s."""
    table = load_r4_table()
    return FhirChecker(table, compile_profiles(table, load_definitions()))
