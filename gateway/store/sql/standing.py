"""Every open line in groups that stand alike, and which configuration the store runs under (I23, D12)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.orphans import Standing
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf
from gateway.store.sql.transaction import Reader, Transaction

EXAMPLES = 20
_OPEN = "state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED') AND state <> 'FULFILLED'"
_EACH = f"""
SELECT line.tenant, line.provider, line.state,
    EXISTS (SELECT 1 FROM allocation JOIN outbox ON outbox.message_id = allocation.message
        WHERE allocation.line = line.id AND outbox.state IN ('due', 'claimed', 'on_wire'))
    OR EXISTS (SELECT 1 FROM cancel JOIN outbox ON outbox.message_id = cancel.message
        WHERE cancel.line = line.id AND outbox.state IN ('due', 'claimed', 'on_wire'))
    OR EXISTS (SELECT 1 FROM reroute JOIN outbox ON outbox.message_id = reroute.message
        WHERE reroute.line = line.id AND outbox.state IN ('due', 'claimed', 'on_wire')) AS waits,
    line.tenant IN (SELECT tenant FROM outbox WHERE kind = 'tell' AND state IN ('due', 'claimed', 'on_wire'))
        AS untold,
    line.uuid
FROM line WHERE {_OPEN}
"""  # noqa: S608 - a constant condition
_GROUPS = f"SELECT tenant, provider, state, waits, untold, count(*) FROM ({_EACH}) AS each_line GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"  # noqa: E501, S608 - one constant statement
_SOME = f"""
SELECT uuid FROM ({_EACH}) AS each_line
WHERE tenant = ? AND provider IS NOT DISTINCT FROM ? AND state = ? AND waits = ? AND untold = ?
LIMIT {EXAMPLES}
"""  # noqa: S608 - constants
_IN_FORCE = "SELECT digest, version, since FROM configuration ORDER BY id DESC LIMIT 1"
_ADOPT = "INSERT INTO configuration (digest, version, since, checked_lines) VALUES (?, ?, ?, ?)"


def standing(reader: Reader) -> tuple[Standing, ...]:
    """Give every open line, in groups that stand alike."""
    return tuple(_groups(reader))


def _groups(reader: Reader) -> Iterator[Standing]:
    rows: list[tuple[Any, ...]] = list(reader.execute(_GROUPS))
    for row in rows:
        yield Standing(
            tenant=OdsCode(row[0]),
            provider=OdsCode(row[1]) if row[1] else None,
            state=LineState(row[2]),
            waits=bool(row[3]),
            untold=bool(row[4]),
            lines=row[5],
            examples=tuple(UUID(bytes=uuid) for (uuid,) in reader.execute(_SOME, row[:5])),
        )


def in_force(reader: Reader) -> tuple[str, str, datetime] | None:
    """Give the digest and version of the configuration the store runs under, and since when; None before the first."""
    row: tuple[Any, ...] | None = next(iter(reader.execute(_IN_FORCE)), None)
    return (row[0], row[1], instant(row[2])) if row is not None else None


def adopt(transaction: Transaction, digest: str, version: str, *, checked_lines: int, now: datetime) -> None:
    """Put a configuration in force that was checked against every open line; nothing where it is already."""
    row = transaction.row(_IN_FORCE)
    if row is not None and row[0] == digest:
        return
    transaction.run(_ADOPT, (digest, version, stored(now), checked_lines))
    append_leaf(transaction, "configuration", at=now, digest=digest, version=version, checked_lines=checked_lines)
