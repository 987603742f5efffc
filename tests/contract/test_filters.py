"""Filters that people keep, on every engine: their own, by name, one of a name, and not without end."""

from gateway.ports.filters import MOST, SavedFilter
from tests.contract.store_engines import Exchange


async def keep(exchange: Exchange, name: str, query: str = "way=in", person: str = "e.one") -> bool:
    kept = SavedFilter(name=name, query=query)
    return await exchange.store.save_filter(person, kept, now=exchange.clock.now())


async def test_a_filter_is_its_persons_alone_and_one_of_a_name(exchange: Exchange) -> None:
    assert await keep(exchange, "b")
    assert await keep(exchange, "a", "outcome=held")
    assert await keep(exchange, "b", "way=out")
    assert await keep(exchange, "c", person="e.two")
    kept = (SavedFilter(name="a", query="outcome=held"), SavedFilter(name="b", query="way=out"))
    assert await exchange.enquiries.saved_filters("e.one") == kept
    assert await exchange.store.forget_filter("e.one", "a")
    assert not await exchange.store.forget_filter("e.one", "a")
    assert not await exchange.store.forget_filter("e.one", "c")
    assert await exchange.enquiries.saved_filters("e.one") == kept[1:]


async def test_there_is_room_for_so_many_and_what_is_there_may_always_be_changed(exchange: Exchange) -> None:
    assert all([await keep(exchange, f"{number:02}") for number in range(MOST)])
    assert not await keep(exchange, "one more")
    assert await keep(exchange, "00", "way=out")
    assert len(await exchange.enquiries.saved_filters("e.one")) == MOST
