"""`gateway lifecycle`: the tables as printed, and a log tested against them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.domain.errors import ConfigurationError
from gateway.web.lifecycle import published

GOOD = [
    {"line": "a", "event": "received", "actor": "GW", "at": "2026-01-01T09:00:00+00:00"},
    {"line": "a", "event": "clear", "actor": "GW", "at": "2026-01-01T09:00:01+00:00"},
]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line(["lifecycle"]), ["lifecycle", *arguments])
    if isinstance(result.exception, ConfigurationError):
        raise result.exception
    return result.exit_code, result.stdout


def written(folder: Path, *entries: object) -> str:
    log = folder / "log.jsonl"
    log.write_text("\n".join(json.dumps(entry) for entry in entries) + "\n\n")
    return str(log)


def test_the_tables_are_printed_as_they_are_published() -> None:
    code, said = run("show")
    assert code == 0
    assert json.loads(said) == published()


def test_a_log_that_follows_the_tables_is_passed(tmp_path: Path) -> None:
    assert run("check", written(tmp_path, *GOOD)) == (0, "0 violations\n")


def test_a_violation_is_printed_with_its_place_and_refused(tmp_path: Path) -> None:
    bad = {"line": "a", "event": "delivered", "actor": "PS", "at": "2026-01-01T09:00:02Z"}
    code, said = run("check", written(tmp_path, *GOOD, bad))
    assert code == 2
    assert said == "log.jsonl:3: line a: delivered is not expected in READY\n1 violation\n"


@pytest.mark.parametrize(
    "entry",
    [[], {}, {**GOOD[0], "at": "yesterday"}, {**GOOD[0], "at": "2026-01-01T09:00:00"}, {**GOOD[0], "delivery": 0}],
)
def test_what_is_no_log_is_refused_with_its_line(tmp_path: Path, entry: object) -> None:
    with pytest.raises(ConfigurationError, match=r"log\.jsonl:3: not an entry of a log"):
        run("check", written(tmp_path, *GOOD, entry))
