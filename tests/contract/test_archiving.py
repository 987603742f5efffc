"""Archives of every engine: what may go goes whole, what must stay stays, and a stop at any step loses nothing."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import pytest

from gateway.destination import Taken
from gateway.domain.acts import Act
from gateway.domain.books import Side, london_day
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.reconciliation import DifferenceKind
from gateway.domain.retention import Retention, RetentionTerm
from gateway.domain.submission import OrderNumber, Outcome
from gateway.pipeline.changes import is_under
from gateway.ports.callback import Effectiveness
from gateway.store.postgres.live import LiveDatabase
from gateway.store.postgres.store import elsewhere
from gateway.store.sql import archiving as statements
from gateway.store.sql.archiving import LiveStore
from gateway.store.sqlite import archive_file, archiving
from gateway.store.sqlite.archive_file import FILE, FOLDER
from gateway.store.sqlite.archiving import Archived, Asked
from gateway.store.sqlite.backup import DATABASE, faults_of
from gateway.store.sqlite.connection import open_reader, open_writer
from gateway.store.sqlite.live import LiveFile
from tests.contract.store_engines import (
    PROVIDER,
    REFUSED,
    TRUST,
    Clock,
    Exchange,
    ask_to_cancel,
    make_acceptance,
    make_incomplete,
    make_order,
    make_prescription,
    open_sqlite,
    stored_answer,
)
from tests.contract.test_restoring import PROVIDERS, Disaster, held
from tests.factories import MOMENT
from tests.postgres import database

YEARS_ON = MOMENT + timedelta(days=3 * 365)
TERM = RetentionTerm(
    since=date(2026, 1, 1), trust=None, archive_after_days=400, keep_years=8, keep_until_age=25, decided_by="a test"
)


def live(folder: Path) -> LiveStore:
    """Give the store of a test's folder: a file that is in it, or the database that bears its name."""
    return LiveFile(folder) if (folder / DATABASE).is_file() else LiveDatabase(database(folder))


def asked(folder: Path, **change: Any) -> Asked:
    run = Asked(
        store=live(folder), data=folder, retention=Retention(terms=(TERM,)), now=YEARS_ON, by="j.smith", version="1"
    )
    return replace(run, **change)


def archive(run: Asked) -> Archived:
    return elsewhere(lambda: archiving.archive(run))


def survey(run: Asked) -> Archived:
    return elsewhere(lambda: archiving.survey(run))


def make(run: Asked) -> Archived:
    """Write an archive, and stop before anything leaves the store."""
    return elsewhere(lambda: archiving._make(run))


async def closed(exchange: Exchange, name: str, *, delivered: bool = False, assigner: str = "") -> Prescription:
    """Send a prescription and have it end: delivered in full, or rejected and closed by a person."""
    what = make_prescription(name, lines=2, total=1)
    if assigner:
        what = replace(what, lines=tuple(replace(line, order_assigner=assigner) for line in what.lines))
    await exchange.store.accept(make_acceptance(name, make_order(what), later=b"MSA|AA|later"))
    claim = await exchange.send()
    now = exchange.clock.now()
    await exchange.store.record(claim, Taken(evidence=b"202"), now=now, retry_at=None)
    if delivered:
        await exchange.answer(claim.message_id, LineEvent.ACCEPTED)
        exchange.clock.move(hours=1)
        await exchange.answer(claim.message_id, LineEvent.LAST_DELIVERED)
        exchange.clock.move(days=31)
        await exchange.store.turn_clock(now=exchange.clock.now())
    else:
        await exchange.answer(claim.message_id, LineEvent.REJECTED, reason="no stock")
        act = Act(prescription_id=what.id, by="j.smith", reason="Supplied elsewhere.", now=now)
        await exchange.store.close_lines(act)
    return what


async def drain(exchange: Exchange) -> None:
    """Tell the trust everything that it wants to be told, and close every alert."""
    while claims := await exchange.claim(TRUST, room=50):
        for claim in claims:
            assert await exchange.store.on_wire(claim, now=exchange.clock.now())
            await exchange.store.record(claim, Taken(evidence=b"AA"), now=exchange.clock.now(), retry_at=None)
    for alert in await exchange.enquiries.open_alerts(tenant=None, limit=1000):
        await exchange.store.close_alert(alert.id, by="j.smith", reason="seen", now=exchange.clock.now())


async def fill(exchange: Exchange) -> dict[str, Prescription]:
    """Give a store with prescriptions in many states: two are closed, and the newest keeps the newest numbers."""
    found = {"closed": await closed(exchange, "A"), "delivered": await closed(exchange, "B", delivered=True)}
    found["alerted"] = await closed(exchange, "ALERT")
    for name, state in (("ready", LineState.READY), ("held", LineState.HELD)):
        found[name] = make_prescription(name.upper())
        await exchange.store.accept(make_acceptance(name, make_order(found[name], state=state)))
    await exchange.store.accept(make_acceptance("INC", make_incomplete("INC")))
    await drain(exchange)
    await exchange.store.open_alert(
        kind="safety-incident", subject="x", line_id=found["alerted"].lines[0].id, now=exchange.clock.now(), text="?"
    )
    found["newest"] = make_prescription("NEWEST")
    await exchange.store.accept(make_acceptance("NEWEST", make_order(found["newest"])))
    await exchange.store.open_alert(
        kind="overdue", subject="n", line_id=found["newest"].lines[0].id, now=exchange.clock.now(), text="?"
    )
    return found


def store_of(exchange: Exchange) -> dict[str, int]:
    tables = [*statements.OWN, "submission", "callback", "audit_leaf", "archived_prescription", "archived_line"]
    return {table: exchange.opened.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608


def refuse_faults(exchange: Exchange, folder: Path) -> None:
    """Whole pages and references: of a file; a server sees to its own."""
    if (folder / DATABASE).is_file():
        with closing(open_reader(folder / DATABASE)) as reader:
            assert faults_of(reader) == []
    assert exchange.opened.rows("SELECT count(*) FROM archive WHERE finished_at IS NULL") == [(0,)]


async def test_what_is_closed_goes_and_everything_else_stays(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    before, books = store_of(exchange), await exchange.enquiries.books()
    looked = survey(asked(tmp_path))
    done = archive(asked(tmp_path))
    assert (looked.chosen, done.chosen, done.let_go, done.changed) == (2, 2, 2, 0)
    assert looked.stays == {"not closed": 4, "an alert is open": 1}
    for name, what in found.items():
        gone = name in {"closed", "delivered"}
        assert (await exchange.enquiries.prescription(what.id, tenant=None) is None) is gone, name
    after = store_of(exchange)
    assert after["prescription"] == before["prescription"] - 2
    assert after["submission"] == before["submission"]
    assert after["audit_leaf"] == before["audit_leaf"] + 2
    assert await exchange.enquiries.books() == books
    ledger = await exchange.enquiries.ledger(day=None, now=exchange.clock.now())
    assert [fault for fault in ledger.faults if not fault.what.startswith("overdue")] == []
    refuse_faults(exchange, tmp_path)


async def test_an_archive_holds_every_row_and_answers_the_same_questions(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    view = await exchange.enquiries.prescription(found["delivered"].id, tenant=None)
    done = archive(asked(tmp_path))
    assert done.manifest is not None
    folder = tmp_path / FOLDER / done.manifest.name
    assert archive_file.verify(folder) == done.manifest
    assert done.manifest.keep_until == "2034-11-05"
    with archive_file.readable(folder / FILE, now=YEARS_ON) as reader:
        assert statements.viewed(reader, found["delivered"].id) == view
        (one,) = statements.sought(reader, nhs_number="", order_number=found["closed"].lines[0].order_number)
        assert one.prescription_id == found["closed"].id


async def test_the_lists_of_a_day_and_the_books_are_the_same_before_and_after(
    exchange: Exchange, tmp_path: Path
) -> None:
    found = await fill(exchange)
    names = [str(line.id) for what in found.values() for line in what.lines]

    async def looked() -> tuple[object, ...]:
        day = london_day(MOMENT)
        ledger = await exchange.enquiries.ledger(day=None, now=exchange.clock.now())
        return (
            await exchange.enquiries.listed(PROVIDER, side=Side.PROVIDER, day=day),
            await exchange.enquiries.listed_as(PROVIDER, side=Side.PROVIDER, names=names),
            [one for one in ledger.accounts if one.side is Side.PROVIDER],
        )

    before = await looked()
    assert archive(asked(tmp_path)).let_go == 2
    assert await looked() == before


async def test_a_number_that_is_archived_is_still_of_the_system_that_gave_it(
    exchange: Exchange, tmp_path: Path
) -> None:
    number = (await closed(exchange, "A", assigner="EPR1")).lines[0].order_number
    await drain(exchange)
    newest, now = make_prescription("NEWEST"), exchange.clock.now()
    await exchange.store.accept(make_acceptance("NEWEST", make_order(newest)))
    await exchange.store.open_alert(kind="overdue", subject="n", line_id=newest.lines[0].id, now=now, text="?")
    assert archive(asked(tmp_path)).let_go == 1
    (line,) = await exchange.store.known_lines(TRUST, [number])
    assert line.order_assigner == "EPR1"
    for assigner, same in (("EPR1", True), ("", True), ("EPR2", False)):
        assert is_under(line, OrderNumber(trust_number=number, assigner=assigner)) is same


async def test_a_repeat_of_an_archived_submission_gets_the_stored_answer(exchange: Exchange, tmp_path: Path) -> None:
    await fill(exchange)
    first = await stored_answer(exchange.store, TRUST, "MSGA")
    archive(asked(tmp_path))
    (message,) = await exchange.enquiries.own_messages("MSGA", tenant=TRUST)
    assert (message.outcome, message.archived, message.issues) == (Outcome.TRANSLATED, True, ())
    assert await stored_answer(exchange.store, TRUST, "MSGA") == first
    again = await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A", lines=2, total=1))))
    assert again == first
    assert exchange.opened.rows("SELECT length(body) FROM submission WHERE control_id = 'MSGA'") == [(0,)]


async def test_a_provider_that_says_again_what_is_archived_repeats_itself(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    said = "SELECT callback.answer_id, callback.correlation FROM callback JOIN event ON event.callback = callback.id"
    of_line = f"{said} JOIN line ON line.id = event.line WHERE line.uuid = ? AND event.event = 'rejected'"
    ((name, correlation),) = exchange.opened.rows(of_line, (found["closed"].lines[0].id.bytes,))
    archive(asked(tmp_path))
    assert isinstance(correlation, bytes)
    alerts, about = await exchange.alert_kinds(), UUID(bytes=correlation)
    again = await exchange.answer(about, LineEvent.REJECTED, id=str(name), reason="no stock")
    assert again.effect is Effectiveness.REPEAT
    assert await exchange.alert_kinds() == alerts
    other = await exchange.answer(about, LineEvent.ACCEPTED, id=str(name))
    assert other.effect is Effectiveness.KEPT
    assert "answer-id-reused" not in await exchange.alert_kinds()


async def test_a_trust_still_learns_how_an_archived_line_ended(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    archive(asked(tmp_path))
    line = found["delivered"].lines[0]
    for known in (
        await exchange.store.known_lines(TRUST, [line.order_number]),
        await exchange.store.known_lines(TRUST, [], items=[line.id]),
    ):
        assert [(one.line_id, one.state, one.destination) for one in known] == [(line.id, LineState.CLOSED, PROVIDER)]
    assert len(await exchange.store.known_lines(TRUST, [], prescriptions=[found["delivered"].id])) == 2


@pytest.mark.parametrize("of_patient", [True, False])
async def test_a_legal_hold_keeps_a_record_until_it_is_lifted(
    exchange: Exchange, tmp_path: Path, *, of_patient: bool
) -> None:
    found = await fill(exchange)
    what = found["closed"]
    of = {"nhs_number": str(what.patient.nhs_number)} if of_patient else {"prescription": what.id}
    number = await exchange.store.place_legal_hold(by="j.smith", reason="A claim.", now=MOMENT, **of)
    assert number is not None
    assert await exchange.store.place_legal_hold(by="j.smith", reason="Once more.", now=MOMENT, **of) is None
    done = archive(asked(tmp_path))
    assert done.let_go == (0 if of_patient else 1)
    assert await exchange.enquiries.prescription(what.id, tenant=None) is not None
    (held,) = await exchange.enquiries.legal_holds()
    assert (held.number, held.placed_by) == (number, "j.smith")
    assert await exchange.store.lift_legal_hold(number, by="a.jones", reason="Settled.", now=MOMENT)
    assert not await exchange.store.lift_legal_hold(number, by="a.jones", reason="Settled.", now=MOMENT)
    assert archive(asked(tmp_path, now=YEARS_ON + timedelta(hours=1))).let_go == (2 if of_patient else 1)
    assert await exchange.enquiries.prescription(what.id, tenant=None) is None


async def test_a_legal_hold_that_comes_between_the_two_steps_is_honoured(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    made = make(asked(tmp_path))
    assert made.manifest is not None
    await exchange.store.place_legal_hold(prescription=found["closed"].id, by="j.smith", reason="A claim.", now=MOMENT)
    done = archive(asked(tmp_path, now=YEARS_ON + timedelta(hours=1)))
    assert (done.let_go, done.changed) == (1, 1)
    assert await exchange.enquiries.prescription(found["closed"].id, tenant=None) is not None


@pytest.mark.parametrize(
    "step",
    [
        "archive_file.write",
        "archive_file.publish",
        "archive_file.verify",
        "archiving._let_some_go",
        "archiving._register",
        "statements.let_go",
        "archiving._finish",
    ],
)
@pytest.mark.parametrize("after", [False, True])
async def test_a_run_that_stops_at_any_step_leaves_both_or_the_archive_alone(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool
) -> None:
    found = await fill(exchange)
    books = await exchange.enquiries.books()
    module, name = step.split(".")
    place = {"archive_file": archive_file, "archiving": archiving, "statements": statements}[module]
    stop_at(monkeypatch, place, name, after=after)
    with pytest.raises((StoppedError, Unavailable)):
        archive(asked(tmp_path))
    monkeypatch.undo()
    for what in (found["closed"], found["delivered"]):
        assert await kept_somewhere(exchange, tmp_path, what)
    assert await exchange.enquiries.books() == books
    archive(asked(tmp_path, now=YEARS_ON + timedelta(hours=1)))
    for what in (found["closed"], found["delivered"]):
        assert await exchange.enquiries.prescription(what.id, tenant=None) is None
        assert await kept_somewhere(exchange, tmp_path, what)
    assert await exchange.enquiries.books() == books
    refuse_faults(exchange, tmp_path)


class StoppedError(BaseException):
    """The process ends here."""


def stop_at(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, *, after: bool) -> None:
    whole: Callable[..., object] = getattr(place, name)

    def stopping(*given: Any, **named: Any) -> object:
        if after:
            whole(*given, **named)
        raise StoppedError

    monkeypatch.setattr(place, name, stopping)


async def kept_somewhere(exchange: Exchange, folder: Path, what: Prescription) -> bool:
    if await exchange.enquiries.prescription(what.id, tenant=None) is not None:
        return True
    for one in archive_file.archives(folder):
        archive_file.verify(one)
        with archive_file.readable(one / FILE, now=YEARS_ON) as reader:
            if statements.viewed(reader, what.id) is not None:
                return True
    return False


async def test_a_store_without_room_is_an_outage_and_the_next_run_goes_on(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await fill(exchange)

    def full(*_: object) -> None:
        raise apsw.FullError

    monkeypatch.setattr(statements, "let_go", full)
    with pytest.raises(Unavailable, match="the next run goes on"):
        archive(asked(tmp_path))
    monkeypatch.undo()
    assert await exchange.enquiries.prescription(found["closed"].id, tenant=None) is not None
    assert archive(asked(tmp_path, now=YEARS_ON + timedelta(hours=1))).let_go == 2


async def test_the_newest_allocation_stays_for_its_number_would_be_given_again(
    exchange: Exchange, tmp_path: Path
) -> None:
    earlier = make_prescription("B")
    await exchange.store.accept(make_acceptance("B", make_order(earlier)))
    await exchange.answer(await exchange.deliver(), LineEvent.ACCEPTED)
    await closed(exchange, "A")
    await drain(exchange)
    await ask_to_cancel(exchange, earlier, "K")
    await exchange.store.accept(make_acceptance("H", make_order(make_prescription("H"), state=LineState.HELD)))
    await exchange.store.open_alert(kind="last", subject="l", line_id=None, now=YEARS_ON, text="The newest.")
    assert survey(asked(tmp_path)).stays == {"not closed": 2, "among the newest rows": 1}


async def test_what_changed_after_it_was_copied_stays(exchange: Exchange, tmp_path: Path) -> None:
    found = await fill(exchange)
    made = make(asked(tmp_path))
    assert made.manifest is not None
    line = found["closed"].lines[0].id
    await exchange.store.open_alert(kind="late", subject="l", line_id=line, now=YEARS_ON, text="A late word.")
    for alert in await exchange.enquiries.open_alerts(tenant=None, limit=100):
        if alert.kind == "late":
            await exchange.store.close_alert(alert.id, by="j.smith", reason="seen", now=YEARS_ON)
    await exchange.store.open_alert(kind="last", subject="l", line_id=None, now=YEARS_ON, text="The newest.")
    done = archive(asked(tmp_path, now=YEARS_ON + timedelta(hours=1)))
    assert (done.let_go, done.changed) == (1, 1)
    assert await exchange.enquiries.prescription(found["closed"].id, tenant=None) is not None


async def test_nothing_leaves_the_store_when_an_archive_was_damaged(exchange: Exchange, tmp_path: Path) -> None:
    await fill(exchange)
    made = make(asked(tmp_path))
    assert made.manifest is not None
    file = tmp_path / FOLDER / made.manifest.name / FILE
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2] ^= 1
    file.write_bytes(octets)
    before = store_of(exchange)
    with pytest.raises(ConfigurationError, match="not the file that the manifest describes"):
        archive(asked(tmp_path))
    assert store_of(exchange) == before


async def test_an_archive_that_was_begun_and_taken_away_stops_the_next_run(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(exchange)
    stop_at(monkeypatch, archiving, "_finish", after=False)
    with pytest.raises(StoppedError):
        archive(asked(tmp_path))
    monkeypatch.undo()
    shutil.move(tmp_path / FOLDER, tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="was begun and is not in"):
        archive(asked(tmp_path))


async def test_young_records_stay_and_before_narrows_the_term(exchange: Exchange, tmp_path: Path) -> None:
    await fill(exchange)
    soon = exchange.clock.now() + timedelta(days=399)
    assert survey(asked(tmp_path, now=soon)).chosen == 1
    assert survey(asked(tmp_path, before=MOMENT + timedelta(days=1))).chosen == 1
    assert survey(asked(tmp_path, before=MOMENT - timedelta(days=1))).chosen == 0
    assert survey(asked(tmp_path, most=1)).chosen == 2
    assert archive(asked(tmp_path, most=1)).let_go == 1
    assert archive(asked(tmp_path, most=1, now=YEARS_ON + timedelta(hours=1))).let_go == 1


async def test_a_data_folder_may_bear_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "100%41 of #1? & more"
    folder.mkdir()
    clock = Clock()
    opened = open_sqlite(folder, clock)
    found = await fill(Exchange(opened, clock))
    await opened.close()
    assert archive(asked(folder)).let_go == 2
    (one,) = archive_file.archives(folder)
    with archive_file.readable(one / FILE, now=YEARS_ON) as reader:
        assert statements.viewed(reader, found["closed"].id) is not None


async def test_a_second_archive_names_the_one_before_it(exchange: Exchange, tmp_path: Path) -> None:
    await fill(exchange)
    first = archive(asked(tmp_path, most=1)).manifest
    second = archive(asked(tmp_path, most=1, now=YEARS_ON + timedelta(hours=1))).manifest
    assert first is not None
    assert second is not None
    assert (first.previous, second.previous) == ("", first.sha256)


async def test_a_clock_that_went_back_makes_no_archive_that_would_look_lost(exchange: Exchange, tmp_path: Path) -> None:
    await fill(exchange)
    archive(asked(tmp_path, most=1))
    before = store_of(exchange)
    with pytest.raises(Unavailable, match="the clock is not after archive"):
        archive(asked(tmp_path, most=1, now=YEARS_ON - timedelta(hours=1)))
    assert store_of(exchange) == before
    assert len(archive_file.archives(tmp_path)) == 1


async def test_a_store_that_was_put_back_from_a_backup_lets_go_of_the_same_again(tmp_path: Path) -> None:
    clock = Clock()
    opened = open_sqlite(tmp_path, clock)
    found = await fill(Exchange(opened, clock))
    await opened.close()
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path, whole, ignore=shutil.ignore_patterns("whole", FOLDER))
    archive(asked(tmp_path))
    shutil.copytree(tmp_path / FOLDER, whole / FOLDER)
    done: Archived = archive(asked(whole, now=YEARS_ON + timedelta(hours=1)))
    assert (done.chosen, done.let_go, done.changed) == (0, 2, 0)
    with closing(open_reader(whole / DATABASE)) as reader:
        assert statements.viewed(reader, found["closed"].id) is None


async def test_nobody_is_asked_to_send_again_what_a_provider_states_of_an_archived_line(tmp_path: Path) -> None:
    disaster = Disaster(tmp_path)
    found = await fill(disaster.exchange)
    archive(asked(disaster.data))
    disaster.back_up()
    await disaster.restore()
    rejected, delivered = found["closed"], found["delivered"]
    stated = (
        held(rejected, LineState.REJECTED),
        held(delivered, LineState.FULFILLED),
        replace(held(rejected), line_id=rejected.lines[1].id),
        replace(held(delivered, LineState.RETURNED), line_id=delivered.lines[1].id),
    )
    assert await disaster.state(*stated) == [
        (DifferenceKind.DIFFERENT, rejected.lines[1].id),
        (DifferenceKind.DIFFERENT, delivered.lines[1].id),
    ]
    assert await disaster.state(held(delivered), provider=PROVIDERS[1]) == [
        (DifferenceKind.ELSEWHERE, delivered.lines[0].id)
    ]
    assert "holding-unknown" not in await disaster.exchange.alert_kinds()
    await disaster.close()


async def test_what_a_provider_stated_as_we_have_it_goes_and_what_it_has_from_elsewhere_stays(tmp_path: Path) -> None:
    disaster = Disaster(tmp_path)
    found = await fill(disaster.exchange)
    disaster.back_up()
    await disaster.restore()
    delivered, rejected = found["delivered"], found["closed"]
    ours = [replace(held(delivered, LineState.FULFILLED), line_id=line.id) for line in delivered.lines]
    assert await disaster.state(*ours, held(rejected, epoch=7)) == [(DifferenceKind.ELSEWHERE, rejected.lines[0].id)]
    for alert in await disaster.alerts():
        if alert.prescription_id == rejected.id:
            await disaster.exchange.store.close_alert(alert.id, by="j.smith", reason="seen", now=MOMENT)
    done = archive(asked(disaster.data))
    assert (done.let_go, done.stays["not closed"]) == (1, 5)
    assert await disaster.exchange.enquiries.prescription(delivered.id, tenant=None) is None
    await disaster.close()


async def test_no_row_is_deleted_by_hand_whatever_the_archive_has(exchange: Exchange) -> None:
    found = await fill(exchange)
    raw = exchange.opened.raw
    for table in (*statements.OWN, "wait", "submission", "callback", "archived_prescription", "legal_hold"):
        if raw.execute(f"SELECT count(*) FROM {table}")[0][0]:  # noqa: S608
            with pytest.raises(REFUSED):
                raw.execute(f"DELETE FROM {table}")  # noqa: S608
    values = ("x", "0" * 64, 0, 0)
    raw.execute("INSERT INTO archive (name, sha256, made_at, keep_until) VALUES (?, ?, ?, ?)", values)
    for name in ("ready", "held", "alerted", "newest"):
        ((row,),) = raw.execute("SELECT id FROM prescription WHERE uuid = ?", (found[name].id.bytes,))
        with pytest.raises(REFUSED, match="this prescription stays"):
            raw.execute(statements._LEAVE.replace(":id", str(row)).replace(":archive", "1"))


def test_an_archive_is_no_store(tmp_path: Path) -> None:
    async def run() -> Archived:
        clock = Clock()
        opened = open_sqlite(tmp_path, clock)
        await fill(Exchange(opened, clock))
        await opened.close()
        return archive(asked(tmp_path))

    manifest = asyncio.run(run()).manifest
    assert manifest is not None
    file = tmp_path / FOLDER / manifest.name / FILE
    with pytest.raises(Unavailable, match="not a gateway database"):
        open_reader(file)
    with pytest.raises(ConfigurationError, match="belongs to another program"):
        open_writer(file)
    assert archive_file.read_manifest(file.parent).prescriptions == 2
