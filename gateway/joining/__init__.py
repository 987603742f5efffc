"""Joining nodes: in one process, or over Redis or Valkey."""
