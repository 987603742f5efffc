"""What may be found on the platter after the power failed: every file as it was last synchronised, and of what was
written since, any part.

Each un-synchronised write may be there, be missing, or be there in some of its 512-byte sectors, whatever happened to
the writes before and after it (so writes are re-ordered too). A file's length is a write like any other.

Source: reliability-security.md 2.1 (crash model) and T1.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.disk import Deleted, Step, Synced, Truncated, Wrote

SECTOR = 512

Image = dict[str, bytes]
"""Bytes by file name."""


@dataclass(slots=True)
class Platter:
    """The durable bytes of every file, and what was asked since its last synchronisation."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Wrote | Truncated]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Go on by one step."""
        match step:
            case Synced(file):
                content = self.durable.setdefault(file, bytearray())
                for each in self.pending.pop(file, []):
                    _apply(content, each)
            case Deleted(file):
                self.durable.pop(file, None)
                self.pending.pop(file, None)
            case Wrote(file) | Truncated(file):
                self.durable.setdefault(file, bytearray())
                self.pending.setdefault(file, []).append(step)

    def after_power_loss(self, rng: random.Random) -> Image:
        """Give one possible image."""
        found = {file: bytearray(content) for file, content in self.durable.items()}
        keep = rng.choice(_FATES)
        for file, steps in self.pending.items():
            for number, step in enumerate(steps):
                for part in keep(step, number, len(steps), rng):
                    _apply(found[file], part)
        return {file: bytes(content) for file, content in found.items()}


def images(steps: list[Step], *, start: int, wanted: int, rng: random.Random) -> Iterator[tuple[int, Image]]:
    """Give (crash position, image) for `wanted` random moments from `start` on, in order.

    Args:
        steps: the whole record.
        start: the first position worth crashing at: after it, `steps[:position]` had been asked.
        wanted: how many images.
        rng: decides moments and fates.
    """
    moments = sorted(rng.randint(start, len(steps)) for _ in range(wanted))
    platter, done = Platter(), 0
    for moment in moments:
        for step in steps[done:moment]:
            platter.take(step)
        done = max(done, moment)
        yield moment, platter.after_power_loss(rng)


def _apply(content: bytearray, step: Wrote | Truncated) -> None:
    end = step.size if isinstance(step, Truncated) else step.offset + len(step.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if isinstance(step, Truncated):
        del content[end:]
    else:
        content[step.offset : end] = step.data


def _all(step: Wrote | Truncated, _number: int, _total: int, _rng: random.Random) -> Iterator[Wrote | Truncated]:
    yield step


def _none(_step: Wrote | Truncated, _number: int, _total: int, _rng: random.Random) -> Iterator[Wrote | Truncated]:
    yield from ()


def _whole_or_not(
    step: Wrote | Truncated, _number: int, _total: int, rng: random.Random
) -> Iterator[Wrote | Truncated]:
    if rng.random() < 0.5:
        yield step


def _only_the_last(
    step: Wrote | Truncated, number: int, total: int, _rng: random.Random
) -> Iterator[Wrote | Truncated]:
    """Re-ordering at its worst: what was written last is there, and nothing before it."""
    if number == total - 1:
        yield step


def _torn(step: Wrote | Truncated, _number: int, _total: int, rng: random.Random) -> Iterator[Wrote | Truncated]:
    if isinstance(step, Truncated):
        yield from _whole_or_not(step, 0, 1, rng)
        return
    at = 0
    while at < len(step.data):
        upto = min(len(step.data), at + SECTOR - (step.offset + at) % SECTOR)
        if rng.random() < 0.5:
            yield Wrote(step.file, step.offset + at, step.data[at:upto])
        at = upto


_FATES = (_all, _none, _whole_or_not, _only_the_last, _torn, _torn)
