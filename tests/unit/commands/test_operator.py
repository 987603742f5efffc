"""`gateway operator`, and the check of who acts that every acting command shares."""

from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner, Result

from gateway.__main__ import command_line
from gateway.commands.exits import Exit
from gateway.domain.errors import ConfigurationError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GATEWAY_OPERATOR_SECRET", raising=False)
    return tmp_path / "data"


def run(*arguments: str, secret: str = "") -> tuple[int, str]:
    result = done(*arguments, secret=secret)
    return result.exit_code, result.output


def done(*arguments: str, secret: str = "") -> Result:
    line, env = command_line(["operator"]), {"GATEWAY_OPERATOR_SECRET": secret} if secret else {}
    return CliRunner(env=env).invoke(line, ["operator", *arguments], catch_exceptions=False)


def first(folder: Path) -> str:
    """Add the first operator, and give the secret."""
    result = done("add", "anna", "--person", "Anna Example")
    assert result.exit_code == Exit.DONE
    assert f"data folder {folder}: held no store; one was made" in result.stderr
    return result.stdout.strip()


def test_the_first_adds_the_second_and_removes_it_again(data: Path) -> None:
    secret = first(data)
    assert run("add", "ben", "--person", "Ben Example", "--by", "anna", secret=secret)[0] == Exit.DONE
    assert run("remove", "ben", "--by", "anna", secret=secret)[0] == Exit.DONE
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


def test_without_the_variable_the_person_is_asked(data: Path) -> None:
    secret = first(data)
    asked = ["operator", "add", "ben", "--person", "Ben Example", "--by", "anna"]
    result = CliRunner().invoke(command_line(["operator"]), asked, input=secret)
    assert result.exit_code == Exit.DONE


def test_a_mistyped_folder_gets_no_store_and_no_first_operator(data: Path) -> None:
    for path, why in ((data / "typed" / "wrongly", "No such file"), (data.parent / "file", "exists")):
        (data.parent / "file").touch()
        with pytest.raises(ConfigurationError, match=why):
            done("add", "anna", "--person", "Anna Example", "--data", str(path))
    assert not data.exists()


def test_of_nobody_it_is_said_that_there_is_nobody(data: Path) -> None:
    data.mkdir()
    with pytest.raises(ConfigurationError, match="holds no store"):
        done("list")
    (data / "gateway.db").touch()
    assert done("list").stderr == "nobody yet: gateway operator add\n"
