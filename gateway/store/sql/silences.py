"""Providers with many late lines from which nothing has come since before they were late: each is one row of the list.

When a provider was last heard of is nobody's data alone: this is asked as the gateway itself, for a tenant's lines.

Source: console.md 6.1.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from gateway.domain.calendar import LONDON
from gateway.domain.identifiers import OdsCode
from gateway.domain.work_item import Standing
from gateway.ports.attention import DEEPEST, SilentProvider
from gateway.store.sql.alert_order import AWAKE, late_providers
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.seeing import OWN_ALERT
from gateway.store.sql.transaction import Reader

_FEW: Final = 3
"""So many late lines of one provider, and not a word from it since, are one row."""
_SCOPES: Final = {"all": "TRUE", "trust": "alert.tenant = :tenant", "provider": OWN_ALERT}
_LATE: Final = "alert.closed_at IS NULL AND alert.silent > 0 AND alert.provider = :provider"
SILENT: Final[Mapping[str, str]] = {
    scope: f"""
SELECT count(DISTINCT line), min(opened_at), min(last_day), min(risk),
    max(CASE WHEN last_day IS NULL THEN 1 ELSE 0 END), min(id)
FROM (SELECT line, opened_at, last_day, risk, id FROM alert
    WHERE {_LATE} AND {whose} AND {AWAKE}
    ORDER BY alert.opened_at LIMIT :most) AS late
"""  # noqa: S608 - our own words alone
    for scope, whose in _SCOPES.items()
}
LATE_SINCE: Final[Mapping[str, str]] = {
    scope: f"""
SELECT count(*) FROM (SELECT DISTINCT line FROM alert
    WHERE {_LATE} AND alert.opened_at > :heard AND {whose} AND {AWAKE}
    LIMIT :few) AS late
"""  # noqa: S608 - our own words alone
    for scope, whose in _SCOPES.items()
}
NEXT_OURS: Final = """
SELECT provider FROM alert WHERE closed_at IS NULL AND silent > 0 AND tenant = :tenant AND provider > :last
ORDER BY provider, opened_at LIMIT 1
"""
HEARD: Final = "SELECT max(received_at) FROM callback WHERE destination = ?"


def silences(reader: Reader, *, tenant: OdsCode | None, now: datetime) -> tuple[SilentProvider, ...]:
    """Give each silent provider, with what its silence explains of a tenant's lines."""
    found = []
    for provider, scope in _late(reader, tenant):
        at = next(iter(reader.execute(HEARD, (provider,))))[0]
        asked = {"provider": provider, "tenant": tenant.value if tenant else None, "now": stored(now)}
        since = {**asked, "heard": at if at is not None else -1, "few": _FEW}
        ((late,),) = reader.execute(LATE_SINCE[scope], since)
        if late >= _FEW:
            found.append(_silence(reader, scope, {**asked, "most": DEEPEST}, at, now))
    return tuple(found)


def _late(reader: Reader, tenant: OdsCode | None) -> Iterator[tuple[str, str]]:
    """Give each provider of which anything is late, and whose lines to look at; by one look into an index each."""
    if tenant is None:
        yield from ((provider, "all") for provider in late_providers(reader))
        return
    last = ""
    while (row := next(iter(reader.execute(NEXT_OURS, {"tenant": tenant.value, "last": last})), None)) is not None:
        last = str(row[0])
        yield last, "trust"
    yield tenant.value, "provider"


def _silence(reader: Reader, scope: str, asked: Mapping[str, Any], at: int | None, now: datetime) -> SilentProvider:
    lines, since, last_day, risk, unknown, number = next(iter(reader.execute(SILENT[scope], asked)))
    known = date.fromisoformat(last_day) if last_day else None
    worst = None if unknown and (known is None or known > now.astimezone(LONDON).date()) else known
    return SilentProvider(
        provider=OdsCode(asked["provider"]),
        lines=lines,
        since=instant(since),
        heard_at=instant(at) if at is not None else None,
        standing=Standing(incident=False, last_day=worst, risk=risk, since=instant(since), number=number),
    )
