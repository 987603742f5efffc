"""A real browser, and gateways for it to look at."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.crawl import kinds
from tests.browser.running import Running, demonstration, serving
from tests.postgres import Server, ask

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_WCAG: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # of what passed nothing is told, which is most of the time
}
_COLOURLESS: Final = {**_WCAG, "rules": {"color-contrast": {"enabled": False}}}
WIDTHS = (1280, 320)

_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => {
        for (let at = element; at; at = at.parentElement) {
            if (/auto|scroll|hidden/.test(getComputedStyle(at).overflowX)) return true;
        }
        return false;
    };
    return [...document.querySelectorAll('body *')]
        .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
        .map((one) => one.outerHTML.slice(0, 160)).slice(0, 5);
}"""

Enter = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here: those of a file run one after another, for they share gateways."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium is installed on this machine"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway with simulated trusts and providers, who go on."""
    with demonstration(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway that nobody has sent anything to."""
    with serving(tmp_path_factory.mktemp("empty") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def unwatched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway whose watch is not running."""
    with serving(tmp_path_factory.mktemp("unwatched") / "data", "--only", "http,console") as running:
        yield running


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Server]]:
    """Give a gateway over a server that may be stopped."""
    server = Server()
    ask(server, "CREATE DATABASE console")
    url = server.url("console")
    with serving(tmp_path_factory.mktemp("away") / "data", GATEWAY_DATABASE_URL=url) as running:
        yield running, server
    server.remove()


@pytest.fixture
def enter(chromium: Browser) -> Iterator[Enter]:
    """Give a way in: `enter(gateway, width=1280, who="...", script=True)` is a page of somebody who has signed in."""
    contexts: list[BrowserContext] = []

    def entering(gateway: Running, *, width: int = 1280, who: str = "", script: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(gateway.link())
        if who:
            be(page, who)
        return page

    yield entering
    for context in contexts:
        context.close()


def be(page: Page, who: str) -> None:
    """Become one of the invented people of the demonstration, by the page where a role is changed."""
    page.goto(page.url.partition("/console")[0] + "/console/role")
    page.get_by_label(who).first.check()
    page.get_by_role("button", name="Go on in this role").click()


def clean(page: Page, *, colours: bool = True) -> None:
    """Say every violation of WCAG 2.2 AA that axe-core sees on a page; there is none.

    Args:
        page: as it stands.
        colours: whether contrast is looked at too, which takes longer than all else.
    """
    page.wait_for_load_state()  # of a page that is still coming, a link has an address before it has words
    violations: list[dict[str, Any]] = Axe().run(page, options=_WCAG if colours else _COLOURLESS).response["violations"]
    told = [{"id": one["id"], "where": [node["html"][:200] for node in one["nodes"]]} for one in violations]
    assert told == [], json.dumps(told, indent=1)


def wrong_at(page: Page, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Say what is wrong with the page that is open, at each width: not accessible, or wider than the window."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        for check in (partial(clean, colours=width == widths[0]), fits):  # colours are the same at each width
            try:
                check(page)
            except AssertionError as error:
                found.append(f"at {width}: {str(error)[:1500]}")
    return found


def faults(page: Page, gateway: Running) -> list[str]:
    """Look at every kind of page that links lead to; say what is wrong with any."""
    found = []
    for kind in kinds(page, gateway.address):
        found += [f"{kind.path}: {kind.status}"] if kind.status != 200 else []
        found += [f"{kind.path} {fault}" for fault in wrong_at(page)]
    return found


def fits(page: Page) -> None:
    """See that nothing makes the page scroll sideways."""
    page.wait_for_load_state()
    wide = page.evaluate(_TOO_WIDE)
    assert wide == [], wide
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")


def looks_right(page: Page) -> None:
    """See at each width that a page is accessible and scrolls nowhere sideways; its colours are the same at each."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        clean(page, colours=width == WIDTHS[0])
        fits(page)
