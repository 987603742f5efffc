"""What needs attention, as people see it and work on it, over a real store."""

import csv
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
from gateway.console.attention import home as home_page
from gateway.console.attention.attention_words import row_of
from gateway.console.site import Looker
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Name, Prescription
from gateway.domain.trust_advice import OVER_TIME
from gateway.domain.work_item import REASONS, Reason, Standing, reason_of
from gateway.ports.attention import AttentionQuery, LineOnList, Place, WorkItem
from gateway.ports.late import Awaits, Unsent
from tests.contract.store_engines import PROVIDER, TRUST, make_acceptance, make_order
from tests.contract.test_attention import held, silent, supplied, sweep, with_stock
from tests.doors import NAMES
from tests.factories import patient
from tests.unit.console.act_desk import audited
from tests.unit.console.looking import Looking, looking

OTHER = OdsCode("RCC")
PHARMACIST = Role.HOMECARE_PHARMACIST


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    async with looking(tmp_path) as opened:
        await beat(opened)
        opened.sessions._idle = opened.sessions._absolute = timedelta(days=99)  # the clock of these tests runs
        opened.be(PHARMACIST, TRUST)
        yield opened


async def beat(console: Looking) -> None:
    """Let the watch have looked just now."""
    await console.exchange.store.beat("watch", now=console.clock.now())


def words(page: str) -> str:
    """Give the words of a page, as they are read."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main.partition(">")[2])).split())


async def home(console: Looking, query: str = "") -> str:
    return words(await console.get(f"/console/{query}"))


async def send(console: Looking, path: str, *, status: int = 200, **fields: str | list[str]) -> str:
    """Send a form as the page has it."""
    page = await console.get("/console/help")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf
    data = [("csrf", csrf[1])]
    for name, value in fields.items():
        data += [(name, one) for one in ([value] if isinstance(value, str) else value)]
    async with console.browser.post(console.address + path, data=data) as response:
        text = await response.text()
        assert response.status == status, text[:3000]
        console.at = str(response.url.relative())
        return words(text)


async def item(console: Looking, name: str = "A", days: int | None = 9) -> str:
    """Give the number of a held line's row, as the page has it."""
    await held(console.exchange, with_stock(name, days), name)
    page = await console.get("/console/")
    number = re.search(rf"RX{name}0.*?/console/work/(\d+)", page, re.DOTALL)
    assert number
    return number[1]


# The list


async def test_a_row_says_whose_word_it_is_what_a_supply_needs(console: Looking) -> None:
    await item(console)
    await console.exchange.store.keep_lead_times({PROVIDER: timedelta(days=3)}, now=console.clock.now())
    page = await home(console)
    assert "9 days left; Example Homecare Ltd (VNE51) needs 3 days for a supply, as it has stated." in page
    assert "Act by Sun 11 Oct 17:00" in page


async def test_a_row_says_who_what_why_and_by_when(console: Looking) -> None:
    number = await item(console)
    page = await home(console)
    for said in (
        "MS Aoife Mary TESTPATIENT",
        "NHS 999 000 0077",
        "Born 12 Apr 1979 (47)",
        "Inject 10mg ONCE a WEEK on a Monday",
        "Held: code not known",
        "Held: unknown code.",
        "Act by Fri 9 Oct 17:00",
        "9 days of medicine left stated; lasts until 13 Oct 2026",
        "At home, as stated on 5 Oct 2026 +9",
        "9 days left; we assume that a supply needs 5 days: Example Homecare Ltd (VNE51) has not said.",
        "map approvers",
        "Taken by nobody",
    ):
        assert said in page
    assert f'href="/console/work/{number}"' in await console.get("/console/")


async def test_what_is_not_known_is_said_to_be_and_counts_as_due_today(console: Looking) -> None:
    await item(console, days=None)
    page = await home(console)
    assert "Days of medicine left: not known" in page
    assert "nobody has stated what the patient has at home" in page
    assert "Act by today 17:00" in page
    assert "Days left are not known: it counts as due today." in page


async def test_the_list_is_most_dangerous_first(console: Looking) -> None:
    for name, days in (("A", 40), ("B", 2), ("C", None)):
        await held(console.exchange, with_stock(name, days), name)
    page = await home(console)
    assert page.index("RXB0") < page.index("RXC0") < page.index("RXA0")


async def test_a_cancel_that_is_not_confirmed_is_never_just_cancelled(console: Looking) -> None:
    exchange = console.exchange
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    line = with_stock("A", 9).lines[0].id
    await exchange.store.open_alert(
        kind="cancel-overdue", subject="c", line_id=line, now=console.clock.now(), text="It is NOT cancelled."
    )
    page = await home(console)
    assert "Cancel not confirmed. It is NOT cancelled." in page
    assert "Days of medicine left say nothing of this" in page
    assert "Ring provider, log answer" in page


async def test_lines_that_one_silent_provider_explains_are_shown_as_one_and_each(console: Looking) -> None:
    await silent(console.exchange, "A", "B", "C")
    await beat(console)
    page = await home(console)
    assert "3 lines wait for" in page
    assert "No answer to anything has ever come from them. That their system took a message is no answer." in page
    assert "not answering" not in page
    assert "RXA0" not in page
    each = await home(console, f"?silent={PROVIDER}")
    assert all(name in each for name in ("RXA0", "RXB0", "RXC0"))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?days=9", "BC"),
        ("?reason=held-code", "BCA"),
        ("?reason=rejected", ""),
        ("?whose=mine", ""),
        ("?provider=VNCEL", ""),
        ("?reason=nonsense&days=-3&page=x", "BCA"),
    ],
)
async def test_filters(console: Looking, query: str, shown: str) -> None:
    for name, days in (("A", 9), ("B", 3), ("C", None)):
        await held(console.exchange, with_stock(name, days), name)
    page = await home(console, query)
    found = sorted((page.index(f"RX{name}0"), name) for name in "ABC" if f"RX{name}0" in page)
    assert "".join(name for _, name in found) == shown
    assert ("Nothing on the list fits these filters." in page) is not bool(shown)


async def test_a_long_list_says_how_long_and_is_paged(console: Looking) -> None:
    for number in range(27):
        await held(console.exchange, with_stock(f"N{number:02}", 40), f"N{number:02}")
    first, second = await home(console), await home(console, "?page=2")
    assert "Rows 1 to 25 of 27 rows." in first
    assert "Later rows" in first
    assert "Rows 26 to 27 of 27 rows." in second
    assert set(re.findall(r"RXN\d\d0", first)).isdisjoint(re.findall(r"RXN\d\d0", second))


async def test_names_with_scripts_and_marks_stay_words(console: Looking) -> None:
    plain = with_stock("A", 9)
    hostile = Name(family="<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}" + "X" * 200, given=("A" * 100,))
    what: Prescription = replace(plain, patient=patient(name=hostile))
    await held(console.exchange, what, "A")
    page = await console.get("/console/")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert re.search(r"<bdi>[^<]*&lt;script", page)
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page
    assert "[U+202E]" in page


# What it says when there is nothing, or when it cannot know


async def test_an_empty_list_proves_that_it_is_alive(console: Looking) -> None:
    await console.exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    await console.exchange.send()
    console.clock.move(minutes=23)
    await beat(console)
    page = await home(console)
    assert "Nothing needs attention." in page
    assert "1 prescription is open; the oldest unanswered was sent 23 min ago. Checked 10:38:00." in page


async def test_without_the_watch_nobody_says_that_nothing_needs_attention(console: Looking) -> None:
    console.clock.move(hours=2)
    page = await home(console)
    assert "We cannot say whether anything needs attention" in page
    assert "Nothing needs attention" not in page
    assert page.startswith("Needs attention not known")
    await item(console)
    assert "There may be more." in await home(console)


async def test_a_destination_that_is_paused_is_named(console: Looking) -> None:
    await console.exchange.store.pause(PROVIDER, by="olu", reason="Planned work.", now=console.clock.now())
    assert "Planned work." in await home(console)


async def test_the_navigation_counts_on_every_page(console: Looking) -> None:
    await item(console)
    console.clock.move(seconds=2)
    await console.get("/console/work/1")
    page = await console.get("/console/work/1")
    assert re.search(r'Needs attention <span class="hc-count">1</span>', page)


# Who sees and may do what


async def test_nobody_sees_another_trust_s_rows(console: Looking) -> None:
    number = await item(console)
    console.be(PHARMACIST, OTHER)
    assert "TESTPATIENT" not in await home(console)
    there = await console.get(f"/console/work/{number}", status=404)
    nowhere = await console.get("/console/work/99999", status=404)
    assert words(there) == words(nowhere)
    assert "there is no such item" in await send(console, "/console/work/take", only=f"{number}:")


async def test_who_may_not_work_is_offered_no_work(console: Looking) -> None:
    number = await item(console)
    console.be(Role.PRESCRIBER, TRUST)
    page = await console.get("/console/")
    assert "work/take" not in page
    await console.get(f"/console/work/{number}/call", status=404)
    await send(console, "/console/work/take", only=f"{number}:", status=404)


async def test_a_technician_works_and_does_not_close(console: Looking) -> None:
    number = await item(console)
    console.be(Role.PHARMACY_TECHNICIAN, TRUST)
    page = await console.get(f"/console/work/{number}")
    assert f"/console/work/{number}/call" in page
    assert f"/console/work/{number}/close" not in page
    await console.get(f"/console/work/{number}/close", status=404)


async def test_every_look_and_every_act_is_in_the_audit(console: Looking) -> None:
    number = await item(console)
    await console.get(f"/console/work/{number}")
    await send(console, "/console/work/take", only=f"{number}:")
    leaves = "".join(console.leaves())
    assert "console view" in leaves
    assert f"alert {number}" in leaves
    assert "console take" in leaves
    assert "TESTPATIENT" not in leaves


# Work


async def test_an_item_is_taken_once_and_is_then_mine(console: Looking) -> None:
    number = await item(console)
    page = await send(console, "/console/work/take", only=f"{number}:", back="/console/?days=10")
    assert "You have taken 1 row." in page
    assert console.at == "/console/?days=10"
    assert "Taken by you" in await home(console, "?whose=mine")


async def test_what_somebody_else_took_meanwhile_is_said(console: Looking) -> None:
    number = await item(console)
    await console.exchange.store.take((int(number),), by="ben", seen={}, tenant=TRUST, now=console.clock.now())
    page = await send(console, "/console/work/take", only=f"{number}:")
    assert "Nothing was taken." in page
    assert "ben has taken it meanwhile" in page


async def test_a_double_click_takes_once(console: Looking) -> None:
    number = await item(console)
    once = re.search(r'name="once" value="([^"]+)"', await console.get("/console/"))
    assert once
    await send(console, "/console/work/take", only=f"{number}:", once=once[1])
    await send(console, "/console/work/take", only=f"{number}:", once=once[1])
    notes = await console.exchange.enquiries.work_notes(int(number), tenant=None)
    assert [note.kind for note in notes] == ["taken"]


async def test_a_row_that_a_page_renewed_by_itself_is_taken_once_too(console: Looking) -> None:
    number = await item(console)
    async with console.browser.get(console.address + "/console/", headers={"X-Live": "1"}) as response:
        page = await response.text()
    csrf, once = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("csrf", "once"))
    assert csrf
    assert once
    form = {"csrf": csrf[1], "once": once[1], "only": f"{number}:"}
    for _ in range(2):
        async with console.browser.post(console.address + "/console/work/take", data=form) as response:
            assert "You have taken 1 row." in words(await response.text()) or response.url.path == "/console/"
    assert len(await console.exchange.enquiries.work_notes(int(number), tenant=None)) == 1


async def test_no_header_hides_what_a_person_does_from_the_audit(console: Looking) -> None:
    number = await item(console)
    csrf = re.search(r'name="csrf" value="([^"]+)"', await console.get("/console/"))
    assert csrf
    form = {"csrf": csrf[1], "only": f"{number}:"}
    for _ in range(3):
        async with console.browser.post(
            console.address + "/console/work/take", data=form, headers={"X-Live": "1"}
        ) as response:
            assert response.status == 200
    assert sum('"console take"' in leaf for leaf in console.leaves()) == 3


async def test_several_rows_are_handed_to_a_named_person(console: Looking) -> None:
    first, second = await item(console, "A"), await item(console, "B")
    chosen = [f"{first}:", f"{second}:"]
    asked = await send(console, "/console/work/hand-over", item=chosen)
    assert "Who takes it over?" in asked
    wrong = await send(console, "/console/work/hand-over", item=chosen, asked="yes", to="", status=422)
    assert "Say who takes it over" in wrong
    done = await send(console, "/console/work/hand-over", item=chosen, asked="yes", to="cara")
    assert "2 rows were handed to cara." in done
    assert (await home(console)).count("Taken by nobody yet, handed to cara") == 2


async def test_nothing_chosen_is_said(console: Looking) -> None:
    for path in ("take", "hand-over", "remind"):
        assert "Nothing was chosen" in await send(console, f"/console/work/{path}")


async def test_cancel_reroute_and_close_are_not_done_to_several(console: Looking) -> None:
    await item(console)
    for path in ("close", "cancel", "reroute", "put-off"):
        await send(console, f"/console/work/{path}", item="1:", status=404)


async def test_a_call_is_logged_as_stated_and_what_was_said_of_stock_counts(console: Looking) -> None:
    number = await item(console, days=None)
    fields = {"person": "R Jones, Example Homecare", "day": "2026-10-05", "time": "10:10", "words": "It is on its way."}
    page = await send(console, f"/console/work/{number}/call", **fields, home="20")
    assert "The call is logged. The row is still on the list." in page
    assert "It is on its way. Medicine at home: 20 days." in page
    assert "stated" in page
    assert "20 days of medicine left" in await home(console)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"person": ""}, "Say who spoke"),
        ({"words": ""}, "Write what they said"),
        ({"day": "yesterday"}, "Give the day"),
        ({"time": "25:61"}, "Give the time"),
        ({"time": "23:00"}, "still to come"),
        ({"home": "about 3"}, "Give whole days"),
        ({"words": "x" * 1001}, "at most 1000 characters"),
    ],
)
async def test_a_call_that_cannot_be_meant_is_asked_again_with_what_was_typed(
    console: Looking, change: dict[str, str], said: str
) -> None:
    number = await item(console)
    fields = {"person": "R Jones", "day": "2026-10-05", "time": "10:10", "words": "Kept words", "home": "", **change}
    page = await send(console, f"/console/work/{number}/call", **fields, status=422)
    assert said in page
    assert "There is a problem" in page
    assert await console.exchange.enquiries.work_notes(int(number), tenant=None) == ()


async def test_the_audit_tells_what_was_asked_or_came_to_nothing_from_what_was_done(console: Looking) -> None:
    number = await item(console)
    await send(console, f"/console/work/{number}/put-off", until="3h", reason="", status=422)
    await send(console, "/console/work/hand-over", item=[f"{number}:"])
    enquiries = console.exchange.enquiries
    assert await audited(enquiries, "put-off") == ["put-off", "put-off: nothing was done"]
    assert await audited(enquiries, "hand-over") == ["hand-over page"]
    await send(console, f"/console/work/{number}/put-off", until="3h", reason="They open at noon.")
    assert (await audited(enquiries, "put-off"))[2:] == ["put-off"]


async def test_the_audit_says_that_nothing_was_taken(console: Looking) -> None:
    number = await item(console)
    await send(console, "/console/work/take")
    await send(console, "/console/work/take", only="999999:")
    await send(console, "/console/work/hand-over")
    enquiries = console.exchange.enquiries
    assert await audited(enquiries, "take") == ["take: nothing was done", "take", "take: nothing was done"]
    assert await audited(enquiries, "hand-over") == ["hand-over: nothing was done"]
    await send(console, "/console/work/take", only=f"{number}:")
    assert (await audited(enquiries, "take"))[3:] == ["take"]


async def test_what_is_put_off_is_gone_and_comes_back(console: Looking) -> None:
    number = await item(console)
    page = await send(console, f"/console/work/{number}/put-off", until="3h", reason="They open at noon.")
    assert "It comes back on the list 5 Oct 2026, 13:15:00." in page
    assert "RXA0" not in await home(console)
    console.clock.move(hours=3)
    await beat(console)
    assert "RXA0" in await home(console)


async def test_nothing_is_put_off_past_the_time_to_act(console: Looking) -> None:
    number = await item(console, days=3)
    page = words(await console.get(f"/console/work/{number}/put-off"))
    assert "This cannot be done now." in page
    await send(console, f"/console/work/{number}/put-off", until="1h", reason="Later.", status=422)
    assert "RXA0" in await home(console)


async def test_a_row_is_closed_with_a_reason_and_never_marked_done(console: Looking) -> None:
    number = await item(console)
    assert "does not change: it is not cancelled" in words(await console.get(f"/console/work/{number}/close"))
    await send(console, f"/console/work/{number}/close", reason="", status=422)
    page = await send(console, f"/console/work/{number}/close", reason="Seen with the ward.")
    assert "Closed, with your reason." in page
    assert "Nothing needs attention." in page
    item_page = words(await console.get(f"/console/work/{number}"))
    assert "This row left the list" in item_page
    assert "Take" not in item_page.partition("What was done")[0].split()


async def test_what_moved_meanwhile_is_said_and_nothing_is_done(console: Looking) -> None:
    exchange = console.exchange
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    claim = await exchange.send()
    console.clock.move(hours=5)
    await sweep(exchange)
    page = await console.get("/console/")
    number = re.search(r"/console/work/(\d+)", page)
    assert number
    await exchange.answer(claim.message_id, LineEvent.REJECTED, reason="Out of stock.")
    said = await send(console, f"/console/work/{number[1]}/close", reason="Kept", state=f"{number[1]}:SENT", status=409)
    assert "from Sent, no answer to Rejected by provider. Nothing was done. Review." in said
    assert "Kept" in said


async def test_a_reminder_names_no_patient_and_says_that_the_gateway_sends_none(console: Looking) -> None:
    exchange = console.exchange
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    await exchange.send()
    console.clock.move(hours=5)
    await sweep(exchange)
    number = re.search(r"/console/work/(\d+)/remind", await console.get("/console/"))
    assert number
    page = words(await console.get(f"/console/work/{number[1]}/remind"))
    reminder = page.partition("Words of the reminder")[2]
    assert "sent 5 Oct 2026, 10:15:00, please answer it" in reminder
    assert "TESTPATIENT" not in reminder
    assert "the message standard has no reminder" in page
    done = await send(console, f"/console/work/{number[1]}/remind", person="R Jones, by telephone", words="")
    assert "R Jones, by telephone was reminded." in done


def test_a_message_that_was_kept_apart_says_what_its_sender_is_to_do() -> None:
    now = datetime(2026, 10, 5, 9, tzinfo=UTC)
    apart = WorkItem(
        alert=1,
        kind="submission-unreadable",
        reason=reason_of("submission-unreadable"),
        text="A message of RBA was kept apart (unreadable). "
        "The bytes on the MLLP connection are not one framed message (FRAME_INVALID).",
        standing=Standing(incident=False, last_day=None, risk=0, since=now, number=1),
    )
    someone = Principal(kind=Kind.PERSON, tenant=TRUST, name="p.one", role=PHARMACIST)
    row = row_of(apart, Looker(principal=someone, session=None), NAMES, now)
    assert row.text.startswith("A trust sent what could not be read")
    assert "(FRAME_INVALID). Wrap each message in one MLLP block" in row.text


@pytest.mark.parametrize(
    ("awaits", "owner", "step"),
    [(Awaits.RULING, "trust pharmacist", "Decide"), (Awaits.CANCEL, "gateway operator", "See attempts")],
)
async def test_what_waits_for_a_ruling_is_for_whoever_rules(
    console: Looking, awaits: Awaits, owner: str, step: str
) -> None:
    exchange, now = console.exchange, console.clock.now()
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9), state=LineState.HELD)))
    (item,) = (await exchange.enquiries.needs_attention(tenant=TRUST, query=AttentionQuery(), now=now)).rows
    assert isinstance(item, WorkItem)
    assert isinstance(item.line, LineOnList)
    ready = replace(item.line, state=LineState.READY, unsent=Unsent(state="due", due_at=now, awaits=awaits))
    waiting = replace(item, kind="line-ready", reason=reason_of("line-ready", LineState.READY), line=ready)
    someone = Principal(kind=Kind.PERSON, tenant=TRUST, name="p.one", role=PHARMACIST)
    row = row_of(waiting, Looker(principal=someone, session=None), NAMES, now)
    assert (row.owner, row.step.words) == (owner, step)


async def test_of_what_no_provider_has_nobody_is_reminded(console: Looking) -> None:
    number = await item(console)
    assert f"/console/work/{number}/remind" not in await console.get(f"/console/work/{number}")
    page = words(await console.get(f"/console/work/{number}/remind"))
    assert "This cannot be done now. This row is about nothing that a provider has now" in page
    assert "please answer it" not in page


async def test_the_store_being_away_says_that_it_is_not_known(
    console: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.domain.errors import Unavailable  # noqa: PLC0415 - beside what raises it

    number = await item(console)

    async def away(*_: object, **__: object) -> str:
        raise Unavailable("away")

    monkeypatch.setattr(console.exchange.store, "log_call", away)
    fields = {"person": "R Jones", "day": "2026-10-05", "time": "10:10", "words": "Kept words"}
    page = await send(console, f"/console/work/{number}/call", **fields, status=503)
    assert "It is not known if this was done" in page
    assert "Kept words" in page


# The file


async def test_the_list_is_given_as_a_file_that_no_spreadsheet_runs(console: Looking) -> None:
    plain = with_stock("A", 9)
    await held(console.exchange, replace(plain, patient=patient(name=Name(family="=cmd()"))), "A")
    await held(console.exchange, with_stock("B", None), "B")
    body = await console.get("/console/attention.csv")
    rows = list(csv.DictReader(StringIO(body)))
    assert [(row["order"], row["days left"], row["reason"]) for row in rows] == [
        ("RXB0", "", "Held: unknown code"),
        ("RXA0", "9", "Held: unknown code"),
    ]
    assert rows[1]["patient"] == "'=cmd()"
    assert (rows[1]["last day"], rows[1]["state"]) == ("2026-10-09", "Held: code not known")


async def test_the_file_has_what_was_on_the_list_when_it_was_asked_for_and_nothing_closed_since(
    console: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, days in (("A", 3), ("B", 5), ("C", 7)):
        await held(console.exchange, with_stock(name, days), name)
    monkeypatch.setattr(home_page, "_PART", 1)
    enquiries, store = console.exchange.enquiries, console.exchange.store
    read, parts = enquiries.attention_rows, list[int]()

    async def meanwhile(places: Sequence[Place], **how: Any) -> tuple[WorkItem, ...]:
        found = await read(places, **how)
        parts.append(len(places))
        if len(parts) == 1:  # the second is closed, and one comes that is more urgent than all
            now = console.exchange.clock.now()
            listed = await enquiries.needs_attention(tenant=TRUST, query=AttentionQuery(), now=now)
            (second,) = [
                row.alert for row in listed.rows if isinstance(row, WorkItem) and row.line.order_number == "RXB0"
            ]
            await store.close_alert(second, by="k.one", reason="Done.", now=now)
            await held(console.exchange, with_stock("D", 0), "D")
        return found

    monkeypatch.setattr(enquiries, "attention_rows", meanwhile)
    rows = list(csv.DictReader(StringIO(await console.get("/console/attention.csv"))))
    assert [(row["row"], row["order"]) for row in rows] == [("1", "RXA0"), ("2", "RXC0")]
    assert parts == [1, 1, 1]


async def test_every_step_leads_to_a_page_or_is_not_offered(console: Looking) -> None:
    await item(console)
    exchange = console.exchange
    order = make_order(with_stock("B", 3), state=LineState.AWAITING_SCREENING)
    await exchange.store.accept(make_acceptance("B", order))
    page = await console.get("/console/")
    assert re.search(r'href="/console/screening/[0-9a-f-]{36}">Check', page)
    assert 'href="/console/held-codes">Resolve code' in page
    console.be(Role.PHARMACY_TECHNICIAN, TRUST)
    page = await console.get("/console/")
    assert "/console/screening/" not in page
    assert "/console/held-codes" not in page


async def test_a_delivery_is_in_the_sum_that_is_shown(console: Looking) -> None:
    exchange = console.exchange
    await supplied(exchange, what := with_stock("A", None), "A")
    await exchange.store.open_alert(
        kind="line-rejected", subject="r", line_id=what.lines[0].id, now=console.clock.move(days=3), text="Why not."
    )
    await beat(console)
    page = await home(console)
    assert "Delivered on 5 Oct 2026: 4 pre-filled disposable injections, which lasts 28 days, as prescribed +28" in page
    assert "Used since 5 Oct 2026, if taken as prescribed -3" in page


def test_every_reason_has_words_an_owner_and_a_step() -> None:
    for reason in Reason:
        assert REASONS[reason].owner
        assert REASONS[reason].step.value
        assert "done" not in REASONS[reason].step.value.lower()


async def test_a_pharmacist_is_told_what_is_theirs_and_whoever_runs_the_gateway_goes_by_its_runbook(
    console: Looking,
) -> None:
    await console.exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    console.clock.move(days=3)
    await sweep(console.exchange)
    await beat(console)
    page = await console.get("/console/")
    number = re.search(r"/console/work/(\d+)", page)
    prescription = re.search(r"/console/prescriptions/[0-9a-f-]{36}", page)
    assert number
    assert prescription
    item_page = f"/console/work/{number[1]}"
    theirs = OVER_TIME[LineState.READY]
    for path in (item_page, prescription[0]):
        shown = words(await console.get(path))
        assert theirs in shown, path
        assert "Read the state in the text" not in shown
        assert "docs/runbooks" not in shown
    console.be_somebody(Principal(kind=Kind.OPERATOR, tenant=None, name="anna"))
    assert "The person on call for the gateway: Read the state in the text" in words(await console.get(item_page))
    assert "Runbook: docs/runbooks/overdue.md" in words(await console.get(prescription[0]))


async def test_a_row_quotes_the_provider_and_says_what_that_comes_to(console: Looking) -> None:
    exchange = console.exchange
    for name, event, said in (("A", LineEvent.REJECTED, "Not registered with us."), ("B", LineEvent.QUERIED, "")):
        await exchange.store.accept(make_acceptance(name, make_order(with_stock(name, 9))))
        claim = await exchange.send()
        await exchange.answer(claim.message_id, event, reason=said, id=name)
    page = await home(console)
    assert "They said: “Not registered with us”. The provider will not supply it. The trust must act." in page
    assert "They gave no reason. The provider waits for an answer before it goes on." in page
