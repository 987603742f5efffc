"""The gateway is killed without warning, again and again, and started again on what it left behind.

Judged by the simulators' journals: nothing that was answered positively is lost, nothing is supplied twice, and every
repeat gets the answer that was first given.
"""

import asyncio
from pathlib import Path

import pytest

from gateway.simulate.run import Demonstration, Plan, Result
from tests.faults.forked import ForkedChild
from tests.faults.served import Nursery


async def killed(data: Path, *, kills: int, seed: int) -> Result:
    # the pause keeps the trusts prescribing through every outage, so that each kill finds work in every stage
    plan = Plan(prescriptions=kills * 10, seed=seed, data=data, kills=kills, pause_seconds=0.25, patience_seconds=500)
    demonstration, nursery = Demonstration(plan), Nursery()
    demonstration.child = ForkedChild(nursery, data=data, config=data / "config", addresses=demonstration.addresses)
    try:
        await demonstration.open()
        return await demonstration.run()
    finally:
        await demonstration.close()
        nursery.close()


def judge(result: Result, kills: int) -> None:
    assert result.kills == kills
    assert result.reckoning.lost == ()
    assert result.reckoning.double_supplied == ()
    assert result.faults == ()
    assert result.books["delivered"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing_and_supply_nothing_twice(tmp_path: Path) -> None:
    judge(asyncio.run(killed(tmp_path, kills=20, seed=20)), 20)
