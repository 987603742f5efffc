"""Several `gateway serve` processes on one real PostgreSQL and one real Valkey, trusts that post to any, and a verdict.

Every node has a data folder of its own with the same keys, tokens and configuration, as an operator mounts them. What
the trusts were promised and what the provider got is in their journals; the tables are asked past the gateway.
"""

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from os import kill
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Self

from gateway.domain.lifecycle import LineState
from gateway.store.postgres.connection import address
from gateway.store.postgres.enquiries import PostgresEnquiries
from gateway.store.postgres.store import elsewhere
from tests.contract.store_engines import RawPostgres
from tests.faults.invariants import broken
from tests.faults.parties import Sender, Sink
from tests.faults.served import Ground, Served, until
from tests.joined import valkey
from tests.postgres import Server, raw

PARTS: Final = "http,mllp,worker,watch"
PATIENCE_SECONDS: Final = 120.0
"""For what takes a few seconds on a machine with nothing else to do."""
_AGAIN_SECONDS: Final = 0.2
_UNSETTLED: Final = "SELECT count(*) FROM outbox WHERE kind = 'deliver' AND state NOT IN ('done', 'stuck')"
_LINES: Final = "SELECT id, order_number, state FROM line"
_ALERTS: Final = "SELECT kind, line FROM alert WHERE closed_at IS NULL"


class Nodes:
    """A database, a Valkey, a provider, and any number of gateways on them. Used as a context."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            self.sink = stack.enter_context(Sink())
            self.valkey = stack.enter_context(valkey())
            self.server = Server()
            stack.callback(self.server.remove)
            self.ground = Ground(self.sink.port, long_log=False)
            stack.callback(self.ground.close)
            self.running: list[Served] = []
            stack.callback(self._end_all)
            self._databases = count()
            self._database = ""
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self._stack.close()

    def afresh(self) -> None:
        """Begin anew: no node, an empty database and nothing in any journal."""
        self._end_all()
        self.running.clear()
        self.sink.journal.clear()
        self.valkey.empty()
        self._database = f"gateway_{next(self._databases)}"
        connection = raw(address(self.server.url("postgres")))
        elsewhere(lambda: connection.script(f'CREATE DATABASE "{self._database}"'))
        elsewhere(connection.close)

    @property
    def url(self) -> str:
        """Where the database is."""
        return self.server.url(self._database)

    def folder(self) -> Path:
        """Give the folder of one more node: the keys, tokens and configuration of all, and nothing else."""
        folder = self.ground.fresh()
        self._stack.callback(shutil.rmtree, folder)
        (folder / "data" / "gateway.db").unlink()
        return folder

    def begin(self, folder: Path | None = None, *, parts: str = PARTS, **variables: str) -> Served:
        """Start a node and do not wait for it."""
        joined = {"GATEWAY_DATABASE_URL": self.url, "GATEWAY_REDIS_URL": self.valkey.url}
        node = Served(self.ground.nursery, folder or self.folder(), parts=parts, **{**joined, **variables})
        self.running.append(node)
        return node

    def start(self, folder: Path | None = None, *, parts: str = PARTS, **variables: str) -> Served:
        """Start a node and wait until it stands ready."""
        node = self.begin(folder, parts=parts, **variables)
        until(lambda: node.code is not None or 'started"' in node.printed, PATIENCE_SECONDS)
        assert node.code is None, node.printed
        return node

    def look(self) -> RawPostgres:
        """Connect past the gateways; close it after use."""
        return RawPostgres(address(self.url))

    def enquiries(self) -> PostgresEnquiries:
        """Give the questions of a node; close them after use."""
        return PostgresEnquiries.open(address(self.url))

    def settle(self) -> bool:
        """Wait until everything has been sent, or is a person's to decide."""
        with closing(self.look()) as at:
            return until(lambda: not at.execute(_UNSETTLED)[0][0], PATIENCE_SECONDS)

    def restart_database(self, *, mode: str = "immediate", seconds: float = 1.0) -> None:
        """Let the server crash, be away for a while, and recover."""
        self.server.stop(mode)
        sleep(seconds)
        self.server.start()

    def _end_all(self) -> None:
        for node in self.running:
            if node.code is None:
                kill(node.process, signal.SIGCONT)
                node.end(signal.SIGKILL)


def freeze(node: Served) -> None:
    """Stop a node in mid-air: its connections stay, and nothing answers."""
    kill(node.process, signal.SIGSTOP)


def thaw(node: Served) -> None:
    """Let it go on as if no time had passed."""
    kill(node.process, signal.SIGCONT)


class Load:
    """Trusts that post one order after another, each again and at any node until it has its yes.

    Args:
        nodes: whose doors are tried, those that are dead or frozen too.
        trusts: how many post at once; every other one over MLLP.
        orders: of each.
        pause_seconds: between two orders of one.
    """

    def __init__(self, nodes: Nodes, *, trusts: int = 4, orders: int = 60, pause_seconds: float = 0.1) -> None:
        self._nodes = nodes
        self._orders = orders
        self._pause = pause_seconds
        self._turns = count()
        self._pool = ThreadPoolExecutor(trusts)
        self.senders = [Sender(nodes.ground.token, f"T{number}") for number in range(trusts)]
        self._until = monotonic() + PATIENCE_SECONDS * 2
        self._posting: list[Future[None]] = [
            self._pool.submit(self._post_all, sender, mllp=bool(number % 2))
            for number, sender in enumerate(self.senders)
        ]

    def promised(self) -> int:
        """Give how many orders have their yes by now."""
        return sum(len(sender.promised) for sender in self.senders)

    def wait_for(self, orders: int) -> None:
        """Wait until so many have."""
        assert until(lambda: self.promised() >= orders or all(one.done() for one in self._posting), PATIENCE_SECONDS)

    def finish(self) -> None:
        """Wait until all have, or the patience is over."""
        for one in self._posting:
            one.result()
        self._pool.shutdown()

    def again(self) -> list[str]:
        """Send every order once more, to one running node after the other, and give what was not answered with yes."""
        doors = [node for node in self._nodes.running if node.code is None and node.base]
        return [
            f"lost: {sender.control(number)} was not taken when it was sent again"
            for place, sender in enumerate(self.senders)
            for number in range(self._orders)
            if not sender.post(doors[(place + number) % len(doors)].base, number).positive
        ]

    def _post_all(self, sender: Sender, *, mllp: bool) -> None:
        for number in range(self._orders):
            while sender.control(number) not in sender.promised and monotonic() < self._until:
                if not self._posted(sender, number, mllp=mllp):
                    sleep(_AGAIN_SECONDS)
            sleep(self._pause)

    def _posted(self, sender: Sender, number: int, *, mllp: bool) -> bool:
        doors = [node for node in self._nodes.running if node.base]
        node = doors[next(self._turns) % len(doors)]
        if mllp and node.mllp:
            sender.say(node.mllp, number)
        else:
            sender.post(node.base, number)
        return sender.heard[sender.control(number)][-1].positive


def judge(nodes: Nodes, load: Load, *, explained: frozenset[str]) -> list[str]:
    """Give everything that is wrong, by the journals of the parties and by the tables.

    Args:
        nodes: which have settled.
        load: which has finished.
        explained: the kinds of alert that the faults of this case may open.
    """
    found = [*load.again(), *nodes.sink.faults()]
    for sender in load.senders:
        found += [*sender.faults(), *_impatient(sender)]
    with closing(nodes.look()) as at:
        found += [f"silent: {fault}" for fault in broken(at)]
        found += _unsupplied(at, nodes.sink, [control for sender in load.senders for control in sender.promised])
        kinds = Counter(str(kind) for kind, _ in at.execute(_ALERTS))
        found += [f"silent: {kind} alerts, {number}" for kind, number in kinds.items() if kind not in explained]
    return found


def _impatient(sender: Sender) -> Iterator[str]:
    """Give every answer that was neither yes nor nothing, and did not say when to come again."""
    for control, answers in sender.heard.items():
        for answer in answers:
            if answer.status and not answer.positive and not answer.come_again:
                yield f"silent: {control} was answered {answer.status} and not when to come again"


def _unsupplied(at: RawPostgres, sink: Sink, promised: list[str]) -> Iterator[str]:
    """Give every order of which nobody is told that the provider has not got it."""
    arrived = {name for one in sink.journal for name in one.names}
    alerted = {line for _, line in at.execute(_ALERTS)}
    rows = {order: (line, state) for line, order, state in at.execute(_LINES)}
    for order in (f"RX-{control}" for control in promised):
        line, state = rows.get(order, (None, ""))
        if line is None:
            yield f"lost: {order} is not there"
        elif order not in arrived and state == LineState.WITH_PROVIDER:
            yield f"lost: {order} is said to have arrived and has not"
        elif state != LineState.WITH_PROVIDER and line not in alerted:
            yield f"silent: {order} is {state} and nobody is told"
