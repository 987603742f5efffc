"""Writing a list of row numbers into a statement, so that both engines look its rows up one by one.

A tenant's question is asked of PostgreSQL under row security (I9), where a condition that could tell of a hidden row by
failing is only looked at once the rows are known to be shown. A cast may fail, an equality of numbers may not: so the
list is made into numbers apart, and the index serves; otherwise every row there is would be asked whose it is.

Source: PostgreSQL manual, "Rules and Privileges" (leakproof functions).
"""


def numbers(given: str) -> str:
    """Write the numbers of a JSON list, for `IN` or as a table with the column `id`.

    Args:
        given: the value that holds the list, as the statement names it: `?` or `:rows`.
    """
    made = f"SELECT CAST(value AS BIGINT) FROM json_each({given})"  # noqa: S608 - the name of a value
    return f"(WITH each (id) AS MATERIALIZED ({made}) SELECT id FROM each)"  # noqa: S608
