"""Lines on the list of what needs attention that no alert speaks for: they wait for a pharmacist, or for a delivery.

They are read from the lines and deliveries themselves: a prescription to be checked, a question to be answered, a
delivery that failed and has no new day, and a supply that nobody has booked though the one before it ends soon. A line
that has an open alert is on the list by that.

Source: console.md 6.1 (reasons).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.domain.calendar import LONDON
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import LEAD_TIME, OF_STATE, REASONS, Reason, Standing
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Reader

SOON: Final = timedelta(days=14)
"""A supply that is due within it and that nobody has booked is on the list."""

_SCOPES: Final = {
    "all": "TRUE",
    "trust": "line.tenant = :tenant",
    "provider": """EXISTS (
        SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant
            AND allocation.ended_at IS NULL)""",
}
_NO_ALERT: Final = "NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL)"
_SUPPLYING: Final = "line.state IN ('ACCEPTED', 'VALIDATED', 'IN_SUPPLY', 'PART_SUPPLIED')"
_OF_PROVIDER: Final = "(:provider = '' OR line.provider = :provider)"
_FOR_A_PERSON: Final = """
SELECT line.id, line.last_day, line.risk, line.entered_at, line.state FROM line
WHERE line.state IN ('AWAITING_SCREENING', 'QUERIED') AND {scope} AND {provider} AND {no_alert}
    AND (:before = '' OR line.last_day IS NULL OR line.last_day < :before)
    AND (:kinds = '' OR line.state IN (SELECT value FROM json_each(:states)))
ORDER BY coalesce(line.last_day, :today), line.risk, line.id LIMIT :most
"""
_FAILED: Final = """
SELECT line.id, line.last_day, line.risk, delivery.entered_at, line.state FROM delivery
JOIN line ON line.id = delivery.line
WHERE delivery.state = 'FAILED' AND {supplying} AND {scope} AND {provider} AND {no_alert}
    AND (:before = '' OR line.last_day IS NULL OR line.last_day < :before)
ORDER BY coalesce(line.last_day, :today), line.risk, line.id LIMIT :most
"""
_UNBOOKED: Final = """
SELECT line.id, delivery.due_on, line.risk, line.entered_at, line.state FROM delivery
JOIN line ON line.id = delivery.line
WHERE delivery.state IN ('PLANNED', 'RELEASED') AND delivery.due_on <= :soon AND line.entered_at <= :yesterday
    AND {supplying} AND {scope} AND {provider} AND {no_alert}
    AND NOT EXISTS (SELECT 1 FROM delivery AS other WHERE other.line = line.id AND (
        other.state IN ('BOOKED', 'PREPARING', 'READY_TO_GO', 'DISPATCHED', 'FAILED')
        OR other.state IN ('PLANNED', 'RELEASED') AND other.issue < delivery.issue))
    AND (:before = '' OR delivery.due_on < :due_before)
ORDER BY delivery.due_on, line.risk, line.id LIMIT :most
"""
_KINDS: Final = {"person": _FOR_A_PERSON, "failed": _FAILED, "unbooked": _UNBOOKED}
WAITING: Final[Mapping[tuple[str, str], str]] = {
    (kind, scope): sql.format(scope=within, provider=_OF_PROVIDER, no_alert=_NO_ALERT, supplying=_SUPPLYING)
    for kind, sql in _KINDS.items()
    for scope, within in _SCOPES.items()
}
HOW_MANY: Final[Mapping[tuple[str, str], str]] = {
    each: f"SELECT count(*) FROM ({sql}) AS counted"  # noqa: S608 - our own words alone
    for each, sql in WAITING.items()
}
_WHY: Final = {"failed": Reason.DELIVERY_FAILED, "unbooked": Reason.NO_DELIVERY}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One line that waits: which, why, and where it stands."""

    line: int
    reason: Reason
    standing: Standing


def times(now: datetime, before: date | None = None) -> dict[str, Any]:
    """Give the moments and days that the questions compare with."""
    today = now.astimezone(LONDON).date()
    return {
        "soon": (today + SOON).isoformat(),
        "yesterday": stored(now - REASONS[Reason.NO_DELIVERY].limit),
        "due_before": (before + LEAD_TIME).isoformat() if before else "",
    }


def kinds_of(reason: Reason | None) -> tuple[str, ...]:
    """Give the sorts of lines that can wait for a reason; all where none is asked for."""
    if reason is None:
        return tuple(_KINDS)
    return tuple(kind for kind in _KINDS if _WHY.get(kind, reason) is reason)


def rows(
    reader: Reader, values: Mapping[str, Any], *, scopes: tuple[str, ...], kinds: tuple[str, ...]
) -> Iterator[WaitingRow]:
    """Give the first lines of each sort, as many as `most` says."""
    for kind in kinds:
        for scope in scopes:
            for line, day, risk, since, state in reader.execute(WAITING[kind, scope], values):
                yield WaitingRow(
                    line, _WHY.get(kind) or OF_STATE[LineState(state)], _standing(kind, day, risk, since, line)
                )


def count(reader: Reader, values: Mapping[str, Any], *, scopes: tuple[str, ...], kinds: tuple[str, ...]) -> int:
    """Count the lines of each sort, as far as `most` says."""
    return sum(int(next(iter(reader.execute(HOW_MANY[kind, scope], values)))[0]) for kind in kinds for scope in scopes)


def _standing(kind: str, day: str | None, risk: int, since: int, line: int) -> Standing:
    last = date.fromisoformat(day) if day else None
    if last is not None and kind == "unbooked":
        last -= LEAD_TIME  # by the plan, the medicine of the supply before ends on the day this one is due
    return Standing(incident=False, last_day=last, risk=risk, since=instant(since), number=line)
