"""Who looks: the role page, people, settings and signing in, by a real browser."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS, Enter, be, clean, fits
from tests.browser.running import Running

OWN = ("/console/role", "/console/people", "/console/people/give", "/console/settings")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", OWN)
def test_a_page_of_people_is_accessible_and_fits(empty: Running, enter: Enter, path: str, width: int) -> None:
    page = enter(empty, width=width)
    response = page.goto(empty.address + path)
    assert response is not None
    assert response.status == 200
    clean(page)
    fits(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_that_nobody_let_in_is_told_how(empty: Running, chromium: Browser, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(f"{empty.address}/console/settings")
    expect(page.locator("h1")).to_have_text("You are not signed in")
    clean(page)
    fits(page)
    context.close()


def test_a_role_is_changed_by_keyboard_alone_and_without_script(empty: Running, enter: Enter) -> None:
    page = enter(empty, script=False)
    page.goto(f"{empty.address}/console/role")
    radio = page.get_by_label("Perry Pharmacist, Homecare pharmacist").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator("input[name=post]:focus").count():
            break
    for _ in range(80):
        if radio.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("You are now Perry Pharmacist")
    expect(page.locator(".hc-header__who")).to_contain_text(
        "Perry Pharmacist, Homecare pharmacist, Example Trust (RBA)"
    )


def test_choosing_nothing_is_an_error_that_leads_to_the_first_role(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    page.goto(f"{empty.address}/console/role")
    page.evaluate("document.querySelectorAll('input[name=post]').forEach((one) => { one.checked = false })")
    page.get_by_role("button", name="Go on in this role").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Choose one of the roles")
    assert page.title().startswith("Error: ")
    clean(page)
    page.locator(".nhsuk-error-summary a").click()
    expect(page.locator("[name='post']:focus")).to_have_count(1)


@pytest.mark.parametrize(
    "who",
    ["Auditor", "Gateway operator", "Commissioner", "Regulator or analyst", "Integration engineer", "Map approver"],
)
def test_a_role_without_patients_is_led_to_a_page_of_its_own(empty: Running, enter: Enter, who: str) -> None:
    page = enter(empty, who=who)
    assert page.url != f"{empty.address}/console/"
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("You are now")
    expect(page.locator("h1")).not_to_contain_text("There is nothing")
    clean(page)
    page.get_by_role("link", name="Homecare prescriptions", exact=True).click()
    expect(page.locator("h1")).not_to_contain_text("There is nothing")


def ask(page: Page, address: str, *, name: str = "1234@id", days: int = 30) -> None:
    page.goto(f"{address}/console/people/give")
    page.get_by_label("The person's reference").fill(name)
    page.get_by_label("What people call them").fill("Ada <b>Name</b> \u202eesrever")
    page.get_by_label("Which role").select_option("map-approver.RBA")
    page.get_by_label("The last day").fill((datetime.now(UTC) + timedelta(days=days)).date().isoformat())
    page.get_by_label("Why?").fill("Covers for leave.")


def test_two_people_in_two_browsers_give_a_third_a_role(empty: Running, enter: Enter) -> None:
    first, second = enter(empty, who="Chief pharmacist"), enter(empty)
    ask(first, empty.address)
    first.get_by_role("button", name="Propose it to a second person").click()
    expect(first.locator(".nhsuk-notification-banner")).to_contain_text("Nobody has the role until")
    clean(first)
    second.goto(f"{empty.address}/console/people")
    second.get_by_role("link", name="Look at it").first.click()
    clean(second)
    second.get_by_role("button", name="Agree").click()
    expect(second.locator("main")).to_contain_text("has the role from the next sign-in")
    for width in WIDTHS:
        second.set_viewport_size({"width": width, "height": 900})
        second.goto(f"{empty.address}/console/people")
        expect(second.locator("main")).to_contain_text("In force")
        clean(second)
        fits(second)
    second.get_by_role("link", name="End it now").first.click()
    clean(second)
    second.get_by_role("button", name="End the role now").click()
    expect(second.locator(".nhsuk-error-summary")).to_contain_text("Give a reason")
    second.get_by_label("Why?").fill("Back from leave.")
    second.get_by_role("button", name="End the role now").click()
    expect(second.locator(".nhsuk-notification-banner")).to_contain_text("Ended.")


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(empty: Running, enter: Enter) -> None:
    page = enter(empty, who="Chief pharmacist")
    ask(page, empty.address, name="two words", days=-3)
    page.get_by_role("button", name="Propose it to a second person").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter the person's reference")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("The last day lies in the past")
    expect(page.get_by_label("Why?")).to_have_value("Covers for leave.")
    clean(page)


def test_one_person_has_one_session_and_keeps_what_was_typed(empty: Running, enter: Enter) -> None:
    first, second = enter(empty, who="Chief pharmacist"), enter(empty)
    ask(first, empty.address)
    be(second, "Chief pharmacist")
    first.get_by_role("button", name="Propose it to a second person").click()
    expect(first.locator("main")).to_contain_text("You signed in somewhere else")
    expect(first.locator("main")).to_contain_text("Nothing was done with what you just sent")
    clean(first)
    first.goto(empty.link())
    be(first, "Chief pharmacist")
    expect(first.locator(".nhsuk-notification-banner")).to_contain_text("What you typed is still here")
    expect(first.get_by_label("Why?")).to_have_value("Covers for leave.")


def test_what_a_change_would_do_is_asked_without_script(empty: Running, enter: Enter) -> None:
    page = enter(empty, script=False)
    page.goto(f"{empty.address}/console/settings")
    page.get_by_label("If this provider").select_option("VNE51")
    page.get_by_role("button", name="Ask; nothing is changed").click()
    expect(page.locator("main")).to_contain_text("No open line would be left without a way on")
