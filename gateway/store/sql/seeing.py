"""Which lines a provider may see, and how much of each: the rows behind `gateway.domain.sight`.

The conditions are for lists, which look at many lines; they are the same rule in fewer words, and PostgreSQL's second
lock asks them again.

Source: reliability-security.md I9.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import HAS_HOLDER
from gateway.domain.sight import MOVES_ON, NOT_YET_GIVEN, Sight, Span, Step, sight
from gateway.domain.work_item import KINDS, SHOWN_TO_PROVIDERS
from gateway.store.sql.instants import instant
from gateway.store.sql.listing import numbers
from gateway.store.sql.transaction import Reader


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_ENDS: Final = f"""event.moved = 1 AND event.state_before NOT IN ({_listed(NOT_YET_GIVEN)})
        AND (event.event IN ({_listed(MOVES_ON)}) OR event.state_after NOT IN ({_listed(HAS_HOLDER)}))"""
_OF_IT: Final = "event.line = allocation.line AND coalesce(event.epoch, 1) = allocation.epoch"
ENDED_AS: Final = f"""(
    SELECT CASE event.event {" ".join(f"WHEN '{event}' THEN '{state}'" for event, state in MOVES_ON.items())}
        ELSE event.state_after END
    FROM event WHERE {_OF_IT} AND {_ENDS} ORDER BY event.seq LIMIT 1)"""  # noqa: S608 - our own words alone
"""Of an allocation that has ended: as what, to its provider."""
MAY_SEE: Final = f"""(allocation.ended_at IS NULL OR (
    EXISTS (SELECT 1 FROM event WHERE {_OF_IT} AND event.event = 'on_wire' AND event.moved = 1)
    AND NOT EXISTS (SELECT 1 FROM event WHERE {_OF_IT} AND event.state_before = 'READY' AND {_ENDS})))
"""  # noqa: S608 - our own words alone
"""Of an allocation: its provider may see its line, for it has it, or something of it may have reached it."""
OWN_LINE: Final = f"""(CAST(:tenant AS TEXT) IS NULL OR line.tenant = :tenant OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = line.id AND allocation.provider = :tenant AND {MAY_SEE}))
"""  # noqa: S608 - our own words alone
"""Of a line: the tenant may see it."""
SHOWN_ITEM: Final = f"""EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = item.line AND allocation.epoch = item.epoch
        AND allocation.provider = :provider AND {MAY_SEE})"""  # noqa: S608 - our own words alone
"""Of a line with a provider as it is counted: that provider may see the line."""
_KINDS_SHOWN: Final = {"overdue", *(kind for kind, why in KINDS.items() if why in SHOWN_TO_PROVIDERS)}
OWN_ALERT: Final = f"""(alert.provider = :tenant AND alert.kind IN ({_listed(_KINDS_SHOWN)}) AND EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = alert.line AND allocation.provider = :tenant
        AND allocation.ended_at IS NULL AND allocation.made_at <= alert.opened_at))"""  # noqa: S608 - our own words
"""Of an alert: it concerns the tenant, which is the provider that has its line, and had it when it was opened."""
_SPANS: Final = f"""
SELECT line.id, allocation.epoch, allocation.made_at, allocation.ended_at
FROM prescription AS wanted CROSS JOIN prescription AS same CROSS JOIN line CROSS JOIN allocation
WHERE wanted.id IN {numbers(":rows")}
    AND same.uuid = wanted.uuid AND same.tenant = wanted.tenant AND line.prescription = same.id
    AND allocation.line = line.id AND allocation.provider = :provider
ORDER BY line.id, allocation.epoch
"""  # noqa: S608 - our own words alone
"""Said in this order, in which a file reads it: from the few rows that are asked for, not from all a provider has."""
_HISTORY: Final = f"""
SELECT event.line, event.seq, event.at, coalesce(event.epoch, 1), event.event, event.state_before, event.state_after,
    event.moved, coalesce(callback.destination, '')
FROM event LEFT JOIN callback ON callback.id = event.callback
WHERE event.line IN {numbers("?")} ORDER BY event.seq
"""  # noqa: S608 - our own words alone


def provider_of(tenant: OdsCode | None, owner: str) -> OdsCode | None:
    """Give the provider that looks at a trust's prescription; None where the trust itself does, or the gateway."""
    return tenant if tenant is not None and tenant.value != owner else None


def sights(reader: Reader, rows: Sequence[int], provider: OdsCode) -> Mapping[int, Sight]:
    """Say what a provider may see of the lines of some prescriptions, by line; a line that is not there it may not see.

    Args:
        reader: asked.
        rows: numbers of rows of prescriptions; those that bear the same id count with them.
        provider: who looks.
    """
    spans: dict[int, list[Span]] = {}
    for line, *span in reader.execute(_SPANS, {"provider": provider.value, "rows": json.dumps(list(rows))}):
        spans.setdefault(line, []).append(_span(span))
    history: dict[int, list[Step]] = {line: [] for line in spans}
    for line, *step in reader.execute(_HISTORY, (json.dumps(list(spans)),)):
        history[line].append(_step(step))
    found = {line: sight(provider.value, spans[line], history[line]) for line in spans}
    return {line: one for line, one in found.items() if one is not None}


def _span(row: Sequence[Any]) -> Span:
    epoch, made, ended = row
    return Span(epoch=epoch, made_at=instant(made), ended_at=instant(ended) if ended is not None else None)


def _step(row: Sequence[Any]) -> Step:
    seq, at, epoch, event, before, after, moved, said_by = row
    return Step(
        seq=seq,
        at=instant(at),
        epoch=epoch,
        event=event,
        before=before,
        after=after,
        moved=bool(moved),
        said_by=said_by,
    )
