"""The schema, step by step; each step is a file of SQL."""
