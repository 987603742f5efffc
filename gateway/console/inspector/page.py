"""What a message is, at the top of its page, and as what each of its orders was understood (console.md 6.7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console import bytes_shown, pages
from gateway.console.inspector.hiding import Hiding, Value, hiding
from gateway.console.inspector.inside import Asked
from gateway.console.inspector.names import CHANNELS, OUTCOME_WORDS, STATE_WORDS
from gateway.console.inspector.source import identifying
from gateway.console.site import Names
from gateway.console.words import STATES, clock_time, day, when
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Action
from gateway.ports.inspection import (
    Answered,
    KeptApart,
    MessageRow,
    MessageView,
    Received,
    Traced,
)

_MOST_WORDS: Final = 4000
_FORMS: Final = {"hl7v2": "HL7 v2", "xml": "trust XML", "fhir": "FHIR"}
_ACTIONS: Final = {
    Action.NEW: "New prescription",
    Action.CANCEL: "Cancel",
    Action.REPLACE: "Change",
    Action.HOLD: "Hold",
    Action.RELEASE: "Release",
    Action.RENEWAL_REQUEST: "Request for a renewal",
    Action.STATUS_QUERY: "Question where an order stands",
    Action.NUMBER_REQUEST: "Request for a number",
    Action.PATIENT_UPDATE: "News of a patient",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """One order as it was understood."""

    number: int
    action: str
    prescription: str
    href: str
    states: tuple[str, ...]
    facts: tuple[tuple[str, Value], ...]
    chosen: bool


def heading(row: MessageRow, names: Names) -> str:
    """Give a page's heading: type, the sender's name for it, from whom or to whom."""
    ods = OdsCode.parse(row.partner)
    who = pages.named(ods, names) if ods else row.partner
    to = "to" if row.id.channel.value == "out" else "from"
    return f"{row.kind or 'Message'} {row.control_id} {to} {who}".replace("  ", " ")


def top(row: MessageRow, names: Names, now: datetime) -> dict[str, object]:
    """Give what stands at the top of every message's page."""
    outcome, colour = OUTCOME_WORDS.get(row.outcome, (row.outcome, "grey"))
    return {
        "id": str(row.id),
        "heading": bytes_shown.visible(heading(row, names)),
        "way": CHANNELS[row.id.channel],
        "at": clock_time(row.at),
        "ago": when(row.at, now),
        "outcome": outcome,
        "colour": colour,
        "state": STATE_WORDS.get(row.state, ""),
        "form": _FORMS.get(row.form, row.form),
        "size": f"{row.size:,} bytes",
        "digest": row.digest,
        "codes": row.issues,
    }


def hides(view: MessageView, *, off: bool) -> Hiding:
    """Make what masks one message."""
    if isinstance(view, Received):
        patients = [order.document.patient if order.document else None for order in view.orders]
        return hiding(patients, (order.nhs_number for order in view.orders), identifying(view.body), off=off)
    body = view.body if isinstance(view, (KeptApart, Answered)) else view.octets
    return hiding((), (), identifying(body or b""), off=off)


def understood(view: Received, asked: Asked, hide: Hiding) -> tuple[Understood, ...]:
    """Give every order as it was understood."""
    return tuple(_understood(order, number, asked, hide) for number, order in enumerate(view.orders))


def _understood(order: Traced, number: int, asked: Asked, hide: Hiding) -> Understood:
    facts: list[tuple[str, Value]] = []
    document = order.document
    if document is not None:
        patient = document.patient
        facts.append(("Patient", hide.of(f"{patient.name}, born {day(patient.birth_date)}", shown=False)))
        facts.append(("NHS number", hide.of(str(patient.nhs_number), shown=False)))
        for line in document.lines:
            facts.append(
                ("Medicine", hide.of(f"{line.product.display} ({line.product.code})", shown=True, most=_MOST_WORDS))
            )
            words = "; ".join(filter(None, (dosage.text for dosage in line.dosages)))
            facts.append(("Directions", hide.of(words or "No words were sent", shown=True, most=_MOST_WORDS)))
            supplies = f"{line.total_supplies} supplies" if line.total_supplies > 1 else "1 supply"
            unit = line.quantity.unit.display or line.quantity.unit.code
            facts.append(("Quantity", hide.of(f"{line.quantity.value} {unit}, {supplies}", shown=True)))
        facts.append(("Prescriber", hide.of(str(document.prescriber.name), shown=True)))
    return Understood(
        number=number,
        action=_ACTIONS.get(Action(order.action), order.action) if order.action in set(Action) else order.action,
        prescription=order.number or "No number: it could not be completed",
        href=pages.address(order.prescription_id),
        states=tuple(STATES[LineState(state)].label for state in order.states),
        facts=tuple(facts),
        chosen=number == asked.order,
    )
