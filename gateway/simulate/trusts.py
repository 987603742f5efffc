"""Simulated trusts: they prescribe, resend until they are answered, and write down everything they were told.

A trust sends the same bytes again after silence or *not taken*, as interface engines do. Some messages it sends twice
on purpose, and some again under the same control id with other bytes. What a correct gateway answers to each is
checked as it comes, and anything else is a surprise in the journal.
"""

import asyncio
import functools
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from random import Random

from gateway.simulate import er7
from gateway.simulate.channels import Channel, NotAnsweredError
from gateway.simulate.errands import ALWAYS, Errands, Wont
from gateway.simulate.follow_ups import Deed
from gateway.simulate.journal import Answered, Followed, Journal, Sent, Surprise, Told, TrustEntry
from gateway.simulate.messages import Style, change_bytes, compose
from gateway.simulate.profile import Profile
from gateway.simulate.promises import Promise, standings
from gateway.simulate.standing import POSITIVE, Reply, Standing, read_v2
from gateway.simulate.written import EXPECTED, Fate, Written

_ALLOWED: dict[Fate, frozenset[Standing]] = {
    Fate.SENT: frozenset({Standing.ACCEPTED, Standing.COMMITTED}),
    Fate.HELD: frozenset({Standing.HELD, Standing.COMMITTED}),
    Fate.REFUSED: frozenset({Standing.REFUSED, Standing.COMMITTED}),
}
_CODES = {(True, True): "CA", (True, False): "AA", (False, True): "CR", (False, False): "AE"}
"""What is acknowledged: whether it is taken, and whether in enhanced mode (HL7 table 0008)."""
_SETTLED = frozenset({Standing.ACCEPTED, Standing.HELD, Standing.REFUSED, Standing.COMMITTED})


class Trust:
    """One trust.

    Args:
        profile: what kind it is.
        prescriptions: what it will prescribe, without end.
        channels: its ways to the gateway; as many messages are under way at once.
        journal: where it writes.
        names: ODS code to name.
        now: the time.
        source: seeded; draws how long it waits before it sends again.
        errands: its way to the gateway for what it does with orders that it has sent; None if it leaves them alone.
        wont: what it does with them.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        prescriptions: Iterator[Written],
        channels: tuple[Channel, ...],
        journal: Journal[TrustEntry],
        names: Mapping[str, str],
        now: Callable[[], datetime],
        source: Random,
        errands: Channel | None = None,
        wont: Wont = ALWAYS,
    ) -> None:
        self.profile = profile
        self.journal = journal
        self.written: list[Written] = []
        self._numbers = itertools.count(1)
        self._news = itertools.count(1)
        self._resting = False
        self._prescriptions = prescriptions
        self._channels = channels
        self._names = names
        self._now = now
        self._source = source
        self.errands = Errands(profile, journal=journal, names=names, now=now, source=source, wont=wont)
        self._errand_channel = errands

    @property
    def busy(self) -> int:
        """How much it has yet to do with orders that it has sent."""
        return self.errands.busy

    async def prescribe(self, count: int, *, pause_seconds: float = 0.0) -> None:
        """Prescribe `count` times; returns when every one begun has been answered."""
        waiting: asyncio.Queue[Written] = asyncio.Queue()
        for _ in range(count):
            waiting.put_nowait(next(self._prescriptions))
        async with asyncio.TaskGroup() as group:
            for channel in self._channels:
                group.create_task(self._work_off(waiting, channel, pause_seconds))

    def promises(self) -> Iterator[Promise]:
        """Give every order and every change of one that was answered, with where it stands by the last answer."""
        answers = standings(self.journal)
        for written in self.written:
            if written.key in answers:
                standing = answers[written.key]
                yield Promise(key=written.key, message=str(written.message), standing=standing, item=str(written.item))
        last = {one.control_id: one for one in self.journal.all(Followed) if one.deed == Deed.CHANGE}
        for control_id, one in last.items():
            yield Promise(key=one.key, message=control_id, standing=one.reply.standing, change=True)

    def rest(self) -> None:
        """Prescribe no more; what was begun is finished."""
        self._resting = True

    async def _work_off(self, waiting: asyncio.Queue[Written], channel: Channel, pause_seconds: float) -> None:
        while not waiting.empty() and not self._resting:
            written = waiting.get_nowait()
            self.written.append(written)
            await self._submit(next(self._numbers), written, channel, spare=functools.partial(_take_one, waiting))
            await asyncio.sleep(pause_seconds)

    async def _submit(self, number: int, written: Written, channel: Channel, *, spare: Callable[[], bool]) -> None:
        style = self.profile.styles[number % len(self.profile.styles)]
        message = compose(
            written,
            style,
            system=self.profile.system,
            site=self.profile.site,
            names=self._names,
            checked=self.profile.checks,
        )
        digest, reply = await self._until_answered(written, message, style, channel)
        self._note(written, reply, digest, later=False)
        if self._errand_channel is not None and reply.standing in POSITIVE:
            self.errands.consider(written, style, self._by_errand(self._errand_channel), spare=spare)
        if number % self.profile.repeats_in == 0:
            await self._send_twice(written, message, style, channel, digest)
        if self.profile.changes_in and number % self.profile.changes_in == 0:
            await self._send_changed(written, message, style, channel)

    def _by_errand(self, channel: Channel) -> Callable[[Written, bytes, Style], Awaitable[Reply]]:
        async def post(written: Written, message: bytes, style: Style) -> Reply:
            _, reply = await self._until_answered(written, message, style, channel)
            return reply

        return post

    async def _until_answered(
        self, written: Written, message: bytes, style: Style, channel: Channel
    ) -> tuple[str, Reply]:
        """Send the same bytes until an answer comes that is not *again*."""
        attempt = 0
        while True:
            attempt += 1
            self.journal.write(
                Sent(
                    key=written.key,
                    control_id=str(written.message),
                    digest=_digest(message),
                    attempt=attempt,
                    at=self._now(),
                )
            )
            try:
                answer = await channel.send(message, style)
            except NotAnsweredError:
                pass
            else:
                if answer.reply.standing is not Standing.AGAIN:
                    return _digest(answer.body), answer.reply
            await asyncio.sleep(self._source.uniform(0.1, 0.5))

    async def _send_twice(self, written: Written, message: bytes, style: Style, channel: Channel, digest: str) -> None:
        """Repeat a message that was answered: the answer must be the first one, byte for byte (I6)."""
        again, reply = await self._until_answered(written, message, style, channel)
        stored = reply.standing in _SETTLED
        if stored and again != digest:
            self._surprise(written.key, "a repeat got another answer than the first")

    async def _send_changed(self, written: Written, message: bytes, style: Style, channel: Channel) -> None:
        """Send other bytes under the same control id: refused, and nothing about the first changes (I6)."""
        _, reply = await self._until_answered(written, change_bytes(message), style, channel)
        if reply.standing not in _ALLOWED[Fate.REFUSED]:
            self._surprise(written.key, f"a reused control id was answered {reply.standing}")
        elif reply.standing is Standing.REFUSED and "CONTROL_ID_REUSED" not in reply.codes:
            self._surprise(written.key, f"a reused control id was refused for {reply.codes}")

    def hear(self, message: bytes) -> bytes:
        """Take what came on the trust's own HL7 listener and acknowledge it."""
        header = er7.first(er7.split(message), "MSH")
        enhanced = header is not None and header.get(15) not in {"", "NE"}
        reply = read_v2(message)
        taken = True
        if reply.standing is not Standing.UNREAD:
            self._hear_answer(reply, message)
        elif taken := self._takes_news():
            order = er7.first(er7.split(message), "ORC")
            self.be_told(order.get(2) if order else "", message)
        at = self._now().strftime("%Y%m%d%H%M%S")
        return er7.acknowledge(message, code=_CODES[taken, enhanced], at=at)

    def _takes_news(self) -> bool:
        """Tell whether its system takes the next piece of news, or refuses it once and for all."""
        so_many = self.profile.refuses_news_in
        return not so_many or next(self._news) % so_many != 0

    def be_told(self, about: str, message: bytes) -> None:
        """Write down news that came after the first answer."""
        self.journal.write(Told(about=about, digest=_digest(message), at=self._now()))

    def _hear_answer(self, reply: Reply, message: bytes) -> None:
        if self.errands.hear(reply):
            return
        written = next((one for one in self.written if str(one.message) == reply.about), None)
        if written is None:
            self._surprise(reply.about, "an application answer to a message that was never sent")
        elif "CONTROL_ID_REUSED" not in reply.codes:
            self._note(written, reply, _digest(message), later=True)

    def _note(self, written: Written, reply: Reply, digest: str, *, later: bool) -> None:
        self.journal.write(
            Answered(
                key=written.key,
                control_id=str(written.message),
                reply=reply,
                digest=digest,
                flaw=written.flaw,
                at=self._now(),
                later=later,
            )
        )
        fate, code = EXPECTED[written.flaw]
        if reply.standing not in _ALLOWED[fate]:
            self._surprise(written.key, f"{written.flaw}: expected {fate}, got {reply.standing} {reply.codes}")
        elif code and reply.standing is not Standing.COMMITTED and code not in reply.codes:
            self._surprise(written.key, f"{written.flaw}: {code} is not among the reasons {reply.codes}")

    def _surprise(self, key: str, what: str) -> None:
        self.journal.write(Surprise(key=key, what=what, at=self._now()))

    async def close(self) -> None:
        """Hang up every channel and close the journal."""
        await self.errands.close()
        for channel in (*self._channels, *([self._errand_channel] if self._errand_channel else [])):
            await channel.close()
        self.journal.close()


def _take_one(waiting: asyncio.Queue[Written]) -> bool:
    """Take one prescription away unwritten; False where none waits."""
    if waiting.empty():
        return False
    waiting.get_nowait()
    return True


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
