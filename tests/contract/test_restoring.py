"""A backup, a disaster, a restore: nothing is sent twice, and what was lost is named (I22)."""

import asyncio
import gzip
import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from gateway.destination import Taken
from gateway.domain.acts import Expiry
from gateway.domain.cancel import CancelState
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.domain.reconciliation import (
    AFTER_RESTORE,
    TRUST_AFTER_RESTORE,
    DifferenceKind,
    StatedHolding,
    Statement,
    first_epoch,
)
from gateway.enquiries import AlertView
from gateway.pipeline.changes import stands
from gateway.ports.acceptance import Acceptance, CancelRequest, HoldRequest, OvertakenError
from gateway.ports.work import Whereabouts
from gateway.store.sql.restoring import Person
from gateway.store.sqlite.backup import DATABASE, MANIFEST, Manifest, back_up, digest, faults_of, verify
from gateway.store.sqlite.restoring import Restored, restore
from gateway.store.sqlite.schema import schema_in, steps
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    ask_to_cancel,
    make_acceptance,
    make_change,
    make_order,
    make_prescription,
    open_sqlite,
)

OTHER = OdsCode("VN6XW")
PROVIDERS = (PROVIDER, OTHER)
OLD = Path(__file__).parents[1] / "golden/backups/schema-13"


class Disaster:
    """A data folder that is backed up, lost and put back."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        self.backup = folder / "backup"
        self.clock = Clock()
        self.exchange = self.open()

    def open(self) -> Exchange:
        self.exchange = Exchange(open_sqlite(self.data, self.clock), self.clock)
        return self.exchange

    async def close(self) -> None:
        closing = self.exchange.opened.close()
        assert asyncio.iscoroutine(closing)
        await closing

    def back_up(self) -> Manifest:
        return back_up(self.data, self.backup, now=self.clock.now(), version="1")

    async def restore(self) -> Restored:
        await self.close()
        done = restore(self.backup, self.data, providers=PROVIDERS, trusts=(TRUST,), now=self.clock.move(hours=1))
        self.open()
        return done

    async def state(self, *holdings: StatedHolding, provider: OdsCode = PROVIDER) -> list[tuple[DifferenceKind, UUID]]:
        statement = Statement(destination=provider, holdings=holdings, by="a.person", reason="their list")
        done = await self.exchange.store.reconcile(statement, now=self.clock.now())
        assert done is not None
        return [(one.kind, one.line_id) for one in done.differences]

    async def tell(self, *names: str) -> tuple[str, ...] | None:
        store = self.exchange.store
        return await store.trust_told(TRUST, names, by="a.person", reason="their list", now=self.clock.now())

    async def accept(self, name: str, *, provider: OdsCode = PROVIDER) -> Prescription:
        what = make_prescription(name)
        await self.exchange.store.accept(make_acceptance(name, make_order(what, provider=provider)))
        return what

    async def alerts(self) -> tuple[AlertView, ...]:
        return await self.exchange.enquiries.open_alerts(tenant=None, limit=100)

    async def deliver(self) -> UUID:
        return await self.exchange.deliver()


@pytest.fixture
async def disaster(tmp_path: Path) -> Disaster:
    return Disaster(tmp_path)


def held(what: Prescription, state: LineState = LineState.ACCEPTED, *, epoch: int = 1) -> StatedHolding:
    return StatedHolding(line_id=what.lines[0].id, epoch=epoch, state=state, prescription_id=what.id)


async def test_a_backup_of_a_running_store_is_whole_and_says_what_it_is(disaster: Disaster) -> None:
    await disaster.accept("A")
    made = disaster.back_up()
    assert verify(disaster.backup) == made
    assert (made.generation, made.submissions, made.keys) == (1, 1, False)
    assert made.leaves > 0
    with pytest.raises(ConfigurationError, match="never overwritten"):
        disaster.back_up()
    await disaster.close()


async def test_a_backup_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "100%41 of #1? & more"
    folder.mkdir()
    disaster = Disaster(folder)
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    assert await disaster.exchange.states(what) == [LineState.READY]
    await disaster.close()


@pytest.mark.parametrize("damage", ["byte", "leaf", "manifest", "gone"])
async def test_a_damaged_backup_is_not_restored(disaster: Disaster, damage: str) -> None:
    await disaster.accept("A")
    disaster.back_up()
    file, manifest = disaster.backup / DATABASE, disaster.backup / MANIFEST
    said = json.loads(manifest.read_text())
    if damage == "byte":
        octets = bytearray(file.read_bytes())
        octets[len(octets) // 2] ^= 1
        file.write_bytes(octets)
    elif damage == "leaf":
        connection = apsw.Connection(str(file))
        connection.execute("DROP TRIGGER audit_leaf_fixed; UPDATE audit_leaf SET body = x'7b7d' WHERE seq = 1")
        connection.close()
        manifest.write_text(json.dumps({**said, "sha256": digest(file)}))
    elif damage == "manifest":
        manifest.write_text(json.dumps({**said, "leaves": said["leaves"] + 1}))
    else:
        manifest.unlink()
    await disaster.close()
    before = (disaster.data / DATABASE).read_bytes()
    with pytest.raises(ConfigurationError):
        restore(disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now())
    assert (disaster.data / DATABASE).read_bytes() == before


async def test_after_a_restore_nothing_is_sent_before_every_provider_is_reconciled(disaster: Disaster) -> None:
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.deliver()
    done = await disaster.restore()
    assert done.generation == 2
    assert set(done.held) == set(PROVIDERS)
    assert done.aside is not None
    assert (done.aside / DATABASE).is_file()
    exchange = disaster.exchange
    assert await exchange.states(what) == [LineState.READY]
    assert await exchange.claim() == []
    assert await disaster.state(held(what)) == []
    assert await exchange.states(what) == [LineState.WITH_PROVIDER]
    later = await disaster.accept("B")
    assert await exchange.claim() == []  # the other provider has said nothing yet
    assert await disaster.state(provider=OTHER) == []
    assert await exchange.claim() == []  # and the trust has not said what it was told
    assert await disaster.tell("MSGA") == ()
    (claim,) = await exchange.claim()
    assert await exchange.store.on_wire(claim, now=disaster.clock.now())
    assert await exchange.states(later) == [LineState.SENT]
    await disaster.close()


async def test_what_a_provider_does_not_have_is_sent_once_it_is_reconciled(disaster: Disaster) -> None:
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    await disaster.state()
    await disaster.state(provider=OTHER)
    await disaster.tell()
    await disaster.deliver()
    assert await disaster.exchange.states(what) == [LineState.WITH_PROVIDER]
    await disaster.close()


async def test_an_order_that_comes_again_is_not_sent_to_the_provider_that_has_it(disaster: Disaster) -> None:
    disaster.back_up()
    what = await disaster.accept("A")
    await disaster.deliver()
    await disaster.restore()
    assert await disaster.state(held(what)) == [(DifferenceKind.UNKNOWN, what.lines[0].id)]
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA") == ("MSGA",)
    await disaster.accept("A")
    assert await disaster.tell("MSGA") == ()
    assert await disaster.exchange.states(what) == [LineState.WITH_PROVIDER]
    assert "holding-unknown" in await disaster.exchange.alert_kinds()
    assert await disaster.exchange.claim() == []
    await disaster.close()


async def resent(disaster: Disaster) -> tuple[Prescription, UUID, datetime]:
    """Send an order, forget it, and send it again to the same provider, which states that it has nothing.

    Returns:
        The order, its message, and a moment of the life that was lost.
    """
    disaster.back_up()
    what = await disaster.accept("A")
    message = (await disaster.exchange.send()).message_id
    before = disaster.clock.move(minutes=10)
    await disaster.restore()
    await disaster.state()
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA") == ("MSGA",)
    await disaster.accept("A")
    assert await disaster.tell("MSGA") == ()
    disaster.clock.move(hours=3)
    claim = await disaster.exchange.send()
    assert claim.message_id == message
    await disaster.exchange.store.record(claim, Taken(), now=disaster.clock.now(), retry_at=None)
    assert await disaster.exchange.states(what) == [LineState.WITH_PROVIDER]
    return what, message, before


@pytest.mark.parametrize("event", [LineEvent.REJECTED, LineEvent.RETURNED, LineEvent.ACCEPTED])
@pytest.mark.parametrize("since", [timedelta(), timedelta(hours=2)], ids=["before the restore", "after it"])
async def test_what_a_provider_said_before_it_was_sent_an_order_again_is_not_said_of_what_it_has_now(
    disaster: Disaster, event: LineEvent, since: timedelta
) -> None:
    what, message, before = await resent(disaster)
    disaster.clock.move(hours=1)
    await disaster.exchange.answer(message, event, given=before + since)
    assert await disaster.exchange.states(what) == [LineState.WITH_PROVIDER]
    (alert,) = [one for one in await disaster.alerts() if one.kind == "answer-unbound"]
    assert "of an earlier life" in alert.text
    await disaster.exchange.answer(message, event)
    assert await disaster.exchange.states(what) != [LineState.WITH_PROVIDER]
    await disaster.close()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (LineState.REJECTED, LineState.SENT),
        (LineState.CANCELLED, LineState.UNCERTAIN),
        (LineState.RETURNED, LineState.UNCERTAIN),
        (LineState.EXPIRED, LineState.UNCERTAIN),
    ],
)
async def test_what_a_provider_gave_up_after_it_had_accepted_it_is_sent_again_by_a_person_alone(
    disaster: Disaster, stated: LineState, expected: LineState
) -> None:
    """Some of it may have been supplied before it was given up: sent again whole, that would be supplied twice."""
    disaster.back_up()
    what = await disaster.accept("A")
    await disaster.deliver()
    await disaster.restore()
    await disaster.state(held(what, stated))
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA") == ("MSGA",)
    await disaster.accept("A")
    assert await disaster.tell("MSGA") == ()
    store, now = disaster.exchange.store, disaster.clock.move(hours=3)
    for claim in await store.claim(worker="w", now=now, lease_seconds=60, room={PROVIDER: 9}):
        assert await store.on_wire(claim, now=now) is (expected is LineState.SENT)
    assert await disaster.exchange.states(what) == [expected]
    if expected is LineState.UNCERTAIN:
        found = await store.resolve_doubt(
            what.id, found=Whereabouts.NEVER_ARRIVED, evidence="Nothing was supplied.", by="a", now=now, tenant=TRUST
        )
        assert found
        now = disaster.clock.move(minutes=5)
        (claim,) = await store.claim(worker="w", now=now, lease_seconds=60, room={PROVIDER: 9})
        assert await store.on_wire(claim, now=now)
    await disaster.close()


async def test_after_a_restore_a_line_is_not_given_up_by_an_answer_of_no_known_time(disaster: Disaster) -> None:
    what, message, _ = await resent(disaster)
    await disaster.exchange.answer(message, LineEvent.REJECTED, timeless=True)
    assert await disaster.exchange.states(what) == [LineState.WITH_PROVIDER]
    assert "answer-unbound" in await disaster.exchange.alert_kinds()
    await disaster.exchange.answer(message, LineEvent.ACCEPTED, timeless=True)
    assert await disaster.exchange.states(what) == [LineState.ACCEPTED]
    await disaster.close()


async def test_a_supply_is_never_set_apart_for_when_it_was_told(disaster: Disaster) -> None:
    what, message, before = await resent(disaster)
    await disaster.exchange.answer(message, LineEvent.DISPENSED, given=before)
    assert await disaster.exchange.states(what) == [LineState.IN_SUPPLY]
    await disaster.close()


async def test_a_cancel_that_was_confirmed_in_the_lost_time_is_confirmed_once_it_is_asked_and_answered_anew(
    disaster: Disaster,
) -> None:
    what = await disaster.accept("A")
    message = await disaster.deliver()
    await disaster.exchange.answer(message, LineEvent.ACCEPTED)
    disaster.back_up()
    lost = await ask_to_cancel(disaster.exchange, what, "K")
    assert await disaster.deliver() == lost
    await disaster.exchange.answer(lost, LineEvent.CANCEL_CONFIRMED)
    assert await disaster.exchange.states(what) == [LineState.CANCELLED]
    before = disaster.clock.move(minutes=10)
    await disaster.restore()
    await disaster.state(held(what, LineState.CANCELLED))
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA", "MSGK") == ("MSGK",)
    again = await ask_to_cancel(disaster.exchange, what, "K")
    assert await disaster.tell("MSGA", "MSGK") == ()
    assert await disaster.deliver() == again
    assert again != lost, "its holder would take it for a repeat, and say nothing"
    await disaster.exchange.answer(lost, LineEvent.CANCEL_CONFIRMED, given=before)
    assert await disaster.exchange.states(what) == [LineState.ACCEPTED], "no answer means not cancelled"
    disaster.clock.move(minutes=10)
    await disaster.exchange.answer(again, LineEvent.CANCEL_CONFIRMED)
    assert await disaster.exchange.states(what) == [LineState.CANCELLED]
    await disaster.close()


@pytest.mark.parametrize("event", [LineEvent.DISPENSED, LineEvent.DELIVERED])
async def test_what_a_provider_says_that_it_supplied_is_not_sent_to_it_again(
    disaster: Disaster, event: LineEvent
) -> None:
    disaster.back_up()
    what = await disaster.accept("A")
    message = (await disaster.exchange.send()).message_id
    before = disaster.clock.move(minutes=10)
    await disaster.restore()
    await disaster.state()  # it gave up what was left of it, and so it states nothing
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA") == ("MSGA",)
    await disaster.accept("A")
    await disaster.exchange.answer(message, event, given=before)
    assert await disaster.tell("MSGA") == ()
    assert await disaster.exchange.states(what) == [LineState.IN_SUPPLY]
    assert await disaster.exchange.claim() == []
    assert "acceptance-missing" in await disaster.exchange.alert_kinds()
    await disaster.close()


async def test_what_was_lost_is_asked_for_though_another_message_bears_its_control_id_now(disaster: Disaster) -> None:
    disaster.back_up()
    lost = make_acceptance("L", control_id="MSG7")
    await disaster.exchange.store.accept(lost)
    await disaster.restore()
    await disaster.state()
    await disaster.state(provider=OTHER)
    new = make_acceptance("N", control_id="MSG7")  # a counter that began anew
    await disaster.exchange.store.accept(new)
    both = {"MSG7": [new.submission.digest, lost.submission.digest]}  # as its log has them
    tell = partial(disaster.exchange.store.trust_told, TRUST, by="a.person", reason="list", now=disaster.clock.now())
    assert await tell(["MSG7"], digests=both) == ("MSG7",)
    ((text,),) = [[one.text] for one in await disaster.alerts() if one.kind == "message-lost"]
    assert "under a new control id" in text
    assert await disaster.exchange.claim() == []
    again = make_acceptance("L", control_id="MSG8")
    await disaster.exchange.store.accept(again)
    since = {"MSG7": [new.submission.digest], "MSG8": [again.submission.digest.upper()]}
    assert await tell(["MSG7", "MSG8"], digests=since) == ()
    assert len(await disaster.exchange.claim()) == 2
    await disaster.close()


async def test_an_order_that_another_provider_has_waits_for_that_provider_to_give_it_up(disaster: Disaster) -> None:
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    await disaster.state()
    found = await disaster.state(held(what, epoch=2), provider=OTHER)
    assert found == [(DifferenceKind.ELSEWHERE, what.lines[0].id)]
    await disaster.tell()
    (claim,) = await disaster.exchange.claim()
    store, now = disaster.exchange.store, disaster.clock.now()
    assert not await store.on_wire(claim, now=now)
    assert await disaster.exchange.claim() == []
    line = what.lines[0].id
    assert not await store.end_stated(line, provider=PROVIDER, by="a.person", reason="no", now=now)
    assert await store.end_stated(line, provider=OTHER, by="a.person", reason="rung, given up", now=now)
    assert len(await disaster.exchange.claim()) == 1
    await disaster.close()


async def stated_by_another(disaster: Disaster) -> Prescription:
    """Give an order in the queue which, after a restore, another provider says it has."""
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    await disaster.state()
    await disaster.state(held(what, epoch=2), provider=OTHER)
    await disaster.tell()
    (claim,) = await disaster.exchange.claim()
    assert not await disaster.exchange.store.on_wire(claim, now=disaster.clock.now())
    return what


def a_cancel(what: Prescription, state: CancelState, *, elsewhere: bool) -> Acceptance:
    seen = LineState.READY
    request = CancelRequest(line_id=what.lines[0].id, seen=seen, state=state, elsewhere=elsewhere)
    return replace(make_acceptance("C"), orders=(), cancels=(request,))


async def test_a_line_that_another_provider_has_is_not_cancelled_here(disaster: Disaster) -> None:
    what = await stated_by_another(disaster)
    store = disaster.exchange.store
    (known,) = await store.known_lines(TRUST, [what.lines[0].order_number])
    assert (known.elsewhere, stands(known, [known])) == (True, CancelState.ASKED)
    with pytest.raises(OvertakenError):  # an answer that was written before the provider spoke
        await store.accept(a_cancel(what, CancelState.CONFIRMED, elsewhere=False))
    await store.accept(a_cancel(what, CancelState.ASKED, elsewhere=True))
    assert await disaster.exchange.states(what) == [LineState.READY]
    assert "cancel-not-sent" in await disaster.exchange.alert_kinds()  # a person rings, for nobody else can
    await disaster.close()


async def test_its_cancel_is_confirmed_when_that_provider_gives_it_up_and_nothing_is_sent(disaster: Disaster) -> None:
    what = await stated_by_another(disaster)
    store, now = disaster.exchange.store, disaster.clock.now()
    await store.accept(a_cancel(what, CancelState.ASKED, elsewhere=True))
    assert await store.end_stated(what.lines[0].id, provider=OTHER, by="a.person", reason="rung", now=now)
    assert await disaster.exchange.states(what) == [LineState.CANCELLED]
    assert await disaster.exchange.claim() == []
    await disaster.close()


async def test_a_cancel_that_rests_on_the_statement_is_written_anew_when_that_ended(disaster: Disaster) -> None:
    what = await stated_by_another(disaster)
    store, now = disaster.exchange.store, disaster.clock.now()
    await store.end_stated(what.lines[0].id, provider=OTHER, by="a.person", reason="rung", now=now)
    with pytest.raises(OvertakenError):
        await store.accept(a_cancel(what, CancelState.ASKED, elsewhere=True))
    await store.accept(a_cancel(what, CancelState.CONFIRMED, elsewhere=False))
    assert await disaster.exchange.states(what) == [LineState.CANCELLED]
    await disaster.close()


async def test_a_message_of_which_one_line_was_cancelled_meanwhile_is_not_sent_whole(disaster: Disaster) -> None:
    what = make_prescription("A", lines=2)
    await disaster.exchange.store.accept(make_acceptance("A", make_order(what)))
    disaster.back_up()
    await disaster.restore()
    await disaster.state()
    await disaster.state(held(what, epoch=2), provider=OTHER)
    await disaster.tell()
    (claim,) = await disaster.exchange.claim()
    store, now = disaster.exchange.store, disaster.clock.now()
    assert not await store.on_wire(claim, now=now)
    await store.accept(a_cancel(what, CancelState.ASKED, elsewhere=True))
    await store.end_stated(what.lines[0].id, provider=OTHER, by="a.person", reason="rung", now=now)
    assert await disaster.exchange.states(what) == [LineState.CANCELLED, LineState.READY]
    assert await disaster.exchange.claim() == []
    assert "holding-elsewhere" in await disaster.exchange.alert_kinds()
    await disaster.close()


async def test_a_line_that_another_provider_has_is_not_held_here_and_does_not_expire(disaster: Disaster) -> None:
    what = await stated_by_another(disaster)
    store = disaster.exchange.store
    request = HoldRequest(
        line_id=what.lines[0].id,
        kind=HoldKind.HOLD,
        seen=LineState.READY,
        beneath=LineState.READY,
        open_request=None,
        state=HoldState.CONFIRMED,
    )
    with pytest.raises(Unavailable):
        await store.accept(make_change("H", request))
    later = disaster.clock.move(days=400)
    expiry = Expiry(key=1, line_id=what.lines[0].id, seen=LineState.READY)
    assert not await store.expire(expiry, now=later)
    assert await disaster.exchange.states(what) == [LineState.READY]
    await disaster.close()


async def test_without_a_statement_what_was_queued_is_uncertain_and_not_sent(disaster: Disaster) -> None:
    what = await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    store, now = disaster.exchange.store, disaster.clock.now()
    assert await store.answer_for(PROVIDER, by="a.person", reason="they cannot list", now=now) == (what.lines[0].id,)
    assert await store.answer_for(OTHER, by="a.person", reason="never used", now=now) == ()
    assert await store.answer_for(OTHER, by="a.person", reason="never used", now=now) is None
    assert await disaster.exchange.states(what) == [LineState.UNCERTAIN]
    await disaster.accept("B")
    assert await disaster.tell("MSGB") == ()
    assert await disaster.exchange.claim() == []  # it may be one that was lost: a person must find out
    assert await disaster.exchange.claim() == []
    assert "line-uncertain" in await disaster.exchange.alert_kinds()
    await disaster.close()


async def test_what_a_provider_no_longer_has_or_states_otherwise_is_named(disaster: Disaster) -> None:
    gone, other = await disaster.accept("A"), await disaster.accept("B")
    await disaster.deliver()
    await disaster.deliver()
    disaster.back_up()
    await disaster.restore()
    found = await disaster.state(held(other, LineState.FULFILLED))
    assert found == [
        (DifferenceKind.DIFFERENT, other.lines[0].id),
        (DifferenceKind.MISSING, gone.lines[0].id),
    ]
    assert {"holding-differs", "holding-missing", "restored"} <= set(await disaster.exchange.alert_kinds())
    await disaster.close()


async def test_every_restore_begins_a_generation_above_any_that_is_known(disaster: Disaster) -> None:
    disaster.back_up()
    generations = [(await disaster.restore()).generation for _ in range(3)]
    assert generations == [2, 3, 4]  # of one backup, thrice
    assert first_epoch(2) == 1001
    ready = await disaster.exchange.enquiries.ready()
    assert ready["generation"] == "4"
    await disaster.close()


async def test_a_restore_that_was_not_finished_lets_no_store_open(disaster: Disaster) -> None:
    disaster.back_up()
    await disaster.close()
    (disaster.data / f"{DATABASE}.restoring").touch()
    with pytest.raises(ConfigurationError, match="not finished"):
        disaster.open()
    assert (
        restore(
            disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now()
        ).generation
        == 2
    )


async def test_the_database_itself_sends_nothing_before_all_is_reconciled(disaster: Disaster) -> None:
    await disaster.accept("A")
    disaster.back_up()
    await disaster.restore()
    connection = apsw.Connection(str(disaster.data / DATABASE))
    end = "UPDATE pause SET ended_at = 1, ended_by = 'x', end_reason = 'x' WHERE kind = ?"
    for ended in ((), (TRUST_AFTER_RESTORE,), (AFTER_RESTORE,)):
        with pytest.raises(apsw.ConstraintError, match="restore"):
            connection.execute("UPDATE outbox SET state = 'on_wire', lease = 'x'")
        connection.execute("BEGIN")
        connection.executemany(end, [(kind,) for kind in ended])
        with pytest.raises(apsw.ConstraintError, match="restore"):
            connection.execute("UPDATE outbox SET state = 'on_wire', lease = 'x'")
        connection.execute("ROLLBACK")
    connection.executemany(end, [(TRUST_AFTER_RESTORE,), (AFTER_RESTORE,)])
    connection.execute("UPDATE outbox SET state = 'on_wire', lease = 'x'")
    connection.close()
    await disaster.close()


def _all_that_is_there(data: Path) -> dict[str, bytes]:
    """Give every file of the store; neither an empty log nor its index, which readers make."""
    return {
        str(file.relative_to(data)): file.read_bytes()
        for file in sorted(data.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm") and file.stat().st_size
    }


@pytest.mark.parametrize("step", range(3))
async def test_a_swap_that_fails_at_any_step_leaves_what_was_there(
    disaster: Disaster, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await disaster.accept("A")
    disaster.back_up()
    await disaster.accept("B")
    await disaster.close()
    (disaster.data / f"{DATABASE}-wal").touch()
    before = _all_that_is_there(disaster.data)
    rename, count = Path.rename, iter(range(100))

    def renamed(source: Path, target: Path) -> Path:
        if next(count) == step:
            raise OSError(28, "no space left")
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renamed)
        with pytest.raises(Unavailable, match="as it was"):
            restore(disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now())
    assert _all_that_is_there(disaster.data) == before
    disaster.open()
    assert await disaster.exchange.states(make_prescription("B")) == [LineState.READY]
    assert (await disaster.restore()).generation > 1
    await disaster.close()


async def test_a_swap_that_cannot_be_undone_lets_no_store_open(
    disaster: Disaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await disaster.accept("A")
    disaster.back_up()
    await disaster.close()
    rename, count = Path.rename, iter(range(100))

    def renamed(source: Path, target: Path) -> Path:
        if next(count) > 0:  # the store is aside, and then nothing moves any more
            raise OSError(5, "input/output error")
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renamed)
        with pytest.raises(Unavailable):
            restore(disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now())
    with pytest.raises(ConfigurationError, match="not finished"):
        disaster.open()
    done = restore(
        disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.move(days=1)
    )
    assert done.generation > 1


async def test_a_copy_that_fails_leaves_what_was_there(disaster: Disaster, monkeypatch: pytest.MonkeyPatch) -> None:
    await disaster.accept("A")
    disaster.back_up()
    await disaster.close()
    before = _all_that_is_there(disaster.data)

    def full(_: Path) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("gateway.store.sqlite.backup.sync", full)
    with pytest.raises(Unavailable, match="as it was"):
        restore(disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now())
    assert _all_that_is_there(disaster.data) == before


@pytest.mark.parametrize("recognised", [True, False])
async def test_the_audit_names_who_put_a_backup_back(disaster: Disaster, recognised: bool) -> None:  # noqa: FBT001 - a case
    disaster.back_up()
    await disaster.close()
    person = Person(name="anna", recognised=recognised, reason="the disk failed")
    restore(
        disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now(), person=person
    )
    rows = apsw.Connection(str(disaster.data / DATABASE)).execute("SELECT body FROM audit_leaf")
    (leaf,) = [leaf for (body,) in rows if (leaf := json.loads(body))["kind"] == "restored"]
    assert (leaf["by"], leaf["recognised"]) == ("anna", recognised)
    assert "disk" not in json.dumps(leaf)


async def test_a_backup_of_an_earlier_schema_is_restored_and_works_on(disaster: Disaster) -> None:
    """It was made by the version that knew 13 migrations, of one order that was accepted and one that waits."""
    disaster.backup.mkdir()
    (disaster.backup / MANIFEST).write_bytes((OLD / MANIFEST).read_bytes())
    (disaster.backup / DATABASE).write_bytes(gzip.decompress((OLD / f"{DATABASE}.gz").read_bytes()))
    assert verify(disaster.backup).schema == 13
    done = await disaster.restore()
    assert done.generation == 2
    connection = apsw.Connection(str(disaster.data / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
    assert schema_in(connection).newest == max(steps())
    assert faults_of(connection) == []
    connection.close()
    accepted, waiting = make_prescription("A"), make_prescription("B")
    assert await disaster.exchange.states(accepted) == [LineState.ACCEPTED]
    await disaster.state(held(accepted))
    await disaster.state(provider=OTHER)
    assert await disaster.tell("MSGA", "MSGB") == ()
    await disaster.deliver()
    assert await disaster.exchange.states(waiting) == [LineState.WITH_PROVIDER]
    await disaster.close()


async def test_a_backup_of_a_newer_schema_is_refused_and_what_is_there_stays(disaster: Disaster) -> None:
    await disaster.accept("A")
    disaster.back_up()
    connection = apsw.Connection(str(disaster.backup / DATABASE))
    connection.pragma("user_version", 9999)
    connection.close()
    said = json.loads((disaster.backup / MANIFEST).read_text())
    changed = {**said, "schema": 9999, "sha256": digest(disaster.backup / DATABASE)}
    (disaster.backup / MANIFEST).write_text(json.dumps(changed))
    await disaster.close()
    before = _all_that_is_there(disaster.data)
    with pytest.raises(ConfigurationError, match="newer version"):
        restore(disaster.backup, disaster.data, providers=PROVIDERS, trusts=(TRUST,), now=disaster.clock.now())
    assert _all_that_is_there(disaster.data) == before
