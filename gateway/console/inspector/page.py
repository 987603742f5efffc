"""What stands on the page of one message, in words; templates add nothing (console.md 6.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console import bytes_shown, pages
from gateway.console.inspector.fields import name_of
from gateway.console.inspector.hiding import Hiding, Value, field_shown, hiding, target_shown
from gateway.console.inspector.links import Links
from gateway.console.inspector.names import CHANNELS, OUTCOME_WORDS, STATE_WORDS
from gateway.console.inspector.source import SourceShown, identifying, of_hl7v2, of_values
from gateway.console.inspector.tracing import Filter, TraceShown, table, within
from gateway.console.inspector.tree import TreeShown, of_json
from gateway.console.site import Names
from gateway.console.words import EVENTS, STATES, clock_time, how_long, when
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import FhirMessage
from gateway.domain.submission import Action, Answer, WireFormat
from gateway.domain.trace import Leftover
from gateway.ports.inspection import (
    Answered,
    KeptApart,
    MessageId,
    MessageRow,
    MessageView,
    Received,
    Sealed,
    Sent,
    Traced,
    Transmitted,
    Tried,
)
from gateway.wire.er7 import Er7Error, offset_of

_FIRST_BYTES: Final = 200
_MOST_WORDS: Final = 4000
_TRIED_WORDS: Final = {
    "on_wire": "Begun; nothing is known of how it ended",
    "taken": "Their system took it",
    "refused": "Their system refused it",
    "try_later": "Proved not taken",
    "in_doubt": "Not known if it arrived",
}
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
class Asked:
    """What the address asks of the page.

    Attributes:
        at: a place of the source that is chosen; `to` a place of FHIR.
        order: which order's FHIR and trace are shown, from 0.
        source: the first value shown of the source; `line` the first line of FHIR.
    """

    at: str = ""
    to: str = ""
    only: Filter = Filter.ALL
    order: int = 0
    source: int = 0
    line: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptShown:
    """One attempt in words."""

    number: int
    began: str
    lasted: str
    outcome: str
    colour: str
    code: str
    first: str
    whole: str
    size: int
    fenced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message on its way, with its attempts."""

    href: str
    name: str
    partner: str
    kind: str
    message_id: str
    state: str
    next_at: str
    duplicate: bool
    withheld: bool
    attempts: tuple[AttemptShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShown:
    """An answer, and what it was matched to, or why it was not."""

    href: str
    name: str
    at: str
    partner: str
    answer_id: str
    outcome: str
    colour: str
    names: str
    matched: str
    matched_href: str
    why_not: tuple[str, ...]
    did: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is inside a message: source, FHIR and trace, with what is chosen in them."""

    source: SourceShown | None
    tree: TreeShown | None
    trace: TraceShown | None
    chosen: str

    @property
    def goes(self) -> dict[str, bool]:
        """Tell in which parts something is marked, so that a link may lead to it."""
        cells = (cell for segment in self.source.segments for cell in segment.cells) if self.source else ()
        return {
            "source": any(cell.marked for cell in cells),
            "fhir": any(line.marked for line in self.tree.lines) if self.tree else False,
            "trace": any(row.marked for row in self.trace.rows) if self.trace else False,
        }


def received(
    view: Received, asked: Asked, hide: Hiding, written: Sequence[FhirMessage], issues: Sequence[Issue] = ()
) -> Inside:
    """Give the inside of a trust's message.

    Args:
        view: as stored.
        asked: what is chosen.
        hide: masks what must be.
        written: what the order's messages are when written anew: it says what comes from where.
        issues: found in it, each at its place.
    """
    order = view.orders[asked.order] if asked.order < len(view.orders) else None
    explained = [pair for message in written for pair in message.explained]
    links = Links.of(order.trace if order else (), explained)
    rows = frozenset(links.rows_at(asked.at) if asked.at else links.rows_to(asked.to) if asked.to else ())
    places = frozenset({links.rows[number].source for number in rows} | ({asked.at} if asked.at else set()))
    paths = frozenset({path for number in rows for path in links.fhir(number)} | ({asked.to} if asked.to else set()))
    form = WireFormat(view.row.form)
    if form is WireFormat.HL7V2:
        source = of_hl7v2(view.body, links, hide, places, start=asked.source)
    else:
        source = of_values(view.body, form, links, view.leftovers, hide=hide, marked=places)
    sealed = order.sealed[0] if order and order.sealed else None
    return Inside(
        source=source,
        tree=of_json(sealed.body, links, hide, paths, start=asked.line) if sealed else None,
        trace=table(
            links,
            view.leftovers,
            hide,
            rows,
            chosen=asked.only,
            at=asked.at,
            issues=issues,
            unexplained=[path for message in written for path in message.unexplained],
        ),
        chosen=hide.through(_chosen(asked, links, rows, view.leftovers))
        + _found_at(asked.at, issues)
        + (_byte_of(view.body, asked.at) if form is WireFormat.HL7V2 and asked.at else ""),
    )


def _chosen(asked: Asked, links: Links, rows: frozenset[int], left: Sequence[Leftover]) -> str:
    """Say in a sentence what is chosen and where it goes."""
    if asked.at:
        what = f"{name_of(asked.at) or 'This value'} ({asked.at})"
        targets = ", ".join(dict.fromkeys(links.rows[number].target for number in sorted(rows)))
        paths = {path for number in rows for path in links.fhir(number)}
        if not rows:
            why = next((one.rule.partition(": ")[2] for one in left if one.source == asked.at and one.rule), "")
            return f"{what} goes nowhere" + (f": {why}." if why else ".")
        where = f" and goes to {_places(len(paths))} of FHIR" if paths else ""
        return f"{what} becomes {targets}{where}. All are marked."
    if asked.to:
        origin = links.origin(asked.to)
        if not rows:
            return f"{asked.to} comes from no place of the source: {origin or 'nothing explains it'}."
        sources = ", ".join(links.rows[number].source or "a default" for number in sorted(rows))
        return f"{asked.to} comes from {sources}. All are marked."
    return ""


def _byte_of(body: bytes, at: str) -> str:
    """Say at which byte a chosen value begins; nothing where no value is meant."""
    try:
        return f" It begins at byte {offset_of(body, at):,}."
    except (ValueError, Er7Error):
        return ""


def _found_at(at: str, issues: Sequence[Issue]) -> str:
    """Name the issues that were found at a chosen place."""
    codes = [issue.code for issue in issues if at and within(issue.location, at)]
    return f" It is where {', '.join(dict.fromkeys(codes))} was found." if codes else ""


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"


def understood(view: Received, asked: Asked, hide: Hiding) -> tuple[Understood, ...]:
    """Give every order as it was understood."""
    return tuple(_understood(order, number, asked, hide) for number, order in enumerate(view.orders))


def _understood(order: Traced, number: int, asked: Asked, hide: Hiding) -> Understood:
    facts: list[tuple[str, Value]] = []
    document = order.document
    if document is not None:
        patient = document.patient
        facts.append(("Patient", hide.of(f"{patient.name}, born {patient.birth_date:%d %b %Y}", shown=False)))
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


def faults(issues: Sequence[Issue], hide: Hiding, open_places: frozenset[str] = frozenset()) -> tuple[Fault, ...]:
    """Give issues in words; both values of a contradiction where their place holds no patient data."""
    return tuple(_fault(issue, hide, open_places) for issue in issues)


def open_places(view: Received) -> frozenset[str]:
    """Give the places of the source whose values became nothing of the patient's."""
    return frozenset(row.source for order in view.orders for row in order.trace if target_shown(row.target))


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


def sending(one: Transmitted, names: Names, hide: Hiding, now: datetime) -> Sending:
    """Give a message on its way with its attempts, as a list of deliveries."""
    row = one.row
    ods = OdsCode.parse(row.partner)
    return Sending(
        href=f"/console/messages/{row.id}",
        name=str(row.id),
        partner=pages.named(ods, names) if ods else row.partner,
        kind=row.kind,
        message_id=str(one.message_id),
        state=STATE_WORDS.get(row.state, row.state),
        next_at=_next(one.next_at, now) if one.next_at else "",
        duplicate=one.possible_duplicate,
        withheld=one.withheld,
        attempts=tuple(_attempt(tried, hide) for tried in one.tried),
    )


def _next(moment: datetime, now: datetime) -> str:
    if moment <= now:
        return f"as soon as there is room, since {clock_time(moment)}"
    return f"{clock_time(moment)}, {when(moment, now)}"


def _attempt(tried: Tried, hide: Hiding) -> AttemptShown:
    _, colour = OUTCOME_WORDS.get(tried.outcome, ("", "grey"))
    text = bytes_shown.text(tried.evidence) if tried.evidence else ""
    began = tried.began or tried.ended
    lasted = how_long(tried.ended - tried.began) if tried.began and tried.ended else ""
    shown = text if hide.off else ""
    return AttemptShown(
        number=tried.number,
        began=clock_time(began) if began else "",
        lasted=("under 1 s" if lasted == "0 s" else lasted) or "Not known",
        outcome=_TRIED_WORDS.get(tried.outcome, tried.outcome),
        colour=colour,
        code=bytes_shown.visible(hide.through(tried.reason)),
        first=shown[:_FIRST_BYTES],
        whole=shown if len(shown) > _FIRST_BYTES else "",
        size=len(tried.evidence),
        fenced=tried.fenced,
    )


def answer(one: Answered, names: Names, hide: Hiding) -> AnswerShown:
    """Give an answer, what it was matched to and why, or why not."""
    outcome, colour = OUTCOME_WORDS[one.row.outcome]
    ods = OdsCode.parse(one.row.partner)
    who = pages.named(ods, names) if ods else one.row.partner
    apart = tuple(hide.through(text) for _, text in one.alerts)
    moved = any(event.moved for event in one.happened)
    matched = ""
    if one.answers is not None and not apart and one.happened:
        matched = f"It names that message, which was sent to {who}, and the lines it speaks of are that message's."
    why_not = apart or (("It named no message of ours, and no line was found for it.",) if not one.happened else ())
    return AnswerShown(
        href=f"/console/messages/{one.row.id}",
        name=str(one.row.id),
        at=clock_time(one.row.at),
        partner=who,
        answer_id=bytes_shown.visible(one.row.control_id) or "No id of its own",
        outcome=outcome,
        colour=colour,
        names=str(one.correlation) if one.correlation else "It names no message",
        matched=matched,
        matched_href=f"/console/messages/{one.answers}" if one.answers else "",
        why_not=() if moved and not apart else why_not,
        did=tuple(
            (_event(event.event), _moved(event.state_before, event.state_after, event.text, hide))
            for event in one.happened
        ),
        faults=faults(one.issues, hide),
    )


def _event(name: str) -> str:
    return EVENTS[LineEvent(name)] if name in set(LineEvent) else name.replace("_", " ").capitalize()


def _moved(before: str, after: str, text: str, hide: Hiding) -> str:
    said = hide.through(text)
    if before == after or after not in set(LineState):
        return f"No state changed. {said}".strip()
    earlier = STATES[LineState(before)].label if before in set(LineState) else "Nothing"
    return f"{earlier} → {STATES[LineState(after)].label}. {said}".strip()


def sealed(one: Sealed, names: Names) -> dict[str, str]:
    """Give the facts of a sealed message."""
    ods = OdsCode.parse(one.destination)
    return {
        "id": str(one.id),
        "event": one.event,
        "destination": pages.named(ods, names) if ods else one.destination,
        "epoch": str(one.epoch),
        "digest": one.digest,
        "key": one.key_id,
        "at": clock_time(one.created_at),
        "href": f"/console/messages/{one.sent}" if one.sent else "",
    }


def body_shown(octets: bytes, content_type: str, hide: Hiding, *, start: int = 0) -> tuple[TreeShown | None, str]:
    """Give a body that is no submission: a tree where it is JSON, else its text; masked, nothing of the text."""
    if "json" in content_type or octets[:1] in {b"{", b"["}:
        tree = of_json(octets, Links.of(()), hide, frozenset(), start=start)
        if not tree.fault:
            return tree, ""
    return None, bytes_shown.text(octets) if hide.off else ""


def parent(view: MessageView) -> MessageId | None:
    """Give the submission that a message of ours was written for."""
    return view.received if isinstance(view, Sent) else None


def apart(view: KeptApart, asked: Asked, hide: Hiding) -> Inside:
    """Give the inside of what was kept apart, as far as it can be read into fields."""
    body = view.body or b""
    if view.row.form == WireFormat.HL7V2.value:
        marked = frozenset({asked.at} if asked.at else ())
        source = of_hl7v2(body, Links.of(()), hide, marked, start=asked.source)
    else:
        source = SourceShown(
            facts=f"{len(body)} bytes",
            fault="It was not read into values.",
            text=bytes_shown.text(body) if hide.off else "",
        )
    return Inside(source=source, tree=None, trace=None, chosen="")


def answer_given(given: Answer, hide: Hiding) -> dict[str, object]:
    """Give the answer that the sender got: its code, and its bytes once the message is unmasked."""
    text = bytes_shown.json_text(given.body) if "json" in given.content_type else bytes_shown.text(given.body)
    later = bytes_shown.text(given.later) if given.later else ""
    return {
        "status": given.http_status,
        "type": given.content_type,
        "size": len(given.body),
        "text": text if hide.off else "",
        "later": later if hide.off else "",
        "has_later": given.later is not None,
    }
