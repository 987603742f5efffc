"""Whole numbers as addresses and forms say them: read in one way, and anything else is no number."""

from typing import Final

LARGEST: Final = 2**63 - 1
"""The largest number of a row that the tables hold."""


def whole_number(text: str, *, most: int = LARGEST) -> int | None:
    """Read a whole number; None for anything else, and for what is larger than can be meant.

    Args:
        text: of an address or a form: whatever somebody typed.
        most: the largest number that can be meant.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST)):
        return None
    number = int(text)
    return number if number <= most else None


def page_number(text: str, *, last: int) -> int:
    """Read which page of a list is meant: the first where none is, and the last where there are not so many."""
    return min(max(1, whole_number(text) or 1), last)
