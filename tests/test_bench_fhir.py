"""The measurement of the FHIR check measures what it says, and the memory of a process that only checks is bounded."""

import subprocess
import sys

from bench.fhir import ALONE, MOST_MEMORY, ROOT, checked, messages
from gateway.wire import strict_json


def test_what_is_measured_is_clean_and_written_as_it_was_read() -> None:
    for body in messages():
        assert strict_json.loads(checked(body)) == strict_json.loads(body)


def test_a_process_that_only_checks_stays_small() -> None:
    command = [sys.executable, "-m", "bench.fhir", ALONE, "0.2"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, input=b"\n").stdout
    cpu, wall, memory = said.split()
    assert 0 < float(wall) <= float(cpu) * 1.01
    assert 0 < int(memory) <= MOST_MEMORY
