"""Open alerts in the order of the list, found without reading those that are not asked for.

The order has five parts: incidents, then those whose last day is past, those without a known one, those of today, and
the rest. Each part of each *walk* stands in an index in its order, and is read no further than as many rows as are
wanted; what the walk does not say is asked of each row.

Source: console.md 6.1, 12 (server budgets).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from gateway.domain.identifiers import OdsCode
from gateway.ports.attention import AttentionQuery
from gateway.store.sql.seeing import OWN_ALERT
from gateway.store.sql.transaction import Reader

OWN: Final = f"(CAST(:tenant AS TEXT) IS NULL OR alert.tenant = :tenant OR {OWN_ALERT})"
OTHER_OWN: Final = OWN.replace("alert.", "other.")
"""A provider sees what concerns it of the lines it has, and nothing else of them stands before it."""
AWAKE: Final = "(alert.snoozed_until IS NULL OR alert.snoozed_until <= :now)"
NEEDS: Final = """(:lead = 0 OR :lead = coalesce(
        (SELECT lead_time.days FROM lead_time WHERE lead_time.provider = {whose}), :usual_lead))"""
"""Of what a provider has: it needs so many days, where that is asked for."""
_FITS: Final = f"""{AWAKE}
    AND (:taken_by = '' OR alert.taken_by = :taken_by)
    AND (:provider = '' OR alert.provider = :provider)
    AND (alert.last_day IS NULL OR alert.last_day < :before)
    AND {NEEDS.format(whose="alert.provider")}
    AND (:silent_of = '' OR alert.silent = 1 AND alert.provider = :silent_of)
    AND (:grouped = '[]' OR alert.silent = 0 OR alert.provider IS NULL
        OR alert.provider NOT IN (SELECT value FROM json_each(:grouped)))"""  # noqa: S608 - our own words alone
_LEADS: Final = f"""NOT EXISTS (
    SELECT 1 FROM alert AS other WHERE other.line = alert.line AND other.id <> alert.id AND other.closed_at IS NULL
        AND {OTHER_OWN} AND (:each = 0 OR other.provider = alert.provider)
        AND {_FITS.replace("alert.", "other.")}
        AND (other.place, coalesce(other.last_day, :today), other.id)
            < (alert.place, coalesce(alert.last_day, :today), alert.id))"""  # noqa: S608 - our own words alone
"""A line is one row, where the most pressing of its alerts stands that are asked for: one row of each provider, if so
asked.

That it is another is said apart, though the order says it too: under the second lock it is asked before the lock is.
"""
_ASKED: Final = f"""{_FITS}
    AND (:kinds = '[]' AND {_LEADS}
        OR coalesce(alert.line_state, alert.kind) IN (SELECT value FROM json_each(:kinds)))"""  # noqa: S608 - our own words alone
_WALKS: Final = {
    "loud": "alert.silent = 0",
    "quiet": "alert.silent = 1",
    "kind": "coalesce(alert.line_state, alert.kind) = :kind",
    "provider": "alert.provider = :of",
    "late": "alert.provider = :of AND alert.silent > 0",
    "nobody": "alert.provider IS NULL AND alert.silent > 0",
    "trust": "alert.tenant = :tenant",
    "ours": "alert.tenant = :tenant AND alert.provider = :of",
    "given": OWN_ALERT,
    "taken": f"alert.taken_by = :taken_by AND alert.taken_by <> '' AND {OWN}",
}
"""Ways through what is open; no alert is on two of those that are walked together."""
_PARTS: Final = {
    "incidents": ("alert.place = 0", "coalesce(alert.last_day, :today)"),
    "past": ("alert.place = 1 AND alert.last_day < :past", "alert.last_day"),
    "unknown": ("alert.place = 1 AND alert.last_day IS NULL", "alert.last_day"),
    "today": ("alert.place = 1 AND alert.last_day = :today", "alert.last_day"),
    "later": ("alert.place = 1 AND alert.last_day > :today AND alert.last_day < :before", "alert.last_day"),
}
"""Each in the order of an index, but the incidents, of which there are few."""
_STAGES: Final = (("incidents",), ("past",), ("unknown", "today"), ("later",))
"""Parts one after the other; those of equal slack together."""
IN_ORDER: Final[Mapping[tuple[str, str], str]] = {
    (walk, part): f"""
SELECT alert.place, coalesce(alert.last_day, :today), alert.risk, alert.opened_at, alert.id, alert.provider
FROM alert WHERE alert.closed_at IS NULL AND {through} AND {within} AND {_ASKED}
ORDER BY {order}, alert.risk, alert.id LIMIT :most
"""  # noqa: S608 - our own words alone
    for walk, through in _WALKS.items()
    for part, (within, order) in _PARTS.items()
}
NEXT_LATE: Final = """
SELECT provider FROM alert WHERE closed_at IS NULL AND silent > 0 AND provider > :last
ORDER BY provider, opened_at LIMIT 1
"""

Walk = tuple[str, Mapping[str, str]]


class Placed(NamedTuple):
    """Where an alert stands: sorted as it is, it is in the order of the list."""

    place: int
    day: str
    risk: int
    since: int
    alert: int
    provider: str | None


def late_providers(reader: Reader) -> Iterator[str]:
    """Give each provider that has an open alert which its silence would explain, by one look into an index each."""
    last = ""
    while (row := next(iter(reader.execute(NEXT_LATE, {"last": last})), None)) is not None:
        last = str(row[0])
        yield last


def walks(
    reader: Reader, tenant: OdsCode | None, query: AttentionQuery, kinds: Sequence[str], grouped: Iterable[str] = ()
) -> tuple[Walk, ...]:
    """Choose the shortest way to what is asked for.

    Args:
        reader: asked.
        tenant: whose; None for all.
        query: which rows.
        kinds: of alerts, and states of overdue lines, that the reason asked for has; none where none is.
        grouped: providers whose late lines are one row each, and are left out.
    """
    if query.taken_by:
        return (("taken", {}),)
    one = query.silent_of or query.provider
    if tenant is not None:
        given: tuple[Walk, ...] = () if one not in {None, tenant} else (("given", {}),)
        return (("ours", {"of": one.value}) if one else ("trust", {}), *given)
    if one:
        return (("provider", {"of": one.value}),)
    if kinds:
        return tuple(("kind", {"kind": kind}) for kind in kinds)
    together = set(grouped)
    late = [each for each in late_providers(reader) if each not in together] if together else []
    if len(late) < len(together):
        return (("loud", {}), ("nobody", {}), *(("late", {"of": each}) for each in late))
    return (("loud", {}), ("quiet", {}))


def first(reader: Reader, through: Sequence[Walk], values: Mapping[str, Any]) -> list[Placed]:
    """Give alerts: the first `least` of the order are among them, and there are `most`, if so many are open."""
    found: list[Placed] = []
    for stage in _STAGES:
        for part, (walk, more) in product(stage, through):
            most = max(values["least"], values["most"] - len(found))
            rows = reader.execute(IN_ORDER[walk, part], {**values, **more, "most": most})
            found += map(Placed._make, rows)
        if len(found) >= values["most"]:
            break
    return found
