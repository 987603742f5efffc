"""Writes the canonical prescription as an EPS homecare `prescription-order` message."""
