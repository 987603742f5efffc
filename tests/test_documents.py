"""Documents that are made from code must agree with it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.lifecycle_diagram import delivery_diagram, diagram
from gateway.translate.maps.page import page

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("name", "drawn"), [("lifecycle", diagram), ("delivery", delivery_diagram)])
def test_the_pictures_of_the_lifecycle_are_drawn_from_the_tables(name: str, drawn: Callable[[], str]) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    found = re.search(rf"<!-- {name} -->\n```mermaid\n(.*?)```\n<!-- /{name} -->", text, re.DOTALL)
    assert found
    assert found.group(1) == drawn()


def test_the_page_of_the_mapping_rules_is_made_from_their_tables() -> None:
    assert (ROOT / "docs" / "mapping-rules.md").read_text(encoding="utf-8") == page()
