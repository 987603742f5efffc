"""The list of what needs a person, in its order, a page at a time.

Open alerts stand in an index in the order of the list, in five parts: incidents, then those whose last day is past,
those without a known one, those of today, and the rest. Lines that wait for a pharmacist without an alert are sorted
among them. Only what is on the page is read whole, and its days of medicine left are worked out anew. Bounded: nothing
is read beyond `DEEPEST` rows; the count stops at the same number.

Source: console.md 6.1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID

from gateway.domain.calendar import LONDON
from gateway.domain.cancel import CancelState
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.medicine_risk import risk_class
from gateway.domain.work_item import (
    KINDS,
    LEAD_TIME,
    OF_STATE,
    Reason,
    Standing,
    last_day,
    measures_slack,
    reason_of,
    settled,
)
from gateway.ports.attention import (
    DEEPEST,
    MOST_COUNTED,
    Aliveness,
    Also,
    Attention,
    AttentionQuery,
    LineOnList,
    SilentProvider,
    WorkItem,
)
from gateway.store.sql import waiting_rows
from gateway.store.sql.alerts import holding
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.reckoning import cover_of, ordered
from gateway.store.sql.transaction import Reader

_FEW: Final = 3
"""So many late lines of one provider, and not a word from it since, are one row."""
_OPEN_COUNTED: Final = 10_000
_HELD: Final = frozenset({Reason.HELD_CODE, Reason.HELD_SOURCE, Reason.SIGNATURE})

_AWAKE: Final = "(alert.snoozed_until IS NULL OR alert.snoozed_until <= :now)"
_LEADS: Final = """NOT EXISTS (
    SELECT 1 FROM alert AS other WHERE other.line = alert.line AND other.closed_at IS NULL
        AND (other.snoozed_until IS NULL OR other.snoozed_until <= :now)
        AND (other.place < alert.place OR other.place = alert.place AND other.id < alert.id))"""
_CONDITIONS: Final = f"""{_AWAKE}
    AND (:taken_by = '' OR alert.taken_by = :taken_by)
    AND (:provider = '' OR alert.provider = :provider)
    AND (:before = '' OR alert.last_day IS NULL OR alert.last_day < :before)
    AND (:silent_of = '' OR alert.silent = 1 AND alert.provider = :silent_of)
    AND (:grouped = '[]' OR alert.silent = 0 OR alert.provider IS NULL
        OR alert.provider NOT IN (SELECT value FROM json_each(:grouped)))
    AND (:kinds = '' AND {_LEADS}
        OR :kinds <> '' AND (alert.kind IN (SELECT value FROM json_each(:kinds))
            OR alert.kind = 'overdue' AND EXISTS (
                SELECT 1 FROM line WHERE line.id = alert.line
                    AND line.state IN (SELECT value FROM json_each(:states)))))"""  # noqa: S608 - our own words alone
_GIVEN: Final = """(alert.provider = :tenant AND EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = alert.line AND allocation.provider = :tenant))"""
"""A provider sees what it was given, and not what is yet to come to it."""
_OWN: Final = f"(CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant OR {_GIVEN})"
_OWN_LINE: Final = """(CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant))"""
_SCOPES: Final = {
    "all": "TRUE",
    "trust": "alert.tenant = :tenant",
    "provider": _GIVEN,
}
_PARTS: Final = (
    ("place = 0", "coalesce(alert.last_day, :today)"),
    ("place = 1 AND last_day < :today", "alert.last_day"),
    ("place = 1 AND last_day IS NULL", "alert.last_day"),
    ("place = 1 AND last_day = :today", "alert.last_day"),
    ("place = 1 AND last_day > :today", "alert.last_day"),
)
"""Each in the order of an index, but the incidents, of which there are few."""
_STAGES: Final = ((0,), (1,), (2, 3), (4,))
"""Parts one after the other; those of equal slack together."""
_ORDERED: Final[Mapping[tuple[str, int], str]] = {
    (scope, part): f"""
SELECT alert.id, alert.place, alert.last_day, alert.risk, alert.opened_at FROM alert
WHERE alert.closed_at IS NULL AND {condition} AND {within} AND {_CONDITIONS}
ORDER BY {order}, alert.risk, alert.id LIMIT :most
"""  # noqa: S608 - our own words alone
    for scope, condition in _SCOPES.items()
    for part, (within, order) in enumerate(_PARTS)
}
_HOW_MANY: Final[Mapping[str, str]] = {
    scope: f"""
SELECT count(*) FROM (
    SELECT 1 FROM alert WHERE alert.closed_at IS NULL AND {condition} AND {_CONDITIONS} LIMIT :most) AS counted
"""  # noqa: S608 - our own words alone
    for scope, condition in _SCOPES.items()
}
_BY: Final = {
    "taken": "alert.taken_by = :taken_by AND alert.taken_by <> ''",
    "reason": "alert.kind IN (SELECT value FROM json_each(:with_overdue))",
    "silent": "alert.silent = 1 AND alert.provider = :silent_of",
}
"""What few rows have in common is found by an index of its own, and sorted then."""
_GATHERED_SCOPES: Final = {
    "all": "TRUE",
    "trust": "coalesce(alert.tenant, '') = :tenant",
    "provider": _GIVEN.replace("alert.provider = :tenant", "coalesce(alert.provider, '') = :tenant", 1),
}
"""The same scopes, said so that no index of theirs is taken for the one that is meant."""
_GATHERED: Final[Mapping[tuple[str, str], str]] = {
    (scope, by): f"""
SELECT alert.id, alert.place, alert.last_day, alert.risk, alert.opened_at FROM alert
WHERE alert.closed_at IS NULL AND {common} AND {condition} AND {_CONDITIONS}
ORDER BY alert.place, coalesce(alert.last_day, :today), alert.risk, alert.id LIMIT :most
"""  # noqa: S608 - our own words alone
    for scope, condition in _GATHERED_SCOPES.items()
    for by, common in _BY.items()
}
_HOW_MANY_GATHERED: Final[Mapping[tuple[str, str], str]] = {
    each: f"SELECT count(*) FROM ({sql}) AS counted"  # noqa: S608 - our own words alone
    for each, sql in _GATHERED.items()
}
_COUNT: Final = f"""
SELECT count(*) FROM (SELECT 1 FROM alert
    WHERE alert.closed_at IS NULL AND {_AWAKE} AND {_LEADS}
        AND {_OWN}
    LIMIT :most) AS counted
"""  # noqa: S608 - our own words alone
_LATE_PROVIDERS: Final = """
SELECT DISTINCT provider FROM alert WHERE closed_at IS NULL AND silent = 1 AND provider IS NOT NULL ORDER BY provider
"""
_SILENT: Final = f"""
SELECT count(DISTINCT line), min(opened_at), min(last_day), min(risk),
    max(CASE WHEN last_day IS NULL THEN 1 ELSE 0 END), min(id)
FROM (SELECT line, opened_at, last_day, risk, id FROM alert
    WHERE alert.closed_at IS NULL AND alert.silent = 1 AND alert.provider = :provider AND {_AWAKE} AND {_OWN}
    ORDER BY alert.opened_at LIMIT :most) AS late
"""  # noqa: S608 - our own words alone
_LATE_SINCE: Final = f"""
SELECT count(*) FROM (SELECT DISTINCT line FROM alert
    WHERE closed_at IS NULL AND silent = 1 AND provider = :provider AND opened_at > :heard AND {_AWAKE}
        AND {_OWN}
    LIMIT :few) AS late
"""  # noqa: S608 - our own words alone
_HEARD: Final = "SELECT max(received_at) FROM callback WHERE destination = ?"
_ALERT: Final = """
SELECT id, kind, text, place, last_day, risk, opened_at, taken_by, taken_at, snoozed_until, closed_at, line FROM alert
WHERE alert.id = ?
"""
_ITS_TENANT: Final = f"""
SELECT 1 FROM alert WHERE id = :alert
    AND {_OWN}
"""  # noqa: S608 - our own words alone
_LINE: Final = """
SELECT line.uuid, prescription.uuid, prescription.number, line.order_number, line.tenant, line.provider, line.state,
    line.urgency, (SELECT state FROM cancel WHERE cancel.line = line.id),
    prescription.nhs_number, line.product_display, line.directions, line.quantity, line.entered_at,
    line.first_sent_at, prescription.issues
FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id = ?
"""
_OF_SAME_LINE: Final = """
SELECT other.id, other.kind, line.state FROM alert JOIN line ON line.id = alert.line
JOIN alert AS other ON other.line = alert.line AND other.closed_at IS NULL
    AND (other.snoozed_until IS NULL OR other.snoozed_until <= :now)
WHERE alert.id = :alert ORDER BY other.place, other.id
"""
_OTHERS: Final = """
SELECT id, kind, text FROM alert WHERE line = :line AND closed_at IS NULL AND id <> :alert ORDER BY place, id
"""
_OPEN: Final = f"""
SELECT count(*) FROM (SELECT DISTINCT +prescription FROM line
    WHERE act_by > 0
        AND {_OWN_LINE}
    LIMIT :most) AS open
"""  # noqa: S608 - our own words alone
_UNANSWERED: Final = """
SELECT min(first_sent_at) FROM line
WHERE state IN ('SENT', 'UNCERTAIN') AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant OR provider = :tenant)
"""


@dataclass(frozen=True, slots=True)
class _Light:
    """What is known of a row before it is read whole: which, and where it stands."""

    standing: Standing
    alert: int | None = None
    line: int | None = None
    reason: Reason | None = None
    silent: SilentProvider | None = None


def silences(reader: Reader, *, tenant: OdsCode | None, now: datetime) -> tuple[SilentProvider, ...]:
    """Give each provider with many late lines from which nothing has come since before they were late.

    When a provider was last heard of is nobody's data alone: this is asked as the gateway itself, for a tenant's lines.
    """
    found = []
    for (provider,) in list(reader.execute(_LATE_PROVIDERS)):
        at = next(iter(reader.execute(_HEARD, (provider,))))[0]
        asked = {"provider": provider, "tenant": tenant.value if tenant else None, "now": stored(now)}
        late = _one(reader, _LATE_SINCE, {**asked, "heard": at if at is not None else -1, "few": _FEW})
        if late >= _FEW:
            found.append(_silence(reader, {**asked, "most": DEEPEST}, at, now))
    return tuple(found)


def _silence(reader: Reader, asked: Mapping[str, Any], at: int | None, now: datetime) -> SilentProvider:
    lines, since, last_day, risk, unknown, number = next(iter(reader.execute(_SILENT, asked)))
    known = date.fromisoformat(last_day) if last_day else None
    worst = None if unknown and (known is None or known > now.astimezone(LONDON).date()) else known
    return SilentProvider(
        provider=OdsCode(asked["provider"]),
        lines=lines,
        since=instant(since),
        heard_at=instant(at) if at is not None else None,
        standing=Standing(incident=False, last_day=worst, risk=risk, since=instant(since), number=number),
    )


def page(
    reader: Reader,
    *,
    tenant: OdsCode | None,
    query: AttentionQuery,
    now: datetime,
    groups: Sequence[SilentProvider] = (),
) -> Attention:
    """Give one page of the list."""
    today = now.astimezone(LONDON).date()
    values = _values(tenant, query, now, [one.provider.value for one in groups])
    to_see = {**values, "most": query.first + query.size}
    by = "taken" if query.taken_by else "reason" if query.reason else "silent" if query.silent_of else ""
    waits = () if query.alerts_only else waiting_rows.kinds_of(query.reason)
    light = sorted(
        (
            *(_Light(one.standing, silent=one) for one in groups),
            *(_gathered(reader, tenant, to_see, by) if by else _alerts(reader, tenant, to_see)),
            *(
                _Light(one.standing, line=one.line, reason=one.reason)
                for one in waiting_rows.rows(reader, to_see, scopes=_scopes(tenant), kinds=waits)
            ),
        ),
        key=lambda one: one.standing.place(today),
    )
    wanted = light[query.first : query.first + query.size]
    rows = tuple(row for one in wanted if (row := _row(reader, one, by, values["now"])) is not None)
    to_count = {**values, "most": DEEPEST + 1}
    found = (_HOW_MANY_GATHERED[scope, by] if by else _HOW_MANY[scope] for scope in _scopes(tenant))
    total = len(groups) + sum(_one(reader, sql, to_count) for sql in found)
    total += waiting_rows.count(reader, to_count, scopes=_scopes(tenant), kinds=waits)
    return Attention(rows=rows, total=min(total, DEEPEST), more=total > DEEPEST)


def count(reader: Reader, *, tenant: OdsCode | None, now: datetime) -> int:
    """Count what needs a person, up to where it stops."""
    values = {"tenant": tenant.value if tenant else None, "now": stored(now), "most": MOST_COUNTED}
    found = _one(reader, _COUNT, values)
    if found < MOST_COUNTED:
        waiting = {**_values(tenant, AttentionQuery(), now, ()), "most": MOST_COUNTED - found}
        found += waiting_rows.count(reader, waiting, scopes=_scopes(tenant), kinds=waiting_rows.kinds_of(None))
    return min(found, MOST_COUNTED)


def item(reader: Reader, alert: int, *, tenant: OdsCode | None) -> WorkItem | None:
    """Give one alert as a row."""
    values = {"alert": alert, "tenant": tenant.value if tenant else None}
    if next(iter(reader.execute(_ITS_TENANT, values)), None) is None:
        return None
    return _alert_row(reader, alert)


def aliveness(reader: Reader, *, tenant: OdsCode | None) -> Aliveness:
    """Give what proves that an empty list is one."""
    whose = {"tenant": tenant.value if tenant else None}
    oldest = next(iter(reader.execute(_UNANSWERED, whose)))[0]
    return Aliveness(
        open=_one(reader, _OPEN, {**whose, "most": _OPEN_COUNTED}),
        oldest_unanswered=instant(oldest) if oldest is not None else None,
    )


def _one(reader: Reader, sql: str, values: Mapping[str, Any]) -> int:
    return int(next(iter(reader.execute(sql, values)))[0])


def _values(tenant: OdsCode | None, query: AttentionQuery, now: datetime, grouped: Sequence[str]) -> dict[str, Any]:
    today = now.astimezone(LONDON).date()
    reasons = _HELD if query.reason in _HELD else frozenset({query.reason} if query.reason else ())
    kinds = sorted(kind for kind, why in KINDS.items() if why in reasons)
    states = sorted(state.value for state, why in OF_STATE.items() if why in reasons)
    ends = None if query.days_under is None else today + timedelta(days=query.days_under) - LEAD_TIME
    return {
        **waiting_rows.times(now, ends),
        "tenant": tenant.value if tenant else None,
        "now": stored(now),
        "today": today.isoformat(),
        "taken_by": query.taken_by,
        "provider": query.provider.value if query.provider else "",
        "silent_of": query.silent_of.value if query.silent_of else "",
        "before": ends.isoformat() if ends else "",
        "kinds": json.dumps(kinds) if reasons else "",
        "states": json.dumps(states),
        "with_overdue": json.dumps([*kinds, "overdue"] if states else kinds),
        "grouped": json.dumps(list(grouped)),
    }


def _scopes(tenant: OdsCode | None) -> tuple[str, ...]:
    return ("all",) if tenant is None else ("trust", "provider")


def _alerts(reader: Reader, tenant: OdsCode | None, values: Mapping[str, Any]) -> list[_Light]:
    """Give alerts, at least the first `most` of the order among them."""
    found: list[_Light] = []
    for stage in _STAGES:
        for part, scope in product(stage, _scopes(tenant)):
            for number, place, day, risk, opened_at in reader.execute(_ORDERED[scope, part], values):
                found.append(_Light(_standing(place, day, risk, opened_at, number), alert=number))
        if len(found) >= values["most"]:
            break
    return found


def _gathered(reader: Reader, tenant: OdsCode | None, values: Mapping[str, Any], by: str) -> list[_Light]:
    """Give alerts that have something in common, the first `most` of the order among them."""
    return [
        _Light(_standing(place, day, risk, opened_at, number), alert=number)
        for scope in _scopes(tenant)
        for number, place, day, risk, opened_at in reader.execute(_GATHERED[scope, by], values)
    ]


def _standing(place: int, day: str | None, risk: int, since: int, number: int) -> Standing:
    return Standing(
        incident=place == 0,
        last_day=date.fromisoformat(day) if day else None,
        risk=risk,
        since=instant(since),
        number=number,
    )


def _speaks(reader: Reader, alert: int, now: int) -> int:
    """Give the alert that speaks for a line: one that still holds of its state, before those that are settled."""
    rows = list(reader.execute(_OF_SAME_LINE, {"alert": alert, "now": now}))
    return next((number for number, kind, state in rows if not settled(kind, LineState(state))), alert)


def _row(reader: Reader, light: _Light, by: str, now: int) -> WorkItem | SilentProvider | None:
    if light.silent is not None:
        return light.silent
    if light.alert is not None:
        return _alert_row(reader, light.alert if by == "reason" else _speaks(reader, light.alert, now))
    return _line_row(reader, light.line, light.reason) if light.line is not None and light.reason else None


def _alert_row(reader: Reader, alert: int) -> WorkItem | None:
    row = next(iter(reader.execute(_ALERT, (alert,))), None)
    if row is None:
        return None
    number, kind, text, place, last_day, risk, opened_at, taken_by, taken_at, until, closed_at, line = row
    found = _line(reader, line) if line is not None else None
    shown, held = found if found is not None else (None, ())
    codes = tuple(dict.fromkeys(issue.code for issue in held))
    state = shown.state if shown is not None else None
    reason = reason_of(kind, state, codes)
    others = reader.execute(_OTHERS, {"line": line, "alert": number}) if line is not None else ()
    return WorkItem(
        alert=number,
        kind=kind,
        reason=reason,
        text=text,
        standing=_as_shown(_standing(place, last_day, risk, opened_at, number), shown, reason),
        taken_by=taken_by,
        taken_at=instant(taken_at) if taken_at is not None else None,
        snoozed_until=instant(until) if until is not None else None,
        closed_at=instant(closed_at) if closed_at is not None else None,
        line=shown,
        settled=state is not None and settled(kind, state),
        held_for=codes,
        held_words=tuple(issue.text for issue in held),
        also=tuple(Also(alert=one, kind=of, reason=reason_of(of, state, codes), text=said) for one, of, said in others),
    )


def _line_row(reader: Reader, line: int, reason: Reason) -> WorkItem | None:
    found = _line(reader, line)
    if found is None:
        return None
    shown, _ = found
    risk = risk_class(shown.medicine).rank
    standing = Standing(incident=False, last_day=None, risk=risk, since=shown.entered_at, number=line)
    standing = _as_shown(standing, shown, reason)
    return WorkItem(alert=None, kind="", reason=reason, text="", standing=standing, line=shown)


def _as_shown(standing: Standing, shown: LineOnList | None, reason: Reason) -> Standing:
    """Give the last day by the sum that is shown, which is worked out now; as it is, where there is none."""
    if shown is None or not measures_slack(reason):
        return standing
    return replace(standing, last_day=last_day(shown.cover.ends_on))


def _line(reader: Reader, line: int) -> tuple[LineOnList, tuple[Issue, ...]] | None:
    row = next(iter(reader.execute(_LINE, (line,))), None)
    if row is None:
        return None
    own = ordered(reader.execute, line)
    patient = own.prescription.patient if own is not None else None
    shown = LineOnList(
        line_id=UUID(bytes=row[0]),
        prescription_id=UUID(bytes=row[1]),
        number=row[2],
        order_number=row[3],
        tenant=OdsCode(row[4]),
        provider=OdsCode(row[5]) if row[5] else None,
        state=LineState(row[6]),
        urgency=Urgency(row[7]),
        cancel=CancelState(row[8]) if row[8] else CancelState.NONE,
        patient_name=str(patient.name) if patient is not None else "",
        nhs_number=row[9],
        birth_date=patient.birth_date.isoformat() if patient is not None else "",
        medicine=row[10],
        directions=row[11],
        quantity=row[12],
        risk_class=risk_class(row[10]).name,
        cover=cover_of(reader.execute, own),
        entered_at=instant(row[13]),
        first_sent_at=instant(row[14]) if row[14] is not None else None,
    )
    return shown, holding(row[15]) if shown.state is LineState.HELD else ()
