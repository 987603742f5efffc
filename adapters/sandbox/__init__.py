"""The honest fake: the smallest complete adapter, to copy."""
