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
    assert run("check", written(tmp_path, *GOOD)) == (0, "0 violations in 2 entries of 1 line\n")


def test_a_violation_is_printed_with_its_place_and_refused(tmp_path: Path) -> None:
    bad = {"line": "a", "event": "delivered", "actor": "PS", "at": "2026-01-01T09:00:02Z"}
    code, said = run("check", written(tmp_path, *GOOD, bad))
    assert code == 2
    assert said == "log.jsonl:3: line a: delivered is not expected in READY\n1 violation in 3 entries of 1 line\n"


BAD = {"line": "a", "event": "delivered", "actor": "PS", "at": "2026-01-01T09:00:02Z"}
_AT = "the member 'at' is no ISO 8601 time with its offset from UTC"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ([], "it is no JSON object"),
        ({}, "the member 'line' is not there"),
        ({**BAD, "actor": 3}, "the member 'actor' is no text"),
        ({**BAD, "event": ""}, "the member 'event' is no text"),
        ({**BAD, "at": "yesterday"}, _AT),
        ({**BAD, "at": "2026-01-01T09:00:00"}, _AT),
        ({**BAD, "delivery": 0}, "the member 'delivery' is no number of an issue, from 1"),
        ({**BAD, "delivery": True}, "the member 'delivery' is no number of an issue, from 1"),
        ({**BAD, "delivery": "1"}, "the member 'delivery' is no number of an issue, from 1"),
        ({**BAD, "renewal": "yes"}, "the member 'renewal' is neither true nor false"),
        ({**BAD, "renewal": 1}, "the member 'renewal' is neither true nor false"),
        ({**BAD, "state": "DISPATCHED"}, "the member 'state' is none of RECEIVED, REFUSED"),
        ({**BAD, "state": "DISPATCHDD", "delivery": 1}, "the member 'state' is none of PLANNED, RELEASED"),
        ({**BAD, "delivry": 1}, "the member 'delivry' is none of line, event, actor, at, state, delivery, renewal"),
    ],
    ids=str,
)
def test_what_is_no_entry_is_refused_with_its_place_and_its_member(tmp_path: Path, entry: object, why: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        run("check", written(tmp_path, *GOOD, entry))
    assert str(refused.value).startswith(f"log.jsonl:3: {why}")
    assert str(refused.value).endswith("; what comes after it was not tested")


@pytest.mark.parametrize("text", [b"{", b"\xff", b"received", b'{"line": "a", "line": "b"}'])
def test_what_is_no_json_is_refused_with_its_place(tmp_path: Path, text: bytes) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(text)
    with pytest.raises(ConfigurationError, match=r"log\.jsonl:1: it is no JSON"):
        run("check", str(log))


def test_what_was_found_before_an_entry_that_cannot_be_read_is_printed(tmp_path: Path) -> None:
    result = CliRunner().invoke(command_line(["lifecycle"]), ["lifecycle", "check", written(tmp_path, *GOOD, BAD, {})])
    assert result.stdout == "log.jsonl:3: line a: delivered is not expected in READY\n"
    assert str(result.exception).startswith("log.jsonl:4: the member 'line' is not there")


@pytest.mark.parametrize("text", ["", "\n", "\n \n\n"])
def test_a_log_of_nothing_is_no_success(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(text)
    with pytest.raises(ConfigurationError, match="nothing was tested"):
        run("check", str(log))
