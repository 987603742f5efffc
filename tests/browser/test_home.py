"""What needs attention, in a real browser: its states, and work done by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS, Enter, clean, fits
from tests.browser.running import Running

pytestmark = pytest.mark.timeout(600)

PHARMACIST = "Homecare pharmacist"
FILL_SECONDS = 60


def filled(page: Page, address: str) -> None:
    """Wait until somebody has something to do; by then it is a minute at most."""
    for _ in range(FILL_SECONDS):
        page.goto(f"{address}/console/")
        if page.locator("button[name=only]").count():
            return
        page.wait_for_timeout(1000)
    raise AssertionError("nothing needs attention after a minute")


@pytest.mark.parametrize("width", WIDTHS)
def test_an_empty_list_proves_that_it_is_alive(empty: Running, enter: Enter, width: int) -> None:
    page = enter(empty, width=width)
    page.goto(f"{empty.address}/console/")
    expect(page.get_by_text("Nothing needs attention.")).to_be_visible()
    expect(page.get_by_text("0 prescriptions are open")).to_be_visible()
    clean(page)
    fits(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_without_the_watch_the_page_says_that_it_cannot_say(unwatched: Running, enter: Enter, width: int) -> None:
    page = enter(unwatched, width=width)
    page.goto(f"{unwatched.address}/console/")
    expect(page.get_by_role("alert")).to_contain_text("We cannot say whether anything needs attention")
    assert page.get_by_text("Nothing needs attention.").count() == 0
    clean(page)
    fits(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_and_the_pages_of_an_item_are_accessible_and_fit(demo: Running, enter: Enter, width: int) -> None:
    page = enter(demo, width=width, who=PHARMACIST)
    filled(page, demo.address)
    for one in page.locator("details.hc-sum summary").all()[:1]:  # late in the day the first rows may all be incidents
        one.click()
    clean(page)
    fits(page)
    page.locator("ol.hc-work a", has_text="More").first.click()
    clean(page)
    fits(page)
    item = page.url
    for act in ("call", "hand-over", "put-off", "remind", "close"):
        page.goto(f"{item}/{act}")
        clean(page)
        fits(page)
    page.goto(f"{item}/call")
    page.get_by_role("button", name="Log the call").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    clean(page)
    fits(page)


def test_a_filter_that_nothing_fits_says_so(demo: Running, enter: Enter) -> None:
    page = enter(demo, who=PHARMACIST)
    page.goto(f"{demo.address}/console/?whose=mine&reason=renewal")
    expect(page.get_by_text("Nothing on the list fits these filters.")).to_be_visible()
    clean(page)
    page.get_by_role("link", name="Clear filters").click()
    assert page.url.endswith("/console/")


def test_an_item_that_is_not_theirs_looks_like_one_that_does_not_exist(demo: Running, enter: Enter) -> None:
    page = enter(demo, who="Provider pharmacist")
    answers = [page.goto(f"{demo.address}/console/work/{number}") for number in (1, 999999)]
    assert [answer.status for answer in answers if answer] == [404, 404]
    clean(page)


def press_until(page: Page, key: str, words: str) -> None:
    """Move by keyboard until the focus is on something that begins with these words."""
    for _ in range(300):
        page.keyboard.press(key)
        if " ".join(str(page.evaluate("document.activeElement.innerText || ''")).split()).startswith(words):
            return
    raise AssertionError(f"the keyboard does not come to {words!r}")


def test_an_item_is_taken_and_a_call_logged_by_keyboard_alone(demo: Running, enter: Enter) -> None:
    page = enter(demo, who=PHARMACIST)
    filled(page, demo.address)
    press_until(page, "Tab", "Take")
    page.keyboard.press("Enter")
    notice = page.get_by_role("region", name="What happened")
    expect(notice).to_contain_text("You have taken 1 row.")
    expect(page.locator(":focus")).to_contain_text("You have taken")
    page.goto(f"{demo.address}/console/?whose=mine")
    press_until(page, "Tab", "More")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/work/*")
    press_until(page, "Tab", "Log a call")
    page.keyboard.press("Enter")
    page.wait_for_url("**/call")
    page.get_by_label("Who spoke?").focus()
    page.keyboard.type("R Jones, Example Homecare")
    page.get_by_label("What did they say?").focus()
    page.keyboard.type("It leaves tomorrow.")
    press_until(page, "Tab", "Log the call")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The call is logged. The row is still on the list.")).to_be_visible()
    expect(page.get_by_text("It leaves tomorrow.")).to_be_visible()


def test_work_is_done_without_script(demo: Running, enter: Enter) -> None:
    page = enter(demo, who=PHARMACIST, script=False)
    filled(page, demo.address)
    page.locator("ol.hc-work input[type=checkbox]").first.check()
    page.get_by_role("button", name="Hand over", exact=True).click()
    page.get_by_label("Who takes it over?").fill("robin.rba")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("handed to robin.rba.")).to_be_visible()
