"""What holds for every test: an empty environment, no network but loopback, and no skip that nobody has agreed to."""

import os
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how long an example takes is a matter of the machine
settings.load_profile("untimed")

AGREED = tomllib.loads((Path(__file__).parent / "skips.toml").read_text())["skip"]
_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GATEWAY_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Refuse a connection to any other machine from this process; a test that needs one is wrong."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
            raise RuntimeError("tests connect to loopback only")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was skipped and why."""
    for report in terminalreporter.stats.get("skipped", ()):
        terminalreporter.write_line(f"skipped: {report.nodeid}: {_reason(report)}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test was skipped for a reason that is not in `skips.toml`."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter else ()
    strange = [report.nodeid for report in skipped if not any(row["reason"] in _reason(report) for row in AGREED)]
    if strange and session.exitstatus == 0:
        session.exitstatus = 1
        print(f"\nskipped without agreement (tests/skips.toml): {strange}")  # noqa: T201


def _reason(report: Any) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
