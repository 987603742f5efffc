"""How fast a homecare message is read, checked in full and written again, beside `fhir.resources` on the same messages.

    python -m bench.fhir [SECONDS]

CPU time of one core, best of several rounds. `fhir.resources` reads and writes; it checks types, cardinality and
formats only (no bindings, profiles, references, invariants, rules of the dialect or check digits).
"""

import gc
import json
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

from fhir.resources.R4B.bundle import Bundle

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Level
from gateway.wire import strict_json

ROOT = Path(__file__).parents[1]
OURS = ROOT / "tests/golden/to_fhir/order.json"
PUBLISHED = ROOT / "../shared/eps-examples/homecare"
TARGET = 2000
ROUNDS = 5


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


def modelled(body: bytes) -> bytes:
    """Read and write one message with `fhir.resources`."""
    return Bundle.model_validate_json(body).model_dump_json().encode()


def rate(step: Callable[[bytes], object], bodies: Sequence[bytes], seconds: float) -> float:
    """Give the messages a second of CPU time that a step handles, in the best of the rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        done, start = 0, process_time()
        while (spent := process_time() - start) < seconds / ROUNDS:
            for body in bodies:
                step(body)
            done += len(bodies)
        best = max(best, done / spent)
    return best


def compare(seconds: float) -> dict[str, float]:
    """Measure both on the same messages."""
    bodies = messages()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    checked(bodies[0])
    gc.collect()
    gc.freeze()  # the tables live as long as the process, and are not to be looked through again and again
    ours, theirs = rate(checked, bodies, seconds), rate(modelled, bodies, seconds)
    return {
        "messages": len(bodies),
        "bytes": sum(map(len, bodies)) // len(bodies),
        "read, check, write a second": round(ours),
        "target": TARGET,
        "fhir.resources a second": round(theirs),
        "ratio": round(ours / theirs, 1),
        "memory of the tables, MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    }


def main(seconds: float) -> None:
    """Measure and print one JSON object."""
    print(json.dumps(compare(seconds), indent=2))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
