"""`gateway archive` and `gateway legal-hold`: a person moves what is closed, looks it up, and keeps what must stay."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.commands.exits import Exit
from gateway.destination import Refused
from gateway.domain.acts import Act
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import Acceptance
from gateway.store.sql.archives import Registered
from gateway.store.sqlite import archiving
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.archiving import ARCHIVE_LOCK
from gateway.wiring.build import claim_data_folder
from tests.contract.store_engines import PROVIDER, make_acceptance, make_order, make_prescription

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=800)
CLOSED, OPEN = make_prescription("A"), make_prescription("B")
Run = Callable[..., tuple[int, str]]
WHO = ("--by", "anna")
WHY = ("--reason", "A claim was made.", *WHO)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a command line over a store with one prescription that ended long ago, and one that is open."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    secret = Operators(data).add("anna", person="Anna Example", by=None, now=NOW)
    asyncio.run(fill(data))
    monkeypatch.setenv("GATEWAY_DATA", str(data))
    monkeypatch.setenv("GATEWAY_OPERATOR_SECRET", secret)

    def called(*arguments: str, right: bool = True, said: str = "") -> tuple[int, str]:
        env = {} if right else {"GATEWAY_OPERATOR_SECRET": "wrong"}
        result = CliRunner(env=env).invoke(command_line(arguments), [*arguments], input=said)
        return result.exit_code, result.output

    return called


def long_ago(name: str, what: Prescription) -> Acceptance:
    whole = make_acceptance(name, make_order(what))
    return replace(whole, submission=replace(whole.submission, received_at=LONG_AGO))


async def fill(data: Path) -> None:
    store = SqliteStore.open(data / "gateway.db", now=lambda: LONG_AGO)
    await store.accept(long_ago("A", CLOSED))
    (claim,) = await store.claim(worker="w", now=LONG_AGO, lease_seconds=60, room={PROVIDER: 9})
    assert await store.on_wire(claim, now=LONG_AGO)
    await store.record(claim, Refused(reason="no"), now=LONG_AGO, retry_at=None)
    await store.close_lines(Act(prescription_id=CLOSED.id, by="anna", reason="Elsewhere.", now=LONG_AGO))
    for number in range(1, 9):
        await store.close_alert(number, by="anna", reason="Seen.", now=LONG_AGO)
    await store.accept(long_ago("B", OPEN))
    await store.open_alert(kind="overdue", subject="b", line_id=OPEN.lines[0].id, now=LONG_AGO, text="Late.")
    await store.close()


def leaves(tmp_path: Path) -> list[dict[str, object]]:
    reader = apsw.Connection(str(tmp_path / "data" / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)
    found = [json.loads(body) for (body,) in reader.execute("SELECT body FROM audit_leaf ORDER BY seq")]
    reader.close()
    return found


def test_a_dry_run_says_what_would_go_and_why_the_rest_stays(run: Run, tmp_path: Path) -> None:
    before = leaves(tmp_path)
    code, text = run("archive", "--dry-run")
    assert code == Exit.DONE, text
    assert "would go     1 prescriptions" in text
    assert "stays        1: not closed" in text
    assert "proposed, nobody has decided" in text
    assert leaves(tmp_path) == before
    assert not (tmp_path / "data" / "archive").exists()


def test_what_is_closed_moves_and_is_found_there(run: Run, tmp_path: Path) -> None:
    code, text = run("archive", "--json", *WHO)
    assert code == Exit.DONE, text
    done = json.loads(text)
    assert (done["chosen"], done["let_go"], done["archive"]["prescriptions"]) == (1, 1, 1)
    name = done["archive"]["name"]
    code, text = run("archive", "find", CLOSED.lines[0].order_number, *WHY)
    assert code == Exit.DONE
    assert text.startswith(f"{name}  {CLOSED.id}")
    code, text = run("archive", "find", str(CLOSED.number), *WHY)
    assert code == Exit.DONE
    code, text = run("archive", "find", str(CLOSED.id), *WHY)
    assert json.loads(text.split("\n", 1)[1])["found"]["number"] == str(CLOSED.number)
    code, text = run("archive", "find", "--patient", *WHY, said=f"{CLOSED.patient.nhs_number}\n")
    assert (code, str(CLOSED.id) in text, str(CLOSED.patient.nhs_number) in text) == (Exit.DONE, True, False)
    assert run("archive", "find", "RX-NOT-THERE", *WHY)[0] == Exit.REFUSED
    code, text = run("archive", "list", "--verify")
    assert text.startswith(f"{name}  1 prescriptions")
    kinds = [(leaf["kind"], leaf.get("by"), leaf.get("principal")) for leaf in leaves(tmp_path)]
    assert ("archived", "anna", None) in kinds
    assert kinds.count(("access", None, "anna")) == 5


def test_a_legal_hold_keeps_it_and_is_lifted_by_its_number(run: Run, tmp_path: Path) -> None:
    code, text = run("legal-hold", "place", "--patient", *WHY, said=f"{CLOSED.patient.nhs_number}\n")
    assert (code, text.endswith("legal hold 1 placed by anna\n")) == (Exit.DONE, True), text
    assert run("legal-hold", "place", "--patient", *WHY, said=f"{CLOSED.patient.nhs_number}\n")[0] == Exit.REFUSED
    assert "stays        1: legal hold" in run("archive", *WHO)[1]
    code, text = run("legal-hold", "list", *WHO)
    assert text == f"1  since {NOW:%Y-%m-%d}, anna, of a patient: A claim was made.\n"
    assert run("legal-hold", "lift", "1", *WHY)[0] == Exit.DONE
    assert run("legal-hold", "lift", "1", *WHY)[0] == Exit.REFUSED
    assert "went         1 prescriptions" in run("archive", *WHO)[1]
    words = json.dumps(leaves(tmp_path))
    assert str(CLOSED.patient.nhs_number) not in words
    assert "A claim was made." not in words


def archived(run: Run) -> str:
    name: str = json.loads(run("archive", "--json", *WHO)[1])["archive"]["name"]
    return name


def test_an_archive_that_is_missing_is_named_until_it_need_not_be_kept(run: Run, tmp_path: Path) -> None:
    name = archived(run)
    assert run("archive", "list")[0] == Exit.DONE
    (tmp_path / "data" / "archive" / name).rename(tmp_path / name)
    for arguments in (("archive", "list"), ("archive", "list", "--json"), ("archive", "list", "--verify")):
        code, text = run(*arguments)
        assert (code, f"archive {name} is missing: it must be kept until" in text) == (Exit.REFUSED, True), text
    over = Registered(name=name, sha256="0" * 64, keep_until=NOW - timedelta(days=1))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(archiving, "registered", lambda _: (over,))
        assert run("archive", "list")[0] == Exit.DONE


def test_an_archive_tells_of_legal_holds_on_what_is_in_it(run: Run) -> None:
    name = archived(run)
    assert "legal hold" not in run("archive", "find", "RXA0", *WHY)[1]
    run("legal-hold", "place", str(OPEN.id), *WHY)
    assert "legal hold" not in run("archive", "list")[1]
    run("legal-hold", "place", str(CLOSED.id), *WHY)
    assert run("archive", "find", CLOSED.lines[0].order_number, *WHY)[1].endswith("  legal hold 2\n")
    assert run("archive", "find", str(CLOSED.id), *WHY)[1].startswith(f"in archive {name}  legal hold 2\n")
    run("legal-hold", "place", "--patient", *WHY, said=f"{CLOSED.patient.nhs_number}\n")
    assert run("archive", "find", str(CLOSED.number), *WHY)[1].endswith("  legal hold 2  legal hold 3\n")
    assert run("archive", "list")[1].endswith(", 1 under legal hold\n")
    assert json.loads(run("archive", "list", "--json")[1])[0]["under_legal_hold"] == 1


def test_a_run_beside_another_does_nothing_and_leaves_its_draft_alone(run: Run, tmp_path: Path) -> None:
    draft = tmp_path / "data" / "archive" / "20300101T000000000000Z.partial"
    draft.mkdir(parents=True)
    lock = claim_data_folder(tmp_path / "data", ARCHIVE_LOCK)
    before = leaves(tmp_path)
    assert run("archive", *WHO)[0] != Exit.DONE
    assert draft.exists()
    assert leaves(tmp_path) == before
    os.close(lock)
    assert run("archive", *WHO)[0] == Exit.DONE
    assert not draft.exists()


@pytest.mark.parametrize(
    "act",
    [
        ("archive", *WHO),
        ("archive", "find", "RXA0", *WHY),
        ("legal-hold", "place", str(OPEN.id), *WHY),
        ("legal-hold", "lift", "1", *WHY),
        ("legal-hold", "list", *WHO),
    ],
)
def test_nobody_acts_without_the_secret_and_nothing_is_written(run: Run, tmp_path: Path, act: tuple[str, ...]) -> None:
    before = leaves(tmp_path)
    code, text = run(*act, right=False)
    assert code == Exit.REFUSED
    assert "not allowed" in text
    assert leaves(tmp_path) == before


@pytest.mark.parametrize(
    "act", [("archive", "find", *WHY), ("archive", "find", "RXA0", "--patient", *WHY), ("legal-hold", "place", *WHY)]
)
def test_one_thing_at_a_time_is_asked_for(run: Run, act: tuple[str, ...]) -> None:
    assert run(*act)[0] == Exit.REFUSED
