"""Characters that nobody sees, in the words of the medicine and its dose."""

from dataclasses import replace

import pytest

from gateway.domain.prescription import Dosage, Line
from gateway.validate.unseen import unseen
from tests.factories import line


def put(path: str, text: str) -> Line:
    value = line(dosages=(Dosage(text="Take one"),))
    (dosage,) = value.dosages
    changed = {
        "product.display": lambda: replace(value, product=replace(value.product, display=text)),
        "quantity_in_words": lambda: replace(value, quantity_in_words=text),
        "notes[0]": lambda: replace(value, notes=(text,)),
        "dosages[0].text": lambda: replace(value, dosages=(replace(dosage, text=text),)),
        "dosages[0].patient_instruction": lambda: replace(value, dosages=(replace(dosage, patient_instruction=text),)),
    }
    return changed[path]()


PLACES = ["product.display", "quantity_in_words", "notes[0]", "dosages[0].text", "dosages[0].patient_instruction"]
UNSEEN = "\u00ad \u200b \u200d \u200e \u202e \u2066 \u2060 \ufeff \u3164 \u2800 \U000e0041".split(" ")  # noqa: SIM905 - invisible


@pytest.mark.parametrize("character", UNSEEN, ids=lambda one: f"U+{ord(one):04X}")
@pytest.mark.parametrize("place", PLACES)
def test_a_character_that_nobody_sees_is_found_wherever_the_medicine_is_described(place: str, character: str) -> None:
    assert list(unseen(put(place, f"Take 1{character}0 mg"), "lines[0]")) == [f"lines[0].{place}"]


@pytest.mark.parametrize("text", ["Take 5 µg", "Prednisolone 5 mg – one", "½ tablet", "Señor’s", "٥", "e\u0301", "\n"])
def test_characters_that_are_seen_are_not_told(text: str) -> None:
    assert list(unseen(put("dosages[0].text", text), "lines[0]")) == []
