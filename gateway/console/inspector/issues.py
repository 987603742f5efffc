"""Issues of a message in words, each place a link, and values only where they say nothing of a patient."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console import bytes_shown, pages
from gateway.console.inspector.fields import name_of
from gateway.console.inspector.hiding import Hiding, field_shown, target_shown
from gateway.domain.issue import Issue
from gateway.ports.inspection import (
    Received,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One issue in words, its place a link."""

    code: str
    at: str
    name: str
    text: str
    advice: str
    effect: str
    values: tuple[str, ...]


def faults(issues: Sequence[Issue], hide: Hiding, open_places: frozenset[str] = frozenset()) -> tuple[Fault, ...]:
    """Give issues in words; both values of a contradiction where their place holds no patient data."""
    return tuple(_fault(issue, hide, open_places) for issue in issues)


def _fault(issue: Issue, hide: Hiding, places: frozenset[str]) -> Fault:
    shown = pages.fault(issue)
    may = field_shown(issue.location) or issue.location in places
    return Fault(
        code=shown.code,
        at=shown.location,
        name=name_of(shown.location),
        text=bytes_shown.visible(hide.through(shown.text)),
        advice=shown.advice,
        effect=shown.effect,
        values=tuple(hide.of(value, shown=may).text for value in shown.values),
    )


def open_places(view: Received) -> frozenset[str]:
    """Give the places of the source whose values became nothing of the patient's."""
    return frozenset(row.source for order in view.orders for row in order.trace if target_shown(row.target))
