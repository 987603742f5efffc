"""`gateway doctor` as a process of its own: beside a gateway that runs, and after it was killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.test_serve import Child


def doctor(data: Path) -> tuple[int, dict[str, Any]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    command = [sys.executable, "-m", "gateway", "doctor", "--json", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, env=clean, timeout=120, check=False)
    assert not done.stderr, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_a_gateway_that_runs_is_well_and_one_that_was_killed_is_told(tmp_path: Path) -> None:
    gateway = Child(tmp_path / "data")
    try:
        gateway.ready()
        code, found = doctor(gateway.data)
        assert (code, found["wrong"], found["look"]) == (0, 0, 0), found
        gateway.end(signal.SIGKILL)
        code, found = doctor(gateway.data)
        assert (code, found["wrong"]) == (1, 1)
        (told,) = (one for one in found["findings"] if one["grade"] == "wrong")
        assert "none runs on the folder (its lock is a file left behind" in told["says"]
        again = Child(gateway.data)
        again.ready()
        assert again.end() == 0
    finally:
        if gateway.process.poll() is None:
            gateway.end(signal.SIGKILL)
