"""How many values a document may hold: what is small in bytes can still be large to go through.

A message of four items with everything the dialect knows holds some two thousand values. Counting marks in the bytes
is fast, and never counts too few.

Source: reliability-security.md 4 (at most a second of work for any input), X03 and J06.
"""

from typing import Final

MOST_VALUES: Final = 20_000
MOST_ATTRIBUTES: Final = 16
"""Of one XML element; FHIR has at most two, and the trust XML six. The library needs ages to list thousands."""


def holds_too_many(body: bytes, *, xml: bool) -> bool:
    """Tell whether JSON or XML may hold more than `MOST_VALUES` values."""
    return body.count(b"<" if xml else b",") > MOST_VALUES * (2 if xml else 1)
