"""What a person can see of a text, and what only a machine finds in it.

Source: Unicode Standard Annex 9, and the default-ignorable characters of 5.21.
"""

import unicodedata
from typing import Final

_FORMAT: Final = "Cf"
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Drawn as nothing or as a blank, and no format characters by their category."""


def unseen(one: str) -> bool:
    """Tell whether a character is drawn as nothing, or turns what follows it round."""
    return one in _BLANK or unicodedata.category(one) == _FORMAT


def says_something(text: str) -> bool:
    """Tell whether anything in a text can be seen: a space, a control or an unseen character is no reason."""
    return any(not one.isspace() and not unseen(one) and unicodedata.category(one)[0] != "C" for one in text)
