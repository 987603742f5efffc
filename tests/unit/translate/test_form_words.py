"""Words that name another form than the product has."""

import pytest

from gateway.config.reference import load_reference
from gateway.domain.prescription import ProductLevel
from gateway.translate.form_words import names_another_form

PEN = "Methotrexate 10mg/0.2ml solution for injection pre-filled disposable devices"
SYRINGE = "Methotrexate 10mg/0.2ml solution for injection pre-filled syringes"
TABLET = "Methotrexate 2.5mg tablets"
LIQUID = "Morphine sulfate 10mg/5ml oral solution"


@pytest.mark.parametrize(
    ("words", "display", "differs"),
    [
        ("Methotrexate 10mg/0.2ml pen", PEN, False),
        ("Methofill 10mg/0.2ml pre-filled injector", PEN, False),
        ("Methotrexate 10mg/0.2ml pen", SYRINGE, True),
        ("Methotrexate 10mg/0.2ml PFS", SYRINGE, False),
        ("Methotrexate 10mg/0.2ml inj", SYRINGE, False),
        ("Methotrexate 10mg vials", SYRINGE, True),
        ("Methotrexate tabs", TABLET, False),
        ("Methotrexate injection", TABLET, True),
        ("MTX 2.5 mg", TABLET, False),
        ("TAB", SYRINGE, True),
        ("Oramorph 10mg/5ml oral solution with oral syringe", LIQUID, False),
        ("Morphine 10mg capsules", LIQUID, True),
        ("Metabolic supplement", TABLET, False),
        ("capsule (modified release)", TABLET, True),
    ],
)
def test_only_a_form_that_is_named_can_differ(words: str, display: str, differs: bool) -> None:  # noqa: FBT001 - a column
    assert names_another_form(words, display) is differs


def test_no_product_contradicts_its_own_name_or_that_of_its_brand() -> None:
    rows = [row for row in load_reference().products.values() if row.level is not ProductLevel.VTM]
    assert rows
    assert not [row.display for row in rows if names_another_form(row.display, row.display)]
