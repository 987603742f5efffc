"""Finding prescriptions: lists, newest first unless said otherwise, each with the state of its worst line.

A corrected order may bear the id of the held one it replaces; a list then shows the newest, whose lines count together
with whatever earlier line is still open.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.labels import Condition, held_as, roll_up
from gateway.domain.lifecycle import LineState
from gateway.domain.sight import Sight
from gateway.enquiries import Found
from gateway.store.document import decode
from gateway.store.sql.instants import instant
from gateway.store.sql.listing import numbers
from gateway.store.sql.seeing import MAY_SEE, OWN_ALERT, OWN_LINE, sights
from gateway.store.sql.transaction import Reader

MOST = 100
VISIBLE = f"""
(CAST(:tenant AS TEXT) IS NULL OR prescription.tenant = :tenant OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.prescription = prescription.id AND allocation.provider = :tenant
        AND {MAY_SEE}))
"""  # noqa: S608 - a constant condition
NEWEST = """NOT EXISTS (
    SELECT 1 FROM prescription AS later
    WHERE later.uuid = prescription.uuid AND later.tenant = prescription.tenant AND later.id > prescription.id)"""
# What is empty is said again in each: only then do the indexes serve, which leave it out. And each is one set of ids:
# of two conditions with OR between them, PostgreSQL would ask every row that there is.
BY = {
    "nhs_number": "prescription.nhs_number = :value AND prescription.nhs_number <> ''",
    "number": "prescription.number = :value AND prescription.number <> ''",
    "order_number": f"""prescription.id IN (
        SELECT prescription FROM line WHERE order_number = :value AND order_number <> '' AND {OWN_LINE}
        UNION ALL
        SELECT same.id FROM prescription AS same WHERE same.group_number = :value AND same.group_number <> ''
    )""",  # noqa: S608 - constants
    "control_id": """prescription.id IN (
        SELECT same.id FROM submission JOIN prescription AS same ON same.submission = submission.id
        WHERE submission.tenant = :tenant AND submission.control_id = :value
        UNION ALL
        SELECT line.prescription FROM submission JOIN cancel ON cancel.submission = submission.id
        JOIN line ON line.id = cancel.line
        WHERE submission.tenant = :tenant AND submission.control_id = :value
        UNION ALL
        SELECT line.prescription FROM submission JOIN hold ON hold.submission = submission.id
        JOIN line ON line.id = hold.line
        WHERE submission.tenant = :tenant AND submission.control_id = :value
    )""",
}
_FIND = """
SELECT prescription.id, prescription.tenant FROM prescription WHERE {condition} AND {visible} AND {newest}
ORDER BY prescription.id DESC LIMIT :limit
"""
_LATEST_OF_ALL = f"""
SELECT id FROM prescription WHERE {NEWEST} ORDER BY id DESC LIMIT :limit
"""  # noqa: S608 - a constant condition
_LATEST = f"""
SELECT id FROM (
    SELECT id FROM prescription WHERE tenant = :tenant AND {NEWEST} ORDER BY id DESC LIMIT :limit) AS own
UNION
SELECT id FROM (
    SELECT DISTINCT prescription AS id FROM allocation WHERE provider = :tenant AND {MAY_SEE}
    ORDER BY prescription DESC LIMIT :limit) AS given
ORDER BY id DESC LIMIT :limit
"""  # noqa: S608 - a constant condition
_ON_ITS_WAY = f"""
SELECT DISTINCT prescription.id FROM line AS one JOIN prescription ON prescription.id = one.prescription
WHERE one.provider = :provider AND one.state IN ('SENT', 'UNCERTAIN') AND {NEWEST}
    AND NOT EXISTS (
        SELECT 1 FROM prescription AS same JOIN line ON line.prescription = same.id
        LEFT JOIN cancel ON cancel.line = line.id
        WHERE same.uuid = prescription.uuid AND same.tenant = prescription.tenant
            AND (cancel.id IS NOT NULL
                OR EXISTS (SELECT 1 FROM reroute WHERE reroute.line = line.id AND reroute.ended_at IS NULL)
                OR line.state NOT IN ('SENT', 'UNCERTAIN', 'SUPERSEDED')
                OR (line.state <> 'SUPERSEDED' AND line.provider <> :provider)))
ORDER BY prescription.id LIMIT :limit
"""  # noqa: S608 - a constant condition
_FOUND = f"""
SELECT id, uuid, number, group_number, tenant, received_at, issues FROM prescription
WHERE id IN {numbers("?")} ORDER BY id DESC
"""  # noqa: S608 - our own words alone
_LINES = """
SELECT wanted.id, line.state, line.product_display, line.provider,
    (SELECT count(*) FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL AND {whose}),
    (SELECT CASE max(CASE WHEN kind = 'safety-incident' THEN 3
            WHEN (kind = 'overdue' OR kind LIKE 'cancel-%') AND EXISTS (
                SELECT 1 FROM cancel WHERE cancel.line = line.id AND cancel.state IN ('ASKED', 'PENDING')) THEN 2
            WHEN kind = 'overdue' AND line.state = 'SENT' THEN 1 END)
        WHEN 3 THEN 'incident' WHEN 2 THEN 'cancel-overdue' WHEN 1 THEN 'sent-overdue' END
    FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL AND {whose}),
    line.id
FROM {rows} AS each
JOIN prescription AS wanted ON wanted.id = each.id
JOIN prescription AS same ON same.uuid = wanted.uuid AND same.tenant = wanted.tenant
JOIN line ON line.prescription = same.id
WHERE same.id = wanted.id OR line.state <> 'SUPERSEDED'
ORDER BY line.id
"""
_EVERY_LINE = _LINES.format(rows=numbers(":rows"), whose="TRUE")
_OF_PROVIDER = _LINES.format(rows=numbers(":rows"), whose=OWN_ALERT)


def search(
    reader: Reader, *, tenant: OdsCode | None, nhs_number: str, number: str, order_number: str
) -> tuple[Found, ...]:
    """Find by the one value that is given."""
    by, value = next(
        (by, value)
        for by, value in (("nhs_number", nhs_number), ("number", number), ("order_number", order_number))
        if value
    )
    return _find(reader, by, value, tenant)


def by_control_id(reader: Reader, control_id: str, *, tenant: OdsCode) -> tuple[Found, ...]:
    """Find what came of a trust's own message."""
    return _find(reader, "control_id", control_id, tenant)


def latest(reader: Reader, *, tenant: OdsCode | None, limit: int) -> tuple[Found, ...]:
    """Give the newest prescriptions that the tenant may see."""
    sql = _LATEST_OF_ALL if tenant is None else _LATEST
    values = {"tenant": tenant.value if tenant else None, "limit": limit}
    return describe(reader, [row[0] for row in reader.execute(sql, values)], tenant)


def on_its_way(reader: Reader, *, provider: OdsCode, limit: int) -> tuple[Found, ...]:
    """Give the prescriptions that a provider may fetch, oldest first.

    Asked as the gateway itself: a message may be fetched only if every line in it is on its way, whoever has the line.
    """
    values = {"provider": provider.value, "limit": limit}
    return describe(reader, [row[0] for row in reader.execute(_ON_ITS_WAY, values)], provider)[::-1]


def visible(reader: Reader, prescription_id: UUID, tenant: OdsCode | None) -> tuple[int, str] | None:
    """Give the newest row of a prescription, and whose it is, if the tenant may see it."""
    sql = _FIND.format(condition="prescription.uuid = :value", visible=VISIBLE, newest="TRUE")
    values = {"value": prescription_id.bytes, "tenant": tenant.value if tenant else None, "limit": 1}
    row = next(iter(reader.execute(sql, values)), None)
    return (int(str(row[0])), str(row[1])) if row else None


def describe(reader: Reader, rows: Sequence[int], tenant: OdsCode | None) -> tuple[Found, ...]:
    """Describe prescriptions by row id, newest first, to a provider by its own lines alone."""
    found = list(reader.execute(_FOUND, (json.dumps(list(rows)),)))
    given = [row[0] for row in found if tenant is not None and row[4] != tenant.value]
    lines = _lines(reader, _EVERY_LINE, {"rows": json.dumps([row[0] for row in found if row[0] not in given])})
    if tenant is not None and given:
        seen = sights(reader, given, tenant)
        read = _lines(reader, _OF_PROVIDER, {"rows": json.dumps(given), "tenant": tenant.value})
        lines |= {
            row: [_as_seen(one, seen[one[5]], tenant) for one in own if one[5] in seen] for row, own in read.items()
        }
    return tuple(_found(row, lines.get(row[0], [])) for row in found)


def _lines(reader: Reader, sql: str, values: Mapping[str, str]) -> dict[int, list[tuple[Any, ...]]]:
    lines: dict[int, list[tuple[Any, ...]]] = {}
    for row, *line in reader.execute(sql, values):
        lines.setdefault(row, []).append(tuple(line))
    return lines


def _as_seen(line: tuple[Any, ...], sight: Sight, provider: OdsCode) -> tuple[Any, ...]:
    """Give a line as its provider may see it: one that it no longer has, as it stood at the end."""
    state, medicine, _, alerts, condition, row = line
    return (sight.ended.state.value if sight.ended else state, medicine, provider.value, alerts, condition, row)


def _find(reader: Reader, by: str, value: str, tenant: OdsCode | None) -> tuple[Found, ...]:
    if "\0" in value:
        return ()  # nobody's: it is refused before it is stored, and some engines will not look for it
    newest = "TRUE" if by == "control_id" else NEWEST
    sql = _FIND.format(condition=BY[by], visible=VISIBLE, newest=newest)
    values = {"value": value, "tenant": tenant.value if tenant else None, "limit": MOST}
    return describe(reader, [row[0] for row in reader.execute(sql, values)], tenant)


def _found(row: tuple[Any, ...], lines: list[tuple[Any, ...]]) -> Found:
    provider = next((line[2] for line in reversed(lines) if line[2]), None)
    state, condition = roll_up(tuple((LineState(line[0]), Condition(line[4]) if line[4] else None) for line in lines))
    return Found(
        prescription_id=UUID(bytes=row[1]),
        number=row[2],
        group_number=row[3],
        tenant=OdsCode(row[4]),
        destination=OdsCode(provider) if provider else None,
        state=state,
        condition=condition,
        received_at=instant(row[5]),
        medicines=tuple(dict.fromkeys(line[1] for line in lines if line[1])),
        alerts=sum(line[3] for line in lines),
        held=held_as(decode(row[6], tuple[Issue, ...])) if state is LineState.HELD else None,
    )
