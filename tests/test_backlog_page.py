"""`docs/backlog.md` and its like say what the JSON beside them holds, and no more."""

import pytest

from bench.backlog_page import ENGINES, figures, page, page_of, read


@pytest.mark.parametrize("engine", [one for one in ENGINES if figures(one).exists()])
def test_the_page_is_the_figures(engine: str) -> None:
    assert page_of(engine).read_text(encoding="utf-8") == page(read(engine))
