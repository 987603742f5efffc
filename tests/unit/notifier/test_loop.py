"""The notifier over a real store: whoever is named is told in turn, once, until somebody takes it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.calendar import WorkingCalendar
from gateway.domain.errors import Unavailable
from gateway.domain.escalation import Circle, Contact, Hours, Rung
from gateway.domain.notice import Channel, NoticeState
from gateway.domain.notice_rules import NoticeRules
from gateway.notifier.loop import Notifier, retry_after
from gateway.notifier.sender import Later, Letter, Never, Result, Sender, Went
from gateway.ports.notices import NOTIFIER
from tests.contract.store_engines import TRUST, Clock, Exchange, make_acceptance, open_sqlite

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOURS = Hours(calendar=WorkingCalendar(first=date(2026, 1, 1), last=date(2027, 12, 31)))
OWNER = Contact(name="Olive Owner", mail="olive@example.nhs.uk")
DEPUTY = Contact(name="Dev Deputy", mail="dev@example.nhs.uk", webhook="https://hooks.example.nhs.uk/dev")
ON_CALL = Contact(name="Cal Oncall", webhook="https://hooks.example.nhs.uk/cal")
RULES = NoticeRules(
    version="1",
    address="https://homecare.example.nhs.uk",
    circles=(
        Circle(trust=TRUST, people={Rung.OWNER: (OWNER,), Rung.DEPUTY: (DEPUTY,)}, hours=HOURS),
        Circle(trust=None, people={Rung.OWNER: (ON_CALL,)}, hours=HOURS),
    ),
)


@dataclass
class Way:
    """A way of telling that remembers, and answers what it is told to."""

    results: list[Result] = field(default_factory=list)
    sent: list[Letter] = field(default_factory=list)
    closed: bool = False
    gate: asyncio.Event | None = None

    async def send(self, letter: Letter) -> Result:
        if self.gate is not None:
            await self.gate.wait()
        self.sent.append(letter)
        return self.results.pop(0) if self.results else Went(said="taken")

    async def look(self) -> str:
        return ""

    async def close(self) -> None:
        self.closed = True

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(letter.to.name, letter.notice.words.text) for letter in self.sent]


@dataclass
class World:
    """A store with a notifier over it, whose clock stands still."""

    exchange: Exchange
    mail: Way
    hook: Way
    notifier: Notifier

    async def round(self, **passed: float) -> int:
        """Let time pass, plan, and send what is due."""
        if passed:
            self.exchange.clock.move(**passed)
        told = await self.notifier.plan()
        for channel in Channel:
            while await self.notifier.deliver(channel):
                pass
        return told

    async def alert(self, kind: str = "cancel-overdue", *, name: str = "A") -> int:
        acceptance = make_acceptance(name)
        await self.exchange.store.accept(acceptance)
        what = acceptance.orders[0].prescription
        assert what is not None
        line, now = what.lines[0].id, self.exchange.clock.now()
        assert await self.exchange.store.open_alert(kind=kind, subject=str(line), line_id=line, now=now, text="Look.")
        return max(one.id for one in await self.exchange.enquiries.open_alerts(tenant=None, limit=100))


def notifier(exchange: Exchange, senders: Mapping[Channel, Sender], rules: NoticeRules = RULES) -> Notifier:
    return Notifier(
        name="one",
        rules=rules,
        enquiries=exchange.enquiries,
        store=exchange.store,
        clock=exchange.clock,
        senders=senders,
        interval_seconds=0.01,
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock(MONDAY + timedelta(hours=3))
    opened = open_sqlite(tmp_path, clock)
    exchange = Exchange(opened, clock)
    mail, hook = Way(), Way()
    found = World(exchange, mail, hook, notifier(exchange, {Channel.MAIL: mail, Channel.WEBHOOK: hook}))
    await found.round()  # the week's summary, of nothing
    assert {letter.notice.kind for way in (mail, hook) for letter in way.sent} == {"weekly"}
    mail.sent.clear()
    hook.sent.clear()
    yield found
    await opened.close()


def steps(way: Way) -> list[str]:
    return [letter.to.name for letter in way.sent if letter.notice.kind == "step"]


async def test_the_owner_is_told_then_the_deputy_by_every_way_and_then_nobody(world: World) -> None:
    alert = await world.alert()
    assert await world.round() == 1
    assert steps(world.mail) == ["Olive Owner"]
    assert world.mail.sent[-1].link == f"https://homecare.example.nhs.uk/console/work/{alert}"
    assert await world.round(minutes=14) == 0
    assert await world.round(minutes=1) == 1
    assert steps(world.mail) == ["Olive Owner", "Dev Deputy"]
    assert steps(world.hook) == ["Dev Deputy"]
    for _ in range(5):
        assert await world.round(minutes=30) == 0
    assert len(steps(world.mail)) == 2


async def test_the_ladder_stops_when_somebody_takes_it(world: World) -> None:
    await world.alert()
    await world.round()
    world.exchange.opened.rows("UPDATE alert SET taken_by = 'olive', taken_at = 1")
    assert await world.round(minutes=60) == 0
    assert steps(world.mail) == ["Olive Owner"]


async def test_the_gateway_s_people_are_told_of_the_gateway_s_matters(world: World) -> None:
    now = world.exchange.clock.now()
    await world.exchange.store.open_alert(kind="room-low", subject="disk", line_id=None, now=now, text="Nearly full.")
    await world.round()
    assert steps(world.mail) == []
    assert steps(world.hook) == ["Cal Oncall"]
    assert world.hook.told[-1][1].startswith("1 item needs you now")


async def test_many_at_once_are_one_notice(world: World) -> None:
    for name in "ABCDEFGH":
        await world.alert(name=name)
    assert await world.round() == 8
    assert steps(world.mail) == ["Olive Owner"]
    assert "8 prescriptions need you now" in world.mail.told[-1][1]
    await world.alert(name="I")
    assert await world.round(seconds=30) == 0  # within the gap: told together with what comes
    assert await world.round(seconds=31) == 1


async def test_nothing_of_a_patient_or_a_medicine_stands_in_a_notice(world: World) -> None:
    await world.alert()
    await world.round(hours=21)
    await world.round(hours=24)
    said = " ".join(text for way in (world.mail, world.hook) for _, text in way.told)
    (row,) = world.exchange.opened.rows("SELECT nhs_number, number FROM prescription")
    product = world.exchange.opened.rows("SELECT product_display FROM line")[0][0]
    assert said
    for forbidden in (*row, product, product.split()[0]):
        assert str(forbidden) not in said


async def test_what_does_not_go_is_tried_again_later_and_told_of_after_three_times(world: World) -> None:
    world.mail.results = [Later(said="SMTPConnectError")] * 4
    await world.alert()
    await world.round()
    for attempt in (1, 2, 3):
        assert len(steps(world.mail)) == attempt
        kinds = await world.exchange.alert_kinds()
        assert ("notice-not-delivered" in kinds) is (attempt >= 3)
        await world.round(seconds=retry_after(attempt).total_seconds() - 1)
        assert len(steps(world.mail)) == attempt
        await world.round(seconds=1)
    world.mail.results = []
    await world.round(minutes=15)
    ids = {letter.notice.id for letter in world.mail.sent if letter.to.name == "Olive Owner"}
    assert len(ids) == 1  # the same notice, under the same id
    states = world.exchange.opened.rows(
        "SELECT DISTINCT state FROM notice WHERE person = 'Olive Owner' AND kind = 'step'"
    )
    assert states == [("sent",)]


async def test_one_refused_for_good_is_told_at_once_and_not_tried_again(world: World) -> None:
    world.mail.results = [Never(said="the mail server answered 550")]
    await world.alert()
    await world.round()
    assert "notice-not-delivered" in await world.exchange.alert_kinds()
    assert world.exchange.opened.rows("SELECT state FROM notice WHERE kind = 'step'") == [(NoticeState.SPENT.value,)]


async def test_a_day_later_it_is_given_up(world: World) -> None:
    world.mail.results = [Later(said="away")] * 500
    await world.alert("line-rejected")
    await world.round()
    for _ in range(100):
        await world.round(minutes=15)
    (spent,) = world.exchange.opened.rows(
        "SELECT count(*) FROM notice WHERE state = 'spent' AND kind = 'step' AND person = 'Olive Owner'"
    )
    assert spent == (1,)


async def test_a_way_that_hangs_holds_up_neither_the_other_nor_the_planning(world: World) -> None:
    world.mail.gate = asyncio.Event()
    running = asyncio.create_task(world.notifier.run())
    await world.alert()
    now = world.exchange.clock.now()
    await world.exchange.store.open_alert(kind="room-low", subject="disk", line_id=None, now=now, text="Nearly full.")
    for _ in range(200):
        await asyncio.sleep(0.01)
        if steps(world.hook):
            break
    assert steps(world.hook) == ["Cal Oncall"]
    assert world.mail.sent == []
    world.mail.gate.set()
    world.notifier.stop()
    await asyncio.wait_for(running, 5)
    assert steps(world.mail) == ["Olive Owner"]
    assert (world.mail.closed, world.hook.closed) == (True, True)


async def test_a_fault_of_one_way_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Letter) -> Result:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(world.mail, "send", broken)
    running = asyncio.create_task(world.notifier.run())
    await world.alert()
    now = world.exchange.clock.now()
    await world.exchange.store.open_alert(kind="room-low", subject="disk", line_id=None, now=now, text="Nearly full.")
    for _ in range(200):
        await asyncio.sleep(0.01)
        if steps(world.hook):
            break
    assert not running.done()
    assert steps(world.hook) == ["Cal Oncall"]
    world.notifier.stop()
    await asyncio.wait_for(running, 5)


async def test_while_the_store_is_away_it_goes_on_and_does_not_beat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.exchange.enquiries.unattended

    async def away(**_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(world.exchange.enquiries, "unattended", away)
    before, now = await world.exchange.enquiries.last_beat(NOTIFIER), world.exchange.clock.move(minutes=1)
    running = asyncio.create_task(world.notifier.run())
    await asyncio.sleep(0.1)
    assert await world.exchange.enquiries.last_beat(NOTIFIER) == before != now
    monkeypatch.setattr(world.exchange.enquiries, "unattended", real)
    for _ in range(200):
        await asyncio.sleep(0.01)
        if await world.exchange.enquiries.last_beat(NOTIFIER) == now:
            break
    assert await world.exchange.enquiries.last_beat(NOTIFIER) == now
    world.notifier.stop()
    await running


async def test_two_nodes_tell_everybody_once(world: World) -> None:
    second = notifier(world.exchange, {Channel.MAIL: world.mail, Channel.WEBHOOK: world.hook})
    for name in "ABC":
        await world.alert(name=name)
    await asyncio.gather(world.notifier.plan(), second.plan())
    await asyncio.gather(*(node.deliver(channel) for node in (world.notifier, second) for channel in Channel))
    assert steps(world.mail) == ["Olive Owner"]


async def test_who_is_no_longer_named_is_not_told(world: World) -> None:
    await world.alert()
    await world.notifier.plan()
    without = NoticeRules(version="2", address=RULES.address, circles=RULES.circles[1:])
    later = notifier(world.exchange, {Channel.MAIL: world.mail, Channel.WEBHOOK: world.hook}, without)
    await later.deliver(Channel.MAIL)
    assert steps(world.mail) == []
    assert ("dropped",) in world.exchange.opened.rows("SELECT state FROM notice")


async def test_the_morning_brings_what_is_still_open_once_and_the_week_its_summary(world: World) -> None:
    await world.alert("renewal-requested")
    await world.round()
    assert {letter.notice.kind for letter in world.mail.sent} == {"step"}  # it is noon, and the week's is written
    world.exchange.clock.moment = MONDAY + timedelta(days=1)
    for _ in range(3):
        await world.round(minutes=5)
    daily = [letter for letter in world.mail.sent if letter.notice.kind == "daily"]
    assert sorted(letter.to.name for letter in daily) == ["Dev Deputy", "Olive Owner"]
    assert "1 item is open this morning" in daily[0].notice.words.text
    await world.round(days=6)
    weekly = [letter for letter in world.mail.sent if letter.notice.kind == "weekly"]
    assert [letter.to.name for letter in weekly] == ["Olive Owner"]
    assert weekly[0].notice.words.subject == "Weekly summary: 1 still open, 0 closed in seven days"


def test_tries_come_further_and_further_apart() -> None:
    waits = [retry_after(attempt).total_seconds() for attempt in range(1, 30)]
    assert waits[:6] == [60, 120, 240, 480, 900, 900]
    assert waits == sorted(waits)
    assert max(waits) == 900
