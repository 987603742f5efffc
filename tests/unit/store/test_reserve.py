"""Room on the disk that is held, and given up."""

import errno
import os
from pathlib import Path

import pytest

from gateway.store.reserve import FILE, Reserve

SIZE = 1 << 20


def test_the_room_is_really_taken_and_really_given_up(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, SIZE)
    assert not reserve.held
    assert reserve.hold()
    assert reserve.hold()
    stat = (tmp_path / FILE).stat()
    assert stat.st_blocks * 512 >= SIZE  # no hole
    assert stat.st_mode & 0o077 == 0
    reserve.give_up()
    reserve.give_up()
    assert not reserve.held
    assert not (tmp_path / FILE).exists()


def test_a_reserve_of_nought_is_no_file(tmp_path: Path) -> None:
    assert not Reserve(tmp_path, 0).hold()
    assert not (tmp_path / FILE).exists()


def test_a_reserve_of_another_size_is_made_anew(tmp_path: Path) -> None:
    Reserve(tmp_path, SIZE).hold()
    assert not Reserve(tmp_path, 2 * SIZE).held
    assert Reserve(tmp_path, 2 * SIZE).hold()
    assert (tmp_path / FILE).stat().st_size == 2 * SIZE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_where_the_disk_is_full_nothing_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(file: int, offset: int, size: int) -> None:
        os.truncate(file, size // 2)
        raise OSError(number, "injected", offset)

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not Reserve(tmp_path, SIZE).hold()
    assert not (tmp_path / FILE).exists()


def test_another_fault_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"."):
        Reserve(tmp_path / "absent", SIZE).hold()
