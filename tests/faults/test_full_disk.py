"""A disk that is filled or fails in mid-traffic: new work is turned away, what was taken is finished, room brings all
back, and no promise is lost with a file system that turns read-only.
"""

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.store.sqlite.connection import PAGE_BYTES
from tests.faults import full_disk
from tests.faults.full_disk import Filled, Fragile, fill, use_up, volume
from tests.faults.parties import Sender, Sink
from tests.faults.served import Ground, Served, until

_FRAME = PAGE_BYTES + 24
"""A page in the log, with its header."""

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


def test_where_few_files_are_left_new_work_is_refused_and_what_was_taken_goes_on(ground: Ground, sink: Sink) -> None:
    if reason := full_disk.unable():
        pytest.skip(f"no disk can be filled: {reason}")
    with volume(files=400) as disk:
        filled = Filled(ground, sink, disk, GATEWAY_DISK_FLOOR_FILES="100")
        with sink.down():
            assert filled.post(0, 1) == [200] * 2
            files = use_up(disk, but=50)
            assert filled.post(2) == [503]
            assert b"MSA|AR|" in filled.sender.say(filled.served.mllp, 3)
        assert filled.sent_within(30)
        assert filled.post(0, 2) == [200, 503]
        shutil.rmtree(files)
        assert all(filled.taken_within(number, 10) for number in (2, 3))
        assert filled.sent_within(20)
        assert filled.faults() == []
        assert filled.close() == 0


def test_without_a_single_file_left_no_promise_is_lost_and_the_next_start_says_what_is_wrong(
    ground: Ground, sink: Sink
) -> None:
    if reason := full_disk.unable():
        pytest.skip(f"no disk can be filled: {reason}")
    with volume(files=60) as disk:
        filled = Filled(ground, sink, disk, GATEWAY_DISK_FLOOR_FILES="0")
        assert filled.post(0, 1) == [200] * 2
        files = use_up(disk)
        assert set(filled.post(*range(2, 8))) <= {200, 503}
        assert filled.served.code is None, "it needs no new file to go on"
        assert filled.sent_within(30)
        assert filled.faults() == []
        filled.let_go()
        filled.served.end(signal.SIGTERM)
        use_up(disk)  # the log and the reserve went with it
        refused = filled.again(GATEWAY_DISK_FLOOR_FILES="0")
        assert refused.ended_within(20)
        assert refused.code not in {0, -signal.SIGKILL}
        assert "Traceback" not in refused.printed
        shutil.rmtree(files)
        assert filled.again(GATEWAY_DISK_FLOOR_FILES="0").ready()
        assert all(filled.taken_within(number, 10) for number in range(9))
        assert filled.sent_within(30)
        assert filled.faults() == []
        assert filled.close() == 0


def test_a_file_system_that_turns_read_only_ends_it_and_costs_no_promise(
    ground: Ground, sink: Sink, tmp_path: Path
) -> None:
    if reason := full_disk.unbreakable():
        pytest.skip(f"no file system can be turned read-only: {reason}")
    fragile = Fragile(tmp_path / "image")
    with fragile.mounted() as disk:
        filled = Filled(ground, sink, disk)
        assert filled.post(0, 1, 2) == [200] * 3
        fragile.fail(disk)
        answers = filled.post(*range(3, 9))
        assert set(answers) <= {0, 503}
        assert filled.served.ended_within(30) or filled.post(9) == [503]
        filled.served.end(signal.SIGKILL)
        filled.let_go()
    with fragile.mounted() as disk:
        filled.move(disk)
        assert filled.again().ready(), filled.served.printed
        assert all(filled.taken_within(number, 10) for number in range(9))
        assert filled.sent_within(30)
        assert filled.faults() == []
        assert filled.close() == 0


@pytest.mark.parametrize("more", [3 * PAGE_BYTES, _FRAME + 13, 2 * _FRAME + 400, 1])
def test_a_file_that_may_not_grow_costs_answers_and_no_promise(ground: Ground, sink: Sink, more: int) -> None:
    """The kernel cuts the write that would pass the limit short, in a page or in the header of one."""
    sink.journal.clear()
    folder = ground.fresh()
    served = Served(ground.nursery, folder)
    assert served.ready()
    sender = Sender(ground.token, "G")
    assert [sender.post(served.base, number).status for number in range(2)] == [200] * 2
    length = (folder / "data" / "gateway.db-wal").stat().st_size
    resource.prlimit(served.process, resource.RLIMIT_FSIZE, (length + more, resource.RLIM_INFINITY))
    answers = [sender.post(served.base, number) for number in range(2, 12)]
    assert not any(answer.positive for answer in answers[2:])
    served.end(signal.SIGTERM)
    again = Served(ground.nursery, folder)
    assert again.ready(), again.printed
    assert all(sender.post(again.base, number).positive for number in range(12))
    assert until(lambda: len({one.message for one in sink.journal}) == 12, 20)
    assert [*sender.faults(), *sink.faults()] == []
    assert again.end(signal.SIGTERM)
