"""Dates and times of HL7 v2: real, as precise as they were sent, and London where no zone is said.

Source: HL7 v2.5.1 chapter 2A, DTM and TS; mapping.md 2.4.
"""

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from gateway.domain.calendar import is_possible
from gateway.translate.from_hl7v2.desk import Desk
from gateway.translate.record import Leaf

LONDON = ZoneInfo("Europe/London")
_FORM = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:(\d{2})(?:\.(\d{1,4}))?)?)?(?:([+-])(\d{2})(\d{2}))?", re.ASCII
)
_WANTED = "Send a real date, YYYYMMDD, or date and time, YYYYMMDDHHMM[SS], with +ZZZZ where it is not London time."


def moment(desk: Desk, leaf: Leaf | None, target: str, default: tzinfo = LONDON) -> datetime | None:
    """Read a date and time; a date alone is its midnight in London.

    Args:
        desk: takes the trace and the issues.
        leaf: None gives None.
        target: canonical path; empty writes no trace row.
        default: zone of a time that states none.
    """
    if leaf is None:
        return None
    found = parse(leaf.raw, default)
    if found is None:
        desk.use(leaf)
        desk.flag("VALUE_INVALID", leaf.locator, _WANTED)
        return None
    if target:
        desk.trace(target, leaf, "parse:hl7-time", found.isoformat())
    else:
        desk.use(leaf)
    if ambiguous(leaf.raw, found):
        desk.flag("TIME_AMBIGUOUS", leaf.locator, "The time falls in the hour that October repeats; send its zone.")
    return found


def day(desk: Desk, leaf: Leaf | None, target: str, default: tzinfo = LONDON) -> date | None:
    """Read the London date of a date or time."""
    found = moment(desk, leaf, target, default)
    return found.astimezone(LONDON).date() if found else None


def parse(text: str, default: tzinfo = LONDON) -> datetime | None:
    """Parse HL7's form; None for no possible date, for the hour spring skips, and for less than a whole date."""
    if len(text) == len("YYYYMMDD") and text[:2] in {"19", "20"} and text.isdecimal() and text.isascii():
        return _midnight(text)
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day_, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    if sign and (int(hours) > 14 or int(minutes) > 59):  # noqa: PLR2004 - no zone is further from Greenwich
        return None
    zone: tzinfo = LONDON if hour is None else default
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-offset if sign == "-" else offset)
    micro = int((fraction or "0").ljust(6, "0"))
    try:
        value = datetime(
            int(year), int(month), int(day_), int(hour or 0), int(minute or 0), int(second or 0), micro, tzinfo=zone
        )
        whole = value.astimezone(timezone.utc).astimezone(zone)  # noqa: UP017 - timezone.utc reads beside timezone()
    except (ValueError, OverflowError):
        return None
    return value if whole.replace(fold=0) == value.replace(fold=0) and is_possible(value) else None


def _midnight(text: str) -> datetime | None:
    """Give a date of these two centuries, in which no midnight in London was skipped."""
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=LONDON)
    except ValueError:
        return None


def ambiguous(text: str, value: datetime) -> bool:
    """Tell whether the time has no zone and falls in the repeated hour."""
    if value.tzinfo is not LONDON or len(text) <= len("YYYYMMDD"):
        return False
    return value.replace(fold=0).utcoffset() != value.replace(fold=1).utcoffset()


def default_zone(sent: datetime | None) -> tzinfo:
    """Give the zone of times that state none: MSH-7's, and London's own rules where MSH-7 agrees with London."""
    if sent is None or sent.tzinfo is None:
        return LONDON
    return LONDON if sent.utcoffset() == sent.astimezone(LONDON).utcoffset() else sent.tzinfo


def clock(text: str) -> time | None:
    """Parse a time of day, HHMM or HHMMSS."""
    found = re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d))?", text, re.ASCII)
    return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
