"""The figures of a period for a machine: one observation a row, the same numbers as on the page.

Source: console.md 6.6; domain.md 2.2, rule 2 and the published form.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from gateway.console.csv_text import Cell
from gateway.console.figures.performance_figures import (
    Acceptance,
    Intake,
    Period,
    acceptance,
    by_day,
    by_provider,
    intake,
)
from gateway.domain.service_figures import DEFINITION, EXCLUDED
from gateway.domain.spread import Share
from gateway.ports.board import Figure

HEADER: Final = (
    "period_first", "period_last", "period_complete", "scope", "day", "provider", "measure", "definition",
    "numerator", "denominator", "percent", "percent_low", "percent_high", "counted_up_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One number.

    Attributes:
        day: ISO date, or empty for the whole period.
        provider: ODS code, or empty for all.
        denominator: None where the number is a count and not a share.
    """

    day: str
    provider: str
    measure: str
    numerator: int
    denominator: int | None = None


def observations(figures: Sequence[Figure], period: Period, *, came_in: bool = True) -> Iterator[Observation]:
    """Give every number of a period: of all, of each provider, of each day.

    Args:
        figures: of the period.
        period: the days they are of.
        came_in: whether what came in is among them; a provider knows only of what was sent to it.
    """
    if came_in:
        yield from _intake(intake(figures))
    yield from _acceptance(acceptance(figures))
    for provider, found in by_provider(figures):
        yield from _acceptance(found, provider=str(provider))
    for day, found in by_day(figures, period):
        if found.sent:
            yield from _acceptance(found, day=day.isoformat())


def rows(
    found: Sequence[Observation], period: Period, *, scope: str, counted: datetime | None
) -> Iterator[tuple[Cell, ...]]:
    """Give observations as rows under `HEADER`."""
    for one in found:
        low, high = _interval(one)
        yield (
            period.first, period.last, not period.under_way, scope, one.day, one.provider, one.measure, DEFINITION,
            one.numerator, one.denominator, _percent(one), low, high, counted,
        )  # fmt: skip


def document(found: Sequence[Observation], period: Period, *, scope: str, counted: datetime | None) -> bytes:
    """Give the same as JSON, with a digest over the observations: two documents of one digest say the same."""
    listed = [
        {
            "day": one.day or None,
            "provider": one.provider or None,
            "measure": one.measure,
            "numerator": one.numerator,
            "denominator": one.denominator,
            "percent": _number(_percent(one)),
            "interval": [_number(end) for end in _interval(one)],
        }
        for one in found
    ]
    digest = hashlib.sha256(json.dumps(listed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    whole = {
        "period": {
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "complete": not period.under_way,
        },
        "scope": scope,
        "definition": DEFINITION,
        "status": "experimental",
        "counted_up_to": counted.isoformat() if counted is not None else None,
        "digest": digest,
        "observations": listed,
    }
    return json.dumps(whole, indent=1).encode()


def _intake(found: Intake) -> Iterator[Observation]:
    for measure, count in (
        ("submitted", found.submitted),
        ("refused", found.refused),
        ("unreadable_messages", found.unreadable),
        ("taken", found.taken),
        ("sent_to_a_provider", found.given),
        ("ended_before_sending", found.ended_unsent),
        ("not_sent_yet", found.not_sent_yet),
    ):
        yield Observation(day="", provider="", measure=measure, numerator=count)


def _acceptance(found: Acceptance, *, day: str = "", provider: str = "") -> Iterator[Observation]:
    def share(measure: str, of: Share) -> Observation:
        return Observation(
            day=day, provider=provider, measure=measure, numerator=of.numerator, denominator=of.denominator
        )

    def count(measure: str, number: int) -> Observation:
        return Observation(day=day, provider=provider, measure=measure, numerator=number)

    yield share("accepted_in_time_raw", found.raw)
    yield share("accepted_in_time_adjusted", found.adjusted)
    yield share("completeness", found.completeness)
    yield count("sent", found.sent)
    yield count("accepted", len(found.took))
    yield count("accepted_late", found.late)
    yield count("rejected", found.rejected)
    for measure in EXCLUDED:
        yield count(f"excluded_{measure.value}", found.excluded[measure])
    yield count("not_reported", found.not_reported)
    for percent in (50, 95):
        took = found.took.percentile(percent)
        if took is not None:
            yield count(f"seconds_to_acceptance_p{percent}", int(took.total_seconds()))


def _percent(one: Observation) -> Decimal | None:
    found = _share(one).percent if one.denominator is not None else None
    return Decimal(f"{found:.2f}") if found is not None else None


def _interval(one: Observation) -> tuple[Decimal, Decimal] | tuple[None, None]:
    found = _share(one).interval if one.denominator is not None else None
    return (Decimal(f"{found[0]:.2f}"), Decimal(f"{found[1]:.2f}")) if found is not None else (None, None)


def _number(value: Decimal | None) -> float | None:
    return float(value) if value is not None else None


def _share(one: Observation) -> Share:
    return Share(numerator=one.numerator, denominator=one.denominator or 0)
