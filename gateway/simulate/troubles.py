"""What goes wrong at a provider while a person looks on, so that the console has work of every kind.

Each order meets one trouble, in turn: what the provider says of it, and whether it goes on by itself. What a trust asks
of an order afterwards meets an upset, in turn. None of it is a fault of the gateway, and all of it waits for a person.

Source: console.md 6.1 (reasons on the list).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.simulate.answers import Line, Word


class Trouble(StrEnum):
    """What becomes of an order."""

    QUESTION = "question"
    """Accepted, and then asked about: a person must answer."""
    SHORT = "short"
    """Part of the supply is handed over, and the rest is owed."""
    NOT_DELIVERED = "not-delivered"
    """A delivery that was planned fails, and no new day is said."""
    CUT_OFF = "cut-off"
    """The line breaks before anything is taken: only a person can find out. Sent again, it is taken and supplied."""
    RETURNED = "returned"
    RENEWAL = "renewal"
    """A renewal is asked for before the last supply."""
    FORGOTTEN = "forgotten"
    """One supply is made, and no other is ever booked."""
    CONTRADICTED = "contradicted"
    """Accepted, and then rejected, which an accepted order cannot be: only they know which of the two holds."""
    LEISURELY = "leisurely"
    """Accepted, and supplied so slowly that it is late, and that a cancel finds something to stop."""


class Upset(StrEnum):
    """What becomes of a cancel or a hold of an order that could still be stopped."""

    IGNORED = "ignored"
    SUPPLIED_AFTER = "supplied-after"
    """A cancel is confirmed, and one more supply is handed over all the same."""
    UNDECIDED = "undecided"
    """A cancel is said to be with their dispensary, and never decided; a hold is refused."""
    SUPPLIED_BEFORE = "supplied-before"
    """All that was left is packed already: it is handed over, and the cancel comes too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a provider says of an order, in turn.

    Attributes:
        words: each with what is said beside it, if anything.
        goes_on: whether the supplies that are left are made then.
        contradicts: whether the last of the words does not fit the one before, so that it moves nothing.
    """

    words: tuple[tuple[Word, str], ...]
    goes_on: bool = False
    contradicts: bool = False


COURSES: Final[Mapping[Trouble, Course]] = {
    Trouble.QUESTION: Course(
        words=((Word.ACCEPTED, ""), (Word.QUERIED, "Nobody answers at this address. Is it the right one?"))
    ),
    Trouble.SHORT: Course(words=((Word.ACCEPTED, ""), (Word.SHORT, "Our stock is short. The rest follows."))),
    Trouble.NOT_DELIVERED: Course(
        words=((Word.ACCEPTED, ""), (Word.PLANNED, ""), (Word.NOT_DELIVERED, "Nobody was at home."))
    ),
    Trouble.CUT_OFF: Course(words=((Word.ACCEPTED, ""),), goes_on=True),
    Trouble.RETURNED: Course(words=((Word.ACCEPTED, ""), (Word.RETURNED, "The address is outside our area."))),
    Trouble.RENEWAL: Course(words=((Word.ACCEPTED, ""), (Word.RENEWAL_WANTED, "")), goes_on=True),
    Trouble.FORGOTTEN: Course(words=((Word.ACCEPTED, ""), (Word.DELIVERED, ""))),
    Trouble.CONTRADICTED: Course(
        words=((Word.ACCEPTED, ""), (Word.REJECTED, "This is not on our list.")), goes_on=True, contradicts=True
    ),
    Trouble.LEISURELY: Course(words=((Word.ACCEPTED, ""),), goes_on=True),
}
OF_ONE_SUPPLY: Final = (
    Trouble.QUESTION,
    Trouble.CUT_OFF,
    Trouble.NOT_DELIVERED,
    Trouble.SHORT,
    Trouble.RETURNED,
    Trouble.RENEWAL,
    Trouble.CONTRADICTED,
)
OF_SEVERAL: Final = (Trouble.LEISURELY, Trouble.FORGOTTEN)
"""What is supplied more than once can be cancelled or forgotten on the way."""


class Troubles:
    """Which trouble an order meets: each in its turn, or as soon as it fits."""

    def __init__(self) -> None:
        self._of_one = list(OF_ONE_SUPPLY)
        self._of_several = itertools.cycle(OF_SEVERAL)
        self._upsets: dict[str, Iterator[Upset]] = {
            "cancel": itertools.cycle(Upset),
            "hold": itertools.cycle((Upset.IGNORED, Upset.UNDECIDED)),
        }

    def meet(self, line: Line) -> Trouble:
        """Give the next trouble for an order."""
        if line.supplies > 1:
            return next(self._of_several)
        trouble = next(one for one in self._of_one if one is not Trouble.SHORT or half(line))
        self._of_one.remove(trouble)
        self._of_one.append(trouble)
        return trouble

    def upset(self, wanted: str) -> Upset | None:
        """Give the next upset for a cancel or a hold; a release has none, or the medicine would wait for ever."""
        return next(self._upsets[wanted]) if wanted in self._upsets else None


def half(line: Line) -> Decimal:
    """Give half of one supply, in whole units; nought where it cannot be parted."""
    return Decimal(str(line.quantity["value"])) // 2
