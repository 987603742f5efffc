"""The books of each party and day, counted from the base tables, and the lists that parties compare with theirs.

What a trust was told stands in the answers' own table, what was stored in another, where it stands in a third: they are
counted apart, so that they can disagree.

Source: reliability-security.md I20.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.domain.books import FIRST_DAY, Account, DayList, Ledger, Listed, OutOfBalance, Side, bounds, london_day
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.seeing import ENDED_AS
from gateway.store.sql.transaction import Reader

SETTLES: Final = timedelta(minutes=10)
"""How long the watch may take to tell a person of what is overdue before that itself is out of balance."""
_OVER: Final = "('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED', 'FULFILLED')"
_NOT_ARRIVED: Final = frozenset({"READY", "SENT", "UNCERTAIN", "UNDELIVERABLE"})

_TOLD = """
SELECT tenant, received_at, refused_orders,
    (SELECT count(*) FROM json_each(verdict, '$.orders') AS told
     WHERE told.value ->> 'outcome' IN ('translated', 'held') AND told.value ->> 'action' IN ('new', 'replace'))
FROM submission WHERE received_at >= :first AND received_at < :after
"""
_STORED = f"""
SELECT submission.tenant, submission.received_at, min(CASE WHEN line.state IN {_OVER} THEN 1 WHEN line.id IS NOT NULL
    THEN 0 END), max(CASE WHEN line.state NOT IN {_OVER}
    AND EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL) THEN 1 ELSE 0 END)
FROM prescription JOIN submission ON submission.id = prescription.submission
LEFT JOIN line ON line.prescription = prescription.id
WHERE prescription.action IN ('new', 'replace') AND submission.received_at >= :first AND submission.received_at < :after
GROUP BY prescription.id, submission.id
UNION ALL
SELECT tenant, received_at, 1, 0 FROM archived_prescription
WHERE action IN ('new', 'replace') AND received_at >= :first AND received_at < :after
"""  # noqa: S608 - a constant list
_APART = "SELECT tenant, received_at FROM kept_apart WHERE received_at >= :first AND received_at < :after"
_GIVEN = f"""
SELECT allocation.provider, allocation.made_at,
    CASE WHEN allocation.ended_at IS NOT NULL OR line.state IN {_OVER} THEN 1 ELSE 0 END,
    CASE WHEN line.state NOT IN {_OVER} AND allocation.ended_at IS NULL
        AND EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL) THEN 1 ELSE 0 END
FROM allocation JOIN line ON line.id = allocation.line
WHERE allocation.made_at >= :first AND allocation.made_at < :after
UNION ALL
SELECT provider, made_at, 1, 0 FROM archived_allocation WHERE made_at >= :first AND made_at < :after
"""  # noqa: S608 - a constant list
_FAULTS: Final = {
    "told as taken, and not stored as told": """
        SELECT tenant || ' ' || control_id FROM submission WHERE (
            SELECT count(*) FROM json_each(verdict, '$.orders') AS told
            WHERE told.value ->> 'outcome' IN ('translated', 'held') AND told.value ->> 'action' IN ('new', 'replace')
        ) <> (SELECT count(*) FROM prescription
            WHERE prescription.submission = submission.id AND prescription.action IN ('new', 'replace'))
            + (SELECT count(*) FROM archived_prescription AS gone
            WHERE gone.submission = submission.id AND gone.action IN ('new', 'replace'))""",
    "archived, and still here": """
        SELECT uuid FROM prescription WHERE id IN (SELECT id FROM archived_prescription)""",
    "stored without a line": """
        SELECT uuid FROM prescription WHERE action IN ('new', 'replace')
            AND NOT EXISTS (SELECT 1 FROM line WHERE line.prescription = prescription.id)""",
    "not where its history says": """
        SELECT uuid FROM line WHERE state IS DISTINCT FROM (
            SELECT state_after FROM event WHERE event.line = line.id AND moved = 1 ORDER BY seq DESC LIMIT 1)""",
    "with a provider, and given to none": """
        SELECT uuid FROM line WHERE state IN ('SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED',
            'IN_SUPPLY', 'PART_SUPPLIED', 'FULFILLED')
            AND NOT EXISTS (SELECT 1 FROM allocation WHERE allocation.line = line.id AND ended_at IS NULL)""",
    "at its end, and still given to a provider": """
        SELECT uuid FROM line WHERE state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
            AND EXISTS (SELECT 1 FROM allocation WHERE allocation.line = line.id AND ended_at IS NULL)""",
    "open, and without a holder or a deadline": f"""
        SELECT uuid FROM line WHERE state NOT IN {_OVER} AND (act_by IS NULL OR holder = 'nobody')""",  # noqa: S608 - a constant list
    "its cancel confirmed, and still open": """
        SELECT uuid FROM line WHERE state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
            AND EXISTS (SELECT 1 FROM cancel WHERE cancel.line = line.id AND cancel.state = 'CONFIRMED')""",
    "ready, and neither queued nor alerted": """
        SELECT line.uuid FROM line WHERE state = 'READY' AND NOT EXISTS (
            SELECT 1 FROM allocation JOIN outbox ON outbox.message_id = allocation.message
            WHERE allocation.line = line.id AND allocation.ended_at IS NULL
                AND outbox.state IN ('due', 'claimed', 'on_wire'))
            AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)""",
    "overdue, and nobody was told": """
        SELECT uuid FROM line WHERE act_by < :silent
            AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)""",
    "an event without its audit leaf": """
        SELECT 'events: ' || kept || ', leaves: ' || leaves FROM (
            SELECT (SELECT count(*) FROM event) + (SELECT coalesce(sum(events), 0) FROM archived_prescription) AS kept,
                (SELECT count(*) FROM audit_leaf WHERE kind = 'event') AS leaves) AS counted WHERE kept <> leaves""",
}
_OF_TRUST = """
SELECT control_id, digest, outcome, received_at FROM submission WHERE tenant = :party AND {condition} ORDER BY id
"""
_OF_PROVIDER = f"""
SELECT line, epoch, digest, state, attempts, made_at FROM (
    SELECT allocation.id AS number, line.uuid AS line, allocation.epoch, message.digest,
        CASE WHEN allocation.ended_at IS NULL THEN line.state ELSE coalesce({ENDED_AS}, 'RETURNED') END AS state,
        outbox.attempts, allocation.made_at
    FROM allocation JOIN line ON line.id = allocation.line JOIN message ON message.id = allocation.message
    LEFT JOIN outbox ON outbox.message_id = allocation.message
    WHERE allocation.provider = :party AND {{condition}}
    UNION ALL
    SELECT id, line, epoch, digest, state, attempts, made_at FROM archived_allocation AS allocation
    WHERE provider = :party AND {{archived}}) AS given
ORDER BY number
"""  # noqa: S608 - our own words alone
_DAY_OF: Final = {
    Side.TRUST: "received_at >= :first AND received_at < :after",
    Side.PROVIDER: "allocation.made_at >= :first AND allocation.made_at < :after",
}
_NAMED: Final = {
    Side.TRUST: "control_id IN (SELECT value FROM json_each(:names))",
    Side.PROVIDER: "hex(line.uuid) IN (SELECT value FROM json_each(:names))",
}
_GONE_NAMED: Final = "hex(allocation.line) IN (SELECT value FROM json_each(:names))"
_LISTS: Final = {Side.TRUST: _OF_TRUST, Side.PROVIDER: _OF_PROVIDER}
_LAST_DAY: Final = date(9000, 1, 1)


def ledger(reader: Reader, *, day: date | None, now: datetime) -> Ledger:
    """Give the books of a day, or of all; what is out of balance is looked for among all days."""
    first, after = (bounds(FIRST_DAY)[0], bounds(_LAST_DAY)[0]) if day is None else bounds(day)
    span = {"first": stored(first), "after": stored(after)}
    return Ledger(accounts=tuple(_accounts(reader, span)), faults=tuple(_faults(reader, now)))


def listed(reader: Reader, party: OdsCode, *, side: Side, day: date) -> DayList:
    """Give what went between the gateway and one party on one day."""
    first, after = bounds(day)
    values = {"party": party.value, "first": stored(first), "after": stored(after)}
    rows = reader.execute(_LISTS[side].format(condition=_DAY_OF[side], archived=_DAY_OF[side]), values)
    return DayList(party=party, side=side, day=day, rows=tuple(_listed(side, rows)))


def known(reader: Reader, party: OdsCode, *, side: Side, names: Sequence[str]) -> dict[tuple[str, int], Listed]:
    """Give what we have of one party under these names, of whatever day."""
    chosen = names if side is Side.TRUST else [one.hex.upper() for name in names if (one := parse_uuid(name))]
    values = {"party": party.value, "names": json.dumps(chosen)}
    rows = reader.execute(_LISTS[side].format(condition=_NAMED[side], archived=_GONE_NAMED), values)
    return {row.key: row for row in _listed(side, rows)}


def _listed(side: Side, rows: Iterable[tuple[Any, ...]]) -> Iterator[Listed]:
    for row in rows:
        if side is Side.TRUST:
            yield Listed(id=row[0], digest=row[1], state=row[2], day=london_day(instant(row[3])))
        else:
            arrived = row[3] not in _NOT_ARRIVED and bool(row[4])
            line, day = str(UUID(bytes=row[0])), london_day(instant(row[5]))
            yield Listed(id=line, epoch=row[1], digest=row[2], state=row[3], expected=arrived, day=day)


def _accounts(reader: Reader, span: dict[str, int]) -> Iterator[Account]:
    counts: dict[tuple[str, Side, date], Counter[str]] = {}

    def of(side: Side, party: str, at: int) -> Counter[str]:
        return counts.setdefault((party, side, london_day(instant(at))), Counter())

    for tenant, at, refused, told in _rows(reader, _TOLD, span):
        of(Side.TRUST, tenant, at).update(told=told, refused=refused)
    for tenant, at, over, alerted in _rows(reader, _STORED, span):
        at_end = 0 if over is None else over
        counted = {"accepted": 1, "terminal": at_end, "open": 1 - at_end if over is not None else 0}
        of(Side.TRUST, tenant, at).update(**counted, alerted=alerted or 0)
    for tenant, at in _rows(reader, _APART, span):
        of(Side.TRUST, tenant, at).update(quarantined=1)
    for provider, at, over, alerted in _rows(reader, _GIVEN, span):
        of(Side.PROVIDER, provider, at).update(told=1, accepted=1, terminal=over, open=1 - over, alerted=alerted)
    for party, side, day in sorted(counts, key=lambda key: (key[2], key[1], key[0])):
        yield Account(party=OdsCode(party), side=side, day=day, **counts[party, side, day])


def _faults(reader: Reader, now: datetime) -> Iterator[OutOfBalance]:
    values = {"silent": stored(now - SETTLES)}
    for what, question in _FAULTS.items():
        for (found,) in _rows(reader, question, values if ":silent" in question else {}):
            yield OutOfBalance(what=what, id=str(UUID(bytes=found)) if isinstance(found, bytes) else str(found))


def _rows(reader: Reader, sql: str, values: dict[str, int]) -> list[tuple[Any, ...]]:
    return list(reader.execute(sql, values))
