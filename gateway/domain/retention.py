"""How long records stay where they are used, and how long they are kept at all. Periods are data; a person decides.

A prescription that is closed stays in the store for a time, so that it is found at once; then it moves to an archive,
which is kept until the last of its records may go. The rule in force on the day of archiving counts, whenever the
record is from: a period that is made longer must hold for what is there already.

Source: reliability-security.md 9 (retention); brief D12; domain.md (records management: configuration, legal hold).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from gateway.domain.identifiers import OdsCode

ADULT: Final = 18
"""Age from which a patient's records are an adult's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTerm:
    """What holds from a day on.

    Attributes:
        since: first day on which it holds.
        trust: whose records; None for every trust without a term of its own.
        archive_after_days: how long a closed prescription stays in the store.
        keep_years: how long it is kept in all, from the day on which the last thing happened to it.
        keep_until_age: the records of a patient who was not of age then are kept at least until this birthday.
        decided_by: who decided so, in words; shown wherever the term is.
    """

    since: date
    trust: OdsCode | None
    archive_after_days: int
    keep_years: int
    keep_until_age: int
    decided_by: str

    def leaves_after(self, ended: datetime) -> datetime:
        """Give from when on a prescription may move to an archive."""
        return ended + timedelta(days=self.archive_after_days)

    def keep_until(self, ended: date, birth_date: date | None) -> date:
        """Give the first day on which the record need not be kept any more.

        Args:
            ended: when the last thing happened to it.
            birth_date: the patient's; None where it is not known, and an adult is then assumed to be none.
        """
        until = _years_on(ended, self.keep_years)
        if birth_date is None:
            return max(until, _years_on(ended, self.keep_until_age))
        child = ended < _years_on(birth_date, ADULT)
        return max(until, _years_on(birth_date, self.keep_until_age)) if child else until


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Every term of the configuration, of whatever day and trust."""

    terms: Sequence[RetentionTerm]

    def term(self, trust: OdsCode, today: date) -> RetentionTerm | None:
        """Give the term in force for a trust: its own before the general one, the latest of several; None without."""
        known = [one for one in self.terms if one.since <= today and one.trust in {trust, None}]
        return max(known, key=lambda one: (one.trust is not None, one.since), default=None)

    def shortest(self, today: date) -> timedelta | None:
        """Give the shortest time that any closed prescription stays; None where no term is in force."""
        known = [one for one in self.terms if one.since <= today]
        return timedelta(days=min(one.archive_after_days for one in known)) if known else None


def _years_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)
