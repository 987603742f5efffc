"""What people meet when it goes wrong under their hands: nothing typed is lost, nothing is said that is not known."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import apsw
import pytest
from playwright.sync_api import Page, expect

from bench.backlog_rows import Bulk, fill
from tests.browser.conftest import Enter, looks_right
from tests.browser.listening import listening
from tests.browser.running import Running, serving
from tests.browser.sending import S01, of, send, unknown_unit
from tests.browser.ways import be_at, reroute
from tests.postgres import Server

pytestmark = pytest.mark.timeout(600)

TYPED: Final = "Treatment was stopped by the clinic on the ward round, and the family knows."
PERRY: Final = ("Example Trust", "Perry Pharmacist")
ROBIN: Final = ("Example Trust", "Robin Pharmacist")
TURNED: Final = "<script>alert(1)</script>\u202eTNEITAP\u2066 O\u0301BRIEN"
MANY: Final = 5_000
PATIENT: Final = "9990000077"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway with orders to a provider that rejects them, and to others that cannot be reached."""
    folder = tmp_path_factory.mktemp("unhappy")
    with (
        listening(folder / "config", rejects=True) as config,
        serving(folder / "data", "--config", str(config)) as running,
    ):
        send(running, unknown_unit(7201))  # nothing but a person moves it
        for number in range(7211, 7214):
            send(running, to_sandbox(number))
        yield running


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a gateway that has five thousand prescriptions of one patient."""
    data = tmp_path_factory.mktemp("crowd") / "data"
    with serving(data) as running:
        send(running, of("RBA", 7401))
    now = datetime.now(UTC)
    bulk = Bulk(rows=MANY, began=now - timedelta(days=300), until=now, open_every=MANY + 1, leaves=False, guarded=False)
    fill(data / "gateway.db", bulk, _of_one_patient)
    with serving(data) as running:
        yield running


def _of_one_patient(connection: apsw.Connection, _: Bulk) -> None:
    connection.execute("UPDATE prescription SET tenant = 'RBA', nhs_number = ?", (PATIENT,))
    connection.execute("UPDATE submission SET tenant = 'RBA'")
    connection.execute("UPDATE line SET tenant = 'RBA', holder = 'nobody'")


def to_sandbox(number: int, body: bytes = S01) -> bytes:
    """Give an order for the provider that listens."""
    return of("RBA", number, body).replace(b"|VNE51^Example Homecare Ltd^ODS|", b"|VDEM3^Sandbox^ODS|")


def found(page: Page, gateway: Running, number: str) -> str:
    """Search for an order, and give the address of its page."""
    seek(page, gateway, number)
    page.locator("main a[href*='/console/prescriptions/']").first.click()
    page.wait_for_url(re.compile(r"/console/prescriptions/[0-9a-f-]{36}"))
    return page.url.partition("?")[0]


def seek(page: Page, gateway: Running, number: str) -> None:
    page.goto(f"{gateway.address}/console/search")
    page.get_by_role("search").get_by_role("textbox").fill(number)
    page.get_by_role("search").get_by_role("button").click()
    page.wait_for_url("**/console/results/*")


def press(page: Page) -> None:
    """Press the button of the form that does it."""
    page.locator("main form[method=post] button.nhsuk-button:not(.nhsuk-button--secondary)").last.click()


def type_a_cancel(page: Page, address: str) -> None:
    page.goto(f"{address}/cancel")
    page.locator("input[name='code']").first.check()
    page.locator("textarea[name='reason']").fill(TYPED)


def still_typed(page: Page) -> None:
    expect(page.locator("textarea[name='reason']")).to_have_value(TYPED)
    expect(page.locator("input[name='code']").first).to_be_checked()


def let_two_hours_pass(gateway: Running, name: str) -> None:
    """Set back the session of a person, who has been away for longer than one may rest."""
    earlier = timedelta(hours=2) // timedelta(microseconds=1)
    with closing(sqlite3.connect(gateway.data / "gateway.db", timeout=30)) as file, file:
        rows = file.execute("SELECT * FROM console_session WHERE name = ? AND ended_at IS NULL", (name,)).fetchall()
        assert rows
        file.execute("DELETE FROM console_session WHERE name = ? AND ended_at IS NULL", (name,))
        for digest, whose, who, opened, seen, *more in rows:
            file.execute(
                f"INSERT INTO console_session VALUES ({', '.join('?' * (5 + len(more)))})",  # noqa: S608 - marks
                (digest, whose, who, opened - earlier, seen - earlier, *more),
            )


def test_a_session_that_ends_in_the_middle_of_an_act_keeps_what_was_typed(office: Running, enter: Enter) -> None:
    page = enter(office)
    be_at(page, *PERRY)
    address = found(page, office, "RX7201")
    type_a_cancel(page, address)
    let_two_hours_pass(office, "perry.rba")
    press(page)
    expect(page.get_by_role("main")).to_contain_text("Nothing was done with what you just sent")
    looks_right(page)
    page.goto(office.link())
    be_at(page, *PERRY)
    page.goto(f"{address}/cancel")
    still_typed(page)
    looks_right(page)
    press(page)
    expect(page.get_by_role("main")).to_contain_text("Cancelled, and confirmed")


def test_an_act_while_the_records_are_away_says_what_is_known_and_keeps_what_was_typed(
    away: tuple[Running, Server], enter: Enter
) -> None:
    running, server = away
    send(running, of("RBA", 7301))
    page = enter(running)
    be_at(page, *PERRY)
    address = found(page, running, "RX7301")
    type_a_cancel(page, address)
    server.stop()
    try:
        press(page)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        looks_right(page)
        said = page.get_by_role("main").inner_text()
        assert "Nothing was done with what you just sent." in said
        assert TYPED in said
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_role("main")).to_contain_text(TYPED)
    finally:
        server.start()
    for _ in range(30):
        again = page.get_by_role("button", name="Send it again")
        again.click() if again.count() else press(page)
        page.wait_for_load_state()
        said = page.get_by_role("main").inner_text()
        if "Cancelled, and confirmed" in said:
            return
        assert TYPED in said or page.locator("textarea[name='reason']").input_value() == TYPED
        page.wait_for_timeout(1000)
    raise AssertionError(said)


def test_of_two_people_on_one_item_the_second_is_told_and_keeps_what_was_typed(office: Running, enter: Enter) -> None:
    first, second = enter(office), enter(office)
    be_at(first, *PERRY)
    be_at(second, *ROBIN)
    item = an_item(first, office)
    for page in (first, second):
        page.goto(f"{office.address}{item}/close")
        page.get_by_label("What was done about it?").fill(f"{TYPED} {'Perry' if page is first else 'Robin'}")
    first.get_by_role("button", name="Close this row").click()
    expect(first.locator(".nhsuk-notification-banner")).to_contain_text("Closed, with your reason.")
    second.get_by_role("button", name="Close this row").click()
    main = second.get_by_role("main")
    expect(main).to_contain_text("somebody has closed it meanwhile")
    expect(main).to_contain_text("Nothing was done")
    expect(main).to_contain_text(f"{TYPED} Robin")
    looks_right(second)


def an_item(page: Page, gateway: Running) -> str:
    """Give the address of an item that is about an order of these tests."""
    for _ in range(60):
        page.goto(f"{gateway.address}/console/?reason=rejected")
        items = page.locator("ol.hc-work > li h2")
        if items.count():
            return f"/console/work/{(items.last.get_attribute('id') or '').removeprefix('alert-')}"
        page.wait_for_timeout(1000)
    raise AssertionError("no order was rejected")


def test_a_provider_s_person_sees_its_own_time_alone_after_it_has_ended(office: Running, enter: Enter) -> None:
    page = enter(office)
    be_at(page, *PERRY)
    address = found(page, office, "RX7212")
    for _ in range(60):
        page.goto(address)
        if "Not on our list." in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(1000)
    page.goto(f"{address}/reroute")
    reroute(page, "They close on Friday.", to="VNE51")
    theirs = enter(office)
    be_at(theirs, "Sandbox", "Val Pharmacist")
    found(theirs, office, "RX7212")
    main = theirs.get_by_role("main")
    expect(main).to_contain_text("Not on our list.")
    for word in ("Example Homecare", "VNE51", "They close on Friday.", "Perry Pharmacist"):
        expect(main).not_to_contain_text(word)
    assert theirs.get_by_role("link", name=re.compile("^(Cancel|Hold|Re-route)")).count() == 0
    looks_right(theirs)


def test_five_thousand_hits_are_not_shown_as_if_they_were_a_hundred(crowd: Running, enter: Enter) -> None:
    page = enter(crowd)
    be_at(page, *PERRY)
    seek(page, crowd, PATIENT)
    expect(page.get_by_role("main")).to_contain_text("5,000 prescriptions were found. Only the newest 100 are listed")
    looks_right(page)


def test_marks_of_direction_and_script_in_a_name_stay_what_they_are(office: Running, enter: Enter) -> None:
    send(office, to_sandbox(7251, S01.replace(b"TESTPATIENT", TURNED.encode())))
    page = enter(office)
    be_at(page, *PERRY)
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    address = found(page, office, "RX7251")
    looks_right(page)
    for part in ("/cancel", "/pack"):
        page.goto(address + part)
        looks_right(page)
    page.goto(f"{office.address}/console/")
    looks_right(page)
    assert asked == []
    assert page.locator("main script").count() == 0


def test_updates_that_are_cut_off_and_come_back_are_live_again(tmp_path: Path, enter: Enter) -> None:
    with serving(tmp_path / "data") as gateway:
        page = enter(gateway)
        expect(page.locator("[data-strip-words]")).to_have_text(re.compile("^Live"), timeout=20_000)
        page.clock.install()
        page.goto(f"{gateway.address}/console/")
        expect(page.locator("[data-strip-words]")).to_have_text(re.compile("^Live"), timeout=20_000)
        page.context.set_offline(True)
        page.clock.run_for(46_000)
        expect(page.locator("[data-strip-words]")).to_have_text(re.compile("Updates stopped at"))
        looks_right(page)
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("[data-strip-words]")).to_have_text(re.compile("^Live"), timeout=20_000)
