"""The list of what needs a person, in its order, a page at a time.

Open alerts come in the order of the list (`alert_order`); lines that wait for a person without an alert
(`waiting_rows`) are sorted among them. Only what is on the page is read whole (`attention_rows`), and its days of
medicine left are worked out anew. Bounded: nothing is read beyond `DEEPEST` rows; the count stops at the same number.

Source: console.md 6.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import (
    DEEPEST,
    Aliveness,
    Attention,
    AttentionQuery,
    Place,
    Places,
    SilentProvider,
    WorkItem,
)
from gateway.store.sql import attention_found
from gateway.store.sql.attention_rows import OWN_LINE, items
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Reader

_OPEN_COUNTED: Final = 10_000

_OPEN: Final = f"""
SELECT count(*) FROM (SELECT DISTINCT +prescription FROM line
    WHERE act_by > 0
        AND {OWN_LINE}
    LIMIT :most) AS open
"""  # noqa: S608 - our own words alone
_UNANSWERED: Final = """
SELECT min(CASE WHEN line.epoch = 1 THEN line.first_sent_at ELSE (
    SELECT min(event.at) FROM event WHERE event.line = line.id AND event.event = 'on_wire' AND event.moved = 1
        AND coalesce(event.epoch, 1) = line.epoch) END) FROM line
WHERE state IN ('SENT', 'UNCERTAIN') AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant OR provider = :tenant)
"""
"""Of a line that was given to another, what was sent to the first is not what is waited for."""


def page(
    reader: Reader,
    *,
    tenant: OdsCode | None,
    query: AttentionQuery,
    now: datetime,
    groups: Sequence[SilentProvider] = (),
) -> Attention:
    """Give one page of the list."""
    light = _light(reader, tenant, query, now, groups)
    wanted = light[query.first : query.first + query.size]
    places = [one for one in wanted if isinstance(one, Place)]
    read = items(reader, places, tenant=tenant, speaks_at=now if query.reason is None else None)
    rows = tuple(row for one in wanted if (row := read.get(one) if isinstance(one, Place) else one) is not None)
    return Attention(rows=rows, total=min(len(light), DEEPEST), more=len(light) > DEEPEST)


def places(reader: Reader, *, tenant: OdsCode | None, query: AttentionQuery, now: datetime) -> Places:
    """Give which rows one page of the list has, without reading any of them."""
    light = _light(reader, tenant, query, now, ())
    wanted = tuple(one for one in light[query.first : query.first + query.size] if isinstance(one, Place))
    return Places(rows=wanted, more=len(light) > DEEPEST, speaks_at=now if query.reason is None else None)


def _light(
    reader: Reader, tenant: OdsCode | None, query: AttentionQuery, now: datetime, groups: Sequence[SilentProvider]
) -> list[Place | SilentProvider]:
    """Find what is on the list, in its order."""
    grouped = [one.provider.value for one in groups]
    values = {
        **attention_found.values_of(tenant, query, now, grouped),
        "most": DEEPEST + 1,
        "least": query.first + query.size,
    }
    found: list[tuple[tuple[int, str, int, int, int], Place | SilentProvider]] = [
        *_grouped(groups, values["today"]),
        *attention_found.first(reader, tenant, query, values),
    ]
    return [one for _, one in sorted(found, key=itemgetter(0))]


def item(reader: Reader, alert: int, *, tenant: OdsCode | None) -> WorkItem | None:
    """Give one alert as a row."""
    place = Place(number=alert)
    return items(reader, [place], tenant=tenant).get(place)


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


def _grouped(
    groups: Sequence[SilentProvider], today: str
) -> Iterator[tuple[tuple[int, str, int, int, int], SilentProvider]]:
    for one in groups:
        at = one.standing
        day = at.last_day.isoformat() if at.last_day else today
        yield (int(not at.incident), day, at.risk, stored(at.since), at.number), one
