"""What every store promises, told as short stories. Parametrised over the engines."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.destination import InDoubt, Refused, Taken, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.cancel import CancelState
from gateway.domain.errors import Refusal
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.submission import TooLarge
from gateway.pipeline.holding import LineHold
from gateway.ports.acceptance import CancelRequest, HoldRequest, KnownLine, OvertakenError
from gateway.ports.acceptance import Refused as Apart
from gateway.ports.callback import Callback, Effectiveness
from gateway.ports.work import WorkKind
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_change,
    make_hold,
    make_incomplete,
    make_order,
    make_prescription,
    make_refusal,
    make_submission,
    stored_answer,
)
from tests.factories import MOMENT, line, prescription

OTHER_TRUST = OdsCode("RZA")
OTHER_PROVIDER = OdsCode("VN6XW")


# Accepting


async def test_an_accepted_prescription_is_ready_and_due(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    stored = await exchange.store.accept(make_acceptance("A", make_order(what)))
    assert stored.answer.body == b"MSA|AA|A"
    assert await exchange.states(what) == [LineState.READY, LineState.READY]
    (claim,) = await exchange.claim()
    assert (claim.kind, claim.destination, claim.attempt) == (WorkKind.DELIVER, PROVIDER, 1)
    assert claim.octets == b'{"resourceType":"Bundle"}'
    assert not claim.possible_duplicate


async def test_a_repeated_submission_gets_the_first_answer(exchange: Exchange) -> None:
    first = await exchange.store.accept(make_acceptance("A"))
    again = replace(make_acceptance("A"), answer=replace(first.answer, body=b"another"))
    assert await exchange.store.accept(again) == first
    assert await stored_answer(exchange.store, TRUST, "MSGA") == first
    assert await stored_answer(exchange.store, OTHER_TRUST, "MSGA") is None
    assert (await exchange.enquiries.books())["accepted"] == 1


async def test_one_look_finds_the_first_answer_or_what_a_trust_has_under_the_numbers(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    first = await exchange.store.accept(make_acceptance("A", make_order(what)))
    number = what.lines[0].order_number
    known = await exchange.store.known_lines(TRUST, [number])
    assert known
    assert await exchange.store.look_up(TRUST, "MSGA", [number]) == first
    assert await exchange.store.look_up(TRUST, "NEW", [number]) == known
    assert await exchange.store.look_up(TRUST, "", [number]) == known
    assert await exchange.store.look_up(TRUST, "NEW", [], prescriptions=[what.id]) == await exchange.store.known_lines(
        TRUST, [], prescriptions=[what.id]
    )
    assert await exchange.store.look_up(OTHER_TRUST, "MSGA", [number], prescriptions=[what.id]) == ()


async def test_a_hundred_submissions_at_once_under_one_control_id_are_one(exchange: Exchange) -> None:
    answers = await asyncio.gather(
        *(
            exchange.store.accept(make_acceptance(str(number), control_id="SAME", body=str(number).encode()))
            for number in range(100)
        )
    )
    assert len({answer.digest for answer in answers}) == 1
    assert len(await exchange.enquiries.latest(tenant=None, limit=100)) == 1


async def test_concurrent_submissions_share_commits(exchange: Exchange) -> None:
    await asyncio.gather(*(exchange.store.accept(make_acceptance(str(number))) for number in range(60)))
    assert sum(exchange.opened.groups) == 60
    assert len(exchange.opened.groups) < 30


async def test_a_refused_submission_is_kept_with_its_answer(exchange: Exchange) -> None:
    stored = await exchange.store.accept(make_refusal("A"))
    assert await stored_answer(exchange.store, TRUST, "MSGA") == stored
    books = await exchange.enquiries.books()
    assert (books["submitted"], books["refused"], books["accepted"]) == (1, 1, 0)


async def test_a_taken_order_number_stores_nothing_of_the_submission(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    good = make_order(make_prescription("B"))
    clash = make_order(prescription(group="GRPC", lines=(line("RXA0", id=derived_id("other")),)))
    with pytest.raises(Refusal) as refusal:
        await exchange.store.accept(make_acceptance("C", good, clash))
    assert [(issue.code, issue.location) for issue in refusal.value.issues] == [("ORDER_REUSED", "ORC[1]-2")]
    assert await stored_answer(exchange.store, TRUST, "MSGC") is None
    assert len(await exchange.enquiries.latest(tenant=None, limit=10)) == 1


async def test_an_item_id_is_live_once(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    same_item = prescription(group="GRPB", lines=(replace(what.lines[0], order_number="RXB0"),))
    with pytest.raises(Refusal):
        await exchange.store.accept(make_acceptance("B", make_order(same_item)))


async def test_a_prescription_number_names_one_prescription(exchange: Exchange) -> None:
    first = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(first)))
    second = replace(make_prescription("B"), number=first.number)
    with pytest.raises(Refusal):
        await exchange.store.accept(make_acceptance("B", make_order(second)))


async def test_another_trust_may_use_the_same_order_number(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    other = prescription(group="GRPB", lines=(line("RXA0", id=derived_id("theirs")),))
    await exchange.store.accept(make_acceptance("B", make_order(other), tenant=OTHER_TRUST))
    assert len(await exchange.store.known_lines(OTHER_TRUST, ["RXA0"])) == 1


async def test_a_number_with_a_nul_is_nobodys(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    assert await exchange.store.known_lines(TRUST, ["RX\0A0"], ["GRP\0A"]) == ()
    assert await exchange.store.allocated_lines(PROVIDER, ["RX\0A0"]) == ()
    assert await exchange.enquiries.search(tenant=TRUST, order_number="RX\0A0") == ()
    assert await exchange.enquiries.by_control_id("MSG\0A", tenant=TRUST) == ()


async def test_a_held_order_is_known_and_can_be_corrected_under_its_own_ids(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what, state=LineState.HELD)))
    assert await exchange.alert_kinds() == ["line-held"]
    (known,) = await exchange.store.known_lines(TRUST, ["RXA0", "nothing"])
    assert (known.state, known.line_id) == (LineState.HELD, what.lines[0].id)
    corrected = replace(make_order(what), supersedes=(known.line_id,))
    await exchange.store.accept(make_acceptance("A2", corrected))
    assert await exchange.states(what) == [LineState.SUPERSEDED, LineState.READY]
    (found,) = await exchange.enquiries.search(tenant=TRUST, order_number="RXA0")
    assert found.state is LineState.READY
    assert len(await exchange.enquiries.by_control_id("MSGA", tenant=TRUST)) == 1
    books = await exchange.enquiries.books()
    assert (books["accepted"], books["open"], books["closed"], books["held"]) == (1, 1, 0, 0)


async def test_a_line_that_left_cannot_be_superseded(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    with pytest.raises(Refusal):
        await exchange.store.accept(
            make_acceptance("A2", replace(make_order(what, salt="2"), supersedes=(what.lines[0].id,)))
        )
    assert await exchange.states(what) == [LineState.READY]


async def test_a_message_of_ours_that_fails_its_check_alerts_the_operator_with_the_place_and_no_value(
    exchange: Exchange,
) -> None:
    order = make_order(make_prescription("A"), state=LineState.HELD)
    issue = Issue(code="MESSAGE_INVALID", location="Bundle.entry[1].resource.status", text="It fails.")
    failed = replace(order, verdict=replace(order.verdict, issues=(issue, issue)))
    await exchange.store.accept(make_acceptance("A", failed))
    alerts = await exchange.enquiries.open_alerts(tenant=None, limit=10)
    (told,) = (alert for alert in alerts if alert.kind == "message-invalid")
    assert told.subject == str(make_prescription("A").lines[0].id)
    assert told.text.endswith("our writer is wrong. Where: Bundle.entry[1].resource.status (MESSAGE_INVALID).")


async def test_an_order_that_could_not_be_completed_has_a_line_a_holder_and_an_alert(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    (found,) = await exchange.enquiries.search(tenant=TRUST, nhs_number="9990000077")
    view = await exchange.enquiries.prescription(found.prescription_id, tenant=TRUST)
    assert view is not None
    (held,) = view.lines
    assert (held.state, held.holder, held.order_number) == (LineState.HELD, "trust", "RXA0")
    assert [issue.code for issue in view.issues] == ["DOSE_CONFLICT"]
    assert await exchange.alert_kinds() == ["line-held"]
    assert (await exchange.claim()) == []


async def test_a_line_that_wants_screening_is_not_sent(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what, state=LineState.AWAITING_SCREENING)))
    assert await exchange.states(what) == [LineState.AWAITING_SCREENING]
    assert await exchange.claim() == []


async def test_a_later_answer_goes_out_through_the_outbox(exchange: Exchange) -> None:
    stored = await exchange.store.accept(make_acceptance("A", later=b"MSA|AA|later"))
    assert stored.answer.later == b"MSA|AA|later"
    (tell,) = await exchange.claim(TRUST)
    assert (tell.kind, tell.octets, tell.news) == (WorkKind.TELL, b"MSA|AA|later", None)


async def test_input_without_a_place_is_kept_apart_with_an_alert(exchange: Exchange) -> None:
    issue = Issue(code="UNREADABLE", location="", text="Not a message.")
    submission = make_submission("A")
    await exchange.store.keep_apart(submission, Apart.UNREADABLE, [issue], keep_bytes=True)
    large = replace(submission, body=b"", too_large=TooLarge(length=9_000_000, digest="ab" * 32))
    await exchange.store.keep_apart(large, Apart.UNREADABLE, [issue], keep_bytes=False)
    assert await exchange.alert_kinds() == ["submission-unreadable"] * 2
    assert len(await exchange.enquiries.open_alerts(tenant=TRUST, limit=10)) == 2
    assert await exchange.enquiries.open_alerts(tenant=OTHER_TRUST, limit=10) == ()


async def test_bytes_that_are_refused_again_are_answered_again(exchange: Exchange) -> None:
    issue = Issue(code="CONTROL_ID_REUSED", location="MSH-10", text="Used before.")
    refusal = make_acceptance("A", later=b"MSA|AE|A").answer
    for _ in range(2):
        await exchange.store.keep_apart(make_submission("A"), Apart.CLASH, [issue], keep_bytes=True, answer=refusal)
    told = await exchange.claim(TRUST)
    assert [(tell.kind, tell.octets) for tell in told] == [(WorkKind.TELL, b"MSA|AE|A")] * 2
    assert len({tell.message_id for tell in told}) == 2


# Sending


async def test_room_limits_what_is_claimed_and_a_claimed_row_is_not_claimed_again(exchange: Exchange) -> None:
    for number in range(3):
        await exchange.store.accept(make_acceptance(str(number)))
    assert await exchange.claim(OTHER_PROVIDER) == []
    assert len(await exchange.claim(room=2)) == 2
    assert len(await exchange.claim(room=2)) == 1
    assert await exchange.claim(room=2) == []


async def test_a_line_is_sent_before_the_first_byte_and_arrives_when_taken(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    assert await exchange.states(what) == [LineState.SENT]
    await exchange.store.record(claim, Taken(evidence=b"ok"), now=exchange.clock.move(seconds=1), retry_at=None)
    assert await exchange.states(what) == [LineState.WITH_PROVIDER]
    exchange.clock.move(days=1)
    assert await exchange.claim() == []


async def test_an_old_lease_changes_nothing(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    (old,) = await exchange.claim()
    exchange.clock.move(seconds=61)
    assert not await exchange.store.on_wire(old, now=exchange.clock.now())
    assert await exchange.store.recover(now=exchange.clock.now(), recognises_repeats=frozenset()) == 1
    claim = await exchange.send()
    assert claim.attempt == 1
    assert not await exchange.store.on_wire(old, now=exchange.clock.now())
    await exchange.store.record(old, Refused(reason="no"), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.SENT]
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.WITH_PROVIDER]


async def test_a_row_cannot_be_put_on_the_wire_twice(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    assert not await exchange.store.on_wire(claim, now=exchange.clock.now())
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(make_prescription("A")) == [LineState.WITH_PROVIDER]


async def test_a_stopped_worker_leaves_its_message_in_doubt(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    await exchange.send()
    exchange.clock.move(seconds=61)
    assert await exchange.store.recover(now=exchange.clock.now(), recognises_repeats=frozenset()) == 1
    assert await exchange.states(what) == [LineState.UNCERTAIN]
    assert await exchange.alert_kinds() == ["line-uncertain"]
    assert await exchange.claim() == []


async def test_a_message_in_doubt_goes_again_to_a_provider_that_recognises_repeats(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    first = await exchange.send()
    exchange.clock.move(seconds=61)
    await exchange.store.recover(now=exchange.clock.now(), recognises_repeats=frozenset({PROVIDER}))
    second = await exchange.send()
    assert (second.message_id, second.octets, second.attempt) == (first.message_id, first.octets, 2)
    assert second.possible_duplicate
    assert await exchange.states(what) == [LineState.SENT]


async def test_a_later_refusal_to_connect_does_not_undo_a_doubt(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, InDoubt(reason="cut"), now=now, retry_at=now)
    claim = await exchange.send()
    await exchange.store.record(claim, TryLater(reason="refused"), now=now, retry_at=now)
    assert await exchange.states(what) == [LineState.UNCERTAIN]
    claim = await exchange.send()
    await exchange.store.record(claim, TryLater(reason="refused"), now=now, retry_at=None)
    assert await exchange.states(what) == [LineState.UNCERTAIN]
    assert await exchange.alert_kinds() == ["line-uncertain"]


async def test_what_was_surely_not_taken_is_ready_again_at_the_time_given(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, TryLater(reason="503"), now=now, retry_at=now + timedelta(seconds=30))
    assert await exchange.states(what) == [LineState.READY]
    assert await exchange.claim() == []
    exchange.clock.move(seconds=30)
    (again,) = await exchange.claim()
    assert (again.attempt, again.possible_duplicate) == (2, False)


async def test_a_long_outage_becomes_overdue_however_often_it_is_tried(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    for _ in range(5):
        claim = await exchange.send()
        retry_at = exchange.clock.move(minutes=4)
        await exchange.store.record(claim, TryLater(reason="503"), now=exchange.clock.now(), retry_at=retry_at)
    assert len(await exchange.enquiries.overdue(now=exchange.clock.now())) == 1


async def test_a_doubt_that_is_retried_for_long_becomes_overdue(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, InDoubt(reason="cut"), now=now, retry_at=now)
    assert await exchange.alert_kinds() == []
    for _ in range(5):
        claim = await exchange.send()
        retry_at = exchange.clock.move(minutes=4)
        await exchange.store.record(claim, InDoubt(reason="cut"), now=exchange.clock.now(), retry_at=retry_at)
    assert len(await exchange.enquiries.overdue(now=exchange.clock.now())) == 1


async def test_spent_retries_make_a_line_undeliverable_with_an_alert(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, TryLater(reason="503"), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.UNDELIVERABLE]
    assert await exchange.alert_kinds() == ["line-undeliverable"]


async def test_a_refused_message_rejects_its_lines_alerts_and_tells_the_trust(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, Refused(reason="bad format"), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.REJECTED, LineState.REJECTED]
    assert await exchange.alert_kinds() == ["line-rejected", "line-rejected"]
    tells = await exchange.claim(TRUST)
    assert tells[0].news is not None
    news = await exchange.enquiries.news(tells[0].news)
    assert (news.event, news.state, news.reason) == (LineEvent.REFUSED_FORMAT, LineState.REJECTED, "bad format")
    assert (news.order_number, news.control_id, news.destination) == ("RXA0", "MSGA", PROVIDER)
    assert news.submission.body == b"MSH|A"


async def test_composed_news_keeps_its_octets_for_every_attempt(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, Refused(reason="no"), now=now, retry_at=None)
    (tell,) = await exchange.claim(TRUST)
    assert tell.octets is None
    assert await exchange.store.on_wire(tell, now=now, octets=b"composed")
    await exchange.store.record(tell, InDoubt(reason="cut"), now=now, retry_at=now)
    (again,) = await exchange.claim(TRUST)
    assert (again.octets, again.possible_duplicate, again.attempt) == (b"composed", True, 2)
    assert await exchange.store.on_wire(again, now=now, octets=b"other")
    await exchange.store.record(again, TryLater(reason="busy"), now=now, retry_at=None)
    assert "tell-stuck" in await exchange.alert_kinds()


async def test_a_message_out_of_date_is_not_sent(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    exchange.clock.move(days=200)
    (claim,) = await exchange.claim()
    assert not await exchange.store.on_wire(claim, now=exchange.clock.now())
    assert await exchange.alert_kinds() == ["transmission-blocked"]


# Coming back


async def sent(exchange: Exchange, name: str = "A", *, lines: int = 1, total: int = 6) -> Acknowledgement:
    """Send one prescription and have it taken; gives an acceptance that has not been handed in."""
    what = make_prescription(name, lines=lines, total=total)
    await exchange.store.accept(make_acceptance(name, make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
    return Acknowledgement(
        id=f"answer-{name}",
        correlation=claim.message_id,
        reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),),
    )


def posted(exchange: Exchange, body: bytes = b"posted", provider: OdsCode = PROVIDER) -> Callback:
    return Callback(destination=provider, received_at=exchange.clock.now(), content_type="text/plain", body=body)


async def test_an_answer_moves_its_lines_and_is_told_to_the_trust(exchange: Exchange) -> None:
    answer = await sent(exchange, lines=2)
    result = await exchange.store.acknowledge(posted(exchange), answer, ())
    assert result.effect is Effectiveness.APPLIED
    assert await exchange.states(make_prescription("A", lines=2)) == [LineState.ACCEPTED] * 2
    assert len(await exchange.claim(TRUST)) == 2


async def test_a_trust_is_told_one_thing_at_a_time_whichever_node_tells_it(exchange: Exchange) -> None:
    await exchange.store.acknowledge(posted(exchange), await sent(exchange, lines=2), ())
    first = await exchange.send(TRUST)
    assert await exchange.claim(TRUST, room=1) == []
    await exchange.store.record(first, Taken(), now=exchange.clock.now(), retry_at=None)
    second = await exchange.send(TRUST)
    assert second.id > first.id


async def test_an_answer_that_came_too_early_holds_when_it_is_sent_again(exchange: Exchange) -> None:
    message = (await sent(exchange)).correlation

    async def balance() -> Effectiveness:
        return (await exchange.answer(message, LineEvent.BALANCE_SUPPLIED, id="b1")).effect

    assert await balance() is Effectiveness.KEPT
    events = await exchange.enquiries.prescription(make_prescription("A").id, tenant=None)
    assert await balance() is Effectiveness.KEPT
    assert await exchange.enquiries.prescription(make_prescription("A").id, tenant=None) == events
    for event in (LineEvent.ACCEPTED, LineEvent.SUPPLY_SHORT):
        assert (await exchange.answer(message, event)).effect is Effectiveness.APPLIED
    assert await balance() is Effectiveness.APPLIED
    assert await balance() is Effectiveness.REPEAT


async def test_a_repeated_answer_changes_nothing(exchange: Exchange) -> None:
    answer = await sent(exchange)
    await exchange.store.acknowledge(posted(exchange), answer, ())
    for body in (b"posted", b"posted again in other words"):
        result = await exchange.store.acknowledge(posted(exchange, body), answer, ())
        assert result.effect is Effectiveness.REPEAT
    assert len(await exchange.claim(TRUST)) == 1
    assert await exchange.alert_kinds() == []


async def test_one_answer_id_for_two_answers_is_kept_and_alerted(exchange: Exchange) -> None:
    answer = await sent(exchange)
    await exchange.store.acknowledge(posted(exchange), answer, ())
    other = replace(answer, reports=(LineReport(line_id=None, event=LineEvent.VALIDATED),))
    result = await exchange.store.acknowledge(posted(exchange, b"other"), other, ())
    assert result.effect is Effectiveness.KEPT
    assert await exchange.states(make_prescription("A")) == [LineState.ACCEPTED]
    assert await exchange.alert_kinds() == ["answer-id-reused"]


@pytest.mark.parametrize("what", ["unknown message", "no message", "wrong provider", "wrong epoch", "foreign line"])
async def test_an_answer_that_is_not_bound_changes_nothing(exchange: Exchange, what: str) -> None:
    answer = await sent(exchange)
    provider = OTHER_PROVIDER if what == "wrong provider" else PROVIDER
    changed = {
        "unknown message": replace(answer, correlation=derived_id("nothing")),
        "no message": replace(answer, correlation=None),
        "wrong provider": answer,
        "wrong epoch": replace(answer, epoch=7),
        "foreign line": replace(
            answer, reports=(*answer.reports, LineReport(line_id=derived_id("x"), event=LineEvent.ACCEPTED))
        ),
    }[what]
    result = await exchange.store.acknowledge(posted(exchange, provider=provider), changed, ())
    assert result.effect is Effectiveness.KEPT
    assert result.reasons
    assert await exchange.states(make_prescription("A")) == [LineState.WITH_PROVIDER]
    assert await exchange.alert_kinds() == ["answer-wrong-provider" if what == "wrong provider" else "answer-unbound"]


async def test_an_answer_with_an_unknown_word_is_kept_once_and_alerted_once(exchange: Exchange) -> None:
    await sent(exchange)
    issue = Issue(code="VALUE_INVALID", location="status", text="Unknown word.")
    for _ in range(3):
        result = await exchange.store.acknowledge(posted(exchange), None, (issue,))
        assert result.effect is Effectiveness.KEPT or result.effect is Effectiveness.REPEAT
    assert await exchange.alert_kinds() == ["answer-not-understood"]


async def test_an_answer_to_an_unsent_message_moves_nothing(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    (claim,) = await exchange.claim()
    result = await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    assert result.effect is Effectiveness.KEPT
    assert await exchange.states(what) == [LineState.READY]
    assert await exchange.alert_kinds() == ["answer-unexpected"]


async def test_a_callback_that_overtakes_the_response_is_not_undone(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.store.record(claim, InDoubt(reason="cut"), now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.ACCEPTED]
    assert await exchange.alert_kinds() == []
    exchange.clock.move(days=1)
    assert await exchange.claim() == []


async def test_a_late_answer_ends_a_doubt_and_its_retry(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, InDoubt(reason="cut"), now=now, retry_at=now)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    (again,) = await exchange.claim()
    assert not await exchange.store.on_wire(again, now=now)
    assert await exchange.claim() == []
    assert await exchange.states(what) == [LineState.ACCEPTED]
    assert await exchange.alert_kinds() == []


async def test_an_answer_inside_the_response_counts(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    inside = Acknowledgement(
        id="inline", correlation=None, reports=(LineReport(line_id=None, event=LineEvent.REJECTED, reason="no"),)
    )
    outcome = Taken(evidence=b"body", acknowledgement=inside)
    await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.REJECTED]
    assert await exchange.alert_kinds() == ["line-rejected"]


async def test_an_answer_inside_the_response_to_another_message_is_not_bound(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    inside = Acknowledgement(
        id="inline", correlation=derived_id("n"), reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),)
    )
    outcome = Taken(evidence=b"body", acknowledgement=inside)
    await exchange.store.record(claim, outcome, now=exchange.clock.now(), retry_at=None)
    assert await exchange.states(what) == [LineState.WITH_PROVIDER]
    assert await exchange.alert_kinds() == ["answer-unbound"]


async def test_deliveries_are_counted_to_the_last_and_one_more_is_an_incident(exchange: Exchange) -> None:
    answer = await sent(exchange, total=2)
    for number, (event, state) in enumerate(
        [
            (LineEvent.ACCEPTED, LineState.ACCEPTED),
            (LineEvent.DISPATCHED, LineState.IN_SUPPLY),
            (LineEvent.DELIVERED, LineState.IN_SUPPLY),
            (LineEvent.LAST_DELIVERED, LineState.FULFILLED),
            (LineEvent.DELIVERED, LineState.FULFILLED),
        ]
    ):
        await exchange.answer(answer.correlation, event, id=str(number))
        assert await exchange.states(make_prescription("A")) == [state]
    assert await exchange.alert_kinds() == ["safety-incident"]
    assert (await exchange.enquiries.books())["delivered"] == 1


async def test_a_withdrawn_supply_is_not_counted(exchange: Exchange) -> None:
    answer = await sent(exchange, total=1)
    for number, event in enumerate([LineEvent.DELIVERED, LineEvent.SUPPLY_WITHDRAWN]):
        await exchange.answer(answer.correlation, event, id=str(number))
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=None)
    assert view is not None
    assert (view.lines[0].state, view.lines[0].delivered) == (LineState.IN_SUPPLY, 0)


async def test_a_supply_that_overtakes_the_acceptance_is_marked_and_alerted(exchange: Exchange) -> None:
    answer = await sent(exchange)
    await exchange.answer(answer.correlation, LineEvent.DISPENSED)
    assert await exchange.states(make_prescription("A")) == [LineState.IN_SUPPLY]
    assert await exchange.alert_kinds() == ["acceptance-missing"]
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=None)
    assert view is not None
    assert "acceptance implied" in view.events[-1].text


async def test_a_supply_of_a_rejected_line_is_a_safety_incident(exchange: Exchange) -> None:
    answer = await sent(exchange)
    await exchange.answer(answer.correlation, LineEvent.REJECTED, reason="unknown patient")
    await exchange.answer(answer.correlation, LineEvent.DISPENSED)
    assert await exchange.states(make_prescription("A")) == [LineState.REJECTED]
    assert await exchange.alert_kinds() == ["safety-incident", "line-rejected"]


async def test_reports_on_single_lines_move_those_lines(exchange: Exchange) -> None:
    answer = await sent(exchange, lines=3)
    what = make_prescription("A", lines=3)
    await exchange.answer(answer.correlation, LineEvent.ACCEPTED, line_id=what.lines[0].id)
    await exchange.answer(answer.correlation, LineEvent.REJECTED, line_id=what.lines[2].id)
    assert await exchange.states(what) == [LineState.ACCEPTED, LineState.WITH_PROVIDER, LineState.REJECTED]
    (found,) = await exchange.enquiries.latest(tenant=None, limit=5)
    assert found.state is LineState.REJECTED


# Seeing


async def test_deadlines_pass_and_an_alert_silences_them(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    assert await exchange.enquiries.overdue(now=exchange.clock.now()) == ()
    (late,) = await exchange.enquiries.overdue(now=exchange.clock.move(minutes=15))
    assert (late.state, late.holder) == (LineState.READY, "gateway")
    for new in (True, False):
        opened = await exchange.store.open_alert(
            kind="overdue", subject=str(late.line_id), line_id=late.line_id, now=exchange.clock.now(), text="Late."
        )
        assert opened is new
    assert await exchange.enquiries.overdue(now=exchange.clock.now()) == ()
    books = await exchange.enquiries.books()
    assert (books["open"], books["alerted"]) == (1, 1)


async def test_what_is_overdue_is_given_by_pages_each_once_and_nothing_is_left_out(exchange: Exchange) -> None:
    for name in "ABCDE":
        await exchange.store.accept(make_acceptance(name, make_order(make_prescription(name, lines=2))))
    what = make_prescription("A")
    cancel = CancelRequest(line_id=what.lines[0].id, seen=LineState.READY, state=CancelState.ASKED)
    await exchange.store.accept(replace(make_acceptance("X"), orders=(), cancels=(cancel,)))
    now = exchange.clock.move(days=1)
    whole = await exchange.enquiries.overdue(now=now)
    assert [bool(one.asked) for one in whole] == [False] * 10 + [True]
    for size in (1, 2, 3, 10, 11):
        pages = []
        page = await exchange.enquiries.overdue(now=now, limit=size)
        while page:
            pages.append(page)
            page = await exchange.enquiries.overdue(now=now, after=page[-1], limit=size)
        assert tuple(one for page in pages for one in page) == whole
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)


async def test_a_prescription_is_found_by_each_of_its_names(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    search = exchange.enquiries.search
    for found in (
        await search(tenant=TRUST, nhs_number=str(what.patient.nhs_number)),
        await search(tenant=TRUST, number=str(what.number)),
        await search(tenant=TRUST, order_number="RXA0"),
        await search(tenant=TRUST, order_number="GRPA"),
        await exchange.enquiries.by_control_id("MSGA", tenant=TRUST),
        await exchange.enquiries.latest(tenant=PROVIDER, limit=10),
    ):
        assert [each.prescription_id for each in found] == [what.id]
    with pytest.raises(ValueError, match="exactly one"):
        await search(tenant=TRUST, nhs_number="1", number="2")


@pytest.mark.parametrize("tenant", [OTHER_TRUST, OTHER_PROVIDER])
async def test_a_foreign_prescription_looks_like_none(exchange: Exchange, tenant: OdsCode) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    assert await exchange.enquiries.search(tenant=tenant, number=str(what.number)) == ()
    assert await exchange.enquiries.latest(tenant=tenant, limit=10) == ()
    assert await exchange.enquiries.prescription(what.id, tenant=tenant) is None
    assert await exchange.enquiries.by_control_id("MSGA", tenant=tenant) == ()


async def test_a_trust_that_uses_anothers_prescription_id_sees_only_its_own(exchange: Exchange) -> None:
    theirs = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(theirs)))
    mine = replace(make_prescription("B"), id=theirs.id)
    await exchange.store.accept(make_acceptance("B", make_order(mine, salt="b"), tenant=OTHER_TRUST))
    view = await exchange.enquiries.prescription(theirs.id, tenant=OTHER_TRUST)
    assert view is not None
    assert [each.order_number for each in view.lines] == ["RXB0"]


async def test_one_prescription_is_shown_with_its_timeline(exchange: Exchange) -> None:
    answer = await sent(exchange)
    await exchange.answer(answer.correlation, LineEvent.ACCEPTED)
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=TRUST)
    assert view is not None
    assert [event.event for event in view.events] == ["received", "clear", "on_wire", "arrived", "accepted"]
    assert [event.seq for event in view.events] == [1, 2, 3, 4, 5]
    assert (view.control_id, view.format, view.source) == ("MSGA", "hl7v2", b"MSH|A")
    assert view.patient_name == "MS Aoife Mary TESTPATIENT"
    assert view.message == b'{"resourceType":"Bundle"}'
    assert view.lines[0].holder == "provider"
    assert view.lines[0].act_by == MOMENT + timedelta(days=2)


async def test_the_books_balance_after_every_kind_of_end(exchange: Exchange) -> None:
    await exchange.store.accept(make_refusal("R"))
    await exchange.store.accept(make_acceptance("H", make_incomplete("H")))
    delivered = await sent(exchange, "D", total=1)
    await exchange.answer(delivered.correlation, LineEvent.DELIVERED)
    rejected = await sent(exchange, "J")
    await exchange.answer(rejected.correlation, LineEvent.REJECTED)
    await exchange.store.accept(make_acceptance("W"))
    assert await exchange.enquiries.books() == {
        "submitted": 5,
        "refused": 1,
        "accepted": 4,
        "held": 1,
        "sent": 2,
        "acknowledged": 2,
        "rejected": 1,
        "delivered": 1,
        "closed": 0,
        "open": 3,
        "alerted": 2,
    }


async def test_readiness_names_the_settings_in_force(exchange: Exchange) -> None:
    assert await exchange.enquiries.ready()
    await exchange.store.note_access(principal="op", action="read", subject="x", now=exchange.clock.now())


async def test_what_was_proven_not_taken_does_not_count_as_sent(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    claim = await exchange.send()
    assert (await exchange.enquiries.books())["sent"] == 1
    retry_at = exchange.clock.now()
    await exchange.store.record(claim, TryLater(reason="refused"), now=exchange.clock.now(), retry_at=retry_at)
    assert (await exchange.enquiries.books())["sent"] == 0
    await exchange.send()
    assert (await exchange.enquiries.books())["sent"] == 1


# Holds and releases


def held(line: KnownLine, kind: HoldKind, state: HoldState, what: Prescription, salt: str) -> HoldRequest:
    return make_hold(LineHold(line=line, kind=kind, state=state), what, salt)


async def known_of(exchange: Exchange, what: Prescription) -> tuple[KnownLine, ...]:
    return await exchange.store.known_lines(TRUST, [], items=[each.id for each in what.lines])


async def test_a_message_waits_until_every_line_of_it_is_released(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    lines = await known_of(exchange, what)
    holds = [held(line, HoldKind.HOLD, HoldState.CONFIRMED, what, "") for line in lines]
    await exchange.store.accept(make_change("H", *holds))
    assert await exchange.states(what) == [LineState.ON_HOLD, LineState.ON_HOLD]
    assert await exchange.claim() == []
    first, second = await known_of(exchange, what)
    assert (first.before, first.hold) == (LineState.READY, None)
    await exchange.store.accept(make_change("L1", held(first, HoldKind.RELEASE, HoldState.CONFIRMED, what, "")))
    assert await exchange.claim() == []
    await exchange.store.accept(make_change("L2", held(second, HoldKind.RELEASE, HoldState.CONFIRMED, what, "")))
    assert len(await exchange.claim()) == 1


async def test_a_hold_judged_on_what_is_no_longer_so_stores_nothing(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    (line,) = await known_of(exchange, what)
    await exchange.send()
    with pytest.raises(OvertakenError):
        await exchange.store.accept(make_change("H", held(line, HoldKind.HOLD, HoldState.CONFIRMED, what, "")))
    assert await stored_answer(exchange.store, TRUST, "MSGH") is None
    assert await exchange.states(what) == [LineState.SENT]


async def test_a_hold_is_true_only_by_the_answer_that_names_it_and_its_epoch(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    order = await exchange.send()
    await exchange.store.record(order, Taken(), now=exchange.clock.now(), retry_at=None)
    (line,) = await known_of(exchange, what)
    await exchange.store.accept(make_change("H", held(line, HoldKind.HOLD, HoldState.ASKED, what, "hold")))
    sent = await exchange.send()
    assert sent.message_id != order.message_id
    (asked,) = await known_of(exchange, what)
    assert asked.hold is HoldKind.HOLD
    for correlation, provider, epoch in (
        (order.message_id, PROVIDER, None),
        (sent.message_id, OTHER_PROVIDER, None),
        (sent.message_id, PROVIDER, 2),
    ):
        result = await exchange.answer(
            correlation, LineEvent.HOLD_CONFIRMED, id=f"{correlation}{provider}{epoch}", provider=provider, epoch=epoch
        )
        assert result.effect is Effectiveness.KEPT
        assert await exchange.states(what) == [LineState.WITH_PROVIDER]
    result = await exchange.answer(sent.message_id, LineEvent.HOLD_CONFIRMED, id="held", epoch=1)
    assert result.effect is Effectiveness.APPLIED
    assert (await exchange.answer(sent.message_id, LineEvent.HOLD_CONFIRMED, id="held", epoch=1)).effect is (
        Effectiveness.REPEAT
    )
    assert await exchange.states(what) == [LineState.ON_HOLD]


async def test_held_released_and_held_again_only_the_last_hold_waits_for_its_answer(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    order = await exchange.send()
    await exchange.store.record(order, Taken(), now=exchange.clock.now(), retry_at=None)
    sent = []
    for salt, kind in (("one", HoldKind.HOLD), ("two", HoldKind.RELEASE), ("three", HoldKind.HOLD)):
        (line,) = await known_of(exchange, what)
        await exchange.store.accept(make_change(f"H{salt}", held(line, kind, HoldState.ASKED, what, salt)))
        claim = await exchange.send()
        await exchange.store.record(claim, Taken(), now=exchange.clock.now(), retry_at=None)
        sent.append(claim.message_id)
    assert (await exchange.answer(sent[0], LineEvent.HOLD_CONFIRMED, id="1")).effect is Effectiveness.KEPT
    assert await exchange.states(what) == [LineState.WITH_PROVIDER]
    assert (await exchange.answer(sent[2], LineEvent.HOLD_CONFIRMED, id="3")).effect is Effectiveness.APPLIED
    assert await exchange.states(what) == [LineState.ON_HOLD]
