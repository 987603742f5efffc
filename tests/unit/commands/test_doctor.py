"""`gateway doctor` from the command line: over a store with work and alerts, with nobody running it, and all wrong."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.commands.exits import Exit
from gateway.destination import InDoubt
from gateway.ports.work import BY_OPERATOR
from gateway.store.sqlite.schema import steps
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.build import DATABASE, claim_data_folder
from tests.contract.store_engines import PROVIDER, make_acceptance, make_order, make_prescription

NOW = datetime.now(UTC)
Doctor = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    asyncio.run(fill(folder))
    monkeypatch.setenv("GATEWAY_DATA", str(folder))
    return folder


async def fill(folder: Path) -> None:
    store = SqliteStore.open(folder / DATABASE, now=lambda: NOW)
    await store.accept(make_acceptance("A", make_order(make_prescription("A"), now=NOW)))
    (claim,) = await store.claim(worker="w", now=NOW, lease_seconds=60, room={PROVIDER: 9})
    assert await store.on_wire(claim, now=NOW)
    await store.record(claim, InDoubt(reason="no answer"), now=NOW, retry_at=None)
    await store.close()


@pytest.fixture
def doctor(data: Path) -> Doctor:
    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(command_line(["doctor"]), ["doctor", "--json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.output)

    assert data.is_dir()
    return run


def of(found: dict[str, Any], check: str) -> dict[str, str]:
    (one,) = (one for one in found["findings"] if one["check"] == check)
    return dict(one)


def test_an_uncertain_line_is_told_with_what_to_do_and_changes_nothing(doctor: Doctor, data: Path) -> None:
    before = (data / DATABASE).read_bytes()
    code, found = doctor()
    assert code == Exit.FAULT  # no gateway runs
    alert = of(found, "alerts")
    assert alert["grade"] == "look"
    assert "1 line-uncertain" in alert["says"]
    assert alert["do"].endswith("See docs/runbooks/line-uncertain.md.")
    assert (data / DATABASE).read_bytes() == before
    assert of(found, "schema")["grade"] == "good"


def test_while_a_gateway_runs_the_watch_and_the_work_are_looked_at(doctor: Doctor, data: Path) -> None:
    lock = claim_data_folder(data)
    code, found = doctor()
    assert of(found, "gateway")["grade"] == "good"
    assert of(found, "watch")["grade"] == "wrong"  # it never swept
    assert of(found, "work due")["grade"] == "good"
    assert (code, found["wrong"]) == (Exit.FAULT, 1)
    asyncio.run(beat(data))
    assert doctor()[0] == Exit.DONE
    assert lock > 0


async def beat(data: Path) -> None:
    store = SqliteStore.open(data / DATABASE, now=lambda: NOW)
    await store.beat("watch", now=datetime.now(UTC))
    await store.close()


async def order_long_ago(data: Path, *, paused: bool) -> None:
    store = SqliteStore.open(data / DATABASE, now=lambda: NOW - timedelta(hours=1))
    await store.accept(make_acceptance("B", make_order(make_prescription("B"), now=NOW)))
    if paused:
        await store.pause(PROVIDER, by="anna", reason="They move.", now=NOW, kind=BY_OPERATOR)
    await store.close()


@pytest.mark.parametrize(("paused", "grade"), [(False, "wrong"), (True, "good")])
def test_work_that_nobody_sends_is_wrong_unless_a_person_wants_it_so(
    doctor: Doctor, data: Path, *, paused: bool, grade: str
) -> None:
    asyncio.run(order_long_ago(data, paused=paused))
    lock = claim_data_folder(data)
    assert of(doctor()[1], "work due")["grade"] == grade
    assert of(doctor()[1], "paused")["grade"] == ("look" if paused else "good")
    assert lock > 0


def test_a_clock_that_went_back_is_told(doctor: Doctor, data: Path) -> None:
    later = NOW + timedelta(hours=1)
    asyncio.run(write_at(data, later))
    clock = of(doctor()[1], "clock")
    assert clock["grade"] == "wrong"
    assert f"{later:%d %b %Y %H:%M}" in clock["says"]


async def write_at(data: Path, when: datetime) -> None:
    store = SqliteStore.open(data / DATABASE, now=lambda: when)
    await store.open_alert(kind="room-low", subject="disk", line_id=None, now=when, text="x")
    await store.close()


@pytest.mark.parametrize(
    ("sql", "grade"),
    [
        (f"PRAGMA user_version = {max(steps()) + 1}", "wrong"),
        ("DELETE FROM step; PRAGMA user_version = 1", "look"),
    ],
)
def test_a_store_of_another_version_is_told_and_not_read_further(
    doctor: Doctor, data: Path, sql: str, grade: str
) -> None:
    connection = apsw.Connection(str(data / DATABASE))
    connection.execute(sql)
    connection.close()
    found = doctor()[1]
    assert of(found, "schema")["grade"] == grade
    assert not [one for one in found["findings"] if one["check"] in {"alerts", "clock", "paused"}]


def test_a_store_that_a_newer_version_prepared_is_told_and_read(doctor: Doctor, data: Path) -> None:
    connection = apsw.Connection(str(data / DATABASE))
    connection.execute("INSERT INTO step VALUES (?, 'pre', 0)", (max(steps()) + 1,))
    connection.close()
    found = doctor()[1]
    assert of(found, "schema")["grade"] == "look"
    assert "rolled back" in of(found, "schema")["do"]
    assert of(found, "alerts")


def test_a_file_that_is_no_store_is_told(doctor: Doctor, data: Path) -> None:
    (data / DATABASE).write_bytes(b"nothing of ours" * 100)
    assert of(doctor()[1], "store")["grade"] == "wrong"
    (data / DATABASE).unlink()
    assert "none in the data folder" in of(doctor()[1], "store")["says"]


def test_a_misspelt_setting_is_told_instead_of_stopping_the_doctor(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_PROT", "8080")
    code, found = doctor()
    assert code == Exit.FAULT
    assert [(one["check"], one["says"]) for one in found["findings"]] == [
        ("settings", "GATEWAY_PROT: is not a setting")
    ]


def test_a_backup_of_tonight_is_good(doctor: Doctor, data: Path, tmp_path: Path) -> None:
    assert data.is_dir()
    folder = tmp_path / "backups"
    folder.mkdir()
    made = CliRunner().invoke(command_line(["backup"]), ["backup", str(folder / "tonight")])
    assert made.exit_code == Exit.DONE, made.output
    assert of(doctor("--backups", str(folder))[1], "backup")["grade"] == "good"
    manifest = folder / "tonight" / "manifest.json"
    said = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(said | {"made_at": (NOW - timedelta(hours=27)).isoformat()}))
    old = of(doctor("--backups", str(folder))[1], "backup")
    assert (old["grade"], old["says"]) == ("wrong", "the newest is 1 d 3 h old")


def test_the_worst_comes_first_and_the_last_line_counts(data: Path) -> None:
    result = CliRunner().invoke(command_line(["doctor"]), ["doctor"])
    lines = result.output.splitlines()
    assert lines[0].startswith("wrong  gateway")
    assert "1 wrong, 1 to look at, " in lines[-1]
    assert str(data) in result.output
