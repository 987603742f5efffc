"""Backup, restore and reconcile from the command line, in the order in which a person does them."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.commands.exits import Exit
from gateway.domain.books import DayList, Fault, Listed, Side, compare, london_day
from gateway.domain.errors import ConfigurationError
from gateway.settings import read_settings
from gateway.store.sqlite import restoring
from gateway.store.sqlite.backup import DATABASE, MANIFEST, digest
from gateway.store.sqlite.connection import APPLICATION_ID, BACKUP_ID
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.build import claim_data_folder
from tests.contract.store_engines import PROVIDER, TRUST, make_acceptance, make_order, make_prescription

NOW = datetime.now(UTC)
TODAY = "2026-10-05"
"""The day on which the contract suite's submissions came."""
WHAT = make_prescription("A")
LINE = str(WHAT.lines[0].id)
Run = Callable[..., tuple[int, str]]
WHO = ("--by", "anna", "--reason", "the disk failed")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a command line over a store with one prescription in its queue, and one operator."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    secret = Operators(data).add("anna", person="Anna Example", by=None, now=NOW)
    asyncio.run(fill(data))
    monkeypatch.setenv("GATEWAY_DATA", str(data))
    monkeypatch.setenv("GATEWAY_OPERATOR_SECRET", secret)

    def run(*arguments: str) -> tuple[int, str]:
        try:
            result = CliRunner().invoke(command_line(arguments), [*map(str, arguments)], catch_exceptions=False)
        except ConfigurationError as error:
            return Exit.REFUSED, "\n".join(error.faults)
        return result.exit_code, result.output

    return run


async def fill(data: Path) -> None:
    store = SqliteStore.open(data / DATABASE, now=lambda: NOW)
    await store.accept(make_acceptance("A", make_order(WHAT)))
    await store.close()


def restored(run: Run, tmp_path: Path) -> dict[str, object]:
    assert run("backup", f"{tmp_path}/backup")[0] == Exit.DONE
    code, text = run("restore", f"{tmp_path}/backup", "--json", *WHO)
    assert code == Exit.DONE, text
    told: dict[str, object] = json.loads(text)
    return told


def others(told: dict[str, object]) -> list[str]:
    held = told["held"]
    assert isinstance(held, list)
    return [one for one in held if one != PROVIDER.value]


def test_a_backup_is_made_checked_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    code, text = run("backup", f"{tmp_path}/backup")
    assert code == Exit.DONE
    assert "1 submissions" in text
    assert "not in it" in text
    assert run("backup", f"{tmp_path}/backup", "--check")[0] == Exit.DONE
    code, text = run("backup", f"{tmp_path}/backup")
    assert code == Exit.REFUSED
    assert "never overwritten" in text
    (tmp_path / "backup" / DATABASE).write_bytes(b"no longer")
    assert run("backup", f"{tmp_path}/backup", "--check")[0] == Exit.REFUSED


def test_keys_go_with_a_backup_only_when_asked(run: Run, tmp_path: Path) -> None:
    assert run("keys")[0] == Exit.DONE
    run("backup", f"{tmp_path}/without")
    run("backup", f"{tmp_path}/with", "--with-keys")
    assert not (tmp_path / "without" / "keys").exists()
    assert (tmp_path / "with" / "keys" / "seal.key").is_file()


@pytest.mark.parametrize("command", [("reconcile",), ("alerts",), ("doctor",), ("migrate",), ("backup", "another")])
def test_a_backup_that_was_copied_into_place_is_neither_opened_nor_changed(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    run("backup", f"{tmp_path}/backup")
    file = tmp_path / "data" / DATABASE
    for each in file.parent.glob(f"{DATABASE}*"):
        each.unlink()
    shutil.copyfile(tmp_path / "backup" / DATABASE, file)
    before = file.read_bytes()
    code, text = run(*command)
    assert code != Exit.DONE
    assert "put the backup back with `gateway restore`" in text
    assert file.read_bytes() == before
    assert run("restore", f"{tmp_path}/backup", *WHO)[0] == Exit.DONE  # what was copied there is kept aside
    assert run("reconcile")[0] == Exit.DONE


def test_a_backup_of_a_release_that_did_not_mark_it_is_restored_as_well(run: Run, tmp_path: Path) -> None:
    run("backup", f"{tmp_path}/backup")
    file, page = tmp_path / "backup" / DATABASE, tmp_path / "backup" / MANIFEST
    connection = apsw.Connection(str(file))
    assert connection.pragma("application_id") == BACKUP_ID
    connection.pragma("application_id", APPLICATION_ID)
    connection.close()
    page.write_text(json.dumps(json.loads(page.read_text()) | {"sha256": digest(file)}))
    assert run("backup", f"{tmp_path}/backup", "--check")[0] == Exit.DONE
    assert run("restore", f"{tmp_path}/backup", *WHO)[0] == Exit.DONE


def test_a_restore_that_could_not_be_noted_says_how_no_generation_is_begun_twice(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", f"{tmp_path}/backup")
    assert "not noted" not in run("restore", f"{tmp_path}/backup", *WHO)[1]
    monkeypatch.setattr(restoring, "RESTORES", "no-such-folder/restores.jsonl")  # a root user may write anywhere else
    code, text = run("restore", f"{tmp_path}/backup", *WHO)
    assert code == Exit.DONE
    assert "generation   3" in text
    assert "--least-generation 4" in text


def test_nothing_is_restored_under_a_running_gateway(run: Run, tmp_path: Path) -> None:
    run("backup", f"{tmp_path}/backup")
    lock = claim_data_folder(read_settings().data)
    code, text = run("restore", f"{tmp_path}/backup", *WHO)
    assert code == Exit.REFUSED
    assert "is using it" in text
    assert lock


def restorers(tmp_path: Path) -> list[tuple[object, object]]:
    rows = apsw.Connection(str(tmp_path / "data" / DATABASE)).execute("SELECT body FROM audit_leaf")
    leaves = [json.loads(body) for (body,) in rows]
    return [(leaf["by"], leaf["recognised"]) for leaf in leaves if leaf["kind"] == "restored"]


def test_nobody_restores_without_the_secret_and_the_audit_names_who_did(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", f"{tmp_path}/backup")
    before = (tmp_path / "data" / DATABASE).read_bytes()
    with monkeypatch.context() as patch:
        patch.setenv("GATEWAY_OPERATOR_SECRET", "wrong")
        code, text = run("restore", f"{tmp_path}/backup", *WHO)
    assert (code, "not allowed" in text) == (Exit.REFUSED, True)
    assert (tmp_path / "data" / DATABASE).read_bytes() == before
    assert run("restore", f"{tmp_path}/backup", *WHO)[0] == Exit.DONE
    assert restorers(tmp_path) == [("anna", True)]


def test_where_the_operators_were_lost_too_the_audit_says_that_nobody_was_recognised(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", f"{tmp_path}/backup")
    monkeypatch.setenv("GATEWAY_DATA", f"{tmp_path}/anew")
    assert run("restore", f"{tmp_path}/backup", *WHO)[0] == Exit.DONE
    (tmp_path / "data").rename(tmp_path / "lost")
    (tmp_path / "anew").rename(tmp_path / "data")
    assert restorers(tmp_path) == [("anna", False)]


def test_a_restore_names_whom_it_holds_and_the_statement_lets_them_go(run: Run, tmp_path: Path) -> None:
    told = restored(run, tmp_path)
    assert told["generation"] == 2
    held = tmp_path / "held.csv"
    held.write_text(f"line,epoch,state\n{LINE},1,ACCEPTED\n")
    who = ("--by", "anna", "--reason", "their list of this morning")
    code, text = run("reconcile", "--destination", PROVIDER.value, "--holdings", str(held), *who)
    assert code == Exit.DONE, text
    assert f"not sent again: {LINE}" in text
    assert "still to be reconciled" in text
    for other in others(told):
        code, text = run("reconcile", "--destination", other, "--without-statement", *who)
        assert code == Exit.DONE
    assert run("reconcile", "--destination", PROVIDER.value, "--without-statement", *who)[0] == Exit.REFUSED
    messages = tmp_path / "messages.csv"
    messages.write_text("id\nMSGA\nMSGB\n")
    code, text = run("reconcile", "--destination", TRUST.value, "--messages", str(messages), *who)
    assert code == Exit.REFUSED
    assert "lost, to be sent again under the same control id: MSGB" in text
    messages.write_text(f"id,digest\nMSGA,{'0' * 64}\n")
    code, text = run("reconcile", "--destination", TRUST.value, "--messages", str(messages), *who)
    assert code == Exit.REFUSED
    assert "lost, to be sent again under a new control id, this is another's now: MSGA" in text
    messages.write_text(f"id,digest\nMSGA,{'0' * 64}\nMSGA,{'0' * 64}\n")
    code, text = run("reconcile", "--destination", TRUST.value, "--messages", str(messages), *who)
    assert code == Exit.REFUSED
    assert "this id is listed before" in text
    messages.write_text("id\nMSGA\n")
    stopped = tmp_path / "told.csv"
    stopped.write_text(f"line,state\n{LINE},CANCELLED\n")
    code, text = run(
        "reconcile", "--destination", TRUST.value, "--messages", f"{messages}", "--told", f"{stopped}", *who
    )
    assert code == Exit.REFUSED
    assert f"lost, to be done again at the console: {LINE}, which was cancelled" in text
    stopped.write_text(f"line,state\n{LINE},ACCEPTED\n")
    code, text = run(
        "reconcile", "--destination", TRUST.value, "--messages", f"{messages}", "--told", f"{stopped}", *who
    )
    assert code == Exit.REFUSED
    assert "as its state one of CANCELLED, ON_HOLD" in text
    trusts = told["trusts"]
    assert isinstance(trusts, list)
    assert run("reconcile", "--destination", TRUST.value, "--messages", str(messages), *who)[0] == Exit.DONE
    for other in (one for one in trusts if one != TRUST.value):
        assert run("reconcile", "--destination", other, "--without-statement", *who)[0] == Exit.DONE
    code, text = run("reconcile", "--json")
    assert code == Exit.DONE, text
    assert json.loads(text)["held"] == []


def test_what_a_provider_holds_and_we_do_not_know_is_named_until_it_gives_it_up(run: Run, tmp_path: Path) -> None:
    restored(run, tmp_path)
    unknown = str(make_prescription("LOST").lines[0].id)
    held = tmp_path / "held.jsonl"
    held.write_text(json.dumps({"line": unknown, "epoch": 1, "state": "ACCEPTED"}) + "\n")
    who = ("--by", "anna", "--reason", "their list")
    code, text = run("reconcile", "--destination", PROVIDER.value, "--holdings", str(held), *who)
    assert code == Exit.REFUSED
    assert f"holding-unknown: {unknown} epoch 1" in text
    assert run("reconcile", "--destination", PROVIDER.value, "--given-up", unknown, *who)[0] == Exit.DONE
    assert run("reconcile", "--destination", PROVIDER.value, "--given-up", unknown, *who)[0] == Exit.REFUSED
    assert f"{unknown}" in run("alerts", "--json")[1]


@pytest.mark.parametrize(
    "text",
    [
        "line,epoch,state\nnot-an-id,1,ACCEPTED\n",
        f"line,epoch,state\n{LINE},0,ACCEPTED\n",
        f"line,epoch,state\n{LINE},1,MAYBE\n",
        f"line,epoch,state\n{LINE},1,ACCEPTED\n{LINE},1,REJECTED\n",
        f"line,epoch\n{LINE},1\n",
        f"line,epoch,state\n{LINE},1\n",
        '{"line": "x"}\n',
        '{"line": "x", "line": "y", "epoch": 1, "state": "ACCEPTED"}\n',
        "{not json\n",
    ],
)
def test_a_list_that_is_half_understood_is_refused_whole(run: Run, tmp_path: Path, text: str) -> None:
    restored(run, tmp_path)
    held = tmp_path / "held"
    held.write_text(text)
    who = ("--by", "anna", "--reason", "their list")
    assert run("reconcile", "--destination", PROVIDER.value, "--holdings", str(held), *who)[0] == Exit.REFUSED
    assert PROVIDER.value in json.loads(run("reconcile", "--json")[1])["held"]


def test_lists_are_compared_both_ways_and_every_difference_opens_an_alert(run: Run, tmp_path: Path) -> None:
    code, text = run("reconcile", "--list", TRUST.value, "--day", TODAY, "--json")
    assert code == Exit.DONE
    ours = json.loads(text)
    assert [row["id"] for row in ours["rows"]] == ["MSGA"]
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text(json.dumps({"id": "MSGA", "digest": ours["rows"][0]["digest"]}))
    who = ("reconcile", "--list", TRUST.value, "--day", TODAY, "--theirs", str(theirs))
    assert run(*who) == (Exit.DONE, "both lists agree\n")
    theirs.write_text("id,digest\nMSGB,\n")
    code, text = run(*who)
    assert code == Exit.REFUSED
    assert "missing there: MSGA" in text
    assert "missing here: MSGB" in text
    theirs.write_text(f"id,digest\nMSGA,{'0' * 64}\n")
    assert "other content: MSGA" in run(*who)[1]
    assert "lists-differ" in run("alerts")[1]


def test_the_list_of_another_day_never_agrees(run: Run, tmp_path: Path) -> None:
    ours = json.loads(run("reconcile", "--list", TRUST.value, "--day", TODAY, "--json")[1])
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text(json.dumps({"id": "MSGA", "digest": ours["rows"][0]["digest"]}))
    for day in ("2026-10-04", "2026-10-06", "2020-01-01"):
        code, text = run("reconcile", "--list", TRUST.value, "--day", day, "--theirs", str(theirs))
        assert code == Exit.REFUSED
        assert f"other day: MSGA (ours {TODAY}, theirs -)" in text
        assert f"nothing in their list is of {day} here" in text
    assert "lists-differ" not in run("alerts")[1]  # of what is there on both sides nobody needs to be woken


def test_a_name_of_another_day_beside_one_of_this_is_no_difference() -> None:
    day = date(2026, 10, 5)
    known = {row.key: row for row in (Listed(id="A", day=day), Listed(id="B", day=date(2026, 10, 1)))}
    ours = DayList(party=TRUST, side=Side.TRUST, day=day, rows=(Listed(id="A", day=day),))
    assert compare(ours, [Listed(id="A"), Listed(id="B")], known) == ()
    assert [one.fault for one in compare(ours, [Listed(id="B")], known)] == [Fault.MISSING_THERE, Fault.OTHER_DAY]


@pytest.mark.parametrize("day", ["1999-12-31", (NOW + timedelta(days=2)).date().isoformat(), "2030-02-30", "tomorrow"])
@pytest.mark.parametrize("what", [(), ("--list", TRUST.value)])
def test_a_day_that_cannot_have_books_does_not_balance(run: Run, what: tuple[str, ...], day: str) -> None:
    code, text = run("reconcile", *what, "--day", day)
    assert code == Exit.REFUSED
    assert "--day" in text


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--theirs", "f"), "--theirs"),
        (("--holdings", "f"), "--holdings"),
        (("--messages", "f"), "--messages"),
        (("--without-statement",), "--without-statement"),
        (("--given-up", LINE), "--given-up"),
        (("--told", "f"), "--told"),
        (WHO, "--reason"),
        (("--list", TRUST.value, "--day", TODAY, "--holdings", "f"), "--holdings"),
        (("--list", TRUST.value, "--day", TODAY, "--theirs", "f", "--messages", "f"), "--messages"),
        (("--list", TRUST.value), "--day"),
        (("--list", "", "--day", TODAY), "ODS code"),
        (("--destination", "", *WHO), "--holdings"),
        (("--destination", PROVIDER.value, "--given-up", "", *WHO), "--given-up"),
        (("--destination", PROVIDER.value, *WHO), "--holdings"),
        (("--destination", PROVIDER.value, "--holdings", "f", "--given-up", LINE, *WHO), "--given-up"),
        (("--destination", PROVIDER.value, "--holdings", "f", "--told", "f", *WHO), "--told"),
        (("--destination", PROVIDER.value, "--holdings", "f", "--day", TODAY, *WHO), "--day"),
        (("--destination", PROVIDER.value, "--list", TRUST.value, "--holdings", "f", *WHO), "--list"),
        (("--destination", PROVIDER.value, "--without-statement", "--json", *WHO), "--json"),
    ],
)
def test_an_option_that_would_not_be_heeded_is_refused(run: Run, options: tuple[str, ...], named: str) -> None:
    code, text = run("reconcile", *options)
    assert code == Exit.REFUSED
    assert named in text
    assert "Usage" in text
    assert "balance" not in text


def test_the_books_balance_and_say_by_name_what_does_not(run: Run, tmp_path: Path) -> None:
    code, text = run("reconcile")
    assert code == Exit.DONE, text
    assert text.endswith("the books balance\n")
    connection = apsw.Connection(str(tmp_path / "data" / DATABASE))
    connection.execute("UPDATE outbox SET state = 'done'")
    connection.close()
    code, text = run("reconcile")
    assert code == Exit.REFUSED
    assert f"ready, and neither queued nor alerted: {LINE}" in text
    assert "books-out" in run("alerts")[1]


def test_the_list_of_a_provider_names_lines_and_epochs(run: Run) -> None:
    day = london_day(NOW).isoformat()
    code, text = run("reconcile", "--list", PROVIDER.value, "--day", day, "--json")
    assert code == Exit.DONE
    assert [(row["id"], row["epoch"]) for row in json.loads(text)["rows"]] == [(LINE, 1)]
