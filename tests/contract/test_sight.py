"""A provider is shown its own lines, and of each what it saw and did while it had it: no other's, nor what came after.

Everything that a provider can fetch is asked after every step of a random story: what did not concern it changes
nothing of that, and nowhere in it stands the other provider's name.
"""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, multiple, run_state_machine_as_test

from gateway.destination import Taken
from gateway.domain.acts import Act, Rescue
from gateway.domain.books import Side
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Homecare, Prescription
from gateway.domain.reroute import Reroute, Wanted
from gateway.domain.work_item import Reason
from gateway.ports.attention import AttentionQuery, WorkItem
from gateway.ports.looking_up import Key
from gateway.ports.work import Claim
from tests.contract.fetchable import fetchable, told_of
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Exchange,
    make_acceptance,
    make_order,
    make_prescription,
)
from tests.contract.test_everything_machine import EverythingMachine
from tests.contract.test_rerouting import revocation, sealed

NEXT = OdsCode("VNCEL")
S = LineState

_OF_LINE = {
    "line": "id",
    "event": "line",
    "alert": "line",
    "cancel": "line",
    "hold": "line",
    "renewal": "line",
    "delivery": "line",
    "allocation": "line",
}
_ORDERED = {"event": "seq"}
_SENT = """
SELECT message.destination, message.id, outbox.state, outbox.attempts, outbox.due_at,
    (SELECT count(*) FROM attempt WHERE attempt.outbox = outbox.id)
FROM message LEFT JOIN outbox ON outbox.message_id = message.id
"""
EXAMPLES = {"sqlite": 6, "postgres": 1}
STEPS = {"sqlite": 15, "postgres": 8}
"""Every question there is, twice, after each step."""


class SightMachine(EverythingMachine):
    """Everybody at once, and two providers that look on."""

    claims = EverythingMachine.claims

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, list[Any]] = {}
        self.held: dict[str, set[Any]] = {}
        self.own: dict[str, list[Any]] = {}
        self.shown: dict[OdsCode, dict[str, Any]] = {}
        self.unmoved = 0

    @initialize(target=EverythingMachine.claims)
    def one_line_has_gone_on_and_another_was_rejected(self) -> Any:
        """Begin where it matters: a line of two with the next provider, and one that its own has turned down."""
        exchange = Exchange(self.opened, self.clock)
        gone, back = make_prescription("A", lines=2, total=2), make_prescription("B", total=2)
        first = self.run(given(exchange, gone))
        second = self.run(moved_on(exchange, gone, line=1))
        third = self.run(given(exchange, back))
        self.run(exchange.answer(third.message_id, LineEvent.RETURNED))
        self.prescriptions += [gone, back]
        self.accepted += 2
        return multiple(first, second)

    def look(self) -> tuple[dict[Any, list[Any]], dict[str, set[Any]], dict[str, list[Any]]]:
        """Read every line with its rows, who has which, and what each provider itself said or was sent."""
        lines = defaultdict(list)
        for table, column in _OF_LINE.items():
            for row in self.rows(f"SELECT {column}, {table}.* FROM {table} ORDER BY {_ORDERED.get(table, 'id')}"):  # noqa: S608 - constants
                lines[row[0]].append((table, *row))
        held, own = defaultdict(set), defaultdict(list)
        for provider, line in self.rows("SELECT provider, line FROM allocation WHERE ended_at IS NULL"):
            held[provider].add(line)
        for row in (*self.rows("SELECT destination, id FROM callback"), *self.rows(_SENT)):
            own[row[0]].append(row)
        return lines, held, own

    @invariant()
    def only_what_concerns_a_provider_changes_what_it_can_fetch(self) -> None:
        lines, held, own = self.look()
        for provider, other in ((PROVIDER, NEXT), (NEXT, PROVIDER)):
            shown = self.run(fetchable(self.opened.enquiries, provider, self.prescriptions))
            name = provider.value
            mine = self.held.get(name, set()) | held.get(name, set())
            moved = any(self.lines.get(line) != lines.get(line) for line in mine)
            if not moved and self.own.get(name) == own.get(name) and provider in self.shown:
                self.unmoved += 1
                before = self.shown[provider]
                assert {key: one for key, one in shown.items() if one != before.get(key, one)} == {}
            assert other.value not in str(shown)
            self.shown[provider] = shown
        self.lines, self.held, self.own = lines, held, own


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_no_story_tells_a_provider_of_another_s_line_or_of_what_came_after(engine: str) -> None:
    run_state_machine_as_test(
        type("Machine", (SightMachine,), {"engine": engine}),
        settings=settings(
            max_examples=EXAMPLES[engine],
            stateful_step_count=STEPS[engine],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


async def given(exchange: Exchange, what: Prescription) -> Claim:
    """Accept an order, send it, and have its provider accept it."""
    await exchange.store.accept(make_acceptance(str(what.number), make_order(what)))
    claim = await exchange.send()
    await exchange.store.record(claim, Taken(), now=exchange.clock.move(seconds=1), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    exchange.clock.move(minutes=5)
    return claim


async def moved_on(exchange: Exchange, what: Prescription, *, line: int = 0) -> Claim:
    """Ask one line back, have it given up, give it to the next provider, and have that accept it."""
    assert await exchange.store.ask_reroute(revocation(what, line=line)) == ()
    asked = await exchange.send()
    await exchange.store.record(asked, Taken(), now=exchange.clock.move(seconds=1), retry_at=None)
    await exchange.answer(asked.message_id, LineEvent.CANCEL_CONFIRMED, reason="WE-GAVE-IT-UP")
    lines = (what.lines[line].id,)
    request = Reroute(
        tenant=TRUST,
        seen={lines[0]: 1},
        message=sealed(what, to=NEXT, epoch=2, lines=lines),
        wanted=Wanted(to=NEXT, people=("anna", "ben"), reason="WHY-IT-GOES"),
    )
    assert await exchange.store.reroute(request) == ()
    claim = await exchange.send(NEXT)
    await exchange.store.record(claim, Taken(), now=exchange.clock.move(minutes=5), retry_at=None)
    await exchange.answer(claim.message_id, LineEvent.QUERIED, provider=NEXT, reason="THEY-ASK", id="next-1")
    return claim


async def test_a_line_that_went_to_another_stays_as_it_was_left(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await given(exchange, what)
    await moved_on(exchange, what, line=1)
    view = await exchange.enquiries.prescription(what.id, tenant=PROVIDER)
    assert view is not None
    kept, left = view.lines
    assert (kept.state, kept.epoch) == (S.ACCEPTED, 1)
    assert (left.state, left.epoch, left.holder, left.act_by) == (S.RETURNED, 1, "nobody", None)
    told = [(event.event, event.state_after) for event in view.events if event.line_id == left.line_id]
    assert told[-3:] == [
        ("cancel_asked", "ACCEPTED"),
        ("cancel_confirmed", "ACCEPTED"),
        ("revoked_for_reroute", "RETURNED"),
    ]
    assert "WE-GAVE-IT-UP" in str(view)
    (found,) = await exchange.enquiries.latest(tenant=PROVIDER, limit=10)
    assert (found.destination, found.state, found.alerts) == (PROVIDER, S.RETURNED, 0)


async def test_the_next_provider_sees_its_line_alone_and_from_then_on(exchange: Exchange) -> None:
    what = replace(make_prescription("A", lines=2), homecare=Homecare(backups=(NEXT,)))
    await given(exchange, what)
    await moved_on(exchange, what, line=1)
    read = await exchange.enquiries.dossier(what.id, tenant=NEXT)
    assert read is not None
    view, dossier = read
    assert [(one.line_id, one.state, one.epoch) for one in view.lines] == [(what.lines[1].id, S.QUERIED, 2)]
    assert [event.event for event in view.events] == ["on_wire", "arrived", "queried"]
    assert set(dossier.events) == {event.seq for event in view.events}
    assert dossier.document is not None
    assert [line.id for line in dossier.document.lines] == [what.lines[1].id]
    assert dossier.document.homecare.backups == ()
    assert [one.destination for one in dossier.messages] == [NEXT]
    assert [one.destination for one in dossier.answers] == [NEXT]
    assert dossier.cancels == {}
    (found,) = await exchange.enquiries.latest(tenant=NEXT, limit=10)
    assert found.medicines == (what.lines[1].product.display,)


async def test_neither_name_nor_word_of_the_other_is_in_anything_it_can_fetch(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await given(exchange, what)
    await moved_on(exchange, what, line=1)
    days = [exchange.clock.now().date()]
    shown = {who: str(await fetchable(exchange.enquiries, who, [what], days=days)) for who in (PROVIDER, NEXT)}
    assert [word in shown[PROVIDER] for word in (NEXT.value, "WHY-IT-GOES", "THEY-ASK", "anna")] == [False] * 4
    assert [word in shown[NEXT] for word in (PROVIDER.value, "WHY-IT-GOES", "WE-GAVE-IT-UP", "anna")] == [False] * 4
    whole = str(await fetchable(exchange.enquiries, TRUST, [what]))
    assert [word in whole for word in (NEXT.value, PROVIDER.value, "WHY-IT-GOES", "THEY-ASK")] == [True] * 4


async def test_its_own_late_answer_is_shown_without_where_the_line_is_by_then(exchange: Exchange) -> None:
    what = make_prescription("A")
    claim = await given(exchange, what)
    await moved_on(exchange, what)
    before = await exchange.enquiries.prescription(what.id, tenant=NEXT)
    await exchange.answer(claim.message_id, LineEvent.DISPATCHED, reason="ON-ITS-WAY", id="late")
    view = await exchange.enquiries.prescription(what.id, tenant=PROVIDER)
    assert view is not None
    last = view.events[-1]
    assert (last.event, last.state_before, last.state_after) == ("dispatched", "", "")
    assert "ON-ITS-WAY" in last.text
    assert "nothing moved" not in last.text
    assert view.lines[0].state is S.RETURNED
    assert await exchange.enquiries.prescription(what.id, tenant=NEXT) == before


async def test_what_never_reached_it_is_gone_for_it_once_it_is_another_s(exchange: Exchange) -> None:
    what = make_prescription("A")
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    assert await exchange.enquiries.prescription(what.id, tenant=PROVIDER) is not None
    request = Reroute(
        tenant=TRUST,
        seen={what.lines[0].id: 1},
        message=sealed(what, to=NEXT, epoch=2),
        wanted=Wanted(to=NEXT, people=("anna", "ben"), reason="r"),
    )
    assert await exchange.store.reroute(request) == ()
    assert await exchange.enquiries.prescription(what.id, tenant=PROVIDER) is None
    assert await exchange.enquiries.latest(tenant=PROVIDER, limit=10) == ()
    assert (await exchange.enquiries.look_up(Key.ID, str(what.id), tenant=PROVIDER)).total == 0


async def test_a_number_of_another_s_line_finds_nothing(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await given(exchange, what)
    await moved_on(exchange, what, line=1)
    for key, own, other in (
        (Key.ORDER_NUMBER, what.lines[1].order_number, what.lines[0].order_number),
        (Key.ID, str(what.lines[1].id), str(what.lines[0].id)),
    ):
        assert (await exchange.enquiries.look_up(key, own, tenant=NEXT)).total == 1
        assert (await exchange.enquiries.look_up(key, other, tenant=NEXT)).total == 0
        assert (await exchange.enquiries.look_up(key, other, tenant=PROVIDER)).total == 1
    assert await exchange.enquiries.search(tenant=NEXT, order_number=what.lines[0].order_number) == ()


async def test_pages_that_stay_open_are_told_of_their_own_alone(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await given(exchange, what)
    claim = await moved_on(exchange, what, line=1)
    since = await exchange.enquiries.newest_change()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, provider=NEXT, id="next-2")
    assert await told_of(exchange.enquiries, PROVIDER, since=since) == []
    assert [one for _, one in await told_of(exchange.enquiries, NEXT, since=since)] == [str(what.id)]
    assert await told_of(exchange.enquiries, TRUST, since=since) == await told_of(exchange.enquiries, NEXT, since=since)


async def test_its_own_list_of_a_day_says_how_its_time_ended(exchange: Exchange) -> None:
    what = make_prescription("A", lines=2)
    await given(exchange, what)
    await moved_on(exchange, what, line=1)
    listed = await exchange.enquiries.listed(PROVIDER, side=Side.PROVIDER, day=exchange.clock.now().date())
    assert [(row.epoch, row.state) for row in listed.rows] == [(1, "ACCEPTED"), (1, "RETURNED")]
    listed = await exchange.enquiries.listed(NEXT, side=Side.PROVIDER, day=exchange.clock.now().date())
    assert [(row.epoch, row.state) for row in listed.rows] == [(2, "QUERIED")]


async def test_a_supply_in_its_place_at_the_moment_of_its_end_came_after_it(exchange: Exchange) -> None:
    what = make_prescription("A", total=2)
    claim = await given(exchange, what)
    await exchange.answer(claim.message_id, LineEvent.RETURNED)
    before = await exchange.enquiries.dossier(what.id, tenant=PROVIDER)
    act = Act(prescription_id=what.id, by="j.smith", reason="Ran out.", now=exchange.clock.now())
    assert await exchange.store.rescue(act, Rescue(issue=2, link="dispensary 4711", told=True)) == ()
    assert await exchange.enquiries.dossier(what.id, tenant=PROVIDER) == before


async def test_a_line_was_sent_when_whoever_has_it_was_sent_it_not_when_another_was(exchange: Exchange) -> None:
    what = make_prescription("A")
    await given(exchange, what)
    given_on = exchange.clock.now()
    await moved_on(exchange, what)
    for who in (TRUST, NEXT):
        found = await exchange.enquiries.needs_attention(
            tenant=who, query=AttentionQuery(reason=Reason.QUESTION), now=exchange.clock.now()
        )
        (row,) = found.rows
        assert isinstance(row, WorkItem)
        assert row.line is not None
        assert row.line.first_sent_at is not None
        assert row.line.first_sent_at > given_on
