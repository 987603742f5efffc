"""What needs attention: in which order, what is hidden and comes back, and what people may do about it."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from gateway.domain.cancel import CancelState
from gateway.domain.cover import Grade
from gateway.domain.identifiers import OdsCode, SnomedCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Dosage, Homecare, Prescription, Product, ProductLevel
from gateway.domain.work_item import LEAD_TIME, Reason
from gateway.ports.attention import AttentionQuery, Call, SilentProvider, WorkItem
from gateway.store.sql import attention, attention_found
from gateway.watch import Watch
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
from tests.contract.test_deliveries import Supplies
from tests.factories import MOMENT, dosage

OTHER = OdsCode("RCC")
NEXT = OdsCode("VNCEL")
TODAY = date(2026, 10, 5)
EVERYTHING = AttentionQuery()


def with_stock(name: str, days: int | None, *, medicine: str = "", total: int = 6) -> Prescription:
    """Give a prescription whose patient is stated to have so many days of medicine at home today."""
    plain = make_prescription(name, total=total)
    if medicine:
        product = Product(code=SnomedCode("15517911000001104"), display=medicine, level=ProductLevel.VMP)
        plain = replace(plain, lines=tuple(replace(line, product=product) for line in plain.lines))
    lines = tuple(replace(line, days_per_supply=28) for line in plain.lines)
    homecare = Homecare(provider=PROVIDER, stock_held_days=days, stock_as_at=TODAY if days is not None else None)
    return replace(plain, lines=lines, homecare=homecare)


async def held(exchange: Exchange, what: Prescription, name: str, tenant: OdsCode = TRUST) -> None:
    """Take an order that is held, for which an alert opens at once."""
    await exchange.store.accept(make_acceptance(name, make_order(what, state=LineState.HELD), tenant=tenant))


async def rows(
    exchange: Exchange, query: AttentionQuery = EVERYTHING, tenant: OdsCode | None = None
) -> list[WorkItem | SilentProvider]:
    found = await exchange.enquiries.needs_attention(tenant=tenant, query=query, now=exchange.clock.now())
    return list(found.rows)


async def items(
    exchange: Exchange, query: AttentionQuery = EVERYTHING, tenant: OdsCode | None = None
) -> list[WorkItem]:
    return [row for row in await rows(exchange, query, tenant) if isinstance(row, WorkItem)]


async def orders(exchange: Exchange, query: AttentionQuery = EVERYTHING, tenant: OdsCode | None = None) -> list[str]:
    return [row.line.order_number[2:-1] for row in await items(exchange, query, tenant) if row.line is not None]


async def sweep(exchange: Exchange) -> None:
    await Watch(enquiries=exchange.enquiries, store=exchange.store, clock=exchange.clock).sweep()


# The order


async def test_the_list_is_in_the_order_of_harm(exchange: Exchange) -> None:
    wanted = {"A": 40, "B": 3, "C": None, "D": 9, "E": 5, "F": 5}
    for name, days in wanted.items():
        medicine = "Tacrolimus 1mg capsules" if name == "F" else ""
        await held(exchange, with_stock(name, days, medicine=medicine), name)
        exchange.clock.move(seconds=1)
    # 3 days left of which 5 are needed; then what has no slack, the riskier medicine first, then the older
    assert await orders(exchange) == ["B", "F", "C", "E", "D", "A"]
    first = (await items(exchange))[0]
    assert first.line is not None
    assert first.line.cover.days_left(TODAY) == 3
    assert first.standing.last_day == TODAY + timedelta(days=3) - LEAD_TIME
    assert first.line.cover.grade is Grade.STATED


async def test_an_incident_is_before_everything(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 0), "A")
    line = make_prescription("B").lines[0]
    await exchange.store.accept(make_acceptance("B", make_order(with_stock("B", 300))))
    await exchange.store.open_alert(
        kind="safety-incident", subject="x", line_id=line.id, now=exchange.clock.move(seconds=1), text="A supply."
    )
    assert await orders(exchange) == ["B", "A"]


async def test_a_day_later_the_order_is_of_that_day(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 6), "A")
    await held(exchange, with_stock("B", None), "B")
    assert await orders(exchange) == ["B", "A"]
    exchange.clock.move(days=1)
    assert await orders(exchange) == ["A", "B"]  # equal slack, and the older first


async def test_pages_follow_each_other_without_gap_or_double(exchange: Exchange) -> None:
    for number, days in enumerate((5, None, 3, 40, 5, None, 0)):
        await held(exchange, with_stock(f"N{number}", days), f"N{number}")
    whole = await orders(exchange)
    paged = [one for first in (0, 3, 6) for one in await orders(exchange, AttentionQuery(first=first, size=3))]
    assert (paged, len(set(paged))) == (whole, 7)
    found = await exchange.enquiries.needs_attention(tenant=None, query=AttentionQuery(size=3), now=MOMENT)
    assert (found.total, found.more) == (7, False)


# What a row says


async def test_a_row_says_who_what_and_why(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 9), "A")
    (row,) = await items(exchange)
    assert row.line is not None
    assert row.reason is Reason.HELD_CODE
    assert row.held_for == ("DRUG_LOCAL_UNMAPPED",)
    assert (row.line.patient_name, row.line.nhs_number, row.line.birth_date) == (
        "MS Aoife Mary TESTPATIENT",
        "9990000077",
        "1979-04-12",
    )
    assert (row.line.state, row.line.provider, row.line.cancel) == (LineState.HELD, PROVIDER, CancelState.NONE)
    assert [term.days for term in row.line.cover.sum_on(TODAY + timedelta(days=2))] == [9, -2]


async def test_an_order_that_could_not_be_read_has_nothing_made_up(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_incomplete("A")))
    (row,) = await items(exchange)
    assert row.line is not None
    assert row.reason is Reason.HELD_SOURCE
    assert (row.line.patient_name, row.line.birth_date) == ("", "")
    assert (row.line.cover.grade, row.line.cover.why) == (Grade.UNKNOWN, "the order could not be read whole")


async def test_what_no_medicine_measures_counts_by_its_usual_limit(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 4), "A")
    await held(exchange, with_stock("B", 6), "B")
    for kind in ("submission-unreadable", "room-low"):
        await exchange.store.open_alert(
            kind=kind, subject=kind, line_id=None, now=exchange.clock.now(), text="No line of anybody."
        )
    # a day past its last; a day to go each, what the whole gateway waits for first
    assert [(row.kind, row.standing.last_day) for row in await items(exchange)] == [
        ("line-held", TODAY - timedelta(days=1)),
        ("room-low", TODAY + timedelta(days=1)),
        ("line-held", TODAY + timedelta(days=1)),
        ("submission-unreadable", TODAY + timedelta(days=1)),
    ]


async def test_an_alert_that_still_holds_speaks_before_one_that_is_settled(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    claim = await exchange.send()
    line = make_prescription("A").lines[0].id
    await exchange.store.open_alert(
        kind="line-uncertain", subject="u", line_id=line, now=exchange.clock.now(), text="Perhaps."
    )
    await exchange.answer(claim.message_id, LineEvent.REJECTED, reason="Out of stock.")
    (row,) = await items(exchange)
    assert (row.kind, row.settled, [one.kind for one in row.also]) == ("line-rejected", False, ["line-uncertain"])
    assert row.alert is not None
    await exchange.store.close_alert(row.alert, by="anna", reason="Seen.", now=exchange.clock.now())
    (row,) = await items(exchange)
    assert (row.kind, row.settled) == ("line-uncertain", True)


async def test_two_alerts_of_a_line_are_one_row(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 6), "A")
    line = make_prescription("A").lines[0].id
    await exchange.store.open_alert(
        kind="patient-updated", subject="y", line_id=line, now=exchange.clock.now(), text="A new address."
    )
    (row,) = await items(exchange)
    assert (row.kind, [one.kind for one in row.also]) == ("line-held", ["patient-updated"])
    assert await exchange.enquiries.attention_count(tenant=None, now=exchange.clock.now()) == 1
    (other,) = await items(exchange, AttentionQuery(reason=Reason.PATIENT))
    assert other.kind == "patient-updated"


async def test_lines_that_wait_for_a_pharmacist_are_on_the_list_from_the_beginning(exchange: Exchange) -> None:
    order = make_order(with_stock("A", 3), state=LineState.AWAITING_SCREENING)
    await exchange.store.accept(make_acceptance("A", order))
    await held(exchange, with_stock("B", 9), "B")
    first, _ = await items(exchange)
    assert (first.alert, first.reason, first.standing.last_day) == (None, Reason.SCREENING, TODAY - timedelta(days=2))
    assert await exchange.enquiries.attention_count(tenant=None, now=exchange.clock.now()) == 2
    exchange.clock.move(days=2)
    await sweep(exchange)
    assert sorted(await orders(exchange)) == ["A", "B"]
    assert all(row.alert is not None for row in await items(exchange))


async def test_where_more_are_open_than_are_counted_the_first_are_still_the_first(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, days in (("A", 3), ("B", 6), ("C", 9), ("D", 20), ("E", None)):
        await held(exchange, with_stock(name, days), name)
    for name, days in (("F", 2), ("G", 7), ("H", None), ("I", 30)):
        order = make_order(with_stock(name, days), state=LineState.AWAITING_SCREENING)
        await exchange.store.accept(make_acceptance(name, order))
    everything = await orders(exchange)
    assert len(everything) == 9
    for deepest in range(2, 8):
        monkeypatch.setattr(attention, "DEEPEST", deepest)
        for first in range(deepest):
            found = await orders(exchange, AttentionQuery(first=first, size=1))
            assert found == everything[first : first + 1], (deepest, first)


async def test_a_question_is_on_the_list_until_it_is_answered(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.QUERIED, reason="Which strength?")
    (row,) = await items(exchange)
    assert (row.alert, row.reason) == (None, Reason.QUESTION)
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    assert await items(exchange) == []


async def accepted(exchange: Exchange, name: str, days: int | None) -> UUID:
    """Let a provider accept a prescription, so that its deliveries are planned; give its message."""
    await exchange.store.accept(make_acceptance(name, make_order(with_stock(name, days))))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, id=f"{name}0")
    return claim.message_id


async def test_a_supply_that_nobody_has_booked_is_on_the_list_a_day_later(exchange: Exchange) -> None:
    message = await accepted(exchange, "A", 9)
    assert await items(exchange) == []
    exchange.clock.move(days=1)
    (row,) = await items(exchange)
    assert (row.alert, row.reason) == (None, Reason.NO_DELIVERY)
    assert await exchange.enquiries.attention_count(tenant=TRUST, now=exchange.clock.now()) == 1
    assert await orders(exchange, AttentionQuery(reason=Reason.NO_DELIVERY)) == ["A"]
    assert await orders(exchange, AttentionQuery(reason=Reason.QUESTION)) == []
    assert await items(exchange, tenant=OTHER) == []
    assert await orders(exchange, tenant=PROVIDER) == ["A"]
    await exchange.answer(message, LineEvent.SUPPLY_PLANNED)
    assert await items(exchange) == []


async def test_a_delivery_that_failed_is_on_the_list_until_it_has_a_new_day(exchange: Exchange) -> None:
    message = await accepted(exchange, "A", 9)
    await exchange.answer(message, LineEvent.SUPPLY_PLANNED)
    await exchange.answer(message, LineEvent.DELIVERY_FAILED, reason="Nobody was in.")
    (row,) = await items(exchange)
    assert (row.alert, row.reason) == (None, Reason.DELIVERY_FAILED)
    assert await exchange.enquiries.attention_count(tenant=None, now=exchange.clock.now()) == 1
    exchange.clock.move(hours=1)
    await exchange.answer(message, LineEvent.SUPPLY_PLANNED)
    assert await items(exchange) == []


async def test_a_line_of_which_two_deliveries_failed_is_on_the_list_once(exchange: Exchange) -> None:
    supplies = Supplies(exchange, total=3)
    await supplies.accepted()
    for issue in (1, 2):
        exchange.clock.move(minutes=5)
        await supplies.say(LineEvent.SUPPLY_PLANNED, LineEvent.DELIVERY_FAILED, issue=issue)
    assert supplies.states() == ["FAILED", "FAILED", "PLANNED"]
    for tenant in (None, TRUST, PROVIDER):
        assert [row.reason for row in await items(exchange, tenant=tenant)] == [Reason.DELIVERY_FAILED]
        assert await exchange.enquiries.attention_count(tenant=tenant, now=exchange.clock.now()) == 1


# Days left


async def supplied(exchange: Exchange, what: Prescription, name: str) -> None:
    """Let a provider accept a prescription and deliver one supply of it."""
    await exchange.store.accept(make_acceptance(name, make_order(what)))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED, id=f"{name}1")
    await exchange.answer(claim.message_id, LineEvent.DELIVERED, id=f"{name}2")


async def test_a_delivery_moves_a_row_down_the_list(exchange: Exchange) -> None:
    what = with_stock("A", 2)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    exchange.clock.move(days=1)
    await sweep(exchange)
    await held(exchange, with_stock("B", 9), "B")
    assert await orders(exchange) == ["A", "B"]
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    await exchange.answer(claim.message_id, LineEvent.DELIVERED)
    assert await orders(exchange) == ["B", "A"]
    row = (await items(exchange))[1]
    assert row.line is not None
    assert row.line.cover.grade is Grade.DERIVED
    assert [term.days for term in row.line.cover.terms] == [28, 1]


async def test_a_renewal_has_what_was_delivered_under_the_order_before(exchange: Exchange) -> None:
    await supplied(exchange, with_stock("A", None), "A")
    exchange.clock.move(days=10)
    await held(exchange, with_stock("B", None), "B")
    (row,) = await items(exchange)
    assert row.line is not None
    assert row.line.cover.days_left(exchange.clock.now().date()) == 18


async def test_after_a_change_of_dose_nothing_is_reckoned_from_the_old_one(exchange: Exchange) -> None:
    await supplied(exchange, with_stock("A", None), "A")
    changed = with_stock("B", None)
    twice: Dosage = replace(dosage(), text="Inject 10mg TWICE a WEEK")
    assert twice.timing is not None
    twice = replace(twice, timing=replace(twice.timing, frequency=2, day_of_week=("mon", "thu")))
    changed = replace(changed, lines=tuple(replace(line, dosages=(twice,)) for line in changed.lines))
    await held(exchange, changed, "B")
    (row,) = await items(exchange)
    assert row.line is not None
    assert row.line.cover.why == "the dose has changed since the last delivery"


@pytest.mark.parametrize("made", [1, 2, 3])
async def test_the_last_of_several_supplies_says_how_long_the_medicine_lasts(exchange: Exchange, made: int) -> None:
    what = with_stock("A", None)
    await exchange.store.accept(make_acceptance("A", make_order(what)))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    for number in range(made):
        exchange.clock.move(days=9)
        await exchange.answer(claim.message_id, LineEvent.DELIVERED, id=f"{number}")
    for tenant in (None, TRUST, PROVIDER):
        found = await exchange.enquiries.covers(what.id, tenant=tenant)
        assert [one.days_left(exchange.clock.now().date()) for one in found.values()] == [28]


async def test_the_covers_of_a_prescription_are_its_own_trust_s(exchange: Exchange) -> None:
    what = with_stock("A", 9)
    await held(exchange, what, "A")
    found = await exchange.enquiries.covers(what.id, tenant=TRUST)
    assert [one.days_left(TODAY) for one in found.values()] == [9]
    assert await exchange.enquiries.covers(what.id, tenant=OTHER) == {}


# Who sees what


async def test_a_trust_sees_its_own_and_a_provider_its_own(exchange: Exchange) -> None:
    await held(exchange, with_stock("A", 9), "A")
    await held(exchange, with_stock("B", 9), "B", tenant=OTHER)
    await exchange.store.accept(make_acceptance("C", make_order(with_stock("C", 9))))
    exchange.clock.move(days=1)
    await sweep(exchange)
    assert await orders(exchange, tenant=OTHER) == ["B"]
    assert sorted(await orders(exchange, tenant=TRUST)) == ["A", "C"]
    assert await orders(exchange, tenant=PROVIDER) == ["C"]
    assert await orders(exchange, tenant=NEXT) == []
    (foreign,) = await items(exchange, tenant=OTHER)
    assert foreign.alert is not None
    assert await exchange.enquiries.work_item(foreign.alert, tenant=TRUST) is None
    assert await exchange.enquiries.work_item(foreign.alert + 99, tenant=TRUST) is None
    assert await exchange.enquiries.attention_count(tenant=OTHER, now=exchange.clock.now()) == 1


# Filters


async def test_filters_narrow_the_list(exchange: Exchange) -> None:
    for name, days in (("A", 9), ("B", 3), ("C", None)):
        await held(exchange, with_stock(name, days), name)
    assert await orders(exchange, AttentionQuery(days_under=9)) == ["B", "C"]
    assert await orders(exchange, AttentionQuery(reason=Reason.REJECTED)) == []
    assert await orders(exchange, AttentionQuery(reason=Reason.HELD_SOURCE)) == ["B", "C", "A"]
    assert await orders(exchange, AttentionQuery(provider=NEXT)) == []
    assert await orders(exchange, AttentionQuery(taken_by="anna")) == []


async def test_what_runs_out_is_counted_for_each_provider_as_the_list_gives_it(exchange: Exchange) -> None:
    for name, days, tenant in (("A", 9, TRUST), ("B", 3, TRUST), ("C", None, TRUST), ("D", 2, OTHER)):
        await exchange.store.accept(make_acceptance(name, make_order(with_stock(name, days)), tenant=tenant))
    exchange.clock.move(days=1)
    await sweep(exchange)
    await held(exchange, with_stock("E", 1), "E")  # its provider is not told of it
    screened = make_order(with_stock("F", 1), state=LineState.AWAITING_SCREENING)
    await exchange.store.accept(make_acceptance("F", screened))
    for tenant, counts in ((None, (5, 0)), (TRUST, (4, 0)), (OTHER, (1, 0)), (PROVIDER, (3, 0)), (NEXT, (0, 0))):
        found = await exchange.enquiries.running_out((PROVIDER, NEXT), tenant=tenant, days=7, now=exchange.clock.now())
        listed = [
            len(await orders(exchange, AttentionQuery(provider=one, days_under=7), tenant)) for one in (PROVIDER, NEXT)
        ]
        assert (found[PROVIDER], found[NEXT]) == tuple(listed) == counts


async def test_counting_what_runs_out_stops_in_time(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_found, "MOST_COUNTED", 2)
    for name in ("A", "B", "C"):
        await exchange.store.accept(make_acceptance(name, make_order(with_stock(name, 1))))
    exchange.clock.move(days=1)
    await sweep(exchange)
    counted = await exchange.enquiries.running_out((PROVIDER,), tenant=None, days=7, now=exchange.clock.now())
    assert counted == {PROVIDER: 2}


async def test_an_overdue_line_is_found_by_the_reason_of_its_state(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    await exchange.send()
    exchange.clock.move(hours=5)
    await sweep(exchange)
    assert await orders(exchange, AttentionQuery(reason=Reason.NO_ACCEPTANCE)) == ["A"]
    assert await orders(exchange, AttentionQuery(reason=Reason.QUESTION)) == []
    assert await orders(exchange, AttentionQuery(provider=PROVIDER)) == ["A"]


# One cause for many


async def test_the_reason_of_an_overdue_line_is_that_of_where_it_stands_now(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    claim = await exchange.send()
    exchange.clock.move(hours=5)
    await sweep(exchange)
    waits, late = AttentionQuery(reason=Reason.NO_ACCEPTANCE), AttentionQuery(reason=Reason.PROVIDER_LATE)
    assert (await orders(exchange, waits), await orders(exchange, late)) == (["A"], [])
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    for tenant in (None, TRUST):
        assert (await orders(exchange, waits, tenant), await orders(exchange, late, tenant)) == ([], ["A"])
    assert await orders(exchange, AttentionQuery(reason=Reason.PROVIDER_LATE, provider=PROVIDER)) == ["A"]
    assert await orders(exchange, AttentionQuery(reason=Reason.PROVIDER_LATE, provider=NEXT)) == []


async def cancel_unanswered(exchange: Exchange, name: str = "A") -> None:
    """Open the alert of a cancel that nobody has confirmed, which may wait two hours."""
    line = make_prescription(name).lines[0].id
    await exchange.store.open_alert(
        kind="cancel-overdue", subject=f"c-{name}", line_id=line, now=exchange.clock.now(), text="NOT cancelled."
    )


async def test_what_presses_more_speaks_for_a_line_though_it_came_later(exchange: Exchange) -> None:
    await silent(exchange, "A", "B")
    await cancel_unanswered(exchange)
    first, second = await items(exchange)
    assert (first.kind, [one.kind for one in first.also]) == ("cancel-overdue", ["overdue"])
    assert first.standing.last_day == TODAY
    assert second.kind == "overdue"


async def test_who_took_a_line_still_finds_it_when_something_more_pressing_comes(exchange: Exchange) -> None:
    await silent(exchange, "A")
    (row,) = await items(exchange)
    assert row.alert is not None
    assert await take(exchange, row.alert) == ""
    await cancel_unanswered(exchange)
    (mine,) = await items(exchange, AttentionQuery(taken_by="anna"))
    assert mine.line is not None
    assert [one.kind for one in mine.also] == ["cancel-overdue"]


async def silent(exchange: Exchange, *names: str) -> None:
    for name in names:
        await exchange.store.accept(make_acceptance(name, make_order(with_stock(name, 9))))
        await exchange.send()
    exchange.clock.move(hours=5)
    await sweep(exchange)


async def test_lines_that_one_silent_provider_explains_are_one_row(exchange: Exchange) -> None:
    await silent(exchange, "A", "B", "C")
    (row,) = await rows(exchange)
    assert isinstance(row, SilentProvider)
    assert (row.provider, row.lines, row.heard_at) == (PROVIDER, 3, None)
    assert sorted(await orders(exchange, AttentionQuery(silent_of=PROVIDER))) == ["A", "B", "C"]
    assert len(await rows(exchange, AttentionQuery(provider=PROVIDER))) == 3
    (own,) = await rows(exchange, tenant=TRUST)
    assert isinstance(own, SilentProvider)
    assert await rows(exchange, tenant=OTHER) == []


async def test_what_no_silence_explains_stays_beside_the_one_row(exchange: Exchange) -> None:
    await silent(exchange, "A", "B", "C")
    await held(exchange, with_stock("D", 9), "D")
    await exchange.store.open_alert(
        kind="line-uncertain", subject="x", line_id=None, now=exchange.clock.now(), text="No line."
    )
    found = await exchange.enquiries.needs_attention(tenant=None, query=EVERYTHING, now=exchange.clock.now())
    kinds = sorted("provider" if isinstance(row, SilentProvider) else row.kind for row in found.rows)
    assert (kinds, found.total) == (["line-held", "line-uncertain", "provider"], 3)
    assert await exchange.enquiries.attention_count(tenant=None, now=exchange.clock.now()) == 5  # lines, not rows


async def test_the_silence_of_a_provider_hides_no_cancel_that_it_has_not_confirmed(exchange: Exchange) -> None:
    await silent(exchange, "A", "B", "C")
    await cancel_unanswered(exchange)
    cancel, group = await rows(exchange)
    assert isinstance(cancel, WorkItem)
    assert cancel.kind == "cancel-overdue"
    assert isinstance(group, SilentProvider)
    assert sorted(await orders(exchange, AttentionQuery(silent_of=PROVIDER))) == ["A", "B", "C"]


async def test_two_late_lines_are_two_rows(exchange: Exchange) -> None:
    await silent(exchange, "A", "B")
    assert len(await items(exchange)) == 2


async def test_a_provider_that_answers_others_is_not_silent(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("Z", make_order(with_stock("Z", 9))))
    claim = await exchange.send()
    await silent(exchange, "A", "B", "C")
    await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
    assert not any(isinstance(row, SilentProvider) for row in await rows(exchange))


# Acts


async def one(exchange: Exchange, name: str = "A") -> int:
    await held(exchange, with_stock(name, 9), name)
    (row,) = [row for row in await items(exchange) if row.line and row.line.order_number == f"RX{name}0"]
    assert row.alert is not None
    return row.alert


async def take(exchange: Exchange, alert: int, by: str = "anna", seen: str = "", tenant: OdsCode | None = None) -> str:
    now = exchange.clock.now()
    return (await exchange.store.take((alert,), by=by, seen={alert: seen}, tenant=tenant, now=now))[alert]


async def test_who_takes_an_item_has_it_and_a_double_click_does_it_once(exchange: Exchange) -> None:
    alert = await one(exchange)
    assert await take(exchange, alert) == ""
    assert await take(exchange, alert) == ""
    (row,) = await items(exchange, AttentionQuery(taken_by="anna"))
    assert (row.taken_by, row.taken_at) == ("anna", MOMENT)
    notes = await exchange.enquiries.work_notes(alert, tenant=None)
    assert [(note.kind, note.by, note.person) for note in notes] == [("taken", "anna", "anna")]


async def test_what_another_took_meanwhile_is_not_taken_from_under_them(exchange: Exchange) -> None:
    alert = await one(exchange)
    await take(exchange, alert, by="ben")
    assert await take(exchange, alert, by="anna") == "ben has taken it meanwhile"
    assert await take(exchange, alert, by="anna", seen="ben") == ""


async def test_taking_means_every_alert_of_the_line(exchange: Exchange) -> None:
    alert = await one(exchange)
    line = make_prescription("A").lines[0].id
    await exchange.store.open_alert(
        kind="patient-updated", subject="y", line_id=line, now=exchange.clock.now(), text="A new address."
    )
    await take(exchange, alert)
    assert {row.taken_by for row in await items(exchange, AttentionQuery(reason=Reason.PATIENT))} == {"anna"}


async def test_several_are_handed_over_at_once_and_each_answers_for_itself(exchange: Exchange) -> None:
    first, second = await one(exchange, "A"), await one(exchange, "B")
    await take(exchange, second, by="ben")
    await exchange.store.close_alert(first, by="eve", reason="Done.", now=exchange.clock.now())
    third = await one(exchange, "C")
    answers = await exchange.store.hand_over(
        (first, second, third, 999), to="cara", by="anna", seen={}, tenant=TRUST, now=exchange.clock.now()
    )
    assert answers == {
        first: "eve has closed it meanwhile",
        second: "ben has taken it meanwhile",
        third: "",
        999: "there is no such item",
    }


async def test_only_who_takes_what_they_were_handed_has_it(exchange: Exchange) -> None:
    alert, now = await one(exchange), exchange.clock.now()
    await take(exchange, alert, by="anna")
    assert await exchange.enquiries.unattended(now=now) == ()
    hand = {"to": "cara", "by": "anna", "seen": {alert: "anna"}, "tenant": TRUST, "now": now}
    assert await exchange.store.hand_over((alert,), **hand) == {alert: ""}  # type: ignore[arg-type]
    (row,) = await items(exchange)
    assert (row.taken_by, row.taken_at) == ("cara", None)
    assert [one.alert for one in await exchange.enquiries.unattended(now=now)] == [alert]
    assert (await exchange.enquiries.standing_of(TRUST, now=now)).untaken == 1
    assert await take(exchange, alert, by="cara") == ""
    assert await exchange.enquiries.unattended(now=now) == ()
    (row,) = await items(exchange)
    assert (row.taken_by, row.taken_at) == ("cara", now)


async def test_nobody_works_on_another_trust_s_item(exchange: Exchange) -> None:
    alert = await one(exchange)
    assert await take(exchange, alert, tenant=OTHER) == "there is no such item"
    assert await exchange.enquiries.work_notes(alert, tenant=OTHER) == ()


async def test_what_is_put_off_comes_back_by_itself(exchange: Exchange) -> None:
    alert = await one(exchange)
    now, until = exchange.clock.now(), exchange.clock.now() + timedelta(hours=3)
    said = await exchange.store.put_off(
        alert,
        until=until,
        latest=now + timedelta(days=1),
        reason="They open at noon.",
        by="anna",
        tenant=TRUST,
        now=now,
    )
    assert said == ""
    assert await items(exchange) == []
    assert await exchange.enquiries.attention_count(tenant=None, now=now) == 0
    exchange.clock.move(hours=3)
    (row,) = await items(exchange)
    assert row.alert == alert
    assert await exchange.enquiries.attention_count(tenant=None, now=exchange.clock.now()) == 1


@pytest.mark.parametrize(("hours", "why"), [(-1, "over already"), (30, "must act before that")])
async def test_nothing_is_put_off_to_a_time_that_is_too_late(exchange: Exchange, hours: int, why: str) -> None:
    alert = await one(exchange)
    now = exchange.clock.now()
    until, latest = now + timedelta(hours=hours), now + timedelta(days=1)
    said = await exchange.store.put_off(
        alert, until=until, latest=latest, reason="Later.", by="anna", tenant=None, now=now
    )
    assert why in said
    assert len(await items(exchange)) == 1


async def test_a_new_alert_of_a_line_that_was_put_off_is_on_the_list(exchange: Exchange) -> None:
    alert = await one(exchange)
    now = exchange.clock.now()
    latest = now + timedelta(days=1)
    await exchange.store.put_off(alert, until=latest, latest=latest, reason="Later.", by="anna", tenant=None, now=now)
    line = make_prescription("A").lines[0].id
    await exchange.store.open_alert(kind="patient-died", subject="y", line_id=line, now=now, text="It says so.")
    assert [row.kind for row in await items(exchange)] == ["patient-died"]


async def test_a_provider_is_not_shown_what_the_trust_s_people_were_told(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    what, now = make_prescription("A"), exchange.clock.now()
    await exchange.store.open_alert(kind="overdue", subject="x", line_id=what.lines[0].id, now=now, text="No answer.")
    (row,) = await items(exchange, tenant=PROVIDER)
    assert row.alert is not None
    call = Call(person="The patient", spoken_at=MOMENT, words="I would rather have the other company.")
    assert await exchange.store.log_call(row.alert, call, by="anna", tenant=TRUST, now=now) == ""
    for tenant, count in ((TRUST, 1), (None, 1), (PROVIDER, 0)):
        assert len(await exchange.enquiries.work_notes(row.alert, tenant=tenant)) == count
        assert len(await exchange.enquiries.stated(what.id, tenant=tenant)) == count


async def test_a_call_is_kept_as_stated_and_what_was_said_of_stock_counts(exchange: Exchange) -> None:
    await held(exchange, what := with_stock("A", None), "A")
    (row,) = await items(exchange)
    assert row.alert is not None
    call = Call(person="R Jones, Example Homecare", spoken_at=MOMENT, words="They have it.", days_at_home=20)
    assert (
        await exchange.store.log_call(row.alert, call, by="anna", tenant=TRUST, now=exchange.clock.move(minutes=1))
        == ""
    )
    (note,) = await exchange.enquiries.stated(what.id, tenant=TRUST)
    assert (note.person, note.words, note.by, note.spoken_at) == (call.person, call.words, "anna", MOMENT)
    assert await exchange.enquiries.stated(what.id, tenant=OTHER) == ()
    (row,) = await items(exchange)
    assert row.line is not None
    assert (row.line.cover.grade, row.line.cover.days_left(TODAY)) == (Grade.STATED, 20)
    assert row.standing.last_day == TODAY + timedelta(days=15)


async def test_a_call_that_is_still_to_come_was_not_made(exchange: Exchange) -> None:
    alert = await one(exchange)
    call = Call(person="R Jones", spoken_at=MOMENT + timedelta(minutes=1), words="They have it.")
    assert "still to come" in await exchange.store.log_call(alert, call, by="anna", tenant=None, now=MOMENT)


async def test_every_act_is_in_the_audit_without_what_was_said(exchange: Exchange) -> None:
    alert = await one(exchange)
    await take(exchange, alert)
    call = Call(person="R Jones", spoken_at=MOMENT, words="Ask for Aoife.")
    await exchange.store.log_call(alert, call, by="anna", tenant=None, now=exchange.clock.now())
    await exchange.store.reminded((alert,), person="them", words="", by="anna", tenant=None, now=exchange.clock.now())
    leaves = [bytes(body) for (body,) in exchange.opened.rows("SELECT body FROM audit_leaf WHERE kind = 'work'")]
    assert len(leaves) == 3
    assert all(b'"anna"' in leaf and b"Aoife" not in leaf and b"Jones" not in leaf for leaf in leaves)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE work_note SET words = 'x'", "DELETE FROM work_note", "UPDATE work_note SET by = 'eve'"],
)
async def test_what_was_written_down_is_not_edited(exchange: Exchange, statement: str) -> None:
    await take(exchange, await one(exchange))
    with pytest.raises(REFUSED):
        exchange.opened.rows(statement)


async def test_an_empty_list_can_prove_that_it_is_alive(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    exchange.clock.move(minutes=1)
    await exchange.send()
    alive = await exchange.enquiries.aliveness(tenant=TRUST)
    assert (alive.open, alive.oldest_unanswered) == (1, MOMENT + timedelta(minutes=1))
    nobody = await exchange.enquiries.aliveness(tenant=OTHER)
    assert (nobody.open, nobody.oldest_unanswered) == (0, None)


# For whoever runs the gateway


async def tended(exchange: Exchange, taken_by: str = "", first: int = 0, size: int = 25) -> list[WorkItem]:
    now = exchange.clock.now()
    found = await exchange.enquiries.tended(taken_by=taken_by, first=first, size=size, now=now)
    assert found.total >= len(found.rows)
    return [row for row in found.rows if isinstance(row, WorkItem)]


async def test_whoever_runs_the_gateway_is_given_where_a_line_is_and_no_patient(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    exchange.clock.move(days=3)
    await sweep(exchange)
    await held(exchange, with_stock("B", 3), "B")  # a pharmacist's
    (row,) = await tended(exchange)
    assert row.kind == "overdue"
    assert row.line is None
    assert row.opaque is not None
    assert (row.opaque.tenant, row.opaque.provider, row.opaque.state) == (TRUST, PROVIDER, LineState.READY)
    assert row.opaque.prescription_id == make_prescription("A").id
    assert row.reason is Reason.NOT_YET_SENT
    assert "TESTPATIENT" not in repr(row)
    assert await exchange.enquiries.tended_item(row.alert or 0) == row
    assert await exchange.enquiries.tended_item(999) is None


async def test_incidents_come_first_then_what_must_be_seen_to_soonest_then_what_is_oldest(exchange: Exchange) -> None:
    kinds = ("reference-old", "line-undeliverable", "partner-closed", "room-low", "tell-stuck", "holding-elsewhere")
    for kind in kinds:
        now = exchange.clock.move(seconds=1)
        await exchange.store.open_alert(kind=kind, subject=kind, line_id=None, now=now, text="Words.")
    order = ["holding-elsewhere", "room-low", "line-undeliverable", "tell-stuck", "partner-closed", "reference-old"]
    assert [row.kind for row in await tended(exchange)] == order
    assert [row.kind for row in await tended(exchange, first=1, size=2)] == order[1:3]
    now = exchange.clock.now()
    first = (await tended(exchange))[0].alert or 0
    await exchange.store.take((first,), by="olu", seen={first: ""}, tenant=None, now=now)
    assert [row.kind for row in await tended(exchange, taken_by="olu")] == ["holding-elsewhere"]
    await exchange.store.close_alert(first, by="olu", reason="Room was made.", now=now)
    assert [row.kind for row in await tended(exchange)] == order[1:]
    closed = await exchange.enquiries.tended_item(first)
    assert closed is not None
    assert closed.closed_at == now
