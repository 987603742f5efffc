"""How fast a homecare message is read, checked in full and written again, beside `fhir.resources` on the same messages.

    python -m bench.fhir [SECONDS]

A rate a core is one of CPU seconds of the thread that does the work; the rate by the clock stands beside it.
The two take turns, a short round each, because a machine is not equally fast at every moment: the rates are those of
the best rounds, and the ratio is the median of what neighbouring rounds give. `fhir.resources` reads and writes; it
checks types, cardinality and formats only (no bindings, profiles, references, invariants, rules of the dialect or
check digits). The check runs in a process of its own, which never loads that library, so that the memory stated is that
of a process that only checks.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import monotonic, thread_time
from typing import NamedTuple

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Level
from gateway.wire import strict_json

ROOT = Path(__file__).parents[1]
OURS = ROOT / "tests/golden/to_fhir/order.json"
PUBLISHED = ROOT / "../shared/eps-examples/homecare"
TARGET = 2000
MOST_MEMORY = 60
"""Megabytes."""
ROUNDS = 50
ALONE = "--alone"


def messages() -> list[bytes]:
    """Give the homecare orders to measure with, compact: our own, and the published ones where they are at hand."""
    files = [OURS, *sorted(PUBLISHED.glob("clinical-practitioner/[17]-Process-Request-Send-200_OK.json"))]
    return [strict_json.dumps(strict_json.loads(file.read_bytes())) for file in files]


def checked(body: bytes) -> bytes:
    """Read, check and write one message.

    Raises:
        ValueError: the message is not clean, and the figure would be of something else.
    """
    value = strict_json.loads(body)
    if not isinstance(value, dict) or any(one.level is Level.ERROR for one in fhir_checker().check(value)):
        raise ValueError("not a clean message")
    return strict_json.dumps(value)


def modelled() -> Callable[[bytes], bytes]:
    """Give what reads and writes one message with `fhir.resources`."""
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 - not in the process whose memory is measured

    return lambda body: Bundle.model_validate_json(body).model_dump_json().encode()


class Rate(NamedTuple):
    """Messages a second in one round: of CPU time, and of the clock on the wall."""

    cpu: float
    wall: float


def rate(step: Callable[[bytes], object], bodies: Sequence[bytes], seconds: float) -> Rate:
    """Give the rate at which a step handles messages in one round of so many CPU seconds."""
    done, start, began = 0, thread_time(), monotonic()
    while (spent := thread_time() - start) < seconds:
        for body in bodies:
            step(body)
        done += len(bodies)
    return Rate(done / spent, done / (monotonic() - began))


def alone(seconds: float) -> None:
    """Measure the check, a round for each line that comes in, and print its rates and the highest memory so far."""
    bodies = messages()
    _warm(checked, bodies)
    for _ in sys.stdin:
        print(*rate(checked, bodies, seconds), _most_memory(), flush=True)


def _warm(step: Callable[[bytes], object], bodies: Sequence[bytes]) -> None:
    for body in bodies:
        step(body)
    gc.collect()
    gc.freeze()  # the tables live as long as the process, and are not to be looked through again and again


def _most_memory() -> int:
    # Not `ru_maxrss`: it begins with what the parent process held when it started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


def compare(seconds: float) -> dict[str, float]:
    """Measure both on the same messages, in turns."""
    bodies, step, memory = messages(), modelled(), "0"
    command = [sys.executable, "-m", "bench.fhir", ALONE, str(seconds / ROUNDS)]
    _warm(step, bodies)
    ours: list[Rate] = []
    theirs: list[Rate] = []
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as checking:
        if checking.stdin is None or checking.stdout is None:
            raise RuntimeError("no pipe to the process that checks")
        for _ in range(ROUNDS):
            print(file=checking.stdin, flush=True)
            cpu, wall, memory = checking.stdout.readline().split()
            ours.append(Rate(float(cpu), float(wall)))
            theirs.append(rate(step, bodies, seconds / ROUNDS))
        checking.stdin.close()
    return {
        "messages": len(bodies),
        "bytes": sum(map(len, bodies)) // len(bodies),
        "read, check, write a second": round(max(one.cpu for one in ours)),
        "the same by the clock": round(max(one.wall for one in ours)),
        "process memory, MB": int(memory),
        "target": TARGET,
        "most memory, MB": MOST_MEMORY,
        "fhir.resources a second": round(max(one.cpu for one in theirs)),
        "ratio": round(median(one.cpu / other.cpu for one, other in zip(ours, theirs, strict=True)), 1),
    }


def main(arguments: Sequence[str]) -> None:
    """Measure and print one JSON object."""
    seconds = float(next((one for one in arguments if one != ALONE), "5"))
    if ALONE in arguments:
        alone(seconds)
    else:
        print(json.dumps(compare(seconds), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
