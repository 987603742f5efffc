"""The whole gateway under load: how much it carries, how fast it answers at half of that, and what it uses.

Several rounds each, and of every figure the median beside the least and the most, because a shared machine is not
equally fast at every moment.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from bench.corpus import Door
from bench.parties import PROVIDERS, SHARES, Answered, Parties
from bench.served import Served, Use

ROUNDS = 3
WARM_UP = 100
_SECONDS = 8.0
_FEWEST, _MOST = 90, 8_000
_SETTLES_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0
CPU = "CPU ms a prescription"
CPU_OF_LOOP = "of these in the event loop, ms"
Figure: TypeAlias = tuple[float, float, float]
"""Median, least and most of several rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One round, from the first planned moment to the last acknowledgement.

    Attributes:
        end_to_end: seconds from the planned moment to the answer's commit, of every acknowledged prescription.
        acknowledged: how many; `last` the moment of the last of them.
    """

    answered: Answered
    end_to_end: list[float]
    last: float
    before: Use
    after: Use

    @property
    def acknowledged(self) -> int:
        """How many prescriptions were accepted by their provider."""
        return len(self.end_to_end)


class Lane:
    """Sends rounds to one gateway and reads off what it used."""

    def __init__(self, served: Served, parties: Parties) -> None:
        self._served = served
        self._parties = parties
        self.sent = 0

    def round(
        self,
        count: int,
        *,
        rate: float,
        shares: dict[Door, float] | None = None,
        providers: tuple[str, ...] = PROVIDERS,
    ) -> Ended:
        """Send one round and wait until its last prescription is acknowledged."""
        before = self._served.use()
        known = self._parties.acknowledged()
        answered = self._parties.send(count, rate=rate, shares=shares or SHARES, providers=providers)
        self.sent += len(answered.planned)
        self._parties.until_acknowledged(known + len(answered.planned), patience=_PATIENCE_SECONDS)
        time.sleep(_SETTLES_SECONDS)
        after = self._served.use()
        done = {key: at for key, _, _, at in self._parties.report()["rows"] if at and key in answered.planned}
        return Ended(
            answered=answered,
            end_to_end=[at - answered.planned[key] for key, at in done.items()],
            last=max(done.values(), default=answered.ended),
            before=before,
            after=after,
        )


def saturated(lane: Lane) -> list[Ended]:
    """Offer more than can be carried, in several rounds of some ten seconds, after a warm-up."""
    warm = lane.round(WARM_UP, rate=0.0)
    rate = warm.acknowledged / (warm.last - warm.answered.begun)
    count = int(min(max(rate * _SECONDS, _FEWEST), _MOST))
    return [lane.round(count, rate=0.0) for _ in range(ROUNDS)]


def at_half(lane: Lane, full: Sequence[Ended]) -> list[Ended]:
    """Offer half of what was carried, as a Poisson stream."""
    rate = median(_a_second(one) for one in full) / 2
    return [lane.round(int(max(rate * _SECONDS, _FEWEST)), rate=rate) for _ in range(ROUNDS)]


def by_door(lane: Lane) -> dict[str, float]:
    """Give the CPU milliseconds of one prescription through each door alone, from the door to its acknowledgement."""
    found: dict[str, float] = {}
    for door in Door:
        ended = lane.round(_FEWEST, rate=0.0, shares={door: 1.0})
        found[door.value] = _cpu(ended) * 1e3
    return found


def figures(full: Sequence[Ended], half: Sequence[Ended]) -> dict[str, Figure]:
    """Give every figure of the table."""
    waits = [sorted(one.answered.seconds) for one in half]
    pooled = sorted(second for wait in waits for second in wait)
    return {
        "accepted a second": _figure(_accepted(one) for one in full),
        "acknowledged a second": _figure(_a_second(one) for one in full),
        CPU: _figure(_cpu(one) * 1e3 for one in full),
        CPU_OF_LOOP: _figure((one.after.loop - one.before.loop) * 1e3 / max(one.acknowledged, 1) for one in full),
        "prescriptions a CPU second": _figure(1 / _cpu(one) for one in full),
        "answer p50 at half load, ms": _figure(_percentile(wait, 0.5) for wait in waits),
        "answer p99 at half load, ms": _figure(_percentile(wait, 0.99) for wait in waits),
        "answer p99.9 at half load, all rounds, ms": _figure([_percentile(pooled, 0.999)]),
        "end to end p50 at half load, ms": _figure(_percentile(sorted(one.end_to_end), 0.5) for one in half),
        "end to end p99 at half load, ms": _figure(_percentile(sorted(one.end_to_end), 0.99) for one in half),
        "RSS, MB": _figure(one.after.rss / 1e6 for one in (*full, *half)),
        "kB written a prescription": _figure(_written(one) / 1e3 for one in full),
        "kB written a prescription at half load": _figure(_written(one) / 1e3 for one in half),
        "units of work a commit": _figure(_group(one) for one in full),
        "units of work a prescription": _figure(
            (one.after.writes - one.before.writes) / max(one.acknowledged, 1) for one in full
        ),
        "bytes of a message as sent": _figure(one.answered.octets / len(one.answered.planned) for one in full),
    }


def missing(rounds: Sequence[Ended]) -> dict[str, int]:
    """Give what was sent, not taken, and taken but not acknowledged in time."""
    sent = sum(len(one.answered.planned) for one in rounds)
    refused = sum(len(one.answered.refused) for one in rounds)
    acknowledged = sum(one.acknowledged for one in rounds)
    return {"sent": sent, "not taken": refused, "not acknowledged": sent - refused - acknowledged}


def _figure(values: Iterable[float]) -> Figure:
    found = sorted(values)
    return median(found), found[0], found[-1]


def _accepted(one: Ended) -> float:
    return (len(one.answered.planned) - len(one.answered.refused)) / (one.answered.ended - one.answered.begun)


def _a_second(one: Ended) -> float:
    return one.acknowledged / (one.last - one.answered.begun)


def _cpu(one: Ended) -> float:
    return (one.after.cpu - one.before.cpu) / max(one.acknowledged, 1)


def _written(one: Ended) -> float:
    return (one.after.written - one.before.written) / max(one.acknowledged, 1)


def _group(one: Ended) -> float:
    return (one.after.writes - one.before.writes) / max(one.after.commits - one.before.commits, 1.0)


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 if ordered else float("nan")
