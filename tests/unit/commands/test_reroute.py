"""`gateway reroute` and `gateway config check` on a data folder with open lines."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import apsw
import pytest
from typer.testing import CliRunner

from gateway.__main__ import command_line
from gateway.access.operators import Operators
from gateway.access.principal import Kind, Principal
from gateway.commands.exits import Exit
from gateway.config.load import load
from gateway.destination import Taken
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.store.keys import load_or_make
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.around import surroundings
from gateway.wiring.build import SystemClock
from gateway.wiring.standing import adopt
from tests.dated import as_of_yesterday

GOLDEN = Path(__file__).parents[2] / "golden"
S01 = as_of_yesterday((GOLDEN / "hl7v2/S01.hl7").read_bytes())
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Folder:
    """A data folder with one prescription, and the secrets of two people."""

    data: Path
    config: Path
    prescription: str
    secrets: tuple[str, str]

    def run(self, *arguments: str, second: str | None = None) -> tuple[int, str]:
        name = arguments[0]
        secrets = (self.secrets[0], self.secrets[1] if second is None else second)
        environment = dict(zip(("GATEWAY_OPERATOR_SECRET", "GATEWAY_OPERATOR_SECOND_SECRET"), secrets, strict=True))
        environment |= {"GATEWAY_DATA": str(self.data), "GATEWAY_CONFIG": str(self.config)}
        result = CliRunner(env=environment).invoke(command_line([name]), list(arguments))
        if isinstance(result.exception, ConfigurationError):
            return Exit.REFUSED, "\n".join(result.exception.faults)
        return result.exit_code, result.output

    def rows(self, sql: str) -> list[Any]:
        connection = apsw.Connection(str(self.data / "gateway.db"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(connection.execute(sql))
        finally:
            connection.close()


async def post(data: Path, config: Path, *, send: bool) -> str:
    configuration, clock = load(config), SystemClock()
    store = SqliteStore.open(data / "gateway.db", now=clock.now)
    enquiries = SqliteEnquiries.open(data / "gateway.db")
    around = surroundings(configuration)
    keys = load_or_make(data, development=True)
    pipeline = Pipeline(store=store, sealer=keys.seal(configuration.organisation), around=around, clock=clock)
    rba = OdsCode("RBA")
    await pipeline.receive(Submission(tenant=rba, format=WireFormat.HL7V2, body=S01, received_at=datetime.now(UTC)))
    if send:
        now = clock.now()
        (claim,) = await store.claim(worker="w", now=now, lease_seconds=60, room={OdsCode("VNE51"): 1})
        assert await store.on_wire(claim, now=now)
        await store.record(claim, Taken(), now=now, retry_at=None)
    (found,) = await enquiries.by_control_id("S01-0001", tenant=rba)
    await adopt(configuration, store, enquiries, clock)
    await enquiries.close()
    await store.close()
    return str(found.prescription_id)


def make(tmp_path: Path, *, send: bool = False) -> Folder:
    data, config = tmp_path / "data", tmp_path / "config"
    data.mkdir(mode=0o700)
    with as_file(files("gateway.config").joinpath("demonstration")) as source:
        shutil.copytree(source, config)
    prescription = asyncio.run(post(data, config, send=send))
    people = Operators(data)
    first = people.add("anna", person="Anna Example", by=None, now=NOW)
    anna = Principal(kind=Kind.OPERATOR, tenant=None, name="anna")
    return Folder(data, config, prescription, (first, people.add("ben", person="Ben Example", by=anna, now=NOW)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make(tmp_path)


BOTH = ("--by", "anna", "--and", "ben", "--reason", "left the market")


def test_two_people_give_a_prescription_to_another_provider(folder: Folder) -> None:
    code, text = folder.run("reroute", folder.prescription, "--to", "VNCEL", *BOTH)
    assert code == Exit.DONE, text
    assert folder.rows("SELECT provider, epoch FROM line") == [("VNCEL", 2)]
    assert "at once" in text
    assert folder.run("reroute", "--all-from", "VNE51", "--to", "auto", *BOTH)[0] == Exit.DONE


@pytest.mark.parametrize(
    "arguments",
    [
        ("--by", "anna", "--and", "anna", "--reason", "r"),
        ("--by", "anna", "--reason", "r"),
        ("--by", "anna", "--and", "ben"),
        ("--by", "anna", "--and", "carl", "--reason", "r"),
    ],
)
def test_without_two_known_people_and_a_reason_nothing_moves(folder: Folder, arguments: tuple[str, ...]) -> None:
    code, _ = folder.run("reroute", folder.prescription, "--to", "VNCEL", *arguments)
    assert code == Exit.REFUSED
    assert folder.rows("SELECT provider, epoch FROM line") == [("VNE51", 1)]


def test_a_wrong_second_secret_moves_nothing(folder: Folder) -> None:
    code, text = folder.run("reroute", folder.prescription, "--to", "VNCEL", *BOTH, second=folder.secrets[0])
    assert code == Exit.REFUSED
    assert "not allowed" in text
    assert folder.rows("SELECT count(*) FROM reroute") == [(0,)]


def test_a_dry_run_lists_everybody_affected_and_writes_nothing(folder: Folder) -> None:
    before = folder.rows("SELECT count(*), max(seq) FROM audit_leaf")
    code, text = folder.run("reroute", "--all-from", "VNE51", "--to", "auto", "--dry-run", "--json")
    assert code == Exit.DONE
    told = json.loads(text)
    assert told["dry_run"] is True
    assert told["counts"] == {"at once": 1}
    (line,) = told["lines"]
    assert (line["prescription"], line["from"], line["to"]) == (folder.prescription, "VNE51", "VNCEL")
    assert (line["state"], line["what"], line["left"]) == ("READY", "at once", 6)
    assert folder.rows("SELECT count(*), max(seq) FROM audit_leaf") == before
    assert "TESTPATIENT" not in text
    assert "9990000077" not in text


def test_what_a_provider_may_have_is_asked_back_and_the_command_can_be_run_again(tmp_path: Path) -> None:
    folder = make(tmp_path, send=True)
    code, text = folder.run("reroute", "--all-from", "VNE51", "--to", "VNCEL", *BOTH)
    assert code == Exit.HELD, text
    assert folder.rows("SELECT state, provider, earlier, person, second_person FROM reroute") == [
        ("ASKED", "VNCEL", "VNE51", "anna", "ben")
    ]
    assert folder.run("reroute", "--all-from", "VNE51", "--to", "VNCEL", *BOTH)[0] == Exit.HELD
    assert folder.rows("SELECT count(*) FROM reroute") == [(1,)]
    assert folder.rows("SELECT provider, epoch FROM line") == [("VNE51", 1)]


@pytest.mark.parametrize("to", ["VN000", "VNE51"])
def test_a_provider_that_cannot_have_it_is_refused_in_words(folder: Folder, to: str) -> None:
    code, text = folder.run("reroute", folder.prescription, "--to", to, *BOTH)
    assert code == Exit.REFUSED
    assert to in text
    assert folder.rows("SELECT provider FROM line") == [("VNE51",)]


def test_an_unknown_prescription_is_refused(folder: Folder) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert folder.run("reroute", unknown, "--to", "VNCEL", *BOTH)[0] == Exit.REFUSED
    assert folder.run("reroute", "nonsense", "--to", "VNCEL", *BOTH)[0] == Exit.REFUSED


def test_a_configuration_that_keeps_every_line_passes_the_check(folder: Folder) -> None:
    code, text = folder.run("config", "check")
    assert code == Exit.DONE
    assert "1, none would lose its way" in text


def test_a_configuration_without_the_provider_of_an_open_line_is_refused_with_its_id(
    folder: Folder, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    shutil.copytree(folder.config, new)
    for file in (new / "providers").glob("*.toml"):
        text = file.read_text()
        if '"VNE51"' in text:
            file.write_text(text + "\nactive = false\n")
    code, text = folder.run("config", "check", str(new))
    ((line,),) = folder.rows("SELECT lower(hex(uuid)) FROM line")
    assert code == Exit.REFUSED
    assert "1 open lines of RBA (READY)" in text
    assert "gateway reroute --all-from VNE51" in text
    assert line in text.replace("-", "")
    folder.run("reroute", folder.prescription, "--to", "VNCEL", *BOTH)
    assert folder.run("config", "check", str(new))[0] == Exit.DONE


def test_a_check_says_whose_fault_it_is_where_the_configuration_in_force_cannot_be_read(
    folder: Folder, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    shutil.copytree(folder.config, good)
    routes = folder.config / "routes.toml"
    routes.write_text(routes.read_text() + "\nnonsense = 1\n")
    code, text = folder.run("config", "check", str(good))
    assert code == Exit.REFUSED
    assert text.startswith(f"the configuration in force, {folder.config}, which must be mended first: ")


async def test_a_gateway_takes_up_a_changed_configuration_only_when_it_orphans_nothing(tmp_path: Path) -> None:
    folder = await asyncio.to_thread(make, tmp_path)
    ((first,),) = folder.rows("SELECT digest FROM configuration")
    routes = folder.config / "routes.toml"
    routes.write_text(routes.read_text() + "\n# a remark\n")
    store = SqliteStore.open(folder.data / "gateway.db", now=SystemClock().now)
    enquiries = SqliteEnquiries.open(folder.data / "gateway.db")
    changed = load(folder.config)
    await adopt(changed, store, enquiries, SystemClock())
    await adopt(changed, store, enquiries, SystemClock())
    assert folder.rows("SELECT digest FROM configuration") == [(first,), (changed.digest,)]
    for file in (folder.config / "trusts").glob("*.toml"):
        if 'ods = "RBA"' in file.read_text():
            file.unlink()
    routes.write_text("")
    with pytest.raises(ConfigurationError, match="RBA would be no trust here"):
        await adopt(load(folder.config), store, enquiries, SystemClock())
    assert folder.rows("SELECT count(*) FROM configuration") == [(2,)]
    await enquiries.close()
    await store.close()
