"""Directions that state no dose: "as directed", "mdu" and the like (mapping.md 8.3)."""

import re

_NO_DOSE = re.compile(
    r"(?:(?:please )?(?:take|use|inject|apply|give|to be taken|to be used|to be given)? ?(?:it |them |this )?"
    r"(?:as|when|exactly as) (?:directed|before|instructed|advised|prescribed|needed|required)"
    r"(?: by .*)?|mdu|mdu as directed|asd|ud|ut dict"
    r"|as per (?:protocol|plan|clinic|chart)|see (?:protocol|chart|notes?))"
)


def says_no_dose(text: str) -> bool:
    """Tell whether directions are only "as directed", "as before", "mdu" or the like (mapping.md 8.3)."""
    plain = " ".join(re.sub(r"[^a-z0-9 ]+", " ", text.lower().replace(".", "")).split())
    return not plain or _NO_DOSE.fullmatch(plain) is not None
