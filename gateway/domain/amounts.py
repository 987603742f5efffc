"""An amount as people read it: `28 tablets`. The number and the unit stay as they were sent; nothing is reckoned.

A unit's plural is said where it is in this table, which has the words of the dm+d units of measure and of UCUM; a word
that is not there stays as it is, with the sign of multiplication between.

Source: console.md 9 (units spelt out, no trailing zeros added, leading zero kept).
"""

import re
from collections.abc import Mapping
from typing import Final

_ADDS_S: Final = (
    "actuation ampoule applicator application bag bandage blister bottle capsule card carton cartridge cassette"
    " container device disc dose dressing drop enema film gram implant injection insert kilogram kit litre lozenge"
    " microgram milligram millilitre millimole mole nanogram needle pack package pad pastille pen piece"
    " plaster pot puff ring sachet spray stick strip suture syringe system tablet tampon tube unit vial"
)
_OTHERWISE: Final = {"patch": "patches", "pessary": "pessaries", "suppository": "suppositories", "box": "boxes"}
PLURALS: Final[Mapping[str, str]] = {one: f"{one}s" for one in _ADDS_S.split()} | _OTHERWISE
"""The last word of a unit, and its plural."""
_AMOUNT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?) (?P<unit>.+)", re.DOTALL)
_WORDS: Final = re.compile(r"[a-z][a-z-]+( [a-z][a-z-]+)*")
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_JOINS: Final = frozenset({"in", "of", "per"})
"""What follows these words is not what is counted: of `2 milligram per dose` nothing has its plural at the end."""
_SHORTEST: Final = 4
"""Letters of a word; what is shorter is an abbreviation, such as `ml`."""


def amount_words(amount: str) -> str:
    """Give an amount as it is read; whatever is not a number and a unit in words stays as it is.

    Args:
        amount: as it was sent: `28 tablet`.
    """
    found = _AMOUNT.fullmatch(amount)
    if found is None or _is_one(found["number"]) or not _JOINS.isdisjoint(found["unit"].split()):
        return amount
    number, unit = found["number"], found["unit"]
    before, gap, last = unit.rpartition(" ")
    if last in PLURALS:
        return f"{number} {before}{gap}{PLURALS[last]}"
    bare = _WORDS.fullmatch(unit) and len(last) >= _SHORTEST and not last.endswith("s")
    return f"{number} {_TIMES} {unit}" if bare else amount


def _is_one(number: str) -> bool:
    whole, _, part = number.partition(".")
    return whole.lstrip("0") == "1" and not part.strip("0")
