"""The worker against a store in memory: what is sent, when, and what is recorded."""

# ruff: noqa: ARG002 - the fakes keep the signatures of the ports

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast
from uuid import UUID

import pytest

from gateway.destination import InDoubt, Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider
from gateway.enquiries import Enquiries
from gateway.ports.store import Store
from gateway.ports.work import Claim, News, WorkKind
from gateway.worker import Attempt, Outlet, Pace, Surroundings, Worker

_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def _ods(text: str) -> OdsCode:
    ods = OdsCode.parse(text)
    assert ods is not None
    return ods


ONE, TWO, TRUST = _ods("VNE51"), _ods("VNCEL"), _ods("RBA")


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(kw_only=True)
class _Row:
    id: int
    destination: OdsCode
    octets: bytes | None = b"sealed"
    content_type: str = "application/fhir+json"
    kind: WorkKind = WorkKind.DELIVER
    news: int | None = None
    state: str = "due"
    due_at: datetime | None = None
    attempt: int = 0
    accepted_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    idle: timedelta = timedelta()


@dataclass(kw_only=True)
class _FakeStore:
    """The outbox of a store, and nothing else of it."""

    rows: dict[int, _Row]
    log: list[str] = field(default_factory=list)
    outcomes: list[tuple[int, TransmitOutcome, datetime | None]] = field(default_factory=list)
    sendable: bool = True
    away: int = 0
    recovered_with: list[frozenset[OdsCode]] = field(default_factory=list)
    rooms: list[dict[OdsCode, int]] = field(default_factory=list)
    leases: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while a row is put on the wire."""

    async def recover(self, *, now: datetime, recognises_repeats: frozenset[OdsCode]) -> int:
        self.recovered_with.append(recognises_repeats)
        return 0

    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, room: dict[OdsCode, int]) -> list[Claim]:
        self.rooms.append(dict(room))
        self.leases.append(lease_seconds)
        room = dict(room)
        claims = []
        for row in self.rows.values():
            due = row.state == "due" and (row.due_at is None or row.due_at <= now)
            if due and room.get(row.destination, 0):
                room[row.destination] -= 1
                row.state, row.attempt = "claimed", row.attempt + 1
                claims.append(self._claim(row))
        return claims

    def _claim(self, row: _Row) -> Claim:
        return Claim(
            id=row.id,
            lease=f"{row.id}-{row.attempt}",
            kind=row.kind,
            destination=row.destination,
            message_id=UUID(int=row.id),
            octets=row.octets,
            content_type=row.content_type,
            attempt=row.attempt,
            possible_duplicate=False,
            accepted_at=row.accepted_at,
            idle=row.idle,
            news=row.news,
        )

    async def on_wire(self, claim: Claim, *, now: datetime, octets: bytes | None = None) -> bool:
        if not self.sendable:
            return False
        self.meanwhile()
        self.log.append(f"on_wire {claim.id}")
        row = self.rows[claim.id]
        row.state = "on_wire"
        row.octets = octets or row.octets
        return True

    async def record(self, claim: Claim, outcome: TransmitOutcome, *, now: datetime, retry_at: datetime | None) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("disk")
        self.log.append(f"record {claim.id}")
        self.outcomes.append((claim.id, outcome, retry_at))
        row = self.rows[claim.id]
        row.state = "done" if retry_at is None else "due"
        row.due_at = retry_at


@dataclass(kw_only=True)
class _Outlet:
    """A destination that answers as told, and keeps what it was sent."""

    store: _FakeStore | None = None
    answers: Callable[[Transmission], TransmitOutcome] = lambda _: Taken()
    slow_seconds: float = 0.0
    sent: list[Transmission] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def transmit(self, transmission: Transmission) -> TransmitOutcome:
        self.sent.append(transmission)
        if self.store is not None:
            self.store.log.append(f"send {transmission.message_id.int}")
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.slow_seconds)
        self.under_way -= 1
        return self.answers(transmission)


class _Enquiries:
    async def news(self, seq: int) -> News:
        return cast("News", seq)


def _provider(
    ods: OdsCode, *, repeats: bool = False, most: int = 8, seconds: float = 0.5, active: bool = True
) -> Provider:
    return Provider(
        ods=ods,
        name="Example",
        environment=Environment.TEST,
        adapter="sandbox",
        endpoint="",
        active=active,
        recognises_repeats=repeats,
        max_in_flight=most,
        answers_within_seconds=seconds,
    )


_PACE = Pace(poll_seconds=0.02, probe_seconds=0.05)
_FIVE_ATTEMPTS = Pace(poll_seconds=0.02, probe_seconds=0.05, attempts=5, age_seconds=3600)


def _around(
    store: _FakeStore,
    outlets: dict[OdsCode, _Outlet],
    *providers: Provider,
    mailboxes: dict[OdsCode, _Outlet] | None = None,
    observe: Callable[[Attempt], None] = lambda _: None,
) -> Surroundings:
    return Surroundings(
        store=cast("Store", store),
        enquiries=cast("Enquiries", _Enquiries()),
        clock=_Clock(),
        destinations=cast("dict[OdsCode, Outlet]", outlets),
        providers={provider.ods: provider for provider in providers},
        mailboxes=cast("dict[OdsCode, Outlet]", mailboxes or {}),
        compose=lambda news: (f"news {news}".encode(), "application/hl7-v2+er7"),
        jitter=lambda: 0.0,
        observe=observe,
    )


@asynccontextmanager
async def _running(around: Surroundings, pace: Pace = _PACE) -> AsyncIterator[Worker]:
    worker = Worker(name="w1", around=around, pace=pace)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 20)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the conditions are of the fakes, which set no events
            await asyncio.sleep(0.005)


def _have(store: _FakeStore, outcomes: int) -> bool:
    return len(store.outcomes) >= outcomes


def _store(*rows: _Row) -> _FakeStore:
    return _FakeStore(rows={row.id: row for row in rows})


async def test_a_message_is_on_the_wire_before_it_is_sent_and_recorded_after() -> None:
    store = _store(_Row(id=1, destination=ONE))
    outlet = _Outlet(store=store)
    async with _running(_around(store, {ONE: outlet}, _provider(ONE))):
        await _until(lambda: bool(store.outcomes))
    assert store.log == ["on_wire 1", "send 1", "record 1"]
    assert outlet.sent[0].octets == b"sealed"
    assert isinstance(store.outcomes[0][1], Taken)


@pytest.mark.parametrize(("frozen_seconds", "sent"), [(25.0, 1), (35.0, 0), (3600.0, 0)])
async def test_who_was_frozen_before_the_first_byte_sends_nothing_that_another_may_have_by_now(
    frozen_seconds: float, sent: int
) -> None:
    """Of a lease of 60 seconds the provider may need 30 for its answer."""
    moment = 0.0

    def freeze() -> None:
        nonlocal moment
        moment += frozen_seconds
        store.meanwhile = lambda: None

    store = _store(_Row(id=1, destination=ONE))
    store.meanwhile = freeze
    outlet = _Outlet()
    around = replace(_around(store, {ONE: outlet}, _provider(ONE, seconds=30.0)), monotonic=lambda: moment)
    async with _running(around):
        await _until(lambda: bool(store.outcomes))
        assert len(outlet.sent) == sent
    assert isinstance(store.outcomes[0][1], Taken if sent else TryLater)


async def test_nothing_is_sent_where_the_store_says_no() -> None:
    store = _store(_Row(id=1, destination=ONE))
    store.sendable = False
    outlet = _Outlet()
    async with _running(_around(store, {ONE: outlet}, _provider(ONE))):
        await _until(lambda: store.rows[1].state == "claimed")
        await asyncio.sleep(0.05)
    assert not outlet.sent
    assert not store.outcomes


def _raises(_: Transmission) -> TransmitOutcome:
    raise RuntimeError("a bug in a plug-in")


_BAD_ADAPTERS: dict[str, Callable[[Transmission], TransmitOutcome]] = {
    "one that raises": _raises,
    "one that answers nothing": lambda _: cast("TransmitOutcome", None),
    "one that answers its own word": lambda _: cast("TransmitOutcome", "fine"),
}


@pytest.mark.parametrize("answers", _BAD_ADAPTERS.values(), ids=_BAD_ADAPTERS)
async def test_an_adapter_that_breaks_leaves_doubt(answers: Callable[[Transmission], TransmitOutcome]) -> None:
    store = _store(_Row(id=1, destination=ONE))
    async with _running(_around(store, {ONE: _Outlet(answers=answers)}, _provider(ONE))):
        await _until(lambda: bool(store.outcomes))
    assert isinstance(store.outcomes[0][1], InDoubt)


async def test_a_destination_that_is_too_slow_leaves_doubt() -> None:
    store = _store(_Row(id=1, destination=ONE))
    async with _running(_around(store, {ONE: _Outlet(slow_seconds=9)}, _provider(ONE, seconds=0.05))):
        await _until(lambda: bool(store.outcomes))
    assert isinstance(store.outcomes[0][1], InDoubt)


async def test_doubt_is_not_sent_again_to_a_provider_that_may_supply_twice() -> None:
    store = _store(_Row(id=1, destination=ONE))
    outlet = _Outlet(answers=lambda _: InDoubt(reason="cut"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE))):
        await _until(lambda: bool(store.outcomes))
        await asyncio.sleep(0.1)
    assert len(outlet.sent) == 1
    assert store.outcomes[0][2] is None


async def test_doubt_is_sent_again_verbatim_to_one_that_recognises_repeats() -> None:
    store = _store(_Row(id=1, destination=ONE))
    outlet = _Outlet(answers=lambda sent: Taken() if sent.attempt > 1 else InDoubt(reason="cut"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, repeats=True))):
        await _until(lambda: len(store.outcomes) == 2)
    assert [sent.octets for sent in outlet.sent] == [b"sealed", b"sealed"]
    assert store.recovered_with[0] == {ONE}


async def test_a_wait_that_is_asked_for_is_never_undercut() -> None:
    store = _store(_Row(id=1, destination=ONE), _Row(id=2, destination=ONE, due_at=_START))
    outlet = _Outlet(answers=lambda _: TryLater(reason="503", after_seconds=60))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, most=1))):
        await _until(lambda: bool(store.outcomes))
        await asyncio.sleep(0.1)
    retry_at = store.outcomes[0][2]
    assert retry_at is not None
    assert retry_at >= datetime.now(UTC) + timedelta(seconds=55)
    assert len(outlet.sent) == 1, "the whole destination asked for the wait"


async def test_attempts_end_where_the_destination_takes_others() -> None:
    store = _store(_Row(id=1, destination=ONE), _Row(id=2, destination=ONE, attempt=4))
    outlet = _Outlet(answers=lambda sent: TryLater(reason="503") if sent.message_id.int == 2 else Taken())
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, most=1)), _FIVE_ATTEMPTS):
        await _until(lambda: len(store.outcomes) == 2)
    assert {row: retry_at for row, _, retry_at in store.outcomes} == {1: None, 2: None}


@pytest.mark.parametrize("before", [0, 4, 400])
async def test_the_probes_of_a_destination_that_is_away_use_up_no_message(before: int) -> None:
    store = _store(_Row(id=1, destination=ONE, attempt=before))
    outlet = _Outlet(answers=lambda _: TryLater(reason="refused"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE)), _FIVE_ATTEMPTS):
        for done in range(1, 9):
            store.rows[1].due_at = None
            await _until(partial(_have, store, done))
    assert all(retry_at is not None for _, _, retry_at in store.outcomes)


async def test_a_message_ends_with_its_age_although_its_destination_is_away() -> None:
    store = _store(_Row(id=1, destination=ONE, attempt=1, accepted_at=_START))
    refusing = _Outlet(answers=lambda _: TryLater(reason="503"))
    async with _running(_around(store, {ONE: refusing}, _provider(ONE)), _FIVE_ATTEMPTS):
        await _until(lambda: bool(store.outcomes))
    assert store.outcomes[0][2] is None


@pytest.mark.parametrize(
    ("attempt", "idle", "again"),
    [(0, timedelta(), True), (1, timedelta(), False), (1, timedelta(days=9999), True)],
    ids=["never tried before", "tried all the time", "tried, then paused"],
)
async def test_only_time_in_which_a_message_could_have_gone_counts_as_its_age(
    attempt: int, idle: timedelta, *, again: bool
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=9999)
    store = _store(_Row(id=1, destination=ONE, attempt=attempt, accepted_at=long_ago, idle=idle))
    around = _around(store, {ONE: _Outlet(answers=lambda _: TryLater(reason="503"))}, _provider(ONE))
    async with _running(around, Pace(poll_seconds=0.02, age_seconds=3600)):
        await _until(lambda: bool(store.outcomes))
    assert (store.outcomes[0][2] is not None) is again


async def test_a_dead_destination_delays_nobody_else() -> None:
    rows = [_Row(id=number, destination=ONE) for number in range(1, 20)]
    rows += [_Row(id=number, destination=TWO) for number in range(20, 40)]
    store = _store(*rows)
    stuck, prompt = _Outlet(slow_seconds=9), _Outlet()
    around = _around(store, {ONE: stuck, TWO: prompt}, _provider(ONE, seconds=4.0), _provider(TWO))
    async with _running(around):
        await _until(lambda: len(prompt.sent) == 20)
        assert not [row for row, *_ in store.outcomes if row < 20]
    assert stuck.most_under_way <= 8


async def test_no_destination_gets_more_at_once_than_it_takes() -> None:
    store = _store(*(_Row(id=number, destination=ONE) for number in range(1, 21)))
    outlet = _Outlet(slow_seconds=0.005)
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, most=3))):
        await _until(lambda: len(store.outcomes) == 20)
    assert outlet.most_under_way == 3


async def test_a_destination_that_is_away_is_probed_and_all_goes_when_it_is_back() -> None:
    store = _store(*(_Row(id=number, destination=ONE) for number in range(1, 31)))
    back = asyncio.Event()
    outlet = _Outlet(answers=lambda _: Taken() if back.is_set() else TryLater(reason="refused"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, most=4))):
        await asyncio.sleep(0.5)
        tried = len(outlet.sent)
        assert 4 <= tried < 25, "probed one at a time, not hammered"
        back.set()
        await _until(lambda: sum(row.state == "done" for row in store.rows.values()) == 30)
    assert all(isinstance(outcome, Taken) for _, outcome, retry_at in store.outcomes if retry_at is None)


async def test_a_row_that_failed_often_does_not_wait_long_for_a_destination_that_is_away() -> None:
    store = _store(*(_Row(id=number, destination=ONE, attempt=40) for number in range(1, 5)))
    outlet = _Outlet(answers=lambda _: TryLater(reason="refused"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, most=1))):
        await _until(lambda: len(store.outcomes) >= 4)
    last = store.outcomes[-1][2]
    assert last is not None
    assert last < datetime.now(UTC) + timedelta(seconds=1)


async def test_accepted_work_goes_at_once_when_the_worker_is_woken() -> None:
    store = _store()
    outlet = _Outlet()
    async with _running(_around(store, {ONE: outlet}, _provider(ONE)), Pace(poll_seconds=60)) as worker:
        await asyncio.sleep(0.02)
        store.rows[1] = _Row(id=1, destination=ONE)
        worker.wake()
        await _until(lambda: bool(outlet.sent))


async def test_stopping_finishes_what_is_in_flight_and_claims_no_more() -> None:
    store = _store(_Row(id=1, destination=ONE), _Row(id=2, destination=ONE))
    outlet = _Outlet(slow_seconds=0.1)
    worker = Worker(name="w1", around=_around(store, {ONE: outlet}, _provider(ONE, most=1)), pace=_PACE)
    task = asyncio.create_task(worker.run())
    await _until(lambda: bool(outlet.sent))
    worker.stop()
    await asyncio.wait_for(task, 2)
    assert [row for row, *_ in store.outcomes] == [1]
    assert store.rows[2].state == "due"


async def test_an_answer_is_recorded_although_the_store_was_away_for_a_moment() -> None:
    store = _store(_Row(id=1, destination=ONE))
    store.away = 1
    async with _running(_around(store, {ONE: _Outlet()}, _provider(ONE))):
        await _until(lambda: bool(store.outcomes))
    assert isinstance(store.outcomes[0][1], Taken)


async def test_a_provider_that_is_not_active_is_sent_nothing() -> None:
    store = _store(_Row(id=1, destination=ONE))
    outlet = _Outlet()
    async with _running(_around(store, {ONE: outlet}, _provider(ONE, active=False))):
        await asyncio.sleep(0.05)
    assert not outlet.sent


async def test_news_is_written_once_and_told_again_in_the_same_words() -> None:
    row = _Row(id=1, destination=TRUST, octets=None, content_type="", kind=WorkKind.TELL, news=7)
    store = _store(row)
    mailbox = _Outlet(answers=lambda sent: Taken() if sent.attempt > 1 else InDoubt(reason="cut"))
    async with _running(_around(store, {}, mailboxes={TRUST: mailbox})):
        await _until(lambda: len(store.outcomes) == 2)
    assert [(sent.octets, sent.content_type) for sent in mailbox.sent] == [(b"news 7", "application/hl7-v2+er7")] * 2
    assert row.octets == b"news 7"


async def test_a_refusal_ends_the_row() -> None:
    store = _store(_Row(id=1, destination=ONE))
    seen: list[Attempt] = []
    outlet = _Outlet(answers=lambda _: Refused(reason="no"))
    async with _running(_around(store, {ONE: outlet}, _provider(ONE), observe=seen.append)):
        await _until(lambda: bool(seen))
    assert store.rows[1].state == "done"
    assert [(attempt.outcome, attempt.attempt) for attempt in seen] == [("Refused", 1)]


def test_a_lease_outlasts_the_slowest_answer() -> None:
    worker = Worker(name="w1", around=_around(_store(), {ONE: _Outlet()}, _provider(ONE, seconds=120)), pace=_PACE)
    assert worker.lease_seconds > 120
