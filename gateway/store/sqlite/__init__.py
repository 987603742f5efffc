"""The record and the queue in one SQLite file: one writing connection, many reading ones."""
