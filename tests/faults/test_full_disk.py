"""A disk that is filled in mid-traffic: new work is turned away, what was taken is finished, room brings all back."""

import resource
import signal
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.faults import full_disk
from tests.faults.full_disk import Filled, fill, volume
from tests.faults.parties import Sender, Sink
from tests.faults.served import Ground, Served, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as listening:
        yield listening


@pytest.fixture(scope="module")
def ground(sink: Sink) -> Iterator[Ground]:
    made = Ground(sink.port, long_log=False)
    yield made
    made.close()


@pytest.fixture
def gateway(ground: Ground, sink: Sink) -> Iterator[Callable[..., Filled]]:
    if reason := full_disk.unable():
        pytest.skip(f"no disk can be filled: {reason}")
    with volume() as disk:
        yield partial(Filled, ground, sink, disk)


def test_below_the_floor_new_work_is_refused_and_the_reserve_finishes_what_was_taken(
    gateway: Callable[..., Filled],
) -> None:
    filled = gateway()
    with filled.sink.down():
        assert filled.post(0, 1, 2, 3) == [200] * 4
        filler = fill(filled.disk, but=64 << 10)
        assert filled.post(4) == [503]
        assert b"MSA|AR|" in filled.sender.say(filled.served.mllp, 5)
        assert until(lambda: not filled.reserve_held(), 5)
    assert filled.sent_within(30)
    assert filled.post(0, 4) == [200, 503]  # a repeat is answered; what is new still waits
    assert len({one.message for one in filled.sink.journal}) == 4
    filler.unlink()
    assert filled.taken_within(4, 10)
    assert b"MSA|AA|" in filled.sender.say(filled.served.mllp, 5)
    assert until(filled.reserve_held, 5)
    assert filled.sent_within(20)
    assert filled.faults() == []
    assert filled.close() == 0


def test_a_disk_that_is_full_to_the_last_byte_costs_answers_and_no_promise(gateway: Callable[..., Filled]) -> None:
    filled = gateway(GATEWAY_DISK_FLOOR_BYTES="0", GATEWAY_RESERVE_BYTES="0")
    assert filled.post(0, 1) == [200] * 2
    filler = fill(filled.disk)
    answers = filled.post(*range(2, 12))
    assert answers[-5:] == [503] * 5
    assert set(answers) <= {200, 503}  # the log may have had room in its last page
    assert b"MSA|AR|" in filled.sender.say(filled.served.mllp, 12)
    assert filled.served.code is None, "a full disk ends nothing"
    filler.unlink()
    assert all(filled.taken_within(number, 10) for number in range(13))
    assert filled.sent_within(30)
    assert filled.faults() == []
    assert filled.close() == 0


def test_a_file_that_may_not_grow_costs_answers_and_no_promise(ground: Ground, sink: Sink) -> None:
    """Where no file system may be mounted, this is what is left: the system refuses to let the log grow."""
    sink.journal.clear()
    folder = ground.fresh()
    served = Served(ground.nursery, folder)
    assert served.ready()
    sender = Sender(ground.token, "G")
    assert [sender.post(served.base, number).status for number in range(2)] == [200] * 2
    length = (folder / "data" / "gateway.db-wal").stat().st_size
    resource.prlimit(served.process, resource.RLIMIT_FSIZE, (length + 3 * 4096, resource.RLIM_INFINITY))
    answers = [sender.post(served.base, number) for number in range(2, 12)]
    assert not any(answer.positive for answer in answers[2:])
    served.end(signal.SIGTERM)
    again = Served(ground.nursery, folder)
    assert again.ready(), again.printed
    assert all(sender.post(again.base, number).positive for number in range(12))
    assert until(lambda: len({one.message for one in sink.journal}) == 12, 20)
    assert [*sender.faults(), *sink.faults()] == []
    assert again.end(signal.SIGTERM)
