"""The sweeper: finds every line past its deadline from the base tables alone, and opens an alert for it.

It looks neither at the queue nor at the worker, so that it notices when they have stopped. It says when it last looked,
and whoever else runs on the same store tells a person when that is long ago (`DeadMan`, the console, the ready check).

Source: reliability-security.md I3; mapping.md 10.5.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from gateway.config.reference_check import Concern
from gateway.domain.errors import Unavailable
from gateway.domain.issue_texts import in_words
from gateway.domain.labels import LABELS
from gateway.domain.lifecycle import TERMINAL
from gateway.enquiries import WATCH, Enquiries, Overdue, has_jumped, has_stopped
from gateway.ports.clock import Clock
from gateway.ports.store import Store

_log = structlog.get_logger(__name__)
_LONDON: Final = ZoneInfo("Europe/London")

ALERT_KIND = "overdue"
STOPPED_KIND = "watch-stopped"
_OUTAGE_AHEAD: Final = timedelta(days=1)
UNFINISHED: Final = "reroute-unfinished"
"""Of a line that its holder gave up for a re-route and that nobody was given: what failed is tried again, and told."""
UNTIMED: Final = "books-out"
"""Of an open line without a deadline, which no deadline would ever tell of."""


def _unheard(_: datetime) -> None:
    """Tell nobody."""


def _unconcerned(_: datetime) -> tuple[Concern, ...]:
    """Have nothing to say of the reference data."""
    return ()


class Watch:
    """Sweeps until stopped.

    Args:
        enquiries: where lines are found.
        store: where alerts are opened.
        clock: the time deadlines are compared with.
        interval_seconds: between two sweeps.
        beat: told the time of every complete sweep, for the heartbeat metric.
        concerns: what is not as it should be beside the lines: reference data too old, a partner closed. Each is told
            once in the life of the process, so that an alert that a person closed stays closed.
    """

    def __init__(
        self,
        *,
        enquiries: Enquiries,
        store: Store,
        clock: Clock,
        interval_seconds: float = 15.0,
        beat: Callable[[datetime], None] = _unheard,
        concerns: Callable[[datetime], Iterable[Concern]] = _unconcerned,
    ) -> None:
        self._enquiries = enquiries
        self._store = store
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._beat = beat
        self._concerns = concerns
        self._told: set[tuple[str, str]] = set()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End after the present sweep."""
        self._stopped.set()

    async def run(self) -> None:
        """Sweep at every interval until stopped. A sweep that fails is logged and not a heartbeat."""
        while not self._stopped.is_set():
            try:
                await self.sweep()
            except Unavailable:
                _log.warning("watch_store_away")
            try:
                await asyncio.wait_for(self._stopped.wait(), timeout=self._interval_seconds)
            except TimeoutError:
                continue

    async def sweep(self) -> int:
        """Open an alert for every overdue line, and for what else concerns a person.

        Returns:
            How many alerts were opened.

        Raises:
            Unavailable: the store is away.
        """
        now = self._clock.now()
        opened = int(await self._mind_clock(now))
        page = await self._enquiries.overdue(now=now)
        while page:
            for line in page:
                opened += await self._open(line, now)
            page = await self._enquiries.overdue(now=now, after=page[-1])
        opened += await self._tell(now)
        await self._store.beat(WATCH, now=now)
        self._beat(now)
        if opened:
            _log.warning("watch_overdue", opened=opened)
        return opened

    async def _mind_clock(self, now: datetime) -> bool:
        """Tell a person where the clock cannot have come to where it is, and whether it is right nobody knows."""
        last = await self._enquiries.last_beat(WATCH)
        if last is None or not has_jumped(last, now=now):
            return False
        _log.error("clock_jumped")
        return await self._store.clock_jumped(now=now, text=_of_clock(last, now))

    async def _open(self, line: Overdue, now: datetime) -> bool:
        kind = f"{line.asked}-{ALERT_KIND}" if line.asked else ALERT_KIND
        return await self._store.open_alert(
            kind=line.asked if line.asked in {UNFINISHED, UNTIMED} else kind,
            subject=str(line.line_id),
            line_id=line.line_id,
            now=now,
            text=_text(line),
        )

    async def _outages(self, now: datetime) -> tuple[Concern, ...]:
        """Give the planned outages that begin within a day, or have begun."""
        planned = [one.outage for one in await self._enquiries.planned_outages(now=now)]
        return tuple(
            Concern(
                kind="outage-near",
                subject=f"{one.provider}:{one.begins.astimezone(_LONDON):%Y-%m-%dT%H:%M}",
                text=f"{one.provider} told us of an outage from {_london(one.begins)} to {_london(one.ends)}.",
            )
            for one in planned
            if one.begins <= now + _OUTAGE_AHEAD
        )

    async def _tell(self, now: datetime) -> int:
        opened = 0
        for concern in (*self._concerns(now), *await self._outages(now)):
            about = (concern.kind, concern.subject)
            if about not in self._told:
                opened += await self._store.open_alert(
                    kind=concern.kind, subject=concern.subject, line_id=None, now=now, text=concern.text
                )
                self._told.add(about)
        return opened


class DeadMan:
    """Watches the watch: opens an alert when its heartbeat has stopped. Runs wherever something else than it runs.

    Args:
        enquiries: where the heartbeat is found.
        store: where the alert is opened.
        clock: the time the heartbeat is compared with.
        allowed_seconds: how old the heartbeat may be; several times the interval between two sweeps.
    """

    def __init__(self, *, enquiries: Enquiries, store: Store, clock: Clock, allowed_seconds: float) -> None:
        self._enquiries = enquiries
        self._store = store
        self._clock = clock
        self._allowed_seconds = allowed_seconds
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    async def run(self) -> None:
        """Look at every interval until stopped; first after one, in which a watch that has just started can sweep."""
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), timeout=self._allowed_seconds)
                return
            try:
                await self.look()
            except Unavailable:
                _log.warning("dead_man_store_away")

    async def look(self) -> bool:
        """Open an alert if the watch has stopped. Tells whether a new one was opened.

        Raises:
            Unavailable: the store is away.
        """
        now = self._clock.now()
        last = await self._enquiries.last_beat(WATCH)
        if not has_stopped(last, now=now, allowed_seconds=self._allowed_seconds):
            return False
        _log.error("watch_stopped")
        when = f"last looked at {_london(last)}" if last else "never looked at"
        text = f"Deadlines were {when}. Nobody is told of what is overdue until the watch runs again."
        return await self._store.open_alert(kind=STOPPED_KIND, subject=WATCH, line_id=None, now=now, text=text)


def _of_clock(last: datetime, now: datetime) -> str:
    text = f"It was {_london(last)} at the last look at deadlines, and was {_london(now)} at the next. "
    if now < last:
        text += "One of the two is wrong; limits of what came meanwhile may be too late."
    else:
        text += "The clock went ahead, or nothing ran in between."
    return text + " Nothing expires before a person says that the clock is right."


def _london(moment: datetime) -> str:
    local = moment.astimezone(_LONDON)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


PAPER: Final = "paper"
"""The signed original of a prescription that went with the words that it follows; its trust registers it."""
_AGAIN: Final = " An alert of this was closed, and it is still so."
_ASKED: Final = {"reroute": "request to give it up for a re-route"}
_NOT_YET: Final = {
    "cancel": "It is NOT cancelled.",
    "hold": "It is NOT on hold.",
    "release": "It is still on hold.",
    "reroute": "It stays where it is.",
}


def _text(line: Overdue) -> str:
    if line.asked == UNFINISHED:
        text = f"The provider gave it up for a re-route, and by {_london(line.act_by)} it was not with the next one."
        return (
            f"{text} Nobody has it. It is tried again all the time: look for the cause." + _AGAIN * line.closed_before
        )
    if line.asked == UNTIMED:
        text = f"{LABELS[line.state]} since {_london(line.act_by)}, and without a deadline: nobody would have been told"
        return f"{text}. It is a fault of the gateway; look at the line by hand." + _AGAIN * line.closed_before
    if line.asked == PAPER:
        text = f"The signed paper original is not registered; it should have been by {_london(line.act_by)}."
        return f"{text} Find it and register it, or ask the prescriber for another." + _AGAIN * line.closed_before
    if line.asked:
        what = _ASKED.get(line.asked, line.asked)
        ended = f"{LABELS[line.state]} here, and the provider has not said that it will not supply it."
        so_far = ended if line.state in TERMINAL else _NOT_YET[line.asked]
        text = f"No answer to the {what} by {_london(line.act_by)}. {so_far}"
        return text + _AGAIN * line.closed_before
    text = f"{LABELS[line.state]}. The {line.holder} should have acted by {_london(line.act_by)}."
    if line.issues:
        text += f" Why: {in_words(line.issues)}"
    return text + _AGAIN * line.closed_before
