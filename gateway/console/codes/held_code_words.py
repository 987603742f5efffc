"""What stands on the pages of held codes: ready words for the templates, and nothing clever in those.

Source: console.md 6.8; mapping.md 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.console.pages import named
from gateway.console.site import Names
from gateway.console.words import LONDON, clock_time, day, days, held_shown, how_long, inert, short_time
from gateway.domain.amounts import amount_words
from gateway.domain.code_map import ApprovedEntry, MapKind, RereadState, UnknownCode
from gateway.domain.cover import Cover
from gateway.domain.issue import Issue
from gateway.domain.issue_texts import in_words
from gateway.domain.labels import LABELS, Held
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Line, Prescription
from gateway.domain.proposal import WORDS as PROPOSAL_WORDS
from gateway.domain.proposal import ProposalView
from gateway.domain.quantity import lexeme
from gateway.pipeline.code_desk import Tried
from gateway.pipeline.code_desk import read as meaning_of
from gateway.pipeline.code_targets import TYPED, Candidate
from gateway.ports.code_maps import HeldCode, RereadView, WaitingOrder

KINDS: Final[Mapping[MapKind, str]] = {
    MapKind.DRUG: "Medicine",
    MapKind.UNIT: "Unit",
    MapKind.ROUTE: "Route",
    MapKind.SITE: "Body site",
    MapKind.METHOD: "Method",
    MapKind.TIMING: "Timing",
    MapKind.CANCEL_REASON: "Cancel reason",
    MapKind.PROFESSION: "Profession",
}
TABLES: Final[Mapping[MapKind, str]] = {
    MapKind.DRUG: "dm+d, by name, strength and form",
    MapKind.UNIT: "the table of units",
    MapKind.ROUTE: "the table of routes",
}
OUTCOMES: Final[Mapping[RereadState, str]] = {
    RereadState.WAITING: "Waiting to be read again",
    RereadState.RELEASED: "Read again and let go",
    RereadState.STILL_HELD: "Read again and still held",
    RereadState.OVERTAKEN: "Not read again: the order has moved on",
    RereadState.FAILED: "Could not be read again: the fault is ours, and the operator was told",
}
NOT_STATED: Final = "not stated"


def address(code_id: UUID, act: str = "") -> str:
    """Give the address of a code's page, or of an act on it."""
    return f"/console/held-codes/{code_id}{f'/{act}' if act else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A code as it was sent, in words.

    Attributes:
        cannot: why no entry can give it a meaning; empty where one can.
    """

    kind: str
    code: str
    text: str
    system: str
    location: str
    cannot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One code of the list."""

    href: str
    sent: Sent
    trust: str
    seen: str
    since: str
    waiting: str
    shortest: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One order that waits for the code."""

    href: str
    reference: str
    received: str
    lines: int
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A candidate, with what differs."""

    value: str
    name: str
    code: str
    level: str
    facts: tuple[str, ...]
    differences: tuple[str, ...]
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of an entry for the code."""

    number: int
    means: str
    people: str
    approved: str
    ended: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A proposal, and what became of it."""

    id: str
    means: str
    by: str
    at: str
    reason: str
    state: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What became of one order that was read again."""

    href: str
    reference: str
    state: str
    outcome: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One message that an entry would touch: before, and after."""

    reference: str
    received: str
    before: str
    after: str
    lines: tuple[str, ...]
    changes: bool


def sent(unknown: UnknownCode) -> Sent:
    """Give a code as it was sent."""
    return Sent(
        kind=KINDS[unknown.kind],
        code=inert(unknown.code) or NOT_STATED,
        text=inert(unknown.text) or NOT_STATED,
        system=inert(unknown.system) or NOT_STATED,
        location=unknown.location,
        cannot="" if unknown.can_be_mapped else _cannot(unknown),
    )


def _cannot(unknown: UnknownCode) -> str:
    if not unknown.code:
        return "Only words were sent. There is no code to give a meaning to: ask the trust to send one."
    if unknown.kind is MapKind.DRUG:
        return held_shown(Held.RELEASE).sentence
    return "This is a code of a national system that is not known here. Ask the trust to correct it."


def row(held: HeldCode, covers: Sequence[Cover] | None, names: Names, now: datetime, *, proposed: bool) -> Row:
    """Give one row of the list."""
    step = "A second person approves" if proposed else "Propose a meaning" if held.unknown.can_be_mapped else "Look"
    return Row(
        href=address(held.code_id),
        sent=sent(held.unknown),
        trust=named(held.trust, names),
        seen=f"{held.seen} {'order' if held.seen == 1 else 'orders'}",
        since=short_time(held.first_seen),
        waiting=f"{held.waiting} {'line' if held.waiting == 1 else 'lines'}",
        shortest=shortest(covers, now) if covers is not None else "Open the code to see",
        next_step=step,
    )


def shortest(covers: Sequence[Cover], now: datetime) -> str:
    """Say the shortest supply among lines; what is not known counts as urgent and is said first."""
    today = now.astimezone(LONDON).date()
    left = [cover.days_left(today) for cover in covers]
    known = [one for one in left if one is not None]
    unknown = len(left) - len(known)
    words = f"{days(min(known))} at the shortest" if known else ""
    if not unknown:
        return words or "No line waits"
    return f"Not known for {unknown}: treat as urgent" + (f". Otherwise {words}" if words else "")


def waiting(order: WaitingOrder, covers: Mapping[UUID, Cover], now: datetime, *, readable: bool) -> Waiting:
    """Give one order that waits."""
    today = now.astimezone(LONDON).date()
    return Waiting(
        href=f"/console/prescriptions/{order.prescription_id}" if readable else "",
        reference=reference(order.prescription_id),
        received=f"{short_time(order.received_at)} ({how_long(now - order.received_at)} ago)",
        lines=order.lines,
        left="; ".join(dict.fromkeys(_left(cover, today) for cover in covers.values())) or "Not known: treat as urgent",
    )


def reference(prescription_id: UUID) -> str:
    """Give the short opaque reference of an order that may have no number yet."""
    return str(prescription_id)[:8].upper()


def _left(cover: Cover, today: date) -> str:
    left = cover.days_left(today)
    if left is None or cover.ends_on is None:
        return f"Not known: {cover.why}. Treat as urgent"
    return f"{days(left)}, until {day(cover.ends_on - timedelta(days=1))} ({cover.grade.value})"


def choice(candidate: Candidate) -> Choice:
    """Give a candidate for a person to choose or not."""
    return Choice(
        value=candidate.coding.code,
        name=candidate.coding.display,
        code=candidate.coding.code,
        level=candidate.level,
        facts=candidate.facts,
        differences=candidate.differences,
        stops=candidate.stops,
    )


def typed(unknown: UnknownCode) -> bool:
    """Tell whether the meaning of a code of this kind is typed rather than searched for."""
    return unknown.kind in TYPED


def entry(one: ApprovedEntry) -> Entry:
    """Give one version of an entry."""
    ended = ""
    if one.withdrawn_at is not None:
        ended = f"Taken back by {one.withdrawn_by}, {clock_time(one.withdrawn_at)}: {one.withdrawn_reason}"
    return Entry(
        number=one.number,
        means=f"{one.entry.target.display} ({one.entry.target.code})",
        people=f"Proposed by {one.proposed_by}, approved by {one.approved_by}",
        approved=clock_time(one.approved_at),
        ended=ended,
        counts=one.counts,
    )


def proposed(view: ProposalView) -> Proposed:
    """Give a proposal, and what became of it."""
    means = meaning_of(view.proposal.payload).target
    by = f" by {view.ended_by}" if view.ended_by else f" by {view.second}" if view.second else ""
    return Proposed(
        id=str(view.proposal.id),
        means=f"{means.display} ({means.code})",
        by=view.proposal.by,
        at=clock_time(view.proposal.at),
        reason=inert(view.proposal.reason),
        state=f"{PROPOSAL_WORDS[view.state]}{by}",
        outcome=inert(view.outcome),
    )


def read_again(view: RereadView, *, readable: bool) -> Read:
    """Give what became of one order that was read again."""
    outcome = view.outcome
    if view.state is RereadState.RELEASED:
        outcome = LABELS[LineState(view.outcome)]
    return Read(
        href=f"/console/prescriptions/{view.prescription_id}" if readable else "",
        reference=reference(view.prescription_id),
        state=OUTCOMES[view.state],
        outcome=outcome,
        at=clock_time(view.ended_at or view.asked_at),
    )


def effect(tried: Tried) -> Effect:
    """Give one message before and after an entry."""
    before, after = tried.before, tried.after
    states = ", ".join(dict.fromkeys(LABELS[line.state] for line in before.lines))
    order = after.order
    return Effect(
        reference=reference(before.prescription_id),
        received=short_time(before.written.submission.received_at),
        before=f"{states}. {_held_for(before.issues)}",
        after=_after(tried),
        lines=_lines(order.prescription if order else None),
        changes=not after.held_for and bool(order),
    )


def _after(tried: Tried) -> str:
    held = tried.after.held_for
    if tried.after.order is None:
        return f"It could not be read: {in_words(held) or 'its order is not found in it.'}"
    if held:
        return f"Still held. {in_words(held)}"
    if not any(line.state is LineState.HELD for line in tried.before.lines):
        return "Nothing holds it. It is not held any more, and is not read again"
    provider = tried.after.order.provider
    first = "the trust's pharmacist for the check, then to " if tried.checked_first else ""
    return f"Nothing holds it: it would go to {first}{provider.name if provider else 'its provider'}"


def _held_for(issues: Sequence[Issue]) -> str:
    codes = dict.fromkeys(issue.code for issue in issues if issue.effect.value.startswith("hold"))
    return in_words(codes) or "Nothing holds it"


def _lines(prescription: Prescription | None) -> tuple[str, ...]:
    """Say what each line would be: the product, the prescriber's words, the quantity. No patient."""
    return tuple(_line(line) for line in prescription.lines) if prescription else ()


def _line(line: Line) -> str:
    words = " ".join(dosage.text for dosage in line.dosages if dosage.text) or "no words"
    quantity = amount_words(f"{lexeme(line.quantity.value)} {line.quantity.unit.display or line.quantity.unit.code}")
    return f"{line.product.display}: {words}; {quantity} each supply"
