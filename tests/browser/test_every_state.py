"""Every kind of page in each state: empty, crowded with what people send, stale, forbidden, its records away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, clean, faults, fits, wrong_at
from tests.browser.crawl import Kind, kinds
from tests.browser.running import Running, serving
from tests.browser.sending import S01, of, send, unchecked, unknown_unit
from tests.postgres import Server

pytestmark = [pytest.mark.timeout(2400), pytest.mark.survey]

HOSTILE = "<script>alert(1)</script>\u202eTNEITAP".encode()
LONG = b"LLANFAIRPWLLGWYNGYLL" * 2
ORDERS = 12


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway with many orders, of patients with long and hostile names, held, unchecked and on their way."""
    with serving(tmp_path_factory.mktemp("crowded") / "data") as running:
        for number in range(ORDERS):
            named = S01.replace(b"TESTPATIENT", (LONG, HOSTILE, LONG + HOSTILE)[number % 3])
            send(running, of("RBA", 8000 + number, named))
            send(running, unchecked(8100 + number, named))
            send(running, unknown_unit(8200 + number, code=f"U{number}", words="x" * 150))
        send(running, S01.replace(b"RDE^O11", b"XXX^Z99"))
        yield running


def test_every_page_with_nothing_to_show(empty: Running, enter: Enter) -> None:
    assert faults(enter(empty), empty) == []


def test_every_page_with_many_rows_of_long_and_hostile_words(crowded: Running, enter: Enter) -> None:
    page = enter(crowded)
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    assert faults(page, crowded) == []
    assert asked == []


def test_every_page_says_that_it_is_not_live_while_the_watch_does_not_run(unwatched: Running, enter: Enter) -> None:
    page = enter(unwatched)
    for kind in list(kinds(page, unwatched.address)):
        page.goto(unwatched.address + kind.path)
        page.wait_for_timeout(300)
        strip = page.locator("#strip")
        assert "Live." not in strip.inner_text(), kind.path
    clean(page)


@pytest.mark.parametrize("who", ["Analyst", "Provider pharmacist", "Prescriber"])
def test_what_they_may_not_see_looks_like_what_does_not_exist(crowded: Running, enter: Enter, who: str) -> None:
    operator = enter(crowded)
    every = list(kinds(operator, crowded.address))
    page = enter(crowded, who=who)
    refused = []
    for kind in every:
        response = page.goto(crowded.address + kind.path)
        assert response is not None
        assert response.status in {200, 404}, kind.path
        if response.status == 404:
            refused.append(kind.path)
            expect(page.locator("h1")).to_have_text("There is nothing at this address")
    clean(page)
    fits(page)
    assert any("/prescriptions/" in path for path in refused)


def test_every_page_says_what_is_known_while_its_records_are_away(away: tuple[Running, Server], enter: Enter) -> None:
    running, server = away
    send(running, of("RBA", 8301))
    page = enter(running)
    every: list[Kind] = list(kinds(page, running.address))
    server.stop()
    try:
        told = {kind.path: _away(page, running.address + kind.path) for kind in every}
    finally:
        server.start()
    assert {path: what for path, what in told.items() if what} == {}


def _away(page: Page, address: str) -> list[str]:
    """Say what is wrong with a page whose records cannot be read: 503 and what is known; or a page that needs none."""
    response = page.goto(address)
    if response is None or response.status not in {200, 503}:
        return [f"{response and response.status}"]
    found = []
    if response.status == 503 and "cannot" not in page.get_by_role("main").inner_text().lower():
        found.append(page.get_by_role("main").inner_text()[:300])
    found += wrong_at(page, (1280,))
    return found
