"""Names and postcodes as they are looked for: case, accents, spaces and hyphens make no difference.

Nothing here is ever shown or sent: it is what a search compares, and it never decides that two people are one.

Source: console.md 6.2; Unicode 15, chapter 3 (compatibility decomposition, full case folding).
"""

import unicodedata
from typing import Final

_SPELT: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i", "ħ": "h", "ŋ": "n"}
)
"""Letters that are no letter with an accent, as British systems without them write them."""


def name_key(text: str) -> str:
    """Give one part of a name as it is compared: `O'Brien-Sørensen` as `obriensorensen`.

    Letters of every script are kept; what is neither a letter nor a digit is left out, hidden marks of direction too.
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded).casefold().translate(_SPELT)
    return folded if folded.isalnum() else "".join(character for character in folded if character.isalnum())


def given_key(names: tuple[str, ...]) -> str:
    """Give given names as they are compared: each by itself, a space between."""
    words = (name_key(word) for name in names for word in name.replace("-", " ").split())
    return " ".join(word for word in words if word)


def postcode_key(text: str) -> str:
    """Give a postcode as it is compared: `ta1 1aa` as `TA11AA`."""
    return "".join(character for character in text.upper() if character.isalnum())


def starts_given(key: str, sought: str) -> bool:
    """Tell whether given names, as `given_key` gives them, have each name that is sought, or what begins so."""
    return all(any(name.startswith(word) for name in key.split()) for word in sought.split())
