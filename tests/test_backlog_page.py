"""`docs/backlog.md` says what `docs/backlog.json` holds, and no more."""

from bench.backlog_page import PAGE, page, read


def test_the_page_is_the_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read())
