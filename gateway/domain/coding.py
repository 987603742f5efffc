"""Codings and the code systems the gateway writes."""

from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"

_DMD_MEASURES = {
    "kg": "258683005",
    "g": "258682000",
    "mg": "258684004",
    "ug": "258685003",
    "ng": "258686002",
    "L": "258770004",
    "l": "258770004",
    "mL": "258773002",
    "ml": "258773002",
}
"""What dm+d calls the measures that UCUM names too (mapping.md 5)."""


def dmd_unit(code: str) -> str:
    """Give dm+d's code of a unit: its own for a measure that UCUM names, any other as it is."""
    return _DMD_MEASURES.get(code, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """A code in a system, with the words that came with it. `code` may be empty where only words were sent."""

    system: str = ""
    code: str = ""
    display: str = ""
