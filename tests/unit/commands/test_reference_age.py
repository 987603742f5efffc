"""A release that is loaded is looked at: its age, its old codes, and what ODS says of the partners."""

import os
import shutil
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.__main__ import main

_GOLDEN = Path(__file__).parents[2] / "golden" / "dmd"
Told = tuple[int, str, str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Told]:
    """Run a command in this process, over a data folder of its own."""
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "data"))

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def _release(folder: Path, dated: str) -> Path:
    """Give the invented release under another date, without lists of organisations."""
    shutil.copytree(_GOLDEN, folder)
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("161126", dated))) if path.suffix == ".xml" else path.unlink()
    return folder


def _organisation(code: str, closed: str = "") -> str:
    return ",".join([code, "ANY", "", "", "", "", "", "", "", "LS1 1AA", "20000101", closed, "A", "", "", *[""] * 12])


def test_the_age_of_a_release_and_its_old_codes_are_shown(run: Callable[..., Told], tmp_path: Path) -> None:
    assert run("reference", "load", _release(tmp_path / "release", "010124"))[0] == 0
    _, shown, _ = run("reference", "show")
    assert "dated         2024-01-01, " in shown
    assert "days old" in shown
    assert "old codes     2" in shown
    _, checked, _ = run("config", "check")
    assert "warning      The reference data is release dmd-2024-01-01, " in checked


def test_a_partner_that_ods_closed_is_a_warning_in_test_and_refused_live(
    run: Callable[..., Told], tmp_path: Path
) -> None:
    release = _release(tmp_path / "release", "010124")
    rows = [_organisation("RBA", "20200101"), _organisation("VDEM1")]
    (release / "etr.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert run("reference", "load", release)[0] == 0
    status, checked, _ = run("config", "check")
    assert status == 0
    assert "warning      trust RBA was closed on 2020-01-01" in checked
    assert "VDEM1 is not in" not in checked
    assert "warning      provider VDEM2 is not in the ODS lists" in checked
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    for path in folder.rglob("*.toml"):
        live = path.read_text().replace('environment = "test"', 'environment = "live"')
        path.write_text(live.replace('"http://', '"https://'))
    status, _, faults = run("config", "check", folder)
    assert status == 2
    assert "trust RBA was closed on 2020-01-01" in faults
    assert "VDEM2" not in faults
