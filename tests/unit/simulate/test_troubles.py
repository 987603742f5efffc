"""A troubled provider gives every trouble its turn, and ends none of it by itself."""

import asyncio
from collections import Counter
from dataclasses import replace

import aiohttp
import pytest

from gateway.simulate.answers import Line, Word
from gateway.simulate.behaviours import BEHAVIOURS, TROUBLED, WATCHED, Behaviour
from gateway.simulate.journal import Arrived, GaveUp, Supplied
from gateway.simulate.troubles import COURSES, OF_ONE_SUPPLY, OF_SEVERAL, Trouble, Troubles, Upset, half
from tests.unit.simulate.test_providers import Gateway, finish, order, post, running, update

TROUBLESOME = Behaviour(name="troubled", answers_after=0, supplies_after=0, troubled=True)
IN_NO_HURRY = replace(TROUBLESOME, supplies_after=60)


def line(*, supplies: int = 1, amount: str = "4") -> Line:
    return Line(
        item="i", names=(), product={}, quantity={"value": amount, "unit": "tablet"}, supplies=supplies, nhs_number=""
    )


def test_every_trouble_has_its_turn_and_a_course() -> None:
    troubles = Troubles()
    met = [troubles.meet(line()) for _ in OF_ONE_SUPPLY] + [troubles.meet(line(supplies=2)) for _ in OF_SEVERAL]
    assert met == [*OF_ONE_SUPPLY, *OF_SEVERAL]
    assert set(met) == set(Trouble) == set(COURSES)


def test_what_cannot_be_parted_is_not_short_and_the_next_that_can_is() -> None:
    troubles = Troubles()
    met = [troubles.meet(line(amount="1")) for _ in range(len(OF_ONE_SUPPLY) * 2)]
    assert Trouble.SHORT not in met
    assert set(Counter(met).values()) <= {2, 3}
    assert troubles.meet(line()) is Trouble.SHORT


def test_a_release_meets_no_upset_and_a_cancel_every_one() -> None:
    troubles = Troubles()
    assert troubles.upset("release") is None
    assert [troubles.upset("cancel") for _ in Upset] == list(Upset)
    assert {troubles.upset("hold") for _ in range(4)} == {Upset.IGNORED, Upset.UNDECIDED}


HEARD = {
    Trouble.QUESTION: ["accepted", "queried"],
    Trouble.CUT_OFF: ["accepted", "delivered"],
    Trouble.NOT_DELIVERED: ["accepted", "planned", "not-delivered"],
    Trouble.SHORT: ["accepted", "short"],
    Trouble.RETURNED: ["accepted", "returned"],
    Trouble.RENEWAL: ["accepted", "renewal-wanted", "delivered"],
    Trouble.CONTRADICTED: ["accepted", "rejected", "delivered"],
}


async def hear(gateway: Gateway, words: list[str]) -> None:
    """Wait until this is all that was heard."""
    async with asyncio.timeout(5):
        while gateway.heard != words:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_an_order_of_one_supply_meets_one_trouble_after_another() -> None:
    gateway = Gateway()
    async with running(TROUBLESOME, gateway) as (provider, url):
        for trouble in OF_ONE_SUPPLY:
            octets = order(supplies=1, amount=4)
            if trouble is Trouble.CUT_OFF:
                before = len(list(provider.journal.all(Arrived)))
                with pytest.raises(aiohttp.ServerDisconnectedError):
                    await post(url, octets)
                assert len(list(provider.journal.all(Arrived))) == before
            await post(url, octets)
            await hear(gateway, HEARD[trouble])
            await finish(provider)
            assert gateway.heard == HEARD[trouble]
            gateway.heard.clear()
        assert len(list(provider.journal.all(GaveUp))) == 1, "what was returned, and nothing else"


async def test_an_order_of_several_supplies_is_made_at_leisure_or_forgotten() -> None:
    gateway = Gateway()
    async with running(TROUBLESOME, gateway) as (provider, url):
        await post(url, order(supplies=2))
        await hear(gateway, ["accepted", "delivered", "delivered"])
        await post(url, order(supplies=2))
        await finish(provider)
        assert gateway.heard[3:] == ["accepted", "delivered"]


async def test_who_supplies_at_leisure_is_not_waited_for() -> None:
    gateway = Gateway()
    async with running(IN_NO_HURRY, gateway) as (provider, url):
        await post(url, order(supplies=2))
        await finish(provider)
        assert gateway.heard == ["accepted"]


@pytest.mark.parametrize(
    ("cancels", "heard"),
    [(1, []), (2, ["cancelled", "delivered"]), (3, ["cancel-pending"]), (4, ["cancel-too-late", "delivered"])],
)
async def test_a_cancel_is_ignored_then_confirmed_and_supplied_after_then_left_open_then_too_late(
    cancels: int, heard: list[str]
) -> None:
    gateway = Gateway()
    async with running(IN_NO_HURRY, gateway) as (provider, url):
        for _ in range(cancels):
            octets = order(supplies=2)
            await post(url, octets)
            await finish(provider)
            gateway.heard.clear()
            supplied = len(list(provider.journal.all(Supplied)))
            await post(url, update(octets, "cancel"))
            await finish(provider)
        assert gateway.heard == heard
        assert len(list(provider.journal.all(Supplied))) == supplied + ("delivered" in heard)


async def test_a_hold_is_ignored_or_refused_and_a_release_is_answered() -> None:
    gateway = Gateway()
    async with running(IN_NO_HURRY, gateway) as (provider, url):
        octets = order(supplies=2)
        await post(url, octets)
        await finish(provider)
        for wanted in ("hold", "hold", "release"):
            await post(url, update(octets, wanted))
            await finish(provider)
        assert gateway.heard == ["accepted", "hold-refused", "release-refused"]


def test_only_a_watched_provider_is_troubled_and_speaks_the_words_for_it() -> None:
    assert [ods for ods, one in WATCHED.items() if one.troubled] == [TROUBLED]
    assert WATCHED[TROUBLED].own_json, "the EPS dialect has no word for most of it"
    assert not [one for one in BEHAVIOURS.values() if one.troubled]
    words = {word for course in COURSES.values() for word, _ in course.words}
    assert words - {Word.ACCEPTED, Word.QUERIED, Word.DELIVERED}


@pytest.mark.parametrize(("amount", "expected"), [("4", 2), ("5", 2), ("1", 0)])
def test_half_of_a_supply_is_in_whole_units(amount: str, expected: int) -> None:
    assert half(line(amount=amount)) == expected
