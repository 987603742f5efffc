"""A disk that fails, is full or is slow costs answers, never promises."""

import apsw
import pytest

from gateway.domain.errors import Unavailable
from gateway.store.committer import Committer
from gateway.store.sqlite import writer
from tests.faults import failing_disk
from tests.faults.failing_disk import Fault


def test_no_fault_of_the_disk_costs_a_promise() -> None:
    row = failing_disk.run(range(1, 2), per_seed=12)
    assert row.clean, row.faults


def test_going_on_after_a_failed_synchronisation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_FATAL", ())
    monkeypatch.setattr(writer, "_PASSING", (*writer._PASSING, apsw.IOError))
    monkeypatch.setattr(Committer, "_give_up", _forgiving)
    assert any(failing_disk.try_day(Fault.IO_ERROR, day) for day in range(40))


def _forgiving(self: Committer, error: BaseException, words: str) -> Unavailable:
    """Tell that the disk has failed, and go on all the same."""
    self._writer.give_up(error)
    self._failed()
    return Unavailable(words)
