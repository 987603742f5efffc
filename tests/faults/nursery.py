"""The gateway, imported once and forked for every start of it.

    python -m tests.faults.nursery

Reads one order a line (JSON) and answers each with a line. What it forks is `gateway serve` itself, with arguments,
environment, descriptors and an end of its own; only the seconds that importing takes are saved. A forked gateway waits
for `go`, so that a tracer can take hold of it before its first step.
"""

import ctypes
import gc
import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.__main__ import main as gateway
from gateway.commands import serve
from gateway.commands.offline import Offline
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.wiring.around import surroundings

_ORDER: Final = Path(__file__).parents[2] / "docs" / "first" / "order.hl7"
_PR_SET_PTRACER: Final = 0x59616D61
_ANYBODY: Final = -1
_waiting: dict[int, int] = {}


def _begin(order: dict[str, Any]) -> int:
    """Fork a gateway that waits; gives its process id."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(read)
        _waiting[child] = write
        return child
    os.close(write)
    os.setsid()
    _redirect(order["log"])
    with suppress(AttributeError, OSError):  # where tracing is for ancestors only, let our sibling trace us
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    os.read(read, 1)
    os.close(read)
    os.environ.update(order["environment"])
    sys.argv = ["gateway", *order["arguments"]]
    gateway()
    sys.exit(0)


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(told, 1)
    os.dup2(told, 2)


def _go(order: dict[str, Any]) -> None:
    write = _waiting.pop(order["process"])
    os.write(write, b"g")
    os.close(write)


def _ended(order: dict[str, Any]) -> int | None:
    """Give the exit code, or minus the signal; None while it runs. Asked once more after that it is an error."""
    found, status = os.waitpid(order["process"], os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _practise() -> None:
    """Read and write one order, so that no fork has to do for itself what only the first needs."""
    body = (
        _ORDER.read_bytes().replace(b"\n", b"\r").replace(b"@NOW@", b"20261005090000+0000").replace(b"@ID@", b"FIRST")
    )
    Offline(surroundings(load(None))).take(
        Submission(
            tenant=OdsCode("RBA"),
            format=WireFormat.HL7V2,
            body=body,
            received_at=datetime(2026, 10, 5, 9, 0, tzinfo=UTC),
        )
    )


def main() -> None:
    """Serve orders until there are none."""
    _practise()
    gc.collect()
    gc.freeze()
    _say(serve.__name__)
    while line := sys.stdin.readline():
        order = json.loads(line)
        _say({"begin": _begin, "go": _go, "ended": _ended}[order["do"]](order))


if __name__ == "__main__":
    main()
