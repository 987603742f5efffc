"""Searching, a prescription, its evidence and its pack in a real browser, with rows that simulated parties made."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, looks_right
from tests.browser.running import Running

pytestmark = pytest.mark.timeout(600)

TALLEST_STRIP = 64
ADDRESS = re.compile(r"/console/prescriptions/[0-9a-f-]{36}")


def some_prescription(page: Page, gateway: Running) -> str:
    """Give the address of any prescription that the demonstration has, waiting until there is one."""
    for _ in range(30):
        page.goto(f"{gateway.address}/console/")
        found = [one for one in page.locator("main a").all() if ADDRESS.search(one.get_attribute("href") or "")]
        if found:
            address = ADDRESS.search(found[0].get_attribute("href") or "")
            assert address
            return address[0]
        page.wait_for_timeout(1000)
    raise AssertionError("the demonstration made no prescription")


def nhs_number(page: Page, gateway: Running) -> str:
    page.goto(gateway.address + some_prescription(page, gateway))
    return page.locator(".hc-nhs").first.inner_text()


@pytest.mark.parametrize("more", ["", "?order=oldest", "/pack"])
def test_a_prescription_is_accessible_and_fits(demo: Running, enter: Enter, more: str) -> None:
    page = enter(demo)
    page.goto(demo.address + some_prescription(page, demo) + more)
    looks_right(page)


def test_the_evidence_of_an_event_is_one_click_away_and_its_bytes_another(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(demo.address + some_prescription(page, demo))
    page.locator(".hc-timeline a").first.click()
    expect(page.locator("h1")).to_contain_text("Evidence")
    page.locator("details.hc-octets summary").first.click()
    expect(page.locator("details.hc-octets pre").first).to_be_visible()
    looks_right(page)


def test_the_patient_stays_in_view_and_hides_nothing_that_has_focus(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(demo.address + some_prescription(page, demo))
    page.mouse.wheel(0, 1500)
    page.wait_for_timeout(300)
    strip = page.locator(".hc-banner--sticky").bounding_box()
    assert strip is not None
    assert strip["y"] == pytest.approx(0, abs=1)
    assert strip["height"] <= TALLEST_STRIP
    page.locator("a", has_text="Newest first").or_(page.locator("a", has_text="Oldest first")).first.focus()
    focused = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert focused >= strip["height"] - 1


def test_by_keyboard_alone_from_an_nhs_number_to_the_state_in_two_steps(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    number = nhs_number(page, demo)
    page.goto(f"{demo.address}/console/")
    page.locator("#q").focus()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/results/*")
    page.wait_for_function("document.activeElement.id === 'results'")
    assert number.replace(" ", "") not in page.url
    assert "TEST" not in page.title()
    while not ADDRESS.search(page.evaluate("document.activeElement.getAttribute('href') || ''")):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(ADDRESS)
    expect(page.locator(".hc-standing__state .hc-tag").first).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "heading"),
    [
        pytest.param("9990000078", "Search", id="a wrong check digit"),
        pytest.param("", "Search", id="nothing typed"),
        pytest.param("NO-SUCH-ORDER", "NO-SUCH-ORDER: no prescription", id="nothing found"),
    ],
)
def test_each_state_of_the_search_is_accessible_and_fits(
    empty: Running, enter: Enter, typed: str, heading: str
) -> None:
    page = enter(empty)
    page.goto(f"{empty.address}/console/search")
    page.locator("#sought").fill(typed)
    page.locator("main button").click()
    expect(page.locator("h1")).to_have_text(heading)
    looks_right(page)


def test_a_fault_leads_to_its_field(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    page.goto(f"{empty.address}/console/search/name")
    page.locator("main button").click()
    expect(page.locator(".nhsuk-error-summary")).to_be_visible()
    page.get_by_role("link", name="Enter the last name.").click()
    expect(page.locator("#family")).to_be_focused()
    looks_right(page)


def test_results_and_a_search_by_name_are_accessible_and_fit(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    number = nhs_number(page, demo)
    name = page.locator(".hc-banner__name").first.inner_text()
    born = re.search(r"Born (\d+) (\w{3}) (\d{4})", page.locator(".hc-banner").first.inner_text())
    assert born
    page.goto(f"{demo.address}/console/search")
    page.locator("#sought").fill(number)
    page.locator("main button").click()
    looks_right(page)
    page.goto(f"{demo.address}/console/search/name")
    page.locator("#family").fill(name.split()[-1].lower())
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    for field, value in (("day", born[1]), ("month", str(months.index(born[2]) + 1)), ("year", born[3])):
        page.locator(f"#{field}").fill(value)
    page.locator("main button").click()
    expect(page.locator("#results")).to_contain_text("prescription")
    looks_right(page)


def test_all_of_it_works_without_script(demo: Running, enter: Enter) -> None:
    page = enter(demo, script=False)
    number = nhs_number(page, demo)
    page.goto(f"{demo.address}/console/search")
    page.locator("#sought").fill(number)
    page.locator("main button").click()
    page.locator("table a").first.click()
    expect(page.locator(".hc-timeline li").first).to_be_visible()
    expect(page.locator(".hc-copy").first).to_be_hidden()


def test_what_is_not_theirs_looks_like_what_does_not_exist(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    address = some_prescription(page, demo)
    nothing = address[:-4] + ("0000" if not address.endswith("0000") else "1111")
    page.goto(demo.address + nothing)
    seen = page.locator("main").inner_text()
    looks_right(page)
    page.goto(f"{demo.address}/console/prescriptions/not-an-id")
    assert page.locator("main").inner_text() == seen


def test_the_pack_prints_black_on_white_without_the_frame(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(demo.address + some_prescription(page, demo) + "/pack")
    page.emulate_media(media="print")
    hidden: Callable[[str], None] = lambda selector: expect(page.locator(selector).first).to_be_hidden()  # noqa: E731
    for selector in (".hc-navigation", ".hc-footer", ".hc-search", ".hc-screen-only"):
        hidden(selector)
    style = "getComputedStyle(document.querySelector('.hc-pack'))"
    ground, ink = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
    assert (ground, ink) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    assert page.pdf(format="A4").startswith(b"%PDF")
