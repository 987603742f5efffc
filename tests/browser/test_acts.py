"""Acts on prescriptions in a real browser: each state accessible and fitting, by keyboard, never saying too much."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, be, looks_right
from tests.browser.listening import listening
from tests.browser.running import Running, serving
from tests.browser.sending import of, send

pytestmark = pytest.mark.timeout(600)

NASTY = '<script>alert("x")</script> \u202egnp.exe ' + "verylong" * 40
ACTS = (
    "cancel",
    "hold",
    "release",
    "reroute",
    "send-again",
    "resolve",
    "answer",
    "close",
    "rule",
    "renewal",
    "rescue",
    "order-number",
    "paper-original",
    "send-news",
    "correct",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway with orders that wait to be sent; of its providers one listens, and says nothing."""
    folder = tmp_path_factory.mktemp("acts")
    with listening(folder / "config") as config, serving(folder / "data", "--config", str(config)) as running:
        for number in range(7001, 7008):
            assert b"MSA|CA" in send(running, of("RBA", number))
        yield running


def found(page: Page, gateway: Running, number: str) -> str:
    """Search for an order, and give the address of its page."""
    page.goto(f"{gateway.address}/console/")
    page.get_by_role("search").get_by_role("textbox").fill(number)
    page.get_by_role("search").get_by_role("button").click()
    page.wait_for_url("**/console/results/*")  # the page before has such links too
    page.locator("main a[href*='/console/prescriptions/']").first.click()
    page.wait_for_url(re.compile(r"/console/prescriptions/[0-9a-f-]{36}"))
    return page.url.partition("?")[0]


@pytest.mark.parametrize("act", ACTS)
def test_the_page_of_each_act_is_accessible_and_fits(office: Running, enter: Enter, act: str) -> None:
    page = enter(office, who="Homecare pharmacist")
    response = page.goto(f"{found(page, office, 'RX7007')}/{act}")
    assert response is not None
    assert response.status == 200
    said = page.get_by_role("main").inner_text()
    assert "What will happen" in said or "This cannot be done now." in said
    looks_right(page)


def test_a_cancel_is_done_by_keyboard_alone_and_said_for_what_it_is(office: Running, enter: Enter) -> None:
    page = enter(office, who="Homecare pharmacist")
    address = found(page, office, "RX7001")
    page.goto(f"{address}/cancel")
    reach(page, "input[name='code']")
    page.keyboard.press("Space")
    reach(page, "textarea[name='reason']")
    page.keyboard.type("Treatment was stopped.")
    reach(page, "main form button.nhsuk-button")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/cancel/result"))
    expect(page.get_by_role("main")).to_contain_text("Cancelled, and confirmed")
    assert "result" in page.url
    looks_right(page)
    page.goto(f"{address}/cancel")
    expect(page.get_by_role("main")).to_contain_text("This cannot be done now. It is cancelled, and that is confirmed.")
    looks_right(page)


def reach(page: Page, selector: str) -> None:
    """Press the tabulator until what is wanted has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_what_is_missing_is_led_to_and_what_was_typed_stands(office: Running, enter: Enter) -> None:
    page = enter(office, who="Homecare pharmacist")
    page.goto(f"{found(page, office, 'RX7002')}/cancel")
    page.locator("textarea[name='reason']").fill(NASTY[:400])
    page.locator("main form button.nhsuk-button").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Choose why it is cancelled")
    assert page.title().startswith("Error: ")
    assert page.locator("textarea[name='reason']").input_value() == NASTY[:400]
    page.locator(".nhsuk-error-summary a").first.click()
    expect(page.locator("[name='code']:focus")).to_have_count(1)
    looks_right(page)


def test_what_changed_meanwhile_is_shown_in_both_versions(office: Running, enter: Enter) -> None:
    page = enter(office, who="Homecare pharmacist")
    address = found(page, office, "RX7003")
    page.goto(f"{address}/cancel")
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill(NASTY[:400])
    other = page.context.new_page()
    other.goto(f"{address}/hold")
    other.locator("input[name='code']").first.check()
    other.locator("textarea[name='reason']").fill("Blood test awaited.")
    other.locator("main form button.nhsuk-button").click()
    other.wait_for_url(re.compile("/hold/result"))
    page.locator("main form button.nhsuk-button").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Nothing was done")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("On hold")
    assert page.locator("textarea[name='reason']").input_value() == NASTY[:400]
    looks_right(page)


def test_a_double_click_does_it_once(office: Running, enter: Enter) -> None:
    page = enter(office, who="Homecare pharmacist", script=False)
    page.goto(f"{found(page, office, 'RX7004')}/hold")
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill("Blood test awaited.")
    page.locator("main form button.nhsuk-button").dblclick()
    page.wait_for_url(re.compile("/hold/result"))
    expect(page.get_by_role("main")).to_contain_text("On hold")
    page.goto(page.url.removesuffix("/hold/result"))
    assert page.get_by_role("main").inner_text().count("Put on hold") <= 2


def test_two_people_give_it_to_another_provider(office: Running, enter: Enter) -> None:
    page = enter(office, who="Homecare pharmacist")
    address = found(page, office, "RX7005")
    page.goto(f"{address}/reroute")
    looks_right(page)
    page.locator("input[name='to']").first.check()
    page.locator("form.hc-act__ask button").click()
    expect(page.get_by_role("main")).to_contain_text("Checklist")
    looks_right(page)
    page.get_by_label(re.compile("The patient is registered with")).check()
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill("They close on Friday.")
    page.get_by_role("button", name="Propose").click()
    page.wait_for_url(re.compile("/console/waiting/"))
    proposal = page.url
    expect(page.get_by_role("main")).to_contain_text("You proposed it: somebody else must agree.")
    looks_right(page)
    be(page, "Chief pharmacist")
    page.goto(f"{office.address}/console/waiting")
    looks_right(page)
    page.goto(proposal)
    looks_right(page)
    page.get_by_role("button", name="Agree, and do it now").click()
    expect(page.get_by_role("main")).to_contain_text("Agreed.")
    expect(page.get_by_role("main")).to_contain_text("no answer yet")
    looks_right(page)


def test_an_empty_list_of_what_waits_proves_that_it_looked(empty: Running, enter: Enter) -> None:
    page = enter(empty, who="Homecare pharmacist")
    page.goto(f"{empty.address}/console/waiting")
    expect(page.get_by_role("main")).to_contain_text("Nothing waits for a second person. Looked at")
    looks_right(page)


def test_an_order_number_is_kept_and_said_not_to_travel(office: Running, enter: Enter) -> None:
    page = enter(office, who="Terry Technician")
    address = found(page, office, "RX7006")
    page.goto(f"{address}/order-number")
    page.locator("input[name='number']").fill("PO-4711")
    page.locator("main form button.nhsuk-button").click()
    expect(page.get_by_role("main")).to_contain_text("was not sent it")
    looks_right(page)
    assert found(page, office, "PO-4711") == address


@pytest.mark.parametrize("act", ["cancel", "close", "reroute"])
def test_who_may_not_sees_what_nobody_would_see(office: Running, enter: Enter, act: str) -> None:
    page = enter(office, who="Terry Technician")
    address = found(page, office, "RX7007")
    response = page.goto(f"{address}/{act}")
    assert response is not None
    assert response.status == 404
    looks_right(page)


def test_a_provider_in_trouble_shows_who_is_affected_and_proposes_for_many(office: Running, enter: Enter) -> None:
    page = enter(office, who="Chief pharmacist")
    page.goto(f"{office.address}/console/providers/VNE51")
    page.get_by_role("link", name="In trouble?").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("who is affected")
    looks_right(page)
    page.get_by_role("button", name="Propose").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Choose at least one prescription")
    looks_right(page)
    page.locator("input[name='prescription']:not([disabled])").first.check()
    page.locator("input[name='to']").first.check()
    page.locator("#registered").check()
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill("They close on Friday.")
    page.get_by_role("button", name="Propose").click()
    page.wait_for_url(re.compile("/console/waiting$"))
    expect(page.get_by_role("main")).to_contain_text("1 of 1 re-routes are proposed. Nothing has moved yet")
    looks_right(page)


def test_a_cancel_of_what_a_provider_has_says_not_cancelled_until_it_answers(office: Running, enter: Enter) -> None:
    send(office, of("RBA", 7100).replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VDEM3^Sandbox^ODS|"))
    page = enter(office, who="Homecare pharmacist")
    address = found(page, office, "RX7100")
    for _ in range(30):
        page.goto(f"{address}/cancel")
        if "Nothing is cancelled until Sandbox (VDEM3) confirms." in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(1000)
    looks_right(page)
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill("Treatment was stopped.")
    page.locator("main form button.nhsuk-button").click()
    page.wait_for_url(re.compile("/cancel/result"))
    main = page.get_by_role("main")
    expect(main).to_contain_text("Asked. Not cancelled yet")
    expect(main).to_contain_text("Cancel asked, not cancelled")
    expect(main).to_contain_text("Treat it as still active.")
    expect(page.locator(".nhsuk-notification-banner")).to_be_focused()
    looks_right(page)
    page.goto(f"{address}/send-again")
    expect(main).to_contain_text("This cannot be done now.")
    page.goto(f"{address}/reroute")
    expect(main).to_contain_text("A cancel was asked: it can go to no other provider.")
