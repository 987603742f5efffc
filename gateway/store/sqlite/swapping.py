"""Moving files into the place of others, all or none: a step that fails is undone, the last first.

What was there before is kept aside, never deleted. Between the first step and the last no store opens in the folder
(`connection.refuse_unfinished`): where the process stops there, the swap is begun again.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def swap(new: Iterable[tuple[Path, Path]], old: Iterable[Path], *, folder: Path, now: datetime) -> Path | None:
    """Put files in place, and what was there aside.

    Args:
        new: each file or folder with the place it is to have.
        old: what must make room, as far as it exists.
        folder: in which all of it is.
        now: names the folder in which what was there is kept.

    Returns:
        Where what was there is kept; None where there was nothing.

    Raises:
        OSError: a step failed; everything is where it was, unless undoing failed as well.
    """
    there = [file for file in old if file.exists()]
    aside = folder / f"replaced-{now:%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in (*((file, aside / file.name) for file in there), *new):
            source.rename(target)
            done.append((source, target))
        sync(folder)
    except OSError:
        _undo(done)
        raise
    finally:
        with suppress(OSError):  # it holds what was there, unless nothing was, or the swap was undone
            aside.rmdir()
    return aside if there else None


def sync(path: Path) -> None:
    """Let a file or the names of a folder reach the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _undo(done: list[tuple[Path, Path]]) -> None:
    for source, target in reversed(done):
        target.rename(source)
