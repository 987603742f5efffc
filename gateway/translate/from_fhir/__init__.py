"""FHIR R4 to the canonical prescription."""
