"""What stands on one row of what needs attention: values for the templates, every word of it worked out here.

Source: console.md 6.1, 10 and 11.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from gateway.access.policy import Action
from gateway.console.attention.next_step import Link, awaits_ruling, step_of
from gateway.console.late_words import stage_words, unsent_words
from gateway.console.site import Looker, Names
from gateway.console.words import (
    CANCELS,
    LONDON,
    STATES,
    Shown,
    begun,
    born,
    clock_time,
    day,
    days,
    held_shown,
    how_long,
    inert,
    nhs_number,
    short_time,
    they_said,
    when,
)
from gateway.domain.alert_kinds import about
from gateway.domain.amounts import amount_words
from gateway.domain.cover import Cover
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import CODES
from gateway.domain.labels import Held
from gateway.domain.lifecycle import LineState
from gateway.domain.provider_advice import for_provider
from gateway.domain.trust_advice import for_trust
from gateway.domain.work_item import LEAD_TIME, REASONS, Reason, measures_slack, settled
from gateway.ports.attention import DEEPEST, Also, LineOnList, OpaqueLine, SilentProvider, WorkItem, limit_of

CLOSING: Final = time(17, 0)
"""When the working day ends by which somebody must act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Days of medicine left, in words, with the sum.

    Attributes:
        sum: rows of words and days; empty where it cannot be worked out.
    """

    words: str
    grade: str
    sum: tuple[tuple[str, str], ...] = ()
    total: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """What a row says of its line."""

    number: str
    order_number: str
    patient: str
    nhs: str
    born: str
    directions: str
    quantity: str
    provider: str
    trust: str
    state: Shown
    cancel: Shown | None
    risk: str
    left: Left | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a file says of a row in words; the rest of it is dates and numbers."""

    heading: str
    reason: str
    text: str
    act_by: str
    taken_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        key: names the row for the page alone.
        item: number and who has it, for a form; empty where nobody can take it.
        place: why it stands where it stands.
        where: for whoever runs the gateway, what it is about, without a patient.
    """

    key: str
    item: str
    heading: str
    href: str
    reason: str
    text: str
    act_by: str
    late: bool
    place: str
    owner: str
    taken_by: str
    mine: bool
    age: str
    step: Link
    line: LineShown | None = None
    limit: str = ""
    also: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    means: str = ""
    do: str = ""
    soon: str = ""
    group: bool = False
    incident: bool = False


def named(ods: OdsCode | None, names: Names) -> str:
    """Give an organisation as `Example Trust (RBA)`."""
    if ods is None:
        return "Not chosen"
    return f"{names[ods]} ({ods})" if ods in names else str(ods)


def act_by(item: WorkItem, now: datetime) -> datetime:
    """Give the moment by which somebody must act.

    Where running out is the harm, the end of the last working day on which acting is early enough, and of today where
    that is not known; otherwise the end of the usual limit.
    """
    row = REASONS[item.reason]
    if not measures_slack(item.reason) or item.line is None:
        return limit_of(item, row)
    last = item.standing.last_day or now.astimezone(LONDON).date()
    return datetime.combine(last, CLOSING, LONDON)


def _taken_by(item: WorkItem, looker: Looker) -> str:
    """Say who has it; whoever was handed it has it from when they take it."""
    if not item.taken_by or item.taken_at is not None:
        return item.taken_by
    return f"nobody yet, handed to {'you' if item.taken_by == looker.name else item.taken_by}"


def brief_of(item: WorkItem, looker: Looker, now: datetime) -> Brief:
    """Give what a file says of a row."""
    line = item.line
    return Brief(
        heading=(inert(line.medicine) or "The medicine could not be read") if line else _kind(item.kind),
        reason=item.reason.value,
        text=_text(item, now),
        act_by=_by(act_by(item, now), now),
        taken_by=_taken_by(item, looker),
    )


def row_of(item: WorkItem, looker: Looker, names: Names, now: datetime) -> Row:
    """Give one row."""
    by, reason, brief = act_by(item, now), REASONS[item.reason], brief_of(item, looker, now)
    known = about(item.kind) if item.kind else None
    line = item.line
    return Row(
        key=f"alert-{item.alert}" if item.alert is not None else f"line-{item.subject}",
        item=f"{item.alert}:{item.taken_by}" if item.alert is not None else "",
        heading=brief.heading,
        href=f"/console/prescriptions/{line.prescription_id}" if line else f"/console/work/{item.alert}",
        reason=brief.reason,
        text=brief.text,
        act_by=brief.act_by,
        late=by <= now,
        place=_place(item, names, now),
        owner=REASONS[Reason.RULING].owner if awaits_ruling(item) else reason.owner,
        taken_by=brief.taken_by,
        mine=item.taken_by == looker.name and item.taken_at is not None,
        age=_since(item.standing.since, now),
        step=step_of(item, looker),
        limit=_limit(item, now),
        also=tuple(_also(one, line) for one in item.also),
        means=known.means if known else "",
        do=_do(item, looker),
        soon=known.soon.value if known else "",
        incident=item.standing.incident,
        line=line_of(line, item.reason, names, now) if line else None,
    )


def _do(item: WorkItem, looker: Looker) -> str:
    """Say what to do: whoever runs the gateway, the trust's people and the provider's each what is theirs."""
    if not item.kind:
        return ""
    if looker.may(Action.TEND):
        return f"{about(item.kind).acts.value.capitalize()}: {about(item.kind).do}"
    if item.line is not None and looker.tenant not in {None, item.line.tenant}:
        return for_provider(item.kind, item.line.state)
    return for_trust(item.kind, item.line.state if item.line else None, item.held_for)


def line_of(line: LineOnList, reason: Reason, names: Names, now: datetime) -> LineShown:
    """Give the line of a row in words."""
    today = now.astimezone(LONDON).date()
    return LineShown(
        number=line.number or "no number",
        order_number=line.order_number,
        patient=inert(line.patient_name) or "The patient's name could not be read",
        nhs=nhs_number(line.nhs_number) or "no NHS number",
        born=born(line.birth_date, now) or "not read",
        directions=inert(line.directions),
        quantity=inert(amount_words(line.quantity)),
        provider=named(line.provider, names),
        trust=named(line.tenant, names),
        state=_HELD.get(reason, STATES[line.state]) if line.state is LineState.HELD else STATES[line.state],
        cancel=CANCELS.get(line.cancel),
        risk=line.risk_class,
        left=left(line.cover, today) if measures_slack(reason) else None,
    )


_HELD: Final = {
    Reason.HELD_CODE: held_shown(Held.CODE),
    Reason.HELD_RELEASE: held_shown(Held.RELEASE),
    Reason.HELD_SOURCE: held_shown(Held.SOURCE),
}


def left(cover: Cover, today: date) -> Left:
    """Give how much medicine is left, in words, with its sum."""
    count = cover.days_left(today)
    if count is None or cover.ends_on is None:
        return Left(words="Days of medicine left: not known", grade=f"Cannot be worked out: {cover.why}.")
    terms = cover.sum_on(today)
    total = sum(term.days for term in terms)
    ended = f"Medicine ended {days(-total)} ago" if total < 0 else "Medicine ends today"
    words = f"{days(count)} of medicine left" if total > 0 else ended
    return Left(
        words=words,
        grade=f"{cover.grade.value}; lasts until {day(cover.ends_on - timedelta(days=1))}",
        sum=tuple((term.words, f"{term.days:+d}") for term in terms),
        total=str(total),
    )


def _by(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON)
    at = f"{local:%H:%M}"
    if local.date() == today.date():
        return f"Act by today {at}"
    passed = "Should have been acted on by" if moment <= now else "Act by"
    return f"{passed} {local:%a} {local.day} {local:%b} {at}"


def _place(item: WorkItem, names: Names, now: datetime) -> str:
    """Say why a row stands where it stands."""
    if item.standing.incident:
        return "An incident: before everything else."
    if item.line is None:
        return "No patient's medicine waits for this alone."
    risk = f" {begun(item.line.risk_class)}: before other medicines." if item.line.risk_class else ""
    if not measures_slack(item.reason):
        return f"Days of medicine left say nothing of this: its usual limit counts.{risk}"
    count = item.line.cover.days_left(now.astimezone(LONDON).date())
    if count is None:
        return f"Days left are not known: it counts as due today.{risk}"
    return f"{days(count)} left; {_needs(item.line, names)}.{risk}"


def _needs(line: LineOnList, names: Names) -> str:
    """Say what a supply takes, and who says so."""
    who = named(line.provider, names) if line.provider is not None else ""
    if line.needs is not None:
        return f"{who} needs {days(line.needs.days)} for a supply, as it has stated"
    return f"we assume that a supply needs {days(LEAD_TIME.days)}{f': {who} has not said' if who else ''}"


def _limit(item: WorkItem, now: datetime) -> str:
    end = limit_of(item, REASONS[item.reason])
    since = end - item.standing.since
    if not since:
        return "Usual limit: at once."
    passed = f"passed {how_long(now - end)} ago" if end <= now else f"ends in {how_long(end - now)}"
    return f"Usual limit: {how_long(since)}, {passed}."


_WAITS: Final = {
    Reason.DELIVERY_FAILED: "A delivery failed, and no new day is known.",
    Reason.NO_DELIVERY: "The next supply is due within 14 days, and no delivery is known to be booked.",
}


def _text(item: WorkItem, now: datetime) -> str:
    """Say what happened: of an alert that only names a state, what that state means, and what it is held for."""
    line = item.line
    if line is None:
        return _apart(item) if item.kind.startswith("submission-") else _opaque(item, now)
    if item.alert is None and item.reason in _WAITS:
        return _WAITS[item.reason]
    if item.settled:
        return _settled(line.state)
    if item.kind == "overdue":
        return " ".join((_overdue(item.text, STATES[line.state], line.said), *_late(line, now)))
    if item.kind and not item.kind.startswith("line-"):
        return item.text
    meaning = _HELD[item.reason].sentence if item.reason in _HELD else _sentence(line)
    return " ".join((meaning, *item.held_words, *_late(line, now)))


def _late(line: LineOnList | OpaqueLine, now: datetime) -> tuple[str, ...]:
    """Say why a line has not left, or which stage of its supply is the last that is known."""
    if line.state is LineState.READY:
        return (unsent_words(line.unsent, now),)
    if isinstance(line, LineOnList) and line.state is LineState.IN_SUPPLY:
        return (stage_words(line.stage),)
    return ()


def _settled(state: LineState) -> str:
    return f"Settled: the line is now {STATES[state].label}. Close this row with a reason if nothing is left."


def _opaque(item: WorkItem, now: datetime) -> str:
    """Say what happened to those who see no patient: what is over is said to be over."""
    if item.opaque is None:
        return item.text
    shown = STATES[item.opaque.state]
    if item.settled:
        return _settled(item.opaque.state)
    if item.kind == "overdue":
        late = item.text.removeprefix(f"{shown.label}. ")
        return " ".join((late if late != item.text else f"Earlier: {item.text}", *_late(item.opaque, now)))
    return shown.sentence if item.kind.startswith("line-") else item.text


def _apart(item: WorkItem) -> str:
    """Say what came of a message that was kept apart: its codes with what the sender is to do about each."""
    codes = dict.fromkeys(re.findall(r"[A-Z]+(?:_[A-Z]+)+", item.text))
    advice = [CODES[code].advice for code in codes if code in CODES]
    return " ".join((about(item.kind).means, item.text, *advice))


def _sentence(line: LineOnList) -> str:
    sentence = STATES[line.state].sentence
    return sentence if line.said is None else they_said(line.said, sentence)


def _overdue(text: str, now: Shown, said: str | None) -> str:
    """Say what is known now, and what was late: the alert's own words begin with the state that it was about."""
    late = text.removeprefix(f"{now.label}. ")
    sentence = now.sentence if said is None else they_said(said, now.sentence)
    return f"{sentence} {late if late != text else f'Earlier: {text}'}"


def _also(also: Also, line: LineOnList | None) -> str:
    """Say what else is open about a line, in the words of its reason; a state that it has left is no longer so."""
    if line is not None and also.kind == "overdue" and not also.text.startswith(STATES[line.state].label):
        return f"Earlier: {also.text}"
    if line is None or not also.kind.startswith("line-"):
        return f"{also.reason.value}: {also.text}"
    over = f": no longer so. It is now {STATES[line.state].label}. Close that alert with a reason."
    return f"{also.reason.value}{over if settled(also.kind, line.state) else ''}"


def _since(moment: datetime, now: datetime) -> str:
    return f"{short_time(moment)}, {when(moment, now)}"


def _kind(kind: str) -> str:
    return kind.replace("-", " ").capitalize()


def group_of(group: SilentProvider, names: Names, now: datetime) -> Row:
    """Give the one row of many lines that one silent provider explains."""
    provider = named(group.provider, names)
    lines = f"More than {group.lines:,} lines" if group.lines >= DEEPEST else f"{group.lines:,} lines"
    heard = (
        f"Their last answer to anything came {clock_time(group.heard_at)}, {when(group.heard_at, now)}."
        if group.heard_at
        else "No answer to anything has ever come from them."
    )
    href = f"/console/?silent={group.provider}"
    return Row(
        key=f"silent-{group.provider}",
        item="",
        heading=f"{lines} wait for {provider}",
        href=href,
        reason="No answer from this provider",
        text=f"An answer to each is late, to the first since {clock_time(group.since)}. {heard} "
        "That their system took a message is no answer.",
        act_by="Act by today" if group.standing.last_day is None else f"Act by {day(group.standing.last_day)}",
        late=False,
        place="It stands where the most urgent of them would.",
        owner="provider, chased by trust",
        taken_by="",
        mine=False,
        age=_since(group.since, now),
        step=Link(words="Show each of them", href=href),
        group=True,
    )
