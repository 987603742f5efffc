"""Every command of docs/backup.md, run as it stands there and in its order."""

import asyncio
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.commands.exits import Exit
from gateway.store.sqlite.backup import DATABASE
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import make_acceptance, make_order, make_prescription

PAGE = (Path(__file__).parents[3] / "docs/backup.md").read_text("utf-8")
COMMANDS = [
    line.strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
WHAT = make_prescription("A")
STATED = re.findall(r"--given-up (\S+)", PAGE)
Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a shell's worth of one machine: a store with an order in its queue, an operator, and the files named."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    secret = Operators(data).add("j.smith", person="Jo Smith", by=None, now=datetime.now(UTC))
    asyncio.run(_fill(data))
    (tmp_path / "backups").mkdir()
    (tmp_path / "held.csv").write_text(f"line,epoch,state\n{WHAT.lines[0].id},1,ACCEPTED\n")
    (tmp_path / "ids.csv").write_text("id\nMSGA\n")
    (tmp_path / "theirs.csv").write_text("id\nMSGA\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATA", str(data))
    monkeypatch.setenv("GATEWAY_OPERATOR_SECRET", secret)

    def run(command: str) -> tuple[int, str]:
        name, *arguments = shlex.split(command.replace("/backups/", f"{tmp_path}/backups/"))
        assert name == "gateway", command
        result = CliRunner().invoke(command_line(arguments), arguments, catch_exceptions=False)
        return result.exit_code, result.output

    return run


async def _fill(data: Path) -> None:
    store = SqliteStore.open(data / DATABASE, now=lambda: datetime.now(UTC))
    await store.accept(make_acceptance("A", make_order(WHAT)))
    await store.close()


def test_no_command_with_options_stands_outside_the_blocks_that_are_run() -> None:
    prose = re.sub(r"```sh\n.*?```", "", PAGE, flags=re.DOTALL)
    assert [found for found in re.findall(r"`(gateway [^`]*)`", prose) if len(found.split()) > 2] == []
    assert len(COMMANDS) >= 9


def test_the_page_works_as_written_from_the_first_line_to_the_last(run: Run) -> None:
    told = {}
    for command in COMMANDS:
        if "--given-up" in command:  # a provider has to have stated it, and to wait, before it can give it up
            state_first(run)
        code, text = run(command)
        told[command] = text
        expected = {Exit.DONE} if "--theirs" not in command else {Exit.DONE, Exit.REFUSED}
        assert code in expected, f"{command}\n{text}"
    everything = "\n".join(told.values())
    for words in (
        "sha256",
        "generation   2",
        "not sent again",
        "answers for it",
        "nothing is missing",
        "gave up",
        "balance",
    ):
        assert words in everything, words


def state_first(run: Run) -> None:
    """Let the provider of the example state the line which it then gives up."""
    file = Path("stated.csv")
    file.write_text(f"line,epoch,state\n{STATED[0]},1,ACCEPTED\n")
    code, text = run('gateway reconcile --destination VNCEL --holdings stated.csv --by j.smith --reason "Their list."')
    assert code == Exit.REFUSED
    assert STATED[0] in text
