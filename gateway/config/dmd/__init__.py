"""Reads a dm+d release, as TRUD gives it out, into the gateway's own tables."""
