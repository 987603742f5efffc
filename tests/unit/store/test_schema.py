"""The file's own defences: settings read back, states and arrows from the lifecycle, tables that cannot be edited."""

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import gateway.store
from gateway.domain.custody import Holder
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.settings import Settings
from gateway.store.sql.schema import Step, arrows
from gateway.store.sqlite import connection as opening
from gateway.store.sqlite import schema
from gateway.store.sqlite.connection import open_reader, open_writer, settings_of
from gateway.store.sqlite.schema import FIRST, migrate, schema_in, steps
from tests.contract.store_engines import Clock, Exchange, make_acceptance, make_order, make_prescription, open_sqlite
from tests.factories import MOMENT

MIGRATIONS = sorted(Path(gateway.store.__file__).parent.glob("*/migrations"))
SQL = "\n".join(step.sql for step in steps().values())


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "gateway.db")
    migrate(connection, now=MOMENT)
    yield connection
    connection.close()


def test_the_settings_that_durability_rests_on_are_in_force(writer: apsw.Connection) -> None:
    settings = settings_of(writer)
    assert (settings["journal_mode"], settings["synchronous"], settings["foreign_keys"]) == ("wal", "2", "1")


@pytest.mark.parametrize("folder", MIGRATIONS, ids=lambda folder: folder.parent.name)
def test_no_two_steps_bear_one_number(folder: Path) -> None:
    """The later of two would take the place of the other, and nobody would know."""
    numbers = [name.name[:4] for name in folder.glob("*.sql")]
    assert len(numbers) == len(set(numbers)) > 1


def test_a_new_file_has_small_pages_and_one_that_is_there_keeps_its_own(
    tmp_path: Path, writer: apsw.Connection
) -> None:
    assert writer.pragma("page_size") == opening.PAGE_BYTES == 1024
    earlier = apsw.Connection(str(tmp_path / "earlier.db"))
    earlier.pragma("page_size", 4096)
    migrate(earlier, now=MOMENT)
    earlier.close()
    again = open_writer(tmp_path / "earlier.db")
    assert (again.pragma("page_size"), migrate(again, now=MOMENT)) == (4096, max(steps()))
    again.close()


@pytest.mark.parametrize("page", [1024, 4096])
def test_the_log_of_a_file_of_any_page_is_folded_before_it_fills_what_the_disks_floor_keeps_free(
    tmp_path: Path, page: int
) -> None:
    earlier = apsw.Connection(str(tmp_path / "earlier.db"))
    earlier.pragma("page_size", page)
    migrate(earlier, now=MOMENT)
    earlier.close()
    again = open_writer(tmp_path / "earlier.db")
    longest = again.pragma("wal_autocheckpoint") * again.pragma("page_size")
    again.close()
    assert longest == opening.LONGEST_LOG_BYTES <= Settings.model_fields["disk_floor_bytes"].default / 4


def test_migrating_again_changes_nothing(writer: apsw.Connection) -> None:
    before = writer.execute("SELECT sql FROM sqlite_schema").fetchall()
    assert migrate(writer, now=MOMENT) == max(steps())
    assert writer.execute("SELECT sql FROM sqlite_schema").fetchall() == before


def test_a_setting_that_does_not_take_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigurationError, Unavailable)):
        open_writer(tmp_path / "no" / "folder.db")
    memory = Path(":memory:")  # a database in memory cannot keep a write-ahead log
    with pytest.raises(ConfigurationError, match="journal_mode"):
        open_writer(memory)


def test_an_old_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(ConfigurationError, match=r"3\.51\.3"):
        open_writer(tmp_path / "gateway.db")


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE theirs (value)")
    other.close()
    with pytest.raises(ConfigurationError, match="another program"):
        open_writer(tmp_path / "other.db")
    with pytest.raises(Unavailable):
        open_reader(tmp_path / "other.db")


def test_a_file_that_a_newer_version_changed_for_itself_is_refused(writer: apsw.Connection) -> None:
    writer.pragma("user_version", max(steps()) + 1)
    assert not schema_in(writer).fits
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(writer, now=MOMENT)


def test_a_file_that_a_newer_version_only_prepared_is_taken(writer: apsw.Connection) -> None:
    newer = max(steps()) + 1
    writer.execute("INSERT INTO step VALUES (?, 'pre', 0)", (newer,))
    assert schema_in(writer).fits
    assert migrate(writer, now=MOMENT) == newer


def test_a_file_of_the_first_release_gets_the_steps_it_lacks_and_the_first_release_still_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = steps()
    with monkeypatch.context() as then:
        then.setattr(schema, "steps", lambda: {number: step for number, step in every.items() if number <= FIRST})
        connection = open_writer(tmp_path / "old.db")
        migrate(connection, now=MOMENT)
    connection.execute("DROP TABLE step")
    assert schema_in(connection).missing == tuple(number for number in every if number > FIRST)
    assert migrate(connection, now=MOMENT) == max(every)
    assert connection.pragma("user_version") == max([FIRST, *(n for n, step in every.items() if step.kind == "post")])
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Step(number=max(steps()) + 1, kind="post", sql="CREATE TABLE half (one) STRICT; CREATE TABLE;")
    connection = open_writer(tmp_path / "gateway.db")
    migrate(connection, now=MOMENT)
    before = connection.execute("SELECT sql FROM sqlite_schema").fetchall()
    every = steps()
    monkeypatch.setattr(schema, "steps", lambda: {**every, broken.number: broken})
    with pytest.raises(Unavailable):
        migrate(connection, now=MOMENT)
    assert connection.execute("SELECT sql FROM sqlite_schema").fetchall() == before
    assert schema_in(connection).missing == (broken.number,)
    connection.close()


@pytest.mark.usefixtures("writer")
def test_a_reader_cannot_write(tmp_path: Path) -> None:
    reader = open_reader(tmp_path / "gateway.db")
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("UPDATE meta SET generation = 9")
    reader.close()


def test_the_states_of_the_schema_are_those_of_the_lifecycle() -> None:
    (states,) = re.findall(r"CHECK \(state IN \(\s*('RECEIVED'.*?)\)\)", SQL, re.DOTALL)
    assert set(re.findall(r"'(\w+)'", states)) == {state.value for state in LineState}
    (holders,) = re.findall(r"CHECK \(holder IN \((.*?)\)\)", SQL)
    assert set(re.findall(r"'(\w+)'", holders)) == {holder.value for holder in Holder}


def test_every_list_of_final_states_is_the_lifecycles() -> None:
    code = SQL + "".join(path.read_text() for path in Path(opening.__file__).parent.glob("*.py"))
    lists = re.findall(r"NOT IN \(('REFUSED'[^)]*)\)", code)
    assert len(lists) >= 4
    for found in lists:
        assert set(re.findall(r"'(\w+)'", found)) == {state.value for state in TERMINAL}


def test_the_arrows_of_the_file_are_those_of_the_lifecycle(writer: apsw.Connection) -> None:
    found = {(LineState(a), b, LineState(c)) for a, b, c in writer.execute("SELECT state, event, next FROM arrow")}
    assert found == arrows()
    assert not {state for state, _, _ in found} & TERMINAL


async def fill(folder: Path) -> None:
    opened = open_sqlite(folder, Clock())
    exchange = Exchange(opened, Clock())
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    await exchange.store.accept(make_acceptance("H", make_order(make_prescription("H"), state=LineState.HELD)))
    await exchange.send()
    await exchange.store.close()
    await opened.enquiries.close()  # type: ignore[attr-defined]


EDITS = [
    "UPDATE submission SET body = x'00'",
    "DELETE FROM submission",
    "UPDATE prescription SET document = '{}'",
    "DELETE FROM prescription",
    "UPDATE message SET body = x'00'",
    "DELETE FROM message",
    "UPDATE event SET event = 'accepted'",
    "DELETE FROM event",
    "REPLACE INTO event SELECT * FROM event WHERE seq = 1",
    "UPDATE attempt SET outcome = 'taken'",
    "DELETE FROM attempt",
    "UPDATE audit_leaf SET body = x'00'",
    "DELETE FROM audit_leaf",
    "INSERT INTO audit_leaf SELECT seq + 100, at, kind, body, leaf_hash FROM audit_leaf WHERE seq = 1",
    "DELETE FROM line",
    "UPDATE line SET state = 'ACCEPTED'",
    "UPDATE line SET tenant = 'RZA'",
    "UPDATE line SET delivered = total_supplies + 1",
    "DELETE FROM allocation",
    "UPDATE allocation SET provider = 'X'",
    "INSERT INTO allocation SELECT NULL, line, prescription, epoch, provider, message, made_at, 1 FROM allocation",
    "INSERT INTO allocation SELECT NULL, line, prescription, 2, provider, message, made_at, NULL FROM allocation",
    "DELETE FROM alert",
    "UPDATE alert SET text = 'nothing to see'",
    "DELETE FROM outbox",
    """INSERT INTO event
       (line, at, event, actor, state_before, state_after, moved, reason_code, reason, amount, unit, text)
       SELECT line, at, 'delivered', 'PS', 'SENT', 'FULFILLED', 1, '', '', '', '', ''
       FROM event WHERE state_after = 'SENT'""",
    """INSERT INTO event
       (line, at, event, actor, state_before, state_after, moved, reason_code, reason, amount, unit, text)
       SELECT line, at, 'clear', 'GW', 'RECEIVED', 'READY', 1, '', '', '', '', ''
       FROM event WHERE state_after = 'SENT'""",
]


@pytest.mark.parametrize("edit", EDITS)
async def test_the_file_itself_refuses_to_be_edited(tmp_path: Path, edit: str) -> None:
    await fill(tmp_path)
    connection = open_writer(tmp_path / "gateway.db")
    with pytest.raises(apsw.ConstraintError):
        connection.execute(edit)
    connection.close()
