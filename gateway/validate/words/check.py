"""The back-check of a line: its words against its structure, and medicines that are given weekly.

Where words are written once for a line with several dosages, they are the words of all of them.

Source: mapping.md 8.3; National Patient Safety Agency alert 13 on oral methotrexate.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.domain.prescription import Dosage, Line
from gateway.domain.reference import ProductRow
from gateway.validate.amounts import Strength, strength_of
from gateway.validate.words.compare import (
    Difference,
    compared,
    differences,
    differing_words,
    more_than_weekly,
    speaks_of_dose,
)
from gateway.validate.words.grammar import read
from gateway.validate.words.no_dose import says_no_dose
from gateway.validate.words.said import Said
from gateway.validate.words.structure import is_structured, often_of

_WEEKLY = re.compile(
    r"\b(methotrexate|metoject|methofill|nordimet|zlatal|maxtrex|jylamvo|dulaglutide|abatacept|tocilizumab"
    r"|adalimumab|benralizumab|certolizumab|denosumab|dupilumab|golimumab|guselkumab|ixekizumab|mepolizumab|omalizumab"
    r"|risankizumab|sarilumab|secukinumab|ustekinumab)\b",
    re.IGNORECASE,
)
"""Medicines injected or taken once a week or less often, whose daily use is a known cause of deaths or of great harm.
Those that are also given more often by rule (etanercept, anakinra) are not among them."""

_FOLIC_ACID = re.compile(
    r"\b(?:with |and |take |plus )*folic acid\b"
    r"(?:(?!\b(?:and|then|methotrexate|inject)\b)(?:[^.;,\n]|(?<=\d)[.,](?=\d)))*",
    re.IGNORECASE,
)
"""What directions say of the folic acid beside methotrexate, to the end of the clause; it is a line of its own."""


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
    known = f"{row.display} {row.ingredient}" if row else ""
    sent = line.product.display
    weekly = _is_weekly(known) or ((row is None or sent != row.display) and _WEEKLY.search(sent) is not None)
    own = "folic" in f"{sent} {known}".lower()
    for index, covered in _groups(line.dosages):
        said = read(covered[0].text) if own else _read_without_folic_acid(covered[0].text)
        yield from _group(covered, said, row, f"dosages[{index}]", weekly=weekly)


@lru_cache(maxsize=4096)
def _is_weekly(known: str) -> bool:
    """Tell whether a product of the reference tables is such a medicine, by its names there."""
    return _WEEKLY.search(known) is not None


def _read_without_folic_acid(text: str) -> Said:
    """Read directions but for the folic acid in them, whose dose is another one; a person is told to look."""
    without = _FOLIC_ACID.sub("", text)
    return read(text) if without == text else replace(read(without), unsure=True)


def _groups(dosages: Sequence[Dosage]) -> Iterator[tuple[int, Sequence[Dosage]]]:
    """Give the dosages each set of words stands for."""
    if len(dosages) > 1 and dosages[0].text and not any(dosage.text for dosage in dosages[1:]):
        yield 0, dosages
        return
    yield from ((index, (dosage,)) for index, dosage in enumerate(dosages))


def _group(covered: Sequence[Dosage], said: Said, row: ProductRow | None, at: str, *, weekly: bool) -> Iterator[Doubt]:
    text = covered[0].text
    if says_no_dose(text) and text:
        return
    structured = [dosage for dosage in covered if is_structured(dosage)]
    strength = strength_of(row)
    found = differences(said, structured, strength) if structured else ()
    for difference in found:
        yield _contradiction(difference, f"{at}.text")
    further = tuple(_further(covered, structured, said, strength))
    for difference in further:
        yield _contradiction(difference, f"{at}.patient_instruction")
    if found or further:
        return
    if weekly and any(
        more_than_weekly(often) for often in (*said.often, *(often_of(dosage.timing) for dosage in covered))
    ):
        text_of = "This medicine is given once a week or less often, and the directions say more often."
        yield Doubt(code="WEEKLY_MEDICINE_MORE_OFTEN", at=at if structured else f"{at}.text", text=text_of)
    elif weekly and text and not structured and not (said.often or said.once_only):
        text_of = "This medicine is given once a week or less often, and the directions do not say how often."
        yield Doubt(code="TEXT_NOT_CHECKED", at=f"{at}.text", text=text_of, escalated=True)
    elif text and structured and not compared(said, structured, strength):
        text_of = "The words could not be compared with the whole structure."
        yield Doubt(code="TEXT_NOT_CHECKED", at=f"{at}.text", text=text_of, escalated=weekly and not said.often)


def _further(
    covered: Sequence[Dosage], structured: Sequence[Dosage], said: Said, strength: Strength
) -> Iterator[Difference]:
    """Compare directions sent in a second place: said twice and differently is a hold (mapping.md 0.4)."""
    for dosage in covered:
        second = read(dosage.patient_instruction)
        if second.unsure or not speaks_of_dose(second, structured, said, strength):
            continue
        yield from differences(second, structured, strength) if structured else differing_words(said, second, strength)


def _contradiction(difference: Difference, at: str) -> Doubt:
    text = f"The words and the structure state a different {difference.element}."
    if at.endswith(".patient_instruction"):
        text = f"These words state a different {difference.element} from the other directions."
    values = (difference.words.strip(), difference.structure)
    return Doubt(code="TEXT_STRUCTURE_MISMATCH", at=at, text=text, values=values)
