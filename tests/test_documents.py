"""Documents that are made from code must agree with it."""

import re
from pathlib import Path

from gateway.domain.lifecycle_diagram import diagram

ROOT = Path(__file__).parents[1]


def test_the_lifecycle_picture_is_drawn_from_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    found = re.search(r"<!-- lifecycle -->\n```mermaid\n(.*?)```\n<!-- /lifecycle -->", text, re.DOTALL)
    assert found
    assert found.group(1) == diagram()
