"""Messages and the audit as people look them up, on every engine."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.destination import Taken, TryLater
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent
from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.ports.acceptance import Refused
from gateway.ports.audit_trail import AuditWanted
from gateway.ports.inspection import (
    Answered,
    Channel,
    KeptApart,
    MessageId,
    MessageList,
    Received,
    Sent,
    Wanted,
)
from gateway.store.sql import inspecting
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
    make_refusal,
    make_submission,
)
from tests.factories import MOMENT

OTHER = OdsCode("RZA")


async def a_message_each_way(exchange: Exchange) -> None:
    """Take an order, send it, have it answered; keep one apart, refuse one, and take one of another trust."""
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    exchange.clock.move(seconds=2)
    await exchange.store.record(claim, Taken(evidence=b"202 Accepted"), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, id="ANSWER1")
    issue = Issue(code="UNREADABLE", location="", text="It is no message.")
    apart = make_submission("B", body=b"nonsense")
    await exchange.store.keep_apart(apart, Refused.UNREADABLE, (issue,), keep_bytes=True)
    await exchange.store.accept(make_refusal("C"))
    other = make_order(make_prescription("D"))
    await exchange.store.accept(make_acceptance("D", other, tenant=OTHER))


async def listed(exchange: Exchange, tenant: OdsCode | None = None, **wanted: object) -> MessageList:
    return await exchange.enquiries.messages(tenant=tenant, wanted=Wanted(**wanted))  # type: ignore[arg-type]


async def test_a_list_has_every_way_a_message_goes(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    found = await listed(exchange)
    assert found.further is None
    assert {row.id.channel for row in found.rows} == set(Channel)
    assert [row.at for row in found.rows] == sorted((row.at for row in found.rows), reverse=True)
    by_channel = {row.id.channel: row for row in found.rows if row.partner in {TRUST.value, PROVIDER.value}}
    assert by_channel[Channel.APART].outcome == "unreadable"
    assert by_channel[Channel.APART].issues == ("UNREADABLE",)
    assert by_channel[Channel.ANSWER].outcome == "moved"
    assert by_channel[Channel.ANSWER].control_id == "ANSWER1"


async def test_a_list_is_read_on_from_where_it_ended_whatever_came_meanwhile(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    whole = [row.id for row in (await listed(exchange)).rows]
    seen: list[MessageId] = []
    below = None
    while True:
        part = await exchange.enquiries.messages(tenant=None, wanted=Wanted(), below=below, limit=2)
        seen += [row.id for row in part.rows]
        below = part.further
        if below is None:
            break
        exchange.clock.move(minutes=1)
        name = f"M{len(seen)}"
        await exchange.store.accept(make_acceptance(name, make_order(make_prescription(name))))
    assert seen == whole


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"channel": Channel.ANSWER}, 1),
        ({"partner": "RZA"}, 1),
        ({"outcome": "refused"}, 1),
        ({"issue": "NHSNO_CHECK_DIGIT"}, 1),
        ({"issue": "NHSNO"}, 0),
        ({"kind": "prescription-order"}, 2),
        ({"since": MOMENT + timedelta(hours=1)}, 0),
        ({"until": MOMENT}, 0),
        ({"partner": "' OR 1=1 --"}, 0),
    ],
    ids=str,
)
async def test_a_list_is_narrowed(exchange: Exchange, wanted: dict[str, object], count: int) -> None:
    await a_message_each_way(exchange)
    assert len((await listed(exchange, **wanted)).rows) == count


async def test_a_trust_sees_its_own_messages_and_the_answers_about_its_lines(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    own, foreign = await listed(exchange, TRUST), await listed(exchange, OTHER)
    everything = await listed(exchange)
    assert {row.id for row in own.rows}.isdisjoint(row.id for row in foreign.rows)
    assert {row.id for row in own.rows} | {row.id for row in foreign.rows} == {row.id for row in everything.rows}
    for row in own.rows:
        assert await exchange.enquiries.message(row.id, tenant=TRUST) is not None
        assert await exchange.enquiries.message(row.id, tenant=OTHER) is None
        assert not await exchange.enquiries.messages_named(str(row.id), tenant=OTHER)


async def test_an_answer_that_belongs_to_nobody_is_shown_to_no_trust(exchange: Exchange) -> None:
    await exchange.answer(None, LineEvent.ACCEPTED, id="LOST")
    assert [row.outcome for row in (await listed(exchange)).rows] == ["changed nothing"]
    assert (await listed(exchange, TRUST)).rows == ()
    view = await exchange.enquiries.message(MessageId(Channel.ANSWER, 1), tenant=None)
    assert isinstance(view, Answered)
    assert view.alerts == (("answer-unbound", "An answer does not name the message it was given to."),)
    assert view.answers is None


async def test_a_message_received_is_shown_with_all_that_came_of_it(exchange: Exchange) -> None:
    order = make_order(make_prescription("A"))
    trace = (TraceRow("patient.birth_date", "PID[1]-7.1", "HL7V2.PID-7", "parse:hl7-time", "19790412", "1979-04-12"),)
    left = (Leftover("PID[1]-30.1", "N", Disposition.IGNORED_BY_RULE, "HL7V2.ignore"),)
    order = replace(order, trace=trace)
    await exchange.store.accept(replace(make_acceptance("A", order), leftovers=left))
    claim = await exchange.send()
    exchange.clock.move(seconds=3)
    later = exchange.clock.now() + timedelta(minutes=5)
    await exchange.store.record(claim, TryLater(reason="503"), now=exchange.clock.now(), retry_at=later)
    exchange.clock.move(minutes=6)
    again = await exchange.send()
    await exchange.store.record(again, Taken(evidence=b"202"), now=exchange.clock.now(), retry_at=None)
    await exchange.answer(again.message_id, LineEvent.ACCEPTED, id="ANSWER1")
    view = await exchange.enquiries.message(MessageId(Channel.RECEIVED, 1), tenant=TRUST)
    assert isinstance(view, Received)
    assert view.body == b"MSH|A"
    assert view.answer.body == b"MSA|AA|A"
    assert (view.orders[0].trace, view.leftovers) == (trace, left)
    assert view.orders[0].document is not None
    (sealed,) = view.orders[0].sealed
    assert sealed.body == b'{"resourceType":"Bundle"}'
    (transmitted,) = view.transmitted
    first, second = transmitted.tried
    assert (first.outcome, first.reason, first.began is not None and first.ended is not None) == (
        "try_later",
        "503",
        True,
    )
    assert first.began is not None
    assert first.ended is not None
    assert first.ended - first.began == timedelta(seconds=3)
    assert (second.outcome, second.evidence) == ("taken", b"202")
    (answered,) = view.answered
    assert answered.answers == transmitted.row.id
    assert any(one.moved and one.event == "accepted" for one in answered.happened)
    sent = await exchange.enquiries.message(transmitted.row.id, tenant=TRUST)
    assert isinstance(sent, Sent)
    assert (sent.received, sent.sealed, sent.octets) == (view.row.id, sealed, sealed.body)
    assert sent.answered == (answered,)


async def test_a_message_that_waits_for_its_next_attempt_says_when(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    later = exchange.clock.now() + timedelta(minutes=5)
    await exchange.store.record(claim, TryLater(reason="busy"), now=exchange.clock.now(), retry_at=later)
    view = await exchange.enquiries.message(MessageId(Channel.SENT, 1), tenant=None)
    assert isinstance(view, Sent)
    assert view.transmitted.next_at == later
    assert view.transmitted.row.outcome == "try_later"


async def test_what_was_kept_apart_is_shown_as_it_came(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    view = await exchange.enquiries.message(MessageId(Channel.APART, 1), tenant=TRUST)
    assert isinstance(view, KeptApart)
    assert (view.body, [issue.code for issue in view.issues]) == (b"nonsense", ["UNREADABLE"])


async def test_a_message_is_found_by_any_name_or_digest(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    sent = next(row for row in (await listed(exchange, channel=Channel.SENT, partner=PROVIDER.value)).rows)
    view = await exchange.enquiries.message(MessageId(Channel.RECEIVED, 1), tenant=None)
    assert isinstance(view, Received)
    names = {
        "MSGA": {"in-1"},
        hashlib.sha256(b"MSH|A").hexdigest().upper(): {"in-1"},
        hashlib.sha256(b"nonsense").hexdigest(): {"apart-1"},
        "ANSWER1": {"answer-1"},
        "answer-1": {"answer-1"},
        str(view.transmitted[0].message_id): {str(view.transmitted[0].row.id)},
        sent.digest: {str(row.id) for row in (await listed(exchange, kind="prescription-order")).rows},
        str(view.orders[0].prescription_id): {"in-1", str(view.transmitted[0].row.id), "answer-1"},
        "nobody": set(),
        "": set(),
        "a\0b": set(),
    }
    for name, wanted in names.items():
        assert {str(row.id) for row in await exchange.enquiries.messages_named(name, tenant=None)} == wanted, name


async def test_a_search_that_looks_at_much_says_how_far_it_came(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "LOOKED_AT", 3)
    for name in "ABCDEFGH":
        await exchange.store.accept(make_acceptance(name, make_order(make_prescription(name))))
        exchange.clock.move(minutes=1)
    wanted = Wanted(channel=Channel.RECEIVED, outcome="refused")
    looks, below = 0, None
    while True:
        part = await exchange.enquiries.messages(tenant=None, wanted=wanted, below=below)
        assert part.rows == ()
        looks += 1
        below = part.further
        if below is None:
            break
        assert part.looked_back_to is not None
    assert looks == 3


async def test_the_audit_says_who_saw_what(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    view = await exchange.enquiries.message(MessageId(Channel.RECEIVED, 1), tenant=None)
    assert isinstance(view, Received)
    name = view.orders[0].prescription_id
    for who, subject in (("p.harmacist", str(name)), ("e.ngineer", f"in-1 {name}"), ("p.harmacist", "home")):
        exchange.clock.move(minutes=1)
        await exchange.store.note_access(
            principal=who, action="console view", subject=subject, now=exchange.clock.now()
        )
    everything = await exchange.enquiries.trail(tenant=None, wanted=AuditWanted())
    assert [leaf.who for leaf in everything.leaves] == ["p.harmacist", "e.ngineer", "p.harmacist"]
    assert everything.leaves[0].facts == {"subject": "home"}
    assert everything.leaves[1].prescriptions == (name,)
    for wanted, who in (
        (AuditWanted(who="e.ngineer"), ["e.ngineer"]),
        (AuditWanted(about=str(name)), ["e.ngineer", "p.harmacist"]),
        (AuditWanted(about="in-1"), ["e.ngineer"]),
        (AuditWanted(about=str(name), who="p.harmacist"), ["p.harmacist"]),
        (AuditWanted(action="VIEW", until=MOMENT + timedelta(seconds=100)), ["p.harmacist"]),
        (AuditWanted(since=exchange.clock.now()), ["p.harmacist"]),
        (AuditWanted(who="nobody"), []),
    ):
        found = await exchange.enquiries.trail(tenant=None, wanted=wanted)
        assert [leaf.who for leaf in found.leaves] == who, wanted
    own = await exchange.enquiries.trail(tenant=TRUST, wanted=AuditWanted())
    assert [leaf.about for leaf in own.leaves] == [("in-1", str(name)), (str(name),)]
    assert (await exchange.enquiries.trail(tenant=OTHER, wanted=AuditWanted())).leaves == ()


async def test_an_act_is_found_by_its_prescription(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    alert = await exchange.store.open_alert(
        kind="overdue", subject=str(what.lines[0].id), line_id=what.lines[0].id, now=MOMENT, text="Late."
    )
    assert alert
    (opened,) = await exchange.enquiries.open_alerts(tenant=None, limit=5)
    await exchange.store.close_alert(opened.id, by="p.harmacist", reason="rang them", now=MOMENT)
    found = await exchange.enquiries.trail(tenant=TRUST, wanted=AuditWanted(about=str(what.id)))
    (leaf,) = found.leaves
    assert (leaf.kind, leaf.who, leaf.prescriptions) == ("alert-closed", "p.harmacist", (what.id,))
    assert "rang them" not in str(leaf)


async def test_the_audit_is_read_on_from_where_it_ended(exchange: Exchange) -> None:
    for number in range(7):
        await exchange.store.note_access(principal="p", action="view", subject=f"{number}", now=MOMENT)
    seen, below = [], None
    while True:
        part = await exchange.enquiries.trail(tenant=None, wanted=AuditWanted(), below=below, limit=3)
        seen += [leaf.facts["subject"] for leaf in part.leaves]
        below = part.further
        if below is None:
            break
    assert seen == list("6543210")


async def test_many_patients_in_an_hour_are_noticed(exchange: Exchange) -> None:
    names = [make_prescription(name) for name in "ABC"]
    for number, what in enumerate(names):
        await exchange.store.accept(make_acceptance(f"N{number}", make_order(what)))
    for who, minutes in (("quick", 5), ("slow", 50)):
        for number, what in enumerate(names):
            at = MOMENT + timedelta(minutes=minutes * number)
            await exchange.store.note_access(principal=who, action="console view", subject=str(what.id), now=at)
    found = await exchange.enquiries.busy(tenant=None, since=MOMENT, patients=1)
    assert {one.who for one in found} == {"quick", "slow"}
    assert await exchange.enquiries.busy(tenant=None, since=MOMENT, patients=4) == ()
    assert await exchange.enquiries.busy(tenant=OTHER, since=MOMENT, patients=1) == ()


async def test_every_leaf_is_hashed_anew(exchange: Exchange) -> None:
    await a_message_each_way(exchange)
    count = await exchange.enquiries.leaf_count()
    first = await exchange.enquiries.leaf_hashes(after=0, most=3)
    rest = await exchange.enquiries.leaf_hashes(after=3, most=1000)
    assert (first.fault, rest.fault) == ("", "")
    assert len(first.hashes) + len(rest.hashes) == count
    kept = exchange.opened.rows("SELECT leaf_hash FROM audit_leaf ORDER BY seq")
    assert [*first.hashes, *rest.hashes] == [bytes(one) for (one,) in kept]
