"""What a short life of a gateway is made of: two stories, so that every kind of act meets a kill.

In the one, trusts order, repeat and change, and providers answer. In the other, what was ordered is held, released,
cancelled, moved to another provider and left until it is out of date.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from gateway.domain.lifecycle import LineEvent
from gateway.domain.reroute import Wanted
from tests.faults.life import NEXT, PROVIDER, Clock, Life, Ready, begin, change, order, until

_GOOD: Final = (LineEvent.ACCEPTED, LineEvent.VALIDATED, LineEvent.DELIVERED)
_WANTED: Final = Wanted(to=NEXT, people=("a.first", "b.second"), reason="another can")


async def live(ready: Ready, folder: Path, seed: int) -> None:
    """Live one short life; the seed says which, and draws the rest."""
    life = begin(ready, folder, random.Random(seed), clock=Clock())
    try:
        await _STORIES[seed % len(_STORIES)](life, random.Random(seed))
    finally:
        await life.close()


async def _orders(life: Life, rng: random.Random) -> None:
    """Two orders at once, a repeat, answers, a change, the watch."""
    bodies = [order(number) for number in range(2)]
    await _sent(life, bodies)
    await life.post(bodies[0])
    for entry in life.journal.entries("took"):
        for event in _GOOD[: rng.randint(0, 3)]:
            await life.tell(entry["message"], event)
    await life.post(change(1))
    await life.post(order(2))
    life.clock.moment += timedelta(hours=5)
    await life.watch.sweep()


async def _moves(life: Life, rng: random.Random) -> None:
    """Two orders: a hold, an answer to it and a release; a re-route; a cancel; then a year goes by."""
    await _sent(life, [order(number) for number in range(2)])
    await life.post(_about(0, "HD"))
    took = [entry["message"] for entry in life.journal.entries("took")]
    for message in took:
        await life.tell(message, rng.choice((LineEvent.ACCEPTED, LineEvent.REJECTED, LineEvent.HOLD_CONFIRMED)))
    await life.post(_about(0, "RL"))
    for held in await life.enquiries.held(provider=PROVIDER):
        people = _WANTED.people
        await life.rerouting.carry_out(await life.rerouting.plan(held, to=NEXT, people=people), _WANTED)
    for message in took:
        await life.tell(message, rng.choice((LineEvent.CANCEL_CONFIRMED, LineEvent.CANCEL_TOO_LATE)))
    await life.rerouting.finish()
    await life.post(_about(1, "CA"))
    life.clock.moment += timedelta(days=366)
    await life.clockwork.strike()
    await life.watch.sweep()


async def _sent(life: Life, bodies: list[bytes]) -> None:
    await asyncio.gather(*(life.post(body) for body in bodies))
    await until(lambda: len(life.journal.entries("took")) >= len(bodies), seconds=0.1)


def _about(number: int, control: str) -> bytes:
    """Give a message that cancels, holds or releases the golden order of a number."""
    header, patient = order(number).split(b"\r")[:2]
    header = header.replace(b"K%d-0001" % number, b"%s%d-0001" % (control.encode(), number))
    who = "||||||||||||||0001^Prescribing Error^NHSCANCEL"
    return b"\r".join((header, patient, f"ORC|{control}|RX9{number:03d}^RBA||GRP9{number:03d}^RBA{who}".encode(), b""))


_STORIES: Final[tuple[Callable[[Life, random.Random], Awaitable[None]], ...]] = (_orders, _moves)
