"""What the doctor makes of what it finds: each thing good, near its limit, and wrong."""

import fcntl
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import PauseView
from gateway.pipeline.admission import Room
from gateway.ports.work import BY_OPERATOR
from gateway.settings import MIB, Settings
from gateway.store.keys import load_or_make
from gateway.store.sql.checkup import Backlog, Checkup, OpenAlerts
from gateway.store.sqlite.connection import UNFINISHED
from gateway.wiring.build import DATABASE, LOCK, claim_data_folder
from gateway.wiring.doctor import configured, keys, machine, stored
from gateway.wiring.doctor.finding import Finding, Grade

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
NONE = Backlog(count=0, since=None)
WELL = Checkup(journal="wal", last_at=NOW, watched_at=NOW, due=NONE, leased=NONE, pauses=(), alerts=())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return Settings(data=data)


def worst(found: Iterable[Finding]) -> Finding:
    return max(found, key=lambda one: [Grade.GOOD, Grade.LOOK, Grade.WRONG].index(one.grade))


@pytest.mark.parametrize(
    ("room", "grade"),
    [
        (Room(bytes=255 * MIB, files=10**6), Grade.WRONG),
        (Room(bytes=256 * MIB, files=10**6), Grade.LOOK),
        (Room(bytes=543 * MIB, files=10**6), Grade.LOOK),
        (Room(bytes=544 * MIB, files=10**6), Grade.GOOD),
        (Room(bytes=10**12, files=999), Grade.WRONG),
        (Room(bytes=10**12, files=1999), Grade.LOOK),
        (Room(bytes=10**12, files=None), Grade.GOOD),
    ],
)
def test_room_is_judged_by_the_floors_and_the_reserve(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, room: Room, grade: Grade
) -> None:
    monkeypatch.setattr(machine, "room_on", lambda _: lambda: room)
    assert worst(machine.room(settings)).grade is grade


def test_a_disk_that_cannot_be_asked_is_wrong(settings: Settings) -> None:
    (found,) = machine.room(settings.model_copy(update={"data": settings.data / "gone"}))
    assert found.grade is Grade.WRONG
    assert "mounted" in found.do


def test_a_data_folder_that_others_may_read_is_wrong_and_names_the_file(settings: Settings) -> None:
    assert worst(machine.folder(settings.data)).grade is Grade.GOOD
    (settings.data / "keys").mkdir()
    key = settings.data / "keys" / "seal.key"
    key.touch(mode=0o600)
    key.chmod(0o640)
    (found,) = machine.folder(settings.data)
    assert found.grade is Grade.WRONG
    assert found.do.startswith(f"chmod 0600 {key};")
    settings.data.chmod(0o755)
    assert f"chmod 0700 {settings.data};" in next(machine.folder(settings.data)).do
    settings.data.chmod(0o700)


def test_a_folder_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    (found,) = machine.folder(tmp_path / "none")
    assert found.grade is Grade.WRONG


def test_a_lock_without_a_holder_is_in_nobodys_way(settings: Settings) -> None:
    (none,) = machine.running(settings.data)
    assert "lock" not in none.says
    lock = os.open(settings.data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    (left,) = machine.running(settings.data)
    assert left.grade is Grade.WRONG
    assert "left behind, and in nobody's way" in left.says
    fcntl.flock(lock, fcntl.LOCK_EX)
    (held,) = machine.running(settings.data)
    assert held.grade is Grade.GOOD
    os.close(lock)


def test_looking_at_the_lock_leaves_it_free(settings: Settings) -> None:
    lock = os.open(settings.data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    assert not machine.is_held(settings.data / LOCK)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_a_restore_that_was_not_finished_is_wrong(settings: Settings) -> None:
    (settings.data / f"{DATABASE}{UNFINISHED}").touch()
    assert [one.check for one in machine.running(settings.data)] == ["restore", "gateway"]


def test_keys_that_no_start_has_made_yet_are_nobodys_fault(settings: Settings) -> None:
    (found,) = keys.seal(settings, NOW)
    assert found.grade is Grade.GOOD
    assert not (settings.data / "keys").exists()


@pytest.mark.parametrize(
    ("days_left", "grade"), [(31, Grade.GOOD), (30, Grade.LOOK), (1, Grade.LOOK), (-1, Grade.WRONG)]
)
def test_a_certificate_is_spoken_of_thirty_days_before_its_end(
    settings: Settings, days_left: int, grade: Grade
) -> None:
    ring = load_or_make(settings.data, development=True, now=NOW)
    then = ring.chain[0].not_valid_after_utc - timedelta(days=days_left)
    (found,) = keys.seal(settings, then)
    assert found.grade is grade


def test_a_key_that_others_may_read_is_wrong(settings: Settings) -> None:
    load_or_make(settings.data, development=True, now=NOW)
    (settings.data / "keys" / "seal.key").chmod(0o644)
    (found,) = keys.seal(settings, NOW)
    assert found.grade is Grade.WRONG
    assert "0600" in found.says


def test_the_certificates_of_the_mllp_door_are_looked_at(settings: Settings, tmp_path: Path) -> None:
    assert list(keys.doors(settings, NOW)) == []
    ring = load_or_make(settings.data, development=True, now=NOW)
    file = tmp_path / "mllp.pem"
    file.write_bytes(ring.chain[0].public_bytes(Encoding.PEM))
    stated = settings.model_copy(update={"mllp_certificate": file, "mllp_client_authorities": tmp_path / "none.pem"})
    theirs, clients = keys.doors(stated, NOW)
    assert (theirs.check, theirs.grade) == ("MLLP certificate", Grade.GOOD)
    assert (clients.check, clients.grade) == ("MLLP clients", Grade.WRONG)
    file.write_text("not a certificate")
    assert next(keys.doors(stated, NOW)).grade is Grade.WRONG


def test_of_several_certificates_the_first_to_end_counts(settings: Settings) -> None:
    ring = load_or_make(settings.data, development=True, now=NOW)
    both: tuple[x509.Certificate, ...] = (*ring.anchors, *ring.chain)
    assert f"{ring.chain[0].not_valid_after_utc:%d %b %Y}" in keys.ending("seal key", both, NOW).says


@pytest.mark.parametrize(
    ("last", "grade"),
    [
        (None, Grade.GOOD),
        (NOW - timedelta(days=400), Grade.GOOD),
        (NOW + timedelta(minutes=5), Grade.GOOD),
        (NOW + timedelta(minutes=5, seconds=1), Grade.WRONG),
    ],
)
def test_a_clock_that_went_back_is_wrong(last: datetime | None, grade: Grade) -> None:
    assert stored.clock(last, NOW).grade is grade


@pytest.mark.parametrize(
    ("last", "grade"),
    [(NOW, Grade.GOOD), (NOW - timedelta(seconds=61), Grade.WRONG), (None, Grade.WRONG)],
)
def test_a_watch_that_has_stopped_is_wrong(last: datetime | None, grade: Grade) -> None:
    assert stored.watch(last, NOW, 60.0).grade is grade


Ago = Callable[[float], Backlog]


def ago(minutes: float) -> Backlog:
    return Backlog(count=3, since=NOW - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("due", "leased", "grade"),
    [
        (NONE, NONE, Grade.GOOD),
        (ago(15), NONE, Grade.GOOD),
        (ago(15.1), NONE, Grade.WRONG),
        (NONE, ago(5), Grade.GOOD),
        (NONE, ago(5.1), Grade.WRONG),
    ],
)
def test_work_that_waits_too_long_is_wrong(due: Backlog, leased: Backlog, grade: Grade) -> None:
    assert worst(stored.work(due, leased, NOW)).grade is grade


def test_more_than_are_counted_are_said_to_be_more() -> None:
    (one,) = stored.work(Backlog(count=1, since=NOW), NONE, NOW)
    assert one.says == "1 message waits, the oldest for 0 s"
    (many,) = stored.work(Backlog(count=1000, since=NOW), NONE, NOW)
    assert many.says.startswith("1000 or more messages wait")


def pause(kind: str) -> Checkup:
    held = PauseView(destination=OdsCode("VNE51"), kind=kind, begun_at=NOW, begun_by="anna", reason="moving")
    return replace(WELL, pauses=(held,))


def test_a_pause_by_a_person_is_for_working_hours_and_one_after_a_restore_is_for_now() -> None:
    (by_person,) = stored.paused(pause(BY_OPERATOR))
    assert (by_person.grade, "gateway destination resume VNE51" in by_person.do) == (Grade.LOOK, True)
    (restored,) = stored.paused(pause("after restore"))
    assert (restored.grade, "restored.md" in restored.do) == (Grade.WRONG, True)


def test_alerts_of_the_night_come_first_and_are_wrong() -> None:
    older = OpenAlerts(kind="renewal-requested", count=4, oldest=NOW - timedelta(days=9))
    newer = OpenAlerts(kind="safety-incident", count=1, oldest=NOW - timedelta(minutes=2))
    first, second = stored.alerts((older, newer), NOW)
    assert (first.grade, second.grade) == (Grade.WRONG, Grade.LOOK)
    assert first.says.startswith("1 safety-incident, the oldest for 2 min:")
    assert second.do.endswith("See docs/runbooks/renewal-requested.md.")


@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_kind_of_alert_can_be_spoken_of(kind: str) -> None:
    (found,) = stored.alerts((OpenAlerts(kind=kind, count=1, oldest=NOW),), NOW)
    assert ALERT_KINDS[kind].do in found.do


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_an_age_is_told_in_its_two_largest_units(span: timedelta, words: str) -> None:
    assert stored.age(span) == words


def test_the_newest_backup_counts_and_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert stored.backups(None, NOW).grade is Grade.GOOD
    assert stored.backups(tmp_path / "none", NOW).grade is Grade.WRONG
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{}")
    (tmp_path / "a-file").touch()
    assert "none that can be read" in stored.backups(tmp_path, NOW).says


def test_a_configuration_that_cannot_be_read_lists_every_fault(settings: Settings, tmp_path: Path) -> None:
    empty = tmp_path / "configuration"
    empty.mkdir()
    configuration, found = configured.read(settings.model_copy(update={"config": empty}))
    assert configuration is None
    assert found
    assert all(one.grade is Grade.WRONG for one in found)


def test_tables_that_are_too_old_are_for_working_hours(settings: Settings) -> None:
    configuration, _ = configured.read(settings)
    assert configuration is not None
    (now,) = configured.configured(settings, configuration, NOW)
    assert now.grade is Grade.GOOD
    found = list(configured.configured(settings, configuration, NOW + timedelta(days=40 * 365)))
    assert {one.grade for one in found} == {Grade.LOOK}
    assert any("calendar-ends.md" in one.do for one in found)


def test_a_start_waits_out_somebody_who_only_looks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = os.open(settings.data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(looking))
    os.close(claim_data_folder(settings.data))
