"""What the doctor makes of the nodes of a database: all there, one silent, a part that none runs, one that differs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.config.load import load
from gateway.domain.node import MOST_OFF, SILENCE, Node, NodeSeen
from gateway.settings import Settings
from gateway.store.keys import load_or_make
from gateway.wiring.doctor.examine import examine
from gateway.wiring.doctor.finding import Finding, Grade
from gateway.wiring.doctor.nodes import Company, fits, nodes
from gateway.wiring.doctor.stored import server_log
from tests.postgres import database

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ALL = "console,http,mllp,watch,worker"
ONE = NodeSeen(
    node=Node(name="one", version="1.0", parts=ALL, configuration="c" * 64, reference="r", key_id="k"),
    started_at=NOW,
    seen_at=NOW,
)


def found(*seen: NodeSeen, off: timedelta = timedelta()) -> list[Finding]:
    return list(nodes(Company(nodes=seen, off=off), NOW))


def test_a_node_that_runs_everything_is_well() -> None:
    (told,) = found(ONE)
    assert (told.grade, told.says) == (Grade.GOOD, f"one runs {ALL} of 1.0")


@pytest.mark.parametrize(
    ("parts", "what"),
    [("http,watch", "none runs worker: nothing is sent"), ("worker,watch", "none runs http"), ("http,worker", "watch")],
)
def test_what_no_node_runs_is_wrong(parts: str, what: str) -> None:
    wrong, _ = found(replace(ONE, node=replace(ONE.node, parts=parts)))
    assert wrong.grade is Grade.WRONG
    assert what in wrong.says


def test_no_node_at_all_is_wrong_for_every_part() -> None:
    assert [one.grade for one in found()] == [Grade.WRONG] * 3


def test_a_node_that_fell_silent_is_looked_at_and_runs_nothing() -> None:
    silent = replace(ONE, seen_at=NOW - SILENCE - timedelta(seconds=1))
    told = found(silent)
    assert [one.grade for one in told] == [Grade.WRONG] * 3 + [Grade.LOOK]
    assert told[-1].says.startswith("one (console,http,mllp,watch,worker) fell silent at 22 Nov 2026 02:58 UTC")


def test_a_clock_that_is_not_the_databases_is_wrong() -> None:
    assert [one.grade for one in found(ONE, off=MOST_OFF)] == [Grade.GOOD]
    wrong, _ = found(ONE, off=-MOST_OFF - timedelta(seconds=1))
    assert (wrong.check, wrong.grade) == ("clock", Grade.WRONG)
    assert "31 s behind the database's" in wrong.says


def test_a_machine_with_other_keys_or_configuration_is_told_that_a_start_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings, configuration = Settings(data=tmp_path), load(None)
    key_id = load_or_make(tmp_path, development=True).key_id
    alike = replace(ONE, seen_at=now, node=replace(ONE.node, configuration=configuration.digest, key_id=key_id))
    assert list(fits(Company(nodes=(alike,), off=timedelta()), settings, configuration, now)) == []
    other = Company(nodes=(replace(ONE, seen_at=now),), off=timedelta())
    assert ["configuration" in one.says for one in fits(other, settings, configuration, now)] == [True, False]
    assert all(one.grade is Grade.WRONG for one in fits(other, settings, configuration, now))


def test_a_server_that_quotes_no_rows_in_its_log_is_well() -> None:
    assert server_log("terse").grade is Grade.GOOD


def test_on_a_server_the_doctor_asks_the_database_and_not_the_lock_of_a_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    settings = Settings(data=tmp_path, database_url=SecretStr(database(tmp_path).url))
    told = list(examine(settings, now=datetime.now(UTC)))
    assert not any("runs on the folder" in one.says for one in told)
    assert [one.says for one in told if one.check == "nodes"] == [
        "none runs http: nothing is taken over HTTP, and no answer of a provider",
        "none runs worker: nothing is sent",
        "none runs watch: nobody is told of what is late",
    ]
    (log,) = [one for one in told if one.check == "server log"]
    assert (log.grade, "terse" in log.do) == (Grade.LOOK, True)
