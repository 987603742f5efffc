"""The provider board over a real store: what is said of each provider, to whom, and what can be done."""

import csv
import html
import io
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.access.roles import Role
from gateway.console.board.provider_book import ProviderBook
from gateway.console.board.provider_facts import facts
from gateway.destination import InDoubt, Promises, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent
from gateway.domain.partner import Environment, Provider
from gateway.domain.routing import RouteRow
from gateway.ports.outages import Outage
from tests.contract.store_engines import PROVIDER, TRUST, make_acceptance, make_order, make_prescription
from tests.doors import NAMES
from tests.unit.console.act_desk import audited
from tests.unit.console.looking import Looking, looking

OTHER = OdsCode("RZA")
NEXT = OdsCode("VNCEL")
EVIL = "<script>alert(1)</script>\u202eedoc"


def provider(ods: OdsCode, name: str, **more: Any) -> Provider:
    return Provider(
        ods=ods, name=name, environment=Environment.TEST, adapter="sandbox", endpoint="https://x.example", **more
    )


BOOK = ProviderBook(
    providers={
        PROVIDER: provider(PROVIDER, "Example Homecare Ltd", phone="01632 960101", recognises_repeats=True),
        NEXT: provider(NEXT, f"Backup {EVIL}", out_of_hours="01632 960109", active=False),
    },
    routes=(
        RouteRow(provider=PROVIDER, trust=TRUST),
        RouteRow(provider=PROVIDER, trust=OTHER, scheme="manufacturer"),
        RouteRow(provider=NEXT, product="24590211000001100"),
    ),
    promises={PROVIDER: Promises(answers_inline=True, holds=True)},
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path, {ProviderBook: BOOK}) as one:
        yield one


def read(page: str) -> str:
    """Give the words of a page, one space between them."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


async def take(console: Looking, name: str, *, tenant: OdsCode = TRUST, to: OdsCode = PROVIDER) -> None:
    order = make_order(make_prescription(name), provider=to)
    await console.exchange.store.accept(make_acceptance(name, order, tenant=tenant))


async def send(console: Looking, outcome: TransmitOutcome, to: OdsCode = PROVIDER) -> Any:
    claim = await console.exchange.send(to)
    retry = console.clock.now() + timedelta(minutes=1) if isinstance(outcome, TryLater) else None
    await console.exchange.store.record(claim, outcome, now=console.clock.now(), retry_at=retry)
    return claim.message_id


async def wait(console: Looking, **by: float) -> None:
    """Let time go by; whoever has not looked for long signs in again."""
    console.clock.move(**by)
    await console.get(console.sessions.link())


async def count(console: Looking) -> None:
    counted = await console.exchange.enquiries.to_count(limit=10_000)
    assert await console.exchange.store.keep_count(counted, now=console.clock.now())


async def test_before_anything_came_nothing_is_claimed(console: Looking) -> None:
    page = read(await console.get("/console/providers"))
    assert "The figures have not been counted yet." in page
    await count(console)
    page = read(await console.get("/console/providers"))
    assert "have not been counted" not in page
    assert page.count("Not known") == 3  # of two providers, and its rule
    assert page.count("No answers") == 4
    assert "None waits" in page


async def test_the_board_says_what_waits_and_how_fast_answers_come(console: Looking) -> None:
    for name in ("A", "B", "C"):
        await take(console, name)
    message = await send(console, Taken())
    await send(console, InDoubt(reason="time-out"))
    console.clock.move(minutes=4)
    await console.exchange.answer(message, LineEvent.ACCEPTED)
    await wait(console, minutes=19)
    await count(console)
    page = read(await console.get("/console/providers"))
    row = page.partition("Example Homecare Ltd")[2].partition("Backup")[0]
    assert "Now Working" in row
    assert "Waiting for an answer 1" in row
    assert "Still to be sent 1" in row
    assert "Oldest waits 23 min" in row
    assert "4 min / 4 min, of 1 answer" in row


async def mute(console: Looking) -> None:
    """Let a provider's system take three, answer none for five hours, and take one more."""
    for name in ("A", "B", "C"):
        await take(console, name)
        await send(console, Taken())
    await wait(console, hours=5)
    await take(console, "D")
    await send(console, Taken())
    await count(console)


async def test_who_takes_everything_and_answers_nothing_is_not_called_working(console: Looking) -> None:
    await mute(console)
    page = read(await console.get("/console/providers"))
    assert "Takes messages, answers none since 5 Oct 2026" in page
    assert "Now Working" not in page.partition("Example Homecare Ltd")[2].partition("Backup")[0]
    rule = "That its system takes a message is no answer; that it refuses one is,"
    assert rule in read(await console.get("/console/providers/VNE51"))


@pytest.mark.parametrize(
    "answer",
    [
        Refused(reason="HTTP 422"),
        Taken(
            acknowledgement=Acknowledgement(
                id="at-once", correlation=None, reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),)
            )
        ),
    ],
    ids=["a refusal", "an answer"],
)
async def test_who_answers_on_the_connection_it_was_sent_on_is_not_said_to_answer_none(
    console: Looking, answer: TransmitOutcome
) -> None:
    await mute(console)
    await take(console, "E")
    await send(console, answer)
    await count(console)
    assert "answers none since" not in read(await console.get("/console/providers"))


async def test_what_was_refused_before_the_oldest_that_waits_is_no_answer_to_it(console: Looking) -> None:
    await take(console, "E")
    await send(console, Refused(reason="HTTP 422"))
    await wait(console, minutes=1)
    await mute(console)
    assert "answers none since" in read(await console.get("/console/providers"))


async def test_silence_is_said_with_its_length_and_its_rule(console: Looking) -> None:
    for name in ("A", "B", "C"):
        await take(console, name)
        await send(console, InDoubt(reason="time-out"))
    await wait(console, hours=1, minutes=51)
    await count(console)
    assert "Not answering for 1 h 51 min" in read(await console.get("/console/providers"))
    page = read(await console.get("/console/providers/VNE51"))
    assert "Nothing was taken and nothing came back for 20 minutes or longer" in page
    assert "Of them, not known if they arrived 3" in page
    assert "Last heard from Never" in page


async def test_figures_that_are_old_say_so(console: Looking) -> None:
    await count(console)
    console.clock.move(seconds=61)
    assert "What came since is missing from them." in read(await console.get("/console/providers"))


async def test_a_provider_s_page_says_what_is_agreed_and_who_is_rung(console: Looking) -> None:
    await count(console)
    page = read(await console.get("/console/providers/VNE51"))
    assert "Telephone 01632 960101" in page
    assert "Out of hours Not stated in the configuration" in page
    assert "Contract version 1; sends application/fhir+json" in page
    assert "It is proven to recognise a message that it has had before." in page
    assert "It is not proven to refuse what has expired." in page
    assert "trust Example Trust (RBA)" in page
    assert "trust Example North (RZA), scheme manufacturer" in page
    assert "Certificate of its system Not known:" in page
    assert "No item was rejected in the 30 days" in page


async def test_rejections_are_shown_with_where_their_reason_lies(console: Looking) -> None:
    for name, event in (("A", LineEvent.REJECTED), ("B", LineEvent.REFUSED_FORMAT), ("C", LineEvent.REJECTED)):
        await take(console, name)
        await console.exchange.answer(await send(console, Taken()), event, id=name)
    await count(console)
    page = await console.get("/console/providers/VNE51")
    words = read(page)
    assert "Rejected, without a code Caused by Not stated Items 2" in words
    assert "Their system could not use the message, without a code Caused by Interface Items 1" in words
    assert '<title id="causes-title">Where the reasons lie: not stated for 2 of 3</title>' in page


async def test_transmissions_of_the_last_day_are_counted_and_older_ones_are_not(console: Looking) -> None:
    await take(console, "A")
    await send(console, TryLater(reason="503"))
    await wait(console, hours=25)
    await take(console, "B")
    await send(console, Taken())
    await count(console)
    page = read(await console.get("/console/providers/VNE51"))
    assert "What came of it Begun Attempts 1" in page
    assert "Taken by their system Attempts 1" in page
    assert "Not taken; tried again later Attempts 0" in page


async def test_a_trust_sees_its_own_numbers_and_the_same_word(console: Looking) -> None:
    for name in ("A", "B", "C"):
        await take(console, name, tenant=OTHER)
        await send(console, InDoubt(reason="time-out"))
    await take(console, "D")
    for _ in range(2):
        console.clock.move(minutes=14)
        await console.get("/console/help")
    await count(console)
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    page = read(await console.get("/console/providers"))
    row = page.partition("Example Homecare Ltd")[2].partition("Backup")[0]
    assert "Not answering for 28 min" in row
    assert "Waiting for an answer 0" in row
    assert "Still to be sent 1" in row
    assert "The numbers are of your own prescriptions" in page
    page = read(await console.get("/console/providers/VNE51"))
    assert "Example North" not in page
    assert "Begun Attempts 0" in page


async def test_a_provider_sees_itself_and_nobody_else(console: Looking) -> None:
    await take(console, "A")
    await take(console, "B", to=NEXT)
    await count(console)
    console.be(Role.PROVIDER_OPERATOR, NEXT)
    page = await console.get("/console/providers")
    assert "VNE51" not in page
    assert "VNCEL" in page
    foreign, none = (
        await console.get("/console/providers/VNE51", status=404),
        await console.get("/console/providers/VNXXX", status=404),
    )
    assert read(foreign) == read(none)


@pytest.mark.parametrize("role", [Role.PRESCRIBER, Role.AUDITOR, Role.ANALYST])
async def test_who_may_not_see_the_board_finds_nothing_there(console: Looking, role: Role) -> None:
    console.be(role, None if role is not Role.PRESCRIBER else TRUST)
    nothing = read(await console.get("/console/nothing", status=404))
    for path in ("/console/providers", "/console/providers/VNE51", "/console/providers.csv"):
        assert read(await console.get(path, status=404)) == nothing


async def test_a_name_that_would_be_a_program_is_text_and_does_not_turn_what_follows(console: Looking) -> None:
    for path in ("/console/providers", "/console/providers/VNCEL"):
        page = await console.get(path)
        assert "<script>alert" not in page
        assert f"<bdi>{html.escape('Backup ' + EVIL)}</bdi>" in page


async def test_every_view_leaves_its_leaf_first(console: Looking) -> None:
    await console.get("/console/providers")
    await console.get("/console/providers/VNE51")
    await console.get("/console/providers.csv")
    await console.get("/console/providers/VNE51/pause")
    found = "".join(console.leaves())
    for words in ("console view", "providers", "provider VNE51", "console download", "console pause page"):
        assert words in found


async def test_the_table_is_given_as_a_file(console: Looking) -> None:
    await count(console)
    rows = list(csv.DictReader(io.StringIO(await console.get("/console/providers.csv"))))
    assert [row["ODS code"] for row in rows] == ["VNCEL", "VNE51"]
    assert rows[1]["Now"] == "Not known"
    assert rows[1]["As of"] == console.clock.now().isoformat()


async def test_a_pause_says_what_it_does_wants_a_reason_and_is_done_once(console: Looking) -> None:
    page = read(await console.get("/console/providers/VNE51/pause"))
    assert "Nothing more is sent to it until somebody lets it go on." in page
    assert "Enter a reason" in read(await console.post("/console/providers/VNE51/pause", status=422, reason=" "))
    long = "x" * 501
    page = await console.post("/console/providers/VNE51/pause", status=422, reason=long)
    assert long in page
    assert await console.exchange.enquiries.pauses() == ()

    page = read(await console.post("/console/providers/VNE51/pause", reason="They are moving."))
    assert "Example Homecare Ltd is paused. Nothing is sent to it." in page
    assert "They are moving." in page
    (pause,) = await console.exchange.enquiries.pauses()
    assert (pause.destination, pause.kind, pause.reason) == (PROVIDER, "by operator", "They are moving.")
    assert "Paused by us" in read(await console.get("/console/providers"))

    page = read(await console.post("/console/providers/VNE51/pause", status=409, reason="Again."))
    assert "This changed meanwhile. Nothing was done." in page
    assert "Again." in page
    assert "They are moving." in page

    page = read(await console.post("/console/providers/VNE51/resume", reason="They have moved."))
    assert "Example Homecare Ltd goes on." in page
    assert await console.exchange.enquiries.pauses() == ()


async def test_the_books_are_checked_when_somebody_asks_and_what_was_found_is_shown(console: Looking) -> None:
    page = read(await console.get("/console/providers/VNE51"))
    assert "Not checked since this node of the gateway was started." in page
    await take(console, "A")
    await wait(console, days=1)
    page = read(await console.post("/console/providers/VNE51/books"))
    assert "The books were checked." in page
    assert "Books balanced to 23:59 on 5 Oct 2026: 1 given to it that day, 0 of them ended, 1 open" in page
    assert "1 difference in the whole gateway: overdue, and nobody was told" in page
    assert "Nothing was given to it on 5 Oct 2026." in read(await console.get("/console/providers/VNCEL"))
    assert "console check" in "".join(console.leaves())


async def test_who_may_not_see_the_books_cannot_check_them(console: Looking) -> None:
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    assert "Check the books" not in await console.get("/console/providers/VNE51")
    await console.post("/console/providers/VNE51/books", status=404)


async def test_who_may_not_pause_is_not_offered_it_and_cannot(console: Looking) -> None:
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    assert "/pause" not in await console.get("/console/providers/VNE51")
    await console.get("/console/providers/VNE51/pause", status=404)
    await console.post("/console/providers/VNE51/pause", status=404, reason="x")
    assert await console.exchange.enquiries.pauses() == ()


async def test_without_its_token_nothing_is_done(console: Looking) -> None:
    address = f"{console.address}/console/providers/VNE51/pause"
    async with console.browser.post(address, data={"reason": "x"}) as response:
        assert response.status == 403
    async with aiohttp.ClientSession() as other, other.post(address, data={"reason": "x"}) as response:
        assert response.status == 401
    assert await console.exchange.enquiries.pauses() == ()


async def test_a_store_that_is_away_is_said_and_nothing_typed_is_lost(
    console: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> bool:
        raise Unavailable("away")

    monkeypatch.setattr(console.exchange.store, "pause", away)
    page = read(await console.post("/console/providers/VNE51/pause", status=503, reason="They are moving."))
    assert "It is not known if this was done" in page
    assert "They are moving." in page
    monkeypatch.setattr(console.exchange.enquiries, "figures", away)
    for path in ("/console/providers", "/console/providers/VNE51", "/console/providers.csv"):
        assert "cannot read its records now" in read(await console.get(path, status=503))


async def test_a_planned_outage_is_written_down_shown_and_withdrawn_by_one_person(console: Looking) -> None:
    console.be(Role.OPERATOR, None)
    path = f"/console/providers/{PROVIDER}/outages"
    assert "Write down a planned outage" in read(await console.get(path))
    page = await console.post(path, status=422, begins="tomorrow", ends="2026-10-06 23:00", reason="Servers are moved.")
    assert "Give when it begins as day and time in London" in read(page)
    assert 'value="tomorrow"' in page
    page = await console.post(path, status=422, begins="2026-10-06 23:00", ends="2026-10-06 20:00", reason="")
    assert "It must end after it begins" in read(page)
    assert "Say who told us, and what" in read(page)
    for begins, ends in (("0001-01-01 00:00", "2026-10-06 23:00"), ("2026-10-06 20:00", "9999-12-31 23:59")):
        page = read(await console.post(path, status=422, begins=begins, ends=ends, reason="Servers are moved."))
        assert "That is more than a year from now: check the year" in page
    page = read(await console.post(path, begins="2026-10-06 20:00", ends="2026-10-06 23:00", reason=f"Moved. {EVIL}"))
    span = "6 Oct 2026, 20:00 to 6 Oct 2026, 23:00"
    assert f"Planned outage from {span} is written down. Nothing is paused by it." in page
    assert f"{span}: Moved." in page
    board = await console.get("/console/providers")
    assert f"Planned outage from {span}" in read(board)
    assert "<script>alert(1)" not in board
    assert f"Planned outage from {span}" in await console.get("/console/providers.csv")
    (one,) = await console.exchange.enquiries.planned_outages(now=console.clock.now())
    await console.get(f"/console/providers/{NEXT}/outages/{one.number}", status=404)
    assert "The planned outage will not be" in read(await console.get(f"{path}/{one.number}"))
    await console.post(f"{path}/{one.number}", status=422, reason="")
    nothing = [
        action.removesuffix(": nothing was done") for action in await audited(console.exchange.enquiries, "noth")
    ]
    assert nothing == ["plan outage"] * 4 + ["withdraw outage"]
    page = read(await console.post(f"{path}/{one.number}", reason="They rang."))
    assert "The planned outage is withdrawn." in page
    await console.get(f"{path}/{one.number}", status=404)
    assert "Planned outage from" not in read(await console.get("/console/providers"))


async def test_silence_in_a_planned_outage_is_said_to_be_expected_and_is_still_silence(console: Looking) -> None:
    now = console.clock.now()
    span = {"begins": now, "ends": now + timedelta(hours=3)}
    await console.exchange.store.plan_outage(Outage(provider=PROVIDER, **span, note="Moved.", by="o.one", at=now))
    for name in ("A", "B", "C"):
        await take(console, name)
        await send(console, InDoubt(reason="time-out"))
    await wait(console, hours=1, minutes=51)
    await count(console)
    page = read(await console.get(f"/console/providers/{PROVIDER}"))
    assert "Not answering for 1 h 51 min" in page
    assert "A planned outage runs now: silence is to be expected until it ends" in page
    assert "Planned outage now, until" in read(await console.get("/console/providers"))


async def test_only_those_who_may_pause_write_outages_down(console: Looking) -> None:
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    await console.get(f"/console/providers/{PROVIDER}/outages", status=404)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (None, "Not known: the provider's file does not state when it ends"),
        (date(2026, 10, 6), "Ends on 6 Oct 2026, 1 day left, as the provider's file states."),
        (date(2026, 10, 5), "ENDED on 5 Oct 2026"),
    ],
)
def test_the_days_of_a_certificate_are_as_its_file_states(ends: date | None, words: str) -> None:
    one = provider(PROVIDER, "Example Homecare Ltd", certificate_ends=ends)
    shown = dict(facts(one, BOOK, None, NAMES, date(2026, 10, 5)))
    assert words in shown["Certificate of its system"][0]
