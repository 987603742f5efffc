"""What a seed asks for: which faults there are, how often, and everything that people and machines set going.

Each seed draws a few faults out of many, at rates of its own, so that rare company is met (swarm testing). Every draw
names what it is for and depends on nothing else, so that an act can be left out and the rest stays as it was: that is
what lets a failure be made smaller.

Source: reliability-security.md 3.4.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
HORIZON: Final = 5 * DAY
"""When the calm begins: everything that is to go wrong has."""
_SPREADS: Final = (0.0, HOUR / 4, HOUR, 6 * HOUR)
"""Over how many seconds a seed's posts come: from one burst to a quiet day."""
_SPREAD: Final = 6 * HOUR


class Kind(StrEnum):
    """What one act is."""

    POST = "post"
    AGAIN = "again"
    OTHER_BYTES = "other bytes"
    OTHER_CHANNEL = "other channel"
    CANCEL = "cancel"
    CHANGE = "change"
    HOLD = "hold"
    RELEASE = "release"
    REROUTE = "reroute"
    PERSON_CANCEL = "cancel by a person"
    PERSON_HOLD = "hold by a person"
    PERSON_RELEASE = "release by a person"
    SEND_AGAIN = "send again"
    PROPOSE = "propose"
    FORGE = "forge"
    DAMAGE = "damage"
    SCREEN = "screen"
    BACK_UP = "back up"
    RESTORE = "restore"
    REMOVE = "remove"
    PUT_BACK = "put back"
    PAUSE = "pause"
    RESUME = "resume"
    CRASH = "crash"
    JUMP = "jump"
    JUMP_BACK = "jump back"
    DISK = "disk"
    DISK_WELL = "disk well"
    CUT = "cut"
    CUT_OVER = "cut over"
    OUTAGE = "outage"
    OUTAGE_OVER = "outage over"


class Nature(StrEnum):
    """What kind of provider it is. All of them supply only what they have accepted and not given up."""

    HONEST = "honest"
    PLAIN = "does not recognise repeats"
    SLOW = "slow"
    DOUBLE = "says everything twice"
    LIAR = "lies about ids and epochs"
    SILENT = "often silent"
    DISORDERLY = "out of order"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is set going at a moment.

    Attributes:
        number: its name; stays when others are left out.
        at: seconds from the beginning.
        subject: of the post it is about, or of the provider.
    """

    number: int
    at: float
    kind: Kind
    subject: int = 0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Dice:
    """Chance without memory: the same question gets the same answer."""

    seed: int

    def roll(self, *what: object) -> float:
        """Give a number from 0 up to 1 for a named question."""
        digest = hashlib.blake2b(repr((self.seed, *what)).encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def between(self, low: float, high: float, *what: object) -> float:
        """Give a number between two others."""
        return low + (high - low) * self.roll(*what)

    def whole(self, below: int, *what: object) -> int:
        """Give a whole number from 0 up to `below`."""
        return int(self.roll(*what) * below)


RATES: Final[dict[str, float]] = {
    "lost": 0.08,
    "reply lost": 0.08,
    "late": 0.06,
    "twice": 0.10,
    "damaged": 0.04,
    "busy": 0.15,
    "false busy": 0.10,
    "again": 0.30,
    "again late": 0.10,
    "other bytes": 0.08,
    "other channel": 0.08,
    "cancel at once": 0.08,
    "cancel": 0.12,
    "cancel later": 0.12,
    "cancel early": 0.08,
    "change": 0.20,
    "hold": 0.15,
    "reroute": 0.15,
    "reroute again": 0.10,
    "person cancel": 0.20,
    "person cancel at once": 0.05,
    "person hold": 0.25,
    "send again": 0.10,
    "propose": 0.25,
    "desk": 0.70,
    "forge": 0.15,
    "held": 0.08,
    "screened": 0.20,
    "short": 0.20,
    "inline": 0.30,
}
"""The highest rate of each fault; a seed has each at half of the seeds, at up to this."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed's world.

    Attributes:
        rates: of what is decided at each message.
        tells: whether the trusts are told of their provider's decisions.
    """

    seed: int
    prescriptions: int
    rates: dict[str, float]
    natures: tuple[Nature, ...]
    tells: bool
    acts: tuple[Act, ...] = field(repr=False)


def plan(seed: int, prescriptions: int) -> Plan:
    """Draw a world."""
    dice = Dice(seed)
    rates = {name: high * dice.roll("rate", name) * (dice.roll("has", name) < 0.5) for name, high in RATES.items()}
    natures = (
        Nature.PLAIN,
        *(list(Nature)[dice.whole(len(Nature), "nature", n)] for n in range(1 + dice.whole(4, "n"))),
    )
    acts = sorted(_numbered(dice, rates, prescriptions, len(natures)), key=lambda act: (act.at, act.number))
    return Plan(seed, prescriptions, rates, natures, dice.roll("tells") < 0.25, tuple(acts))


def _numbered(dice: Dice, rates: dict[str, float], prescriptions: int, providers: int) -> Iterator[Act]:
    drawn = [*_about_posts(dice, rates, prescriptions), *_about_machines(dice, providers)]
    for number, (at, kind, subject, size) in enumerate(drawn):
        yield Act(number, at, kind, subject, size)


_Drawn = tuple[float, Kind, int, float]


_FOLLOWS: Final[tuple[tuple[str, Kind, float, float], ...]] = (
    ("again", Kind.AGAIN, 0.0, 2 * HOUR),
    ("again late", Kind.AGAIN, 3 * DAY, 3.5 * DAY),
    ("other bytes", Kind.OTHER_BYTES, 0.0, DAY),
    ("other channel", Kind.OTHER_CHANNEL, 0.0, HOUR),
    ("cancel at once", Kind.CANCEL, 0.0, 1.0),
    ("cancel", Kind.CANCEL, 0.0, HOUR),
    ("cancel later", Kind.CANCEL, 0.0, 3 * DAY),
    ("cancel early", Kind.CANCEL, -10.0, 0.0),
    ("change", Kind.CHANGE, 0.0, DAY),
    ("hold", Kind.HOLD, 0.0, 8 * HOUR),
    ("hold", Kind.RELEASE, 8 * HOUR, DAY),
    ("reroute", Kind.REROUTE, 0.0, DAY),
    ("reroute again", Kind.REROUTE, 0.0, 2 * DAY),
    ("person cancel", Kind.PERSON_CANCEL, 0.0, 2 * DAY),
    ("person cancel at once", Kind.PERSON_CANCEL, 0.0, 60.0),
    ("person hold", Kind.PERSON_HOLD, 0.0, 60.0),
    ("person hold", Kind.PERSON_HOLD, 0.0, 8 * HOUR),
    ("person hold", Kind.PERSON_RELEASE, 8 * HOUR, DAY),
    ("send again", Kind.SEND_AGAIN, 0.0, 2 * DAY),
    ("propose", Kind.PROPOSE, 0.0, DAY),
    ("forge", Kind.FORGE, 0.0, 2 * DAY),
    ("screened", Kind.SCREEN, 60.0, DAY),
)
"""What may follow a post, by the name of its rate, and between how many seconds after it."""


def _about_posts(dice: Dice, rates: dict[str, float], prescriptions: int) -> Iterator[_Drawn]:
    spread = _spread(dice)
    for post in range(prescriptions):
        at = dice.between(0.0, spread, "at", post)
        yield at, Kind.POST, post, 0.0
        for name, kind, low, high in _FOLLOWS:
            if dice.roll(name, post) < rates[name]:
                yield at + dice.between(low, high, "when", kind, name, post), kind, post, 0.0


def _spread(dice: Dice) -> float:
    return _SPREADS[dice.whole(len(_SPREADS), "spread")]


def _some(dice: Dice, what: str, most: int, *, spread: float = _SPREAD) -> Iterator[tuple[int, float]]:
    """Draw how often something happens, and when: most of the work is done at first, and trouble is of use there."""
    count = dice.whole(most + 1, "count", what) if dice.roll("has", what) < 0.5 else 0
    for number in range(count):
        scale = (spread, _SPREAD, DAY, HORIZON - DAY)[dice.whole(4, what, "scale", number)]
        yield number, dice.between(0.0, scale, what, number)


def _about_machines(dice: Dice, providers: int) -> Iterator[_Drawn]:
    for number, at in _some(dice, "crash", 12):
        yield at, Kind.CRASH, 0, dice.between(0.0, 300.0, "down", number)
    for number, at in _some(dice, "jump", 2):
        days = dice.between(-30.0, 30.0, "jump", number)
        yield at, Kind.JUMP, 0, days * DAY
        yield at + dice.between(60.0, 6 * HOUR, "jumped", number), Kind.JUMP_BACK, 0, 0.0
    for number, at in _some(dice, "disk", 4):
        yield at, Kind.DISK, 0, dice.roll("disk", number)
        yield at + dice.between(1.0, HOUR, "disk well", number), Kind.DISK_WELL, 0, 0.0
    for number, at in _some(dice, "damage", 4):
        yield at, Kind.DAMAGE, number, 0.0
    for number, _ in _some(dice, "restore", 1):
        # in the hours in which there is something to lose; most of what is lost is minutes, now and then hours
        at = dice.between(0.0, _spread(dice) + 2 * HOUR, "restored", number)
        lost = 60.0 * 720.0 ** dice.roll("lost time", number)
        yield max(0.0, at - lost), Kind.BACK_UP, 0, 0.0
        yield max(0.0, at - lost) + lost, Kind.RESTORE, 0, dice.between(1.0, HOUR, "restores", number)
    yield from _about_providers(dice, providers)


def _about_providers(dice: Dice, providers: int) -> Iterator[_Drawn]:
    for number, at in _some(dice, "cut", 6):
        yield at, Kind.CUT, 0, dice.roll("cut", number)
        yield at + dice.between(10.0, 2 * HOUR, "cut over", number), Kind.CUT_OVER, 0, 0.0
    for number, at in _some(dice, "outage", 8):
        which = dice.whole(providers, "outage", number)
        yield at, Kind.OUTAGE, which, 0.0
        # most are short: each is as likely to last seconds as minutes or hours
        yield at + 10.0 * 4320.0 ** dice.roll("outage over", number), Kind.OUTAGE_OVER, which, 0.0
    for number, at in _some(dice, "away", 2):
        # long enough that what waits for it is given up
        which = dice.whole(providers, "away", number)
        yield at, Kind.OUTAGE, which, 0.0
        yield at + dice.between(9 * HOUR, 2 * DAY, "back", number), Kind.OUTAGE_OVER, which, 0.0
    for number, at in _some(dice, "pause", 3):
        which = dice.whole(providers, "pause", number)
        yield at, Kind.PAUSE, which, 0.0
        yield at + dice.between(60.0, 12 * HOUR, "resume", number), Kind.RESUME, which, 0.0
    for number, at in _some(dice, "remove", 3, spread=HORIZON - DAY):
        # in the thick of it, or when most of what it had is at its end
        which = dice.whole(providers, "remove", number)
        yield at, Kind.REMOVE, which, dice.between(1.0, 600.0, "starts again", number)
        yield at + dice.between(HOUR, DAY, "put back", number), Kind.PUT_BACK, which, 0.0
