"""Which medicines harm soonest when they run out: a short table, owned by the clinical safety officer.

It orders work that is equally near its time, and nothing else: no medicine is left out of the list for not being here.
Words are matched as whole words of the medicine's name; a brand that does not carry the substance's name is ordinary.

Source: console.md 6.1 (order 3: risk class of the medicine; list owned by the clinical safety officer).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

OWNER: Final = "clinical safety officer"
"""Who says what stands in this table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskClass:
    """Medicines whose interruption harms in the same way.

    Attributes:
        rank: smaller is more urgent.
        name: in words, as a person reads it beside the row.
        words: any of these in the name of a medicine puts it here.
    """

    rank: int
    name: str
    words: frozenset[str]


def _class(rank: int, name: str, words: str) -> RiskClass:
    return RiskClass(rank=rank, name=name, words=frozenset(words.split()))


RISK_CLASSES: Final = (
    _class(
        1,
        "immunosuppression after transplant",
        "tacrolimus ciclosporin mycophenolate mycophenolic sirolimus everolimus belatacept",
    ),
    _class(
        1,
        "anticoagulant",
        "warfarin apixaban rivaroxaban edoxaban dabigatran dalteparin enoxaparin tinzaparin heparin fondaparinux",
    ),
    _class(
        1,
        "clotting factor",
        "octocog turoctocog lonoctocog rurioctocog efmoroctocog eftrenonacog albutrepenonacog nonacog emicizumab"
        " eptacog simoctocog susoctocog damoctocog vonicog",
    ),
    _class(
        1,
        "pulmonary arterial hypertension",
        "ambrisentan bosentan macitentan riociguat selexipag epoprostenol treprostinil iloprost sotatercept",
    ),
    _class(1, "parenteral nutrition", "parenteral nutrition"),
)
ORDINARY: Final = RiskClass(rank=5, name="", words=frozenset())
"""Every other medicine."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_FACTOR: Final = re.compile(r"\bfactor\s+(?:[IVX]+|\d+)[ab]?\b", re.IGNORECASE)
_NUTRITION: Final = frozenset({"parenteral", "nutrition"})


@lru_cache(maxsize=1024)  # a list asks it of each row several times, and of few medicines
def risk_class(medicine: str) -> RiskClass:
    """Give the class of a medicine by its name.

    Args:
        medicine: the name as prescribed.
    """
    words = frozenset(word.casefold() for word in _WORD.findall(medicine))
    if _FACTOR.search(medicine):
        return next(one for one in RISK_CLASSES if one.name == "clotting factor")
    for one in RISK_CLASSES:
        if one.words == _NUTRITION:
            if words >= _NUTRITION:
                return one
        elif words & one.words:
            return one
    return ORDINARY
