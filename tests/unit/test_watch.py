"""The sweeper: every overdue line gets its alert, and a sweep that failed is no heartbeat."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from gateway.config.reference_check import Concern
from gateway.domain.custody import Holder
from gateway.domain.errors import Unavailable
from gateway.domain.lifecycle import LineState
from gateway.enquiries import Enquiries, Overdue
from gateway.ports.store import Store
from gateway.watch import ALERT_KIND, DeadMan, Watch

_NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_LINE = UUID(int=7)


class _Clock:
    def now(self) -> datetime:
        return _NOW


@dataclass(kw_only=True)
class _Books:
    """Overdue lines, and the alerts opened for them."""

    lines: tuple[Overdue, ...] = ()
    away: int = 0
    beaten: datetime | None = None
    alerts: list[dict[str, object]] = field(default_factory=list)

    async def overdue(self, *, now: datetime, after: Overdue | None = None) -> tuple[Overdue, ...]:
        """Give two at a time."""
        assert now == _NOW
        if self.away:
            self.away -= 1
            raise Unavailable("disk")
        begin = self.lines.index(after) + 1 if after is not None else 0
        return self.lines[begin : begin + 2]

    async def planned_outages(self, *, now: datetime) -> tuple[()]:
        assert now == _NOW
        return ()

    async def beat(self, name: str, *, now: datetime) -> None:
        assert name == "watch"
        self.beaten = now

    async def last_beat(self, name: str) -> datetime | None:
        assert name == "watch"
        if self.away:
            self.away -= 1
            raise Unavailable("disk")
        return self.beaten

    async def clock_jumped(self, *, now: datetime, text: str) -> bool:
        return await self.open_alert(kind="clock-jumped", subject="watch", now=now, text=text)

    async def open_alert(self, **alert: object) -> bool:
        known = any(alert["subject"] == other["subject"] for other in self.alerts)
        self.alerts.append(alert)
        return not known


def _watch(books: _Books, beats: list[datetime]) -> Watch:
    return Watch(
        enquiries=cast("Enquiries", books),
        store=cast("Store", books),
        clock=_Clock(),
        interval_seconds=0.01,
        beat=beats.append,
    )


_OVERDUE = Overdue(line_id=_LINE, state=LineState.SENT, holder=Holder.PROVIDER, act_by=_NOW)


async def test_an_overdue_line_gets_an_alert_that_says_who_should_have_acted_by_when() -> None:
    books, beats = _Books(lines=(_OVERDUE,)), list[datetime]()
    assert await _watch(books, beats).sweep() == 1
    alert = books.alerts[0]
    assert (alert["kind"], alert["subject"], alert["line_id"], alert["now"]) == (ALERT_KIND, str(_LINE), _LINE, _NOW)
    assert alert["text"] == "Sent, no answer. The provider should have acted by 2 Nov 2026, 09:00:00."
    assert beats == [_NOW]


async def test_all_of_many_overdue_lines_are_seen_a_page_at_a_time() -> None:
    lines = tuple(replace(_OVERDUE, line_id=UUID(int=number), row=number) for number in range(1, 6))
    books = _Books(lines=lines)
    assert await _watch(books, list[datetime]()).sweep() == 5
    assert [alert["line_id"] for alert in books.alerts] == [line.line_id for line in lines]


async def test_a_concern_about_the_reference_data_is_told_once() -> None:
    books = _Books()
    concern = Concern(kind="reference-old", subject="dmd-x:0", text="Old.")
    days = iter(("43 days", "44 days"))
    watch = Watch(
        enquiries=cast("Enquiries", books),
        store=cast("Store", books),
        clock=_Clock(),
        concerns=lambda _: (replace(concern, text=next(days)),),
    )
    assert [await watch.sweep(), await watch.sweep()] == [1, 0]
    (alert,) = books.alerts
    assert (alert["kind"], alert["subject"], alert["line_id"], alert["text"]) == (
        "reference-old",
        "dmd-x:0",
        None,
        "43 days",
    )


async def test_a_sweep_that_finds_nothing_is_a_heartbeat_too() -> None:
    books, beats = _Books(), list[datetime]()
    assert await _watch(books, beats).sweep() == 0
    assert beats == [_NOW]


async def test_the_sweeper_outlives_an_outage_and_does_not_call_it_a_heartbeat() -> None:
    books, beats = _Books(lines=(_OVERDUE,), away=2), list[datetime]()
    watch = _watch(books, beats)
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(2):
        while not beats:  # noqa: ASYNC110 - the heartbeat is what is tested
            await asyncio.sleep(0.005)
    watch.stop()
    await asyncio.wait_for(task, 2)
    assert books.away == 0
    assert books.alerts


def _dead_man(books: _Books, allowed_seconds: float = 60) -> DeadMan:
    return DeadMan(
        enquiries=cast("Enquiries", books),
        store=cast("Store", books),
        clock=_Clock(),
        allowed_seconds=allowed_seconds,
    )


@pytest.mark.parametrize(
    ("beaten", "words"),
    [(None, "never"), (_NOW - timedelta(seconds=61), "last looked at 2 Nov 2026, 08:58:59")],
)
async def test_a_watch_that_has_stopped_is_told_once(beaten: datetime | None, words: str) -> None:
    books = _Books(beaten=beaten)
    dead_man = _dead_man(books)
    assert await dead_man.look()
    assert not await dead_man.look()
    assert (books.alerts[0]["kind"], books.alerts[0]["subject"]) == ("watch-stopped", "watch")
    assert words in str(books.alerts[0]["text"])


async def test_a_watch_that_beats_is_left_in_peace() -> None:
    books = _Books(beaten=_NOW - timedelta(seconds=60))
    assert not await _dead_man(books).look()
    assert books.alerts == []


async def test_the_dead_man_outlives_an_outage_and_ends_when_told() -> None:
    books = _Books(away=2)
    dead_man = _dead_man(books, allowed_seconds=0.005)
    task = asyncio.create_task(dead_man.run())
    async with asyncio.timeout(2):
        while not books.alerts:  # noqa: ASYNC110 - the alert is what is tested
            await asyncio.sleep(0.005)
    dead_man.stop()
    await asyncio.wait_for(task, 2)
    assert books.away == 0


@pytest.mark.parametrize(
    ("asked", "words"), [("cancel", "NOT cancelled"), ("hold", "NOT on hold"), ("release", "still on hold")]
)
async def test_what_a_provider_does_not_answer_is_told_under_its_own_name(asked: str, words: str) -> None:
    line = Overdue(line_id=_LINE, state=LineState.ACCEPTED, holder="provider", act_by=_NOW, asked=asked)
    books = _Books(lines=(line,))
    assert await _watch(books, []).sweep() == 1
    (alert,) = books.alerts
    assert alert["kind"] == f"{asked}-overdue"
    assert words in str(alert["text"])
    assert "Ring" not in str(alert["text"])


_BACK = (
    "It was 2 Dec 2026, 09:00:00 at the last look at deadlines, and was 2 Nov 2026, 09:00:00 at the next. "
    "One of the two is wrong; limits of what came meanwhile may be too late. "
    "Nothing expires before a person says that the clock is right."
)
_AHEAD = (
    "It was 3 Oct 2026, 10:00:00 at the last look at deadlines, and was 2 Nov 2026, 09:00:00 at the next. "
    "The clock went ahead, or nothing ran in between. Nothing expires before a person says that the clock is right."
)


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(days=30), [_BACK]),
        (timedelta(minutes=5), []),
        (timedelta(days=-1), []),
        (timedelta(days=-30), [_AHEAD]),
    ],
)
async def test_a_clock_that_cannot_have_come_here_is_told_with_both_of_its_times(
    ahead: timedelta, told: list[str]
) -> None:
    books = _Books(beaten=_NOW + ahead)
    assert await _watch(books, []).sweep() == len(told)
    assert books.beaten == _NOW
    assert [alert["text"] for alert in books.alerts] == told
