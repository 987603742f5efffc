"""The list of what needs a person, in its order, a page at a time.

Open alerts come in the order of the list (`alert_order`); lines that wait for a person without an alert
(`waiting_rows`) are sorted among them. Only what is on the page is read whole, and its days of medicine left are worked
out anew. Bounded: nothing is read beyond `DEEPEST` rows; the count stops at the same number.

Source: console.md 6.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.medicine_risk import risk_class
from gateway.domain.work_item import (
    LEAD_TIME,
    Reason,
    Standing,
    last_day,
    measures_slack,
    reason_of,
    settled,
)
from gateway.ports.attention import (
    DEEPEST,
    Aliveness,
    Also,
    Attention,
    AttentionQuery,
    LineOnList,
    SilentProvider,
    WorkItem,
)
from gateway.store.sql import attention_found, late
from gateway.store.sql.alert_order import OTHER_OWN, OWN
from gateway.store.sql.alerts import holding
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.reckoning import cover_of, lead_of, ordered
from gateway.store.sql.transaction import Reader
from gateway.store.sql.waiting_rows import WaitingRow

_OPEN_COUNTED: Final = 10_000

_OWN_LINE: Final = """(CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant
        AND allocation.ended_at IS NULL))"""
_ALERT: Final = """
SELECT id, kind, text, place, last_day, risk, opened_at, taken_by, taken_at, snoozed_until, closed_at, line FROM alert
WHERE alert.id = ?
"""
_ITS_TENANT: Final = f"""
SELECT 1 FROM alert WHERE id = :alert
    AND {OWN}
"""  # noqa: S608 - our own words alone
_LINE: Final = """
SELECT line.uuid, prescription.uuid, prescription.number, line.order_number, line.tenant, line.provider, line.state,
    line.urgency, (
        SELECT cancel.state FROM cancel LEFT JOIN message ON message.id = cancel.message
        WHERE cancel.line = line.id
            AND (CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR message.destination = :tenant)),
    prescription.nhs_number, line.product_display, line.directions, line.quantity, line.entered_at,
    CASE WHEN line.first_sent_at IS NOT NULL THEN (
        SELECT min(event.at) FROM event WHERE event.line = line.id AND event.event = 'on_wire' AND event.moved = 1
            AND coalesce(event.epoch, 1) = line.epoch) END,
    prescription.issues
FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id = :line
"""
_SAID: Final = """
SELECT reason_code, reason FROM event WHERE line = :line AND state_after = :state AND moved = 1
    AND (:provider = '' OR event.provider = :provider)
ORDER BY seq DESC LIMIT 1
"""
_SPOKEN: Final = frozenset({LineState.REJECTED, LineState.RETURNED, LineState.QUERIED})
"""States that a provider brings a line into by what it says."""
_OF_SAME_LINE: Final = f"""
SELECT other.id, other.kind, line.state FROM alert JOIN line ON line.id = alert.line
JOIN alert AS other ON other.line = alert.line AND other.closed_at IS NULL
    AND (other.snoozed_until IS NULL OR other.snoozed_until <= :now) AND {OTHER_OWN}
WHERE alert.id = :alert ORDER BY other.place, coalesce(other.last_day, :today), other.id
"""  # noqa: S608 - our own words alone
_OTHERS: Final = f"""
SELECT id, kind, text FROM alert WHERE line = :line AND closed_at IS NULL AND id <> :alert AND {OWN} ORDER BY place, id
"""  # noqa: S608 - our own words alone
_OPEN: Final = f"""
SELECT count(*) FROM (SELECT DISTINCT +prescription FROM line
    WHERE act_by > 0
        AND {_OWN_LINE}
    LIMIT :most) AS open
"""  # noqa: S608 - our own words alone
_UNANSWERED: Final = """
SELECT min(CASE WHEN line.epoch = 1 THEN line.first_sent_at ELSE (
    SELECT min(event.at) FROM event WHERE event.line = line.id AND event.event = 'on_wire' AND event.moved = 1
        AND coalesce(event.epoch, 1) = line.epoch) END) FROM line
WHERE state IN ('SENT', 'UNCERTAIN') AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant OR provider = :tenant)
"""
"""Of a line that was given to another, what was sent to the first is not what is waited for."""


Light: TypeAlias = "attention_found.Found | tuple[tuple[int, str, int, int, int], SilentProvider]"
"""What is known of a row before it is read whole: where it stands, and which it is; a number is an alert's."""


def page(
    reader: Reader,
    *,
    tenant: OdsCode | None,
    query: AttentionQuery,
    now: datetime,
    groups: Sequence[SilentProvider] = (),
) -> Attention:
    """Give one page of the list."""
    grouped = [one.provider.value for one in groups]
    values = {
        **attention_found.values_of(tenant, query, now, grouped),
        "most": DEEPEST + 1,
        "least": query.first + query.size,
    }
    light = sorted(
        [*_grouped(groups, values), *attention_found.first(reader, tenant, query, values)], key=itemgetter(0)
    )
    wanted = light[query.first : query.first + query.size]
    rows = tuple(row for _, one in wanted if (row := _row(reader, one, query, values)) is not None)
    return Attention(rows=rows, total=min(len(light), DEEPEST), more=len(light) > DEEPEST)


def item(reader: Reader, alert: int, *, tenant: OdsCode | None) -> WorkItem | None:
    """Give one alert as a row."""
    values = {"alert": alert, "tenant": tenant.value if tenant else None}
    if next(iter(reader.execute(_ITS_TENANT, values)), None) is None:
        return None
    return _alert_row(reader, alert, tenant.value if tenant else None)


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


def _grouped(groups: Sequence[SilentProvider], values: Mapping[str, Any]) -> Iterator[Light]:
    for one in groups:
        at = one.standing
        day = at.last_day.isoformat() if at.last_day else values["today"]
        yield (int(not at.incident), day, at.risk, stored(at.since), at.number), one


def _standing(place: int, day: str | None, risk: int, since: int, number: int) -> Standing:
    return Standing(
        incident=place == 0,
        last_day=date.fromisoformat(day) if day else None,
        risk=risk,
        since=instant(since),
        number=number,
    )


def _speaks(reader: Reader, alert: int, values: Mapping[str, Any]) -> int:
    """Give the alert that speaks for a line: the one that stands there, unless it is settled and another is not."""
    rows = list(reader.execute(_OF_SAME_LINE, {**values, "alert": alert}))
    hold = [number for number, kind, state in rows if not settled(kind, LineState(state))]
    return alert if alert in hold or not hold else hold[0]


def _row(
    reader: Reader, light: int | WaitingRow | SilentProvider, query: AttentionQuery, values: Mapping[str, Any]
) -> WorkItem | SilentProvider | None:
    if isinstance(light, SilentProvider):
        return light
    tenant = values["tenant"]
    if isinstance(light, int):
        return _alert_row(reader, light if query.reason else _speaks(reader, light, values), tenant)
    return _line_row(reader, light.line, light.reason, tenant)


def _alert_row(reader: Reader, alert: int, tenant: str | None) -> WorkItem | None:
    row = next(iter(reader.execute(_ALERT, (alert,))), None)
    if row is None:
        return None
    number, kind, text, place, last_day, risk, opened_at, taken_by, taken_at, until, closed_at, line = row
    found = _line(reader, line, tenant) if line is not None else None
    shown, held = found if found is not None else (None, ())
    codes = tuple(dict.fromkeys(issue.code for issue in held))
    state = shown.state if shown is not None else None
    reason = reason_of(kind, state, codes)
    asked = {"line": line, "alert": number, "tenant": tenant}
    others = reader.execute(_OTHERS, asked) if line is not None else ()
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


def _line_row(reader: Reader, line: int, reason: Reason, tenant: str | None) -> WorkItem | None:
    found = _line(reader, line, tenant)
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
    return replace(standing, last_day=last_day(shown.cover.ends_on, shown.needs or LEAD_TIME))


def _line(reader: Reader, line: int, tenant: str | None) -> tuple[LineOnList, tuple[Issue, ...]] | None:
    row = next(iter(reader.execute(_LINE, {"line": line, "tenant": tenant})), None)
    if row is None:
        return None
    own = ordered(reader.execute, line)
    provider = tenant if tenant not in {None, row[4]} else ""
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
        cover=cover_of(reader.execute, own, provider=provider or ""),
        needs=lead_of(reader.execute, line),
        entered_at=instant(row[13]),
        first_sent_at=instant(row[14]) if row[14] is not None else None,
        unsent=late.unsent(reader, line) if LineState(row[6]) is LineState.READY else None,
        stage=late.stage(reader, line) if LineState(row[6]) is LineState.IN_SUPPLY else None,
        said=_said(reader, line, LineState(row[6]), provider or ""),
    )
    return shown, holding(row[15]) if shown.state is LineState.HELD else ()


def _said(reader: Reader, line: int, state: LineState, provider: str) -> str | None:
    """Give the provider's own words for where a line stands; None where it stands there by nobody's words.

    Args:
        reader: of the store.
        line: which.
        state: where it stands.
        provider: who asks, who is told no other's words; empty for the trust and for whoever may see all.
    """
    if state not in _SPOKEN:
        return None
    found = next(iter(reader.execute(_SAID, {"line": line, "state": state.value, "provider": provider})), None)
    return "; ".join(part for part in found if part) if found is not None else ""
