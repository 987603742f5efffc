"""What a simulated trust does with orders that it has sent: some it cancels, holds and releases, or changes.

It does so at once, while the order is on its way, or when some of it is supplied. Whatever it is answered it writes
down; too late and not possible are answers like any other.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final

from gateway.simulate.follow_ups import Deed, FollowUp, compose_follow_up
from gateway.simulate.journal import Followed, Journal, Surprise, TrustEntry
from gateway.simulate.messages import V2, Style
from gateway.simulate.profile import Profile
from gateway.simulate.standing import Reply, Standing
from gateway.simulate.written import Flaw, Written

Post = Callable[[Written, bytes, Style], Awaitable[Reply]]
"""Sends a message until it is answered."""
_WAITS: Final = (0.0, 0.2, 1.0, 2.5, 5.0)
"""Seconds from the answer to an order to what is done next: before it left, on the wire, accepted, in supply."""
_HOLDS_FOR: Final = (0.3, 2.0, 4.0)
_PLANS: Final[tuple[tuple[Deed, ...], ...]] = (
    (Deed.CANCEL,),
    (),
    (Deed.HOLD, Deed.RELEASE),
    (),
    (Deed.CHANGE,),
    (),
    (Deed.HOLD, Deed.RELEASE, Deed.CANCEL),
    (),
    (),
)
"""What is done with one order after another. Only HL7 v2 orders are changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wont:
    """What a trust is wont to do with its orders.

    Attributes:
        plans: with one order after another.
        waits: seconds from the answer to an order to what is done next, one of them drawn.
        provider: only with orders that name it; empty for any.
        supplies: only with orders of at least so many.
    """

    plans: tuple[tuple[Deed, ...], ...] = _PLANS
    waits: tuple[float, ...] = _WAITS
    provider: str = ""
    supplies: int = 1

    def concerns(self, written: Written) -> bool:
        """Tell whether anything is done with an order at all."""
        named = not self.provider or written.provider == self.provider
        return written.flaw is Flaw.NONE and named and written.supplies >= self.supplies


ALWAYS: Final = Wont()


class Errands:
    """One trust's.

    Args:
        profile: the trust.
        journal: where it writes.
        names: ODS code to name.
        now: the time.
        source: seeded; draws when.
        wont: what it is wont to do.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        journal: Journal[TrustEntry],
        names: Mapping[str, str],
        now: Callable[[], datetime],
        source: Random,
        wont: Wont = ALWAYS,
    ) -> None:
        self._profile = profile
        self._wont = wont
        self._journal = journal
        self._names = names
        self._now = now
        self._source = source
        self._plans = itertools.cycle(wont.plans)
        self._one_at_a_time = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent: dict[str, FollowUp] = {}

    @property
    def busy(self) -> int:
        """How many are not done."""
        return len(self._under_way)

    def consider(self, written: Written, style: Style, post: Post, *, spare: Callable[[], bool]) -> None:
        """Do with an order that nothing is wrong with what comes next.

        Args:
            written: the order.
            style: the dialect it was sent in.
            post: how to send.
            spare: a change is a prescription of its own; takes one from those still to be written, False if none is.
        """
        if not self._wont.concerns(written):
            return
        deeds = next(self._plans)
        if deeds == (Deed.CHANGE,) and (style not in V2 or not spare()):
            deeds = (Deed.CANCEL,)
        if deeds:
            self._begin(self._do(written, style, post, deeds))

    def hear(self, reply: Reply) -> bool:
        """Take an application answer that came afterwards; False where it answers nothing that was sent here."""
        one = self.sent.get(reply.about)
        if one is not None:
            self._note(one, reply)
        return one is not None

    async def close(self) -> None:
        """Leave the rest undone."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _begin(self, deed: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(deed)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _do(self, written: Written, style: Style, post: Post, deeds: tuple[Deed, ...]) -> None:
        waits = self._wont.waits
        for deed in deeds:
            await asyncio.sleep(self._source.choice(waits))
            waits = _HOLDS_FOR
            await self._send(FollowUp(deed=deed, written=written), style, post)

    async def _send(self, one: FollowUp, style: Style, post: Post) -> None:
        message = compose_follow_up(
            one, style, system=self._profile.system, site=self._profile.site, names=self._names, at=self._now()
        )
        self.sent[str(one.message)] = one
        async with self._one_at_a_time:
            reply = await post(replace(one.written, message=one.message), message, style)
        self._note(one, reply)
        if reply.standing is Standing.UNREAD:
            what = f"the answer to a {one.deed} could not be read"
            self._journal.write(Surprise(key=one.written.key, what=what, at=self._now()))

    def _note(self, one: FollowUp, reply: Reply) -> None:
        self._journal.write(
            Followed(key=one.written.key, deed=one.deed.value, control_id=str(one.message), reply=reply, at=self._now())
        )
