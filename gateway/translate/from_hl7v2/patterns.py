"""Repeat patterns of HL7 table 0335 and events of table 0528.

`M` is minutes and `L` is months; `QPM` is the evening; a weekday number follows `J`, for *jour*. What is not in these
tables has no meaning here: `BD`, `OD` and phrases are read only by a trust's own entry.

Source: HL7 v2.5.1 tables 0335 and 0528; mapping.md 4.4.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from gateway.domain.prescription import TimeUnit

_UNITS = {
    "S": TimeUnit.SECOND,
    "M": TimeUnit.MINUTE,
    "H": TimeUnit.HOUR,
    "D": TimeUnit.DAY,
    "W": TimeUnit.WEEK,
    "L": TimeUnit.MONTH,
}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVENTS = frozenset({"HS", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV"})
"""Events of table 0528 whose letters are also FHIR's `event-timing`."""

_NAMED_TIMES = {"QAM": "MORN", "QPM": "EVE", "QHS": "HS"}
_NAMED_COUNTS = {"BID": 2, "TID": 3, "QID": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What one pattern says.

    Attributes:
        as_needed: it was PRN; `reason` the words after it.
        once: a single time.
    """

    frequency: int | None = None
    period: Decimal | None = None
    unit: TimeUnit | None = None
    when: tuple[str, ...] = ()
    day_of_week: tuple[str, ...] = ()
    as_needed: bool = False
    reason: str = ""
    once: bool = False

    @property
    def by_day_part(self) -> bool:
        """Whether it says only *once a day at a named part of the day*; such patterns merge."""
        daily = self.frequency == 1 and self.period == 1 and self.unit is TimeUnit.DAY
        return daily and bool(self.when)


def every(number: int, unit: TimeUnit, frequency: int = 1) -> Pattern:
    """Give the pattern `frequency` times each `number` of `unit`."""
    return Pattern(frequency=frequency, period=Decimal(number), unit=unit)


def pattern(code: str) -> Pattern | None:
    """Read one code; None if it is not in the table or leaves a frequency open."""
    return _known(code) if len(code) <= _LONGEST_KNOWN else _read(code)


def _read(code: str) -> Pattern | None:
    if found := re.fullmatch(r"(?:(\S+) )?PRN(.*)", code):
        return _as_needed(found[1] or "", found[2].strip())
    if code in {"Once", "ONCE", "1"}:
        return Pattern(frequency=1, once=True)
    if code in _NAMED_TIMES:
        return replace(every(1, TimeUnit.DAY), when=(_NAMED_TIMES[code],))
    if code == "QOD":
        return every(2, TimeUnit.DAY)
    if code in _NAMED_COUNTS:
        return every(1, TimeUnit.DAY, _NAMED_COUNTS[code])
    return _parametric(code)


_LONGEST_KNOWN = len("QID PRN")
_known = lru_cache(maxsize=512)(_read)
"""Codes repeat themselves from message to message; what is longer than one may be words about a patient."""


def _as_needed(before: str, after: str) -> Pattern | None:
    """Read PRN with a pattern before it or after it (`Q6H PRN`, `PRNQ6H`), or with the words of a reason after it.

    What follows is how often where it can be (table 0335). What only looks like a frequency is no reason, nor read.
    """
    base = pattern(before) if before else Pattern()
    if base is None or not after:
        return replace(base, as_needed=True) if base else None
    if often := pattern(after):
        return None if before else replace(often, as_needed=True)
    if re.search(r"\d", after) or re.fullmatch(r"[A-Z]{1,3}", after) or folded(after) in _TIMES_IN_WORDS:
        return None
    return replace(base, as_needed=True, reason=after)


def _parametric(code: str) -> Pattern | None:
    if found := re.fullmatch(r"([1-9]\d?)ID", code, re.ASCII):
        return every(1, TimeUnit.DAY, int(found[1]))
    if found := re.fullmatch(r"Q([1-9]\d{0,2})([SMHDWL])|Q([HDW])", code, re.ASCII):
        return every(int(found[1] or 1), _UNITS[found[2] or found[3]])
    if found := re.fullmatch(r"Q([1-9]\d?)?J([1-7])", code, re.ASCII):
        return replace(every(int(found[1] or 1), TimeUnit.WEEK), day_of_week=(DAYS[int(found[2]) - 1],))
    return None


PHRASES = {
    phrase: code
    for code, phrases in {
        "QD": ("once a day", "every day", "once daily", "daily"),
        "BID": ("twice a day", "twice daily", "two times a day"),
        "TID": ("three times a day", "three times daily"),
        "QID": ("four times a day", "four times daily"),
        "QOD": ("every other day", "alternate days", "every two days", "every 2 days"),
        "QAM": ("in the morning", "every morning"),
        "QPM": ("in the evening", "every evening"),
        "QHS": ("at bedtime", "every night", "at night"),
        "Q1W": ("every week", "weekly", "once a week", "once weekly"),
        "Q2W": ("every two weeks", "every 2 weeks", "fortnightly"),
        "Q4W": ("every four weeks", "every 4 weeks"),
        "Q1L": ("every month", "monthly", "once a month"),
    }.items()
    for phrase in phrases
}
"""What the words beside a code would mean: only to notice that they mean another pattern, never to read one."""

_TIMES_IN_WORDS = frozenset({*PHRASES, "mane", "nocte"})
"""Words that are a time, and so never the reason of PRN."""


def folded(words: str) -> str:
    """Fold case and spaces, as phrases are compared."""
    return " ".join(words.split()).casefold()


def contradicts(words: str, code: str) -> bool:
    """Tell whether the words beside a code are known and say something else than the code."""
    meant = PHRASES.get(folded(words))
    return meant is not None and pattern(meant) != pattern(code)
