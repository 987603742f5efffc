"""The packaged reference tables keep the promises the readers rely on."""

import re

import pytest

from gateway.config.reference import load_reference
from gateway.domain.coding import SNOMED, UCUM
from gateway.domain.identifiers import SnomedCode
from gateway.domain.prescription import ControlledSchedule, ProductLevel

REFERENCE = load_reference()


def test_every_product_has_a_valid_code_and_words() -> None:
    assert len(REFERENCE.products) == 491
    for code, product in REFERENCE.products.items():
        assert SnomedCode.parse(code) is not None
        assert product.code == code
        assert product.display


def test_every_successor_is_itself_in_the_table_at_the_same_level_and_schedule() -> None:
    for product in REFERENCE.products.values():
        if product.replaced_by:
            successor = REFERENCE.products[product.replaced_by]
            assert (successor.level, successor.schedule) == (product.level, product.schedule)


def test_every_snomed_unit_and_route_has_a_valid_code() -> None:
    units = [unit.code for unit in REFERENCE.units.values() if unit.system == SNOMED]
    for code in (*units, *REFERENCE.routes):
        assert SnomedCode.parse(code) is not None, code


def test_a_unit_is_written_in_ucum_where_ucum_has_it() -> None:
    assert REFERENCE.units["258684004"] == REFERENCE.units["mg"]
    assert REFERENCE.units["mg"].system == UCUM
    assert REFERENCE.units["428673006"].system == SNOMED


@pytest.mark.parametrize(
    "word",
    ["U", "u", "IU", "iu", "mcg", "μg", "µg", "MU", "unit", "units", "vial", "pack", "EA", "ml", "mL", "MG", "Mg"],
)
def test_a_dangerous_unit_word_is_not_read(word: str) -> None:
    assert word not in REFERENCE.unit_words


@pytest.mark.parametrize(("word", "code"), [("mg", "mg"), ("microgram", "ug"), ("g", "g"), ("tablet", "428673006")])
def test_a_safe_unit_word_is_read(word: str, code: str) -> None:
    assert REFERENCE.unit_words[word].code == code


@pytest.mark.parametrize("letters", ["IN", "IT", "IO", "IU"])
def test_look_alike_route_letters_are_not_read(letters: str) -> None:
    assert letters not in REFERENCE.route_letters


def test_form_codes_are_not_units() -> None:
    for form in ("385055001", "385024007", "385049006"):
        assert form not in REFERENCE.units


def test_a_substance_has_no_schedule_of_its_own() -> None:
    for product in REFERENCE.products.values():
        if product.level is ProductLevel.VTM:
            assert not product.schedule_known


@pytest.mark.parametrize(
    ("code", "schedule"),
    [
        ("36126511000001106", ControlledSchedule.CD2),  # morphine 10mg modified-release tablets
        ("42137211000001105", ControlledSchedule.CD3),  # temazepam 10mg tablets
        ("36128311000001101", ControlledSchedule.CD5),  # morphine 10mg/5ml: the strength decides
        ("12816811000001108", ControlledSchedule.CD4),  # somatropin
    ],
)
def test_a_controlled_drug_carries_its_schedule(code: str, schedule: ControlledSchedule) -> None:
    assert REFERENCE.products[code].schedule is schedule


def test_the_release_says_that_this_is_simulation() -> None:
    assert re.fullmatch(r"simulation-\d{4}-\d{2}", REFERENCE.release)
