"""What the message pages are made of: the source by fields, FHIR by paths, the trace between, and what hides."""
