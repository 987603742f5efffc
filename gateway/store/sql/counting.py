"""Counting the figures of the service from the history, a stretch at a time.

What is read and what that makes of the figures is worked out on a reading connection; the writer only compares the
marks and puts the new sums in place. The marks move with the sums in one transaction: nothing counts twice, nor never.
A line whose history grew is counted again whole, and what it counted for before is taken away.

Source: domain.md 2.2; gateway.domain.service_figures is the definition.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from gateway.domain.books import bounds, london_day
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.provider_health import Pulse
from gateway.domain.service_figures import (
    EVERYBODY,
    Counts,
    History,
    Item,
    Key,
    Measure,
    Step,
    change,
    figures_of,
    for_everybody,
)
from gateway.domain.spread import Spread
from gateway.ports.board import Counted
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.transaction import Reader, Row, Transaction

_MARKS: Final = "SELECT source, upto FROM figure_mark"
_STRETCH: Final = {
    "event": "SELECT max(seq), max(at), count(*) FROM (SELECT seq, at FROM event WHERE seq > :after ORDER BY seq LIMIT :limit) AS stretch",  # noqa: E501
    "attempt": "SELECT max(id), max(at), count(*) FROM (SELECT id, at FROM attempt WHERE id > :after ORDER BY id LIMIT :limit) AS stretch",  # noqa: E501
    "callback": "SELECT max(id), max(received_at), count(*) FROM (SELECT id, received_at FROM callback WHERE id > :after ORDER BY id LIMIT :limit) AS stretch",  # noqa: E501
    "submission": "SELECT max(id), max(received_at), count(*) FROM (SELECT id, received_at FROM submission WHERE id > :after ORDER BY id LIMIT :limit) AS stretch",  # noqa: E501
    "kept_apart": "SELECT max(id), max(received_at), count(*) FROM (SELECT id, received_at FROM kept_apart WHERE id > :after ORDER BY id LIMIT :limit) AS stretch",  # noqa: E501
}
# A line's whole history up to the end of the stretch; what it counted for before is its history up to the beginning.
_HISTORIES: Final = """
SELECT event.line, event.seq, event.at, event.event, event.state_after, event.moved, event.actor,
    coalesce(event.provider, ''), coalesce(event.epoch, 1), event.reason_code, line.tenant, line.urgency
FROM event JOIN line ON line.id = event.line
WHERE event.line IN (SELECT line FROM event WHERE seq > :after AND seq <= :upto) AND event.seq <= :upto
    AND line.action IN ('new', 'replace')
ORDER BY event.line, event.seq
"""
_ATTEMPTS: Final = """
SELECT attempt.at, attempt.outcome, outbox.destination, outbox.tenant
FROM attempt JOIN outbox ON outbox.id = attempt.outbox
WHERE attempt.id > :after AND attempt.id <= :upto AND outbox.kind = 'deliver' ORDER BY attempt.id
"""
_CALLBACKS: Final = "SELECT received_at, destination FROM callback WHERE id > :after AND id <= :upto ORDER BY id"
_REFUSALS: Final = """
SELECT received_at, tenant, refused_orders FROM submission WHERE id > :after AND id <= :upto AND refused_orders > 0
"""
_APART: Final = "SELECT received_at, tenant, 1 FROM kept_apart WHERE id > :after AND id <= :upto"
_FIGURE: Final = """
SELECT spread FROM figure
WHERE tenant = :tenant AND day = :day AND provider = :provider AND measure = :measure AND urgency = :urgency
"""
_PULSES: Final = """
SELECT provider, heard_at, tried_at, tried_since, silent_since,
    (SELECT max(received_at) FROM callback WHERE callback.destination = provider_pulse.provider)
FROM provider_pulse
"""
_MOVE_MARK: Final = """
UPDATE figure_mark SET upto = :upto, until = coalesce(:until, until),
    looked_at = CASE WHEN :behind THEN looked_at ELSE :now END
WHERE source = :source
"""
_KEEP_FIGURE: Final = """
INSERT INTO figure (tenant, day, provider, measure, urgency, spread)
VALUES (:tenant, :day, :provider, :measure, :urgency, :spread)
ON CONFLICT (tenant, day, provider, measure, urgency) DO UPDATE SET spread = excluded.spread
"""
_FORGET_FIGURE: Final = """
DELETE FROM figure
WHERE tenant = :tenant AND day = :day AND provider = :provider AND measure = :measure AND urgency = :urgency
"""
_KEEP_ITEM: Final = """
INSERT INTO figure_item (line, epoch, tenant, provider, outcome, since)
VALUES (:line, :epoch, :tenant, :provider, :outcome, :since)
ON CONFLICT (line, epoch) DO UPDATE SET provider = excluded.provider, outcome = excluded.outcome, since = excluded.since
"""
_FORGET_ITEM: Final = "DELETE FROM figure_item WHERE line = ? AND epoch = ?"
_KEEP_PULSE: Final = """
INSERT INTO provider_pulse (provider, heard_at, tried_at, tried_since, silent_since)
VALUES (:provider, :heard, :tried, :since, :silent)
ON CONFLICT (provider) DO UPDATE SET heard_at = excluded.heard_at, tried_at = excluded.tried_at,
    tried_since = excluded.tried_since, silent_since = excluded.silent_since
"""
_TRIED: Final = "on_wire"
_HEARD: Final = frozenset({"taken", "refused"})


def to_count(reader: Reader, *, limit: int) -> Counted:
    """Read what came since the marks, and what that makes of the figures."""
    spans: dict[str, tuple[int, int]] = {}
    newest: list[int] = []
    behind = False
    for source, mark in sorted(reader.execute(_MARKS)):
        ((upto, at, count),) = list(reader.execute(_STRETCH[source], {"after": mark, "limit": limit}))
        spans[source] = (mark, upto if upto is not None else mark)
        newest += [at] if at is not None else []
        behind |= count >= limit
    counts, items = _of_histories(reader, _span(spans["event"]))
    counts.update(_of_input(reader, spans))
    pulses, tries = _signs(reader, spans)
    counts.update(tries)
    return Counted(
        marks=spans,
        figures=_sums(reader, counts),
        items=items,
        pulses=pulses,
        until=instant(max(newest)) if newest else None,
        behind=behind,
    )


def keep_count(transaction: Transaction, counted: Counted, *, now: datetime) -> bool:
    """Put what was counted in place of what was, if nobody has counted meanwhile."""
    if dict(transaction.rows(_MARKS)) != {source: before for source, (before, _) in counted.marks.items()}:
        return False
    until = stored(counted.until) if counted.until is not None else None
    times = {"until": until, "now": stored(now), "behind": counted.behind}
    for source, (_, upto) in counted.marks.items():
        transaction.run(_MOVE_MARK, {"source": source, "upto": upto, **times})
    for key, spread in counted.figures.items():
        if spread.counts:
            transaction.run(_KEEP_FIGURE, {**_columns(key), "spread": _text(spread)})
        else:
            transaction.run(_FORGET_FIGURE, _columns(key))
    for (line, epoch), item in counted.items.items():
        if item is None:
            transaction.run(_FORGET_ITEM, (line, epoch))
        else:
            transaction.run(_KEEP_ITEM, {"line": line, "epoch": epoch, **_item(item)})
    for provider, pulse in counted.pulses.items():
        transaction.run(_KEEP_PULSE, _pulse(provider, pulse))
    return True


def spread_of(text: str) -> Spread:
    """Read a spread as it is kept."""
    return Spread({int(seconds): count for seconds, count in json.loads(text).items()})


def pulses_of(reader: Reader) -> dict[OdsCode, Pulse]:
    """Give the last signs of life of each provider's system."""
    return {
        OdsCode(provider): Pulse(
            heard_at=_moment(heard),
            tried_at=_moment(tried),
            tried_since=since,
            silent_since=_moment(silent),
            said_at=_moment(said),
        )
        for provider, heard, tried, since, silent, said in reader.execute(_PULSES)
    }


def _span(marks: tuple[int, int]) -> dict[str, int]:
    return {"after": marks[0], "upto": marks[1]}


def _of_histories(reader: Reader, span: dict[str, int]) -> tuple[Counts, dict[tuple[int, int], Item | None]]:
    counts: Counts = Counter()
    items: dict[tuple[int, int], Item | None] = {}
    for line, rows in groupby(list(reader.execute(_HISTORIES, span)), key=itemgetter(0)):
        found = list(rows)
        before = _history([row for row in found if row[1] <= span["after"]])
        added, changed = change(figures_of(before), figures_of(_history(found)))
        counts.update(added)
        items.update({(line, epoch): item for epoch, item in changed.items()})
    return counts, items


def _history(rows: Sequence[Row]) -> History:
    tenant, urgency = rows[0][10:12] if rows else ("", Urgency.ROUTINE)
    return History(tenant=tenant, urgency=Urgency(urgency), steps=[_step(row) for row in rows])


def _step(row: Row) -> Step:
    return Step(
        at=instant(row[2]),
        event=row[3],
        after=LineState(row[4]),
        moved=bool(row[5]),
        actor=row[6],
        provider=row[7],
        epoch=row[8],
        reason_code=row[9],
    )


def _of_input(reader: Reader, spans: Mapping[str, tuple[int, int]]) -> Counts:
    counts: Counts = Counter()
    for source, question, measure in (
        ("submission", _REFUSALS, Measure.REFUSED),
        ("kept_apart", _APART, Measure.UNREADABLE),
    ):
        for at, tenant, how_many in reader.execute(question, _span(spans[source])):
            counts[Key(tenant=tenant, day=london_day(instant(at)), provider="", measure=measure), 0] += how_many
    return counts


def _signs(reader: Reader, spans: Mapping[str, tuple[int, int]]) -> tuple[dict[OdsCode, Pulse], Counts]:
    """Give the pulses that changed, and the transmissions and messages by their hour."""
    counts: Counts = Counter()
    found: list[tuple[int, str, bool]] = []
    for at, outcome, provider, tenant in reader.execute(_ATTEMPTS, _span(spans["attempt"])):
        if outcome == _TRIED or outcome in _HEARD:
            found.append((at, provider, outcome == _TRIED))
        day, measure = london_day(instant(at)), f"{Measure.ATTEMPT}:{outcome}"
        counts[Key(tenant=tenant, day=day, provider=provider, measure=measure), hour_of(instant(at))] += 1
    for at, provider in reader.execute(_CALLBACKS, _span(spans["callback"])):
        found.append((at, provider, False))
        key = Key(tenant=EVERYBODY, day=london_day(instant(at)), provider=provider, measure=Measure.SAID)
        counts[key, hour_of(instant(at))] += 1
    known = pulses_of(reader) if found else {}
    changed: dict[OdsCode, Pulse] = {}
    for at, provider, tried in sorted(found, key=itemgetter(0)):
        ods = OdsCode(provider)
        pulse = changed.get(ods) or known.get(ods, Pulse())
        changed[ods] = pulse.tried(instant(at)) if tried else pulse.heard(instant(at))
    return changed, counts


def hour_of(at: datetime) -> int:
    """Give how many hours after the beginning of its day in London something happened: 0 to 24."""
    return int((at - bounds(london_day(at))[0]).total_seconds() // 3600)


def _sums(reader: Reader, counts: Counts) -> dict[Key, Spread]:
    """Add what was counted to what stands, of each trust and of everybody."""
    sums: dict[Key, dict[int, int]] = {}
    for (own, took), count in counts.items():
        for key in (own, for_everybody(own)) if own.tenant != EVERYBODY else (own,):
            if key not in sums:
                rows = list(reader.execute(_FIGURE, _columns(key)))
                sums[key] = dict(spread_of(rows[0][0]).counts) if rows else {}
            sums[key][took] = sums[key].get(took, 0) + count
    return {key: Spread({took: count for took, count in spread.items() if count}) for key, spread in sums.items()}


def _columns(key: Key) -> dict[str, Any]:
    return {
        "tenant": key.tenant,
        "day": key.day.isoformat(),
        "provider": key.provider,
        "measure": str(key.measure),
        "urgency": key.urgency.value,
    }


def _text(spread: Spread) -> str:
    return json.dumps({str(took): count for took, count in sorted(spread.counts.items())}, separators=(",", ":"))


def _item(item: Item) -> dict[str, Any]:
    return {
        "tenant": item.tenant,
        "provider": item.provider,
        "outcome": item.outcome.value,
        "since": stored(item.since),
    }


def _pulse(provider: OdsCode, pulse: Pulse) -> dict[str, Any]:
    def kept(at: datetime | None) -> int | None:
        return stored(at) if at is not None else None

    return {
        "provider": provider.value,
        "heard": kept(pulse.heard_at),
        "tried": kept(pulse.tried_at),
        "since": pulse.tried_since,
        "silent": kept(pulse.silent_since),
    }


def _moment(microseconds: int | None) -> datetime | None:
    return instant(microseconds) if microseconds is not None else None
