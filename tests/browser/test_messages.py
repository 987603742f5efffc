"""The messages and the audit in a real browser: each state, by keyboard, without script, wide and narrow."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, fits, looks_right
from tests.browser.running import Running

pytestmark = pytest.mark.timeout(600)


def first(page: Page, gateway: Running, query: str) -> None:
    """Open the newest message that is like that, as soon as there is one."""
    for _ in range(60):
        page.goto(f"{gateway.address}/console/messages?{query}")
        found = page.locator("th[scope=row] a")
        if found.count():
            found.first.click()
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"no message is like {query}")


@pytest.mark.parametrize("path", ["messages", "messages?outcome=held", "messages?since=x", "audit?who=nobody", "audit"])
def test_lists_without_anything_say_that_they_looked(empty: Running, enter: Enter, path: str) -> None:
    page = enter(empty)
    page.goto(f"{empty.address}/console/{path}")
    looks_right(page)


def test_a_list_that_is_full_fits(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    first(page, demo, "way=out&outcome=taken")
    for path in ("messages", "audit", "messages?way=in&issue=DOSE_CONFLICT"):
        page.goto(f"{demo.address}/console/{path}")
        looks_right(page)


@pytest.mark.parametrize(
    "query", ["way=in&outcome=translated", "way=in&outcome=held", "way=apart", "way=out", "way=answer"]
)
def test_a_message_of_each_kind_is_accessible_and_fits(demo: Running, enter: Enter, query: str) -> None:
    page = enter(demo)
    first(page, demo, query)
    looks_right(page)
    assert "TESTPATIENT" not in page.content()


def test_a_field_is_followed_by_keyboard_and_found_marked(demo: Running, enter: Enter) -> None:
    page = enter(demo, script=False)
    first(page, demo, "way=in&outcome=translated&type=RDE")
    dose = page.get_by_role("link", name=re.compile(r"RXE-3 Give amount - minimum")).first
    dose.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_contain_text("RXE-3 Give amount - minimum")
    expect(page.locator(".hc-tree .hc-cell--marked")).not_to_have_count(0)
    expect(page.locator(".hc-trace tr.hc-marked")).not_to_have_count(0)
    fits(page)
    page.locator(".hc-tree .hc-cell--marked a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_contain_text("comes from RXE[1]-3.1")
    expect(page.locator(".hc-source .hc-cell--marked")).to_have_count(1)


def test_the_source_is_a_region_of_its_own_that_the_keyboard_reaches(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    first(page, demo, "way=in&outcome=translated")
    region = page.get_by_role("region", name="Source, by segments")
    region.focus()
    expect(region).to_be_focused()
    assert page.evaluate("document.activeElement.tabIndex") == 0


def test_patient_data_is_unmasked_by_keyboard_with_what_was_typed_kept(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    first(page, demo, "way=in&outcome=translated")
    page.get_by_text("Unmask, with a reason").press("Enter")
    page.get_by_label("Details").fill("call 4711")
    page.get_by_role("button", name="Unmask").press("Enter")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Choose why you need to see")
    expect(page.get_by_label("Details")).to_have_value("call 4711")
    looks_right(page)
    page.get_by_label("Reason", exact=True).select_option("incident")
    page.get_by_role("button", name="Unmask").press("Enter")
    expect(page.locator(".hc-masking")).to_contain_text("Patient data is shown")
    looks_right(page)
    page.get_by_role("button", name="Mask it again").press("Enter")
    expect(page.locator(".hc-masking")).to_contain_text("Patient data is masked.")


def test_reading_again_comparing_and_copying(demo: Running, enter: Enter, tmp_path: Path) -> None:
    page = enter(demo)
    first(page, demo, "way=in&outcome=translated&type=RDE")
    address = page.url
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Read again")
    expect(page.get_by_text("Nothing was stored and nothing was sent.")).to_have_count(1)
    looks_right(page)
    page.goto(f"{address}/compare?with={address.rpartition('/')[2]}")
    expect(page.get_by_text("Nothing differs.").first).to_be_visible()
    looks_right(page)
    page.goto(f"{address}/compare?with=in-999999")
    looks_right(page)
    page.get_by_label("Golden message, as FHIR in JSON").fill("no message")
    page.get_by_role("button", name="Compare with it").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no FHIR message in JSON")
    looks_right(page)
    page.get_by_label("Golden message, as FHIR in JSON").fill('{"resourceType":"Bundle","type":"message"}')
    page.get_by_role("button", name="Compare with it").click()
    expect(page.get_by_role("heading", name="Our FHIR and the golden message")).to_be_visible()
    looks_right(page)
    page.goto(address)
    with page.expect_download() as download:
        page.get_by_role("button", name="Copy to test").click()
    file = tmp_path / "copy"
    download.value.save_as(file)
    assert b"9990000018" in file.read_bytes()


def test_a_filter_is_kept_used_and_forgotten(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/messages?way=in")
    page.get_by_label("Keep this filter as").fill("What came in")
    page.get_by_role("button", name="Keep it").press("Enter")
    expect(page.get_by_text("is kept for you.")).to_be_visible()
    looks_right(page)
    page.goto(f"{demo.address}/console/messages")
    page.get_by_role("link", name="What came in").press("Enter")
    expect(page).to_have_url(f"{demo.address}/console/messages?way=in")
    page.get_by_role("button", name="Forget What came in").press("Enter")
    expect(page.get_by_role("link", name="What came in")).to_have_count(0)


def test_the_chain_is_verified_and_says_up_to_which_leaf(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/audit")
    page.get_by_role("button", name="Verify the chain").click()
    for _ in range(40):
        page.goto(f"{demo.address}/console/audit")
        if page.get_by_text("leaves are as they say, none is missing").count():
            break
        page.wait_for_timeout(250)
    expect(page.locator("#check ~ dl")).to_contain_text("up to leaf")
    looks_right(page)


@pytest.mark.parametrize(("who", "path"), [("Homecare pharmacist", "messages"), ("Homecare pharmacist", "audit")])
def test_who_may_not_look_finds_nothing(demo: Running, enter: Enter, who: str, path: str) -> None:
    page = enter(demo, who=who)
    response = page.goto(f"{demo.address}/console/{path}")
    assert response is not None
    assert response.status == 404
    looks_right(page)
