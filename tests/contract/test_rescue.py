"""A supply that the trust or a backup made in the provider's place: linked, counted once, and never made twice."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.acts import Act, Expiry, Rescue
from gateway.domain.delivery import DeliveryState
from gateway.domain.fence import Holding, Withheld, decide
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.reroute import Revocation, Wanted
from tests.contract.store_engines import (
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


async def rescue(supplies: Supplies, issue: int, *, told: bool = True) -> tuple[str, ...]:
    act = Act(prescription_id=supplies.what.id, by="j.smith", reason="Ran out.", now=supplies.exchange.clock.now())
    return await supplies.exchange.store.rescue(act, Rescue(issue=issue, link="dispensary 4711", told=told))


async def test_a_rescued_issue_is_linked_and_no_longer_awaited(supplies: Supplies) -> None:
    await supplies.accepted()
    assert await rescue(supplies, 2) == ()
    assert supplies.states() == [S.PLANNED, S.RESCUED, S.PLANNED]
    ((actor, words),) = supplies.rows("SELECT actor, text FROM delivery_event WHERE event = 'rescued'")
    assert (actor, "dispensary 4711" in words, "j.smith" in words) == ("TPh", True, True)
    await supplies.say(E.DELIVERED, E.DELIVERED)
    assert await supplies.line() is LineState.FULFILLED
    assert await supplies.exchange.alert_kinds() == []


async def test_a_supply_after_all_that_was_not_rescued_is_an_incident(supplies: Supplies) -> None:
    await supplies.accepted()
    await rescue(supplies, 2)
    await supplies.say(E.DELIVERED, E.DELIVERED, E.DELIVERED)
    assert await supplies.exchange.alert_kinds() == ["safety-incident"]
    assert supplies.rows("SELECT delivered FROM line") == [(2,)]


async def test_a_supply_of_a_line_that_was_rescued_altogether_is_an_incident(supplies: Supplies) -> None:
    await supplies.accepted()
    for issue in (1, 2, 3):
        assert await rescue(supplies, issue) == ()
    await supplies.say(E.DELIVERED)
    assert await supplies.exchange.alert_kinds() == ["safety-incident"]


async def test_a_provider_that_does_not_know_of_it_is_rung(supplies: Supplies) -> None:
    await supplies.accepted()
    assert await rescue(supplies, 1, told=False) == ()
    assert await rescue(supplies, 2, told=False) == ()
    assert await supplies.exchange.alert_kinds() == ["rescue-not-told", "rescue-not-told"]


async def test_only_what_is_still_to_come_can_be_rescued_and_the_reason_is_said(supplies: Supplies) -> None:
    assert await rescue(supplies, 1) == ("this prescription has no such line: there is nothing to stand in for",)
    await supplies.accepted()
    await supplies.say(E.DELIVERED)
    assert await rescue(supplies, 1) == ("issue 1 is at its end already: delivered",)
    assert await rescue(supplies, 4) == ("the line has no issue 4: it has 3",)
    assert await rescue(supplies, 2) == ()
    assert await rescue(supplies, 2) == ("issue 2 is at its end already: rescued",)


async def test_of_several_lines_one_is_named(supplies: Supplies) -> None:
    supplies.what = make_prescription("A", lines=2, total=3)
    await supplies.accepted()
    reasons = await rescue(supplies, 1)
    assert reasons == ("more than one line of this prescription can be meant: name it with --line",)
    act = Act(prescription_id=supplies.what.id, by="j.smith", reason="Ran out.", now=supplies.exchange.clock.now())
    named = replace(act, line_id=supplies.what.lines[1].id)
    assert await supplies.exchange.store.rescue(named, Rescue(issue=1, link="4711", told=True)) == ()
    assert supplies.rows("SELECT line, issue FROM delivery WHERE state = 'RESCUED'") == [(2, 1)]


async def test_while_a_reroute_is_under_way_the_count_stands_still(supplies: Supplies) -> None:
    await supplies.accepted()
    wanted = Wanted(to=OdsCode("VN6XW"), people=("a", "b"), reason="closing")
    line = supplies.what.lines[0].id
    ask = Revocation(tenant=TRUST, line_id=line, epoch=1, message=None, wanted=wanted)
    assert await supplies.exchange.store.ask_reroute(ask) == ()
    (reason,) = await rescue(supplies, 2)
    assert "a re-route of the line is under way" in reason
    assert S.RESCUED not in supplies.states()


@pytest.mark.parametrize(("issues", "told"), [((2, 3), []), ((2,), ["2 of 3 supplies were made"])])
async def test_what_another_made_is_not_said_to_be_missing_when_the_line_expires(
    supplies: Supplies, issues: tuple[int, ...], told: list[str]
) -> None:
    await supplies.accepted()
    await supplies.say(E.DELIVERED)
    for issue in issues:
        await rescue(supplies, issue)
    now = supplies.exchange.clock.move(days=800)
    (one,) = await supplies.exchange.enquiries.expiring(now=now)
    assert await supplies.exchange.store.expire(Expiry(key=one.key, line_id=one.line_id, seen=one.state), now=now)
    texts = [text for (text,) in supplies.rows("SELECT text FROM alert WHERE kind = 'line-expired'")]
    assert [text.split("; ")[1].split(".")[0] for text in texts] == told


async def test_a_next_provider_is_given_only_what_nobody_supplied(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DELIVERED)
    await rescue(supplies, 2)
    ((held,),) = [one.lines for one in await supplies.exchange.enquiries.held(prescription_id=supplies.what.id)]
    assert (held.holding.delivered, held.holding.rescued, held.holding.left) == (1, 1, 1)
    await rescue(supplies, 3)
    ((held,),) = [one.lines for one in await supplies.exchange.enquiries.held(prescription_id=supplies.what.id)]
    now = supplies.exchange.clock.now() + timedelta(days=1)
    verdict = decide(held.holding, to=OdsCode("VN6XW"), now=now, people=("a", "b"))
    assert verdict == Withheld(reason="every supply was made")


async def held_by(supplies: Supplies) -> Holding:
    ((held,),) = [one.lines for one in await supplies.exchange.enquiries.held(prescription_id=supplies.what.id)]
    return held.holding


async def test_what_another_made_of_a_returned_line_goes_to_no_next_provider(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.DELIVERED, E.RETURNED)
    assert supplies.states() == [S.DELIVERED, S.WITHDRAWN, S.WITHDRAWN]
    assert (await held_by(supplies)).left == 2
    assert await rescue(supplies, 2) == ()
    assert (await held_by(supplies)).left == 1
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    await supplies.say(E.ACCEPTED, by=NEXT)
    assert supplies.rows("SELECT issue, state FROM delivery WHERE epoch = 2") == [(3, S.PLANNED)]
    await supplies.say(E.DELIVERED, by=NEXT)
    assert await supplies.line() is LineState.FULFILLED


async def test_a_reroute_that_was_written_before_another_made_a_supply_is_not_done(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.RETURNED)
    line = supplies.what.lines[0].id
    request = replace(request_of(supplies.what), left={line: (await held_by(supplies)).left})
    assert await rescue(supplies, 1) == ()
    assert await supplies.exchange.store.reroute(request) == ("it has moved on since it was looked at; look again",)
    again = replace(request, left={line: (await held_by(supplies)).left})
    assert await supplies.exchange.store.reroute(again) == ()


async def test_a_rest_that_will_not_come_may_be_supplied_by_another(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.SUPPLY_SHORT, E.BALANCE_WILL_NOT_COME)
    assert supplies.states() == [S.NOT_SUPPLIED, S.PLANNED, S.PLANNED]
    assert await rescue(supplies, 1) == ()
    await supplies.say(E.DELIVERED, E.DELIVERED)
    assert await supplies.line() is LineState.FULFILLED


async def test_before_the_next_provider_took_the_line_its_numbers_stay_those_of_its_message(
    supplies: Supplies,
) -> None:
    await supplies.accepted()
    await supplies.say(E.RETURNED)
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    assert await rescue(supplies, 1) == ()
    await supplies.say(E.ACCEPTED, by=NEXT)
    await supplies.say(E.DELIVERED, by=NEXT, issue=2)
    assert supplies.rows("SELECT issue, state FROM delivery WHERE epoch = 2 ORDER BY issue") == [
        (1, S.RESCUED),
        (2, S.DELIVERED),
        (3, S.PLANNED),
    ]


async def test_what_another_made_is_not_undone_when_the_next_provider_rejects_the_line(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.RETURNED)
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    await supplies.say(E.REJECTED, by=NEXT)
    assert await rescue(supplies, 1) == ()
    assert supplies.rows("SELECT issue, state FROM delivery WHERE epoch = 2 ORDER BY issue") == [
        (1, S.RESCUED),
        (2, S.WITHDRAWN),
        (3, S.WITHDRAWN),
    ]
    assert (await held_by(supplies)).left == 2


async def given(supplies: Supplies) -> None:
    """Give the line to its provider, which says nothing yet."""
    await supplies.exchange.store.accept(make_acceptance("A", make_order(supplies.what)))
    supplies.message = (await supplies.exchange.send()).message_id


async def test_a_line_that_was_rejected_before_anybody_took_it_on_may_be_rescued(supplies: Supplies) -> None:
    await given(supplies)
    await supplies.say(E.REJECTED)
    assert (await supplies.line(), supplies.states()) == (LineState.REJECTED, [])
    assert await rescue(supplies, 1) == ()
    assert supplies.states() == [S.RESCUED, S.WITHDRAWN, S.WITHDRAWN]
    assert (await held_by(supplies)).left == 2
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    supplies.message = (await supplies.exchange.send(NEXT)).message_id
    await supplies.say(E.ACCEPTED, by=NEXT)
    assert supplies.rows("SELECT issue, state FROM delivery WHERE epoch = 2") == [(2, S.PLANNED), (3, S.PLANNED)]
    await supplies.say(E.DELIVERED, E.DELIVERED, by=NEXT)
    assert await supplies.line() is LineState.FULFILLED


@pytest.mark.parametrize("told", [True, False])
async def test_a_line_that_its_provider_may_have_and_never_answered_for_may_be_rescued(
    supplies: Supplies, *, told: bool
) -> None:
    await given(supplies)
    assert await rescue(supplies, 2, told=told) == ()
    assert supplies.states() == [S.PLANNED, S.RESCUED, S.PLANNED]
    await supplies.say(E.ACCEPTED)
    assert supplies.states() == [S.PLANNED, S.RESCUED, S.PLANNED]
    assert await supplies.exchange.alert_kinds() == ([] if told else ["rescue-not-told"])
    await supplies.say(E.DELIVERED, E.DELIVERED)
    assert await supplies.line() is LineState.FULFILLED


async def test_of_an_order_that_has_not_left_nothing_is_rescued_and_it_says_what_to_do_instead(
    supplies: Supplies,
) -> None:
    await supplies.exchange.store.accept(make_acceptance("A", make_order(supplies.what)))
    (reason,) = await rescue(supplies, 1)
    assert reason.endswith("(ready to send): cancel it and prescribe what is left")
    assert supplies.states() == []


async def test_a_line_that_waits_to_leave_for_its_next_provider_is_not_rescued(supplies: Supplies) -> None:
    await supplies.accepted()
    await supplies.say(E.RETURNED)
    assert await supplies.exchange.store.reroute(request_of(supplies.what)) == ()
    (reason,) = await rescue(supplies, 1)
    assert "has not left" in reason
    assert S.RESCUED not in supplies.states()


async def test_a_line_at_its_end_of_which_nobody_took_anything_on_has_nothing_to_rescue(supplies: Supplies) -> None:
    await given(supplies)
    await supplies.say(E.REJECTED)
    supplies.exchange.clock.move(days=400)
    now = supplies.exchange.clock.now()
    (one,) = await supplies.exchange.enquiries.expiring(now=now)
    assert await supplies.exchange.store.expire(Expiry(key=one.key, line_id=one.line_id, seen=one.state), now=now)
    assert await rescue(supplies, 1) == ("no supply of the line is awaited: expired",)


async def test_the_audit_names_who_did_it_and_keeps_the_words_out(supplies: Supplies) -> None:
    await supplies.accepted()
    await rescue(supplies, 1)
    leaves = [json.loads(body) for (body,) in supplies.rows("SELECT body FROM audit_leaf")]
    (leaf,) = [leaf for leaf in leaves if leaf["kind"] == "act"]
    assert (leaf["act"], leaf["by"], leaf["issue"]) == ("rescue", "j.smith", 1)
    assert "Ran out" not in json.dumps(leaves)
    assert "4711" not in json.dumps(leaves)
