"""A complete, offline FHIR R4 check that walks tables compiled from the official definitions (D6)."""
