"""Notices as an operator sets them up: a folder with people, a real mail server, a gateway that tells them."""

import asyncio
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.commands.exits import Exit
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.acceptance.test_serve import Child

RULES = """
version = "1"
address = "http://127.0.0.1:8080"
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
from = "gateway@example.nhs.uk"
seconds = 5
[hours]
opens = "00:00"
closes = "23:59"
[[circles]]
[[circles.people]]
rung = "owner"
name = "Cal Oncall"
mail = "cal@example.nhs.uk"
"""


class Postbox(Message):
    """Keeps what came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[str, str]] = []

    def handle_message(self, message) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - the library's
        self.came.append((str(message["Subject"]).strip(), message.get_payload()))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def mail_server(port: int) -> Iterator[Postbox]:
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), tmp_path / "config")
    return tmp_path / "config"


async def _alert(data: Path) -> None:
    store = SqliteStore.open(data / "gateway.db", now=lambda: datetime.now(UTC))
    await store.open_alert(
        kind="room-low", subject="disk", line_id=None, now=datetime.now(UTC), text="The disk is nearly full."
    )
    await store.close()


async def _kinds(data: Path) -> list[str]:
    enquiries = SqliteEnquiries.open(data / "gateway.db")
    found = [alert.kind for alert in await enquiries.open_alerts(tenant=None, limit=100)]
    await enquiries.close()
    return found


def _wait(true, what: str) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - anything that can be called
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _about_items(postbox: Postbox) -> list[str]:
    return [subject for subject, _ in postbox.came if "needs you" in subject]


def test_a_gateway_tells_whoever_is_named_and_says_where_to_sign_in(folder: Path, tmp_path: Path) -> None:
    port = free_port()
    with mail_server(port) as postbox:
        (folder / "notices.toml").write_text(RULES.format(port=port))
        gateway = Child(tmp_path / "data", "--config", str(folder))
        try:
            gateway.ready()
            asyncio.run(_alert(tmp_path / "data"))
            _wait(lambda: _about_items(postbox), gateway.printed)
        finally:
            assert gateway.end(signal.SIGTERM) == 0
    assert _about_items(postbox) == ["Homecare prescriptions: 1 item needs you now, reference 0001-01"]
    (text,) = [text for subject, text in postbox.came if "needs you" in subject]
    assert "http://127.0.0.1:8080/console/work/1" in text


def test_a_mail_server_that_is_away_is_told_of_by_the_doctor_and_the_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    (folder / "notices.toml").write_text(RULES.format(port=port))
    monkeypatch.setenv("GATEWAY_CONFIG", str(folder))
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir(mode=0o700)
    run = CliRunner()
    shown = run.invoke(command_line(["notices"]), ["notices", "show"])
    assert "Cal Oncall (mail)" in shown.output
    tried = run.invoke(command_line(["notices"]), ["notices", "test", "--to", "Cal Oncall"])
    assert (tried.exit_code, "did NOT go" in tried.output) == (Exit.FAULT, True)
    nobody = run.invoke(command_line(["notices"]), ["notices", "test", "--to", "Nobody Here"])
    assert nobody.exit_code == Exit.REFUSED
    doctor = run.invoke(command_line(["doctor"]), ["doctor"])
    assert "the mail server cannot be used" in doctor.output
    with mail_server(port) as postbox:
        tried = run.invoke(command_line(["notices"]), ["notices", "test", "--to", "Cal Oncall", "--circle", "gateway"])
        assert (tried.exit_code, "went" in tried.output) == (Exit.DONE, True)
        assert [subject for subject, _ in postbox.came] == ["Homecare prescriptions: A test of notices"]
        doctor = run.invoke(command_line(["doctor"]), ["doctor"])
        assert "people are told by mail" in doctor.output


def test_without_people_the_demonstration_says_that_nobody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path))
    run = CliRunner()
    assert "Nobody is told outside the console" in run.invoke(command_line(["notices"]), ["notices", "show"]).output
    doctor = run.invoke(command_line(["doctor"]), ["doctor"])
    assert "nobody is told outside the console: none is configured" in doctor.output
