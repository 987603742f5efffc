"""The wheel alone: built, installed into an empty environment outside the tree, and used from there."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import apsw
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the `gateway` command of a fresh environment that holds the wheel and what it depends on."""
    place = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", place, ROOT, cwd=place)
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = place.glob("*.whl")
    venv.create(place / "environment", with_pip=True)
    python = place / "environment/bin/python"
    pip = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=place)
    assert pip.returncode == 0, pip.stderr[-2000:]
    return place / "environment/bin/gateway"


def test_the_installed_wheel_runs_demo_check_and_verify(installed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    demo = run(
        installed, "demo", "--headless", "--prescriptions", "12", "--seed", "5", "--json", "--data", data, cwd=tmp_path
    )
    assert demo.returncode == 0, demo.stderr[-2000:]
    books = json.loads(demo.stdout)
    assert books["submitted"] == books["accepted"] + books["refused"] == 12
    assert (books["lost"], books["double_supplied"]) == (0, 0)

    message = tmp_path / "message.json"
    message.write_bytes(received(data))
    assert run(installed, "check", message, cwd=tmp_path).returncode == 0
    verified = run(installed, "verify", message, "--anchors", data / "anchors", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    message.write_bytes(received(data).replace(b'"active"', b'"stopped"', 1))
    assert run(installed, "verify", message, "--anchors", data / "anchors", cwd=tmp_path).returncode == 2


def received(data: Path) -> bytes:
    """Give one message as a provider received it."""

    connection = apsw.Connection(str(data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        (row,) = connection.execute("SELECT body FROM message LIMIT 1")
        return bytes(row[0])
    finally:
        connection.close()
