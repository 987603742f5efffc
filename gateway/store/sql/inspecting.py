"""Lists of messages, of all four ways they go, newest first; whatever is asked, a bounded number of rows is looked at.

Each way is followed by its own numbers, which its table gives in the order of commits, and the four are merged by time.
So a list goes on from where it ended whatever was written meanwhile, and needs no index on times. A time is found among
the numbers by halving; what lies about it is looked at row by row, for two commits may have crossed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.ports.inspection import Below, Channel, MessageId, MessageList, MessageRow, Wanted
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.message_rows import SELECT, message_row
from gateway.store.sql.transaction import Reader

LOOKED_AT: Final = 5000
"""Rows of one way that are looked at for one part of a list."""
SPREAD: Final = 20_000
"""Numbers among which is looked in one statement for what no index leads to: a trust's own answers, for they bear no
trust's name, and what went to or came from one partner."""
_FIRST_CHUNK: Final = 64
_CHUNK: Final = 500
_CROSSED: Final = timedelta(minutes=2)
"""By how much the times of two commits may lie the other way round."""
_TOP: Final = 2**62
MOST: Final = 100

_ID: Final = {channel: "outbox.id" if channel is Channel.SENT else "id" for channel in Channel}
_OWN: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: "tenant = :tenant",
    Channel.APART: "tenant = :tenant",
    Channel.SENT: "outbox.tenant = :tenant",
    Channel.ANSWER: """EXISTS (SELECT 1 FROM event JOIN line ON line.id = event.line
    WHERE event.callback = callback.id AND line.tenant = :tenant)""",
}
_WITH: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: "tenant = :partner",
    Channel.APART: "tenant = :partner",
    Channel.SENT: "outbox.destination = :partner",
    Channel.ANSWER: "destination = :partner",
}


def _statements(which: Mapping[Channel, str]) -> dict[tuple[Channel, bool, bool], str]:
    """Write each list four times: of a trust's own or of all, with one partner or with any."""
    return {
        (channel, own, partner): sql.format(
            which=" AND ".join(
                [which[channel], *([_OWN[channel]] if own else []), *([_WITH[channel]] if partner else [])]
            )
        )
        for channel, sql in SELECT.items()
        for own in (False, True)
        for partner in (False, True)
    }


LISTS: Final = _statements({channel: f"{_ID[channel]} < :before AND {_ID[channel]} >= :floor" for channel in Channel})
_ONE: Final = _statements({channel: f"{_ID[channel]} = :number" for channel in Channel})
_TENANTS: Final = """
WITH RECURSIVE known (tenant) AS (
    SELECT min(tenant) FROM submission
    UNION ALL SELECT (SELECT min(tenant) FROM submission WHERE tenant > known.tenant)
    FROM known WHERE known.tenant IS NOT NULL)
SELECT tenant FROM known WHERE tenant IS NOT NULL
"""
_DESTINATIONS: Final = """
WITH RECURSIVE known (destination) AS (
    SELECT min(destination) FROM callback
    UNION ALL SELECT (SELECT min(destination) FROM callback WHERE destination > known.destination)
    FROM known WHERE known.destination IS NOT NULL)
SELECT destination FROM known WHERE destination IS NOT NULL
"""
_NAMED: Final[Mapping[str, tuple[Channel, str]]] = {
    "control id": (Channel.RECEIVED, "SELECT id FROM submission WHERE tenant = :whose AND control_id = :value"),
    "answer id": (
        Channel.ANSWER,
        "SELECT id FROM callback WHERE destination = :whose AND answer_id = :value ORDER BY id DESC LIMIT 100",
    ),
    "digest received": (Channel.RECEIVED, "SELECT id FROM submission WHERE digest = :value ORDER BY id DESC LIMIT 100"),
    "digest apart": (Channel.APART, "SELECT id FROM kept_apart WHERE digest = :value ORDER BY id DESC LIMIT 100"),
    "digest answer": (Channel.ANSWER, "SELECT id FROM callback WHERE digest = :value ORDER BY id DESC LIMIT 100"),
    "digest sent": (
        Channel.SENT,
        """SELECT outbox.id FROM message JOIN outbox ON outbox.message_id = message.id
        WHERE message.digest = :value ORDER BY outbox.id DESC LIMIT 100""",
    ),
    "message": (Channel.SENT, "SELECT id FROM outbox WHERE message_id = :value"),
    "prescription received": (
        Channel.RECEIVED,
        "SELECT submission FROM prescription WHERE uuid = :value ORDER BY id DESC LIMIT 100",
    ),
    "prescription sent": (
        Channel.SENT,
        """SELECT outbox.id FROM prescription JOIN message ON message.prescription = prescription.id
        JOIN outbox ON outbox.message_id = message.id WHERE prescription.uuid = :value
        ORDER BY outbox.id DESC LIMIT 100""",
    ),
    "prescription answered": (
        Channel.ANSWER,
        """SELECT DISTINCT event.callback FROM prescription JOIN line ON line.prescription = prescription.id
        JOIN event ON event.line = line.id WHERE prescription.uuid = :value AND event.callback IS NOT NULL
        ORDER BY event.callback DESC LIMIT 100""",
    ),
}
NAMED: Final = {kind: sql for kind, (_, sql) in _NAMED.items()}
_OUTCOMES: Final[Mapping[Channel, frozenset[str]]] = {
    Channel.RECEIVED: frozenset({"translated", "held", "refused", "task", "duplicate"}),
    Channel.APART: frozenset({"unreadable", "clash"}),
    Channel.SENT: frozenset({"not sent yet", "taken", "refused", "try_later", "in_doubt", "on_wire"}),
    Channel.ANSWER: frozenset({"moved", "changed nothing", "not understood"}),
}
"""What may become of a message that goes each way: of what cannot be, no row is looked at."""
# The least and the greatest apart: of both at once a file would read every row between.
_SPAN: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: "SELECT (SELECT min(id) FROM submission), (SELECT max(id) FROM submission)",
    Channel.APART: "SELECT (SELECT min(id) FROM kept_apart), (SELECT max(id) FROM kept_apart)",
    Channel.SENT: "SELECT (SELECT min(id) FROM outbox), (SELECT max(id) FROM outbox)",
    Channel.ANSWER: "SELECT (SELECT min(id) FROM callback), (SELECT max(id) FROM callback)",
}
_AT: Final[Mapping[Channel, str]] = {
    Channel.RECEIVED: "SELECT received_at FROM submission WHERE id >= ? ORDER BY id LIMIT 1",
    Channel.APART: "SELECT received_at FROM kept_apart WHERE id >= ? ORDER BY id LIMIT 1",
    Channel.SENT: "SELECT accepted_at FROM outbox WHERE id >= ? ORDER BY id LIMIT 1",
    Channel.ANSWER: "SELECT received_at FROM callback WHERE id >= ? ORDER BY id LIMIT 1",
}
_CONFIGURATIONS: Final = "SELECT version, since FROM configuration ORDER BY id"


@dataclass(slots=True)
class _Way:
    """One way's part of a list: the next row that is wanted, and how far was looked.

    Attributes:
        below: what has a lower number was not looked at.
        spent: it was looked at enough of for now, and there is more.
        reached: time of the last row looked at.
    """

    rows: Iterator[MessageRow | None]
    below: int
    next: MessageRow | None = None
    ended: bool = False
    spent: bool = False
    reached: datetime | None = None


def messages(
    reader: Reader, *, tenant: OdsCode | None, wanted: Wanted, below: Below | None = None, limit: int
) -> MessageList:
    """List messages, newest first. See `gateway.ports.inspection.Inspection`."""
    ways = {channel: _begin(reader, channel, tenant, wanted, below) for channel in Channel}
    for way in ways.values():
        _advance(way)
    found: list[MessageRow] = []
    stopped: datetime | None = None
    while len(found) < limit:
        open_ways = [way for way in ways.values() if way.next is not None or way.spent]
        if not open_ways:
            break
        newest = max(open_ways, key=lambda way: way.next.at if way.next else way.reached or instant(0))
        if newest.next is None:
            stopped = newest.reached
            break
        found.append(newest.next)
        newest.below = newest.next.id.number
        _advance(newest)
    done = all(way.ended for way in ways.values())
    further = None if done else Below(numbers={name: 0 if way.ended else way.below for name, way in ways.items()})
    return MessageList(rows=tuple(found), further=further, looked_back_to=stopped)


def _advance(way: _Way) -> None:
    """Find the next row that is wanted; rows that are not move the bound all the same."""
    way.next = next(way.rows, None)
    if way.next is not None:
        way.below = min(way.below, way.next.id.number + 1)  # what comes later does not slip in below
    way.ended = way.next is None and not way.spent


def _begin(reader: Reader, channel: Channel, tenant: OdsCode | None, wanted: Wanted, below: Below | None) -> _Way:
    start = below.numbers.get(channel, 0) if below is not None else _TOP
    if not _may_hold(channel, wanted):
        start = 0
    if start and wanted.until is not None:
        start = min(start, _first_after(reader, channel, wanted.until + _CROSSED))
    way = _Way(rows=iter(()), below=start)
    way.rows = _wanted(reader, channel, tenant, wanted, way)
    return way


def _may_hold(channel: Channel, wanted: Wanted) -> bool:
    """Tell whether a way can have anything that is wanted at all."""
    return (
        wanted.channel in {None, channel}
        and (not wanted.outcome or wanted.outcome in _OUTCOMES[channel])
        and not (channel is Channel.SENT and (wanted.issue or wanted.warned))
        and not (channel is Channel.APART and wanted.kind)
    )


def _wanted(
    reader: Reader, channel: Channel, tenant: OdsCode | None, wanted: Wanted, way: _Way
) -> Iterator[MessageRow | None]:
    """Give the rows of one way that are wanted, as long as it was not looked at enough."""
    for looked, row in enumerate(_rows(reader, channel, tenant, wanted.partner, way), start=1):
        if wanted.since is not None and row.at < wanted.since - _CROSSED:
            return
        way.reached = row.at
        if fits(row, wanted):
            yield row
        elif looked >= LOOKED_AT:
            way.below, way.spent = row.id.number, True
            return


def _rows(reader: Reader, channel: Channel, tenant: OdsCode | None, partner: str, way: _Way) -> Iterator[MessageRow]:
    sql = LISTS[channel, tenant is not None, bool(partner)]
    before, floor, chunk = way.below, 0, _FIRST_CHUNK
    if before and _far(channel, own=tenant is not None, partner=bool(partner)):
        ((_, newest),) = reader.execute(_SPAN[channel])
        before = min(before, int(str(newest or 0)) + 1)
        floor = max(0, before - SPREAD)
    values: dict[str, Any] = {"tenant": tenant.value if tenant else "", "partner": partner}
    while before > 0:
        used = {name: value for name, value in values.items() if f":{name}" in sql}
        rows = list(reader.execute(sql, {**used, "before": before, "floor": floor, "most": chunk}))
        yield from (message_row(channel, row) for row in rows)
        if len(rows) == chunk:
            before, chunk = int(str(rows[-1][0])), _CHUNK
        elif floor:
            way.below, way.spent = floor, True
            return
        else:
            return


def _far(channel: Channel, *, own: bool, partner: bool) -> bool:
    """Tell whether rows that are wanted may lie far apart, with no index that leads from one to the next."""
    return (channel is Channel.ANSWER and (own or partner)) or (channel is Channel.SENT and partner)


def _first_after(reader: Reader, channel: Channel, moment: datetime) -> int:
    """Give a number below which everything older than a moment lies, found by halving."""
    ((low, high),) = reader.execute(_SPAN[channel])
    if low is None:
        return 0
    wanted, least, most = stored(moment), int(str(low)), int(str(high)) + 1
    while least < most:
        middle = (least + most) // 2
        found = next(iter(reader.execute(_AT[channel], (middle,))), None)
        if found is None or int(str(found[0])) >= wanted:
            most = middle
        else:
            least = middle + 1
    return least


def fits(row: MessageRow, wanted: Wanted) -> bool:
    """Tell whether a row is one of those wanted."""
    return (
        (not wanted.kind or row.kind.casefold().startswith(wanted.kind.casefold()))
        and (not wanted.outcome or row.outcome == wanted.outcome)
        and (not wanted.issue or wanted.issue in row.issues)
        and (not wanted.warned or row.warned)
        and (wanted.since is None or row.at >= wanted.since)
        and (wanted.until is None or row.at < wanted.until)
    )


def one(reader: Reader, message: MessageId, tenant: OdsCode | None) -> MessageRow | None:
    """Give the row of one message, if the tenant may see it."""
    values: dict[str, Any] = {"number": message.number, "most": 1}
    if tenant is not None:
        values["tenant"] = tenant.value
    found = next(iter(reader.execute(_ONE[message.channel, tenant is not None, False], values)), None)
    return message_row(message.channel, found) if found else None


def named(reader: Reader, text: str, *, tenant: OdsCode | None) -> tuple[MessageRow, ...]:
    """Find messages by exactly one thing."""
    if not text or "\0" in text:
        return ()
    ids = {
        message for kind, value, whose in _asked(reader, text, tenant) for message in _of(reader, kind, value, whose)
    }
    if own := MessageId.parse(text):
        ids.add(own)
    rows = [row for message in ids if (row := one(reader, message, tenant)) is not None]
    return tuple(sorted(rows, key=lambda row: (row.at, row.id), reverse=True)[:MOST])


def _asked(reader: Reader, text: str, tenant: OdsCode | None) -> Iterator[tuple[str, str | bytes, str]]:
    trusts = [tenant.value] if tenant else [str(name) for (name,) in reader.execute(_TENANTS)]
    yield from (("control id", text, trust) for trust in trusts)
    yield from (("answer id", text, str(whose)) for (whose,) in list(reader.execute(_DESTINATIONS)))
    if (uuid := parse_uuid(text)) is not None:
        yield "message", uuid.bytes, ""
        for kind in ("prescription received", "prescription sent", "prescription answered"):
            yield kind, uuid.bytes, ""
    if len(text) == 64 and set(text.lower()) <= set("0123456789abcdef"):  # noqa: PLR2004 - hex of SHA-256
        for kind in ("digest received", "digest apart", "digest answer", "digest sent"):
            yield kind, text.lower(), ""


def _of(reader: Reader, kind: str, value: str | bytes, whose: str) -> list[MessageId]:
    channel, sql = _NAMED[kind]
    values: dict[str, Any] = {"value": value, **({"whose": whose} if ":whose" in sql else {})}
    return [MessageId(channel, int(str(number))) for (number,) in reader.execute(sql, values)]


def configurations(reader: Reader) -> tuple[tuple[str, datetime], ...]:
    """Give every version of the configuration there was, oldest first."""
    return tuple((str(row[0]), instant(int(str(row[1])))) for row in reader.execute(_CONFIGURATIONS))
