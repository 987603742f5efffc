"""Why something waits for a person, what the next step is, and in which order things are to be worked.

Every kind of alert is here for one reason, and an overdue line for the reason of the state it stands in. The order is
by harm: incidents first; then *slack*, the days of medicine left less the days that getting a supply there takes, where
unknown counts as none; then the risk of the medicine; then age. Where harm does not come from running out (a supply
that should not be made, a machine that stands still) the slack is what is left of the usual limit.

Source: console.md 6.1 (reasons, limits, order); issue 6.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.alert import Acts, Soon
from gateway.domain.alert_kinds import ALERT_KINDS, about
from gateway.domain.deadline import Urgency
from gateway.domain.issue import CODES, Effect
from gateway.domain.labels import OWN_FAULTS, WANTS_RELEASE
from gateway.domain.lifecycle import TERMINAL, LineState

LEAD_TIME: Final = timedelta(days=5)
"""What a provider needs from the moment it can act until the medicine is at the door, where no more is known of it."""


class Step(StrEnum):
    """The next step: where the row's button leads. The console has a page for each."""

    INCIDENT = "Open incident"
    CALL = "Ring provider, log answer"
    STATEMENT = "Ask provider for a statement"
    SEE_REASON = "See reason"
    ATTEMPTS = "See attempts"
    WHAT_IS_WRONG = "See what is wrong"
    RESOLVE_CODE = "Resolve code"
    ANSWER = "Answer"
    REMIND = "Send reminder"
    CHECK = "Check"
    DELIVERY = "See delivery"
    ASK_PROVIDER = "Ask provider"
    ASK_PRESCRIBER = "Ask prescriber"
    REGISTER = "Register the paper"
    EVIDENCE = "See evidence"
    RULE = "Decide"
    LOOK = "See what to do"


class Reason(StrEnum):
    """Why a row is on the list, in the words of the list."""

    INCIDENT = "Supply that should not have been made"
    CANCEL_UNCONFIRMED = "Cancel not confirmed"
    HOLD_UNCONFIRMED = "Hold or release not confirmed"
    IN_DOUBT = "Not known if it arrived"
    REJECTED = "Rejected or returned"
    RULING = "Changed order waits for a decision"
    NOT_SENT = "Could not be sent"
    NOT_YET_SENT = "Not sent yet"
    HELD_SOURCE = "Held: the trust must correct it"
    HELD_CODE = "Held: unknown code"
    HELD_RELEASE = "Held: not in our dm+d release"
    QUESTION = "Provider has a question"
    NO_ACCEPTANCE = "No acceptance"
    SCREENING = "Waiting for pharmacist check"
    BALANCE = "Balance owed"
    DELIVERY_FAILED = "Delivery failed"
    NO_DELIVERY = "No delivery booked, cover ending"
    PROVIDER_LATE = "Provider has not gone on"
    RENEWAL = "Renewal due"
    PAPER = "Paper original not registered"
    SIGNATURE = "Signature or certificate doubt"
    REROUTE = "Re-route not finished"
    ENDED = "Prescription ended early"
    TO_TELL = "Somebody has not been told"
    PATIENT = "Patient's details changed"
    ANSWER_UNCLEAR = "Provider's answer not clear"
    NOT_TAKEN = "Message from the trust not taken"
    BOOKS = "Books do not agree"
    MACHINE = "The gateway itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """What holds of a reason.

    Attributes:
        owner: who is to act, in words.
        step: the next step.
        limit: how long it may wait, for routine lines.
        urgent: the same for urgent ones.
        runs_out: harm comes from running out, so that days of medicine left measure it.
    """

    owner: str
    step: Step
    limit: timedelta
    urgent: timedelta
    runs_out: bool = True

    def limit_of(self, urgency: Urgency) -> timedelta:
        """Give how long it may wait."""
        return self.urgent if urgency is Urgency.URGENT else self.limit


_MIN, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_PHARMACIST: Final = "trust pharmacist"


def _row(
    owner: str, step: Step, limit: timedelta, urgent: timedelta | None = None, *, runs_out: bool = True
) -> ReasonRow:
    return ReasonRow(owner=owner, step=step, limit=limit, urgent=urgent or limit, runs_out=runs_out)


R = Reason

REASONS: Final[Mapping[Reason, ReasonRow]] = {
    R.INCIDENT: _row("trust pharmacist and safety officer", Step.INCIDENT, timedelta(0), runs_out=False),
    R.CANCEL_UNCONFIRMED: _row(_PHARMACIST, Step.CALL, 2 * _HOUR, 15 * _MIN, runs_out=False),
    R.HOLD_UNCONFIRMED: _row(_PHARMACIST, Step.CALL, 2 * _HOUR, 15 * _MIN, runs_out=False),
    R.IN_DOUBT: _row("gateway operator, then trust", Step.STATEMENT, 4 * _HOUR, 15 * _MIN),
    R.REJECTED: _row(_PHARMACIST, Step.SEE_REASON, _DAY, 2 * _HOUR),
    R.RULING: _row(_PHARMACIST, Step.RULE, _DAY, 2 * _HOUR),
    R.NOT_SENT: _row("gateway operator", Step.ATTEMPTS, 15 * _MIN),
    R.NOT_YET_SENT: _row("gateway operator", Step.ATTEMPTS, 15 * _MIN),
    R.HELD_SOURCE: _row("trust", Step.WHAT_IS_WRONG, _DAY, 2 * _HOUR),
    R.HELD_CODE: _row("map approvers", Step.RESOLVE_CODE, _DAY),
    R.HELD_RELEASE: _row("gateway operator, or trust", Step.WHAT_IS_WRONG, _DAY),
    R.QUESTION: _row(_PHARMACIST, Step.ANSWER, _DAY),
    R.NO_ACCEPTANCE: _row("provider, chased by trust", Step.REMIND, _DAY, 2 * _HOUR),
    R.SCREENING: _row(_PHARMACIST, Step.CHECK, _DAY),
    R.BALANCE: _row("provider", Step.DELIVERY, _DAY),
    R.DELIVERY_FAILED: _row("provider", Step.DELIVERY, _DAY),
    R.NO_DELIVERY: _row("provider", Step.ASK_PROVIDER, _DAY),
    R.PROVIDER_LATE: _row("provider, chased by trust", Step.REMIND, _DAY, 2 * _HOUR),
    R.RENEWAL: _row("prescriber", Step.ASK_PRESCRIBER, 7 * _DAY),
    R.PAPER: _row(_PHARMACIST, Step.REGISTER, _DAY, runs_out=False),
    R.SIGNATURE: _row("gateway operator and trust", Step.EVIDENCE, timedelta(0)),
    R.REROUTE: _row(_PHARMACIST, Step.CALL, 4 * _HOUR),
    R.ENDED: _row(_PHARMACIST, Step.ASK_PRESCRIBER, _DAY),
    R.TO_TELL: _row(_PHARMACIST, Step.CALL, _DAY, 2 * _HOUR, runs_out=False),
    R.PATIENT: _row(_PHARMACIST, Step.LOOK, _DAY, runs_out=False),
    R.ANSWER_UNCLEAR: _row("gateway operator", Step.EVIDENCE, _DAY, 2 * _HOUR),
    R.NOT_TAKEN: _row("supplier of the trust's system", Step.LOOK, _DAY, 2 * _HOUR),
    R.BOOKS: _row("gateway operator", Step.LOOK, _DAY),
    R.MACHINE: _row("gateway operator", Step.LOOK, _DAY, runs_out=False),
}
"""Every reason, with the default limits of console.md 6.1."""

SHOWN_TO_PROVIDERS: Final = frozenset(
    {
        R.CANCEL_UNCONFIRMED,
        R.HOLD_UNCONFIRMED,
        R.IN_DOUBT,
        R.QUESTION,
        R.NO_ACCEPTANCE,
        R.PROVIDER_LATE,
        R.BALANCE,
        R.DELIVERY_FAILED,
        R.NO_DELIVERY,
    }
)
"""What the provider of a line is asked, owes or can answer. All else is between others, and its words may name them."""

OF_STATE: Final[Mapping[LineState, Reason]] = {
    LineState.HELD: R.HELD_SOURCE,
    LineState.AWAITING_SCREENING: R.SCREENING,
    LineState.RECEIVED: R.NOT_YET_SENT,
    LineState.READY: R.NOT_YET_SENT,
    LineState.UNDELIVERABLE: R.NOT_SENT,
    LineState.SENT: R.NO_ACCEPTANCE,
    LineState.UNCERTAIN: R.IN_DOUBT,
    LineState.WITH_PROVIDER: R.NO_ACCEPTANCE,
    LineState.ACCEPTED: R.PROVIDER_LATE,
    LineState.VALIDATED: R.PROVIDER_LATE,
    LineState.QUERIED: R.QUESTION,
    LineState.IN_SUPPLY: R.PROVIDER_LATE,
    LineState.PART_SUPPLIED: R.BALANCE,
    LineState.ON_HOLD: R.HOLD_UNCONFIRMED,
    LineState.REJECTED: R.REJECTED,
    LineState.RETURNED: R.REJECTED,
    LineState.FULFILLED: R.PROVIDER_LATE,
    LineState.EXPIRED: R.ENDED,
}
"""Why a line in a state needs somebody when its time is over; what is at another end needs nobody. What was late and is
supplied now is here for what was late."""
_WITHOUT_LIMIT: Final = frozenset({LineState.FULFILLED, *TERMINAL} - {LineState.EXPIRED})
"""States in which nothing can be late any more; one that expired with supplies to come still needs somebody."""

_OF_KIND: Final[Mapping[Reason, str]] = {
    R.INCIDENT: "safety-incident delivery-under-way holding-elsewhere released-expired",
    R.CANCEL_UNCONFIRMED: "cancel-not-sent cancel-overdue cancel-pending cancel-too-late cancel-last-delivered"
    " cancel-unknown cancel-by-other cancel-reply-error cancel-order-unknown patient-died act-lost",
    R.HOLD_UNCONFIRMED: "hold-not-sent hold-overdue hold-refused hold-reply-error release-not-sent release-overdue"
    " release-refused",
    R.IN_DOUBT: "line-uncertain holding-missing",
    R.REJECTED: "line-rejected line-returned",
    R.RULING: "change-awaits-ruling",
    R.NOT_SENT: "line-undeliverable transmission-blocked transmission-stuck message-invalid",
    R.NOT_YET_SENT: "line-ready line-received",
    R.HELD_SOURCE: "line-held",
    R.QUESTION: "line-queried",
    R.NO_ACCEPTANCE: "line-sent line-with-provider acceptance-missing",
    R.SCREENING: "line-awaiting-screening",
    R.BALANCE: "line-part-supplied balance-will-not-come",
    R.DELIVERY_FAILED: "delivery-failed issue-not-supplied",
    R.NO_DELIVERY: "cover-ending",
    R.PROVIDER_LATE: "line-accepted line-validated line-in-supply line-on-hold",
    R.RENEWAL: "renewal-requested",
    R.PAPER: "paper-overdue",
    R.REROUTE: "reroute-waits reroute-overdue reroute-unfinished reroute-stopped",
    R.ENDED: "line-expired validity-over cancelled-on-arrival",
    R.TO_TELL: "tell-stuck answer-not-told rescue-not-told",
    R.PATIENT: "patient-merged patient-updated",
    R.ANSWER_UNCLEAR: "answer-not-understood answer-unread answer-id-reused answer-unbound answer-wrong-provider"
    " answer-takes-back answer-unexpected",
    R.NOT_TAKEN: "submission-unreadable submission-clash message-lost",
    R.BOOKS: "books-out lists-differ restored holding-unknown holding-differs",
    R.MACHINE: "watch-stopped clock-jumped room-low notice-not-delivered reference-old partner-unknown"
    " partner-closed calendar-ends certificate-ends outage-near",
}
KINDS: Final[Mapping[str, Reason]] = {kind: why for why, kinds in _OF_KIND.items() for kind in kinds.split()}
"""The reason of every kind of alert but `overdue`, whose reason is that of the state."""

_UNVERIFIED: Final = "SIGNATURE_UNVERIFIED"

OPERATOR: Final = "gateway operator"
"""How the owner of what whoever runs the gateway must act on begins."""


def is_tended(kind: str) -> bool:
    """Tell whether whoever runs the gateway sees alerts of a kind: its people are told of them, or own their cause."""
    why = KINDS.get(kind)
    return about(kind).acts is not Acts.PHARMACIST or (why is not None and REASONS[why].owner.startswith(OPERATOR))


INCIDENTS: Final = frozenset(kind for kind, why in KINDS.items() if why is R.INCIDENT)
"""Kinds that come before everything else."""

_TENDED: Final = [kind for kind in ALERT_KINDS if is_tended(kind)]
TENDED: Final[tuple[tuple[str, ...], ...]] = (
    tuple(kind for kind in _TENDED if kind in INCIDENTS),
    *(tuple(kind for kind in _TENDED if kind not in INCIDENTS and about(kind).soon is soon) for soon in Soon),
)
"""The kinds that whoever runs the gateway sees: incidents, then by how soon somebody must act."""

SILENT: Final = frozenset({R.NO_ACCEPTANCE, R.IN_DOUBT, R.NOT_SENT, R.NOT_YET_SENT})
"""Reasons that a provider whose system does not answer causes for every line it has, at once."""


def reason_of(kind: str, state: LineState | None = None, held_for: Collection[str] = ()) -> Reason:
    """Give the one reason for which an alert is on the list.

    Args:
        kind: of the alert; one that another version opened is the gateway's own matter.
        state: where its line stands now; None where it is about no line.
        held_for: codes of the issues for which its line is held.
    """
    found = KINDS.get(kind)
    if found is None and kind == "overdue" and state is not None:
        found = OF_STATE.get(state, R.ENDED)
    return _held(held_for) if found is R.HELD_SOURCE else found or R.MACHINE


def _held(codes: Collection[str]) -> Reason:
    if _UNVERIFIED in codes:
        return R.SIGNATURE
    if codes and OWN_FAULTS.issuperset(codes):
        return R.NOT_SENT  # what we wrote fails our own check: whoever runs the gateway acts
    unknown = [code in CODES and CODES[code].effect is Effect.HOLD_MAP for code in codes]
    if not unknown or not all(unknown):
        return R.HELD_SOURCE
    return R.HELD_RELEASE if WANTS_RELEASE & set(codes) else R.HELD_CODE


def settled(kind: str, state: LineState) -> bool:
    """Tell whether an alert of a state has nothing left to say: its line has moved on. Only a person closes it."""
    if kind == "overdue":
        return state in _WITHOUT_LIMIT
    named = kind.removeprefix("line-").replace("-", "_").upper()
    return kind.startswith("line-") and named in set(LineState) and named != state.value


def measures_slack(reason: Reason) -> bool:
    """Tell whether the days of medicine left say how long it may wait."""
    return REASONS[reason].runs_out


def last_day(ends_on: date | None, lead: timedelta = LEAD_TIME) -> date | None:
    """Give the last day on which acting is early enough: when the medicine ends, less the time that a supply takes."""
    return None if ends_on is None else ends_on - lead


def slack(last: date | None, today: date) -> int:
    """Give the days left to act; what is not known counts as none left (console.md 6.1)."""
    return 0 if last is None else (last - today).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides where a row stands on the list.

    Attributes:
        incident: it comes before all that is none.
        last_day: the last day on which acting is early enough; None where that is not known, or says nothing.
        risk: rank of the medicine's class, smaller first.
        since: when it began to wait.
        number: of the row, so that the order is total.
    """

    incident: bool
    last_day: date | None
    risk: int
    since: datetime
    number: int = 0

    def place(self, today: date) -> tuple[int, int, int, datetime, int]:
        """Give what to sort by, most dangerous first."""
        return (not self.incident, slack(self.last_day, today), self.risk, self.since.astimezone(UTC), self.number)


def risk_of(kind: str, medicine_rank: int) -> int:
    """Give the rank of a row among those of equal slack: what the whole gateway waits for now, before any medicine."""
    row = about(kind)
    return 0 if KINDS.get(kind) in {R.MACHINE, R.BOOKS} and row.soon is Soon.NOW else medicine_rank
