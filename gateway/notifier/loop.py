"""The notifier: writes down who is to be told, and sends what is written, until stopped.

Planning and each way of sending run beside one another, so that a mail server that is away holds up nothing else. What
is written stays until the other side took it, somebody took the item, or a day has passed; a notice that does not
leave opens an alert of its own.

Source: console.md 6.11; reliability-security.md I3.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import about
from gateway.domain.errors import Unavailable
from gateway.domain.escalation import READERS, Circle, Contact, Digest, Rung, circle_of, digests_due, next_due
from gateway.domain.notice import Channel, NoticeKind, NoticeState, Outgoing
from gateway.domain.notice_rules import NoticeRules
from gateway.enquiries import Enquiries
from gateway.notifier.sender import Later, Letter, Never, Result, Sender, Went
from gateway.ports.clock import Clock
from gateway.ports.notices import NOTIFIER, Addressed, Attempted, Step, Summary
from gateway.ports.store import Store

_log = structlog.get_logger(__name__)

_PAGE: Final = 2000
_AT_ONCE: Final = 8
_LEASE_SECONDS: Final = 120.0
GIVE_UP: Final = timedelta(hours=24)
"""After which a notice is given up: the daily digest has told of the same meanwhile."""
_ALARM_FROM: Final = 3
"""Attempts after which a person is told that notices do not leave."""
_GAP: Final = timedelta(minutes=5)
_GAP_NOW: Final = timedelta(minutes=1)
"""Between two notices to one rung: what comes meanwhile is told together."""
_FIRST_RETRY: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(minutes=15)

_Gathered = dict[tuple[str, Rung], list[tuple[int, bool, str]]]


def retry_after(attempt: int) -> timedelta:
    """Give how long to wait after an attempt that failed: 1, 2, 4, 8, then 15 minutes."""
    return min(_FIRST_RETRY * (1 << min(attempt - 1, 10)), _LONGEST_RETRY)


class Notifier:
    """Tells people until stopped.

    Args:
        name: of this process, in its leases.
        rules: who is told, by which ways.
        enquiries: where open alerts are found.
        store: where notices are written.
        clock: the time.
        senders: the ways there are.
        interval_seconds: between two looks.
        time_scale: how many times faster than real time it goes; 1 outside demonstrations.
    """

    def __init__(
        self,
        *,
        name: str,
        rules: NoticeRules,
        enquiries: Enquiries,
        store: Store,
        clock: Clock,
        senders: Mapping[Channel, Sender],
        interval_seconds: float = 10.0,
        time_scale: float = 1.0,
    ) -> None:
        self._name = name
        self._rules = rules
        self._enquiries = enquiries
        self._store = store
        self._clock = clock
        self._senders = senders
        self._interval_seconds = interval_seconds
        self._time_scale = time_scale
        self._circles = {circle.name: circle for circle in rules.circles}
        self._digested: set[tuple[str, Digest, str]] = set()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopped.set()

    async def run(self) -> None:
        """Tell people until stopped."""
        lanes = [self._repeat(self._lane(channel), channel.value) for channel in self._senders]
        try:
            await asyncio.gather(self._repeat(self.plan, "plan"), *lanes)
        finally:
            for sender in self._senders.values():
                await sender.close()

    def _lane(self, channel: Channel) -> Callable[[], Awaitable[int]]:
        return lambda: self.deliver(channel)

    async def _repeat(self, do: Callable[[], Awaitable[int]], what: str) -> None:
        """Do it at every interval, and again at once while there is something to do."""
        while not self._stopped.is_set():
            done = 0
            try:
                done = await do()
            except Unavailable:
                _log.warning("notices_store_away", what=what)
            except Exception:  # noqa: BLE001 - one way that fails must not silence the others
                _log.exception("notices_failed", what=what)
            if done and what != "plan":
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), timeout=self._interval_seconds)

    async def plan(self) -> int:
        """Write down who is to be told now.

        Returns:
            How many alerts somebody will be told of.

        Raises:
            Unavailable: the store is away.
        """
        now = self._clock.now()
        told = 0
        for (circle, rung), alerts in (await self._gather(now)).items():
            told += await self._tell(self._circles[circle], rung, alerts, now)
        await self._digest(now)
        await self._store.beat(NOTIFIER, now=now)
        if told:
            _log.info("notices_written", count=told)
        return told

    async def _gather(self, now: datetime) -> _Gathered:
        """Find what is due, so that whoever is told of several things is told of them together."""
        found: _Gathered = defaultdict(list)
        after = 0
        while page := await self._enquiries.unattended(now=now, after=after, limit=_PAGE):
            for alert in page:
                circle = circle_of(self._rules.circles, kind=alert.kind, tenant=alert.tenant)
                due = next_due(circle, alert) if circle else None
                if circle and due and due.at <= now:
                    found[circle.name, due.rung].append((alert.alert, due.last, alert.kind))
            after = page[-1].alert
            if len(page) < _PAGE:
                break
        return found

    async def _tell(self, circle: Circle, rung: Rung, alerts: list[tuple[int, bool, str]], now: datetime) -> int:
        urgent = any(about(kind).soon is Soon.NOW for _, _, kind in alerts)
        step = Step(
            circle=circle.name,
            rung=rung,
            alerts=[(alert, last) for alert, last, _ in alerts],
            to=_addressed(circle.people[rung]),
            gap=(_GAP_NOW if urgent else _GAP) / self._time_scale,
        )
        return await self._store.tell_step(step, now=now)

    async def _digest(self, now: datetime) -> None:
        for circle in self._rules.circles:
            for digest, occasion in digests_due(circle.hours, now):
                about_this = (circle.name, digest, occasion)
                if about_this in self._digested:
                    continue
                readers = [one for rung in circle.rungs if rung in READERS[digest] for one in circle.people[rung]]
                summary = Summary(
                    kind=NoticeKind(digest.value),
                    circle=circle.name,
                    tenant=circle.trust,
                    occasion=occasion,
                    to=_addressed(readers),
                    even_if_none=digest is Digest.WEEKLY,
                )
                if await self._store.tell_summary(summary, now=now) or digest is Digest.WEEKLY:
                    self._digested.add(about_this)

    async def deliver(self, channel: Channel) -> int:
        """Send what is due on one channel, several at once.

        Returns:
            How many were tried.

        Raises:
            Unavailable: the store is away; what was sent and not recorded is sent again.
        """
        claimed = await self._store.claim_notices(
            channel, worker=self._name, now=self._clock.now(), lease_seconds=_LEASE_SECONDS, limit=_AT_ONCE
        )
        await asyncio.gather(*(self._send(self._senders[channel], notice) for notice in claimed))
        return len(claimed)

    async def _send(self, sender: Sender, notice: Outgoing) -> None:
        contact = self._rules.contact(notice.circle, notice.person)
        if contact is None or not _reached(contact, notice.channel):
            outcome = Attempted(state=NoticeState.DROPPED, said="the person is no longer named for this way")
        else:
            link = self._rules.address + notice.words.path
            outcome = self._outcome(notice, await sender.send(Letter(notice=notice, to=contact, link=link)))
        await self._store.record_notice(notice, outcome, now=self._clock.now())
        _log.info("notice", what=notice.channel.value, outcome=outcome.state.value, attempt=notice.attempt)

    def _outcome(self, notice: Outgoing, result: Result) -> Attempted:
        now = self._clock.now()
        match result:
            case Went(said=said):
                return Attempted(state=NoticeState.SENT, said=said)
            case Never(said=said):
                alarm = f"A notice by {notice.channel} to {notice.person} was refused ({said}): they were not told."
                return Attempted(state=NoticeState.SPENT, said=said, alarm=alarm)
            case Later(said=said) if now - notice.written_at >= GIVE_UP:
                alarm = f"A notice by {notice.channel} to {notice.person} was given up after a day ({said})."
                return Attempted(state=NoticeState.SPENT, said=said, alarm=alarm)
            case Later(said=said):
                late = notice.attempt >= _ALARM_FROM
                return Attempted(
                    state=NoticeState.DUE,
                    said=said,
                    retry_at=now + retry_after(notice.attempt) / self._time_scale,
                    alarm=f"Notices by {notice.channel} do not leave ({said}): people are not told." if late else "",
                )


def _addressed(contacts: Iterable[Contact]) -> tuple[Addressed, ...]:
    """Give everybody once for each way in which they are told."""
    found = [
        Addressed(person=contact.name, channel=channel)
        for contact in contacts
        for channel in Channel
        if _reached(contact, channel)
    ]
    return tuple(dict.fromkeys(found))


def _reached(contact: Contact, channel: Channel) -> bool:
    return bool({Channel.MAIL: contact.mail, Channel.WEBHOOK: contact.webhook}[channel])
