"""What an operator does from the command line: close an alert, resolve a doubt, pause a destination."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.commands.exits import Exit
from gateway.destination import InDoubt
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import PROVIDER, make_acceptance, make_incomplete, make_order, make_prescription

NOW = datetime.now(UTC)
WHAT = make_prescription("A")
Line = Callable[..., tuple[int, str]]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Give a command line over a store with a held and an uncertain prescription, and one operator."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    secret = Operators(data).add("anna", person="Anna Example", by=None, now=NOW)
    asyncio.run(fill(data))
    monkeypatch.setenv("GATEWAY_DATA", str(data))
    monkeypatch.setenv("GATEWAY_OPERATOR_SECRET", secret)

    def run(*arguments: str, right: bool = True) -> tuple[int, str]:
        env = {} if right else {"GATEWAY_OPERATOR_SECRET": "wrong"}
        result = CliRunner(env=env).invoke(command_line(arguments), [*arguments])
        return result.exit_code, result.output

    return run


async def fill(data: Path) -> None:
    store = SqliteStore.open(data / "gateway.db", now=lambda: NOW)
    await store.accept(make_acceptance("H", make_incomplete("H")))
    await store.accept(make_acceptance("A", make_order(WHAT, now=NOW)))
    (claim,) = await store.claim(worker="w", now=NOW, lease_seconds=60, room={PROVIDER: 9})
    assert await store.on_wire(claim, now=NOW)
    await store.record(claim, InDoubt(reason="no answer"), now=NOW, retry_at=None)
    await store.close()


def leaves(tmp_path: Path) -> list[dict[str, object]]:
    rows = apsw.Connection(str(tmp_path / "data" / "gateway.db")).execute("SELECT body FROM audit_leaf ORDER BY seq")
    return [json.loads(body) for (body,) in rows]


def numbers(line: Line) -> dict[str, int]:
    code, text = line("alerts", "--json")
    assert code == Exit.DONE
    return {alert["kind"]: alert["id"] for alert in json.loads(text)}


def test_alerts_are_listed_with_what_they_are_about(line: Line) -> None:
    code, text = line("alerts")
    assert code == Exit.DONE
    assert "(DOSE_CONFLICT)." in text
    assert str(WHAT.id) in text
    assert text.endswith("2 open\n")
    assert line("alerts", "--tenant", "RZA")[1] == "0 open\n"
    assert line("alerts", "--tenant", "RXX")[0] != Exit.DONE
    assert line("alerts", "--limit", "1")[1].endswith("1 open, and more that are not shown\n")


def test_an_alert_says_who_acts_how_soon_and_what_to_do(line: Line) -> None:
    _, text = line("alerts")
    assert "Before the provider's day begins, the person on call for the gateway: Ring the provider" in text
    assert "(docs/runbooks/line-uncertain.md)" in text
    _, told = line("alerts", "--json")
    (held,) = (one for one in json.loads(told) if one["kind"] == "line-held")
    assert held["acts"] == "the trust's homecare pharmacist"
    assert held["runbook"] == "docs/runbooks/line-held.md"
    assert held["do"].startswith("Read why")


def test_a_named_person_closes_an_alert_and_the_audit_says_so(line: Line, tmp_path: Path) -> None:
    number = str(numbers(line)["line-held"])
    code, text = line("alert", "close", number, "--reason", "The ward was rung.", "--by", "anna")
    assert (code, text) == (Exit.DONE, f"alert {number} closed by anna\n")
    assert "line-held" not in numbers(line)
    leaf = leaves(tmp_path)[-1]
    assert (leaf["kind"], leaf["by"], leaf["number"]) == ("alert-closed", "anna", int(number))
    assert "ward" not in json.dumps(leaf)
    assert line("alert", "close", number, "--reason", "Again.", "--by", "anna")[0] == Exit.REFUSED


@pytest.mark.parametrize(
    "act",
    [
        ("alert", "close", "1", "--reason", "Why."),
        ("resolve", str(WHAT.id), "never-arrived", "--evidence", "Rung."),
        ("resend", str(WHAT.id), "--reason", "Why."),
        ("destination", "pause", "VNE51", "--reason", "Why."),
        ("destination", "resume", "VNE51", "--reason", "Why."),
    ],
)
def test_nobody_acts_under_a_name_without_its_secret(line: Line, tmp_path: Path, act: tuple[str, ...]) -> None:
    before = leaves(tmp_path)
    for name, right in (("anna", False), ("ben", True)):
        code, text = line(*act, "--by", name, right=right)
        assert code == Exit.REFUSED
        assert "not allowed" in text
    assert leaves(tmp_path) == before


def test_alerts_of_one_cause_are_closed_together_and_what_was_not_open_is_said(line: Line) -> None:
    every = [str(number) for number in numbers(line).values()]
    code, text = line("alert", "close", every[0], "999", *every, "--reason", "One wrong list.", "--by", "anna")
    assert code == Exit.REFUSED
    assert "alert 999 is not open" in text
    assert [f"alert {number} closed by anna" in text for number in every] == [True, True]
    assert not numbers(line)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "\u200b\u200b", "\u2003\u3000", "\u202e", "\x01"])
def test_an_act_without_a_usable_reason_is_refused(line: Line, reason: str) -> None:
    assert line("alert", "close", "1", "--reason", reason, "--by", "anna")[0] == Exit.REFUSED
    assert line("resolve", str(WHAT.id), "never-arrived", "--evidence", reason, "--by", "anna")[0] == Exit.REFUSED


def test_a_doubt_is_resolved_once_and_its_alert_goes_with_it(line: Line) -> None:
    act = ("resolve", str(WHAT.id), "with-provider", "--evidence", "Their pharmacist read it out.", "--by", "anna")
    code, text = line(*act)
    assert (code, text) == (Exit.DONE, "1 line resolved by anna: with-provider\n")
    assert set(numbers(line)) == {"line-held"}
    assert line(*act)[0] == Exit.REFUSED


def test_what_was_not_given_up_is_not_sent_again(line: Line) -> None:
    code, text = line("resend", str(WHAT.id), "--reason", "Try.", "--by", "anna")
    assert (code, text) == (Exit.REFUSED, "nothing of this was given up\n")


def test_a_destination_is_paused_and_goes_on(line: Line) -> None:
    act = ("VNE51", "--reason", "They are moving.", "--by", "anna")
    assert line("destination", "list")[1] == "no destination is paused\n"
    assert line("destination", "pause", *act) == (Exit.DONE, "VNE51 paused, by anna\n")
    assert "They are moving." in line("destination", "list")[1]
    assert line("destination", "pause", *act)[0] == Exit.REFUSED
    assert line("destination", "resume", *act) == (Exit.DONE, "VNE51 goes on, by anna\n")
    assert line("destination", "resume", *act)[0] == Exit.REFUSED


def test_of_a_trust_its_news_is_paused_and_nobody_is_told_that_its_orders_are(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = ("destination", "pause", "RBA", "--reason", "Their listener is replaced.", "--by", "anna")
    assert line(*act)[0] != Exit.DONE
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    with (folder / "trusts" / "RBA.toml").open("a") as file:
        file.write('\n[tells]\nkind = "mllp"\nhost = "127.0.0.1"\nport = 2576\n')
    monkeypatch.setenv("GATEWAY_CONFIG", str(folder))
    assert line(*act) == (Exit.DONE, "RBA, the news it is told and not its orders, paused, by anna\n")


@pytest.mark.parametrize("ods", ["VNE52", "vne51", "nowhere"])
def test_a_destination_that_is_not_one_cannot_be_paused(line: Line, ods: str) -> None:
    assert line("destination", "pause", ods, "--reason", "Why.", "--by", "anna")[0] != Exit.DONE
