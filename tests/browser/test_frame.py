"""What holds for every page: no violation, no sideways scroll, no other host, and the nine failures not repeated."""

import pytest
from playwright.sync_api import Page, Request

from tests.browser.conftest import WIDTHS, Enter, clean, fits
from tests.browser.running import Running

PLAIN = ("/console/", "/console/help", "/console/accessibility", "/console/how", "/console/nothing-here")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PLAIN)
def test_a_page_is_accessible_and_fits(empty: Running, enter: Enter, path: str, width: int) -> None:
    page = enter(empty, width=width)
    page.goto(empty.address + path)
    clean(page)
    fits(page)


def test_no_request_leaves_the_host_and_the_first_page_is_light(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - a builtin cannot be marked as heard
    page.goto(f"{demo.address}/console/", wait_until="load")
    assert {request.url.partition("/console/")[0] for request in asked} == {demo.address}
    ended = [request for request in asked if "/console/events" not in request.url]  # a stream has no end to be measured
    sizes = [request.sizes()["responseBodySize"] for request in ended if request.response() is not None]
    assert sum(sizes) < 200_000


def focused(page: Page) -> str:
    return str(
        page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
    )


def test_the_skip_link_moves_the_focus_to_the_content(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    page.keyboard.press("Tab")
    assert "skip" in focused(page)
    page.keyboard.press("Enter")
    assert focused(page) == "maincontent"
