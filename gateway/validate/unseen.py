"""Characters that nobody sees, or that turn what follows them round, in the words of the medicine and its dose.

A person who reads such words may read others than the machine did: a bidirectional override shows 01 as 10. The words
are kept as they came; a person is told.

Source: reliability-security.md 4, H23 and J08.
"""

from collections.abc import Iterator

from gateway.domain.prescription import Dosage, Line
from gateway.domain.quantity import Quantity
from gateway.domain.written import unseen as _unseen


def unseen(line: Line, at: str) -> Iterator[str]:
    """Give the canonical path of every text of the medicine or its dose that holds such a character.

    Args:
        line: as read.
        at: its own path, `lines[0]`.
    """
    for path, text in _texts(line, at):
        if not text.isascii() and any(map(_unseen, text)):
            yield path


def _texts(line: Line, at: str) -> Iterator[tuple[str, str]]:
    yield f"{at}.product.display", line.product.display
    yield f"{at}.quantity_in_words", line.quantity_in_words
    yield f"{at}.quantity.unit", line.quantity.unit.display
    yield from ((f"{at}.notes[{index}]", note) for index, note in enumerate(line.notes))
    for index, dosage in enumerate(line.dosages):
        yield from _of_dosage(dosage, f"{at}.dosages[{index}]")


def _of_dosage(dosage: Dosage, at: str) -> Iterator[tuple[str, str]]:
    yield f"{at}.text", dosage.text
    yield f"{at}.patient_instruction", dosage.patient_instruction
    yield from ((f"{at}.additional[{index}]", one.display) for index, one in enumerate(dosage.additional))
    if isinstance(dosage.dose, Quantity):
        yield f"{at}.dose.unit", dosage.dose.unit.display
