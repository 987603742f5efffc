"""Trust XML 1.0 to the canonical prescription."""
