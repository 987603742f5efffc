"""A gateway is upgraded with work under way, rolled back to the release before, and upgraded again; nobody notices.

Source: reliability-security.md T25.
"""

import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Final

import apsw
import pytest

from gateway.wiring.build import DATABASE
from tests.faults.invariants import broken
from tests.faults.parties import Sender, Sink
from tests.faults.served import ROOT, Ground, Nursery, Served, until

PREVIOUS: Final = "a0ac97ae8026383a0db4f1cd276f3b7339b09c33"
"""The commit of the release before this one."""
_PARTS: Final = "http,worker,watch"


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the sources of the release before."""
    packed = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip("the history of this checkout does not reach back to the release before")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def now() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_upgrade_roll_back_and_upgrade_lose_nothing_and_send_nothing_twice(
    previous: Path, now: Nursery, how: signal.Signals
) -> None:
    with Sink() as sink, closing(Ground(sink.port, long_log=False, root=previous)) as ground:
        folder = ground.fresh()
        sender = Sender(ground.token, "U")
        posted = 0
        for nursery in (ground.nursery, now, ground.nursery, now):
            served = Served(nursery, folder, parts=_PARTS)
            assert served.ready(), served.printed
            for number in range(posted):
                sender.post(served.base, number)
            posted += 2
            assert _all_taken(sender, served, range(posted - 2, posted))
            assert until(_settled(sender, sink, folder / "data" / DATABASE), 60), served.printed
            with sink.down():
                posted += 2
                assert _all_taken(sender, served, range(posted - 2, posted))
                assert served.end(how)
            assert _prepared(folder / "data" / DATABASE) == (posted > 4)
        served = Served(now, folder, parts=_PARTS)
        assert served.ready()
        assert until(_settled(sender, sink, folder / "data" / DATABASE), 60), served.printed
        assert served.end(signal.SIGTERM)
        connection = apsw.Connection(str(folder / "data" / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
        assert [*sender.faults(), *sink.faults(), *broken(connection)] == []
        connection.close()


def _prepared(database: Path) -> bool:
    """Tell whether a gateway of this version has been there."""
    connection = apsw.Connection(str(database))
    found = bool(connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'step'").get)
    connection.close()
    return found


def _all_taken(sender: Sender, served: Served, numbers: range) -> bool:
    return all(sender.post(served.base, number).positive for number in numbers)


def _settled(sender: Sender, sink: Sink, database: Path) -> Callable[[], bool]:
    """Whether every order that was promised has arrived, or a person has been told: a kill may leave one in doubt."""

    def met() -> bool:
        connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
        alerted = {order for (order,) in connection.execute(_ALERTED)}
        connection.close()
        arrived = {name for one in sink.journal for name in one.names}
        return {f"RX-{control}" for control in sender.promised} <= arrived | alerted

    return met


_ALERTED: Final = """
SELECT line.order_number FROM line JOIN alert ON alert.line = line.id WHERE alert.closed_at IS NULL
"""
