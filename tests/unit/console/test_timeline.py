"""The history as a list: long ones, calls, and what happened before we knew of it."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.console.prescription.timeline import Entry, Seen, in_london, newest_first, timeline, without_times
from gateway.domain.identifiers import derived_id
from gateway.enquiries import EventView
from gateway.ports.attention import WorkNote
from gateway.ports.dossier import AnswerFacts, Dossier, EventFacts, MessageFacts, SubmissionFacts
from tests.contract.store_engines import make_acceptance, make_order, make_prescription
from tests.doors import LINE, NAMES, NOW, VNE51, line_view, view
from tests.unit.console.looking import looking

SUBMISSION = SubmissionFacts(
    row=1,
    control_id="C",
    format="hl7v2",
    content_type="",
    received_at=NOW - timedelta(hours=5),
    digest="0" * 64,
    length=10,
)


_MANY = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO event (line, at, event, actor, state_before, state_after, moved, provider, epoch, reason_code, reason,
    amount, unit, text)
SELECT 1, 1791191700000000 + i, 'queried', 'PS', 'READY', 'READY', 0, 'VNE51', 1, '', '', '', '', '' FROM n
"""


def event(seq: int, minutes: float, name: str, moved: tuple[str, str], actor: str = "GW") -> EventView:
    return EventView(
        seq=seq,
        at=NOW - timedelta(minutes=minutes),
        line_id=LINE,
        event=name,
        state_before=moved[0],
        state_after=moved[1],
        actor=actor,
        text="",
    )


def listed(
    *events: EventView, facts: dict[int, EventFacts] | None = None, calls: tuple[WorkNote, ...] = ()
) -> tuple[Entry, ...]:
    dossier = Dossier(document=None, submission=SUBMISSION, events=facts or {})
    seen = Seen(view=view(events=events), dossier=dossier, calls=calls, names=NAMES, now=NOW)
    return timeline(seen)


SENT = event(1, 90, "on_wire", ("READY", "SENT"))


@pytest.mark.parametrize(
    ("text", "late"),
    [
        ("stated at 2026-11-22T09:00:00+00:00", True),
        ("stated at 2026-11-22T10:40:00+00:00", False),
        ("supplied at 2026-11-21T08:00:00Z; batch 7", True),
        ("supplied at 2030-01-01T00:00:00+00:00", False),
        ("supplied at yesterday", False),
        ("batch supplied at 12; nothing", False),
        ("supplied at 2026-11-21T08:00:00", True),
    ],
)
def test_a_fact_stands_where_it_happened_if_that_was_earlier(text: str, late: bool) -> None:  # noqa: FBT001
    told = EventFacts(answer=None, provider=VNE51, epoch=1, moved=True, text=text)
    (entry,) = [
        one for one in listed(event(2, 0, "delivered", ("ACCEPTED", "IN_SUPPLY"), "PS"), facts={2: told}) if one.seq
    ]
    assert bool(entry.learned) is late
    assert (entry.placed != NOW) is late


def test_the_day_of_a_plan_is_not_when_it_happened() -> None:
    told = EventFacts(answer=None, provider=VNE51, epoch=1, moved=True, text="supplied at 2026-11-01T08:00:00+00:00")
    (entry,) = listed(event(2, 0, "supply_planned", ("ACCEPTED", "IN_SUPPLY"), "PS"), facts={2: told})
    assert not entry.learned


def test_a_call_stands_among_the_events_and_is_stated() -> None:
    call = WorkNote(
        number=1,
        at=NOW - timedelta(minutes=10),
        by="j.smith",
        kind="call",
        person="Sam at Example Homecare",
        words="On the van\u202e.",
        spoken_at=NOW - timedelta(minutes=60),
        days_at_home=4,
    )
    entries = listed(SENT, calls=(call,))
    assert [bool(one.seq) for one in entries if not one.quiet] == [True, False]
    (shown,) = [one for one in entries if one.said]
    assert shown.known.words == "stated: a call, as j.smith wrote it down"
    assert shown.said == "On the van[U+202E]."
    assert shown.text == "4 days of medicine at home"
    assert shown.learned


def test_a_pharmacist_who_passes_it_is_not_said_to_have_sealed_it() -> None:
    passed, cleared = (
        event(1, 5, "clear", ("AWAITING_SCREENING", "READY"), "TPh"),
        event(2, 5, "clear", ("RECEIVED", "READY")),
    )
    by_person, by_us = (listed(one)[0] for one in (passed, cleared))
    assert by_person.what == "Passed the pharmacist's check"
    assert by_person.known.words == "stated: a person at the trust"
    assert by_us.what.startswith("Checked, translated and sealed.")
    assert by_us.known.grade == "proved"


def test_what_the_trust_did_before_it_sent_is_no_silence() -> None:
    entries = listed(SENT)
    assert [one.quiet for one in entries if one.quiet] == [
        "No answer for 1 h 30 min, up to now (since 22 Nov 2026, 09:11)."
    ]


def test_an_answer_that_quotes_our_message_is_proved_and_another_reported() -> None:
    ours = derived_id("message", "1")
    message = MessageFacts(
        id=ours,
        event="prescription-order",
        destination=VNE51,
        epoch=1,
        digest="1" * 64,
        key_id="k",
        made_at=NOW,
        not_valid_after=NOW,
        length=1,
    )
    answers = tuple(
        AnswerFacts(row=row, destination=VNE51, received_at=NOW, digest="2" * 64, length=1, correlation=correlation)
        for row, correlation in ((7, ours), (8, None))
    )
    events = [event(seq, 5, "accepted", ("SENT", "ACCEPTED"), "PS") for seq in (2,)]
    for row, grade in ((7, "proved"), (8, "reported")):
        facts = {2: EventFacts(answer=row, provider=VNE51, epoch=1, moved=True)}
        dossier = Dossier(document=None, submission=SUBMISSION, events=facts, messages=(message,), answers=answers)
        seen = Seen(view=view(events=tuple(events)), dossier=dossier, calls=(), names=NAMES, now=NOW)
        assert timeline(seen)[0].known.grade == grade


def test_five_thousand_events_take_no_time_to_speak_of() -> None:
    events = tuple(
        event(seq, 6000 - seq, "delivered" if seq % 2 else "on_wire", ("SENT", "SENT"), "PS" if seq % 2 else "GW")
        for seq in range(1, 5001)
    )
    facts = {one.seq: EventFacts(answer=one.seq, provider=VNE51, epoch=1, moved=True, text="batch 1") for one in events}
    began = time.process_time()
    entries = listed(*events, facts=facts)
    assert time.process_time() - began < 5
    assert len([one for one in entries if one.seq]) == 5000
    assert newest_first(entries)[-1] == entries[0]


async def test_a_long_history_says_what_it_leaves_out_and_all_of_it_is_one_link_away(tmp_path: Path) -> None:
    async with looking(tmp_path) as console:
        what = make_prescription("A")
        await console.exchange.store.accept(make_acceptance("A", make_order(what)))
        console.opened.raw.execute(_MANY)
        shown = await console.get(f"/console/prescriptions/{what.id}")
        assert "Only the newest 200 entries are shown; 302 older ones are not." in shown
        assert shown.count('id="event-') == 200
        assert (await console.get(f"/console/prescriptions/{what.id}?all=yes")).count('id="event-') == 502


def test_lines_share_an_entry_where_the_same_happened_to_all() -> None:
    other = derived_id("line", "RBA", "PO-2")
    events = (SENT, replace(SENT, seq=2, line_id=other))
    dossier = Dossier(document=None, submission=SUBMISSION)
    lines = (line_view(), line_view(line_id=other, product="Another"))
    seen = Seen(view=view(events=events, lines=lines), dossier=dossier, calls=(), names=NAMES, now=NOW)
    entries = [one for one in timeline(seen) if one.seq]
    assert [one.about for one in entries] == ["All 2 medicines"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "stated at 2026-11-22T18:43:15.482309+00:00; batch B1",
            "stated at 22 Nov 2026, 18:43:15 GMT; batch B1",
        ),
        ("supplied at 2026-10-05T09:20:11+01:00", "supplied at 5 Oct 2026, 09:20:11 BST"),
        ("stated at noon", "stated at noon"),
        ("the provider's system took it", "the provider's system took it"),
    ],
)
def test_times_in_the_words_of_an_event_are_said_as_every_page_says_them(text: str, shown: str) -> None:
    assert in_london(text) == shown


def test_a_question_is_quoted_without_the_time_beside_it() -> None:
    assert without_times("Is it right?; stated at 2026-11-22T18:43:15+00:00") == "Is it right?"
    assert without_times("stated at 2026-11-22T18:43:15+00:00") == ""
    assert without_times("Deliver at 12; or not") == "Deliver at 12; or not"
