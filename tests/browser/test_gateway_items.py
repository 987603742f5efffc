"""What waits for whoever runs the gateway, by a real browser: empty, worked by keyboard, and refused."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WIDTHS, Enter, clean, fits
from tests.browser.running import Running, serving
from tests.browser.sending import of, send

HOME = "/console/gateway"
OPERATOR = "Olu Operator, Gateway operator"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway of these tests' own, for what is sent here would be seen elsewhere."""
    with serving(tmp_path_factory.mktemp("own") / "data") as running:
        yield running


@pytest.mark.parametrize("width", WIDTHS)
def test_an_item_is_worked_to_its_end_and_names_no_patient(own: Running, enter: Enter, width: int) -> None:
    page = enter(own, width=width, who=OPERATOR)
    page.goto(own.address + HOME)
    clean(page)
    fits(page)
    order = of("RBA", 9000 + width % 1000)
    send(own, order)
    send(own, order.replace(b"ONCE", b"TWICE"))  # other content under an id that was used
    page.reload()
    row = page.get_by_role("article").filter(has_text="Message from the trust not taken").first
    expect(row).to_be_visible()
    clean(page)
    fits(page)
    row.get_by_role("button", name="Take").press("Enter")
    page.get_by_role("article").filter(has_text="Taken by").get_by_role("heading").get_by_role("link").first.press(
        "Enter"
    )
    expect(page.locator("main")).to_contain_text("What to do")
    clean(page)
    fits(page)
    page.get_by_role("link", name="Close").press("Enter")
    clean(page)
    fits(page)
    page.get_by_label("What was done about it?").fill("The trust has sent it again.")
    page.get_by_role("button", name="Close this row").press("Enter")
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("Closed, with your reason.")


def test_a_reference_that_is_none_is_said_at_its_field(empty: Running, enter: Enter) -> None:
    page = enter(empty, who=OPERATOR)
    page.goto(empty.address + HOME)
    page.get_by_label("Reference from a notice or a call").fill("001J-43")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("No item has this reference.")
    clean(page)
    fits(page)


def test_a_pharmacist_has_no_such_page(empty: Running, enter: Enter) -> None:
    page = enter(empty, who="Perry Pharmacist, Homecare pharmacist")
    response = page.goto(empty.address + HOME)
    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("navigation", name="Main")).not_to_contain_text("The gateway")
