"""`gateway reference`: a release is loaded, shown and used. Every product here is invented."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.__main__ import main

GOLDEN = Path(__file__).parents[2] / "golden"
ORDER = GOLDEN / "xml" / "example-new.xml"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in this process, with a data folder of its own."""
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "data"))

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def test_a_loaded_release_is_in_force_in_the_data_folder(run: Run, tmp_path: Path) -> None:
    assert "reference    simulation-2026-11" in run("config", "check")[1]
    code, told, _ = run("reference", "load", GOLDEN / "dmd")
    assert code == 0
    assert "release       dmd-2026-11-16" in told
    assert "VMP           6" in told
    assert str(tmp_path / "data" / "reference") in told
    assert "reference    dmd-2026-11-16" in run("config", "check")[1]


def test_a_release_can_be_kept_elsewhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("reference", "load", GOLDEN / "dmd", "--into", tmp_path / "shared")[0] == 0
    assert "reference    simulation-2026-11" in run("config", "check")[1]
    monkeypatch.setenv("GATEWAY_REFERENCE", str(tmp_path / "shared"))
    assert "reference    dmd-2026-11-16" in run("config", "check")[1]


def test_one_product_or_organisation_is_shown(run: Run) -> None:
    run("reference", "load", GOLDEN / "dmd")
    assert "schedule      CD2" in run("reference", "show", "990051000001107")[1]
    assert "closed        2024-03-31" in run("reference", "show", "RZY")[1]
    assert "organisations 3" in run("reference", "show")[1]
    code, _, fault = run("reference", "show", "990999000001100")
    assert (code, fault) == (2, "990999000001100 is not in release dmd-2026-11-16\n")


@pytest.mark.parametrize("folder", ["absent", "empty"])
def test_a_folder_without_a_release_is_refused_with_every_missing_file(run: Run, tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    code, _, fault = run("reference", "load", tmp_path / folder)
    assert code == 2
    assert ("f_vtm2_*.xml" in fault and "f_lookup2_*.xml" in fault) is (folder == "empty")
    assert "Traceback" not in fault


def test_an_order_is_checked_against_the_release_that_is_loaded(run: Run, tmp_path: Path) -> None:
    written = ORDER.read_text(encoding="utf-8")
    sent = re.search(r'dmd="(\d+)"', written)
    assert sent is not None
    order = tmp_path / "order.xml"
    issues = {}
    run("reference", "load", GOLDEN / "dmd")
    for code in (sent[1], "990061000001105"):
        order.write_text(written.replace(sent[1], code), encoding="utf-8")
        answer = json.loads(run("translate", order, "--at", "2026-10-06T12:00:00", "--json")[1])
        issues[code] = {issue["code"]: issue["text"] for issue in answer["issues"]}
    assert "dmd-2026-11-16" in issues[sent[1]]["DRUG_UNKNOWN"]
    assert "CD_SCHEDULE_UNKNOWN" in issues["990061000001105"]
