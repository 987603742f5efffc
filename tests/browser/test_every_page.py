"""Whatever page can be reached by links, with the demonstration running: accessible, fitting, and unlike the others."""

from collections import Counter

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import WIDTHS, Enter, clean, fits
from tests.browser.crawl import Kind, kinds
from tests.browser.running import Running

pytestmark = pytest.mark.timeout(600)

LOOKERS = ("", "Homecare pharmacist", "Provider pharmacist", "Integration engineer", "Auditor")
"""The operator of the gateway, and people who see other pages."""


@pytest.mark.parametrize("who", LOOKERS)
def test_every_page_that_links_lead_to_is_accessible_and_fits(demo: Running, enter: Enter, who: str) -> None:
    page = enter(demo, who=who)
    page.wait_for_timeout(0 if who else 20_000)  # so that there is something on every page
    faults: list[str] = []
    for kind in kinds(page, demo.address):
        faults += [f"{kind.path} at {width}: {fault}" for width in WIDTHS for fault in _faults(page, kind, width, demo)]
    assert faults == []


def _faults(page: Page, kind: Kind, width: int, demo: Running) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    response = page.goto(demo.address + kind.path)
    found = [] if response is not None and response.status == 200 else [f"{response and response.status}"]
    for check in (clean, fits):
        try:
            check(page)
        except AssertionError as error:
            found.append(str(error)[:1500])
    return found


def test_no_two_kinds_of_page_have_one_title_or_one_heading(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    titles, headings = Counter[str](), Counter[str]()
    for _ in kinds(page, demo.address):
        titles[page.title()] += 1
        headings[" ".join(page.locator("h1").all_inner_texts())] += 1
    assert [title for title, count in titles.items() if count > 1] == []
    assert [heading for heading, count in headings.items() if count > 1] == []


def test_every_hint_is_tied_to_what_it_explains(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    loose = """() => [...document.querySelectorAll('.nhsuk-hint')].filter((hint) => !hint.id
        || !document.querySelector(`[aria-describedby~="${CSS.escape(hint.id)}"]`)).map((hint) => hint.outerHTML)"""
    found = {kind.path: hints for kind in kinds(page, demo.address) if (hints := page.evaluate(loose))}
    assert found == {}


def test_whatever_opens_says_whether_it_is_open(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    silent = """() => [...document.querySelectorAll('[aria-controls], [aria-haspopup]')].filter((one) =>
        !one.hasAttribute('aria-expanded') && !['radio', 'checkbox'].includes(one.getAttribute('type')))
        .map((one) => one.outerHTML)"""
    found = {kind.path: these for kind in kinds(page, demo.address) if (these := page.evaluate(silent))}
    assert found == {}
