"""Reports that number the supply they speak of, and the words for a delivery that is put off or being made up."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.acts import Act, Rescue
from gateway.domain.delivery import DeliveryState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.ports.work import News
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)
from tests.contract.test_deliveries import Supplies
from tests.contract.test_rerouting import NEXT, request_of

S = DeliveryState
E = LineEvent


@pytest.fixture
def supplies(exchange: Exchange) -> Supplies:
    return Supplies(exchange, total=3)


async def say(supplies: Supplies, name: str, report: LineReport, *, by: OdsCode = PROVIDER) -> CallbackResult:
    answer = Acknowledgement(id=name, correlation=supplies.message, reports=(report,))
    at = supplies.exchange.clock.now()
    callback = Callback(destination=by, received_at=at, content_type="", body=name.encode())
    return await supplies.exchange.store.acknowledge(callback, answer, ())


def of(event: LineEvent, issue: int | None = None, *, left: int | None = None, in_full: bool = False) -> LineReport:
    return LineReport(line_id=None, event=event, issue=issue, supplies_left=left, in_full=in_full)


@pytest.mark.parametrize(
    ("report", "states"),
    [
        (of(E.DISPENSED, 2), [S.PLANNED, S.READY_TO_GO, S.PLANNED]),
        (of(E.DELIVERED, 3), [S.PLANNED, S.PLANNED, S.DELIVERED]),
        (of(E.DISPATCHED, left=1), [S.PLANNED, S.DISPATCHED, S.PLANNED]),
        (of(E.DISPENSED, 1, left=2), [S.READY_TO_GO, S.PLANNED, S.PLANNED]),
        (of(E.DISPENSING_STARTED, 3), [S.PLANNED, S.PLANNED, S.PREPARING]),
        (of(E.POSTPONED), [S.BOOKED, S.PLANNED, S.PLANNED]),
    ],
)
async def test_a_report_moves_the_issue_it_numbers(
    supplies: Supplies, report: LineReport, states: list[DeliveryState]
) -> None:
    await supplies.accepted()
    assert (await say(supplies, "n", report)).effect is Effectiveness.APPLIED
    assert supplies.states() == states
    assert await supplies.line() is LineState.IN_SUPPLY


async def test_what_a_trust_is_told_of_a_supply_says_which_it_is(supplies: Supplies) -> None:
    await supplies.accepted()
    for name, report in {"a": of(E.DELIVERED, 2), "b": of(E.SUPPLY_SHORT, 3)}.items():
        assert (await say(supplies, name, report)).effect is Effectiveness.APPLIED
    exchange = supplies.exchange
    told = {news.event: news for tell in await exchange.claim(TRUST) for news in await _news(exchange, tell.news)}
    numbers = {event: (news.issue, news.total) for event, news in told.items()}
    assert numbers == {E.ACCEPTED: (0, 3), E.DELIVERED: (2, 3), E.SUPPLY_SHORT: (3, 3)}


async def _news(exchange: Exchange, seq: int | None) -> list[News]:
    return [await exchange.enquiries.news(seq)] if seq is not None else []


@pytest.mark.parametrize("report", [of(E.DELIVERED, 4), of(E.DELIVERED, left=3), of(E.DELIVERED, 1, left=1)])
async def test_a_number_that_no_supply_has_moves_nothing_and_is_told(supplies: Supplies, report: LineReport) -> None:
    await supplies.accepted()
    assert (await say(supplies, "n", report)).effect is Effectiveness.KEPT
    assert (supplies.states(), await supplies.line()) == ([S.PLANNED] * 3, LineState.ACCEPTED)
    assert await supplies.exchange.alert_kinds() == ["answer-unexpected"]


async def test_one_issue_reported_twice_under_two_names_counts_once(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.DELIVERED, 1))
    assert (await say(supplies, "b", of(E.DELIVERED, 1))).effect is Effectiveness.KEPT
    assert supplies.rows("SELECT delivered FROM line") == [(1,)]
    assert await supplies.exchange.alert_kinds() == ["answer-unexpected"]


async def test_a_step_that_is_old_news_disturbs_nobody(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.DISPATCHED, 1))
    await say(supplies, "b", of(E.DISPENSED, 1))
    assert supplies.states() == [S.DISPATCHED, S.PLANNED, S.PLANNED]
    assert await supplies.exchange.alert_kinds() == []


async def test_a_supply_of_an_issue_that_another_made_is_an_incident_and_not_the_next_one(supplies: Supplies) -> None:
    await supplies.accepted()
    act = Act(prescription_id=supplies.what.id, by="j.smith", reason="out", now=supplies.exchange.clock.now())
    await supplies.exchange.store.rescue(act, Rescue(issue=1, link="x", told=True))
    await say(supplies, "a", of(E.DELIVERED, 1))
    assert supplies.states() == [S.RESCUED, S.PLANNED, S.PLANNED]
    assert await supplies.exchange.alert_kinds() == ["safety-incident"]
    assert supplies.rows("SELECT delivered FROM line") == [(0,)]


async def test_one_issue_that_will_not_come_leaves_the_line_where_it_is(supplies: Supplies) -> None:
    await supplies.accepted()
    assert (await say(supplies, "a", of(E.NOT_SUPPLIED, 2))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (LineState.ACCEPTED, [S.PLANNED, S.NOT_SUPPLIED, S.PLANNED])
    assert await supplies.exchange.alert_kinds() == ["issue-not-supplied"]
    assert (await say(supplies, "a", of(E.NOT_SUPPLIED, 2))).effect is Effectiveness.REPEAT
    await say(supplies, "b", of(E.DELIVERED, 1))
    await say(supplies, "c", of(E.DELIVERED, 3))
    assert await supplies.line() is LineState.FULFILLED


async def test_each_rest_that_will_not_come_has_an_alert_of_its_own(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME, E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME)
    assert await supplies.exchange.alert_kinds() == ["balance-will-not-come", "balance-will-not-come"]


async def test_each_issue_that_will_not_come_has_an_alert_of_its_own(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.NOT_SUPPLIED, 3))
    await say(supplies, "b", of(E.NOT_SUPPLIED, 2))
    assert await supplies.exchange.alert_kinds() == ["issue-not-supplied", "issue-not-supplied"]


@pytest.mark.parametrize("report", [of(E.DELIVERED, 1), of(E.DELIVERED, in_full=True)], ids=["numbered", "in full"])
async def test_a_delivery_of_the_issue_that_owes_a_rest_is_the_rest(supplies: Supplies, report: LineReport) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT))
    assert (await say(supplies, "b", report)).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (LineState.IN_SUPPLY, [S.DELIVERED, S.PLANNED, S.PLANNED])


STEPS = [E.DELIVERED, E.DISPENSED, E.DISPATCHED, E.DISPENSING_STARTED, E.DELIVERY_FAILED, E.SUPPLY_SHORT]


@pytest.mark.parametrize("event", STEPS)
async def test_a_step_that_may_be_of_another_issue_than_the_one_that_owes_moves_neither(
    supplies: Supplies, event: LineEvent
) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT))
    assert (await say(supplies, "b", of(event))).effect is Effectiveness.KEPT
    assert (await supplies.line(), supplies.states()) == (LineState.PART_SUPPLIED, [S.PREPARING, S.PLANNED, S.PLANNED])
    assert await supplies.exchange.alert_kinds() == ["answer-unexpected"]


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (E.SUPPLY_PLANNED, S.BOOKED),
        (E.DISPENSING_STARTED, S.PREPARING),
        (E.DISPENSED, S.READY_TO_GO),
        (E.DISPATCHED, S.DISPATCHED),
        (E.DELIVERED, S.DELIVERED),
        (E.DELIVERY_FAILED, S.FAILED),
        (E.SUPPLY_SHORT, S.PREPARING),
    ],
)
async def test_while_a_rest_is_owed_another_issue_moves_by_its_number(
    supplies: Supplies, event: LineEvent, state: DeliveryState
) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    assert (await say(supplies, "b", of(event, 2))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (LineState.PART_SUPPLIED, [S.PREPARING, state, S.PLANNED])
    assert await supplies.exchange.alert_kinds() == []


async def test_what_another_issue_does_puts_the_day_of_the_rest_off_for_nobody(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    due = supplies.rows("SELECT act_by FROM line")
    supplies.exchange.clock.move(days=2)
    await say(supplies, "b", of(E.DELIVERED, 2))
    assert supplies.rows("SELECT act_by FROM line") == due


async def test_supplies_that_came_beside_an_owed_rest_are_counted_and_the_rest_completes_the_line(
    supplies: Supplies,
) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    for issue in (3, 2):
        await say(supplies, f"d{issue}", of(E.DELIVERED, issue))
    assert supplies.rows("SELECT delivered FROM line") == [(2,)]
    assert (await say(supplies, "r", of(E.BALANCE_SUPPLIED, 1))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (LineState.FULFILLED, [S.DELIVERED] * 3)
    assert await supplies.exchange.alert_kinds() == []


async def test_beside_an_owed_rest_a_numbered_supply_keeps_no_next_provider_waiting(supplies: Supplies) -> None:
    await supplies.accepted()
    for number, report in enumerate([of(E.SUPPLY_SHORT, 1), of(E.DELIVERED, 2), of(E.BALANCE_SUPPLIED, 1)]):
        await say(supplies, f"r{number}", report)
    await say(supplies, "back", of(E.RETURNED))
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()


async def owing_two(supplies: Supplies) -> None:
    """Have two issues owe a rest: the first was settled, and that was taken back when the second was short."""
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    await say(supplies, "b", of(E.BALANCE_SUPPLIED, 1))
    await say(supplies, "c", of(E.SUPPLY_SHORT, 2))
    assert (await take_back(supplies, "w", "b")).effect is Effectiveness.APPLIED
    assert supplies.rows("SELECT owed FROM delivery ORDER BY issue") == [(1,), (1,), (0,)]


@pytest.mark.parametrize("rests", [(1, 2), (2, 1), (None, None)], ids=["first", "second", "not numbered"])
async def test_of_two_rests_that_are_owed_each_is_supplied_and_the_line_waits_for_both(
    supplies: Supplies, rests: tuple[int | None, int | None]
) -> None:
    await owing_two(supplies)
    assert (await say(supplies, "r1", of(E.BALANCE_SUPPLIED, rests[0]))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.rows("SELECT delivered FROM line")) == (LineState.PART_SUPPLIED, [(1,)])
    assert (await say(supplies, "r2", of(E.BALANCE_SUPPLIED, rests[1]))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.rows("SELECT delivered FROM line")) == (LineState.IN_SUPPLY, [(2,)])
    assert supplies.states() == [S.DELIVERED, S.DELIVERED, S.PLANNED]
    assert await supplies.exchange.alert_kinds() == []


async def test_of_two_rests_one_that_was_supplied_may_be_taken_back_again(supplies: Supplies) -> None:
    await owing_two(supplies)
    await say(supplies, "r1", of(E.BALANCE_SUPPLIED, 1))
    assert (await take_back(supplies, "x", "r1")).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.rows("SELECT delivered FROM line")) == (LineState.PART_SUPPLIED, [(0,)])
    assert supplies.rows("SELECT owed FROM delivery ORDER BY issue") == [(1,), (1,), (0,)]


@pytest.mark.parametrize("event", [E.BALANCE_WILL_NOT_COME, E.NOT_SUPPLIED])
async def test_of_two_rests_one_that_will_not_come_leaves_the_other_owed(supplies: Supplies, event: LineEvent) -> None:
    await owing_two(supplies)
    assert (await say(supplies, "n", of(event, 1))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (
        LineState.PART_SUPPLIED,
        [S.NOT_SUPPLIED, S.PREPARING, S.PLANNED],
    )
    assert await supplies.exchange.alert_kinds() == ["balance-will-not-come"]
    assert (await say(supplies, "r", of(E.BALANCE_SUPPLIED, 2))).effect is Effectiveness.APPLIED
    await say(supplies, "d", of(E.DELIVERED, 3))
    assert await supplies.line() is LineState.FULFILLED


async def test_a_step_that_was_old_news_keeps_no_next_provider_waiting(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.DISPATCHED, 1))
    await say(supplies, "b", of(E.DELIVERED, 1))
    for number, event in enumerate((E.DISPENSED, E.DISPATCHED)):
        assert (await say(supplies, f"old{number}", of(event, 1))).effect is Effectiveness.KEPT
    await say(supplies, "back", of(E.RETURNED))
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()


async def test_a_short_supply_whose_rest_another_made_keeps_no_next_provider_waiting(supplies: Supplies) -> None:
    await supplies.accepted()
    for number, report in enumerate([of(E.SUPPLY_SHORT, 1), of(E.BALANCE_WILL_NOT_COME, 1), of(E.RETURNED)]):
        await say(supplies, f"r{number}", report)
    (reason,) = await supplies.exchange.store.reroute(request_of(supplies.what))
    assert "must be prescribed anew" in reason
    act = Act(prescription_id=supplies.what.id, by="j.smith", reason="out", now=supplies.exchange.clock.now())
    assert await supplies.exchange.store.rescue(act, Rescue(issue=1, link="their note", told=True)) == ()
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()


@pytest.mark.parametrize("event", [E.BALANCE_SUPPLIED, E.BALANCE_WILL_NOT_COME])
async def test_a_rest_that_numbers_an_issue_which_owes_none_leaves_the_owed_one_owed(
    supplies: Supplies, event: LineEvent
) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    assert (await say(supplies, "b", of(event, 2))).effect is Effectiveness.KEPT
    assert (await supplies.line(), supplies.states()) == (LineState.PART_SUPPLIED, [S.PREPARING, S.PLANNED, S.PLANNED])
    assert await supplies.exchange.alert_kinds() == ["answer-unexpected"]
    assert (await say(supplies, "c", of(event, 1))).effect is Effectiveness.APPLIED
    assert await supplies.line() is LineState.IN_SUPPLY


async def test_an_issue_in_part_supplied_whose_rest_will_not_come_keeps_no_other_waiting(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    assert (await say(supplies, "b", of(E.NOT_SUPPLIED, 1))).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()[0]) == (LineState.IN_SUPPLY, S.NOT_SUPPLIED)
    assert await supplies.exchange.alert_kinds() == ["balance-will-not-come"]
    assert (await say(supplies, "b", of(E.NOT_SUPPLIED, 1))).effect is Effectiveness.REPEAT
    for issue in (2, 3):
        await say(supplies, f"d{issue}", of(E.DELIVERED, issue))
    assert await supplies.line() is LineState.FULFILLED


async def test_of_a_line_that_was_given_back_no_single_issue_is_lost(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.DISPATCHED, 1))
    await say(supplies, "b", of(E.RETURNED))
    assert (await say(supplies, "c", of(E.NOT_SUPPLIED, 2))).effect is Effectiveness.KEPT
    assert "issue-not-supplied" not in await supplies.exchange.alert_kinds()


async def test_a_next_provider_may_supply_the_issue_that_the_earlier_one_would_not(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.NOT_SUPPLIED, 2))
    await say(supplies, "b", of(E.RETURNED))
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    assert (await say(supplies, "c", of(E.DELIVERED, 2), by=NEXT)).effect is Effectiveness.APPLIED
    assert supplies.rows("SELECT issue, state FROM delivery WHERE epoch = 2 ORDER BY issue") == [
        (1, S.PLANNED),
        (2, S.DELIVERED),
        (3, S.PLANNED),
    ]
    assert supplies.rows("SELECT delivered FROM line") == [(1,)]


async def test_a_postponed_delivery_keeps_its_first_day_and_says_who_asked(supplies: Supplies) -> None:
    await supplies.accepted()
    first = replace(of(E.SUPPLY_PLANNED, 1), supplied_at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    later = replace(of(E.POSTPONED, 1), supplied_at=datetime(2026, 12, 9, 9, tzinfo=UTC), reason="on holiday")
    await say(supplies, "a", first)
    await say(supplies, "b", later)
    assert supplies.rows("SELECT state, agreed_first, agreed_for FROM delivery WHERE issue = 1") == [
        (S.BOOKED, "2026-12-01", "2026-12-09")
    ]
    assert supplies.rows("SELECT text FROM delivery_event WHERE event = 'postponed'") == [("asked for by the patient",)]
    assert supplies.rows("SELECT reason FROM event WHERE event = 'postponed'") == [("on holiday",)]


async def test_an_issue_may_be_numbered_before_the_acceptance_came(supplies: Supplies) -> None:
    await supplies.exchange.store.accept(make_acceptance("A", make_order(supplies.what)))
    supplies.message = (await supplies.exchange.send()).message_id
    await say(supplies, "a", of(E.DISPATCHED, 2))
    assert supplies.states() == [S.PLANNED, S.DISPATCHED, S.PLANNED]
    assert "acceptance-missing" in await supplies.exchange.alert_kinds()


@pytest.mark.parametrize(
    "reports",
    [
        [of(E.DISPATCHED, 1), of(E.DISPATCHED, 2), of(E.DELIVERED, 1)],
        [of(E.DISPATCHED), of(E.DISPATCHED), of(E.DELIVERED)],
        [of(E.SUPPLY_SHORT, 1), of(E.DELIVERED, 2)],
    ],
    ids=["numbered", "not numbered", "short, and another came"],
)
async def test_no_next_provider_has_a_line_of_which_one_supply_is_on_its_way_and_another_arrived(
    supplies: Supplies, reports: list[LineReport]
) -> None:
    await supplies.accepted()
    for number, report in enumerate((*reports, of(E.RETURNED))):
        await say(supplies, f"r{number}", report)
    assert await supplies.line() is LineState.RETURNED
    (reason,) = await supplies.exchange.store.reroute(request_of(supplies.what))
    assert "a supply " in reason


async def test_no_next_provider_has_a_line_of_which_a_supply_was_reported_and_not_counted_until_a_person_ruled(
    supplies: Supplies,
) -> None:
    supplies.what = make_prescription("A", total=4)
    await supplies.accepted()
    reports = [of(E.SUPPLY_SHORT, 1), of(E.DELIVERED), of(E.BALANCE_SUPPLIED, 1), of(E.DELIVERED, 3), of(E.RETURNED)]
    effects = [(await say(supplies, f"r{number}", report)).effect for number, report in enumerate(reports)]
    assert effects[1] is Effectiveness.KEPT
    assert supplies.states() == [S.DELIVERED, S.WITHDRAWN, S.DELIVERED, S.WITHDRAWN]
    (reason,) = await supplies.exchange.store.reroute(request_of(supplies.what))
    assert "reported and not counted" in reason
    now = supplies.exchange.clock.now()
    act = Act(prescription_id=supplies.what.id, by="j.smith", reason="rang", now=now)
    assert await supplies.exchange.store.rescue(act, Rescue(issue=2, link="their note", told=True)) == ()
    ((alert,),) = supplies.rows("SELECT id FROM alert WHERE kind = 'answer-unexpected'")
    assert await supplies.exchange.store.close_alert(alert, by="j.smith", reason="recorded", now=now)
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    await say(supplies, "n", of(E.ACCEPTED), by=NEXT)
    assert supplies.rows("SELECT issue FROM delivery WHERE epoch = 2") == [(4,)]


async def take_back(supplies: Supplies, name: str, earlier: str, *reports: LineReport) -> CallbackResult:
    said = reports or (of(E.SUPPLY_WITHDRAWN),)
    correlation = supplies.message if reports else None
    answer = Acknowledgement(id=name, correlation=correlation, reports=said, replaces=earlier)
    at = supplies.exchange.clock.now()
    callback = Callback(destination=PROVIDER, received_at=at, content_type="", body=name.encode())
    return await supplies.exchange.store.acknowledge(callback, answer, ())


async def test_an_amended_report_takes_back_the_issue_it_was_of_and_not_the_latest(supplies: Supplies) -> None:
    await supplies.accepted()
    for issue in (1, 2):
        await say(supplies, f"n{issue}", of(E.DELIVERED, issue))
    assert (await take_back(supplies, "w", "n1", of(E.DELIVERED, 1))).effect is Effectiveness.APPLIED
    assert supplies.states() == [S.DELIVERED, S.DELIVERED, S.PLANNED]
    assert supplies.rows("SELECT delivered FROM line") == [(2,)]
    assert await supplies.exchange.alert_kinds() == []


async def test_a_withdrawn_report_opens_its_own_issue_whatever_was_delivered_since(supplies: Supplies) -> None:
    await supplies.accepted()
    for issue in (3, 1, 2):
        await say(supplies, f"n{issue}", of(E.DELIVERED, issue))
    assert (await take_back(supplies, "w", "n3")).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (LineState.IN_SUPPLY, [S.DELIVERED, S.DELIVERED, S.PLANNED])


async def test_a_withdrawn_rest_is_owed_again_though_another_issue_came_since(supplies: Supplies) -> None:
    await supplies.accepted()
    await say(supplies, "a", of(E.SUPPLY_SHORT, 1))
    await say(supplies, "b", of(E.DELIVERED, 1))
    await say(supplies, "c", of(E.DELIVERED, 2))
    assert (await take_back(supplies, "w", "b")).effect is Effectiveness.APPLIED
    assert (await supplies.line(), supplies.states()) == (
        LineState.PART_SUPPLIED,
        [S.PREPARING, S.DELIVERED, S.PLANNED],
    )
    assert supplies.rows("SELECT owed FROM delivery ORDER BY issue") == [(1,), (0,), (0,)]
