"""The sections of a prescription's page: as prescribed, deliveries, envelope, messages, and what it is linked to.

Source: console.md 6.3, 11 (8).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.console.pages import address, named
from gateway.console.prescription.detail import Behind
from gateway.console.prescription.dose_words import duration, parts, supplies
from gateway.console.prescription.timeline import person_words
from gateway.console.searching.results import address_words
from gateway.console.words import clock_time, day, how_long, inert, short_time, when
from gateway.domain.amounts import amount_words
from gateway.domain.delivery import LABELS as DELIVERIES
from gateway.domain.delivery import DeliveryEvent
from gateway.domain.message import MessageEvent
from gateway.domain.prescription import Dosage, Homecare, Line, Prescription
from gateway.domain.renewal import RENEWAL_LABELS
from gateway.domain.restricted import is_restricted
from gateway.enquiries import LineView
from gateway.ports.dossier import AttemptFacts, DeliveryStep, MessageFacts

NOT_STATED: Final = "Not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescribed:
    """One line as it was prescribed: the prescriber's own words, and the structure under them.

    Attributes:
        unsaid: what is said where there are no words; empty where there are.
    """

    product: str
    code: str
    brand: bool
    words: str
    unsaid: str = ""
    dosages: tuple[tuple[tuple[str, str], ...], ...]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery of one line."""

    number: int
    state: str
    planned: str
    agreed_first: str
    agreed: str
    left: str
    delivered: str
    amount: str
    batch: str
    known: str
    evidence: str
    struck: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The deliveries of one line."""

    product: str
    rows: tuple[DeliveryRow, ...]


def prescribed(behind: Behind) -> tuple[Prescribed, ...]:
    """Give each line in the prescriber's own words, with the structure under them."""
    document = behind.dossier.document
    if document is None:
        return tuple(
            Prescribed(
                product=inert(line.product) or "The medicine could not be read",
                code=line.product_code,
                brand=False,
                words=inert(line.directions),
                unsaid="" if line.directions else "The directions could not be read.",
                dosages=(),
                rows=(("Order number", inert(line.order_number) or NOT_STATED),),
            )
            for line in behind.view.lines
        )
    return tuple(_prescribed(line, document) for line in document.lines)


def _prescribed(line: Line, document: Prescription) -> Prescribed:
    words = inert("\n".join(dosage.text for dosage in line.dosages if dosage.text))
    return Prescribed(
        product=inert(line.product.display),
        code=str(line.product.code),
        brand=line.product.brand_required,
        words=words,
        unsaid="" if words else "No directions in words were sent.",
        dosages=tuple(map(_dosage, line.dosages)),
        rows=tuple((term, words or NOT_STATED) for term, words in _line_rows(line, document)),
    )


def _dosage(dosage: Dosage) -> tuple[tuple[str, str], ...]:
    return parts(dosage) or (("Structured dose", "None: the directions are in words alone"),)


def _line_rows(line: Line, document: Prescription) -> Iterator[tuple[str, str]]:
    yield "Quantity of each supply", inert(amount_words(str(line.quantity)))
    if line.quantity_in_words:
        yield "Quantity in words", inert(line.quantity_in_words)
    yield "Supplies", supplies(line)
    if line.first_supply:
        lasts = f", for {duration(line.first_supply.lasts)}" if line.first_supply.lasts else ""
        yield "First supply", inert(f"{amount_words(str(line.first_supply.quantity))}{lasts}")
    if line.days_per_supply:
        yield "One supply lasts", f"{line.days_per_supply} days"
    yield "Brand", "This brand only" if line.product.brand_required else "Not required"
    yield "Substitution", "Allowed" if line.substitution_allowed else "Not allowed"
    yield "Priority", line.priority.capitalize()
    if line.schedule:
        yield "Controlled drug", f"Schedule {line.schedule.value[2:]}"
    yield "Reason", inert("; ".join(one.display or one.code for one in line.reasons))
    if line.notes:
        yield "Notes", inert("\n".join(line.notes))
    yield "Order number", inert(line.order_number)
    yield "Authored", clock_time(document.authored)


def whole(behind: Behind) -> tuple[tuple[str, str], ...]:
    """Give what stands for the prescription as a whole: who prescribed it, when, and until when it counts."""
    document = behind.dossier.document
    if document is None:
        return (("Prescriber", inert(behind.view.prescriber) or "Not read"), ("Trust", behind.trust))
    who = document.prescriber
    site = who.organisation
    where = f"{site.name} ({site.ods})" if site and site.name else str(site.ods) if site else ""
    rows = (
        ("Prescriber", person_words(who)),
        ("Role", who.role.display or who.role.code if who.role else ""),
        ("Site", where),
        (
            "Responsible consultant",
            person_words(document.responsible_consultant) if document.responsible_consultant else "",
        ),
        ("Trust", behind.trust),
        ("Authored", clock_time(document.authored)),
        ("Valid from", day(document.valid_from) if document.valid_from else ""),
        ("Valid to", day(document.valid_to) if document.valid_to else ""),
        ("Course", document.course.value.replace("-", " ").capitalize()),
        ("Notes", "\n".join(document.notes)),
    )
    return tuple((term, inert(words) or NOT_STATED) for term, words in rows)


def deliveries(behind: Behind) -> tuple[Deliveries, ...]:
    """Give the deliveries of each line that has any."""
    shown = (
        Deliveries(product=inert(line.product), rows=tuple(_deliveries(line, behind))) for line in behind.view.lines
    )
    return tuple(one for one in shown if one.rows)


def _deliveries(line: LineView, behind: Behind) -> Iterator[DeliveryRow]:
    for one in line.deliveries:
        steps = [step for step in behind.dossier.steps if (step.line_id, step.issue) == (line.line_id, one.issue)]
        left, made = _last(steps, {"DISPATCHED"}), _last(steps, {"DELIVERED"})
        taken_back = next((step for step in reversed(steps) if step.event in _TAKES_BACK), None)
        struck = taken_back is not None and made is not None and taken_back.at >= made.at
        short = next((step for step in reversed(steps) if step.event == DeliveryEvent.SUPPLY_SHORT), None)
        came = made or (short if one.owed else None)
        yield DeliveryRow(
            number=one.issue,
            state=DELIVERIES[one.state] + (", a rest is owed" if one.owed else ""),
            planned=day(one.due_on) if one.due_on else "",
            agreed_first=day(one.agreed_first) if one.agreed_first else "",
            agreed=day(one.agreed_for) if one.agreed_for else "",
            left=_said_at(left),
            delivered=_said_at(made),
            amount=inert(amount_words(f"{came.amount} {came.unit}".strip()) + ("" if made else " so far"))
            if came
            else "",
            batch=inert(_said(came, "batch ")),
            known=("their answer" if came.answered else "stated by a person") if came else "",
            evidence=behind.evidence(came.source) if came and came.source else "",
            struck=f"Report taken back {clock_time(taken_back.at)}" if taken_back and struck else "",
        )


_TAKES_BACK: Final = frozenset({"supply_withdrawn", "balance_withdrawn"})


def _last(steps: Sequence[DeliveryStep], states: Iterable[str]) -> DeliveryStep | None:
    wanted = set(states)
    return next(
        (step for step in reversed(steps) if step.state_after in wanted and step.event not in _TAKES_BACK), None
    )


def _said(step: DeliveryStep | None, prefix: str) -> str:
    said = step.text.split("; ") if step else ()
    return next((part.removeprefix(prefix) for part in said if part.startswith(prefix)), "")


def _said_at(step: DeliveryStep | None) -> str:
    if step is None:
        return ""
    said = _said(step, "supplied at ")
    try:
        return short_time(datetime.fromisoformat(said)) if said else f"by {short_time(step.at)}"
    except ValueError:
        return f"by {short_time(step.at)}"


def renewals(behind: Behind) -> tuple[tuple[str, str], ...]:
    """Give the renewal of each line that has one, in words."""
    shown = ((line, line.renewal) for line in behind.view.lines)
    return tuple(
        (inert(line.product), f"{RENEWAL_LABELS[one.state]}, since {short_time(one.since)}")
        for line, one in shown
        if one is not None
    )


def envelope(behind: Behind) -> tuple[tuple[str, str], ...]:
    """Give the service around the medicine: what the message said of it, and what a person stated since."""
    document = behind.dossier.document
    if document is None:
        return ()
    care = document.homecare
    restricted = is_restricted(behind.view.issues)
    stated = [number for number in behind.dossier.stated_numbers if number != care.purchase_order]
    rows = (
        (
            "Purchase order",
            care.purchase_order + (f", line {care.purchase_order_line}" if care.purchase_order_line else ""),
        ),
        ("Purchase order, stated since", ", ".join(stated)),
        ("Scheme", f"{care.tier} {care.funding}".replace("-", " ").strip().capitalize()),
        ("Contract", care.funding_contract),
        ("Funding approval", care.funding_approval),
        ("Registration", care.registration),
        *_delivery_rows(care, restricted=restricted),
        ("Ancillaries", ", ".join(_ancillaries(care))),
        ("Nurse", f"{care.nurse_service}{f', {care.nurse_visits} visits' if care.nurse_visits else ''}"),
        ("Consent", _consent(care)),
        ("Clinical check", _checked(document)),
        ("Stock stated at home", _stock(care)),
        ("Backup providers", ", ".join(named(ods, behind.names) for ods in care.backups)),
    )
    return tuple(
        (term, inert(words) or NOT_STATED) for term, words in rows if words or term != "Purchase order, stated since"
    )


def paper(behind: Behind) -> str:
    """Say where the signed paper original stands; empty where none follows."""
    if behind.paper is None:
        return ""
    seen = behind.paper.registered
    if seen is not None and seen.on is not None:
        who = f"seen on {day(seen.on)} by {inert(seen.value)}"
        return f"Registered: {who}. Stated by {seen.by}, {clock_time(seen.at)}."
    late = behind.paper.act_by <= behind.now
    by = f"{clock_time(behind.paper.act_by)} ({when(behind.paper.act_by, behind.now)})"
    return f"Not registered: overdue, it was to be by {by}." if late else f"Not registered yet. It is to be by {by}."


def _delivery_rows(care: Homecare, *, restricted: bool) -> Iterator[tuple[str, str]]:
    delivery = care.delivery
    if delivery is None:
        yield "Delivery", ""
        return
    where = address_words(delivery.address) if delivery.address else ""
    yield "Delivery address", "Not shown: the message bears a security label" if restricted and where else where
    yield "Place", delivery.place.replace("-", " ").capitalize()
    yield "First delivery needed by", day(delivery.first_required_by) if delivery.first_required_by else ""
    yield "Delivered", f"Every {duration(delivery.frequency)}" if delivery.frequency else ""
    yield "Cold chain", {True: "Yes", False: "No", None: ""}[delivery.cold_chain]
    yield "Contact before", {True: "Yes", False: "No", None: ""}[delivery.contact_before]


def _ancillaries(care: Homecare) -> Iterator[str]:
    for one in care.ancillaries:
        yield f"{one.item.display or one.item.code}{f', {one.quantity}' if one.quantity else ''}"


def _consent(care: Homecare) -> str:
    if care.consent_given is None:
        return ""
    when = f", {day(care.consent_on)}" if care.consent_on else ""
    return f"{'Given' if care.consent_given else 'Not given'}{when}"


def _checked(document: Prescription) -> str:
    check = document.clinical_check
    return f"{person_words(check.by)}, {clock_time(check.at)}" if check else ""


def _stock(care: Homecare) -> str:
    if care.stock_held_days is None:
        return ""
    as_at = f", as at {day(care.stock_as_at)}" if care.stock_as_at else ""
    return f"{care.stock_held_days} days{as_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message of a prescription, in, out or an answer."""

    way: str
    name: str
    at: str
    what: str
    partner: str
    digest: str
    length: str
    attempts: tuple[str, ...] = ()


_KINDS: Final = {
    MessageEvent.ORDER.value: "Order",
    MessageEvent.UPDATE.value: "Cancel, hold, release or change",
}
_OUTCOMES: Final = {
    "on_wire": "Sending began",
    "taken": "The provider's system has it",
    "refused": "The provider's system refused it",
    "try_later": "Not taken; tried again",
    "in_doubt": "Not known if it arrived",
}


def messages(behind: Behind) -> tuple[MessageRow, ...]:
    """Give every message in, out and back, in the order of their times."""
    found = [(one.received_at, _received(behind)) for one in (behind.dossier.submission,)]
    found += [(one.made_at, _sent(one, behind)) for one in behind.dossier.messages]
    for answer in behind.dossier.answers:
        row = MessageRow(
            way="Answer",
            name=f"answer-{answer.row}",
            at=clock_time(answer.received_at),
            what=f"Answer {inert(answer.answer_id)}" if answer.answer_id else "Answer without an id",
            partner=named(answer.destination, behind.names),
            digest=answer.digest,
            length=f"{answer.length:,} bytes",
        )
        found.append((answer.received_at, row))
    return tuple(row for _, row in sorted(found, key=lambda one: one[0]))


def _received(behind: Behind) -> MessageRow:
    one = behind.dossier.submission
    formats = {"hl7v2": "HL7 v2", "xml": "Trust XML", "fhir": "FHIR"}
    return MessageRow(
        way="In",
        name=f"in-{one.row}",
        at=clock_time(one.received_at),
        what=f"{formats.get(one.format, one.format)}, message {inert(one.control_id)}",
        partner=behind.trust + (f", {inert(one.system)}" if one.system else ""),
        digest=one.digest,
        length=f"{one.length:,} bytes" if one.length else "in the archive",
    )


def _sent(one: MessageFacts, behind: Behind) -> MessageRow:
    return MessageRow(
        way="Out",
        name=f"out-{one.queued}" if one.queued is not None else "",
        at=clock_time(one.made_at),
        what=_KINDS.get(one.event, one.event),
        partner=named(one.destination, behind.names),
        digest=one.digest,
        length=f"{one.length:,} bytes",
        attempts=tuple(_attempts(one)),
    )


def _attempts(one: MessageFacts) -> Iterator[str]:
    began: AttemptFacts | None = None
    for step in one.attempts:
        if step.outcome == "on_wire":
            began = step
            continue
        took = f", {how_long(step.at - began.at)}" if began else ""
        why = f": {inert(step.reason)}" if step.reason else ""
        yield f"Attempt {step.number}, {clock_time(step.at)}{took}: {_OUTCOMES[step.outcome].lower()}{why}"
    if one.attempts and one.attempts[-1].outcome == "on_wire":
        yield f"Attempt {one.attempts[-1].number}, {clock_time(one.attempts[-1].at)}: sending; no end is recorded"
    if one.next_at is not None:
        yield f"Next attempt at {clock_time(one.next_at)}"
    if not one.attempts and one.next_at is None:
        yield "Never sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """Another prescription, with how it is linked."""

    how: str
    words: str
    href: str


def linked(behind: Behind) -> tuple[LinkRow, ...]:
    """Give what it replaces, is replaced by, was renewed by and was ordered with."""
    return tuple(
        LinkRow(
            how=one.how.value,
            words=one.number or f"{one.prescription_id}, which is not held here",
            href=address(one.prescription_id) if one.number else "",
        )
        for one in behind.dossier.linked
    )
