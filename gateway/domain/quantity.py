"""Quantities: an exact decimal and its unit, in one value.

Numbers are lexemes: `0.50` stays `0.50`, through reading, writing, signing and comparing.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.coding import Coding

_has_form = re.compile(r"(0|[1-9]\d*)(\.\d+)?", re.ASCII).fullmatch


def parse_decimal(text: str) -> Decimal | None:
    """Parse an unsigned decimal as people and FHIR write it, keeping trailing zeros.

    Refused: signs, exponents, leading zeros, digits of other scripts, more than 18 digits
    (reliability-security.md H25, J03).
    """
    if not _has_form(text) or len(text.replace(".", "")) > 18:  # noqa: PLR2004 - digits, as above
        return None
    return Decimal(text)


def lexeme(number: Decimal) -> str:
    """Give the decimal as it was written, never in exponent form."""
    return format(number, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An amount of something.

    Attributes:
        value: exact, above nought; its trailing zeros are the sender's.
        unit: UCUM where UCUM has the unit, else a SNOMED CT unit of presentation; None only where the sender gave
            words alone and the format allows it.
    """

    value: Decimal
    unit: Coding

    def __str__(self) -> str:
        return f"{lexeme(self.value)} {self.unit.display or self.unit.code}"
