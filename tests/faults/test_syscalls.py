"""A real server of which one system call fails keeps its promises, and a judge that would let it off is found out."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.faults import syscalls
from tests.faults.parties import Answered, Arrived, Sender, Sink
from tests.faults.served import Ground
from tests.faults.syscalls import Case, Passed, Trial

FEW = (
    Case("fdatasync", "error=EIO", 6, 1),
    Case("fdatasync", "error=EIO", 8, 1),
    Case("fdatasync", "delay_enter=400000", 9, 1),
    Case("pwrite64", "error=EIO", 645, 1),
    Case("pwrite64", "error=ENOSPC", 798, 1),
    Case("pwrite64", "error=EINTR", 762, 1),
    Case("pwrite64", "retval=0", 701, 1),
    Case("fdatasync", "signal=SIGKILL", 12, 1),
    Case("fallocate", "error=ENOSPC", 1, 1),
    Case("rename", "error=EIO", 1, 1),
    Case("sendto", "error=ECONNRESET", 12, 1),
    Case("connect", "signal=SIGKILL", 2, 1),
)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as listening:
        yield listening


@pytest.fixture(scope="module")
def ground(sink: Sink) -> Iterator[Ground]:
    if reason := syscalls.unable():
        pytest.skip(f"no system call can be harmed: {reason}")
    made = Ground(sink.port)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", FEW, ids=str)
def test_one_harmed_call_costs_no_promise(ground: Ground, sink: Sink, case: Case) -> None:
    trial = Trial(ground, sink, case)
    trial.run()
    assert trial.faults == [], trial.ends


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("file", ["gateway.db-wal", "gateway.db"])
def test_a_failed_synchronisation_of_log_or_file_ends_the_process(ground: Ground, sink: Sink, file: str) -> None:
    trial = Trial(ground, sink, Case("fdatasync", "error=EIO", 1, 2, file=file))
    assert trial.run()
    assert trial.harmed == [file]
    assert trial.faults == []
    assert trial.ends.startswith("ended 1"), trial.ends


def test_where_nothing_can_be_traced_the_row_says_so_and_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syscalls, "unable", lambda: "strace is not installed")
    row = syscalls.run(range(1, 2), per_seed=1)
    assert not row.clean
    assert "strace is not installed" in row.faults[0]


def test_every_call_and_way_is_visited_before_any_twice() -> None:
    found = {"fdatasync": Passed(tuple(range(1, 30)), 20), "rename": Passed((1,), 0)}
    given = list(islice(syscalls.cases(found, seed=1), 40))
    assert len(set(given)) == len(given) == 40
    assert len({(case.call, case.way) for case in given[:7]}) == 7
    assert all(case.late is (case.call == "rename" or case.passing > 20) for case in given)


def test_what_was_not_reached_is_made_up_for_but_not_for_ever() -> None:
    all_of_them = [Case("fdatasync", "error=EIO", number, 1) for number in range(1, 100)]
    for reached, given, tried in ((True, 8, 8), (False, 10, 0)):
        handed = syscalls._Given(iter(all_of_them), 8)
        count = 0
        while handed.next() is not None:
            count += 1
            handed.done(reached=reached, faults=[])
        assert (count, handed.tried) == (given, tried)


def test_a_message_that_comes_twice_is_found_unless_the_provider_recognises_it() -> None:
    with Sink() as sink:
        sink.journal += [Arrived("m", "VNE51", ("RX-1",), b"x")] * 2
        assert sink.faults() == ["doubled: message m came 2 times"]
        sink.journal[:] = [Arrived("m", "VDEM1", ("RX-1",), octets) for octets in (b"x", b"x", b"y")]
        assert sink.faults() == ["doubled: message m came with other bytes"]
        sink.journal[:] = [Arrived(message, "VDEM1", ("RX-1",), b"x") for message in "ab"]
        assert sink.faults() == ["doubled: RX-1 came as 2 messages"]


def test_two_answers_to_one_message_are_found() -> None:
    sender = Sender("token", "A")
    sender.heard = {"AN0": [Answered(200, b"MSA|AA|1"), Answered(503), Answered(200, b"MSA|AA|2"), Answered(422)]}
    assert sender.promised == ["AN0"]
    assert sender.faults() == [
        "doubled: AN0 was answered positively in two ways",
        "silent: AN0 was answered 422",
    ]


@pytest.mark.slow
def test_a_promise_that_is_not_in_the_tables_is_found(ground: Ground, sink: Sink) -> None:
    trial = Trial(ground, sink, Case("rename", "signal=SIGKILL", 1, 3))
    trial.sender.heard["NEVER"] = [Answered(200, b"MSA|AA|NEVER")]
    assert trial.run()
    assert "lost: NEVER was promised and is not there" in trial.faults
    assert "lost: RX-NEVER is not there" in trial.faults
