"""The figures of the service, looked up: sums of days, what waits, and the lists behind both.

A trust is given its own sums, a provider those of all trusts together with it; whoever sees all is given the sums over
all. What it costs grows with the days asked for, never with the books.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.service_figures import EVERYBODY, Outcome
from gateway.ports.board import MOST, Backlog, Figure, ItemsWanted, ItemView, Standings
from gateway.store.sql.counting import spread_of
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.seeing import SHOWN_ITEM
from gateway.store.sql.transaction import Reader

_WAITS: Final = (Outcome.TO_SEND, Outcome.WAITING, Outcome.NOT_KNOWN)
_FIGURES: Final = """
SELECT day, provider, measure, urgency, spread FROM figure
WHERE tenant = :tenant AND day >= :first AND day <= :last
UNION ALL
SELECT day, provider, measure, urgency, spread FROM figure
WHERE tenant = '' AND :tenant <> '' AND provider = :tenant AND day >= :first AND day <= :last
ORDER BY 1, 2, 3, 4
"""
_COUNTED: Final = "SELECT max(until), max(looked_at) FROM figure_mark"
_SINCE: Final = "SELECT min(day) FROM figure WHERE tenant = ''"
_NEXT: Final = "SELECT min(provider) FROM figure_item WHERE outcome = :outcome AND provider > :last"
_OF_PROVIDER: Final = """
SELECT count(*), min(since) FROM (
    SELECT since FROM figure_item WHERE provider = :provider AND outcome = :outcome ORDER BY since LIMIT :most
) AS oldest
"""
_OF_TRUST: Final = """
SELECT provider, outcome, count(*), min(since) FROM figure_item
WHERE tenant = :tenant AND outcome IN ('to-send', 'waiting', 'not-known') GROUP BY provider, outcome
"""
_ITEMS: Final = """
SELECT prescription.uuid, prescription.number, line.product_display, item.tenant, item.provider, item.outcome,
    item.since
FROM figure_item AS item JOIN line ON line.id = item.line JOIN prescription ON prescription.id = line.prescription
WHERE {whose} AND item.outcome = :outcome AND item.since >= :first AND item.since < :before
ORDER BY item.since, item.line LIMIT :limit
"""
_ITEMS_OF_TRUST: Final = _ITEMS.format(whose="item.tenant = :tenant AND (:provider = '' OR item.provider = :provider)")
_ITEMS_OF_PROVIDER: Final = _ITEMS.format(whose="item.provider = :provider")
_ITEMS_FOR_PROVIDER: Final = _ITEMS.format(whose=f"item.provider = :provider AND {SHOWN_ITEM}")
"""For its own people, who do not see what never reached it."""

_spread_of: Final = lru_cache(maxsize=16_384)(spread_of)
"""Only the newest day of a month that is looked at again and again differs from the last time."""


def figures(reader: Reader, *, tenant: OdsCode | None, first: date, last: date) -> tuple[Figure, ...]:
    """Give the sums of some days."""
    values = {"tenant": _whose(tenant), "first": first.isoformat(), "last": last.isoformat()}
    return tuple(
        Figure(
            day=date.fromisoformat(day),
            provider=OdsCode(provider) if provider else None,
            measure=measure,
            urgent=urgency == Urgency.URGENT,
            spread=_spread_of(spread),
        )
        for day, provider, measure, urgency, spread in reader.execute(_FIGURES, values)
    )


def counted(reader: Reader) -> Standings:
    """Tell how far counting has come."""
    ((until, looked_at),) = list(reader.execute(_COUNTED))
    ((since,),) = list(reader.execute(_SINCE))
    return Standings(
        until=instant(until) if until is not None else None,
        since=date.fromisoformat(since) if since else None,
        counted_at=instant(looked_at) if looked_at is not None else None,
    )


def backlog(reader: Reader, *, tenant: OdsCode | None) -> dict[OdsCode, Backlog]:
    """Give what waits, by provider; a tenant is not asked who the others are, for nothing of theirs is shown to it."""
    every = [OdsCode(one) for one in _providers(reader)] if tenant is None else [tenant]
    found = {one: waits for one in every if (waits := _of_provider(reader, one.value)) != Backlog()}
    if tenant is not None and not found:
        for provider, outcome, count, since in reader.execute(_OF_TRUST, {"tenant": tenant.value}):
            ods = OdsCode(provider)
            found[ods] = _with(found.get(ods, Backlog()), Outcome(outcome), count, since)
    return found


def _of_provider(reader: Reader, provider: str) -> Backlog:
    found = Backlog()
    for outcome in _WAITS:
        values = {"provider": provider, "outcome": outcome.value, "most": MOST + 1}
        ((count, since),) = list(reader.execute(_OF_PROVIDER, values))
        found = _with(found, outcome, count, since)
    return found


def _with(backlog: Backlog, outcome: Outcome, count: int, since: int | None) -> Backlog:
    if outcome is Outcome.TO_SEND:
        return replace(backlog, to_send=count)
    oldest = min(filter(None, (backlog.oldest, instant(since) if since is not None else None)), default=None)
    if outcome is Outcome.NOT_KNOWN:
        return replace(backlog, not_known=count, oldest=oldest)
    return replace(backlog, waiting=count, oldest=oldest)


def _providers(reader: Reader, outcomes: Iterable[Outcome] = _WAITS) -> list[str]:
    """Give each provider of which anything stands so, by one look into an index each."""
    found = set()
    for outcome in outcomes:
        last: str | None = ""
        while last is not None:
            ((last,),) = list(reader.execute(_NEXT, {"outcome": outcome.value, "last": last}))
            found |= {last} if last is not None else set()
    return sorted(found)


def items(reader: Reader, wanted: ItemsWanted, *, tenant: OdsCode | None) -> tuple[ItemView, ...]:
    """List items by where they stand, oldest first."""
    found: list[ItemView] = []
    for outcome in sorted(wanted.outcomes):
        values: dict[str, Any] = {
            "outcome": outcome.value,
            "first": stored(wanted.first),
            "before": stored(wanted.before),
            "limit": wanted.limit,
        }
        if tenant is not None:
            named = {"tenant": tenant.value, "provider": wanted.provider.value if wanted.provider else ""}
            found += _items(reader, _ITEMS_OF_TRUST, {**values, **named})
        for provider in _of_which(reader, wanted.provider, outcome, tenant):
            question = _ITEMS_OF_PROVIDER if tenant is None else _ITEMS_FOR_PROVIDER
            found += _items(reader, question, {**values, "provider": provider})
    return tuple(sorted(found, key=attrgetter("since"))[: wanted.limit])


def _of_which(reader: Reader, wanted: OdsCode | None, outcome: Outcome, tenant: OdsCode | None) -> list[str]:
    """Give the providers whose items are shown, whichever trust's they are."""
    if tenant is not None:
        return [tenant.value] if wanted in {None, tenant} else []
    return [wanted.value] if wanted is not None else _providers(reader, (outcome,))


def _items(reader: Reader, question: str, values: dict[str, Any]) -> Iterator[ItemView]:
    for uuid, number, medicine, tenant, provider, outcome, since in reader.execute(question, values):
        yield ItemView(
            prescription_id=UUID(bytes=uuid),
            number=number,
            medicine=medicine,
            tenant=OdsCode(tenant),
            provider=OdsCode(provider),
            outcome=Outcome(outcome),
            since=instant(since),
        )


def _whose(tenant: OdsCode | None) -> str:
    return tenant.value if tenant is not None else EVERYBODY
