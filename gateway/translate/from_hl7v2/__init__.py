"""HL7 v2 pharmacy orders to the canonical prescription."""
