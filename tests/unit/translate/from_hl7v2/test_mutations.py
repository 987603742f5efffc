"""Damage: whatever is emptied, doubled, shifted or cut, an order is never read as another order.

Source: mapping.md 12 (the mutation set); reliability-security.md H30.
"""

import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Refusal
from gateway.domain.issue import held, refused
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Reading
from gateway.translate.from_hl7v2 import message
from tests.hl7v2_orders import CONTEXT, golden, issues, read, submission

TEXT = golden("S01").strip("\n")
LINES = TEXT.split("\n")
CLINICAL = ("RXE", "TQ1", "RXR")


def _passes(reading: Reading) -> bool:
    found = tuple(issues(reading))
    return bool(reading.orders) and not refused(found) and not held(found)


def _supply(prescription: Prescription) -> object:
    """Give what the patient takes: all that must never come out otherwise."""
    line = prescription.lines[0]
    doses = [replace(dosage, text="", patient_instruction="") for dosage in line.dosages]
    return (line.product.code, doses, line.quantity, prescription.patient.nhs_number)


ORIGINAL = read(TEXT).orders[0].prescription
assert ORIGINAL is not None


@pytest.mark.parametrize("name", CLINICAL)
def test_a_clinical_field_shifted_by_one_never_makes_another_order(name: str) -> None:
    index = next(number for number, line in enumerate(LINES) if line.startswith(name))
    fields = LINES[index].split("|")
    for place in range(1, len(fields)):
        if not any(fields[place:]):
            continue
        shifted = "|".join([*fields[:place], "", *fields[place:]])
        reading = read("\n".join([*LINES[:index], shifted, *LINES[index + 1 :]]))
        if _passes(reading):
            prescription = reading.orders[0].prescription
            assert prescription is not None
            assert prescription.lines[0].product == ORIGINAL.lines[0].product
            assert prescription.lines[0].dosages[0].dose == ORIGINAL.lines[0].dosages[0].dose
            assert prescription.lines[0].quantity == ORIGINAL.lines[0].quantity


@pytest.mark.parametrize("name", CLINICAL)
def test_a_clinical_field_doubled_with_another_value_never_passes(name: str) -> None:
    index = next(number for number, line in enumerate(LINES) if line.startswith(name))
    fields = LINES[index].split("|")
    for place in range(2, len(fields)):
        if not fields[place] or (name, place) in {("TQ1", 9), ("RXE", 7), ("RXE", 15)}:
            continue
        doubled = "|".join([*fields[:place], f"{fields[place]}~9", *fields[place + 1 :]])
        assert not _passes(read("\n".join([*LINES[:index], doubled, *LINES[index + 1 :]]))), f"{name}-{place}"


@pytest.mark.parametrize("count", range(1, len(LINES)))
def test_a_message_cut_before_its_medicine_is_complete_is_not_an_order(count: int) -> None:
    reading = read("\n".join(LINES[:count]))
    names = {line[:3] for line in LINES[:count]}
    if not {"RXE", "RXR"} <= names:
        assert not _passes(reading)


@given(st.integers(0, len(TEXT) - 1))
def test_a_message_cut_anywhere_never_breaks_the_reader(place: int) -> None:
    with suppress(Refusal):
        assert read(TEXT[:place]).unaccounted == ()


@given(st.integers(0, 2**32))
def test_random_bytes_in_a_message_never_break_the_reader_and_all_are_accounted_for(seed: int) -> None:
    chance = random.Random(seed)
    body = bytearray(submission(TEXT).body)
    for _ in range(chance.randrange(1, 6)):
        body[chance.randrange(len(body))] = chance.choice(b'|^~\\&"0A9\r\n\x0b \xc3')
    with suppress(Refusal):
        assert message.read(replace(submission(TEXT), body=bytes(body)), CONTEXT).unaccounted == ()


@pytest.mark.parametrize("name", ["RXE", "TQ1", "RXR", "PID", "ORC"])
def test_an_emptied_field_never_changes_what_is_taken(name: str) -> None:
    index = next(number for number, line in enumerate(LINES) if line.startswith(name))
    fields = LINES[index].split("|")
    for place in range(1, len(fields)):
        emptied = "|".join([*fields[:place], "", *fields[place + 1 :]])
        reading = read("\n".join([*LINES[:index], emptied, *LINES[index + 1 :]]))
        if not _passes(reading):
            continue
        prescription = reading.orders[0].prescription
        assert prescription is not None
        if (name, place) not in {("TQ1", 3), ("TQ1", 7), ("TQ1", 8), ("RXR", 4), ("RXE", 3), ("RXE", 5)}:
            assert _supply(prescription) == _supply(ORIGINAL), f"{name}-{place}"
