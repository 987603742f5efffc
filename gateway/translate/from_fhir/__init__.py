"""EPS-shaped FHIR messages to the canonical prescription."""
