"""What the store says of its own health, read at once and beside whoever writes: for `gateway doctor`.

Only what a schema of this version holds is asked for. Figures of millions of rows come from indexes or from the newest
rows alone, so that a look at a big store costs no more than one at a small one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.enquiries import WATCH, PauseView
from gateway.store.sql.claims import DESTINATIONS, TENANTS, WAITS
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.pauses import HOLDS_ORDERS, open_pauses
from gateway.store.sql.transaction import Reader
from gateway.store.sql.watching import last_beat

_LAST: Final = "SELECT max(at) FROM (SELECT at FROM audit_leaf ORDER BY seq DESC LIMIT 1000) AS newest"
"""The newest rows are enough: a clock that went back longer ago than that has caught up, or says so in every alert."""
MOST: Final = 1000
"""Rows of one trust for one destination that are looked at, the oldest first, however many there are."""
_DUE: Final = f"""
SELECT count(*), min(due_at) FROM (
    SELECT id, due_at, kind, tenant, withheld FROM outbox WHERE state = 'due' AND destination = :destination
        AND tenant = :tenant AND due_at <= :now ORDER BY due_at, id LIMIT :most) AS oldest
WHERE withheld = 0 AND NOT {WAITS.format(row="oldest")}
    AND (kind = 'tell' OR NOT EXISTS (
        SELECT 1 FROM pause WHERE ended_at IS NULL AND {HOLDS_ORDERS.format(tenant="oldest.tenant")}))
"""  # noqa: S608 - of our own words alone
_LEASED: Final = (
    "SELECT count(*), min(lease_until) FROM outbox WHERE state IN ('claimed', 'on_wire') AND lease_until <= :now"
)
_ALERTS: Final = """
SELECT kind, count(*), min(opened_at) FROM alert WHERE closed_at IS NULL GROUP BY kind ORDER BY min(opened_at)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Work that should have been done.

    Attributes:
        count: how many rows of the queue; of what is due at most `MOST` a trust.
        since: for how long the oldest of them; None where there is none.
    """

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlerts:
    """The open alerts of one kind."""

    kind: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """How a store stands.

    Attributes:
        journal: how a file is written; empty for an engine that is not one.
        last_at: when the newest of what was written says it was written; None in a store without history.
        watched_at: the heartbeat of the watch; None if it never looked.
        due: what may be sent and is due; what is paused, withheld or waits for another is not counted.
        leased: what a worker took and has not finished in its time.
        alerts: by kind, the oldest first.
    """

    journal: str
    last_at: datetime | None
    watched_at: datetime | None
    due: Backlog
    leased: Backlog
    pauses: tuple[PauseView, ...]
    alerts: tuple[OpenAlerts, ...]


def read(reader: Reader, *, now: datetime, journal: str = "") -> Checkup:
    """Read how a store stands, through a connection that is open."""
    ((last,),) = reader.execute(_LAST)
    return Checkup(
        journal=journal,
        last_at=instant(last) if last is not None else None,
        watched_at=last_beat(reader, WATCH),
        due=_due(reader, now),
        leased=_backlog(reader, _LEASED, {"now": stored(now)}),
        pauses=open_pauses(reader),
        alerts=tuple(_alerts(reader)),
    )


def _due(reader: Reader, now: datetime) -> Backlog:
    found = [
        _backlog(
            reader, _DUE, {"now": stored(now), "most": MOST, "destination": str(destination), "tenant": str(tenant)}
        )
        for (destination,) in list(reader.execute(DESTINATIONS))
        for (tenant,) in list(reader.execute(TENANTS, {"destination": destination}))
    ]
    return Backlog(
        count=sum(one.count for one in found),
        since=min((one.since for one in found if one.since is not None), default=None),
    )


def _backlog(reader: Reader, question: str, values: Mapping[str, int | str]) -> Backlog:
    ((count, since),) = reader.execute(question, values)
    return Backlog(count=count, since=instant(since) if since is not None else None)


def _alerts(reader: Reader) -> Iterator[OpenAlerts]:
    for kind, count, oldest in reader.execute(_ALERTS):
        yield OpenAlerts(kind=kind, count=count, oldest=instant(oldest))
