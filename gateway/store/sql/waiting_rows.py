"""Lines on the list of what needs attention that no alert speaks for: they wait for a pharmacist, or for a delivery.

They are read from the lines and deliveries themselves: a prescription to be checked, a question to be answered, a
delivery that failed and has no new day, and a supply that nobody has booked though the one before it ends soon. A line
that has an open alert is on the list by that.

Source: console.md 6.1 (reasons).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, Final, NamedTuple

from gateway.domain.calendar import LONDON
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import LEAD_TIME, OF_STATE, REASONS, Reason
from gateway.ports.attention import LineOnList
from gateway.store.sql.alert_order import NEEDS, OWN
from gateway.store.sql.listing import numbers
from gateway.store.sql.seeing import OWN_ALERT
from gateway.store.sql.transaction import Reader

SOON: Final = timedelta(days=14)
"""A supply that is due within it and that nobody has booked is on the list."""

_HAS_IT: Final = """EXISTS (
        SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant
            AND allocation.ended_at IS NULL)"""
_SCOPES: Final = {
    "all": "TRUE",
    "trust": "{table}.tenant = :tenant",
    "provider": f"{{table}}.provider = :tenant AND {_HAS_IT}",
}
"""Asked of the table that is walked through, which has both in its index."""
_NO_ALERT: Final = "NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL{own})"
_OWN_ALONE: Final = {"provider": f" AND {OWN_ALERT}"}
"""What a provider is not shown takes nothing off its list."""
_SUPPLYING: Final = "line.state IN ('ACCEPTED', 'VALIDATED', 'IN_SUPPLY', 'PART_SUPPLIED')"
_SEEN_TO: Final = "'BOOKED', 'PREPARING', 'READY_TO_GO', 'DISPATCHED', 'FAILED'"
"""States of a delivery of which there is more to say than that nobody has booked the next."""
_OF_PROVIDER: Final = f"(:provider = '' OR line.provider = :provider) AND {NEEDS.format(whose='line.provider')}"
_FOR_A_PERSON: Final = """
SELECT line.id, line.last_day, line.risk, line.entered_at, line.state, line.provider FROM line
WHERE line.state IN ('AWAITING_SCREENING', 'QUERIED') AND {within} AND {{scope}} AND {{provider}} AND {{no_alert}}
    AND (:kinds = '[]' OR line.state IN (SELECT value FROM json_each(:states)))
ORDER BY line.last_day, line.risk, line.id LIMIT :most
"""
_FAILED: Final = """
SELECT line.id, line.last_day, line.risk, delivery.entered_at, line.state, line.provider FROM delivery
JOIN line ON line.id = delivery.line
WHERE delivery.state = 'FAILED' AND {supplying} AND {scope} AND {provider} AND {no_alert}
    AND NOT EXISTS (
        SELECT 1 FROM delivery AS other
        WHERE other.line = delivery.line AND other.state = 'FAILED' AND other.id < delivery.id)
    AND (line.last_day IS NULL OR line.last_day < :before)
ORDER BY coalesce(line.last_day, :today), line.risk, line.id LIMIT :most
"""
"""A line is on it once, by the first of its deliveries that failed."""
_UNBOOKED: Final = f"""
SELECT line.id, delivery.due_on, line.risk, line.entered_at, line.state, line.provider FROM delivery
JOIN line ON line.id = delivery.line
WHERE delivery.state = '{{state}}' AND delivery.due_on <= :soon AND line.entered_at <= :yesterday
    AND {{{{supplying}}}} AND {{{{scope}}}} AND {{{{provider}}}} AND {{{{no_alert}}}}
    AND NOT EXISTS (SELECT 1 FROM delivery AS other WHERE other.line = line.id AND (
        other.state IN ({_SEEN_TO})
        OR other.state IN ('PLANNED', 'RELEASED') AND other.issue < delivery.issue))
ORDER BY delivery.due_on, line.risk, line.id LIMIT :most
"""  # noqa: S608 - our own words alone
STANDS: Final = f"""
SELECT line.id, line.state, (
        SELECT alert.id FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL AND {OWN}
        ORDER BY alert.place, alert.id LIMIT 1),
    CASE WHEN {_SUPPLYING} THEN (
        SELECT max(delivery.issue) FROM delivery WHERE delivery.line = line.id AND delivery.state = 'FAILED') END,
    CASE WHEN {_SUPPLYING} THEN (
        SELECT delivery.due_on FROM delivery
        WHERE delivery.line = line.id AND delivery.state IN ('PLANNED', 'RELEASED')
            AND NOT EXISTS (
                SELECT 1 FROM delivery AS other WHERE other.line = line.id AND other.state IN ({_SEEN_TO}))
        ORDER BY delivery.issue LIMIT 1) END
FROM line WHERE line.id IN {numbers(":lines")}
"""  # noqa: S608 - our own words alone
_KINDS: Final = {
    "past": _FOR_A_PERSON.format(within="line.last_day < :past"),
    "unknown": _FOR_A_PERSON.format(within="line.last_day IS NULL"),
    "today": _FOR_A_PERSON.format(within="line.last_day = :today AND line.last_day < :before"),
    "later": _FOR_A_PERSON.format(within="line.last_day > :today AND line.last_day < :before"),
    "failed": _FAILED,
    "planned": _UNBOOKED.format(state="PLANNED"),
    "released": _UNBOOKED.format(state="RELEASED"),
}
"""Each by an index that has nothing else in it, and most in its order."""
_OF_DELIVERIES: Final = frozenset({"failed", "planned", "released"})
WAITING: Final[Mapping[tuple[str, str], str]] = {
    (kind, scope): sql.format(
        scope=within.format(table="delivery" if kind in _OF_DELIVERIES else "line"),
        provider=_OF_PROVIDER,
        no_alert=_NO_ALERT.format(own=_OWN_ALONE.get(scope, "")),
        supplying=_SUPPLYING,
    )
    for kind, sql in _KINDS.items()
    for scope, within in _SCOPES.items()
}
_WHY: Final = {"failed": Reason.DELIVERY_FAILED, "planned": Reason.NO_DELIVERY, "released": Reason.NO_DELIVERY}
_IS: Final = {
    "trust": "SELECT 1 FROM prescription WHERE tenant = ? LIMIT 1",
    "provider": "SELECT 1 FROM allocation WHERE provider = ? LIMIT 1",
}
_FOR_PERSONS: Final = (LineState.AWAITING_SCREENING, LineState.QUERIED)
_OF_PERSONS: Final = tuple(OF_STATE[state] for state in _FOR_PERSONS)


class WaitingRow(NamedTuple):
    """One line that waits.

    Attributes:
        day: the last one on which acting is early enough, as the tables hold it; None where it is not known.
        since: in microseconds.
        provider: that has it; None where none has.
        due_by: until when a supply must be due, for the line to wait for its booking; None where it waits for another
            thing.
    """

    line: int
    reason: Reason
    day: str | None
    risk: int
    since: int
    provider: str | None
    due_by: str | None = None


class Stands(NamedTuple):
    """Where a line that waited stands now.

    Attributes:
        alert: that is open for it now, the first of those that the tenant is shown; then it is on the list by that.
        reason: why it waits; None where it does not.
        due_on: the day of the first supply, where that is not booked.
    """

    alert: int | None
    reason: Reason | None
    due_on: str | None

    def waits(self, reason: Reason, due_by: str | None) -> bool:
        """Tell whether it waits for what it was found to wait for."""
        if self.alert is not None or self.reason is not reason:
            return False
        return due_by is None or (self.due_on is not None and self.due_on <= due_by)

    def waits_since(self, shown: LineOnList, now: datetime) -> bool:
        """Tell whether it waits without an alert, though it was not found to: as the list itself would have it."""
        if self.alert is not None or self.reason is None:
            return False
        if self.reason is not Reason.NO_DELIVERY:
            return True
        soon = _moved(now.astimezone(LONDON).date().isoformat(), _ahead(shown.needs or LEAD_TIME))
        entered = shown.entered_at <= now - REASONS[Reason.NO_DELIVERY].limit
        return entered and self.due_on is not None and self.due_on <= soon


def kinds_of(reason: Reason | None) -> tuple[str, ...]:
    """Give the sorts of lines that can wait for a reason; all where none is asked for."""
    if reason is None:
        return tuple(_KINDS)
    return tuple(kind for kind in _KINDS if reason in ((_WHY[kind],) if kind in _WHY else _OF_PERSONS))


def rows(
    reader: Reader, values: Mapping[str, Any], *, tenant: OdsCode | None, kinds: tuple[str, ...], lead: timedelta
) -> Iterator[WaitingRow]:
    """Give lines: the first `least` of the order are among them, and there are `most`, if so many wait.

    Args:
        reader: asked.
        values: what the statements are given.
        tenant: whose; None for all.
        kinds: the sorts of lines.
        lead: what their providers need.
    """
    found = 0
    values = {**values, "soon": _soon(values, lead)}
    for kind, scope in product(kinds, _scopes(reader, tenant)):
        most = max(values["least"], values["most"] - found)
        for line, day, risk, since, state, provider in reader.execute(WAITING[kind, scope], {**values, "most": most}):
            found += 1
            reason = _WHY.get(kind) or OF_STATE[LineState(state)]
            unbooked = reason is Reason.NO_DELIVERY
            last = _moved(day, -lead) if unbooked else day
            yield WaitingRow(line, reason, last, risk, since, provider, values["soon"] if unbooked else None)


def stands(reader: Reader, lines: Collection[int], *, tenant: str | None) -> dict[int, Stands]:
    """Give where lines that were found to wait stand now: their list may have been made before they are read."""
    if not lines:
        return {}
    rows = reader.execute(STANDS, {"lines": json.dumps(list(lines)), "tenant": tenant})
    return {
        line: Stands(alert, _reason(LineState(state), failed=failed is not None, unbooked=due_on is not None), due_on)
        for line, state, alert, failed, due_on in rows
    }


def _reason(state: LineState, *, failed: bool, unbooked: bool) -> Reason | None:
    if state in _FOR_PERSONS:
        return OF_STATE[state]
    if failed:
        return Reason.DELIVERY_FAILED
    return Reason.NO_DELIVERY if unbooked else None


def _scopes(reader: Reader, tenant: OdsCode | None) -> tuple[str, ...]:
    """Give what a tenant is, a trust or a provider; no line waits of one that is neither."""
    if tenant is None:
        return ("all",)
    return tuple(one for one, sql in _IS.items() if next(iter(reader.execute(sql, (tenant.value,))), None))


def _soon(values: Mapping[str, Any], lead: timedelta) -> str:
    """Give the last day on which a supply may be due that is on the list.

    By the plan, the medicine of the supply before ends on the day this one is due. Where a provider needs longer than
    is usual, it is told of as long before the last day to act.
    """
    soon = _moved(values["today"], _ahead(lead))
    before = values["before"]
    return min(soon, _moved(before, lead - timedelta(days=1))) if before < soon else soon


def _ahead(lead: timedelta) -> timedelta:
    return max(SOON, SOON + lead - LEAD_TIME)


def _moved(day: str, by: timedelta) -> str:
    return (date.fromisoformat(day) + by).isoformat()
