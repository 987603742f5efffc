"""Where the gateway's CPU goes under load, by area: the stacks of its running threads, looked at from outside.

py-spy reads them some two hundred times a second without stopping the process. It sees the threads that run or are
about to, each at one line of Python; what changes while it is read may be misread. So shares are an estimate, while how
much the event loop and the other threads use is the system's own count. The round that is looked at counts for nothing
else.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGINT
from typing import Final

RATE: Final = 200
_LONGEST_SECONDS: Final = 600
_BEGINS_SECONDS: Final = 2.0
_ENDS_SECONDS: Final = 20.0
_FILE: Final = re.compile(r"\(([^()]+):\d+\)$")
_LOOP: Final = re.compile(r"thread \(\w+\): MainThread")
LOOP_ITSELF: Final = "the loop itself"
LOOP_REST: Final = "the loop's rest"
STORE_REST: Final = "store: the rest"
COMMIT: Final = "store: commit, savepoints, folding"

# In the loop the innermost frame that is named here says what is done; what is not named serves whoever called it.
IN_LOOP: Final[Mapping[str, tuple[str, ...]]] = {
    "read the trust's message": ("gateway/translate/from_",),
    "watch, clock, counts, console, notices": (
        "gateway/watch",
        "gateway/wiring/watching",
        "gateway/pipeline/clockwork",
        "gateway/pipeline/counting",
        "gateway/console/",
        "gateway/notifier/",
    ),
    "choose, write FHIR, and the steps around it": ("gateway/translate/to_fhir/", "gateway/pipeline/"),
    "check": ("gateway/validate/",),
    "seal": ("gateway/sign/",),
    "write answers and news": ("gateway/translate/to_acknowledgement/",),
    "doors: HTTP and MLLP": (
        "gateway/web/",
        "gateway/mllp",
        "gateway/wiring/doors",
        "gateway/wiring/crowd",
        "gateway/wiring/room",
        "uvicorn/",
        "starlette/",
        "fastapi/",
    ),
    "send and tell": ("gateway/worker", "gateway/lane", "adapters/", "aiohttp/", "aiohappyeyeballs/"),
    "hand over to the store": ("gateway/store/",),
    "log": ("gateway/telemetry",),
}
# In the store's threads the outermost one does: accepting, for instance, calls whatever else it needs.
IN_STORE: Final[Mapping[str, tuple[str, ...]]] = {
    "store: look up and accept": ("gateway/store/sql/accept", "gateway/store/sql/known"),
    "store: claim, put on the wire, record": ("gateway/store/sql/claims", "gateway/store/sql/results"),
    "store: acknowledge": ("gateway/store/sql/acknowledge",),
    "store: leaves of the audit": ("gateway/store/sql/leaves",),
    "store: counts and changes for the console, news": (
        "gateway/store/sql/counting",
        "gateway/store/sql/changes",
        "gateway/store/sql/telling",
    ),
    COMMIT: ("gateway/store/sqlite/writer", "gateway/store/committer"),
}


@contextmanager
def looked_at(pid: int, folder: Path) -> Iterator[list[str]]:
    """Look at a process meanwhile; the list is filled at the end, and stays empty where looking is not allowed."""
    stacks: list[str] = []
    file = folder / "stacks.txt"
    spy = Path(sys.executable).with_name("py-spy")
    command = [str(spy), "record", "--nonblocking", "--threads", "--format", "raw", "--rate", str(RATE)]
    command += ["--pid", str(pid), "--duration", str(_LONGEST_SECONDS), "--output", str(file)]
    if not spy.exists():
        yield stacks
        return
    looking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - of our own extra
    time.sleep(_BEGINS_SECONDS)
    try:
        yield stacks
    finally:
        looking.send_signal(SIGINT)
        with suppress(subprocess.TimeoutExpired):
            looking.wait(_ENDS_SECONDS)
        looking.kill()
        if file.exists():
            stacks += file.read_text(encoding="utf-8").splitlines()


def spent(stacks: Iterable[str], *, loop: float, others: float) -> dict[str, float]:
    """Share out what the loop and the other threads used over their areas, by how often each was seen.

    Args:
        stacks: as py-spy writes them: a thread and its frames from the outermost on, joined by semicolons; how often.
        loop: milliseconds of the event loop's thread for one prescription.
        others: those of all other threads.

    Returns:
        Milliseconds a prescription by area; nothing where no stack was seen.
    """
    seen = {True: Counter[str](), False: Counter[str]()}
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        files = [found[1] for frame in frames if (found := _FILE.search(frame))]
        in_loop = _LOOP.match(thread) is not None
        seen[in_loop][_in_loop(files) if in_loop else _in_store(files)] += int(count)
    out = _shared_out(seen[True], [*IN_LOOP, LOOP_ITSELF, LOOP_REST], loop)
    return out | _shared_out(seen[False], [*IN_STORE, STORE_REST], others)


def _in_loop(files: Sequence[str]) -> str:
    # every stack stands on the loop; the loop is at work itself only where nothing else is
    bare = LOOP_ITSELF if files and files[-1].startswith(("asyncio/", "uvloop/")) else LOOP_REST
    return next((area for file in reversed(files) if (area := _area(file, IN_LOOP))), bare)


def _in_store(files: Sequence[str]) -> str:
    areas = [area for file in files if (area := _area(file, IN_STORE))]
    # the committer calls all that is written, so it is meant only where nothing else is
    return next((area for area in areas if area != COMMIT), areas[0] if areas else STORE_REST)


def _area(file: str, areas: Mapping[str, tuple[str, ...]]) -> str:
    return next((area for area, prefixes in areas.items() if file.startswith(prefixes)), "")


def _shared_out(seen: Counter[str], areas: Iterable[str], whole: float) -> dict[str, float]:
    all_of_them = seen.total()
    return {area: whole * seen[area] / all_of_them for area in areas} if all_of_them else {}
