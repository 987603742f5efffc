"""What stands on each page: values for the templates, and nothing clever in the templates themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.console import bytes_shown
from gateway.console.signature import signature_words
from gateway.console.site import Names
from gateway.console.words import (
    ACTORS,
    EVENTS,
    HOLDERS,
    STATES,
    Shown,
    born,
    clock_time,
    day,
    how_long,
    nhs_number,
    shown_as,
    when,
)
from gateway.domain.alert_kinds import about
from gateway.domain.custody import Holder
from gateway.domain.delivery import LABELS as DELIVERIES
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Effect, Issue
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.renewal import RENEWAL_LABELS
from gateway.domain.submission import WireFormat
from gateway.enquiries import (
    AlertView,
    DeliveryView,
    EventView,
    Found,
    LineView,
    PauseView,
    PrescriptionView,
    RenewalView,
)

QUIET: Final = timedelta(hours=1)
"""A silence longer than this is drawn on the timeline as an entry of its own."""


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
        medicines=found.medicines or ("Not read: see the issues",),
        state=shown_as(found.state, found.condition),
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
    """One alert in a list."""

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


def alarm(alert: AlertView, now: datetime) -> Alarm:
    """Give one row of the list of alerts."""
    row = about(alert.kind)
    return Alarm(
        href=address(alert.prescription_id) if alert.prescription_id else "",
        kind=alert.kind.replace("-", " ").replace("_", " ").capitalize(),
        medicine=alert.medicine,
        number=alert.number,
        text=alert.text,
        opened=clock_time(alert.opened_at),
        age=when(alert.opened_at, now),
        closed=f"{clock_time(alert.closed_at)} by {alert.closed_by}: {alert.close_reason}" if alert.closed_at else "",
        acts=row.acts.value,
        soon=row.soon.value,
        do=row.do,
        runbook=row.runbook,
    )


def paused(pause: PauseView, names: Names, now: datetime) -> str:
    """Say that nothing is sent to a destination, since when, by whom and why."""
    where, since = named(pause.destination, names), clock_time(pause.begun_at)
    return f"Nothing is sent to {where} since {since}, {when(pause.begun_at, now)} ({pause.begun_by}): {pause.reason}"


def watch_stopped(last: datetime | None, now: datetime) -> str:
    """Say that deadlines are not looked at."""
    looked = f"{clock_time(last)}, {when(last, now)}" if last else "never"
    return f"The watch has stopped. Deadlines were last looked at: {looked}. Overdue lines may be missing below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One medicine on the page."""

    product: str
    product_code: str
    directions: str
    quantity: str
    supplies: str
    deliveries: tuple[str, ...]
    renewal: str
    order_number: str
    state: Shown
    since: str
    evidence: str
    holder: str
    act_by: str
    overdue: bool


def delivery(shown: DeliveryView) -> str:
    """Give one delivery in words: which, where it stands, and the days that are known of it."""
    words = f"{shown.issue}: {DELIVERIES[shown.state]}"
    if shown.owed:
        words += "; a rest is owed"
    if shown.agreed_for:
        words += f"; agreed for {day(shown.agreed_for)}"
    if shown.agreed_first and shown.agreed_first != shown.agreed_for:
        words += f", first agreed for {day(shown.agreed_first)}"
    return words + (f"; due {day(shown.due_on)}" if shown.due_on and not shown.agreed_for else "")


def renewal(shown: RenewalView) -> str:
    """Give a renewal in words, with the new prescription's id where it is named."""
    words = f"{RENEWAL_LABELS[shown.state]}, since {clock_time(shown.since)}"
    return f"{words}: {shown.prescription_id}" if shown.prescription_id else words


def line(shown: LineView, view: PrescriptionView, names: Names, now: datetime) -> Line:
    """Give one medicine: what, where it is and how we know, who acts next and by when."""
    latest = _latest_move(shown, view.events)
    return Line(
        product=shown.product or "The medicine could not be read",
        product_code=shown.product_code,
        directions=shown.directions,
        quantity=shown.quantity,
        supplies=f"{shown.delivered} of {shown.total_supplies} delivered" if shown.total_supplies else "",
        deliveries=tuple(delivery(one) for one in shown.deliveries),
        renewal=renewal(shown.renewal) if shown.renewal else "",
        order_number=shown.order_number,
        state=STATES[shown.state],
        since=f"{clock_time(latest.at)}, {when(latest.at, now)}" if latest else "",
        evidence=_evidence(latest) if latest else "",
        holder=_holder(shown, view, names),
        act_by=f"{clock_time(shown.act_by)}, {when(shown.act_by, now)}" if shown.act_by else "",
        overdue=shown.act_by is not None and shown.act_by <= now and shown.state not in TERMINAL,
    )


def _latest_move(shown: LineView, events: tuple[EventView, ...]) -> EventView | None:
    moves = [event for event in events if event.line_id == shown.line_id and event.state_after == shown.state.value]
    entered = [event for event in moves if event.state_before != event.state_after]
    return next(reversed(entered or moves), None)


def _holder(shown: LineView, view: PrescriptionView, names: Names) -> str:
    if shown.holder == Holder.TRUST:
        return named(view.found.tenant, names)
    if shown.holder == Holder.PROVIDER:
        return named(view.found.destination, names)
    return HOLDERS.get(Holder(shown.holder), shown.holder) if shown.holder in set(Holder) else shown.holder


def _evidence(event: EventView) -> str:
    return ACTORS[Actor(event.actor)][1] if event.actor in set(Actor) else event.actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the timeline; a silence has only `quiet`."""

    at: str = ""
    ago: str = ""
    what: str = ""
    who: str = ""
    evidence: str = ""
    moved: str = ""
    about: str = ""
    text: str = ""
    quiet: str = ""


def timeline(view: PrescriptionView, now: datetime) -> list[Entry]:
    """Give the history, newest first, with every long silence drawn as an entry (console.md 6.3)."""
    entries: list[Entry] = []
    last: datetime | None = None
    for event in view.events:
        if last is not None and event.at - last > QUIET:
            entries.append(Entry(quiet=f"Nothing was heard for {how_long(event.at - last)}"))
        entries.append(_entry(event, view, now))
        last = event.at
    awaited = any(shown.state not in TERMINAL | {LineState.FULFILLED} for shown in view.lines)
    if last is not None and awaited and now - last > QUIET:
        entries.append(Entry(quiet=f"Nothing has been heard for {how_long(now - last)}"))
    return entries[::-1]


def _entry(event: EventView, view: PrescriptionView, now: datetime) -> Entry:
    products = {shown.line_id: shown.product for shown in view.lines}
    actor = ACTORS.get(Actor(event.actor)) if event.actor in set(Actor) else None
    return Entry(
        at=clock_time(event.at),
        ago=when(event.at, now),
        what=_event_words(event),
        who=actor[0] if actor else event.actor,
        evidence=actor[1] if actor else "",
        moved=_moved(event),
        about=products.get(event.line_id, "") if event.line_id and len(products) > 1 else "",
        text=event.text,
    )


def _event_words(event: EventView) -> str:
    if event.event in set(LineEvent):
        return EVENTS[LineEvent(event.event)]
    return event.event.replace("_", " ").replace("-", " ").capitalize()


def _moved(event: EventView) -> str:
    if event.state_before == event.state_after or event.state_after not in set(LineState):
        return ""
    after = STATES[LineState(event.state_after)].label
    if event.state_before not in set(LineState):
        return after
    return f"{STATES[LineState(event.state_before)].label} → {after}"


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


def fault(issue: Issue) -> Fault:
    """Give one issue."""
    return Fault(
        code=issue.code,
        location=issue.location,
        text=issue.text,
        advice=issue.row.advice,
        effect=_EFFECTS[issue.effect],
        values=issue.values,
    )


def prescription(view: PrescriptionView, names: Names, now: datetime) -> dict[str, object]:
    """Give everything that stands on a prescription's page."""
    is_json = view.format == WireFormat.FHIR.value
    return {
        "found": listed(view.found, names),
        "group_number": view.found.group_number,
        "control_id": view.control_id,
        "format": {"hl7v2": "HL7 v2", "xml": "trust XML", "fhir": "FHIR"}.get(view.format, view.format),
        "patient_name": view.patient_name,
        "nhs_number": nhs_number(view.nhs_number),
        "born": born(view.birth_date, now),
        "prescriber": view.prescriber,
        "signature": signature_words(view.message),
        "lines": [line(shown, view, names, now) for shown in view.lines],
        "timeline": timeline(view, now),
        "alerts": [alarm(alert, now) for alert in view.alerts],
        "issues": [fault(issue) for issue in view.issues],
        "source": bytes_shown.json_text(view.source) if is_json else bytes_shown.text(view.source),
        "source_bytes": len(view.source),
        "message": bytes_shown.json_text(view.message) if view.message is not None else "",
        "message_bytes": len(view.message) if view.message is not None else 0,
    }
