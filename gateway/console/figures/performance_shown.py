"""What stands on the page of the service's figures, in words that are ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.console.figures.performance_figures import (
    Acceptance,
    Intake,
    Period,
    acceptance,
    by_day,
    by_provider,
    intake,
    interval,
    percent,
)
from gateway.console.pages import address, named
from gateway.console.site import Names
from gateway.console.words import clock_time, day, how_long
from gateway.domain.service_figures import EXCLUDED, Measure, Outcome
from gateway.domain.spread import Spread
from gateway.ports.board import Figure, ItemView

O = Outcome  # noqa: E741 - the table is read by its words
LISTS: Final[Mapping[str, tuple[str, frozenset[Outcome]]]] = MappingProxyType(
    {
        "late": ("Accepted after the limit", frozenset({O.LATE})),
        "rejected": ("Rejected or returned before acceptance", frozenset({O.REJECTED})),
        "undecided": ("No decision yet", frozenset({O.WAITING, O.NOT_KNOWN})),
        "cancelled": ("Cancelled before it was accepted", frozenset({O.CANCELLED})),
        "replaced": ("Replaced before it was accepted", frozenset({O.REPLACED})),
        "expired": ("Expired before it was accepted", frozenset({O.EXPIRED})),
        "moved": ("Given to another provider before it was accepted", frozenset({O.MOVED})),
    }
)
"""The lists behind the numbers, by their place in the address. What was accepted in time is not listed."""
STANDS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        O.TO_SEND: "Still to be sent",
        O.WAITING: "No decision yet",
        O.NOT_KNOWN: "No decision yet: not known if it arrived",
        O.LATE: "Accepted after the limit",
        O.REJECTED: "Rejected or returned",
        O.CANCELLED: "Cancelled before it was accepted",
        O.REPLACED: "Replaced before it was accepted",
        O.EXPIRED: "Expired before it was accepted",
        O.MOVED: "Given to another provider",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One number, and the address of its list; empty where it has none."""

    words: str
    count: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The figures of a page.

    Attributes:
        example: how the two shares are worked out, with the page's own numbers.
    """

    came_in: tuple[Counted, ...]
    raw: str
    raw_interval: str
    adjusted: str
    not_reported: str
    completeness: str
    sent: int
    became: tuple[Counted, ...]
    bands: tuple[tuple[str, str], ...]
    providers: tuple[tuple[str, ...], ...]
    days: tuple[tuple[str, ...], ...]
    quiet_days: int
    example: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShown:
    """One item of a list."""

    href: str
    medicine: str
    number: str
    provider: str
    trust: str
    stands: str
    since: str


PROVIDER_COLUMNS: Final = (
    "Provider", "Sent", "Accepted in time", "Raw", "Likely range", "Left out", "Adjusted", "No decision yet",
    "p50 / p95",
)  # fmt: skip
DAY_COLUMNS: Final = ("Day", "Sent", "Accepted in time", "Raw", "Left out", "Adjusted", "No decision yet")


def shown(figures: Sequence[Figure], period: Period, names: Names, *, lists: bool, came_in: bool = True) -> Found:
    """Give what stands on the page.

    Args:
        figures: of the period.
        period: the days they are of.
        names: what each provider is called.
        lists: whether numbers lead to their lists.
        came_in: whether what came in is among them; a provider knows only of what was sent to it.
    """
    whole = acceptance(figures)
    days = [(one, found) for one, found in by_day(figures, period) if found.sent]
    return Found(
        came_in=_came_in(intake(figures)) if came_in else (),
        raw=percent(whole.raw),
        raw_interval=interval(whole.raw),
        adjusted=percent(whole.adjusted),
        not_reported=f"{whole.not_reported:,}",
        completeness=percent(whole.completeness),
        sent=whole.sent,
        became=tuple(_became(whole, period.key if lists else "")),
        bands=tuple((words, f"{count:,}") for words, count in whole.bands),
        providers=tuple(_provider_row(named(ods, names), found) for ods, found in by_provider(figures)),
        days=tuple((day(one), *_row(found)) for one, found in days),
        quiet_days=len(period.days) - len(days),
        example=_example(whole),
    )


def item(one: ItemView, names: Names) -> ItemShown:
    """Give one row of a list."""
    return ItemShown(
        href=address(one.prescription_id),
        medicine=one.medicine or "Not read",
        number=one.number or "No number",
        provider=named(one.provider, names),
        trust=named(one.tenant, names),
        stands=STANDS[one.outcome],
        since=clock_time(one.since),
    )


def became_of(found: Acceptance) -> tuple[tuple[str, str, int], ...]:
    """Give what became of what was sent, each item once: words, place of its list, and how many."""
    return (
        ("Accepted in time", "", found.in_time),
        ("Accepted after the limit", "late", found.late),
        ("Rejected or returned", "rejected", found.rejected),
        ("No decision yet", "undecided", found.not_reported),
        *((_first(EXCLUDED[measure]), measure.value, found.excluded[measure]) for measure in EXCLUDED),
    )


def _came_in(found: Intake) -> tuple[Counted, ...]:
    rows = (
        ("Submitted: items and orders that could be read", found.submitted),
        ("Of them refused at the door, with what is wrong", found.refused),
        ("Of them taken by the gateway", found.taken),
        ("Of those taken: sent to a provider", found.given),
        ("Of those taken: ended before they were sent", found.ended_unsent),
        ("Of those taken: not sent yet", found.not_sent_yet),
        ("Messages that could not be read, beside these", found.unreadable),
    )
    return tuple(Counted(words=words, count=f"{count:,}") for words, count in rows)


def _became(found: Acceptance, key: str) -> list[Counted]:
    return [
        Counted(
            words=words,
            count=f"{count:,}",
            href=f"/console/performance/{key}/{place}" if key and place and count else "",
        )
        for words, place, count in became_of(found)
    ]


def _row(found: Acceptance) -> tuple[str, ...]:
    return (
        f"{found.sent:,}",
        f"{found.in_time:,}",
        percent(found.raw),
        f"{found.left_out:,}",
        percent(found.adjusted),
        f"{found.not_reported:,}",
    )


def _provider_row(name: str, found: Acceptance) -> tuple[str, ...]:
    sent, in_time, raw, left_out, adjusted, undecided = _row(found)
    return (name, sent, in_time, raw, interval(found.raw), left_out, adjusted, undecided, _times(found.took))


def _times(took: Spread) -> str:
    middle, most = took.percentile(50), took.percentile(95)
    return f"{how_long(middle)} / {how_long(most)}" if middle is not None and most is not None else "None accepted"


def _example(found: Acceptance) -> tuple[str, ...]:
    if not found.sent:
        return ()
    left_out = "; ".join(f"{count:,} {EXCLUDED[Measure(one)]}" for one, count in found.excluded.items() if count)
    return (
        f"Raw: {found.in_time:,} accepted in time, of {found.sent:,} sent = {percent(found.raw)}.",
        (
            f"Left out: {left_out or 'none'}. Adjusted: {found.in_time:,} of {found.adjusted.denominator:,}"
            f" = {percent(found.adjusted)}."
        ),
        (
            f"Not reported: {found.not_reported:,} of {found.sent:,} have no decision; they are in both denominators,"
            f" and in neither numerator. What is known: {percent(found.completeness)}."
        ),
    )


def _first(words: str) -> str:
    return words[0].upper() + words[1:]
