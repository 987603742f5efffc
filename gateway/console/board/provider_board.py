"""What stands on the provider board and on one provider's page, in words that are ready.

How a provider's system is now is worked out from what everybody sent it; every number beside it is of the reader's own
prescriptions.

Source: console.md 6.5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.console.words import LONDON, clock_time, how_long, short_time, when
from gateway.domain.books import bounds, london_day
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider
from gateway.domain.provider_health import (
    RULES,
    Cause,
    Now,
    Pulse,
    Signs,
    judge,
    reason_words,
    silent_for,
)
from gateway.domain.service_figures import Measure
from gateway.domain.spread import Spread, together
from gateway.enquiries import PauseView
from gateway.ports.board import MOST, Backlog, Figure, Standings
from gateway.ports.outages import Outage, PlannedOutage

USUAL_DAYS: Final = 30
LATE_COUNT: Final = timedelta(seconds=60)
"""Figures that were complete longer ago than this are said to be old."""
TOP_REASONS: Final = 5
STANDING_CLASSES: Final[Mapping[Now, str]] = {
    Now.PAUSED: "hc-standing--paused",
    Now.BY_HAND: "",
    Now.NOT_ANSWERING: "hc-standing--bad",
    Now.MUTE: "hc-standing--bad",
    Now.SLOW: "hc-standing--slow",
    Now.WORKING: "",
    Now.NOT_KNOWN: "hc-standing--unknown",
}
_SILENT: Final = frozenset({Now.NOT_ANSWERING, Now.MUTE, Now.SLOW, Now.NOT_KNOWN})
_EXPECTED: Final = " A planned outage runs now: silence is to be expected until it ends, and proves nothing else."
_TRIES: Final = {
    "on_wire": "Begun",
    "taken": "Taken by their system",
    "refused": "Refused by their system",
    "try_later": "Not taken; tried again later",
    "in_doubt": "Not known if it arrived",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was read for a page.

    Attributes:
        own: sums of the reader's own prescriptions; `whole`: of everybody's. Both of today and the thirty days before.
    """

    now: datetime
    standings: Standings
    own: Sequence[Figure]
    whole: Sequence[Figure]
    own_backlog: Mapping[OdsCode, Backlog]
    whole_backlog: Mapping[OdsCode, Backlog]
    pulses: Mapping[OdsCode, Pulse]
    pauses: Sequence[PauseView]
    outages: Sequence[PlannedOutage] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a provider's system is now.

    Attributes:
        kind: class of the words; colour never speaks alone.
        why: the rule by which it is so.
        outage: the planned outage that runs, or the next; empty where none is known.
    """

    word: str
    kind: str
    why: str
    heard: str
    outage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provider on the board."""

    href: str
    name: str
    ods: str
    standing: Standing
    waiting: str
    to_send: str
    oldest: str
    today: str
    usual: str
    under: str = ""
    under_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One reason for which a provider said no."""

    cause: str
    words: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What came of the transmissions of the last 24 hours."""

    since: str
    rows: tuple[tuple[str, int], ...]
    said: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The figures of one provider's page.

    Attributes:
        causes: how many rejections lie where, for the bar.
        reasons: the most frequent; `other`: how many lie beyond them.
    """

    not_known: str
    tries: Tries
    reasons: tuple[Rejection, ...]
    other: int
    causes: tuple[tuple[str, int], ...]
    paused: tuple[str, ...] = field(default=())


def row(provider: Provider, known: Known) -> Row:
    """Give one row of the board."""
    backlog = known.own_backlog.get(provider.ods, Backlog())
    today, usual = answer_times(known.own, provider.ods, known.now)
    return Row(
        href=f"/console/providers/{provider.ods}",
        name=provider.name,
        ods=str(provider.ods),
        standing=standing(provider.ods, known),
        waiting=counted(backlog.waiting + backlog.not_known),
        to_send=counted(backlog.to_send),
        oldest=how_long(known.now - backlog.oldest) if backlog.oldest else "None waits",
        today=answer_words(today),
        usual=answer_words(usual),
    )


def standing(ods: OdsCode, known: Known) -> Standing:
    """Work out how a provider's system is now."""
    pulse = known.pulses.get(ods, Pulse())
    today, usual = answer_times(known.whole, ods, known.now)
    backlog = known.whole_backlog.get(ods, Backlog())
    paused = any(pause.destination == ods for pause in known.pauses)
    waiting = backlog.waiting + backlog.not_known
    signs = Signs(
        pulse=pulse,
        paused=paused,
        today=today,
        usual=usual,
        oldest=backlog.oldest,
        waiting=waiting,
        refused_from=_refused_from(known.whole, ods),
    )
    word = judge(signs, known.now)
    silent = silent_for(pulse, known.now) if word is Now.NOT_ANSWERING else None
    planned = [one for one in known.outages if one.outage.provider == ods]
    runs = any(one.outage.runs(known.now) for one in planned)
    return Standing(
        word=_for(word, silent, backlog.oldest),
        kind=STANDING_CLASSES[word],
        why=RULES[word] + _EXPECTED * (runs and word in _SILENT),
        outage=outage_words(planned[0].outage, known.now) if planned else "",
        heard=f"{clock_time(pulse.heard_at)}, {when(pulse.heard_at, known.now)}" if pulse.heard_at else "Never",
    )


def _refused_from(figures: Iterable[Figure], ods: OdsCode) -> datetime | None:
    """Give the beginning of the last hour in which it refused a message; None where it refused none."""
    refusals = [one for one in figures if one.provider == ods and one.measure == f"{Measure.ATTEMPT}:refused"]
    hours = [bounds(one.day)[0] + timedelta(hours=hour) for one in refusals for hour in one.spread.counts]
    return max(hours, default=None)


def _for(word: Now, silent: timedelta | None, oldest: datetime | None) -> str:
    """Give the word, with how long it has been so or since when, where that is known."""
    if silent is not None:
        return f"{word} for {how_long(silent)}"
    return f"{word} since {short_time(oldest)}" if word is Now.MUTE and oldest is not None else word.value


def outage_words(outage: Outage, now: datetime) -> str:
    """Say from when till when a provider's system will be away, as it told us."""
    if outage.runs(now):
        return f"Planned outage now, until {short_time(outage.ends)}"
    return f"Planned outage from {short_time(outage.begins)} to {short_time(outage.ends)}"


def answer_times(figures: Iterable[Figure], ods: OdsCode, now: datetime) -> tuple[Spread, Spread]:
    """Give how long the answers of today took, and those of the thirty days before."""
    today = london_day(now)
    answered = [one for one in figures if one.provider == ods and one.measure == Measure.ANSWERED]
    return (
        together(one.spread for one in answered if one.day == today),
        together(one.spread for one in answered if one.day < today),
    )


def answer_words(spread: Spread) -> str:
    """Give a spread as its median and its 95th centile, with how many answers they are of."""
    middle, most = spread.percentile(50), spread.percentile(95)
    if middle is None or most is None:
        return "No answers"
    return f"{how_long(middle)} / {how_long(most)}, of {len(spread):,} {'answer' if len(spread) == 1 else 'answers'}"


def counted(count: int) -> str:
    """Give a count, or that there are more than are counted one by one."""
    return f"more than {MOST:,}" if count > MOST else f"{count:,}"


def age_of(standings: Standings, now: datetime) -> str:
    """Say how old the figures are, where they are not of this minute; empty where they are."""
    if standings.counted_at is None:
        return "The figures have not been counted yet. What is shown may be far from complete."
    if now - standings.counted_at <= LATE_COUNT:
        return ""
    return (
        f"The figures were last complete at {clock_time(standings.counted_at)}, {when(standings.counted_at, now)}."
        " What came since is missing from them."
    )


def details(ods: OdsCode, known: Known) -> Details:
    """Give the figures of one provider's page."""
    reasons = _reasons(known.own, ods)
    causes: Counter[str] = Counter()
    for reason in reasons:
        causes[reason.cause] += reason.count
    return Details(
        not_known=counted(known.own_backlog.get(ods, Backlog()).not_known),
        tries=_tries(known, ods),
        reasons=tuple(reasons[:TOP_REASONS]),
        other=sum(reason.count for reason in reasons[TOP_REASONS:]),
        causes=tuple((cause.value, causes[cause.value]) for cause in Cause if causes[cause.value]),
        paused=tuple(_paused(pause, known.now) for pause in known.pauses if pause.destination == ods),
    )


def _reasons(figures: Iterable[Figure], ods: OdsCode) -> list[Rejection]:
    found: Counter[str] = Counter()
    for one in figures:
        if one.provider == ods and one.measure.startswith(f"{Measure.REASON}:"):
            found[one.measure] += len(one.spread)
    rejections = []
    for measure, count in found.most_common():
        _, event, code = measure.split(":", 2)
        cause, words = reason_words(event, code)
        rejections.append(Rejection(cause=cause.value, words=words, count=count))
    return rejections


def _tries(known: Known, ods: OdsCode) -> Tries:
    """Count the last 24 hours, by whole hours."""
    local = known.now.astimezone(LONDON)
    since = (known.now - timedelta(hours=23)).replace(minute=0, second=0, microsecond=0)
    found: Counter[str] = Counter()
    said = 0
    for one in known.own:
        if one.provider != ods:
            continue
        began = bounds(one.day)[0]
        count = sum(many for hour, many in one.spread.counts.items() if began + timedelta(hours=hour) >= since)
        if one.measure.startswith(f"{Measure.ATTEMPT}:"):
            found[one.measure.partition(":")[2]] += count
        elif one.measure == Measure.SAID:
            said += count
    shown = since.astimezone(LONDON)
    day = "today" if shown.date() == local.date() else "yesterday"
    rows = tuple((words, found[outcome]) for outcome, words in _TRIES.items())
    return Tries(since=f"{shown:%H:%M} {day}", rows=rows, said=said)


def _paused(pause: PauseView, now: datetime) -> str:
    return f"Since {clock_time(pause.begun_at)}, {when(pause.begun_at, now)} ({pause.begun_by}): {pause.reason}"
