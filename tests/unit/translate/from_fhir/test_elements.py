"""The table of elements against the compiled definitions of FHIR R4: an element that exists is never called unknown."""

import json
from pathlib import Path

import pytest

from gateway.translate.from_fhir.elements import ELEMENTS

TYPES = json.loads((Path(__file__).parents[4] / "fhir_profiles" / "r4-4.0.1.json").read_text())["types"]
NOT_R4 = {"Meta": {"project", "author", "onBehalfOf", "account", "accounts", "compartment"}}
"""Elements that the source of the compiled table has of its own."""


@pytest.mark.parametrize("name", sorted(ELEMENTS.keys() & TYPES.keys()))
def test_every_element_of_the_type_is_known(name: str) -> None:
    assert set(TYPES[name]["elements"]) - NOT_R4.get(name, set()) <= set(ELEMENTS[name])


@pytest.mark.parametrize("name", sorted(ELEMENTS.keys() & TYPES.keys()))
def test_what_repeats_in_the_type_repeats_here(name: str) -> None:
    for element, shape in TYPES[name]["elements"].items():
        if element in ELEMENTS[name]:
            assert ELEMENTS[name][element].endswith("*") == shape["many"], element
