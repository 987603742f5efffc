"""A code and the words sent beside it that name different things: said twice and differently, so held (D9).

Only words that are known to mean something else contradict; words that are not known at all do not.

Source: brief D9; mapping.md 0.4 and 5.
"""

from gateway.domain.coding import Coding
from gateway.domain.reference import Reference

UNIT_CONTRADICTION = "The words and the code of the unit name different units."
ROUTE_CONTRADICTION = "The words and the code of the route name different routes."

_SAID = {"mcg": "ug", "µg": "ug", "μg": "ug", "micrograms": "ug", "mgs": "mg", "gm": "g", "gram": "g", "mgm": "mg"}
"""What dangerous words would mean. They are never read as a unit; here they only betray a code that says otherwise."""


def unit_contradicts(reference: Reference, words: str, coding: Coding) -> bool:
    """Tell whether the words sent beside a unit's code name another unit (D9: said twice and differently)."""
    folded = words.strip().casefold()
    meant = _SAID.get(folded)
    if meant is not None:
        return coding.code != meant
    said = reference.unit_words.get(words) or reference.unit_words.get(folded)
    if said is None:
        said = next((unit for unit in reference.units.values() if unit.display.casefold() == folded), None)
    if said is None or said.display.casefold() == coding.display.casefold():
        return False
    return (said.system, said.code) != (coding.system, coding.code)


def route_contradicts(reference: Reference, coding: Coding) -> bool:
    """Tell whether the words sent with a route's code name another route that is known."""
    said = _route_name(coding.display)
    if said == _route_name(reference.routes[coding.code].display):
        return False  # nearly every message: the table need not be searched
    known = {_route_name(route.display): code for code, route in reference.routes.items()}
    return said in known and known[said] != coding.code


def _route_name(words: str) -> str:
    return words.strip().casefold().removesuffix(" route").removesuffix(" use")
