"""Rows of the list of what needs a person, read whole: of many rows each thing is asked once, however many they are.

Source: console.md 6.1, 12 (server budgets).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from gateway.domain.calendar import LONDON
from gateway.domain.cancel import CancelState
from gateway.domain.cover import Cover
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.medicine_risk import risk_class
from gateway.domain.work_item import LEAD_TIME, Reason, Standing, last_day, measures_slack, reason_of, settled
from gateway.ports.attention import Also, LineOnList, Place, WorkItem
from gateway.ports.late import Stage, Unsent
from gateway.store.sql import late, waiting_rows
from gateway.store.sql.alert_order import AWAKE, OTHER_OWN, OWN
from gateway.store.sql.alerts import holding
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.lead_times import leads
from gateway.store.sql.listing import numbers
from gateway.store.sql.reckoning import Ordered, covers_of, ordered
from gateway.store.sql.transaction import Reader, Row

OWN_LINE: Final = """(CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant
        AND allocation.ended_at IS NULL))"""
"""Of a line: it is the tenant's, or the provider's that looks."""
_ALERTS: Final = f"""
SELECT id, kind, text, place, last_day, risk, opened_at, taken_by, taken_at, snoozed_until, closed_at, line FROM alert
WHERE alert.id IN {numbers(":alerts")} AND {OWN}
"""  # noqa: S608 - our own words alone
_LINES: Final = f"""
SELECT line.id, line.uuid, prescription.uuid, prescription.number, line.order_number, line.tenant, line.provider,
    line.state, line.urgency, (
        SELECT cancel.state FROM cancel LEFT JOIN message ON message.id = cancel.message
        WHERE cancel.line = line.id
            AND (CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR message.destination = :tenant)),
    prescription.nhs_number, line.product_display, line.directions, line.quantity, line.entered_at,
    CASE WHEN line.first_sent_at IS NOT NULL THEN (
        SELECT min(event.at) FROM event WHERE event.line = line.id AND event.event = 'on_wire' AND event.moved = 1
            AND coalesce(event.epoch, 1) = line.epoch) END,
    CASE line.state WHEN 'HELD' THEN prescription.issues END
FROM line JOIN prescription ON prescription.id = line.prescription
WHERE line.id IN {numbers(":lines")} AND {OWN_LINE}
"""  # noqa: S608 - our own words alone
_SAID: Final = f"""
SELECT line.id, event.reason_code, event.reason FROM line JOIN event ON event.seq = (
    SELECT max(said.seq) FROM event AS said WHERE said.line = line.id AND said.state_after = line.state
        AND said.moved = 1 AND (:provider = '' OR said.provider = :provider))
WHERE line.id IN {numbers(":lines")}
"""  # noqa: S608 - our own words alone
_SPOKEN: Final = frozenset({LineState.REJECTED, LineState.RETURNED, LineState.QUERIED})
"""States that a provider brings a line into by what it says."""
_OF_SAME_LINE: Final = f"""
SELECT asked.id, other.id, other.kind, line.state FROM alert AS asked JOIN line ON line.id = asked.line
JOIN alert AS other ON other.line = asked.line AND other.closed_at IS NULL
    AND {AWAKE.replace("alert.", "other.")} AND {OTHER_OWN}
WHERE asked.id IN {numbers(":alerts")}
ORDER BY asked.id, other.place, coalesce(other.last_day, :today), other.id
"""  # noqa: S608 - our own words alone
_OTHERS: Final = f"""
SELECT line, id, kind, text FROM alert WHERE line IN {numbers(":lines")} AND closed_at IS NULL AND {OWN}
ORDER BY line, place, id
"""  # noqa: S608 - our own words alone

_Shown: TypeAlias = tuple[LineOnList, tuple[Issue, ...]]
_Others: TypeAlias = Mapping[int, Sequence[tuple[int, str, str]]]


class _Beside(NamedTuple):
    """What of a line is not in its row."""

    needs: timedelta | None
    unsent: Unsent | None
    stage: Stage | None
    said: str | None


def items(
    reader: Reader, places: Sequence[Place], *, tenant: OdsCode | None, speaks_at: datetime | None = None
) -> dict[Place, WorkItem]:
    """Read rows whole; one is not there that is gone, that waits no longer, or that the tenant may not see.

    Args:
        reader: asked.
        places: which.
        tenant: who looks.
        speaks_at: the clock, where of a line's alerts the one is given that speaks for it, and not the one named, and
            where its row is over, what the line waits for since; None where rows of one reason are wanted.
    """
    whose = {"tenant": tenant.value if tenant else None}
    named = [one.number for one in places if one.reason is None]
    speaks = _speakers(reader, named, whose, speaks_at) if speaks_at is not None else {}
    stand = waiting_rows.stands(
        reader, {one.number for one in places if one.reason is not None}, tenant=whose["tenant"]
    )
    since = [one.alert for one in stand.values() if one.alert is not None]
    asked = json.dumps([*(speaks.get(one, one) for one in named), *since])
    alerts: dict[int, Row] = {row[0]: row for row in reader.execute(_ALERTS, {**whose, "alerts": asked})}
    waiting = [one.number for one in places if _still(one, stand)]
    alerted = {row[11] for row in alerts.values() if row[11] is not None}
    lines = _lines(reader, {*alerted, *waiting}, whose["tenant"])
    others = _others(reader, alerted, whose)
    if speaks_at is not None:
        over = {row[11] for row in alerts.values() if row[10] is not None and row[11] is not None}
        stand |= waiting_rows.stands(reader, over - stand.keys(), tenant=whose["tenant"])
        new = {line for line, one in stand.items() if one.alert is None and one.reason is not None}
        lines |= _lines(reader, new - lines.keys(), whose["tenant"])
    found: dict[Place, WorkItem] = {}
    for place in places:
        if place.reason is not None and _still(place, stand):
            if place.number in lines:
                found[place] = _waits(place.number, place.reason, lines[place.number][0])
        elif (alert := _named(place, speaks, stand)) is not None and (row := alerts.get(alert)) is not None:
            item = _alert(row, lines.get(row[11]), others.get(row[11], ()))
            if speaks_at is not None or place.reason in {None, item.reason}:
                found[place] = item
        if speaks_at is not None and (place not in found or found[place].closed_at is not None):
            named_now = speaks.get(place.number, place.number)
            line = place.number if place.reason is not None else _line_of(alerts, named_now)
            anew = _anew(line, stand, lines, speaks_at) if line is not None else None
            if anew is not None and anew.reason is not place.reason:
                found[place] = anew
    return found


def _line_of(alerts: Mapping[int, Row], alert: int) -> int | None:
    row = alerts.get(alert)
    return row[11] if row is not None else None


def _anew(
    line: int, stand: Mapping[int, waiting_rows.Stands], lines: Mapping[int, _Shown], now: datetime
) -> WorkItem | None:
    """Give a line whose row is over as what it waits for since; None where it needs nobody."""
    at, shown = stand.get(line), lines.get(line)
    if at is None or at.reason is None or shown is None or not at.waits_since(shown[0], now):
        return None
    return _waits(line, at.reason, shown[0])


def _still(place: Place, stand: Mapping[int, waiting_rows.Stands]) -> bool:
    """Tell whether a line waits as it did when the place was found."""
    now = stand.get(place.number)
    return place.reason is not None and now is not None and now.waits(place.reason, place.due_by)


def _named(place: Place, speaks: Mapping[int, int], stand: Mapping[int, waiting_rows.Stands]) -> int | None:
    """Give the alert that a place is read by; None where there is none."""
    if place.reason is None:
        return speaks.get(place.number, place.number)
    now = stand.get(place.number)
    return now.alert if now is not None else None


def _speakers(reader: Reader, alerts: Collection[int], whose: Mapping[str, Any], now: datetime) -> dict[int, int]:
    """Give the alert that speaks for a line: the one that stands there, unless it is settled and another is not."""
    values = {"alerts": json.dumps(alerts), "now": stored(now), "today": now.astimezone(LONDON).date().isoformat()}
    hold: dict[int, list[int]] = {}
    for asked, alert, kind, state in reader.execute(_OF_SAME_LINE, {**whose, **values}):
        if not settled(kind, LineState(state)):
            hold.setdefault(asked, []).append(alert)
    return {asked: asked if asked in of_line else of_line[0] for asked, of_line in hold.items()}


def _others(reader: Reader, lines: Collection[int], whose: Mapping[str, Any]) -> _Others:
    found: dict[int, list[tuple[int, str, str]]] = {}
    for line, *alert in reader.execute(_OTHERS, {**whose, "lines": json.dumps(list(lines))}) if lines else ():
        found.setdefault(line, []).append((alert[0], alert[1], alert[2]))
    return found


def _alert(row: Row, found: _Shown | None, others: Iterable[tuple[int, str, str]]) -> WorkItem:
    number, kind, text, place, day, risk, opened_at, taken_by, taken_at, until, closed_at, _ = row
    shown, held = found if found is not None else (None, ())
    codes = tuple(dict.fromkeys(issue.code for issue in held))
    state = shown.state if shown is not None else None
    reason = reason_of(kind, state, codes)
    standing = Standing(
        incident=place == 0,
        last_day=date.fromisoformat(day) if day else None,
        risk=risk,
        since=instant(opened_at),
        number=number,
    )
    return WorkItem(
        alert=number,
        kind=kind,
        reason=reason,
        text=text,
        standing=_as_shown(standing, shown, reason),
        taken_by=taken_by,
        taken_at=instant(taken_at) if taken_at is not None else None,
        snoozed_until=instant(until) if until is not None else None,
        closed_at=instant(closed_at) if closed_at is not None else None,
        line=shown,
        settled=state is not None and settled(kind, state),
        held_for=codes,
        held_words=tuple(issue.text for issue in held),
        also=tuple(
            Also(alert=one, kind=of, reason=reason_of(of, state, codes), text=said)
            for one, of, said in others
            if one != number
        ),
    )


def _waits(line: int, reason: Reason, shown: LineOnList) -> WorkItem:
    risk = risk_class(shown.medicine).rank
    standing = Standing(incident=False, last_day=None, risk=risk, since=shown.entered_at, number=line)
    standing = _as_shown(standing, shown, reason)
    return WorkItem(alert=None, kind="", reason=reason, text="", standing=standing, line=shown)


def _as_shown(standing: Standing, shown: LineOnList | None, reason: Reason) -> Standing:
    """Give the last day by the sum that is shown, which is worked out now; as it is, where there is none."""
    if shown is None or not measures_slack(reason):
        return standing
    return replace(standing, last_day=last_day(shown.cover.ends_on, shown.needs or LEAD_TIME))


def _lines(reader: Reader, lines: Collection[int], tenant: str | None) -> dict[int, _Shown]:
    if not lines:
        return {}
    rows = list(reader.execute(_LINES, {"tenant": tenant, "lines": json.dumps(list(lines))}))
    own = ordered(reader.execute, [row[0] for row in rows])
    stands = {row[0]: LineState(row[7]) for row in rows}
    covers: dict[int, Cover] = {}
    said: dict[int, str] = {}
    for provider in dict.fromkeys(_looks(row, tenant) for row in rows):
        its = [row[0] for row in rows if _looks(row, tenant) == provider]
        covers |= covers_of(reader.execute, own, its, provider=provider)
        said |= _said(reader, [line for line in its if stands[line] in _SPOKEN], provider)
    known = leads(reader)
    unsent = late.unsent(reader, [line for line, state in stands.items() if state is LineState.READY])
    stages = late.stages(reader, [line for line, state in stands.items() if state is LineState.IN_SUPPLY])
    found: dict[int, _Shown] = {}
    for row in rows:
        line = row[0]
        beside = _Beside(
            needs=known.named(row[6]),
            unsent=unsent.get(line),
            stage=stages.get(line),
            said=said.get(line, "") if stands[line] in _SPOKEN else None,
        )
        found[line] = (_line(row, own.get(line), covers[line], beside), holding(row[16]) if row[16] is not None else ())
    return found


def _looks(row: Row, tenant: str | None) -> str:
    """Give the provider that looks at a trust's line, who is told no other's words; empty where it is no provider."""
    return tenant if tenant is not None and tenant != row[5] else ""


def _line(row: Row, own: Ordered | None, cover: Cover, beside: _Beside) -> LineOnList:
    return LineOnList(
        line_id=UUID(bytes=row[1]),
        prescription_id=UUID(bytes=row[2]),
        number=row[3],
        order_number=row[4],
        tenant=OdsCode(row[5]),
        provider=OdsCode(row[6]) if row[6] else None,
        state=LineState(row[7]),
        urgency=Urgency(row[8]),
        cancel=CancelState(row[9]) if row[9] else CancelState.NONE,
        patient_name=str(own.patient.name) if own is not None else "",
        nhs_number=row[10],
        birth_date=own.patient.birth_date.isoformat() if own is not None else "",
        medicine=row[11],
        directions=row[12],
        quantity=row[13],
        risk_class=risk_class(row[11]).name,
        cover=cover,
        entered_at=instant(row[14]),
        first_sent_at=instant(row[15]) if row[15] is not None else None,
        needs=beside.needs,
        unsent=beside.unsent,
        stage=beside.stage,
        said=beside.said,
    )


def _said(reader: Reader, lines: Collection[int], provider: str) -> dict[int, str]:
    """Give the provider's own words for where lines stand; one that stands there by nobody's words is not there."""
    rows = reader.execute(_SAID, {"lines": json.dumps(list(lines)), "provider": provider}) if lines else ()
    return {line: "; ".join(part for part in words if part) for line, *words in rows}
