"""The strip and live updates in a real browser: what it says, when it stops saying it, and that nothing moves."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS, Enter, clean, fits
from tests.browser.running import Running, serving

LIVE = re.compile(r"Live\. Up to date at \d\d:\d\d:\d\d\.")
STOPPED = re.compile(r"Updates stopped at \d\d:\d\d\. What you see may be out of date\.")


def strip(page: Page) -> str:
    return page.locator("[data-strip-words]").inner_text()


def is_live(page: Page) -> None:
    expect(page.locator("[data-strip-words]")).to_have_text(LIVE, timeout=20_000)


@pytest.mark.parametrize("width", WIDTHS)
def test_live_is_written_once_a_beat_came_and_the_strip_is_accessible(empty: Running, enter: Enter, width: int) -> None:
    page = enter(empty, width=width)
    is_live(page)
    expect(page.get_by_role("button", name="Pause updates")).to_be_visible()
    clean(page)
    fits(page)


def test_nothing_is_live_while_the_watch_does_not_run(unwatched: Running, enter: Enter) -> None:
    page = enter(unwatched)
    page.wait_for_timeout(3000)
    assert strip(page).startswith("As of ")


@pytest.mark.parametrize("width", WIDTHS)
def test_updates_that_stopped_are_said_to_have_stopped(tmp_path: Path, enter: Enter, width: int) -> None:
    with serving(tmp_path / "data") as gateway:
        page = enter(gateway, width=width)
        page.clock.install()
        page.goto(f"{gateway.address}/console/")
        is_live(page)
        here = page.locator("h1").inner_text()
    page.clock.run_for(46_000)
    expect(page.locator("[data-strip-words]")).to_have_text(STOPPED)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert page.locator("h1").inner_text() == here  # what was shown stays
    clean(page)
    fits(page)


def test_a_pause_is_remembered_and_ended_by_the_person_alone(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    is_live(page)
    page.get_by_role("button", name="Pause updates").click()
    expect(page.locator("[data-strip-words]")).to_have_text(re.compile(r"Updates are paused\. What you see is as of "))
    page.reload()
    expect(page.locator("[data-strip-words]")).to_have_text(re.compile(r"Updates are paused\."))
    clean(page)
    page.get_by_role("button", name="Go on with updates").click()
    is_live(page)


def test_without_script_there_is_the_time_and_a_link(empty: Running, enter: Enter) -> None:
    page = enter(empty, script=False)
    assert strip(page).startswith("As of ")
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_two_minutes_before_the_end_there_is_a_warning_and_a_way_to_go_on(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    page.evaluate("document.querySelector('[data-strip]').dataset.left")
    page.route("**/console/events**", lambda route: route.abort())
    page.clock.install()
    page.goto(f"{empty.address}/console/")
    warning = page.get_by_text("You will be signed out in less than 2 minutes.")
    expect(warning).to_be_hidden()
    page.clock.fast_forward("58:30")
    expect(warning).to_be_visible()
    clean(page)
    with page.expect_response(re.compile(r"/console/stay$")) as answered:
        page.get_by_role("button", name="Stay signed in").click()
    assert answered.value.status == 204
    expect(warning).to_be_hidden()


def test_somebody_who_signed_out_elsewhere_is_told(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    is_live(page)
    other = page.context.new_page()
    other.goto(f"{empty.address}/console/")
    other.get_by_role("button", name="Sign out").click()
    told = page.locator("[data-strip-words]")  # the session of a stream is asked every five seconds
    expect(told).to_have_text(re.compile(r"You are signed out\."), timeout=15_000)


def test_tabs_of_one_browser_share_one_stream(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    is_live(page)
    streams: list[str] = []
    page.context.on("request", lambda asked: streams.append(asked.url) if "/console/events" in asked.url else None)
    page.goto(f"{empty.address}/console/")
    is_live(page)
    tabs = [page.context.new_page() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{empty.address}/console/")
        is_live(tab)
    assert len(streams) == 1
    page.close()
    for _ in range(100):
        tabs[0].wait_for_timeout(100)
        if len(streams) > 1:
            break
    assert len(streams) == 2  # another tab took over


def test_what_comes_waits_behind_show_and_nothing_moves(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/")
    rows = page.locator("[data-live-list] [data-live-row]")
    news = page.locator("[data-live-news]:not([hidden])").first
    before = [row.get_attribute("data-live-row") for row in rows.all()]
    expect(news).to_be_visible(timeout=90_000)
    expect(news).to_have_text(re.compile(r"(\d+ new)?(, )?(\d+ resolved)?\. Show"))
    after = [row.get_attribute("data-live-row") for row in rows.all()]
    assert after == before
    clean(page)
    news.get_by_role("button", name="Show").click()
    page.wait_for_function(  # the parties go on, so that other rows may wait by then
        """before => JSON.stringify([...document.querySelectorAll('[data-live-list] [data-live-row]')].map(
            (row) => row.dataset.liveRow)) !== JSON.stringify(before)""",
        arg=before,
    )


def test_the_fetch_of_an_open_page_leads_to_no_other_host_and_stores_nothing_of_a_patient(
    demo: Running, enter: Enter
) -> None:
    page = enter(demo)
    hosts: set[str] = set()
    page.on("request", lambda asked: hosts.add(asked.url.partition("/console/")[0]))
    page.goto(f"{demo.address}/console/")
    is_live(page)
    page.get_by_role("button", name="Pause updates").click()
    assert hosts == {demo.address}
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert stored == '[{"hc-paused":"yes"},{}]'


def test_a_prescription_s_page_is_renewed_in_place_and_reads_out_what_came(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/")
    is_live(page)
    address = page.locator("a[href^='/console/prescriptions/']").first.get_attribute("href") or ""
    page.goto(demo.address + address.partition("#")[0])
    is_live(page)
    subject = page.locator("[data-live-subject]").get_attribute("data-live-subject")
    page.evaluate("document.querySelector('[data-live-part=state]').textContent = 'an older state'")
    page.evaluate("document.querySelector('[data-live-entries] [data-live-entry]').remove()")
    entries = page.locator("[data-live-entries] [data-live-entry]")
    before = entries.count()
    page.evaluate(
        """id => new BroadcastChannel('hc-live').postMessage(
            {name: 'moved', id: '', data: {id, version: 1, kind: 'event'}})""",
        subject,
    )
    expect(page.locator("[data-live-part=state]").first).not_to_have_text("an older state")
    expect(entries).to_have_count(before + 1)
    expect(page.locator("[data-strip-said]")).not_to_be_empty()
    assert page.locator("[data-strip-said]").get_attribute("role") == "status"
    clean(page)


def test_what_the_person_has_open_or_holds_stays_as_it_is(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/")
    is_live(page)
    with page.expect_response(lambda answer: "x-live" in answer.request.headers, timeout=30_000):
        page.evaluate(
            """() => {
                const part = document.querySelector('[data-live-row] [data-live-part]');
                part.tabIndex = 0; part.textContent = 'what I read'; part.focus();
                new BroadcastChannel('hc-live').postMessage({name: 'reset', id: '', data: {}});
            }"""
        )
    page.wait_for_timeout(500)
    assert page.locator("[data-live-row] [data-live-part]").first.inner_text() == "what I read"


RENEW = "new BroadcastChannel('hc-live').postMessage({name: 'reset', id: '', data: {}})"


@pytest.mark.parametrize("kept", ["messages", "held-codes", "screening", "waiting"])
def test_a_list_that_stays_open_marks_what_moved_and_keeps_new_rows_waiting(
    demo: Running, enter: Enter, kept: str
) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/{kept}")
    is_live(page)
    here = page.locator(f"[data-live-list='{kept}']")
    expect(here).to_have_count(1)
    if here.locator("[data-live-row]").count() == 0:
        with page.expect_response(lambda answer: "x-live" in answer.request.headers, timeout=30_000) as renewed:
            page.evaluate(RENEW)
        assert renewed.value.ok
        return
    page.evaluate(
        """() => {
            document.querySelector('[data-live-row]').remove();
            const part = document.querySelector('[data-live-row] [data-live-part]');
            if (part) part.textContent = 'as it was before';
        }"""
    )
    page.evaluate(RENEW)
    news = page.locator("[data-live-news]:not([hidden])")
    expect(news).to_have_text(re.compile(r"\d+ new.*\. Show"), timeout=30_000)
    expect(page.get_by_text("as it was before")).to_have_count(0)
    clean(page)
    rows = here.locator("[data-live-row]").count()
    news.get_by_role("button", name="Show").click()
    page.wait_for_function(
        "least => document.querySelectorAll('[data-live-list] [data-live-row]').length > least", arg=rows
    )
    clean(page)


def test_the_board_is_counted_anew_in_place(demo: Running, enter: Enter) -> None:
    page = enter(demo)
    page.goto(f"{demo.address}/console/providers")
    is_live(page)
    page.evaluate("document.querySelector('[data-live-part=waiting]').textContent = 'as it was before'")
    page.evaluate(RENEW)
    expect(page.get_by_text("as it was before")).to_have_count(0, timeout=30_000)
    page.get_by_role("table").first.get_by_role("link").first.click()
    is_live(page)
    page.evaluate("document.querySelector('[data-live-part=now]').textContent = 'as it was before'")
    page.evaluate(RENEW)
    expect(page.get_by_text("as it was before")).to_have_count(0, timeout=30_000)


def test_a_page_that_does_not_renew_itself_never_calls_itself_live(empty: Running, enter: Enter) -> None:
    page = enter(empty)
    page.goto(f"{empty.address}/console/settings")
    still = re.compile(r"As of \d\d:\d\d:\d\d, London time\. This page does not renew itself\.")
    expect(page.locator("[data-strip-words]")).to_have_text(still, timeout=20_000)
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    expect(page.locator("[data-strip-pause]")).to_be_hidden()
    clean(page)
