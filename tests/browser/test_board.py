"""The provider board and the figures of the service in a real browser: each state accessible, and fitting."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS, Enter, be, clean, fits
from tests.browser.running import Running

pytestmark = pytest.mark.timeout(300)

PAGES = ("/console/providers", "/console/providers/VNE51", "/console/performance")


def look(page: Page, address: str, *, heading: str, status: int = 200) -> None:
    """Open a page at each width, and see that it is as it should be."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        response = page.goto(address)
        assert response is not None
        assert response.status == status
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        clean(page, colours=width == WIDTHS[0])
        fits(page)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_claimed_of_a_gateway_that_nobody_has_used(empty: Running, enter: Enter, path: str) -> None:
    page = enter(empty)
    look(
        page,
        empty.address + path,
        heading={"providers": "Providers", "VNE51": "Example Homecare Ltd"}.get(path.rpartition("/")[2], "Performance"),
    )
    words = page.locator("main").inner_text()
    assert "%" not in words.partition("How this is worked out")[0] or "performance" not in path
    if "performance" in path:
        assert "No item was sent to a provider in these days." in words
    else:
        assert "Not known" in words


def test_the_board_fills_by_itself_and_leads_to_a_provider(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/providers")
    for _ in range(30):
        if page.get_by_text("Working", exact=True).count() > 1:
            break
        page.wait_for_timeout(1000)
        page.reload()
    look(page, f"{demo.address}/console/providers", heading="Providers")
    page.get_by_role("link", name="Example Homecare Ltd", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Example Homecare Ltd")
    expect(page.get_by_text("01632 960101")).to_be_visible()


def test_the_figures_fill_and_each_chart_has_its_table(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/performance")
    for _ in range(30):
        if page.locator("svg.hc-chart").count() >= 2:
            break
        page.wait_for_timeout(1000)
        page.reload()
    look(page, f"{demo.address}/console/performance", heading="Performance")
    for chart in page.locator("svg.hc-chart").all():
        names = str(chart.get_attribute("aria-labelledby")).split()
        assert all(page.locator(f"#{name}").text_content() for name in names)
    assert page.locator("table").count() >= page.locator("svg.hc-chart").count()
    assert page.locator("main [style]").count() == 0
    look(page, f"{demo.address}/console/performance/recent/undecided", heading="No decision yet")


def test_a_pause_is_done_by_keyboard_alone_and_the_notice_has_the_focus(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    look(page, f"{empty.address}/console/providers/VNCEL/pause", heading="Pause Example Backup Homecare")
    page.get_by_role("button", name="Pause", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Enter a reason")
    clean(page)
    page.get_by_role("link", name="Enter a reason").press("Enter")
    page.keyboard.type("They are moving.")
    page.get_by_role("button", name="Pause", exact=True).press("Enter")
    expect(page).to_have_url(f"{empty.address}/console/providers/VNCEL")
    expect(page.get_by_text("Example Backup Homecare is paused.")).to_be_visible()
    expect(page.locator(".nhsuk-notification-banner")).to_be_focused()
    clean(page)
    look(page, f"{empty.address}/console/providers/VNCEL/pause", heading="Pause")
    expect(page.get_by_text("There is nothing to do.")).to_be_visible()
    page.goto(f"{empty.address}/console/providers/VNCEL/resume")
    page.get_by_label("Why?").fill("They have moved.")
    page.get_by_role("button", name="Let go on").press("Enter")
    expect(page.get_by_text("Example Backup Homecare goes on.")).to_be_visible()


def test_an_outage_is_written_down_by_keyboard_alone_and_taken_away_again(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    board = f"{empty.address}/console/providers/VNE51"
    look(page, f"{board}/outages", heading="Write down a planned outage")
    page.get_by_role("button", name="Write it down").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Say who told us, and what")
    clean(page)
    day = datetime.now(UTC).date() + timedelta(days=30)
    words = f"{day.day} {day:%b %Y}"
    page.get_by_label("When it begins").fill(f"{day} 20:00")
    page.get_by_label("When it ends").fill(f"{day} 23:00")
    page.get_by_label("Who told us, and what?").fill("Their servers are moved.")
    page.get_by_role("button", name="Write it down").press("Enter")
    expect(page).to_have_url(board)
    expect(page.locator("main")).to_contain_text(f"{words}, 20:00 to {words}, 23:00: Their servers are moved.")
    clean(page)
    look(page, f"{empty.address}/console/providers", heading="Providers")
    expect(page.locator("main")).to_contain_text(f"Planned outage from {words}, 20:00")
    page.goto(board)
    page.get_by_role("link", name="It will not be").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The planned outage will not be")
    clean(page)
    page.get_by_label("Who told us, and what?").fill("They rang.")
    page.get_by_role("button", name="It will not be").press("Enter")
    expect(page.get_by_text("None is known.")).to_be_visible()


def test_what_is_not_theirs_looks_like_what_is_not_there(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    be(page, "Provider pharmacist")
    texts = []
    for path in ("/console/providers/VNXXX", "/console/providers/VNCEL", "/console/performance/2099-01"):
        look(page, empty.address + path, heading="There is nothing at this address", status=404)
        texts.append(page.locator("main").inner_text())
    assert len(set(texts)) == 1


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_work_without_script(demo: Running, enter: Enter, path: str) -> None:
    page = enter(demo, script=False)
    page.goto(demo.address + path)
    fits(page)
    assert page.locator("table").count() >= 1
