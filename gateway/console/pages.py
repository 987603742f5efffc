"""What several pages show alike: organisations, rows of lists, alerts and issues, as words for the templates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.console.site import Names
from gateway.console.words import (
    Shown,
    clock_time,
    inert,
    shown_as,
    when,
)
from gateway.domain.alert_kinds import about
from gateway.domain.held_advice import holding_codes
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Effect, Issue
from gateway.domain.labels import LABELS, OWN_FAULTS, WANTS_RELEASE
from gateway.domain.lifecycle import LineState
from gateway.domain.provider_advice import for_provider
from gateway.domain.trust_advice import for_trust
from gateway.enquiries import (
    AlertView,
    Found,
    PauseView,
    PrescriptionView,
)


def named(ods: OdsCode | None, names: Names) -> str:
    """Give an organisation as `Example Trust (RBA)`."""
    if ods is None:
        return "Not chosen"
    return f"{names[ods]} ({ods})" if ods in names else str(ods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One prescription in a list."""

    href: str
    number: str
    medicines: tuple[str, ...]
    state: Shown
    received: str
    trust: str
    provider: str
    alerts: int


def listed(found: Found, names: Names) -> Listed:
    """Give one row of a list."""
    return Listed(
        href=address(found.prescription_id),
        number=found.number or "No number: not translated",
        medicines=tuple(map(inert, found.medicines)) or ("Not read: see the issues",),
        state=shown_as(found.state, found.condition, found.held),
        received=clock_time(found.received_at),
        trust=named(found.tenant, names),
        provider=named(found.destination, names),
        alerts=found.alerts,
    )


def address(prescription_id: UUID) -> str:
    """Give the address of a prescription's page: an opaque id and nothing else (D16)."""
    return f"/console/prescriptions/{prescription_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alert in a list.

    Attributes:
        acts: who is called for it; said to whoever runs the gateway alone, as is the runbook.
    """

    href: str
    kind: str
    medicine: str
    number: str
    text: str
    opened: str
    age: str
    closed: str
    acts: str
    soon: str
    do: str
    runbook: str


def alarms(view: PrescriptionView, now: datetime, *, tends: bool, supplies: bool = False) -> tuple[Alarm, ...]:
    """Give the alerts of a prescription.

    Args:
        view: the prescription.
        now: the clock.
        tends: whoever looks runs the gateway, and goes by its runbooks; the trust's people are told what is theirs.
        supplies: whoever looks is of the provider, and is told what is theirs.
    """
    states = {line.line_id: line.state for line in view.lines}
    held_for = holding_codes(view.issues)

    def advise(kind: str, state: LineState | None) -> str:
        return for_provider(kind, state) if supplies else for_trust(kind, state, held_for)

    return tuple(
        _alarm(one, states.get(one.line_id) if one.line_id else None, now, advise, tends=tends) for one in view.alerts
    )


def _alarm(
    alert: AlertView,
    state: LineState | None,
    now: datetime,
    advise: Callable[[str, LineState | None], str],
    *,
    tends: bool,
) -> Alarm:
    row = about(alert.kind)
    return Alarm(
        href=address(alert.prescription_id) if alert.prescription_id else "",
        kind=alert.kind.replace("-", " ").replace("_", " ").capitalize(),
        medicine=inert(alert.medicine),
        number=alert.number,
        text=inert(_alarming(alert)),
        opened=clock_time(alert.opened_at),
        age=when(alert.opened_at, now),
        closed=f"{clock_time(alert.closed_at)} by {alert.closed_by}: {alert.close_reason}" if alert.closed_at else "",
        acts=row.acts.value if tends else "",
        soon=row.soon.value,
        do=row.do if tends else advise(alert.kind, state),
        runbook=row.runbook if tends else "",
    )


def _alarming(alert: AlertView) -> str:
    """Give an alert's words; where it names a state, that state by its label, as everywhere else."""
    named_state = alert.kind.removeprefix("line-").replace("-", "_").upper()
    _, states, rest = alert.text.partition("; ")
    if not alert.kind.startswith("line-") or named_state not in set(LineState) or not states:
        return alert.text
    return f"{LABELS[LineState(named_state)]}. {rest[:1].upper()}{rest[1:]}"


def paused(pause: PauseView, names: Names, now: datetime) -> str:
    """Say that nothing is sent to a destination, since when, by whom and why."""
    where, since = named(pause.destination, names), clock_time(pause.begun_at)
    return f"Nothing is sent to {where} since {since}, {when(pause.begun_at, now)} ({pause.begun_by}): {pause.reason}"


def watch_stopped(last: datetime | None, now: datetime) -> str:
    """Say that deadlines are not looked at."""
    looked = f"{clock_time(last)}, {when(last, now)}" if last else "never"
    return f"The watch has stopped. Deadlines were last looked at: {looked}. Overdue lines may be missing below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One issue, as the trust was told it, with both values where it contradicts itself."""

    code: str
    location: str
    text: str
    advice: str
    effect: str
    values: tuple[str, ...]


_EFFECTS: Final[dict[Effect, str]] = {
    Effect.REFUSE: "Refused",
    Effect.HOLD_MAP: "Held until the code is mapped",
    Effect.HOLD_SOURCE: "Held until the trust corrects it",
    Effect.WARN: "Warning",
}
_HOLDS: Final = frozenset({Effect.HOLD_MAP, Effect.HOLD_SOURCE})
_WANTS_RELEASE: Final = "Held until our dm+d release has it, or the trust corrects it"


def _effect(issue: Issue) -> str:
    if issue.effect not in _HOLDS:
        return _EFFECTS[issue.effect]
    if issue.code in OWN_FAULTS:
        return "Held: the fault is ours"
    return _WANTS_RELEASE if issue.code in WANTS_RELEASE else _EFFECTS[issue.effect]


def fault(issue: Issue) -> Fault:
    """Give one issue."""
    return Fault(
        code=issue.code,
        location=issue.location,
        text=issue.text,
        advice=issue.row.advice,
        effect=_effect(issue),
        values=tuple(map(inert, issue.values)),
    )
