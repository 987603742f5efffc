"""What a second node costs: CPU of the gateway's processes for one prescription, with one node and with two.

    python -m bench.nodes [--rate 15] [--seconds 12] [--rounds 3]

Both on one PostgreSQL of their own, at the same offered load; two between one before and one after, so that what else
the machine does falls on both alike. With two, the senders part their messages between the doors of both. Neither
PostgreSQL's CPU is counted nor the parties'. Wall-clock scaling is not measured: that needs more cores than such a
measurement has.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import sleep

from bench.corpus import Door
from bench.driver import Plan
from bench.parties import PROVIDERS, SHARES, Parties
from bench.served import Served
from gateway.simulate.folder import choose_addresses
from gateway.store.postgres.connection import address
from gateway.store.postgres.store import elsewhere
from tests.postgres import Server, raw

SEED = 11
TARGET = 1.25
"""How many times the CPU of one node two may use (issue of speed, done when)."""
_WARM_UP = 150
"""For each node: what is compiled, prepared and kept with the first of each kind is no cost of a prescription."""
_SETTLES_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0


class Split(Parties):
    """Parties whose senders part their messages between the doors of several nodes.

    Args:
        nodes: the first is where providers answer.
        seed: draws the messages.
    """

    def __init__(self, nodes: Sequence[Served], *, seed: int) -> None:
        super().__init__(nodes[0], seed=seed)
        self.nodes = tuple(nodes)

    def plans(self, count: int, *, rate: float, shares: dict[Door, float], providers: tuple[str, ...]) -> list[Plan]:
        """See `Parties.plans`."""
        parts = len(self.nodes)
        plans = super().plans(count // parts, rate=rate / parts, shares=shares, providers=providers)
        return [
            replace(
                plan,
                port=node.addresses.mllp if plan.door == Door.MLLP else node.addresses.http,
                tag=f"{plan.tag}{place}",
            )
            for place, node in enumerate(self.nodes)
            for plan in plans
        ]


def main() -> int:
    """Measure; exit 1 where two nodes use more than they may."""
    stated = argparse.ArgumentParser(prog="python -m bench.nodes")
    stated.add_argument("--rate", type=float, default=15.0, help="prescriptions a second, offered")
    stated.add_argument("--seconds", type=float, default=12.0, help="of each round")
    stated.add_argument("--rounds", type=int, default=3, help="before, and again after; twice as many with two nodes")
    arguments = stated.parse_args()
    with TemporaryDirectory() as folder, _server() as url:
        one, two = _nodes(Path(folder), url)
        found = _measure(one, two, rate=arguments.rate, seconds=arguments.seconds, rounds=arguments.rounds)
    print(json.dumps({**found, "rate": arguments.rate, "load of the machine": os.getloadavg()[0]}, indent=1))
    return 0 if found["two nodes to one"] <= TARGET else 1


@contextmanager
def _server() -> Iterator[str]:
    """Give the URL of an empty database of a server that is gone afterwards."""
    server = Server()
    try:
        connection = raw(address(server.url("postgres")))
        elsewhere(lambda: connection.script("CREATE DATABASE gateway"))
        elsewhere(connection.close)
        yield server.url("gateway")
    finally:
        server.remove()


def _nodes(folder: Path, url: str) -> tuple[Served, Served]:
    """Give two nodes that are alike, not started: the second gets the keys that the first has made."""
    one = Served(folder, PROVIDERS, {"GATEWAY_DATABASE_URL": url})
    two = copy(one)
    ports = choose_addresses((), ())
    two.addresses = replace(one.addresses, http=ports.http, mllp=ports.mllp)
    two.data = folder.resolve() / "second"
    return one, two


def _measure(one: Served, two: Served, *, rate: float, seconds: float, rounds: int) -> dict[str, float]:
    alone: list[float] = []
    together: list[float] = []
    one.start()
    try:
        two.data.mkdir(mode=0o700)
        shutil.copytree(one.data / "keys", two.data / "keys")
        with Split((one,), seed=SEED) as parties:
            _round(parties, _WARM_UP, rate)
            alone += [_round(parties, int(rate * seconds), rate) for _ in range(rounds)]
            two.start()
            parties.nodes = (one, two)
            _round(parties, 2 * _WARM_UP, rate)
            together += [_round(parties, int(rate * seconds), rate) for _ in range(2 * rounds)]
            two.stop()
            parties.nodes = (one,)
            alone += [_round(parties, int(rate * seconds), rate) for _ in range(rounds)]
    finally:
        one.stop()
        two.stop()
    return {
        "one node, CPU ms a prescription": round(median(alone) * 1e3, 2),
        "two nodes, CPU ms a prescription": round(median(together) * 1e3, 2),
        "two nodes to one": round(median(together) / median(alone), 3),
        "least": round(min(together) / max(alone), 3),
        "most": round(max(together) / min(alone), 3),
    }


def _round(parties: Split, count: int, rate: float) -> float:
    """Send so many and wait for the last acknowledgement; gives CPU seconds of all nodes for each."""
    before = [node.use().cpu for node in parties.nodes]
    known = parties.acknowledged()
    answered = parties.send(count, rate=rate, shares=SHARES, providers=PROVIDERS)
    parties.until_acknowledged(known + len(answered.planned) - len(answered.refused), patience=_PATIENCE_SECONDS)
    sleep(_SETTLES_SECONDS)
    used = sum(node.use().cpu for node in parties.nodes) - sum(before)
    return used / max(parties.acknowledged() - known, 1)


if __name__ == "__main__":
    sys.exit(main())
