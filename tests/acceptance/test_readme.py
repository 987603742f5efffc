"""Every block of the README is run, in order, beside a running demonstration."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_the_two_commands_are_targets_and_run_starts_the_demonstration() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert [block.strip() for block in BLOCKS[:2]] == ["make run", "make test"]
    assert "gateway demo --data data/demo" in makefile
    assert "pytest" in makefile


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that looks like a clone with `make run` going in another terminal."""
    for name in ("docs", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    if not (ROOT / ".venv").exists():
        (tmp_path / ".venv").unlink()
        (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    with (tmp_path / "demo.log").open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "gateway", "demo", "--prescriptions", "4", "--data", "data/demo"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        handout = tmp_path / "data/demo/try.env"
        for _ in range(300):
            if handout.exists() or demo.poll() is not None:
                break
            time.sleep(0.1)
        assert handout.exists(), (tmp_path / "demo.log").read_text()[-2000:]
        yield tmp_path
    finally:
        demo.kill()
        demo.wait()
        subprocess.run(["pkill", "-f", str(tmp_path)], check=False)


def test_the_walk_of_the_readme_works_as_written(newcomer: Path) -> None:
    script = "set -e\n" + "\n".join(f"echo '### {number}'\n{block}" for number, block in enumerate(BLOCKS[2:]))
    done = subprocess.run(
        ["bash", "-c", script], cwd=newcomer, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = [part.partition("\n")[2] for part in done.stdout.split("### ")[1:]]
    _, posted, asked, again, over_mllp, wrong, checked = parts
    assert "MSA|AA|FIRST1" in posted
    assert posted == again
    assert "FULFILLED" in asked or "ACCEPTED" in asked or "IN_SUPPLY" in asked
    assert "MSA|AA|FIRST2" in over_mllp
    assert "NHSNO_CHECK_DIGIT" in wrong
    assert "refused, with the field and the reason" in wrong
    assert "No issue was found" in checked
