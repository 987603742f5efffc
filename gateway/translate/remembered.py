"""Remembering what was found of a sender's words, which repeat themselves from message to message.

Only short words are remembered. Those of a formulary are short and the same for many patients; what is longer may speak
of one and is not kept in memory, which some thousands of values as long as a message may be would fill besides.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

MOST: Final = 4096
"""How many answers are kept of each question."""
LONGEST: Final = 255
"""Characters of the longest words that are remembered: as many as a name in dm+d may have."""


def remembered(question: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Remember the answers to a question about words and the name of a product: those about short words.

    Args:
        question: pure; about a sender's words, then about what stands in a table.
    """
    known = lru_cache(maxsize=MOST)(question)

    def asked(words: str, name: str) -> bool:
        return known(words, name) if len(words) <= LONGEST else question(words, name)

    asked.__doc__ = question.__doc__
    return asked
