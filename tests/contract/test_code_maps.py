"""Codes, entries and held orders read again, on every engine: what commits together, and what happens once."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from gateway.domain.code_map import ApprovedEntry, MapKind, RereadState, UnknownCode
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.proposal import Proposal
from gateway.domain.submission import Outcome
from gateway.ports.acceptance import AcceptedOrder, OvertakenError
from gateway.ports.code_maps import Approval, HeldCode, Reread
from tests.contract.store_engines import (
    PROVIDER,
    REFUSED,
    TRUST,
    Exchange,
    make_acceptance,
    make_incomplete,
    make_order,
    make_prescription,
)

CODE = UnknownCode(
    kind=MapKind.DRUG, code="MTX10", text="Methotrexate 10 mg", system="99LOC", location="RXE[1]-2", issue="X"
)
TARGET = Coding(system=SNOMED, code="15517911000001104", display="Methotrexate 10mg syringes")
OTHER = OdsCode("RZA")


async def hold(exchange: Exchange, name: str = "A", *, tenant: OdsCode = TRUST, code: UnknownCode = CODE) -> None:
    order = make_order(make_prescription(name), state=LineState.HELD)
    await exchange.store.accept(make_acceptance(name, replace(order, unknown=(code,)), tenant=tenant))


async def propose(exchange: Exchange, held: HeldCode, by: str = "one") -> UUID:
    now = exchange.clock.now()
    proposal = Proposal(
        id=uuid4(),
        kind="map-entry",
        subject=str(held.code_id),
        payload=b"{}",
        tenant=held.trust,
        by=by,
        reason="The label.",
        at=now,
        expires_at=now + timedelta(days=1),
    )
    assert await exchange.store.propose(proposal) == ()
    return proposal.id


async def approve(exchange: Exchange, by: str = "two") -> ApprovedEntry | tuple[str, ...]:
    (held,) = await exchange.enquiries.held_codes(tenant=TRUST)
    proposal = await propose(exchange, held)
    return await exchange.store.approve_entry(
        Approval(proposal=proposal, trust=TRUST, unknown=held.unknown, target=TARGET, by=by, now=exchange.clock.now())
    )


def understood(name: str = "A", *, state: LineState = LineState.READY) -> AcceptedOrder:
    return make_order(make_prescription(name), state=state)


async def finish(exchange: Exchange, order: AcceptedOrder | None, **change: object) -> RereadState:
    (task,) = await exchange.enquiries.rereads_waiting(limit=9)
    values = {"task": task.number, "order": order, "now": exchange.clock.now(), **change}
    return await exchange.store.finish_reread(Reread(**values))  # type: ignore[arg-type]


async def test_a_code_is_counted_once_an_order_and_shown_to_its_own_trust_alone(exchange: Exchange) -> None:
    await hold(exchange, "A")
    await hold(exchange, "B")
    (held,) = await exchange.enquiries.held_codes(tenant=TRUST)
    assert (held.seen, held.waiting, held.unknown.text) == (2, 2, "Methotrexate 10 mg")
    assert await exchange.enquiries.held_codes(tenant=OTHER) == ()
    assert await exchange.enquiries.held_code(held.code_id, tenant=OTHER) is None
    assert await exchange.enquiries.waiting_orders(held.code_id, tenant=OTHER) == ()
    assert len(await exchange.enquiries.waiting_orders(held.code_id, tenant=TRUST)) == 2


async def test_the_same_code_with_other_words_is_another_code(exchange: Exchange) -> None:
    await hold(exchange, "A")
    await hold(exchange, "B", code=replace(CODE, text="Methotrexate 50 mg"))
    assert len(await exchange.enquiries.held_codes(tenant=TRUST)) == 2


async def test_an_approved_entry_has_a_number_and_makes_one_task_an_order(exchange: Exchange) -> None:
    await hold(exchange, "A")
    await hold(exchange, "B")
    entry = await approve(exchange)
    assert isinstance(entry, ApprovedEntry)
    assert (entry.proposed_by, entry.approved_by, entry.entry.version) == ("one", "two", f"v{entry.number}")
    tasks = await exchange.enquiries.rereads_waiting(limit=9)
    assert [task.entry for task in tasks] == [entry.number] * 2
    assert await exchange.enquiries.held_codes(tenant=TRUST) == ()
    assert await exchange.enquiries.approved_entries() == (entry,)


async def test_one_person_is_not_two_and_nothing_is_written(exchange: Exchange) -> None:
    await hold(exchange)
    refused = await approve(exchange, by="ONE")
    assert isinstance(refused, tuple)
    assert await exchange.enquiries.approved_entries() == ()
    assert await exchange.enquiries.rereads_waiting(limit=9) == ()


async def test_the_database_itself_refuses_one_person_and_a_changed_entry(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    for sql in (
        "UPDATE code_map_entry SET target_code = 'x'",
        "DELETE FROM code_map_entry",
        "UPDATE unknown_code SET text = 'x'",
        "DELETE FROM unknown_code",
        "UPDATE code_map_entry SET approved_by = 'ONE'",
        "DELETE FROM reread",
    ):
        with pytest.raises(REFUSED):
            exchange.opened.raw.execute(sql)


async def test_an_order_that_was_let_go_cannot_be_understood_anew(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    assert await finish(exchange, understood()) is RereadState.RELEASED
    with pytest.raises(REFUSED):
        exchange.opened.raw.execute("UPDATE prescription SET number = 'x'")


async def test_an_order_that_nobody_reads_again_cannot_be_understood_anew(exchange: Exchange) -> None:
    await hold(exchange)
    with pytest.raises(REFUSED):
        exchange.opened.raw.execute("UPDATE prescription SET number = 'x'")


async def test_a_released_order_is_queued_once_and_moves_by_the_lifecycle(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    assert await finish(exchange, understood()) is RereadState.RELEASED
    prescription = make_prescription("A")
    assert await exchange.states(prescription) == [LineState.READY]
    assert len(await exchange.claim(PROVIDER)) == 1
    view = await exchange.enquiries.prescription(prescription.id, tenant=TRUST)
    assert view is not None
    (moved,) = [event for event in view.events if event.event == "map_approved"]
    assert (moved.state_before, moved.state_after, moved.actor) == ("HELD", "READY", "MAP")
    assert "one and two" in moved.text
    assert "line-held" not in await exchange.alert_kinds()


async def test_the_same_result_twice_is_done_once(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    (task,) = await exchange.enquiries.rereads_waiting(limit=9)
    reread = Reread(task=task.number, order=understood(), now=exchange.clock.now())
    assert await exchange.store.finish_reread(reread) is RereadState.RELEASED
    assert await exchange.store.finish_reread(reread) is RereadState.RELEASED
    assert len(await exchange.claim(PROVIDER)) == 1


async def test_what_waits_for_a_check_gets_no_outbox_row(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    waiting = replace(understood(), state=LineState.AWAITING_SCREENING)
    assert await finish(exchange, waiting) is RereadState.RELEASED
    assert await exchange.states(make_prescription("A")) == [LineState.AWAITING_SCREENING]
    assert await exchange.claim(PROVIDER) == []


async def test_what_is_still_held_says_for_what_and_keeps_what_it_was(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    held = understood(state=LineState.HELD)
    verdict = replace(held.verdict, issues=(Issue(code="DOSE_CONFLICT", location="RXE[1]-3", text="Two doses."),))
    state = await finish(exchange, replace(held, verdict=verdict), outcome="DOSE_CONFLICT")
    assert state is RereadState.STILL_HELD
    view = await exchange.enquiries.prescription(make_prescription("A").id, tenant=TRUST)
    assert view is not None
    assert [issue.code for issue in view.issues] == ["DOSE_CONFLICT"]
    assert "still held: DOSE_CONFLICT" in view.events[-1].text
    ((before,),) = exchange.opened.rows("SELECT issues FROM reread")
    assert "DRUG_LOCAL_UNMAPPED" in before


async def test_an_entry_taken_back_between_reading_and_commit_stops_it(exchange: Exchange) -> None:
    await hold(exchange)
    entry = await approve(exchange)
    assert isinstance(entry, ApprovedEntry)
    now = exchange.clock.now()
    assert await exchange.store.withdraw_entry(entry.number, by="three", reason="No.", tenant=TRUST, now=now) == ()
    with pytest.raises(OvertakenError):
        await finish(exchange, understood(), entries=(f"v{entry.number}",))
    assert await exchange.states(make_prescription("A")) == [LineState.HELD]
    assert await exchange.store.withdraw_entry(entry.number, by="three", reason="No.", tenant=TRUST, now=now) != ()


async def test_another_trust_cannot_take_an_entry_back(exchange: Exchange) -> None:
    await hold(exchange)
    entry = await approve(exchange)
    assert isinstance(entry, ApprovedEntry)
    refused = await exchange.store.withdraw_entry(
        entry.number, by="three", reason="No.", tenant=OTHER, now=exchange.clock.now()
    )
    assert refused == ("There is no such entry.",)


async def test_an_order_that_reads_as_other_lines_stays_held(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    assert await finish(exchange, understood("B")) is RereadState.STILL_HELD
    assert await exchange.claim(PROVIDER) == []


async def test_an_incomplete_order_that_turns_out_whole_keeps_its_place(exchange: Exchange) -> None:
    incomplete = replace(make_incomplete("A"), unknown=(CODE,))
    await exchange.store.accept(make_acceptance("A", incomplete))
    await approve(exchange)
    (found,) = await exchange.enquiries.search(tenant=TRUST, order_number="RXA0")
    whole = make_prescription("A")
    lines = (await exchange.enquiries.prescription(found.prescription_id, tenant=TRUST)).lines  # type: ignore[union-attr]
    named = replace(whole, id=found.prescription_id, lines=(replace(whole.lines[0], id=lines[0].line_id),))
    assert await finish(exchange, make_order(named)) is RereadState.RELEASED
    (after,) = await exchange.enquiries.search(tenant=TRUST, order_number="RXA0")
    assert after.prescription_id == found.prescription_id
    assert after.medicines != ("",)


async def test_faults_of_ours_end_in_an_alert_and_the_order_stays_held(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    (task,) = await exchange.enquiries.rereads_waiting(limit=9)
    await exchange.store.reread_failed(task.number, now=exchange.clock.now(), give_up=False)
    (again,) = await exchange.enquiries.rereads_waiting(limit=9)
    assert again.tries == 1
    await exchange.store.reread_failed(task.number, now=exchange.clock.now(), give_up=True)
    assert await exchange.enquiries.rereads_waiting(limit=9) == ()
    assert "message-invalid" in await exchange.alert_kinds()
    assert await exchange.states(make_prescription("A")) == [LineState.HELD]


async def test_orders_are_read_again_by_hand_once_each(exchange: Exchange) -> None:
    await hold(exchange, "A")
    await hold(exchange, "B")
    (held,) = await exchange.enquiries.held_codes(tenant=TRUST)
    now = exchange.clock.now()
    assert await exchange.store.ask_reread(held.code_id, by="one", reason="New tables.", tenant=TRUST, now=now) == 2
    assert await exchange.store.ask_reread(held.code_id, by="one", reason="New tables.", tenant=TRUST, now=now) == 0
    assert await exchange.store.ask_reread(held.code_id, by="x", reason="New tables.", tenant=OTHER, now=now) == 0


async def test_what_was_held_after_the_approval_is_read_again_too(exchange: Exchange) -> None:
    await hold(exchange, "A")
    await approve(exchange)
    await hold(exchange, "B")
    assert len(await exchange.enquiries.rereads_waiting(limit=9)) == 2


async def test_a_restart_in_the_middle_loses_no_task(exchange: Exchange) -> None:
    await hold(exchange)
    await approve(exchange)
    version = await exchange.enquiries.entries_version()
    (task,) = await exchange.enquiries.rereads_waiting(limit=9)
    rows = exchange.opened.rows("SELECT id, state FROM reread")
    assert rows == [(task.number, "waiting")]
    assert version == (1, 0)


async def test_messages_of_ninety_days_are_counted_and_paged(exchange: Exchange) -> None:
    for name in "ABC":
        await hold(exchange, name)
    (held,) = await exchange.enquiries.held_codes(tenant=TRUST)
    since = exchange.clock.now() - timedelta(days=90)
    page = await exchange.enquiries.touched(held.code_id, tenant=TRUST, since=since, limit=2)
    rest = await exchange.enquiries.touched(held.code_id, tenant=TRUST, since=since, limit=2, offset=2)
    assert (page.total, len(page.keys), len(rest.keys)) == (3, 2, 1)
    later = exchange.clock.now() + timedelta(days=1)
    assert (await exchange.enquiries.touched(held.code_id, tenant=TRUST, since=later, limit=2)).total == 0


async def test_a_refused_order_is_no_held_code(exchange: Exchange) -> None:
    order = make_order(make_prescription("A"))
    assert order.verdict.outcome is Outcome.TRANSLATED
    await exchange.store.accept(make_acceptance("A", order))
    assert await exchange.enquiries.held_codes(tenant=TRUST) == ()
