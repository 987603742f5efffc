"""What needs attention, read later than it was found: a line that has moved on is not given as it stood then."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.domain.acts import Act
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.work_item import Reason
from gateway.ports.attention import AttentionQuery, Places
from tests.contract.store_engines import PROVIDER, TRUST, Exchange, make_acceptance, make_order
from tests.contract.test_attention import EVERYTHING, accepted, with_stock

Happening = Callable[[Exchange, UUID], Awaitable[object]]


async def unbooked(exchange: Exchange) -> UUID:
    message = await accepted(exchange, "A", 9)
    exchange.clock.move(days=1)
    return message


async def failed(exchange: Exchange) -> UUID:
    message = await accepted(exchange, "A", 9)
    await exchange.answer(message, LineEvent.SUPPLY_PLANNED)
    await exchange.answer(message, LineEvent.DELIVERY_FAILED, reason="Nobody was in.")
    return message


async def queried(exchange: Exchange) -> UUID:
    await exchange.store.accept(make_acceptance("A", make_order(with_stock("A", 9))))
    claim = await exchange.send()
    await exchange.answer(claim.message_id, LineEvent.QUERIED, reason="Which strength?")
    return claim.message_id


async def unscreened(exchange: Exchange) -> UUID:
    order = make_order(with_stock("A", 9), state=LineState.AWAITING_SCREENING)
    await exchange.store.accept(make_acceptance("A", order))
    return order.prescription.id


def says(*events: LineEvent) -> Happening:
    """Let the provider say these, one after the other."""

    async def said(exchange: Exchange, message: UUID) -> None:
        for number, event in enumerate(events):
            exchange.clock.move(minutes=5)
            await exchange.answer(message, event, id=f"said{number}")

    return said


async def screened(exchange: Exchange, prescription: UUID) -> None:
    now = exchange.clock.move(minutes=5)
    act = Act(prescription_id=prescription, by="j.smith", reason="Checked.", now=now)
    assert await exchange.store.pass_screening(act) == ()


def opens(kind: str) -> Happening:
    async def opened(exchange: Exchange, _: UUID) -> None:
        line = with_stock("A", 9).lines[0].id
        now = exchange.clock.move(minutes=5)
        await exchange.store.open_alert(kind=kind, subject=kind, line_id=line, now=now, text="Since.")

    return opened


async def found(exchange: Exchange, tenant: OdsCode | None, query: AttentionQuery = EVERYTHING) -> Places:
    query = replace(query, grouped=False)
    return await exchange.enquiries.attention_places(tenant=tenant, query=query, now=exchange.clock.now())


async def read(exchange: Exchange, places: Places, tenant: OdsCode | None) -> list[tuple[str, Reason]]:
    """Give of each row the kind of its alert, empty without one, and its reason."""
    rows = await exchange.enquiries.attention_rows(places.rows, tenant=tenant, speaks_at=places.speaks_at)
    return [(row.kind, row.reason) for row in rows]


EVENT = LineEvent
BEGINS = {
    "unbooked": (unbooked, Reason.NO_DELIVERY),
    "failed": (failed, Reason.DELIVERY_FAILED),
    "queried": (queried, Reason.QUESTION),
    "unscreened": (unscreened, Reason.SCREENING),
}


@pytest.mark.parametrize(
    ("begins", "happens"),
    [
        pytest.param("unbooked", says(EVENT.SUPPLY_PLANNED), id="it is booked"),
        pytest.param("unbooked", says(EVENT.DELIVERED), id="it is delivered and the next is due later"),
        pytest.param("unbooked", says(*[EVENT.DELIVERED] * 6), id="all supplies are made"),
        pytest.param("failed", says(EVENT.SUPPLY_PLANNED), id="what failed has a new day"),
        pytest.param("failed", says(EVENT.DELIVERED), id="what failed is delivered"),
        pytest.param("queried", says(EVENT.ACCEPTED), id="the question is answered"),
        pytest.param("unscreened", screened, id="it is screened"),
    ],
)
async def test_a_line_that_no_longer_waits_for_what_it_was_found_to_wait_for_is_left_out(
    exchange: Exchange, begins: str, happens: Happening
) -> None:
    begin, reason = BEGINS[begins]
    message = await begin(exchange)
    see = (None, TRUST, PROVIDER) if begins != "unscreened" else (None, TRUST)  # what is not checked is nobody else's
    places = {tenant: await found(exchange, tenant) for tenant in see}
    for tenant, its in places.items():
        assert await read(exchange, its, tenant) == [("", reason)]
    await happens(exchange, message)
    for tenant, its in places.items():
        assert await read(exchange, its, tenant) == []


async def test_a_line_that_waits_for_another_thing_since_is_read_as_that_where_no_one_reason_is_asked_for(
    exchange: Exchange,
) -> None:
    message = await unbooked(exchange)
    see = (None, TRUST, PROVIDER)
    places = [(await found(exchange, tenant), tenant) for tenant in see]
    of_one = await found(exchange, TRUST, AttentionQuery(reason=Reason.NO_DELIVERY))
    await says(EVENT.SUPPLY_PLANNED, EVENT.DELIVERY_FAILED)(exchange, message)
    assert [await read(exchange, its, tenant) for its, tenant in places] == [[("", Reason.DELIVERY_FAILED)]] * 3
    assert await read(exchange, of_one, TRUST) == []


@pytest.mark.parametrize("begins", [*BEGINS, "nothing yet"])
async def test_a_line_whose_alert_is_closed_since_is_read_as_what_it_waits_for_without_one(
    exchange: Exchange, begins: str
) -> None:
    begin, reason = BEGINS.get(begins, (None, None))
    message = await begin(exchange) if begin else await accepted(exchange, "A", 9)
    await opens("patient-updated")(exchange, message)
    places = await found(exchange, TRUST)
    of_one = await found(exchange, TRUST, AttentionQuery(reason=Reason.PATIENT))
    (row,) = await exchange.enquiries.attention_rows(places.rows, tenant=TRUST, speaks_at=places.speaks_at)
    assert row.alert is not None
    await exchange.store.close_alert(row.alert, by="k.one", reason="Done.", now=exchange.clock.move(minutes=5))
    closed = [("patient-updated", Reason.PATIENT)]
    assert await read(exchange, places, TRUST) == ([("", reason)] if reason else closed)
    assert await read(exchange, of_one, TRUST) == closed


@pytest.mark.parametrize("begins", BEGINS)
async def test_a_line_that_waits_on_is_read_later_and_as_its_alert_where_one_was_opened_since(
    exchange: Exchange, begins: str
) -> None:
    begin, reason = BEGINS[begins]
    message = await begin(exchange)
    queries = (EVERYTHING, AttentionQuery(days_under=99), AttentionQuery(reason=reason))
    places = [await found(exchange, TRUST, query) for query in queries]
    exchange.clock.move(minutes=5)
    assert [await read(exchange, its, TRUST) for its in places] == [[("", reason)]] * 3
    await opens("patient-updated")(exchange, message)
    its_alert = ("patient-updated", Reason.PATIENT)
    assert [await read(exchange, its, TRUST) for its in places] == [[its_alert], [its_alert], []]


async def test_an_alert_that_a_provider_is_not_shown_takes_nothing_off_its_list(exchange: Exchange) -> None:
    message = await unbooked(exchange)
    places = await found(exchange, PROVIDER)
    await opens("patient-updated")(exchange, message)
    assert await read(exchange, places, PROVIDER) == [("", Reason.NO_DELIVERY)]
    await opens("cancel-overdue")(exchange, message)
    assert await read(exchange, places, PROVIDER) == [("cancel-overdue", Reason.CANCEL_UNCONFIRMED)]
