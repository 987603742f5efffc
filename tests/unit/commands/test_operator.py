"""`gateway operator`, and the check of who acts that every acting command shares."""

from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.commands.exits import Exit


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GATEWAY_OPERATOR_SECRET", raising=False)
    return tmp_path / "data"


def run(*arguments: str, secret: str = "") -> tuple[int, str]:
    line = command_line(["operator"])
    result = CliRunner(env={"GATEWAY_OPERATOR_SECRET": secret} if secret else {}).invoke(line, ["operator", *arguments])
    return result.exit_code, result.output


def test_the_first_adds_the_second_and_removes_it_again(data: Path) -> None:
    code, secret = run("add", "anna", "--person", "Anna Example")
    assert code == Exit.DONE
    assert run("add", "ben", "--person", "Ben Example", "--by", "anna", secret=secret.strip())[0] == Exit.DONE
    assert run("remove", "ben", "--by", "anna", secret=secret.strip())[0] == Exit.DONE
    assert "removed" in run("list")[1]
    leaves = [
        bytes(body).decode()
        for (body,) in apsw.Connection(str(data / "gateway.db")).execute("SELECT body FROM audit_leaf ORDER BY seq")
    ]
    assert ["operator-added" in leaf or "operator-removed" in leaf for leaf in leaves] == [True] * 3
    assert "Example" not in "".join(leaves)


@pytest.mark.usefixtures("data")
def test_a_wrong_secret_adds_nobody() -> None:
    run("add", "anna", "--person", "Anna Example")
    code, text = run("add", "ben", "--person", "Ben Example", "--by", "anna", secret="guess")
    assert code == Exit.REFUSED
    assert "not allowed" in text
    assert "ben" not in run("list")[1]


@pytest.mark.usefixtures("data")
def test_without_the_variable_the_person_is_asked() -> None:
    _, secret = run("add", "anna", "--person", "Anna Example")
    asked = ["operator", "add", "ben", "--person", "Ben Example", "--by", "anna"]
    result = CliRunner().invoke(command_line(["operator"]), asked, input=secret)
    assert result.exit_code == Exit.DONE
