"""A dry run of `gateway reroute` refuses what the command would refuse, and says how many patients are affected."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.commands import reroute_list
from gateway.commands.exits import Exit
from gateway.commands.reroute_list import Concerned, affected_as_text
from gateway.config.load import load
from gateway.console.board.trouble import place
from gateway.console.pages import address
from gateway.domain.fence import TOGETHER
from gateway.domain.identifiers import OdsCode
from gateway.domain.reconciliation import AFTER_RESTORE
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.store.keys import load_or_make
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.around import surroundings
from gateway.wiring.build import SystemClock
from tests.acceptance.test_removed_provider import remove
from tests.dated import as_of_yesterday
from tests.unit.commands.test_reroute import BOTH, GOLDEN, S01, Folder, make
from tests.unit.console.test_trouble import PATH

PROVIDERS = ("VNE51 Example Homecare Ltd", "VNCEL ")
DRY = ("--dry-run",)
NORTH = ((b"RBA11", b"RZA01"), (b"|RBA|", b"|RZA|"), (b"^RBA", b"^RZA"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make(tmp_path)


def another(number: int, *changes: tuple[bytes, bytes]) -> bytes:
    """Give the sample under numbers of its own, with more changed."""
    body = S01
    for old, new in ((b"S01-0001", b"S01-%04d"), (b"RX7001", b"RX%d"), (b"GRP7001", b"GRP%d")):
        body = body.replace(old, new % (7000 + number))
    for old, new in changes:
        assert old in body
        body = body.replace(old, new)
    return body


def post(folder: Folder, tenant: str, *bodies: bytes) -> None:
    async def posted() -> None:
        configuration, clock = load(folder.config), SystemClock()
        store = SqliteStore.open(folder.data / "gateway.db", now=clock.now)
        sealer = load_or_make(folder.data, development=True).seal(configuration.organisation)
        pipeline = Pipeline(store=store, sealer=sealer, around=surroundings(configuration), clock=clock)
        for body in bodies:
            sent = Submission(tenant=OdsCode(tenant), format=WireFormat.HL7V2, body=body, received_at=datetime.now(UTC))
            await pipeline.receive(sent)
        await store.close()

    asyncio.run(posted())


@pytest.mark.parametrize("how", [DRY, BOTH], ids=["dry run", "two people"])
def test_a_provider_that_nobody_knows_is_no_provider_that_has_nothing(folder: Folder, how: tuple[str, ...]) -> None:
    code, text = folder.run("reroute", "--all-from", "VNX99", "--to", "auto", *how)
    assert code == Exit.REFUSED
    assert "--all-from: VNX99 is not in the configuration, and never had a line. Known: " in text
    assert all(name in text for name in PROVIDERS)


def test_a_provider_that_is_known_and_has_nothing_is_no_fault(folder: Folder) -> None:
    code, text = folder.run("reroute", "--all-from", "VDEM1", "--to", "auto", *DRY)
    assert (code, text.strip()) == (Exit.DONE, "no open line of that provider")


def test_a_provider_that_was_taken_out_of_the_configuration_keeps_its_lines_and_its_past(folder: Folder) -> None:
    remove(folder.config, "VNE51")
    move = ("reroute", "--all-from", "VNE51", "--to", "VNCEL")
    code, text = folder.run(*move, *DRY)
    assert code == Exit.DONE, text
    assert folder.prescription in text
    assert "RBA: 1 patient, 1 prescription" in text
    assert "/console/prescriptions/PRESCRIPTION" in text
    assert "/console/providers/VNE51/trouble.csv" in text
    assert folder.run(*move, *BOTH)[0] == Exit.DONE
    code, text = folder.run(*move, *DRY)
    assert (code, text.strip()) == (Exit.DONE, "no open line of that provider")


@pytest.mark.parametrize("how", [DRY, BOTH], ids=["dry run", "two people"])
@pytest.mark.parametrize("to", ["VNX99", "VDEM1"])
@pytest.mark.parametrize("of", ["one", "all"])
def test_nothing_is_planned_for_a_provider_that_is_not_known_or_not_active(
    folder: Folder, of: str, to: str, how: tuple[str, ...]
) -> None:
    file = folder.config / "providers" / "VDEM1.toml"
    file.write_text(f"active = false\n{file.read_text()}")
    chosen = (folder.prescription,) if of == "one" else ("--all-from", "VNE51")
    code, text = folder.run("reroute", *chosen, "--to", to, *how)
    assert code == Exit.REFUSED
    assert f"--to: {to} is not a provider that is known and active here. Known: " in text
    assert all(name in text for name in PROVIDERS)
    assert "VDEM1 " not in text.partition("Known: ")[2]
    assert folder.prescription not in text


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_a_line_that_cannot_go_is_named_and_the_dry_run_ends_as_the_command_would(
    folder: Folder, json_too: tuple[str, ...]
) -> None:
    dry = folder.run("reroute", folder.prescription, "--to", "VNE51", *DRY, *json_too)
    real = folder.run("reroute", folder.prescription, "--to", "VNE51", *BOTH, *json_too)
    assert dry[0] == real[0] == Exit.REFUSED
    assert all("needs a person" in text for _, text in (dry, real))


def test_after_a_restore_the_dry_run_says_what_the_store_would(folder: Folder) -> None:
    async def paused() -> None:
        clock = SystemClock()
        store = SqliteStore.open(folder.data / "gateway.db", now=clock.now)
        await store.pause(OdsCode("VNCEL"), by="restore", reason="restored", now=clock.now(), kind=AFTER_RESTORE)
        await store.close()

    asyncio.run(paused())
    move = ("reroute", "--all-from", "VNE51", "--to", "VNCEL")
    dry, real = folder.run(*move, *DRY), folder.run(*move, *BOTH)
    assert dry[0] == real[0] == Exit.REFUSED
    assert all("needs a person  restored from a backup: every provider" in text for _, text in (dry, real))


def test_a_dry_run_that_must_ask_a_provider_first_ends_as_the_command_would(tmp_path: Path) -> None:
    folder = make(tmp_path, send=True)
    move = ("reroute", "--all-from", "VNE51", "--to", "VNCEL")
    assert folder.run(*move, *DRY)[0] == folder.run(*move, *BOTH)[0] == Exit.HELD


@pytest.mark.parametrize("how", [DRY, BOTH], ids=["dry run", "two people"])
@pytest.mark.parametrize("to", ["VNE51", "VDEM1"])
def test_whoever_names_another_provider_than_the_line_goes_to_is_told_where_it_goes(
    tmp_path: Path, to: str, how: tuple[str, ...]
) -> None:
    folder = make(tmp_path, send=True)
    assert folder.run("reroute", folder.prescription, "--to", "VNCEL", *BOTH)[0] == Exit.HELD
    code, text = folder.run("reroute", folder.prescription, "--to", to, *how)
    assert code == Exit.REFUSED
    assert "VNE51  VNCEL  needs a person  it goes to VNCEL: VNE51 was asked to give it up" in text
    for same in ("VNCEL", "auto"):
        code, text = folder.run("reroute", folder.prescription, "--to", same, *how)
        assert code == Exit.HELD
        assert "VNE51  VNCEL  under way  it goes to VNCEL: VNE51 was asked to give it up" in text


def test_patients_are_counted_once_and_trust_by_trust_and_never_named(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reroute_list, "_PART", 2)
    sister = ((b"9990000077", b"9990000018"), (b"Aoife", b"Niamh"), (b"HC100001", b"HC100002"))
    post(folder, "RBA", another(2), another(3, *sister))
    post(folder, "RZA", another(4, *NORTH))
    move = ("reroute", "--all-from", "VNE51", "--to", "VNCEL", *DRY)
    _, text = folder.run(*move)
    _, printed = folder.run(*move, "--json")
    told = json.loads(printed)
    assert told["patients"] == [
        {"trust": "RBA", "patients": 2, "unnumbered": 0, "prescriptions": 3},
        {"trust": "RZA", "patients": 1, "unnumbered": 0, "prescriptions": 1},
    ]
    assert told["named_at"] == {
        "provider": "/console/providers/VNE51/trouble",
        "file": "/console/providers/VNE51/trouble.csv",
        "prescription": "/console/prescriptions/PRESCRIPTION",
    }
    assert {line["page"] for line in told["lines"]} == {
        f"/console/prescriptions/{one['prescription']}" for one in told["lines"]
    }
    for line in ("RBA: 2 patients, 3 prescriptions", "RZA: 1 patient, 1 prescription", told["named_at"]["provider"]):
        assert line in text
    for secret in ("TESTPATIENT", "Aoife", "Niamh", "999000", "Methotrexate"):
        assert secret not in text + printed


def test_who_has_no_nhs_number_is_counted_and_said() -> None:
    found = [Concerned(trust="RBA", patients=4, unnumbered=2, prescriptions=9)]
    first, *_ = affected_as_text(found, None)
    assert first == "RBA: 4 patients (2 without an NHS number, each counted as one), 9 prescriptions"
    assert reroute_list._of_trust(OdsCode("RBA"), ["1", "", "1", "2", ""]) == Concerned(
        trust="RBA", patients=4, unnumbered=2, prescriptions=5
    )


def test_the_pages_that_are_named_are_those_of_the_console() -> None:
    one = uuid4()
    assert address(one).replace(str(one), "PRESCRIPTION") == reroute_list._ANY
    assert place(OdsCode("VNE51")) == PATH == "/console/providers/VNE51/trouble"


def test_what_has_yet_to_leave_in_one_message_goes_together_and_the_dry_run_knows(folder: Folder) -> None:
    """One line of two that wait in one message is asked to be cancelled: the other would split it."""
    order = as_of_yesterday((GOLDEN / "hl7v2/S07.hl7").read_bytes())
    post(folder, "RBA", order)
    segments = order.rstrip(b"\r\n").split(b"\r")
    header = segments[0].split(b"|")
    header[9] = b"CANCEL-1"
    group = next(one for one in segments if one.startswith(b"ORC")).split(b"|")[4]
    ((number, provider),) = folder.rows("SELECT order_number, provider FROM line WHERE prescription = 2 LIMIT 1")
    cancel = b"ORC|CA|%s^RBA||%s|||||20261005091400+0100|||||||0001^Prescribing Error^NHSCANCEL"
    post(folder, "RBA", b"\r".join([b"|".join(header), segments[1], cancel % (number.encode(), group), b""]))
    assert folder.rows("SELECT state FROM cancel") == [("ASKED",)]
    move = ("reroute", "--all-from", provider, "--to", "VNE51" if provider != "VNE51" else "VNCEL", "--json")
    foreseen, done = (json.loads(folder.run(*move, *how)[1]) for how in (DRY, BOTH))
    assert foreseen["counts"] == done["counts"] == {"at once": 1, "needs a person": 2}
    assert [line["why"] for line in foreseen["lines"]] == [line["why"] for line in done["lines"]]
    assert foreseen["lines"][2]["why"] == TOGETHER
