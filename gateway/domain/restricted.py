"""Whether a sender asked for more care of a record than every record gets: then no address of its patient is shown.

No such record goes anywhere: the gateway holds what bears a security label that it cannot keep. What tells is where the
hold lies, in the sender's notation.

Source: console.md 6.2 (sensitive patients); reliability-security.md H15, J30; HL7 2.9 MSH-26 to 28 and ARV; FHIR R4
`Meta.security`.
"""

import re
from collections.abc import Iterable
from typing import Final

from gateway.domain.issue import Issue

_LABEL: Final = re.compile(r"MSH(\[\d+\])?-2[678]\b|ARV\b|\.meta\.security\b")


def is_restricted(issues: Iterable[Issue]) -> bool:
    """Tell whether any issue is of a security label."""
    return bool(labels(issues))


def labels(issues: Iterable[Issue]) -> tuple[str, ...]:
    """Give where a message bears a security label, in the sender's notation: all that is known of it here."""
    found = (one.location for one in issues if one.code == "FIELD_NOT_UNDERSTOOD" and _LABEL.search(one.location))
    return tuple(dict.fromkeys(found))
