"""The figures of the service over a real store: what they come to, what they leave out, and whom they are shown to."""

import csv
import html
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.roles import Role
from gateway.console.board.provider_book import ProviderBook
from gateway.console.figures.performance_figures import RECENT, Acceptance, Period, intake, months, percent, period_of
from gateway.console.figures.performance_shown import LISTS
from gateway.destination import Taken
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.service_figures import Measure
from gateway.domain.spread import Share, Spread
from gateway.ports.board import Figure
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    make_acceptance,
    make_order,
    make_prescription,
    make_refusal,
)
from tests.unit.console.looking import Looking, looking
from tests.unit.console.test_providers import BOOK, NEXT, OTHER, count, read

TODAY = date(2026, 10, 5)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path, {ProviderBook: BOOK}) as one:
        yield one


async def send(console: Looking, name: str, *, tenant: OdsCode = TRUST, to: OdsCode = PROVIDER) -> Any:
    order = make_order(make_prescription(name), provider=to)
    await console.exchange.store.accept(make_acceptance(name, order, tenant=tenant))
    claim = await console.exchange.send(to)
    await console.exchange.store.record(claim, Taken(), now=console.clock.now(), retry_at=None)
    return claim.message_id


async def wait(console: Looking, **by: float) -> None:
    console.clock.move(**by)
    await console.get(console.sessions.link())


async def month(console: Looking) -> None:
    """Live through a day: of seven sent, four are accepted in time, one late, one is rejected, and one waits."""
    messages = [await send(console, name) for name in "ABCDEFG"]
    console.clock.move(minutes=9)
    for number in range(4):
        await console.exchange.answer(messages[number], LineEvent.ACCEPTED, id=str(number))
    await console.exchange.answer(messages[4], LineEvent.REJECTED)
    await console.exchange.store.accept(make_refusal("R"))
    await wait(console, hours=25)
    await console.exchange.answer(messages[5], LineEvent.ACCEPTED)
    await count(console)


@pytest.mark.parametrize(
    "key", ["", "2026-13", "2026-1", "2026-00", "1999-12", "20266-01", "2026-10-01", "x", "2026-11"]
)
def test_what_is_no_month_or_has_not_begun_is_no_period(key: str) -> None:
    assert period_of(key, TODAY) is None


def test_a_month_under_way_ends_today_and_says_so() -> None:
    assert period_of("2026-10", TODAY) == Period(key="2026-10", first=date(2026, 10, 1), last=TODAY, under_way=True)
    assert period_of("2026-09", TODAY) == Period(
        key="2026-09", first=date(2026, 9, 1), last=date(2026, 9, 30), under_way=False
    )
    assert period_of("2026-10", date(2026, 10, 31)).under_way  # type: ignore[union-attr]
    recent = period_of(RECENT, TODAY)
    assert recent is not None
    assert len(recent.days) == 30


def test_the_months_are_those_there_are_figures_of() -> None:
    assert months(date(2026, 8, 31), TODAY) == ["2026-10", "2026-09", "2026-08"]
    assert months(None, TODAY) == []
    assert len(months(date(2001, 1, 1), TODAY)) == 24


@pytest.mark.parametrize(
    ("numerator", "denominator", "words"),
    [
        (1204, 1240, "97.1 %"),
        (9999, 10000, "99.9 %"),
        (1, 10000, "0.1 %"),
        (0, 9, "0.0 %"),
        (9, 9, "100.0 %"),
        (0, 0, "None to count"),
    ],
)
def test_a_share_never_says_all_or_none_where_it_is_not(numerator: int, denominator: int, words: str) -> None:
    assert percent(Share(numerator=numerator, denominator=denominator)) == words


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_nothing_undecided_is_ever_a_success(in_time: int, late: int, rejected: int, waiting: int) -> None:
    sent = in_time + late + rejected + waiting
    found = Acceptance(
        sent=sent,
        took=Spread({60: in_time, 90000: late}),
        in_time=in_time,
        rejected=rejected,
        excluded=dict.fromkeys((Measure.CANCELLED,), 0),
    )
    assert found.not_reported == waiting
    assert found.raw == found.adjusted == Share(numerator=in_time, denominator=sent)
    assert sum(many for _, many in found.bands) == in_time + late


async def test_before_anything_was_sent_no_share_is_given(console: Looking) -> None:
    await count(console)
    page = read(await console.get("/console/performance"))
    assert "No item was sent to a provider in these days." in page
    assert "%" not in page.partition("How this is worked out")[2].partition("How this is worked out")[0]
    assert "nothing has been counted yet" in page


async def test_raw_and_adjusted_stand_side_by_side_with_what_they_are_of(console: Looking) -> None:
    await month(console)
    page = await console.get("/console/performance/2026-10")
    words = read(page)
    assert "Raw 57.1 % of 7 items sent." in words
    assert "Adjusted 57.1 %" in words
    assert "Not reported 1 item without a decision" in words
    assert "Completeness 85.7 %" in words
    assert "What became of it Accepted in time Items 4" in words
    assert "Accepted after the limit Items 1" in words
    assert "Of them refused at the door, with what is wrong Number 1" in words
    assert "Submitted: items and orders that could be read Number 8" in words
    assert "It took 10 minutes or less Items accepted 4" in words
    assert "These days are still under way." in words
    assert 'title id="became-title">57.1 % of 7 items sent were accepted in time (October 2026)' in page
    assert "Raw: 4 accepted in time, of 7 sent = 57.1 %." in words


async def test_every_number_that_is_not_a_success_opens_its_list(console: Looking) -> None:
    await month(console)
    page = await console.get("/console/performance/2026-10")
    places = re.findall(r'href="(/console/performance/2026-10/[a-z]+)"', page)
    assert places == [f"/console/performance/2026-10/{one}" for one in ("late", "rejected", "undecided")]
    for place, stands in zip(
        places, ("Accepted after the limit", "Rejected or returned", "No decision yet"), strict=True
    ):
        found = await console.get(place)
        assert "1 item, those sent first on top" in read(found)
        assert f"What became of it {stands}" in read(found)
        (link,) = re.findall(r'href="(/console/prescriptions/[0-9a-f-]{36})"', found)
        assert "Methotrexate" in await console.get(link)
    assert "There is none in these days." in read(await console.get("/console/performance/2026-10/moved"))
    (row,) = csv.DictReader(io.StringIO(await console.get("/console/performance/2026-10/rejected.csv")))
    assert (row["Provider"], row["What became of it"], row["Trust"]) == ("VNE51", "Rejected or returned", "RBA")
    await console.get("/console/performance/2026-10/nothing", status=404)
    await console.get("/console/performance/2026-10/nothing.csv", status=404)
    await console.get("/console/performance/2026-11/late", status=404)


async def test_every_list_of_every_month_has_a_title_of_its_own(console: Looking) -> None:
    await month(console)
    titles = [
        re.findall(r"<title>(.*?)</title>", await console.get(f"/console/performance/{when}/{outcome}"), re.DOTALL)[0]
        for when in (RECENT, "2026-10")
        for outcome in LISTS
    ]
    assert len(set(titles)) == len(titles) == 2 * len(LISTS)


async def test_a_file_says_the_same_numbers_as_the_page(console: Looking) -> None:
    await month(console)
    rows = list(csv.DictReader(io.StringIO(await console.get("/console/performance/2026-10.csv"))))
    whole = {row["measure"]: row for row in rows if not row["provider"] and not row["day"]}
    raw = whole["accepted_in_time_raw"]
    assert (raw["numerator"], raw["denominator"], raw["percent"]) == ("4", "7", "57.14")
    assert whole["not_reported"]["numerator"] == "1"
    assert whole["refused"]["numerator"] == "1"
    assert {row["period_complete"] for row in rows} == {"false"}
    document = json.loads(await console.get("/console/performance/2026-10.json"))
    assert len(document["observations"]) == len(rows)
    assert document["status"] == "experimental"
    again = json.loads(await console.get("/console/performance/2026-10.json"))
    assert again["digest"] == document["digest"]
    for row, one in zip(rows, document["observations"], strict=True):
        assert (row["measure"], row["day"], row["provider"]) == (
            one["measure"],
            one["day"] or "",
            one["provider"] or "",
        )
        assert int(row["numerator"]) == one["numerator"]
        assert row["denominator"] == ("" if one["denominator"] is None else str(one["denominator"]))
    assert await console.get("/console/performance.csv")
    assert json.loads(await console.get("/console/performance.json"))["period"]["last"] == "2026-10-06"


async def test_a_day_on_which_nothing_was_sent_is_no_zero(console: Looking) -> None:
    await send(console, "A")
    await wait(console, days=2)
    await send(console, "B")
    await count(console)
    page = await console.get("/console/performance/2026-10")
    assert page.count("<polyline") == 0
    assert page.count('class="hc-chart__dot"') >= 2
    words = read(page)
    assert "5 Oct 2026 Sent 1" in words
    assert "6 Oct 2026 Sent" not in words
    assert "On 5 days nothing was sent; they are not shown as zero." in words


async def test_each_sees_its_own_figures(console: Looking) -> None:
    await send(console, "A")
    await send(console, "B", tenant=OTHER, to=NEXT)
    await count(console)
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    page = await console.get("/console/performance")
    assert "VNCEL" not in page
    assert "of 1 item sent" in read(page)
    assert "RZA" not in await console.get("/console/performance/recent/undecided")
    console.be(Role.PROVIDER_OPERATOR, NEXT)
    page = await console.get("/console/performance")
    assert "VNE51" not in page
    assert "of 1 item sent" in read(page)
    assert "What came in" not in read(page)
    assert "submitted" not in await console.get("/console/performance.csv")
    console.be(Role.CHIEF_PHARMACIST, OTHER)
    assert "of 1 item sent" in read(await console.get("/console/performance"))


async def test_who_sees_no_patients_is_given_numbers_and_no_lists(console: Looking) -> None:
    await send(console, "A")
    await count(console)
    console.be(Role.ANALYST, None)
    page = await console.get("/console/performance")
    assert "of 1 item sent" in read(page)
    assert "/undecided" not in page
    await console.get("/console/performance/recent/undecided", status=404)
    await console.get("/console/performance/recent/undecided.csv", status=404)


@pytest.mark.parametrize("role", [Role.PRESCRIBER, Role.INTEGRATION_ENGINEER, Role.AUDITOR])
async def test_who_may_not_see_the_figures_finds_nothing_there(console: Looking, role: Role) -> None:
    console.be(role, TRUST if role is Role.PRESCRIBER else None)
    nothing = read(await console.get("/console/nothing", status=404))
    for path in ("", ".csv", ".json", "/2026-10", "/2026-10.csv", "/2026-10/late"):
        assert read(await console.get(f"/console/performance{path}", status=404)) == nothing


async def test_more_than_a_page_holds_is_never_shown_as_if_it_were_all(
    console: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ABC":
        await send(console, name)
    await count(console)
    monkeypatch.setattr("gateway.console.figures.performance.MOST_LISTED", 2)
    monkeypatch.setattr("gateway.console.figures.performance.MOST_IN_FILE", 2)
    await console.get("/console/performance/recent/undecided.csv", status=404)
    page = read(await console.get("/console/performance/recent/undecided"))
    assert "There are more. The 2 that were sent first are shown" in page
    assert "2 items, those sent first on top" in page


async def test_what_is_old_and_a_store_that_is_away_are_said(console: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    await count(console)
    console.clock.move(seconds=61)
    assert "What came since is missing from them." in read(await console.get("/console/performance"))

    async def away(*_: object, **__: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(console.exchange.enquiries, "figures", away)
    assert "cannot read its records now" in read(await console.get("/console/performance", status=503))


async def test_every_view_and_every_file_leaves_its_leaf(console: Looking) -> None:
    for path in ("", ".csv", "/2026-10.json", "/2026-10/late"):
        await console.get(f"/console/performance{path}")
    found = "".join(console.leaves())
    for words in ("performance recent", "performance 2026-10", "performance 2026-10 late", "console download"):
        assert words in found


async def test_a_medicine_s_name_is_text(console: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "<script>alert(1)</script>\u202e"
    await send(console, "A")
    await count(console)
    real = console.exchange.enquiries.items

    async def items(*arguments: Any, **named: Any) -> Any:
        return tuple(replace(one, medicine=bad) for one in await real(*arguments, **named))

    monkeypatch.setattr(console.exchange.enquiries, "items", items)
    page = await console.get("/console/performance/recent/undecided")
    assert f"<bdi>{html.escape(bad)}</bdi>" in page


def test_what_came_in_is_counted_whatever_else_stands_without_a_provider() -> None:
    measures = ("taken", "given", "refused", "reason:rejected:X", "accepted")
    found = intake(
        Figure(day=TODAY, provider=None, measure=measure, urgent=urgent, spread=Spread({0: 2}))
        for measure in measures
        for urgent in (False, True)
    )
    assert (found.taken, found.given, found.refused, found.submitted, found.not_sent_yet) == (4, 4, 4, 8, 0)


def test_a_period_names_itself() -> None:
    assert Period(key="2026-09", first=TODAY - timedelta(days=40), last=TODAY, under_way=False).words == "August 2026"
