"""However deep in a run the gateway's own end is met, it is told as itself; what does not add up is told in words."""

import asyncio
from collections.abc import Coroutine

import pytest

from gateway.simulate.books import COUNTS, Reckoning
from gateway.simulate.child import GatewayDiedError
from gateway.simulate.run import _faults, _its_own_error
from gateway.simulate.standing import Standing

BOOKS = dict.fromkeys(COUNTS, 0) | {"submitted": 4, "accepted": 3, "refused": 1, "delivered": 3}


async def fail(error: Exception) -> None:
    raise error


async def nest(story: Coroutine[None, None, None]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(story)


async def test_the_end_of_the_gateway_is_told_as_itself() -> None:
    with pytest.raises(GatewayDiedError, match="its log"):
        await _its_own_error(asyncio.create_task(nest(nest(fail(GatewayDiedError("its log"))))))


async def test_any_other_fault_stays_what_it_is() -> None:
    with pytest.raises(ExceptionGroup):
        await _its_own_error(asyncio.create_task(nest(fail(ValueError("ours")))))


def reckoning(answers: dict[Standing, int], changes: dict[Standing, int]) -> Reckoning:
    return Reckoning(lost=(), double_supplied=(), surprises=(), answers=answers, changes=changes)


def test_a_change_is_counted_as_a_prescription_of_its_own() -> None:
    taken = reckoning({Standing.ACCEPTED: 2, Standing.REFUSED: 1}, {Standing.ACCEPTED: 1})
    assert _faults(BOOKS, taken, 3) == ()
    refused = reckoning({Standing.ACCEPTED: 3}, {Standing.REFUSED: 1})
    assert _faults(BOOKS, refused, 3) == ()


@pytest.mark.parametrize(
    ("answers", "written"),
    [({Standing.ACCEPTED: 3}, 3), ({Standing.ACCEPTED: 3, Standing.REFUSED: 1}, 5), ({Standing.HELD: 3}, 3)],
    ids=["a refusal nobody heard", "one never answered", "a hold the gateway does not count"],
)
def test_what_the_trusts_and_the_gateway_count_differently_is_told(answers: dict[Standing, int], written: int) -> None:
    assert _faults(BOOKS, reckoning(answers, {}), written)


def test_only_a_change_may_be_held_that_no_trust_was_told_of() -> None:
    held = BOOKS | {"held": 1}
    assert _faults(held, reckoning({Standing.ACCEPTED: 3, Standing.REFUSED: 1}, {}), 4)
    assert not _faults(held, reckoning({Standing.ACCEPTED: 2, Standing.REFUSED: 1}, {Standing.ACCEPTED: 1}), 3)
