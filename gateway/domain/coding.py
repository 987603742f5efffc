"""Codings and the code systems the gateway writes."""

from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """A code in a system, with the words that came with it. `code` may be empty where only words were sent."""

    system: str = ""
    code: str = ""
    display: str = ""
