"""Reads deadlines.toml and calendar.toml: how long each state may last, and which days are worked.

A folder without a calendar of its own has the one that ships with the gateway.
"""

import re
from dataclasses import replace
from datetime import date
from math import ceil
from typing import Final

from gateway.config.fields import Fields
from gateway.domain.calendar import WorkingCalendar, is_possible
from gateway.domain.custody import CUSTODY, Custody
from gateway.domain.deadline import (
    ANSWERS,
    LONGEST_SECONDS,
    LONGEST_WORKING_DAYS,
    PAPER,
    Deadlines,
    Limit,
    Request,
    Term,
    Urgency,
)
from gateway.domain.lifecycle import LineState

_WORDS: Final = re.compile(r"([1-9]\d{0,3}) (minute|hour|working day)s?")
_WORKING_DAY: Final = "working day"
_DAY_SECONDS: Final = 86400
_SECONDS: Final = {"minute": 60, "hour": 3600, _WORKING_DAY: _DAY_SECONDS}
_WHY: Final = (
    f"the longest limit is {LONGEST_SECONDS // _DAY_SECONDS} days ({LONGEST_SECONDS} seconds, "
    f"{LONGEST_SECONDS // 3600} hours) or {LONGEST_WORKING_DAYS} working days, for no prescription is valid for longer"
)
_PAPER: Final = "PAPER_ORIGINAL"
_NOT_STATES: Final = frozenset({"class", "from", _PAPER})


def read_deadlines(fields: Fields, calendar: Fields, *, time_scale: float) -> Deadlines:
    """Read both files.

    Args:
        fields: deadlines.toml.
        calendar: calendar.toml.
        time_scale: how many times faster than real time the deadlines run. Where that is not 1, a working day is 24
            hours divided by it, for days of a calendar cannot be hurried.
    """
    custody = _custody(fields.table("seconds"), time_scale)
    answers = _answers(fields.table("answers"), time_scale)
    terms = [_term(table, time_scale) for table in fields.tables("limits")]
    fields.done()
    _refuse_twice(fields, terms)
    return Deadlines(
        custody=custody,
        terms=tuple(terms),
        calendar=_calendar(calendar),
        answers=answers,
        paper=Limit(seconds=ceil(PAPER.seconds / time_scale)),
    )


def _custody(stated: Fields, time_scale: float) -> dict[LineState, Custody]:
    limits: dict[LineState, int] = {}
    for key in stated.keys():  # noqa: SIM118 - a method of ours, not of a dict
        state = _state(stated, key)
        if state is not None:
            limits[state] = stated.whole(key, 0, most=LONGEST_SECONDS, because=_WHY)
    return {state: _scaled(row, limits.get(state), time_scale) for state, row in CUSTODY.items()}


def _scaled(row: Custody, stated: int | None, time_scale: float) -> Custody:
    """Apply a stated limit and the time scale; a limit above nought never becomes nought."""
    limit = row.limit_seconds if stated is None else stated
    return replace(row, limit_seconds=None if limit is None else ceil(limit / time_scale))


def _answers(stated: Fields, time_scale: float) -> dict[Request, Limit]:
    """Read how long a provider has to answer; what is not stated is two hours, hurried like all else."""
    default = {request: Limit(seconds=ceil(limit.seconds / time_scale)) for request, limit in ANSWERS.items()}
    for key in stated.keys():  # noqa: SIM118 - a method of ours, not of a dict
        if key in set(Request):
            default[Request(key)] = _limit(stated, key, time_scale)
        else:
            stated.fault(key, f"is not one of {', '.join(Request)}")
    return default


def _term(table: Fields, time_scale: float) -> Term:
    urgency = table.choice("class", Urgency)
    since = table.day("from")
    limits: dict[LineState, Limit] = {}
    for key in table.keys():  # noqa: SIM118 - a method of ours, not of a dict
        if key not in _NOT_STATES and (state := _state(table, key)) is not None:
            limits[state] = _limit(table, key, time_scale)
    paper = _limit(table, _PAPER, time_scale) if table.has(_PAPER) else None
    return Term(since=since, urgency=urgency, limits=limits, paper=paper)


def _limit(table: Fields, key: str, time_scale: float) -> Limit:
    words = table.text(key)
    if words == "at once":
        return Limit()
    match = _WORDS.fullmatch(words)
    if match is None:
        table.fault(key, "is not 'at once', or a number of minutes, hours or working days: '4 hours'")
        return Limit()
    count, unit = int(match[1]), match[2]
    if count * _SECONDS[unit] > (LONGEST_WORKING_DAYS * _DAY_SECONDS if unit == _WORKING_DAY else LONGEST_SECONDS):
        table.fault(key, f"{words!r} is too long: {_WHY}")
        return Limit()
    if unit == _WORKING_DAY and time_scale == 1.0:
        return Limit(working_days=count)
    return Limit(seconds=ceil(count * _SECONDS[unit] / time_scale))


def _state(table: Fields, key: str) -> LineState | None:
    state = LineState.__members__.get(key)
    if state is None or CUSTODY[state].limit_seconds is None:
        table.fault(key, "is not a state with a deadline")
        return None
    return state


def _refuse_twice(fields: Fields, terms: list[Term]) -> None:
    """Note what two terms of one class and day state: neither would be the later."""
    seen: set[tuple[Urgency, date, str]] = set()
    for index, term in enumerate(terms):
        for state in (*term.limits, *([_PAPER] if term.paper else [])):
            entry = (term.urgency, term.since, state)
            if entry in seen:
                fields.fault(f"limits[{index}]", f"{state} is stated twice for {term.urgency} from {term.since}")
            seen.add(entry)


def _calendar(fields: Fields) -> WorkingCalendar:
    first, last = fields.day("first"), fields.day("last")
    holidays = fields.days("holidays")
    for key, day in (("first", first), ("last", last)):
        if not is_possible(day):
            fields.fault(key, f"{day} is of no year in which anything is due")
    if first > last:
        fields.fault("last", "is before first")
    outside = [str(day) for day in holidays if not first <= day <= last]
    if outside:
        fields.fault("holidays", f"outside the days covered: {', '.join(outside)}")
    for year in range(first.year, last.year + 1):
        if not any(day.year == year for day in holidays):
            fields.fault("holidays", f"none is stated for {year}")
    calendar = WorkingCalendar(first=first, last=last, holidays=frozenset(holidays), source=fields.text("source"))
    fields.done()
    return calendar
