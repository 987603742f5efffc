"""What stands on top of a prescription's page, in words: now, next, patient, if stuck (sections: `sections`).

Source: console.md 4, 6.3, 11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.console.late_words import unsent_words
from gateway.console.pages import named
from gateway.console.prescription.grade import Graded, graded
from gateway.console.searching.results import GENDERS, Banner, address_words, restricted_words
from gateway.console.site import Names
from gateway.console.words import (
    CANCELS,
    LONDON,
    Shown,
    born,
    clock_time,
    day,
    days,
    inert,
    line_shown,
    nhs_number,
    short_time,
    they_said,
    when,
)
from gateway.domain.cancel import CancelState
from gateway.domain.cover import Cover, Grade
from gateway.domain.custody import Holder
from gateway.domain.delivery import DeliveryState
from gateway.domain.held_advice import held_advice, holding_codes
from gateway.domain.labels import Held, held_as
from gateway.domain.lifecycle import TERMINAL, Actor, LineEvent, LineState
from gateway.domain.restricted import labels
from gateway.domain.work_item import INCIDENTS, settled
from gateway.enquiries import EventView, LineView, PrescriptionView
from gateway.ports.dossier import Dossier
from gateway.ports.late import Awaits
from gateway.ports.stated import PaperAwaited

_SHOWN_CANCELS: Final = frozenset({CancelState.ASKED, CancelState.PENDING, CancelState.TOO_LATE})
S = LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverShown:
    """How much medicine the patient has, in words, with the sum.

    Attributes:
        urgent: it is not known, or ends within a week: a person should ask.
        sum: rows of the sum, each with its days.
    """

    words: str
    known: str
    urgent: bool
    sum: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """Where one line is.

    Attributes:
        cancel: beside the state, while a cancel is not confirmed.
        as_of: when it came into its state, and how that is known.
        next: what is awaited; `owner`: of whom; `due`: by when.
        stuck: whom to ring and what to quote.
    """

    anchor: str
    product: str
    state: Shown
    cancel: Shown | None
    sentence: str
    as_of: str
    known: Graded | None
    evidence: str
    next: str
    owner: str
    due: str
    overdue: bool
    cover: CoverShown | None
    stuck: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What the parts of the page are made from, and for whom.

    Attributes:
        covers: how long the medicine of each line lasts.
        phones: of providers, as configured.
        paper: where the paper original stands; None where none follows, or it is not theirs to see.
        supplies: whoever looks is of the provider: what they have to do is not said as to the trust.
    """

    view: PrescriptionView
    dossier: Dossier
    covers: Mapping[UUID, Cover]
    phones: Mapping[str, str]
    names: Names
    now: datetime
    paper: PaperAwaited | None = None
    supplies: bool = False

    @property
    def trust(self) -> str:
        """Whose prescription it is."""
        return named(self.view.found.tenant, self.names)

    @property
    def provider(self) -> str:
        """Who has it, or is to have it."""
        return named(self.view.found.destination, self.names)

    def evidence(self, seq: int) -> str:
        """Give the address of what an event rests on."""
        return f"/console/prescriptions/{self.view.found.prescription_id}/evidence/{seq}"


def banner(behind: Behind) -> Banner:
    """Give who the patient is; no address where the record asks for more care."""
    view, document = behind.view, behind.dossier.document
    places = labels(view.issues)
    where = document.patient.address if document and not places else None
    return Banner(
        name=inert(view.patient_name) or "Patient not read",
        gender=GENDERS[document.patient.gender] if document else "",
        born=born(view.birth_date, behind.now),
        nhs_number=nhs_number(view.nhs_number) or "not read",
        digits=view.nhs_number,
        address=address_words(where) if where else "",
        restricted=restricted_words(places) if places else "",
    )


def lines(behind: Behind) -> tuple[LineShown, ...]:
    """Give where each line is."""
    held = held_as(behind.view.issues)
    return tuple(_line(number, line, behind, held) for number, line in enumerate(behind.view.lines, start=1))


def _line(number: int, line: LineView, behind: Behind, held: Held | None) -> LineShown:
    shown = line_shown(line.state, held=held, made=line.delivered, total=line.total_supplies)
    cancel = cancel_of(line, behind)
    asked = CANCELS[cancel] if cancel in _SHOWN_CANCELS and line.state not in TERMINAL else None
    latest = latest_move(line, behind.view.events)
    known = graded(latest, behind.dossier) if latest else None
    return LineShown(
        anchor=f"line-{number}",
        product=inert(line.product) or "The medicine could not be read",
        state=shown,
        cancel=asked,
        sentence=f"{asked.sentence} {shown.sentence}" if asked else _sentence(line, shown, behind),
        as_of=f"{short_time(latest.at)}, {when(latest.at, behind.now)}" if latest else "",
        known=known,
        evidence=behind.evidence(latest.seq) if latest else "",
        next=_next(line, behind, asked=asked is not None),
        owner=_owner(line, behind),
        due=f"{short_time(line.act_by)}, {when(line.act_by, behind.now)}" if line.act_by else "",
        overdue=line.act_by is not None and line.act_by <= behind.now and line.state not in TERMINAL,
        cover=_cover(behind.covers.get(line.line_id), behind.now),
        stuck=_stuck(line, behind),
    )


def cancel_of(line: LineView, behind: Behind) -> CancelState:
    """Give where the cancel of a line stands."""
    return behind.dossier.cancels.get(line.line_id, CancelState.NONE)


def latest_move(line: LineView, events: Sequence[EventView]) -> EventView | None:
    """Give the event that brought a line where it is; the last one that says so where none moved it."""
    there = [event for event in events if event.line_id == line.line_id and event.state_after == line.state.value]
    entered = [event for event in there if event.state_before != event.state_after]
    return next(reversed(entered or there), None)


def _sentence(line: LineView, shown: Shown, behind: Behind) -> str:
    if line.state is S.CANCELLED:
        return _cancelled(latest_move(line, behind.view.events), behind) or shown.sentence
    if line.state is S.PART_SUPPLIED:
        made = [one for one in line.deliveries if one.owed]
        due = next((one.agreed_for or one.due_on for one in made if one.agreed_for or one.due_on), None)
        return f"{shown.sentence} {f'Due {day(due)}.' if due else 'No day for the rest is known.'}"
    if line.state in {S.REJECTED, S.RETURNED, S.QUERIED}:
        latest = latest_move(line, behind.view.events)
        facts = behind.dossier.events.get(latest.seq) if latest else None
        said = "; ".join(filter(None, (facts.reason_code, facts.reason))) if facts else ""
        return they_said(said, shown.sentence)
    return shown.sentence


def _cancelled(latest: EventView | None, behind: Behind) -> str:
    """Say who confirmed the cancel, or that there was nobody to ask; empty where that is not known."""
    if latest is None:
        return ""
    if latest.event in _NEVER_LEFT:
        return "It never left us: no provider has to confirm it."
    facts = behind.dossier.events.get(latest.seq)
    if latest.actor != Actor.PROVIDER_SYSTEM or facts is None or facts.provider is None:
        return ""
    return f"{named(facts.provider, behind.names)} confirmed it at {clock_time(latest.at)}."


def _next(line: LineView, behind: Behind, *, asked: bool) -> str:
    trust, provider = behind.trust, behind.provider
    if asked:
        too_late = cancel_of(line, behind) is CancelState.TOO_LATE
        return (_TOO_LATE if too_late else _TO_SAY if behind.supplies else _ASKED).format(
            trust=trust, provider=provider
        )
    if line.state in _NOTHING_AWAITED and (waits := _still_waits(line, behind)):
        return waits
    if line.state is S.HELD:
        return held_advice(holding_codes(behind.view.issues)).next.format(trust=trust)
    if line.state in {S.IN_SUPPLY, S.VALIDATED} and (delivery := _delivery(line, behind)):
        return delivery
    awaits = _awaits(line, behind)
    said = (_AWAITED[awaits] if awaits else _NEXT[line.state]).format(trust=trust, provider=provider)
    if line.line_id in behind.dossier.unsent:
        return f"{said} {unsent_words(behind.dossier.unsent[line.line_id], behind.now)}"
    return said


def _awaits(line: LineView, behind: Behind) -> Awaits | None:
    """Give what must end before a line that is ready may leave; None where nothing must."""
    unsent = behind.dossier.unsent.get(line.line_id)
    return unsent.awaits if unsent is not None else None


def _delivery(line: LineView, behind: Behind) -> str:
    """Say which delivery is awaited: the day of one that failed, or that has passed, is no day to wait for."""
    today = behind.now.astimezone(LONDON).date()
    open_ones = [one for one in line.deliveries if one.state not in _OVER]
    if any(one.state is DeliveryState.FAILED for one in open_ones):
        return f"{behind.provider} to agree a new day: a delivery failed. Ring them if you hear of none."
    upcoming = min((on for one in open_ones if (on := one.agreed_for or one.due_on)), default=None)
    if upcoming is None:
        return ""
    if upcoming < today:
        return f"{behind.provider} to say what became of the delivery of {day(upcoming)}: nothing was heard of it."
    return f"{behind.provider} to deliver on {day(upcoming)}."


def _still_waits(line: LineView, behind: Behind) -> str:
    """Say that somebody is needed though the line itself awaits nothing; empty where nobody is."""
    kinds = [one.kind for one in behind.view.alerts if one.line_id == line.line_id and one.closed_at is None]
    if not INCIDENTS.isdisjoint(kinds):
        return "A safety incident is open: somebody to see to it now. What to do stands under Alerts."
    if any(not settled(kind, line.state) for kind in kinds):
        return "No supply is awaited, but an alert is open: somebody to see to it. What to do stands under Alerts."
    return ""


_OVER: Final = frozenset(
    {DeliveryState.DELIVERED, DeliveryState.NOT_SUPPLIED, DeliveryState.WITHDRAWN, DeliveryState.RESCUED}
)
_ASKED: Final = "{provider} to say whether it is cancelled. Ring them: it is not cancelled."
_TO_SAY: Final = "{provider} to say whether it is cancelled: answer it in your system. Until then it is not cancelled."
_TOO_LATE: Final = "{trust} to reach the patient: they say that it was supplied, and it is not cancelled."
_NOTHING_AWAITED: Final = frozenset({S.FULFILLED, *TERMINAL})
_AWAITED: Final[Mapping[Awaits, str]] = {
    Awaits.RULING: "{trust} to decide whether it is sent as well.",
    Awaits.CANCEL: "The cancel of the order that it replaces to be confirmed. Then we send it to {provider}.",
}
_NEVER_LEFT: Final = frozenset({LineEvent.CANCEL.value, LineEvent.TOMBSTONE_CANCEL.value})
_NEXT: Final[dict[LineState, str]] = {
    S.RECEIVED: "We finish checking it.",
    S.AWAITING_SCREENING: "A pharmacist of {trust} to check it.",
    S.READY: "We send it to {provider}.",
    S.UNDELIVERABLE: "{trust} to decide: send it again, choose another provider, or close it.",
    S.SENT: "The system of {provider} to answer.",
    S.UNCERTAIN: "Ask {provider} whether they have it, and log what they say.",
    S.WITH_PROVIDER: "{provider} to accept it.",
    S.ACCEPTED: "The pharmacist of {provider} to check it.",
    S.VALIDATED: "{provider} to book the first delivery.",
    S.QUERIED: "{trust} to answer the question of {provider}.",
    S.IN_SUPPLY: "{provider} to make the next delivery. No day is known.",
    S.PART_SUPPLIED: "{provider} to supply the rest.",
    S.ON_HOLD: "{trust} to release it, or to cancel it.",
    S.REJECTED: "{trust} to act: correct it, choose another provider, or close it.",
    S.RETURNED: "{trust} to act: correct it, choose another provider, or close it.",
    **dict.fromkeys(_NOTHING_AWAITED, "Nothing is awaited."),
}


def _owner(line: LineView, behind: Behind) -> str:
    too_late = cancel_of(line, behind) is CancelState.TOO_LATE and line.state not in TERMINAL
    if too_late or (line.state in _NOTHING_AWAITED and _still_waits(line, behind)):
        return behind.trust
    if line.state is S.HELD:
        return held_advice(holding_codes(behind.view.issues)).owner.format(trust=behind.trust)
    if _awaits(line, behind) is Awaits.RULING:
        return behind.trust
    if _awaits(line, behind) is Awaits.CANCEL:
        return "Whoever has the order that it replaces"
    if line.holder not in set(Holder):
        return line.holder
    return {
        Holder.TRUST: behind.trust,
        Holder.PROVIDER: behind.provider,
        Holder.GATEWAY: "This gateway",
        Holder.NOBODY: "Nobody",
    }[Holder(line.holder)]


def _cover(cover: Cover | None, now: datetime) -> CoverShown | None:
    if cover is None:
        return None
    today = now.astimezone(LONDON).date()
    left = cover.days_left(today)
    if left is None or cover.ends_on is None:
        return CoverShown(words=f"Not known how much is at home: {cover.why}.", known=str(Grade.UNKNOWN), urgent=True)
    if not left:
        words = f"None at home since {day(cover.ends_on)}, if taken as prescribed."
    else:
        words = f"About {days(left)} at home. Without medicine from {day(cover.ends_on)}."
    return CoverShown(
        words=words,
        known=str(cover.grade),
        urgent=left <= _WEEK,
        sum=tuple((term.words, f"{term.days:+d}") for term in cover.sum_on(today)),
    )


_WEEK: Final = 7
_NOT_THERE: Final = frozenset({S.RECEIVED, S.HELD, S.AWAITING_SCREENING, S.READY, S.UNDELIVERABLE})
"""Where no provider has a line: one that is chosen for it knows nothing of it."""


def _stuck(line: LineView, behind: Behind) -> str:
    number = behind.view.found.number
    document = behind.dossier.document
    ordered = next((one for one in document.lines if one.id == line.line_id), None) if document else None
    quote = ordered.provider_order_number if ordered else ""
    said = inert(quote or number or line.order_number)
    if behind.supplies:
        return f"No telephone number of {behind.trust} is known here. When you ring them, quote {said}."
    holder = behind.view.found.destination
    phone = behind.phones.get(holder.value, "") if holder else ""
    ring = f"Ring {phone} and" if phone else f"No telephone number of {behind.provider} is configured. When you ring,"
    if not holder:
        return f"No provider was chosen. Quote {said or behind.view.control_id} to the trust."
    if line.state in _NOT_THERE:
        ours = line.holder == Holder.GATEWAY and _awaits(line, behind) is not Awaits.RULING
        here = "whoever operates this gateway" if ours else behind.trust
        return f"{behind.provider} does not have it: do not ring them. Quote {said} to {here}."
    order = f", order {inert(line.order_number)}" if line.order_number and line.order_number != said else ""
    return f"{ring} quote {said}{order}."
