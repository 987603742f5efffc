"""Whatever page can be reached by links, with the demonstration running: accessible, fitting, and unlike the others."""

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Enter, faults
from tests.browser.crawl import Kind, kinds
from tests.browser.running import Running

pytestmark = [pytest.mark.timeout(2400), pytest.mark.survey]

LOOKERS = ("", "Homecare pharmacist", "Provider pharmacist", "Integration engineer", "Auditor", "Gateway operator")
"""The operator of the gateway, and people who see other pages."""


@pytest.mark.parametrize("who", LOOKERS)
def test_every_page_that_links_lead_to_is_accessible_and_fits(demo: Running, enter: Enter, who: str) -> None:
    page = enter(demo, who=who)
    page.wait_for_timeout(0 if who else 20_000)  # so that there is something on every page
    assert faults(page, demo) == []


@pytest.fixture(scope="module")
def every_kind(chromium: Browser, demo: Running) -> Iterator[tuple[Page, list[Kind]]]:
    """Give every kind of page that the operator can reach, and a page to look at them."""
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(demo.link())
    yield page, list(kinds(page, demo.address))
    context.close()


def test_no_two_kinds_of_page_have_one_title_or_one_heading(demo: Running, every_kind: tuple[Page, list[Kind]]) -> None:
    """Two of the tracker's nine failures: tabs as pages of their own with one title, and with one heading."""
    page, pages = every_kind
    titles, headings = Counter[str](), Counter[str]()
    for kind in pages:
        page.goto(demo.address + kind.path)
        titles[page.title()] += 1
        headings[" ".join(page.locator("h1").all_inner_texts())] += 1
    assert [title for title, count in titles.items() if count > 1] == []
    assert [heading for heading, count in headings.items() if count > 1] == []


_LOOSE_HINTS = """() => [...document.querySelectorAll('.nhsuk-hint')]
    .filter((hint) => !hint.id || !document.querySelector(`[aria-describedby~="${CSS.escape(hint.id)}"]`))
    .map((hint) => hint.outerHTML)"""
_SILENT_OPENERS = """() => [...document.querySelectorAll('[aria-controls], [aria-haspopup]')]
    .filter((one) => !one.hasAttribute('aria-expanded') && !['radio', 'checkbox'].includes(one.getAttribute('type')))
    .map((one) => one.outerHTML)"""
_TABBED = """() => [...document.querySelectorAll("[tabindex]")]
    .filter((one) => one.tabIndex > 0)
    .map((one) => one.outerHTML)"""


@pytest.mark.parametrize(
    "looked_for",
    [
        pytest.param(_LOOSE_HINTS, id="every hint is tied to what it explains"),
        pytest.param(_SILENT_OPENERS, id="whatever opens says whether it is open"),
        pytest.param(_TABBED, id="nothing comes before its turn in the order of the tabulator"),
    ],
)
def test_none_of_the_known_failures_is_on_any_page(
    demo: Running, every_kind: tuple[Page, list[Kind]], looked_for: str
) -> None:
    page, pages = every_kind
    found = {}
    for kind in pages:
        page.goto(demo.address + kind.path)
        if these := page.evaluate(looked_for):
            found[kind.path] = these
    assert found == {}
