"""The rules of translation as data: one row a rule."""
