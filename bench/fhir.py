"""How fast a homecare message is read, checked in full and written again, beside `fhir.resources` on the same messages.

    python -m bench.fhir [SECONDS]

CPU time of one core. The two take turns, a short round each, because a machine is not equally fast at every moment: the
rates are those of the best rounds, and the ratio is the median of what neighbouring rounds give. `fhir.resources` reads
and writes; it checks types, cardinality and formats only (no bindings, profiles, references, invariants, rules of the
dialect or check digits). The check runs in a process of its own, which never loads that library, so that the memory
stated is that of a process that only checks.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Level
from gateway.wire import strict_json

ROOT = Path(__file__).parents[1]
OURS = ROOT / "tests/golden/to_fhir/order.json"
PUBLISHED = ROOT / "../shared/eps-examples/homecare"
TARGET = 2000
MOST_MEMORY = 60
"""Megabytes."""
ROUNDS = 15
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


def rate(step: Callable[[bytes], object], bodies: Sequence[bytes], seconds: float) -> float:
    """Give the messages a second of CPU time that a step handles in one round."""
    done, start = 0, process_time()
    while (spent := process_time() - start) < seconds:
        for body in bodies:
            step(body)
        done += len(bodies)
    return done / spent


def alone(seconds: float) -> None:
    """Measure the check, a round for each line that comes in, and print its rate and the highest memory so far."""
    bodies = messages()
    for body in bodies:
        checked(body)
    gc.collect()
    gc.freeze()  # the tables live as long as the process, and are not to be looked through again and again
    for _ in sys.stdin:
        print(rate(checked, bodies, seconds), _most_memory(), flush=True)


def _most_memory() -> int:
    # Not `ru_maxrss`: it begins with what the parent process held when it started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


def compare(seconds: float) -> dict[str, float]:
    """Measure both on the same messages, in turns."""
    bodies, step, memory = messages(), modelled(), "0"
    command = [sys.executable, "-m", "bench.fhir", ALONE, str(seconds / ROUNDS)]
    ours: list[float] = []
    theirs: list[float] = []
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as checking:
        if checking.stdin is None or checking.stdout is None:
            raise RuntimeError("no pipe to the process that checks")
        for _ in range(ROUNDS):
            print(file=checking.stdin, flush=True)
            measured, memory = checking.stdout.readline().split()
            ours.append(float(measured))
            theirs.append(rate(step, bodies, seconds / ROUNDS))
        checking.stdin.close()
    return {
        "messages": len(bodies),
        "bytes": sum(map(len, bodies)) // len(bodies),
        "read, check, write a second": round(max(ours)),
        "process memory, MB": int(memory),
        "target": TARGET,
        "most memory, MB": MOST_MEMORY,
        "fhir.resources a second": round(max(theirs)),
        "ratio": round(median(one / other for one, other in zip(ours, theirs, strict=True)), 1),
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
