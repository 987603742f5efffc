"""What a trust's pharmacist does from the command line: screen, close, answer, rule, renew."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.commands.exits import Exit
from gateway.destination import Refused
from gateway.domain.lifecycle import LineState
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import PROVIDER, make_acceptance, make_order, make_prescription

NOW = datetime.now(UTC)
REJECTED, WAITING, FAILING = make_prescription("A"), make_prescription("W"), make_prescription("F")
Line = Callable[..., tuple[int, str]]
WHO = ("--reason", "Rang the ward.", "--by", "anna")


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Give a command line over a store with a rejected and two waiting prescriptions, and one operator."""
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
    await store.accept(make_acceptance("A", make_order(REJECTED, now=NOW)))
    (claim,) = await store.claim(worker="w", now=NOW, lease_seconds=60, room={PROVIDER: 9})
    assert await store.on_wire(claim, now=NOW)
    await store.record(claim, Refused(reason="no"), now=NOW, retry_at=None)
    for name, what in (("W", WAITING), ("F", FAILING)):
        await store.accept(make_acceptance(name, make_order(what, state=LineState.AWAITING_SCREENING, now=NOW)))
    await store.close()


def state(tmp_path: Path, name: str) -> LineState:
    async def look() -> LineState:
        enquiries = SqliteEnquiries.open(tmp_path / "data" / "gateway.db")
        (found,) = await enquiries.search(tenant=None, order_number=f"RX{name}0")
        await enquiries.close()
        return found.state

    return asyncio.run(look())


def test_a_rejected_prescription_is_closed_once(line: Line, tmp_path: Path) -> None:
    assert line("close", str(REJECTED.id), *WHO) == (Exit.DONE, "closed\n")
    assert state(tmp_path, "A") is LineState.CLOSED
    code, text = line("close", str(REJECTED.id), *WHO)
    assert (code, text) == (Exit.REFUSED, "nothing was done: no line of this prescription waits for that: look again\n")


def test_a_screening_that_passed_lets_the_order_go(line: Line, tmp_path: Path) -> None:
    assert line("screen", "pass", str(WAITING.id), *WHO) == (Exit.DONE, "screened: it will be sent\n")
    assert state(tmp_path, "W") is LineState.READY


def test_a_screening_that_failed_holds_the_order(line: Line, tmp_path: Path) -> None:
    code, text = line("screen", "fail", str(FAILING.id), *WHO)
    assert (code, text) == (Exit.DONE, "1 line held: the trust must correct it\n")
    assert state(tmp_path, "F") is LineState.HELD


@pytest.mark.parametrize(
    "act",
    [
        ("answer", str(REJECTED.id)),
        ("rule", str(REJECTED.id), "send"),
        ("renewal", str(REJECTED.id), "declined"),
        ("screen", "pass", str(REJECTED.id)),
        ("rescue", str(WAITING.id), "--issue", "1", "--link", "4711"),
    ],
)
def test_what_nothing_waits_for_is_refused_in_words(line: Line, act: tuple[str, ...]) -> None:
    code, text = line(*act, *WHO)
    assert code == Exit.REFUSED
    assert text.startswith("nothing was done: ")


@pytest.mark.parametrize("act", ["close", "answer", "rule", "renewal", "screen", "rescue"])
def test_nobody_acts_without_the_secret_and_nothing_is_written(line: Line, tmp_path: Path, act: str) -> None:
    words = {"rule": ["send"], "renewal": ["declined"], "rescue": ["--issue", "1", "--link", "x"]}.get(act, [])
    arguments = ["screen", "pass", str(WAITING.id)] if act == "screen" else [act, str(REJECTED.id), *words]
    before = leaves(tmp_path)
    code, text = line(*arguments, *WHO, right=False)
    assert code == Exit.REFUSED
    assert "not allowed" in text
    assert leaves(tmp_path) == before


def test_the_audit_names_the_person_and_not_the_words(line: Line, tmp_path: Path) -> None:
    line("close", str(REJECTED.id), *WHO)
    (act,) = [leaf for leaf in leaves(tmp_path) if leaf["kind"] == "act"]
    assert (act["act"], act["by"]) == ("close", "anna")
    assert "ward" not in json.dumps(act)


def leaves(tmp_path: Path) -> list[dict[str, object]]:
    rows = apsw.Connection(str(tmp_path / "data" / "gateway.db")).execute("SELECT body FROM audit_leaf ORDER BY seq")
    return [json.loads(body) for (body,) in rows]


def test_only_the_clock_lets_a_renewal_lapse(line: Line) -> None:
    assert line("renewal", str(REJECTED.id), "lapsed", *WHO)[0] == Exit.REFUSED
