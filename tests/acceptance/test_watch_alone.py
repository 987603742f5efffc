"""The watch in a process of its own, on the data folder of a gateway that runs beside it."""

import json
import signal
import sqlite3
import time
import urllib.request
from pathlib import Path

from tests.acceptance.test_serve import Child


def _watch_of(gateway: Child) -> str:
    with urllib.request.urlopen(f"{gateway.base}/health/ready", timeout=10) as response:  # noqa: S310 - loopback
        found: str = json.load(response)["watch"]["status"]
    return found


def _until(gateway: Child, status: str) -> None:
    deadline = time.monotonic() + 60
    while _watch_of(gateway) != status:
        assert time.monotonic() < deadline, f"the watch is not {status}"
        time.sleep(0.1)


def _alerts(data: Path) -> list[str]:
    with sqlite3.connect(f"file:{data / 'gateway.db'}?mode=ro", uri=True) as connection:
        return [kind for (kind,) in connection.execute("SELECT kind FROM alert WHERE closed_at IS NULL")]


def test_the_watch_runs_alone_and_the_gateway_tells_when_it_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fast = {"GATEWAY_WATCH_SECONDS": "0.2", "GATEWAY_WATCH_SILENCE_SECONDS": "1.5"}
    gateway = Child(data, "--only", "http,worker", **fast)
    try:
        gateway.ready()
        assert _watch_of(gateway) == "stopped"
        watch = Child(data, "--only", "watch", **fast)
        watch.until("watch_started")
        _until(gateway, "running")
        second = Child(data, "--only", "watch", **fast)
        assert second.process.wait(30) == 2
        assert "another watch is using it" in second.printed
        watch.end(signal.SIGKILL)
        _until(gateway, "stopped")
        gateway.until("watch_stopped")
        assert "watch-stopped" in _alerts(data)
        again = Child(data, "--only", "watch", **fast)
        _until(gateway, "running")
        assert again.end() == 0
    finally:
        assert gateway.end() == 0


def test_a_watch_alone_needs_a_store_that_is_there(tmp_path: Path) -> None:
    alone = Child(tmp_path / "data", "--only", "watch")
    assert alone.process.wait(30) == 2
    assert "holds no store" in alone.printed
