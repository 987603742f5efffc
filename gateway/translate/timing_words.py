"""English words for when and how often: the timing half of `dose_words`.

Every number is printed as the sender wrote it, and compared as written: `1` is "a day", `1.0` is "every 1.0 days".

Source: mapping.md 8.1 and 8.2; the NHS dose syntax guide; FHIR R4 `Timing` (rules tim-1 to tim-10).
"""

from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import Decimal

from gateway.domain.prescription import Bounds, Duration, TimeUnit, Timing
from gateway.domain.quantity import lexeme


class Unsayable(Exception):
    """The structure cannot be put into words, for the reason given. It never leaves `dose_words.words`."""


UNIT_WORDS: dict[TimeUnit, str] = {
    TimeUnit.SECOND: "second",
    TimeUnit.MINUTE: "minute",
    TimeUnit.HOUR: "hour",
    TimeUnit.DAY: "day",
    TimeUnit.WEEK: "week",
    TimeUnit.MONTH: "month",
    TimeUnit.YEAR: "year",
}
_EACH: dict[TimeUnit, str] = {
    TimeUnit.SECOND: "every second",
    TimeUnit.MINUTE: "every minute",
    TimeUnit.HOUR: "hourly",
    TimeUnit.DAY: "daily",
    TimeUnit.WEEK: "weekly",
    TimeUnit.MONTH: "monthly",
    TimeUnit.YEAR: "annually",
}
DAY_WORDS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
EVENT_WORDS = {
    "MORN": "during the morning",
    "MORN.early": "during the early morning",
    "MORN.late": "during the late morning",
    "NOON": "around 12:00pm",
    "AFT": "during the afternoon",
    "AFT.early": "during the early afternoon",
    "AFT.late": "during the late afternoon",
    "EVE": "during the evening",
    "EVE.early": "during the early evening",
    "EVE.late": "during the late evening",
    "NIGHT": "during the night",
    "PHS": "once asleep",
    "HS": "before sleep",
    "WAKE": "upon waking",
    "C": "at a meal",
    "CM": "at breakfast",
    "CD": "at lunch",
    "CV": "at dinner",
    "AC": "before a meal",
    "ACM": "before breakfast",
    "ACD": "before lunch",
    "ACV": "before dinner",
    "PC": "after a meal",
    "PCM": "after breakfast",
    "PCD": "after lunch",
    "PCV": "after dinner",
}
_BEFORE_OR_AFTER = frozenset({"HS", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV"})
"""Events an offset can be counted from in words: "30 minutes after a meal", but not "30 minutes during the night"."""
_MINUTES_AN_HOUR = 60
_HOURS_A_DAY = 24


def listed(items: Sequence[str]) -> str:
    """Join as a sentence does: `a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def number(value: Decimal) -> str:
    """Give a number as written; it must be above nought."""
    if value <= 0:
        raise Unsayable("an amount must be above nought")
    return lexeme(value)


def time_unit(value: Decimal, unit: TimeUnit) -> str:
    """Give the unit's word, plural unless the number is written `1`."""
    word = UNIT_WORDS[unit]
    return word if number(value) == "1" else f"{word}s"


def length(duration: Duration) -> str:
    """Say a length of time: `4 hours`."""
    return f"{number(duration.value)} {time_unit(duration.value, duration.unit)}"


def on_date(day: date) -> str:
    """Say a date as people in the United Kingdom write it."""
    return day.strftime("%d/%m/%Y")


def spelt_date(day: date) -> str:
    """Say a date as `3 Mar 2026`, which nobody reads with day and month exchanged (console.md 9)."""
    return f"{day.day} {day:%b %Y}"


def over(timing: Timing) -> str:
    """Say how long one administration takes."""
    least, most = timing.administer_over, timing.administer_over_max
    if least is None and most is None:
        return ""
    if least is None:
        raise Unsayable("a longest duration is given without a duration")
    return f"over {length(least)}" + (f" (maximum {length(most)})" if most else "")


def frequency(timing: Timing) -> str:
    """Say how many times in which period."""
    if any(count is not None and count < 1 for count in (timing.frequency, timing.frequency_max)):
        raise Unsayable("a frequency must be above nought")
    if timing.frequency is None and timing.frequency_max is None:
        return _period_alone(timing)
    times, period = _times(timing), _period(timing)
    if times == "once" and period and not period.startswith("a"):
        return period
    return " ".join(part for part in (times, period) if part)


def _period_alone(timing: Timing) -> str:
    if timing.period is None and timing.period_max is None:
        if timing.period_unit is not None:
            raise Unsayable("a unit of period is given without a period")
        return ""
    if timing.period is None or timing.period_max is not None or number(timing.period) != "1":
        raise Unsayable("a period is given without a frequency, and it is not 1")
    return _EACH[_period_unit(timing)]


def _period_unit(timing: Timing) -> TimeUnit:
    if timing.period_unit is None:
        raise Unsayable("a period is given without its unit")
    return timing.period_unit


def _times(timing: Timing) -> str:
    least, most = timing.frequency, timing.frequency_max
    if least is None:
        return f"up to {most} times"
    if most is not None:
        if most < least:
            raise Unsayable("the highest frequency is below the lowest")
        return f"{least} to {most} times"
    return {1: "once", 2: "twice"}.get(least, f"{least} times")


def _period(timing: Timing) -> str:
    if timing.period is None and timing.period_max is None:
        if timing.period_unit is not None:
            raise Unsayable("a unit of period is given without a period")
        return ""
    if timing.period is None:
        raise Unsayable("a longest period is given without a period")
    unit = _period_unit(timing)
    if timing.period_max is not None:
        if timing.period_max < timing.period:
            raise Unsayable("the longest period is below the shortest")
        return f"every {number(timing.period)} to {number(timing.period_max)} {time_unit(timing.period_max, unit)}"
    if number(timing.period) == "1":
        return f"{'an' if unit is TimeUnit.HOUR else 'a'} {UNIT_WORDS[unit]}"
    return f"every {number(timing.period)} {time_unit(timing.period, unit)}"


def offset_and_when(timing: Timing) -> str:
    """Say the part of the day or the meal, and how far from it."""
    unknown = [code for code in timing.when if code not in EVENT_WORDS]
    if unknown:
        raise Unsayable(f"the event timing {unknown[0]} has no words")
    moments = listed([EVENT_WORDS[code] for code in timing.when])
    if timing.offset_minutes is None:
        return moments
    if not timing.when:
        raise Unsayable("an offset is given without the event it counts from")
    if timing.offset_minutes < 1 or not _BEFORE_OR_AFTER.issuperset(timing.when):
        raise Unsayable("the offset cannot be counted from this event in words")
    return f"{_offset(timing.offset_minutes)} {moments}"


def _offset(minutes: int) -> str:
    hours, odd_minutes = divmod(minutes, _MINUTES_AN_HOUR)
    days, odd_hours = divmod(hours, _HOURS_A_DAY)
    if odd_minutes:
        return length(Duration(value=Decimal(minutes), unit=TimeUnit.MINUTE))
    if odd_hours:
        return length(Duration(value=Decimal(hours), unit=TimeUnit.HOUR))
    return length(Duration(value=Decimal(days), unit=TimeUnit.DAY))


def day_and_time(timing: Timing) -> str:
    """Say the days of the week and the times of day."""
    unknown = [day for day in timing.day_of_week if day not in DAY_WORDS]
    if unknown:
        raise Unsayable(f"the day {unknown[0]} has no words")
    days = listed([DAY_WORDS[day] for day in timing.day_of_week])
    times = listed([_clock(moment) for moment in timing.time_of_day])
    return " ".join(part for part in (f"on {days}" if days else "", f"at {times}" if times else "") if part)


def _clock(moment: time) -> str:
    if moment.microsecond:
        raise Unsayable("a time of day has a fraction of a second")
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def bounds(limits: Bounds | None, say: Callable[[date], str] = on_date) -> str:
    """Say from when, until when, or for how long; `say` gives a date in words."""
    if limits is None:
        return ""
    parts = (_between(limits.start, limits.end, say), _for(limits.duration, limits.duration_high))
    return " ".join(part for part in parts if part)


def _between(start: date | None, end: date | None, say: Callable[[date], str]) -> str:
    if start and end:
        if end < start:
            raise Unsayable("the end is before the start")
        return f"from {say(start)} to {say(end)}"
    if start:
        return f"from {say(start)}"
    return f"until {say(end)}" if end else ""


def _for(low: Duration | None, high: Duration | None) -> str:
    if low and high:
        if low.unit is high.unit and high.value < low.value:
            raise Unsayable("the longest duration is below the shortest")
        same_word = time_unit(low.value, low.unit) == time_unit(high.value, high.unit)
        return f"for {number(low.value) if same_word else length(low)} to {length(high)}"
    if low:
        return f"for {length(low)}"
    return f"for up to {length(high)}" if high else ""


def events(timing: Timing, say: Callable[[date], str] = on_date) -> str:
    """Say the dates it is given on; `say` gives one in words."""
    return f"on {listed([say(day) for day in timing.on_dates])}" if timing.on_dates else ""


def count(timing: Timing) -> str:
    """Say how many times in all. Only a medicine that is *taken* can be said so; the caller asks first."""
    least, most = timing.count, timing.count_max
    if least is None and most is None:
        return ""
    if least is None or least < 1 or (most is not None and most < least):
        raise Unsayable("a highest count needs a lowest count at or below it, above nought")
    if most is not None:
        return f"take {least} to {most} times"
    return {1: "take once", 2: "take twice"}.get(least, f"take {least} times")
