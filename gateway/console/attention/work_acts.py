"""What a person may do about rows of what needs attention: what each act says first, what it asks, and how it is done.

Nothing here ends a line. A row leaves when its line moves on, or when somebody closes it with a reason.

Source: console.md 6.1 (actions), 2 (rule 8).
"""

from datetime import datetime, time, timedelta
from typing import Final

from gateway.access.policy import Action
from gateway.console.attention.attention_words import act_by, named
from gateway.console.attention.work_shape import (
    LONGEST,
    Answers,
    Case,
    Option,
    Question,
    Values,
    WorkAct,
    Wrong,
    needed,
)
from gateway.console.whole_number import whole_number
from gateway.console.words import LONDON, clock_time, day
from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import Reason
from gateway.ports.attention import Call

_SHORT: Final = 100
_MOST_DAYS: Final = 3650
_MORNING: Final = time(9, 0)


# Hand over


def _colleague(case: Case) -> tuple[Question, ...]:
    return (
        Question(
            name="to",
            words="Who takes it over?",
            hint="Their short name, as it stands beside what they have taken. It is shown to them under Mine.",
            suggested=tuple(name for name in case.colleagues if name != case.looker.name),
        ),
    )


async def _hand_over(case: Case, values: Values) -> Answers:
    to = needed(values, "to", "Say who takes it over", _SHORT)
    return await case.site.store.hand_over(
        case.numbers, to=to, by=case.looker.name, seen=case.seen, tenant=case.looker.tenant, now=case.now
    )


# Put off


def _until(case: Case) -> tuple[Question, ...]:
    latest = _latest(case)
    local = case.now.astimezone(LONDON)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), _MORNING, LONDON)
    offered = (
        ("1h", "For an hour", case.now + timedelta(hours=1)),
        ("3h", "For three hours", case.now + timedelta(hours=3)),
        ("tomorrow", f"Until {day(tomorrow.date())}, 09:00", tomorrow),
        ("latest", f"Until somebody must act: {clock_time(latest)}", latest),
    )
    options = tuple(Option(value=value, words=words) for value, words, at in offered if at <= latest)
    return (
        Question(name="until", words="Until when?", kind="radios", options=options),
        Question(name="reason", words="Why can it wait?", kind="area", hint="No patient's name or number."),
    )


def _latest(case: Case) -> datetime:
    return min(act_by(item, case.now) for item in case.items)


def _cannot_wait(case: Case) -> str:
    if _latest(case) <= case.now:
        return "The time by which somebody must act is here. It cannot be put off: take it, or hand it over."
    return ""


async def _put_off(case: Case, values: Values) -> Answers:
    chosen = values.get("until", "")
    if chosen not in {option.value for option in _until(case)[0].options}:
        raise Wrong(until="Choose until when")
    reason = needed(values, "reason", "Say why it can wait", LONGEST)
    latest, (item,) = _latest(case), case.items
    local = case.now.astimezone(LONDON)
    until = {
        "1h": case.now + timedelta(hours=1),
        "3h": case.now + timedelta(hours=3),
        "tomorrow": datetime.combine(local.date() + timedelta(days=1), _MORNING, LONDON),
        "latest": latest,
    }[chosen]
    alert = item.alert or 0
    said = await case.site.store.put_off(
        alert,
        until=until,
        latest=latest,
        reason=reason,
        by=case.looker.name,
        tenant=case.looker.tenant,
        now=case.now,
    )
    return {alert: said}


# Log a call


def _spoken(case: Case) -> tuple[Question, ...]:
    local = case.now.astimezone(LONDON)
    (item,) = case.items
    home = (
        Question(
            name="home",
            words="Days of medicine at home, if that was said",
            kind="number",
            hint="Leave it empty if nobody said so. It counts from now on as stated.",
        ),
    )
    return (
        Question(name="person", words="Who spoke?", hint="Their name and organisation, or the patient."),
        Question(name="day", words="On which day?", kind="date", first=local.date().isoformat()),
        Question(name="time", words="At what time, London time?", kind="time", first=f"{local:%H:%M}"),
        Question(name="words", words="What did they say?", kind="area", hint="As close to their own words as you can."),
        *(home if item.line else ()),
    )


async def _log_call(case: Case, values: Values) -> Answers:
    wrong: dict[str, str] = {}
    person, words = values.get("person", ""), values.get("words", "")
    if not person or len(person) > _SHORT:
        wrong["person"] = f"Say who spoke, in at most {_SHORT} characters"
    if not words or len(words) > LONGEST:
        wrong["words"] = f"Write what they said, in at most {LONGEST} characters"
    spoken_at = _moment(values, wrong)
    if spoken_at and spoken_at > case.now + timedelta(minutes=1):
        wrong["time"] = "This time is still to come"
    home = whole_number(values.get("home", ""), most=_MOST_DAYS)
    if home is None and values.get("home", ""):
        wrong["home"] = "Give whole days, such as 14, or leave it empty"
    if wrong or spoken_at is None:
        raise Wrong(**wrong)
    call = Call(
        person=person,
        spoken_at=min(spoken_at, case.now),
        words=words,
        days_at_home=home,
    )
    (alert,) = case.numbers
    said = await case.site.store.log_call(alert, call, by=case.looker.name, tenant=case.looker.tenant, now=case.now)
    return {alert: said}


def _moment(values: Values, wrong: dict[str, str]) -> datetime | None:
    try:
        on = datetime.strptime(values.get("day", ""), "%Y-%m-%d").replace(tzinfo=LONDON)
    except ValueError:
        wrong["day"] = "Give the day, such as 2026-10-05"
        return None
    try:
        at = time.fromisoformat(values.get("time", ""))
    except ValueError:
        wrong["time"] = "Give the time, such as 14:05"
        return None
    return datetime.combine(on.date(), at.replace(tzinfo=None), LONDON)


# Remind a provider


def reminder(case: Case) -> tuple[str, ...]:
    """Give the words of a reminder, without any patient's data, one sentence for each order."""
    lines = [item.line for item in case.items if item.line is not None]
    return tuple(
        f"Prescription {line.number or line.prescription_id}, order {line.order_number or 'without number'}: "
        + (f"sent {clock_time(line.first_sent_at)}, " if line.first_sent_at else "")
        + "please answer it, or say what holds it up."
        for line in lines
    )


def _by_whom(_: Case) -> tuple[Question, ...]:
    return (
        Question(name="person", words="Whom did you remind, and how?", hint="For example: R Jones, by telephone."),
        Question(name="words", words="What did they say? (optional)", kind="area"),
    )


async def _remind(case: Case, values: Values) -> Answers:
    person = needed(values, "person", "Say whom you reminded, and how", _SHORT)
    words = values.get("words", "")
    if len(words) > LONGEST:
        raise Wrong(words=f"Use at most {LONGEST} characters")
    return await case.site.store.reminded(
        case.numbers, person=person, words=words, by=case.looker.name, tenant=case.looker.tenant, now=case.now
    )


def _nobody_to_remind(case: Case) -> str:
    """Say why no provider can be reminded of these rows; empty where each is with one."""
    if all(item.line is not None and item.line.state in _WITH_A_PROVIDER for item in case.items):
        return ""
    one = len(case.items) == 1
    what = "This row is about nothing" if one else "Of the rows that were chosen, one or more are about nothing"
    return f"{what} that a provider has now: there is nobody to remind."


_WITH_A_PROVIDER: Final = frozenset(
    {state for state, custody in CUSTODY.items() if custody.holder is Holder.PROVIDER}
    | {LineState.UNCERTAIN, LineState.QUERIED, LineState.ON_HOLD, LineState.FULFILLED}
)


def _remind_says(case: Case) -> tuple[str, ...]:
    providers = sorted({named(item.line.provider, case.site.names) for item in case.items if item.line})
    whom = " or ".join(providers) or "anybody"
    return (
        f"The gateway cannot remind {whom} by itself: the message standard has no reminder.",
        "Ring or write to them with the words below; they name no patient.",
        "What you write here is kept with each row as what you did. The rows stay on the list.",
    )


# Close


def _close_says(case: Case) -> tuple[str, ...]:
    (item,) = case.items
    stays = (
        "The line itself does not change: it is not cancelled, not sent again and not closed by this."
        if case.of_lines
        else "Nothing else changes."
    )
    harm = ("This is an incident. Close it only when the patient is safe and it is reported.",)
    return (
        *(harm if item.reason is Reason.INCIDENT else ()),
        "This row leaves the list, with your name and reason. It cannot be opened again.",
        stays,
        "If its cause lasts, another row comes in its place.",
    )


async def _close(case: Case, values: Values) -> Answers:
    reason = needed(values, "reason", "Say what was done about it", LONGEST)
    (alert,) = case.numbers
    closed = await case.site.store.close_alert(alert, by=case.looker.name, reason=reason, now=case.now)
    return {alert: "" if closed else "somebody has closed it meanwhile"}


def _rows(case: Case, one: str, several: str) -> str:
    count = len(case.items)
    return f"It {one}" if count == 1 else f"{count} rows {several}"


HAND_OVER: Final = WorkAct(
    name="hand-over",
    words="Hand over",
    button="Hand over",
    action=Action.WORK,
    several=True,
    says=lambda _: (
        "You no longer have it. The person you name has it from when they take it.",
        "Until then nobody has it, and the next people go on being told. The person is not told by this: tell them.",
    ),
    asks=_colleague,
    do=_hand_over,
    done=lambda case, values: f"{_rows(case, 'was', 'were')} handed to {values['to']}.",
)
PUT_OFF: Final = WorkAct(
    name="put-off",
    words="Put off",
    button="Put off",
    action=Action.WORK,
    says=lambda _: (
        "It leaves the list for everybody, and comes back by itself at the time you choose.",
        "Nobody is told of it meanwhile. A new alert about the same line comes on the list at once.",
    ),
    asks=_until,
    do=_put_off,
    done=lambda _, __: "Put off. It comes back by itself.",
    why_not=_cannot_wait,
)
CALL: Final = WorkAct(
    name="call",
    words="Log a call",
    button="Log the call",
    action=Action.WORK,
    says=lambda _: (
        "What you write is kept as stated evidence, with your name, and cannot be changed.",
        "It moves nothing: the row stays on the list until the line itself moves, or the row is closed.",
    ),
    asks=_spoken,
    do=_log_call,
    done=lambda _, __: "The call is logged. The row is still on the list.",
)
REMIND: Final = WorkAct(
    name="remind",
    words="Remind provider",
    button="I have reminded them",
    action=Action.WORK,
    several=True,
    says=_remind_says,
    asks=_by_whom,
    do=_remind,
    done=lambda case, values: f"Logged: {values['person']} was reminded. {_rows(case, 'is', 'are')} still on the list.",
    why_not=_nobody_to_remind,
)
CLOSE: Final = WorkAct(
    name="close",
    words="Close",
    button="Close this row",
    action=Action.CLOSE_ALERT,
    says=_close_says,
    asks=lambda _: (
        Question(
            name="reason",
            words="What was done about it?",
            kind="area",
            hint="It stands in the audit. No patient's name or number.",
        ),
    ),
    do=_close,
    done=lambda _, __: "Closed, with your reason.",
)
ACTS: Final = (CALL, HAND_OVER, PUT_OFF, REMIND, CLOSE)
"""Every act with a page, in the order they are offered; taking needs none."""
