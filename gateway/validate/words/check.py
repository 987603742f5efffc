"""The back-check of a line: its words against its structure, and medicines that are given weekly.

Where words are written once for a line with several dosages, they are the words of all of them.

Source: mapping.md 8.3; National Patient Safety Agency alert 13 on oral methotrexate.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.prescription import Dosage, Line
from gateway.domain.reference import ProductRow
from gateway.validate.amounts import strength_of
from gateway.validate.words.compare import Difference, compared, differences, more_than_weekly
from gateway.validate.words.grammar import read
from gateway.validate.words.no_dose import says_no_dose
from gateway.validate.words.structure import is_structured, often_of

_WEEKLY = re.compile(
    r"\b(methotrexate|metoject|methofill|nordimet|zlatal|maxtrex|jylamvo|dulaglutide|abatacept|tocilizumab)\b",
    re.IGNORECASE,
)
"""Medicines given once a week or less often, whose daily use is a known cause of deaths or of great harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One finding about a line's words.

    Attributes:
        code: issue code.
        at: path within the line.
        text: what is wrong.
        values: the words' and the structure's, for people.
        escalated: grave enough to hold, though the code only warns.
    """

    code: str
    at: str
    text: str
    values: tuple[str, ...] = ()
    escalated: bool = False


def doubts(line: Line, row: ProductRow | None) -> Iterator[Doubt]:
    """Give what is wrong or uncertain about the words of a line.

    Args:
        line: as read.
        row: what is known of its product; its strength lets milligrams be compared with tablets.
    """
    weekly = _WEEKLY.search(f"{line.product.display} {row.display if row else ''}") is not None
    for index, covered in _groups(line.dosages):
        yield from _group(covered, row, f"dosages[{index}]", weekly=weekly)


def _groups(dosages: Sequence[Dosage]) -> Iterator[tuple[int, Sequence[Dosage]]]:
    """Give the dosages each set of words stands for."""
    if len(dosages) > 1 and dosages[0].text and not any(dosage.text for dosage in dosages[1:]):
        yield 0, dosages
        return
    yield from ((index, (dosage,)) for index, dosage in enumerate(dosages))


def _group(covered: Sequence[Dosage], row: ProductRow | None, at: str, *, weekly: bool) -> Iterator[Doubt]:
    text = covered[0].text
    if says_no_dose(text) and text:
        return
    structured = [dosage for dosage in covered if is_structured(dosage)]
    strength, said = strength_of(row), read(text)
    found = differences(said, structured, strength) if structured else ()
    for difference in found:
        yield _contradiction(difference, at)
    if found:
        return
    if weekly and any(
        more_than_weekly(often) for often in (*said.often, *(often_of(dosage.timing) for dosage in covered))
    ):
        text_of = "This medicine is given once a week or less often, and the directions say more often."
        yield Doubt(code="WEEKLY_MEDICINE_MORE_OFTEN", at=at, text=text_of)
    elif text and structured and not compared(said, structured, strength):
        text_of = "The words could not be compared with the whole structure."
        yield Doubt(code="TEXT_NOT_CHECKED", at=f"{at}.text", text=text_of, escalated=weekly and not said.often)


def _contradiction(difference: Difference, at: str) -> Doubt:
    text = f"The words and the structure state a different {difference.element}."
    values = (difference.words.strip(), difference.structure)
    return Doubt(code="TEXT_STRUCTURE_MISMATCH", at=f"{at}.text", text=text, values=values)
