"""Held codes and the pharmacist's check in a real browser: each state accessible and fitting, acts by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS, Enter, be, clean, fits
from tests.browser.running import Running, serving
from tests.browser.sending import S01, of, send, unchecked, unknown_unit

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway that was sent orders with codes it does not know, and orders that wait for a check."""
    with serving(tmp_path_factory.mktemp("office") / "data") as running:
        for number in range(3):
            assert b"MSA|CA" in send(running, unknown_unit(8001 + number))
        send(running, unknown_unit(8010, code="PFY1", words="<script>alert(1)</script>\u202epen " + "very long " * 20))
        send(
            running,
            of("RBA", 8020, S01.replace(b"3318611000001103^pre-filled disposable injection^SCT", b"9999^x^SCT")),
        )
        send(running, unchecked(9001))
        send(running, unchecked(9002, S01.replace(b"\rOBX|", b"\rNTE|1||x\rOBX|").replace(b"|4|3318", b"|5|3318")))
        yield running


def be_at(page: Page, trust: str, who: str) -> None:
    """Become somebody of one trust, where every trust has one of that name."""
    page.goto(page.url.partition("/console")[0] + "/console/role")
    page.get_by_role("group", name=trust).get_by_label(who).check()
    page.get_by_role("button", name="Go on in this role").click()


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


@pytest.mark.parametrize(
    ("path", "heading", "words"),
    [
        ("/console/held-codes", "Held codes", "No code is held"),
        ("/console/screening", "Waiting for a pharmacist's check", "Nothing waits for a check"),
    ],
)
def test_an_empty_list_proves_that_it_looked(empty: Running, enter: Enter, path: str, heading: str, words: str) -> None:
    page = enter(empty)
    look(page, empty.address + path, heading=heading)
    expect(page.get_by_role("main")).to_contain_text(words)


@pytest.mark.parametrize("path", ["/console/held-codes", "/console/screening"])
def test_who_may_not_sees_what_nobody_would_see(empty: Running, enter: Enter, path: str) -> None:
    page = enter(empty, who="Terry Technician")
    look(page, empty.address + path, heading="", status=404)


def test_two_people_give_a_code_its_meaning_by_keyboard_and_without_script(office: Running, enter: Enter) -> None:
    page = enter(office, who="Perry Pharmacist, Homecare pharmacist", script=False)
    page.goto(f"{office.address}/console/held-codes")
    page.get_by_role("link", name="pre-filled syringe").press("Enter")
    page.get_by_label("Search the table of units").press_sequentially("pre-filled disposable")
    page.get_by_role("button", name="Search").last.press("Enter")
    expect(page.locator("input[name=target]:checked")).to_have_count(0)
    page.get_by_role("button", name="Propose this meaning").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Choose what the code means")
    page.get_by_role("radio").first.press("Space")
    page.get_by_label("How you know").press_sequentially("The label of our formulary.")
    page.get_by_role("button", name="Propose this meaning").press("Enter")
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("a second person has to look at it")
    code = page.url
    be(page, "Morgan Approver, Map approver")
    page.goto(f"{code}/approve")
    expect(page.get_by_role("main")).to_contain_text(
        "The unit of an amount is not one that is safe to read (UNIT_UNMAPPED)."
    )
    page.get_by_label("I have compared what was sent").press("Space")
    page.get_by_role("button", name="Approve this meaning").press("Enter")
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("Approved as entry v")
    for _ in range(40):
        if "Read again and let go" in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(250)
        page.goto(code)
    expect(page.get_by_role("main")).to_contain_text("Read again and let go")


def test_every_state_of_a_code_is_accessible_and_fits(office: Running, enter: Enter) -> None:
    page = enter(office, who="Noor Approver, Map approver")
    look(page, f"{office.address}/console/held-codes", heading="Held codes")
    addresses = page.locator("table.hc-list th a").evaluate_all("all => all.map((one) => one.href)")
    for address in addresses:
        look(page, address, heading="code that is not known")
        look(page, f"{address}?words=pre", heading="code that is not known")
        look(page, f"{address}?words=nosuchunit", heading="code that is not known")
        look(page, f"{address}/approve", heading="Approve a meaning")
    assert page.evaluate("document.querySelectorAll('main script').length") == 0


def test_the_check_lays_everything_out_and_passes_by_keyboard(office: Running, enter: Enter) -> None:
    page = enter(office)
    be_at(page, "Example Moor", "Perry Pharmacist")
    look(page, f"{office.address}/console/screening", heading="Waiting for a pharmacist's check")
    page.get_by_role("link", name="Check").first.press("Enter")
    look(page, page.url, heading="Pharmacist's check")
    for words in ("Inject 10mg ONCE a WEEK on a Monday", "Allergy to penicillin", "72.5", "added up"):
        expect(page.get_by_role("main")).to_contain_text(words)
    page.get_by_role("button", name="Record my decision").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Choose whether it passes")
    clean(page)
    page.get_by_label("It passes").press("Space")
    page.get_by_label("What you checked").press_sequentially("Dose and weight.")
    page.get_by_role("button", name="Record my decision").press("Enter")
    expect(page.locator(".nhsuk-notification-banner")).to_contain_text("passed the check")


def test_no_letter_pressed_by_itself_passes_an_order(office: Running, enter: Enter) -> None:
    page = enter(office)
    be_at(page, "Example Moor", "Perry Pharmacist")
    page.goto(f"{office.address}/console/screening")
    page.get_by_role("link", name="Check").first.click()
    address = page.url
    for key in "pPyYsSaA ":
        page.keyboard.press(key)
    expect(page).to_have_url(address)
    page.reload()
    expect(page.get_by_role("button", name="Record my decision")).to_be_visible()
