"""What a question about the list is after, found in its order before anything is read whole; and how much there is.

Source: console.md 6.1, 6.5, 12 (server budgets).
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeAlias

from gateway.domain.calendar import LONDON
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import KINDS, LEAD_TIME, OF_STATE, REASONS, Reason
from gateway.ports.attention import MOST_COUNTED, AttentionQuery, Place
from gateway.store.sql import alert_order, waiting_rows
from gateway.store.sql.instants import stored
from gateway.store.sql.lead_times import Leads, leads
from gateway.store.sql.transaction import Reader
from gateway.store.sql.waiting_rows import WaitingRow

EVERYTHING: Final = AttentionQuery()
_HELD: Final = frozenset({Reason.HELD_CODE, Reason.HELD_RELEASE, Reason.HELD_SOURCE, Reason.SIGNATURE})

Found: TypeAlias = "tuple[tuple[int, str, int, int, int], Place]"
"""What is known of a row before it is read whole: where it stands, and which it is."""


def count(reader: Reader, *, tenant: OdsCode | None, now: datetime) -> int:
    """Count what needs a person, up to where it stops."""
    return _count(reader, tenant, EVERYTHING, now)


def running_out(
    reader: Reader, providers: Collection[OdsCode], *, tenant: OdsCode | None, days: int, now: datetime
) -> dict[OdsCode, int]:
    """Count, for each provider, the rows with fewer days of medicine left or with a number that is not known.

    A tenant's are asked for once for all: where there are more than are counted of one, each is asked for by itself.
    """
    query = AttentionQuery(days_under=days)
    found = _of_each(reader, tenant, query, now) if tenant is not None and len(providers) > 1 else None
    if found is not None:
        return {one: min(found[one.value], MOST_COUNTED) for one in providers}
    return {one: _count(reader, tenant, replace(query, provider=one), now) for one in providers}


def _of_each(reader: Reader, tenant: OdsCode, query: AttentionQuery, now: datetime) -> Counter[str | None] | None:
    """Count the rows of every provider as if each were asked for alone; None where there are too many for one look."""
    values = {**values_of(tenant, query, now, ()), "each": 1, "most": MOST_COUNTED, "least": 0}
    known = leads(reader)
    alerts = _alerts(reader, tenant, query, values, known)
    if len(alerts) >= MOST_COUNTED:
        return None
    waits = list(islice(_waits(reader, tenant, query, values, known), MOST_COUNTED))
    found = Counter([*(row.provider for row in alerts), *(row.provider for row in waits)])
    return found if len(waits) < MOST_COUNTED else None


def _count(reader: Reader, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> int:
    values = {**values_of(tenant, query, now, ()), "most": MOST_COUNTED, "least": 0}
    known = leads(reader)
    found = len(_alerts(reader, tenant, query, values, known))
    waits = _waits(reader, tenant, query, {**values, "most": MOST_COUNTED - found}, known)
    return MOST_COUNTED if found >= MOST_COUNTED else found + sum(1 for _ in islice(waits, MOST_COUNTED - found))


def values_of(tenant: OdsCode | None, query: AttentionQuery, now: datetime, grouped: Sequence[str]) -> dict[str, Any]:
    """Give what the statements are given; what depends on a lead time, as if no provider had stated one."""
    today = now.astimezone(LONDON).date()
    states = _states_of(query.reason)
    return {
        "tenant": tenant.value if tenant else None,
        "now": stored(now),
        "today": today.isoformat(),
        "past": today.isoformat(),
        "before": date.max.isoformat(),
        "lead": 0,
        "usual_lead": LEAD_TIME.days,
        "yesterday": stored(now - REASONS[Reason.NO_DELIVERY].limit),
        "taken_by": query.taken_by,
        "provider": query.provider.value if query.provider else "",
        "silent_of": query.silent_of.value if query.silent_of else "",
        "kinds": json.dumps([*_kinds_of(query.reason), *states]),
        "states": json.dumps(states),
        "grouped": json.dumps(list(grouped)),
        "each": 0,
    }


def _those(values: Mapping[str, Any], query: AttentionQuery, lead: timedelta, *, alone: bool) -> dict[str, Any]:
    """Give the values for what needs one lead time.

    Args:
        values: for all.
        query: which rows.
        lead: with which the last day to act is that much before the medicine ends.
        alone: whether others need another.
    """
    given = {**values, "lead": lead.days if alone else 0}
    if query.days_under is None:
        return given
    before = (date.fromisoformat(values["today"]) + timedelta(days=query.days_under) - lead).isoformat()
    return {**given, "before": min(before, values["before"]), "past": min(before, values["past"])}


def _alerts(
    reader: Reader, tenant: OdsCode | None, query: AttentionQuery, values: Mapping[str, Any], known: Leads
) -> list[alert_order.Placed]:
    """Give alerts; by lead time only where the days of medicine left are asked for, not the last day to act."""
    kinds = [*_kinds_of(query.reason), *_states_of(query.reason)]
    through = alert_order.walks(reader, tenant, query, kinds, json.loads(values["grouped"]))
    each = _leads_of(query, known) if query.days_under is not None else (LEAD_TIME,)
    asked = (_those(values, query, lead, alone=len(each) > 1) for lead in each)
    return [found for one in asked for found in alert_order.first(reader, through, one)]


def _leads_of(query: AttentionQuery, known: Leads) -> tuple[timedelta, ...]:
    return (known.of(query.provider.value),) if query.provider else known.each


def _waits(
    reader: Reader, tenant: OdsCode | None, query: AttentionQuery, values: Mapping[str, Any], known: Leads
) -> Iterator[WaitingRow]:
    kinds = () if query.alerts_only else waiting_rows.kinds_of(query.reason)
    each = _leads_of(query, known)
    for lead in each:
        asked = _those(values, query, lead, alone=len(each) > 1)
        yield from waiting_rows.rows(reader, asked, tenant=tenant, kinds=kinds, lead=lead)


def _reasons(reason: Reason | None) -> frozenset[Reason]:
    return _HELD if reason in _HELD else frozenset({reason} if reason else ())


def _kinds_of(reason: Reason | None) -> list[str]:
    return sorted(kind for kind, why in KINDS.items() if why in _reasons(reason))


def _states_of(reason: Reason | None) -> list[str]:
    """Give the states in which an overdue line is there for a reason."""
    states = (state for state in LineState if OF_STATE.get(state, Reason.ENDED) in _reasons(reason))
    return sorted(state.value for state in states)


def first(reader: Reader, tenant: OdsCode | None, query: AttentionQuery, values: Mapping[str, Any]) -> Iterator[Found]:
    """Give alerts and lines that wait without one, at least the first `most` of the order among them."""
    known = leads(reader)
    alerts = _alerts(reader, tenant, query, values, known)
    yield from ((one[:5], Place(number=one.alert)) for one in alerts)
    for line in _waits(reader, tenant, query, _no_further(alerts, values), known):
        yield (
            (1, line.day or values["today"], line.risk, line.since, line.line),
            Place(number=line.line, reason=line.reason, due_by=line.due_by),
        )


def _no_further(alerts: Sequence[alert_order.Placed], values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out lines that would stand behind what is wanted, where more alerts are open than are counted anyway."""
    if len(alerts) < values["most"]:
        return {**values, "most": values["most"] - len(alerts)}
    furthest = sorted(alerts)[values["least"] - 1]
    last = date.fromisoformat(furthest.day) if furthest.place else date.min  # before all lines are the incidents
    after = (last + timedelta(days=1)).isoformat()
    return {**values, "past": min(values["past"], after), "before": min(values["before"], after), "most": 0}
