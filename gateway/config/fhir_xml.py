"""FHIR XML as the doors and the reader need it, from the compiled R4 table that ships with the gateway."""

from functools import cache

from gateway.config.profiles import load_r4_table
from gateway.wire.fhir_xml import FhirXml


@cache
def fhir_xml() -> FhirXml:
    """Give the two directions between FHIR XML and JSON; the table is read once in a process."""
    return FhirXml(load_r4_table())
