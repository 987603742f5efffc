"""The machine under the gateway: who may read the data folder, who uses it, and how much room is left.

Nothing is written and nothing is held: a gateway may run on the folder, start on it or stop while this looks.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.access.operators import FILE as OPERATORS
from gateway.pipeline.admission import Room
from gateway.settings import MIB, Settings
from gateway.store.reserve import Reserve
from gateway.store.sqlite.connection import UNFINISHED
from gateway.wiring.build import DATABASE, LOCK
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.room import room_on
from gateway.wiring.watching import WATCH_LOCK

_OTHERS: Final = 0o077
_EASY: Final = 2
"""Room is looked at when it has come within twice what the floor and the reserve need."""


def is_held(lock: Path) -> bool:
    """Tell whether a process holds a lock of the data folder.

    The lock is the system's and ends with the process: a file alone means nothing. It is asked for and let go at once;
    a gateway that starts in the same instant asks again (`claim_data_folder`).
    """
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def folder(data: Path) -> Iterator[Finding]:
    """Look at the data folder and the files in it: they are for the account that runs the gateway, and nobody else."""
    check = "data folder"
    if not data.is_dir():
        yield wrong(check, f"{data} is not there", "Give the right folder: --data, or GATEWAY_DATA.")
        return
    files = [data, data / DATABASE, data / OPERATORS, *sorted((data / "keys").glob("*.key"))]
    shared = [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & _OTHERS]
    closed = [file for file in files if file.exists() and not os.access(file, os.R_OK | os.W_OK)]
    for file in shared:
        mode = "0700" if file.is_dir() else "0600"
        yield wrong(check, f"other accounts may read {file}", f"chmod {mode} {file}; then ask who could have read it.")
    for file in closed:
        yield wrong(check, f"this account may not read and write {file}", "Run as the account that runs the gateway.")
    if not shared and not closed:
        yield good(check, f"{data} is for this account alone")


def running(data: Path) -> Iterator[Finding]:
    """Say what runs on the folder, and whether a restore was left unfinished."""
    unfinished = data / f"{DATABASE}{UNFINISHED}"
    if unfinished.exists():
        yield wrong("restore", "a restore was begun and not finished", "Run the same `gateway restore` again.")
    if is_held(data / LOCK):
        alone = ", and a watch of its own" if is_held(data / WATCH_LOCK) else ""
        yield good("gateway", f"one runs on the folder{alone}")
        return
    left = " (its lock is a file left behind, and in nobody's way)" if (data / LOCK).exists() else ""
    yield wrong(
        "gateway",
        f"none runs on the folder{left}: nothing is taken, nothing is sent",
        "Start it by your service manager, or with `gateway serve`; read the last lines of its log first.",
    )


def room(settings: Settings) -> Iterator[Finding]:
    """Look at the room that is left on the disk of the data folder, against the floors."""
    try:
        found = room_on(settings.data)()
    except OSError as error:
        yield wrong("disk room", f"cannot be told: {error.strerror}", "Look whether the disk is still mounted.")
        return
    yield _bytes(found, settings)
    if found.files is not None:
        yield _files(found.files, settings.disk_floor_files)


def _bytes(found: Room, settings: Settings) -> Finding:
    floor, free = settings.disk_floor_bytes, f"{found.bytes // MIB} MiB free"
    against = f"the floor is {floor // MIB} MiB"
    do = "Make room on that disk; delete nothing in the data folder. See docs/runbooks/room-low.md."
    if found.bytes < floor:
        return wrong("disk room", f"{free}, {against}: new prescriptions are refused", do)
    if found.bytes < _EASY * (floor + settings.reserve_bytes):
        return look("disk room", f"{free}, {against}: it comes near", do)
    kept = (
        f", {settings.reserve_bytes // MIB} MiB in reserve"
        if Reserve(settings.data, settings.reserve_bytes).held
        else ""
    )
    return good("disk room", f"{free}, {against}{kept}")


def _files(free: int, floor: int) -> Finding:
    do = "Remove small files from that disk, none of the data folder. See docs/runbooks/room-low.md."
    if free < floor:
        return wrong("disk files", f"room for {free} more files, the floor is {floor}: prescriptions are refused", do)
    if free < _EASY * floor:
        return look("disk files", f"room for {free} more files, the floor is {floor}: it comes near", do)
    return good("disk files", f"room for {free} more")
