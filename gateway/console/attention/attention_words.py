"""What stands on one row of what needs attention: values for the templates, every word of it worked out here.

Source: console.md 6.1, 10 and 11.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from gateway.access.policy import Action
from gateway.console.site import Looker, Names
from gateway.console.words import (
    CANCELS,
    LONDON,
    STATES,
    Shown,
    born,
    clock_time,
    day,
    held_shown,
    how_long,
    nhs_number,
    short_time,
    when,
)
from gateway.domain.alert_kinds import about
from gateway.domain.cover import Cover
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import CODES
from gateway.domain.labels import Held
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import LEAD_TIME, REASONS, Reason, Step, measures_slack, settled
from gateway.ports.attention import DEEPEST, Also, LineOnList, SilentProvider, WorkItem, WorkNote, limit_of

CLOSING: Final = time(17, 0)
"""When the working day ends by which somebody must act."""
_NEEDS: Final = LEAD_TIME.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link with its words."""

    words: str
    href: str


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
class Row:
    """One row.

    Attributes:
        key: names the row for the page alone.
        item: number and who has it, for a form; empty where nobody can take it.
        place: why it stands where it stands.
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
    means: str = ""
    do: str = ""
    acts: str = ""
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


def row_of(item: WorkItem, looker: Looker, names: Names, now: datetime) -> Row:
    """Give one row."""
    by, reason = act_by(item, now), REASONS[item.reason]
    known = about(item.kind) if item.kind else None
    line = item.line
    return Row(
        key=f"alert-{item.alert}" if item.alert is not None else f"line-{item.subject}",
        item=f"{item.alert}:{item.taken_by}" if item.alert is not None else "",
        heading=(line.medicine or "The medicine could not be read") if line else _kind(item.kind),
        href=f"/console/prescriptions/{line.prescription_id}" if line else f"/console/work/{item.alert}",
        reason=item.reason.value,
        text=_text(item),
        act_by=_by(by, now),
        late=by <= now,
        place=_place(item, now),
        owner=reason.owner,
        taken_by=_taken_by(item, looker),
        mine=item.taken_by == looker.name and item.taken_at is not None,
        age=_since(item.standing.since, now),
        step=step_of(item, looker),
        limit=_limit(item, now),
        also=tuple(_also(one, line) for one in item.also),
        means=known.means if known else "",
        do=known.do if known else "",
        acts=known.acts.value if known else "",
        soon=known.soon.value if known else "",
        incident=item.standing.incident,
        line=_line(line, item.reason, names, now) if line else None,
    )


def _line(line: LineOnList, reason: Reason, names: Names, now: datetime) -> LineShown:
    today = now.astimezone(LONDON).date()
    return LineShown(
        number=line.number or "no number",
        order_number=line.order_number,
        patient=line.patient_name or "The patient's name could not be read",
        nhs=nhs_number(line.nhs_number) or "no NHS number",
        born=born(line.birth_date, now) or "not read",
        directions=line.directions,
        quantity=line.quantity,
        provider=named(line.provider, names),
        trust=named(line.tenant, names),
        state=_HELD.get(reason, STATES[line.state]) if line.state is LineState.HELD else STATES[line.state],
        cancel=CANCELS.get(line.cancel),
        risk=line.risk_class,
        left=left(line.cover, today) if measures_slack(reason) else None,
    )


_HELD: Final = {
    Reason.HELD_CODE: held_shown(Held.CODE),
    Reason.HELD_SOURCE: held_shown(Held.SOURCE),
}


def left(cover: Cover, today: date) -> Left:
    """Give how much medicine is left, in words, with its sum."""
    days = cover.days_left(today)
    if days is None or cover.ends_on is None:
        return Left(words="Days of medicine left: not known", grade=f"Cannot be worked out: {cover.why}.")
    terms = cover.sum_on(today)
    total = sum(term.days for term in terms)
    ended = f"Medicine ended {_days(-total)} ago" if total < 0 else "Medicine ends today"
    words = f"{_days(days)} of medicine left" if total > 0 else ended
    return Left(
        words=words,
        grade=f"{cover.grade.value}; lasts until {day(cover.ends_on - timedelta(days=1))}",
        sum=tuple((term.words, f"{term.days:+d}") for term in terms),
        total=str(total),
    )


def _days(count: int) -> str:
    return f"{count} day{'s' * (count != 1)}"


def _by(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(LONDON), now.astimezone(LONDON)
    at = f"{local:%H:%M}"
    if local.date() == today.date():
        return f"Act by today {at}"
    passed = "Should have been acted on by" if moment <= now else "Act by"
    return f"{passed} {local:%a} {local.day} {local:%b} {at}"


def _place(item: WorkItem, now: datetime) -> str:
    """Say why a row stands where it stands."""
    if item.standing.incident:
        return "An incident: before everything else."
    if item.line is None:
        return "No patient's medicine waits for this alone."
    risk = f" {item.line.risk_class.capitalize()}: before other medicines." if item.line.risk_class else ""
    if not measures_slack(item.reason):
        return f"Days of medicine left say nothing of this: its usual limit counts.{risk}"
    days = item.line.cover.days_left(now.astimezone(LONDON).date())
    if days is None:
        return f"Days left are not known: it counts as due today.{risk}"
    return f"{_days(days)} left, a supply needs {_NEEDS} days.{risk}"


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


def _text(item: WorkItem) -> str:
    """Say what happened: of an alert that only names a state, what that state means, and what it is held for."""
    line = item.line
    if line is None:
        return _apart(item) if item.kind.startswith("submission-") else item.text
    if item.alert is None and item.reason in _WAITS:
        return _WAITS[item.reason]
    if item.settled:
        return f"Settled: the line is now {STATES[line.state].label}. Close this row with a reason if nothing is left."
    if item.kind == "overdue":
        return _overdue(item.text, STATES[line.state])
    if item.kind and not item.kind.startswith("line-"):
        return item.text
    meaning = _HELD[item.reason].sentence if item.reason in _HELD else STATES[line.state].sentence
    return " ".join((meaning, *item.held_words))


def _apart(item: WorkItem) -> str:
    """Say what came of a message that was kept apart: its codes with what the sender is to do about each."""
    codes = dict.fromkeys(re.findall(r"[A-Z]+(?:_[A-Z]+)+", item.text))
    advice = [CODES[code].advice for code in codes if code in CODES]
    return " ".join((about(item.kind).means, item.text, *advice))


def _overdue(text: str, now: Shown) -> str:
    """Say what is known now, and what was late: the alert's own words begin with the state that it was about."""
    late = text.removeprefix(f"{now.label}. ")
    return f"{now.sentence} {late if late != text else f'Earlier: {text}'}"


def _also(also: Also, line: LineOnList | None) -> str:
    """Say what else is open about a line, in the words of its reason; a state that it has left is no longer so."""
    if line is None or not also.kind.startswith("line-"):
        return f"{also.reason.value}: {also.text}"
    over = f": no longer so. It is now {STATES[line.state].label}. Close that alert with a reason."
    return f"{also.reason.value}{over if settled(also.kind, line.state) else ''}"


def _since(moment: datetime, now: datetime) -> str:
    return f"{short_time(moment)}, {when(moment, now)}"


def _kind(kind: str) -> str:
    return kind.replace("-", " ").capitalize()


_PRESCRIPTION: Final = "/console/prescriptions/{id}"
_PAGES: Final[dict[Step, tuple[str, Action]]] = {
    Step.CALL: ("/console/work/{alert}/call", Action.WORK),
    Step.STATEMENT: (f"{_PRESCRIPTION}/resolve", Action.RESOLVE),
    Step.SEE_REASON: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.ATTEMPTS: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.WHAT_IS_WRONG: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.RESOLVE_CODE: ("/console/held-codes", Action.PROPOSE_CODE),
    Step.ANSWER: (f"{_PRESCRIPTION}/answer", Action.PHARMACY),
    Step.REMIND: ("/console/work/{alert}/remind", Action.WORK),
    Step.CHECK: ("/console/screening/{id}", Action.PHARMACY),
    Step.DELIVERY: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.ASK_PROVIDER: ("/console/work/{alert}/remind", Action.WORK),
    Step.ASK_PRESCRIBER: (f"{_PRESCRIPTION}/renewal", Action.RENEW),
    Step.EVIDENCE: (_PRESCRIPTION, Action.READ_CONSOLE),
    Step.RULE: (f"{_PRESCRIPTION}/rule", Action.PHARMACY),
}


def step_of(item: WorkItem, looker: Looker) -> Link:
    """Give the next step, where this person may take it; otherwise the page that says who can."""
    if item.settled and item.alert is not None and looker.may(Action.CLOSE_ALERT):
        return Link(words="Close", href=f"/console/work/{item.alert}/close")
    step = Step.RULE if item.kind == "change-awaits-ruling" else REASONS[item.reason].step
    if item.reason is Reason.ENDED and item.kind != "renewal-requested":
        step = Step.SEE_REASON  # there is no request for a renewal that could be decided
    address, action = _PAGES.get(step, ("", Action.READ_CONSOLE))
    needs_line, needs_alert = "{id}" in address, "{alert}" in address
    fits = bool(address) and looker.may(action) and (item.line or not needs_line) and (item.alert or not needs_alert)
    if fits:
        prescription = item.line.prescription_id if item.line else ""
        return Link(words=step.value, href=address.format(id=prescription, alert=item.alert))
    if item.alert is not None:
        return Link(words=step.value if not address else Step.LOOK.value, href=f"/console/work/{item.alert}")
    prescription = item.line.prescription_id if item.line else ""
    return Link(words=Step.LOOK.value, href=_PRESCRIPTION.format(id=prescription))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteShown:
    """One thing that was done about an item."""

    at: str
    ago: str
    what: str
    words: str
    evidence: str


def note_of(note: WorkNote, now: datetime) -> NoteShown:
    """Give one note in words."""
    whats = {
        "taken": f"{note.by} took it",
        "handed over": f"{note.by} handed it to {note.person}",
        "put off": f"{note.by} put it off until {clock_time(note.until)}" if note.until else "",
        "call": f"{note.by} spoke with {note.person}, {clock_time(note.spoken_at)}" if note.spoken_at else "",
        "reminded": f"{note.by} reminded {note.person}",
    }
    stock = f" Medicine at home: {_days(note.days_at_home)}." if note.days_at_home is not None else ""
    return NoteShown(
        at=clock_time(note.at),
        ago=when(note.at, now),
        what=whats[note.kind],
        words=note.words + stock,
        evidence="stated" if note.kind == "call" else "our own record",
    )
