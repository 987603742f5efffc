"""FHIR message over HTTP, answers by callback in the EPS dialect."""
