"""The words sent with a product's code: do they name another form than the product has?

Only what is known contradicts: words that name a form, or what an injection comes in, where the product's name states
one too and none is the same. A pen is not a syringe: patients are taught one of them.

Source: mapping.md 3.4 (RXE-6: checked against dm+d, never read as route) and 5.
"""

import re
from collections.abc import Mapping

from gateway.translate.remembered import remembered

_INJECTED_FROM = {
    "pen": r"pens?|(?:auto-?)?injectors?|disposable devices?|clickject|myclic",
    "syringe": r"syringes?|pfs",
    "vial": r"vials?",
    "ampoule": r"ampoules?|amps?",
    "cartridge": r"cartridges?",
}
_FORMS = {
    "tablet": r"tablets?|tabs?|caplets?",
    "capsule": r"capsules?|caps?",
    "injection": r"injections?|inj|infusions?|(?:sub)?cut(?:aneous)? syringes?|pre-?filled \w+",
    "oral liquid": r"oral (?:solution|suspension|liquid|drops)|syrup|elixir|linctus",
    "cream": r"creams?",
    "ointment": r"ointments?",
    "gel": r"gels?",
    "patch": r"patch(?:es)?",
    "inhaler": r"inhalers?",
    "nebuliser liquid": r"nebuli[sz]er|nebules?",
    "suppository": r"suppositor(?:y|ies)",
    "pessary": r"pessar(?:y|ies)",
    "sachet": r"sachets?|granules",
    "eye drops": r"eye drops?",
    "nasal spray": r"nasal spray",
}


def _compiled(words: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for name, pattern in words.items()}


_KINDS = (_compiled(_FORMS), _compiled(_INJECTED_FROM))


@remembered
def names_another_form(words: str, display: str) -> bool:
    """Tell whether words name a form, or a container of an injection, that the product's name does not.

    Args:
        words: as sent beside the code.
        display: the product's name in dm+d.

    Returns:
        False also where either names none.
    """
    return any(
        said and known and not said & known
        for said, known in ((_named(words, kinds), _named(display, kinds)) for kinds in _KINDS)
    )


def forms_in(words: str) -> tuple[str, ...]:
    """Give the forms, and the containers of an injection, that words name."""
    return tuple(sorted({name for kinds in _KINDS for name in _named(words, kinds)}))


def _named(text: str, kinds: Mapping[str, re.Pattern[str]]) -> set[str]:
    return {name for name, pattern in kinds.items() if pattern.search(text)}
