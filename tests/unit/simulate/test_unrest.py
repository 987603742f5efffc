"""On a bad day everything goes wrong that can, and afterwards everybody is back."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from gateway.simulate import unrest as module
from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.child import Child
from gateway.simulate.folder import Addresses, choose_addresses
from gateway.simulate.journal import Journal
from gateway.simulate.office import Office
from gateway.simulate.providers import Provider
from gateway.simulate.unrest import Unrest
from gateway.simulate.world import PROFILES


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_LEAST", 0.5)
    for name in ("_BETWEEN_KILLS", "_BETWEEN_SPELLS", "_BETWEEN_ROUNDS", "_SILENT_FOR", "_DOWN_FOR"):
        monkeypatch.setattr(module, name, (0.01, 0.05))
    monkeypatch.setattr(module, "_AWAY", (0.0, 0.01))


class Doll(Child):
    """A gateway that is only counted."""

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        super().__init__(data=folder, config=folder, addresses=addresses)
        self.up = True
        self.kills = 0

    async def kill(self) -> None:
        assert self.up
        self.up, self.kills = False, self.kills + 1

    async def start(self) -> None:
        self.up = True


class Idle(Office):
    """People who only come in."""

    rounds = 0

    async def work(self) -> None:
        self.rounds += 1


def provider(ods: str) -> Provider:
    return Provider(
        ods,
        BEHAVIOURS[ods],
        journal=Journal(),
        gateway="http://127.0.0.1",
        token="",
        accepts="",
        verify=lambda _: True,
        now=lambda: datetime.now(UTC),
        source=Random(1),
    )


async def test_it_lasts_as_long_as_the_work_and_then_everybody_is_back(tmp_path: Path) -> None:
    addresses = choose_addresses(PROFILES, BEHAVIOURS)
    providers = {ods: provider(ods) for ods in BEHAVIOURS}
    tally: Counter[str] = Counter()
    child, source = Doll(tmp_path, addresses), Random(1)
    office = Idle(data=tmp_path, config=tmp_path, addresses=addresses, providers=providers, source=source, tally=tally)
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0.7)
        done.set()

    unrest = Unrest(child=child, providers=providers, office=office, source=source, tally=tally)
    await unrest.last(work())
    assert done.is_set()
    assert child.up
    assert child.kills == tally["killed"] > 0
    assert tally["silent"] > 0
    assert tally["down"] > 0
    assert office.rounds > 0
    assert not any(provider.silent for provider in providers.values())
