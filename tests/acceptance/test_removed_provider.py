"""A provider taken out of the configuration while it has lines open: nothing starts, and what to do first is said."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.commands.exits import Exit
from tests.acceptance.test_serve import MESSAGE, Child, _post

DEMONSTRATION = Path(__file__).parents[2] / "gateway/config/demonstration"


def remove(config: Path, provider: str) -> None:
    """Take a provider out of the configuration: its file, and every route that leads to it."""
    (config / f"providers/{provider}.toml").unlink()
    routes = config / "routes.toml"
    blocks = routes.read_text().split("[[routes]]")
    routes.write_text("[[routes]]".join(block for block in blocks if provider not in block))


def run(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run one command to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_gateway_does_not_start_without_a_provider_that_has_lines_open(tmp_path: Path) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    shutil.copytree(DEMONSTRATION, config)
    variables = {"GATEWAY_CONFIG": str(config)}
    first = Child(data, **variables)
    first.ready()
    assert _post(first.base, MESSAGE, first.token("trust RBA"))[0] == 200
    assert first.end(signal.SIGTERM) == 0

    remove(config, "VNE51")
    refused = Child(data, **variables)
    assert refused.process.wait(60) == Exit.REFUSED
    assert '"event":"started"' not in refused.printed
    code, text = run("config", "check", "--data", str(data), **variables)
    assert code == Exit.REFUSED
    for told in (refused.printed, text):
        assert "VNE51 would be no provider here. Re-route them first" in told

    shutil.copytree(DEMONSTRATION, config, dirs_exist_ok=True)
    move = ("reroute", "--all-from", "VNE51", "--to", "VNCEL", "--dry-run", "--data", str(data))
    assert "\n1 prescription: " in run(*move, **variables)[1]
    again = Child(data, **variables)
    again.ready()
    assert again.end(signal.SIGTERM) == 0
