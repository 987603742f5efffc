"""The lifecycle of one line: the one table of states, events, who may cause them, and who holds it by when.

The store appends events and moves states only through `transition`; the database check, the diagram in ARCHITECTURE.md
and the console's words are made from this table (D11). A supply, a refusal and a cancel are facts of the provider or
the trust, never of the gateway; a time-out moves nothing to safety, only to *uncertain*.

Source: mapping.md 10.2 and 10.5; reliability-security.md I2, I3, I13.
"""

from dataclasses import dataclass
from enum import StrEnum


class LineState(StrEnum):
    """Where one line stands. A person reads the words of `LABELS`, not these."""

    RECEIVED = "RECEIVED"
    REFUSED = "REFUSED"
    HELD = "HELD"
    AWAITING_SCREENING = "AWAITING_SCREENING"
    READY = "READY"
    UNDELIVERABLE = "UNDELIVERABLE"
    SENT = "SENT"
    UNCERTAIN = "UNCERTAIN"
    WITH_PROVIDER = "WITH_PROVIDER"
    ACCEPTED = "ACCEPTED"
    VALIDATED = "VALIDATED"
    QUERIED = "QUERIED"
    IN_SUPPLY = "IN_SUPPLY"
    PART_SUPPLIED = "PART_SUPPLIED"
    FULFILLED = "FULFILLED"
    ON_HOLD = "ON_HOLD"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


class Actor(StrEnum):
    """Who may cause an event (mapping.md 10.1)."""

    PRESCRIBER = "TP"
    TRUST_PHARMACIST = "TPh"
    GATEWAY = "GW"
    PROVIDER_SYSTEM = "PS"
    PROVIDER_PHARMACIST = "PP"
    MAP_APPROVERS = "MAP"
    OPERATOR = "OP"
    TWO_PEOPLE = "OP2"
    CLOCK = "CK"


class LineEvent(StrEnum):
    """What can happen to a line. Provider events keep the names of mapping.md 9.3."""

    REFUSE = "refuse"
    HOLD_BACK = "hold_back"
    WANT_SCREENING = "want_screening"
    CLEAR = "clear"
    TOMBSTONE_CANCEL = "tombstone_cancel"
    MAP_APPROVED = "map_approved"
    CORRECTED = "corrected"
    CANCEL = "cancel"
    SCREENING_FAILED = "screening_failed"
    ON_WIRE = "on_wire"
    RETRIES_SPENT = "retries_spent"
    SENT_AGAIN = "sent_again"
    NOT_STORED = "not_stored"
    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    NOTHING_DECISIVE = "nothing_decisive"
    VERBATIM_RETRY = "verbatim_retry"
    NEVER_HAD_IT = "never_had_it"
    REJECTED = "rejected"
    REFUSED_FORMAT = "refused_format"
    QUERIED = "queried"
    ANSWERED = "answered"
    VALIDATED = "validated"
    RETURNED = "returned"
    SUPPLY_PLANNED = "supply_planned"
    POSTPONED = "postponed"
    """The patient asked for a later day; the first day that was agreed is kept."""
    DISPENSING_STARTED = "dispensing_started"
    DISPENSED = "dispensed"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    LAST_DELIVERED = "last_delivered"
    DELIVERY_FAILED = "failed"
    SUPPLY_SHORT = "supply_short"
    BALANCE_SUPPLIED = "balance_supplied"
    BALANCE_WILL_NOT_COME = "balance_will_not_come"
    NOT_SUPPLIED = "not_supplied"
    SUPPLY_WITHDRAWN = "supply_withdrawn"
    BALANCE_WITHDRAWN = "balance_withdrawn"
    """A withdrawn report that was of a balance: the rest is owed again. Never said by a provider; read from history."""
    WINDOW_OVER = "window_over"
    HOLD_ASKED = "hold_asked"
    HOLD_CONFIRMED = "hold_confirmed"
    HOLD_REFUSED = "hold_refused"
    RELEASE_ASKED = "release_asked"
    RELEASE_CONFIRMED = "release_confirmed"
    RELEASE_REFUSED = "release_refused"
    HOLD_REPLY_ERROR = "hold_reply_error"
    REROUTE = "reroute"
    REVOKED_FOR_REROUTE = "revoked_for_reroute"
    REPLACED = "replaced"
    CLOSE = "close"
    VALIDITY_OVER = "validity_over"
    RENEWAL_REQUESTED = "renewal_requested"
    RENEWAL_PASSED_ON = "renewal_passed_on"
    RENEWAL_APPROVED = "renewal_approved"
    RENEWAL_DECLINED = "renewal_declined"
    RENEWAL_LAPSED = "renewal_lapsed"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_CONFIRMED = "cancel_confirmed"
    CANCEL_TOO_LATE = "cancel_too_late"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_UNKNOWN = "cancel_unknown"
    CANCEL_BY_OTHER = "cancel_by_other"
    CANCEL_REPLY_ERROR = "cancel_reply_error"


S = LineState


E = LineEvent


A = Actor


TERMINAL = frozenset({S.REFUSED, S.CANCELLED, S.SUPERSEDED, S.EXPIRED, S.CLOSED})
"""States that absorb: a later event is an annotation and an alert (I13)."""


LIVE = frozenset(
    {
        S.READY,
        S.SENT,
        S.UNCERTAIN,
        S.WITH_PROVIDER,
        S.ACCEPTED,
        S.VALIDATED,
        S.QUERIED,
        S.IN_SUPPLY,
        S.PART_SUPPLIED,
        S.ON_HOLD,
    }
)
"""States in which a provider may supply or be asked to; at most one allocation of a line is in them (I2)."""


HAS_HOLDER = LIVE | {S.FULFILLED}
"""States that keep the allocation: a fulfilled line may still turn out not to be (supply withdrawn)."""


BEFORE = "state before"
"""Next state of a row that returns the line to where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arrow of the diagram: in any of `states`, `event` by any of `actors` leads to one of `to`.

    Attributes:
        to: the next state, or `BEFORE`. More than one only where `note` says how the choice is made.
        note: the condition, in words.
    """

    states: frozenset[LineState]
    event: LineEvent
    to: LineState | str
    actors: frozenset[Actor]
    note: str = ""


def _row(
    states: tuple[LineState, ...], event: LineEvent, to: LineState | str, actors: tuple[Actor, ...], note: str = ""
) -> Row:
    return Row(states=frozenset(states), event=event, to=to, actors=frozenset(actors), note=note)


_HELD_BY_PROVIDER = (S.WITH_PROVIDER, S.ACCEPTED, S.VALIDATED, S.IN_SUPPLY, S.PART_SUPPLIED)


_OVERTAKEN = (S.SENT, S.UNCERTAIN, S.WITH_PROVIDER, S.QUERIED)


_PROVIDER = (A.PROVIDER_SYSTEM, A.PROVIDER_PHARMACIST)


_TRUST = (A.PRESCRIBER, A.TRUST_PHARMACIST)


_OPEN = tuple(state for state in S if state not in TERMINAL)


_NOT_ALL_SUPPLIED = tuple(state for state in _OPEN if state is not S.FULFILLED)


_SUPPLY_EVENTS = (
    E.SUPPLY_PLANNED,
    E.POSTPONED,
    E.DISPENSING_STARTED,
    E.DISPENSED,
    E.DISPATCHED,
    E.DELIVERED,
)


LINE_TABLE: tuple[Row, ...] = (
    _row((S.RECEIVED,), E.REFUSE, S.REFUSED, (A.GATEWAY,), "a rule refuses"),
    _row((S.RECEIVED,), E.HOLD_BACK, S.HELD, (A.GATEWAY,), "map gap, contradiction or integrity doubt"),
    _row((S.RECEIVED,), E.WANT_SCREENING, S.AWAITING_SCREENING, (A.GATEWAY,), "clinical check wanted and absent"),
    _row((S.RECEIVED,), E.TOMBSTONE_CANCEL, S.CANCELLED, (A.GATEWAY,), "a cancel was waiting"),
    _row((S.RECEIVED,), E.CLEAR, S.READY, (A.GATEWAY,), "clean"),
    _row((S.HELD,), E.WANT_SCREENING, S.AWAITING_SCREENING, (A.MAP_APPROVERS,), "map entry approved, re-run clean"),
    _row((S.HELD,), E.MAP_APPROVED, S.READY, (A.MAP_APPROVERS,), "map entry approved, re-run clean"),
    _row((S.HELD,), E.CORRECTED, S.SUPERSEDED, (A.PRESCRIBER,), "corrected message arrived"),
    _row(
        (S.HELD, S.AWAITING_SCREENING, S.READY, S.UNDELIVERABLE), E.CANCEL, S.CANCELLED, _TRUST, "nothing on the wire"
    ),
    _row((S.AWAITING_SCREENING,), E.CLEAR, S.READY, (A.TRUST_PHARMACIST,), "screening passed"),
    _row((S.AWAITING_SCREENING,), E.SCREENING_FAILED, S.HELD, (A.TRUST_PHARMACIST,)),
    _row((S.READY,), E.ON_WIRE, S.SENT, (A.GATEWAY,), "committed before the first byte"),
    _row((S.READY,), E.RETRIES_SPENT, S.UNDELIVERABLE, (A.GATEWAY,), "nothing ever on the wire"),
    _row(
        (S.UNDELIVERABLE,),
        E.SENT_AGAIN,
        S.READY,
        (A.TRUST_PHARMACIST,),
        "by a person, to the same provider; nothing of it ever left; epoch + 1",
    ),
    _row((S.SENT,), E.NOT_STORED, S.READY, (A.PROVIDER_SYSTEM, A.GATEWAY), "proof that it was not taken"),
    _row((S.SENT,), E.ARRIVED, S.WITH_PROVIDER, (A.PROVIDER_SYSTEM,)),
    _row((S.SENT, S.WITH_PROVIDER), E.ACCEPTED, S.ACCEPTED, (A.PROVIDER_SYSTEM,)),
    _row((S.SENT,), E.NOTHING_DECISIVE, S.UNCERTAIN, (A.CLOCK, A.GATEWAY), "nothing decisive in time"),
    _row(
        (S.READY,),
        E.NOTHING_DECISIVE,
        S.UNCERTAIN,
        (A.GATEWAY,),
        "its provider speaks of what its system had said it did not take",
    ),
    _row(
        (S.ON_HOLD,),
        E.NOTHING_DECISIVE,
        S.ON_HOLD,
        (A.GATEWAY,),
        "the same of a line on hold here: the state to return to moves on",
    ),
    _row((S.UNCERTAIN,), E.VERBATIM_RETRY, S.SENT, (A.GATEWAY,), "the provider is proven to recognise repeats"),
    _row((S.UNCERTAIN,), E.ARRIVED, S.WITH_PROVIDER, _PROVIDER, "late answer or reconciliation"),
    _row((S.UNCERTAIN,), E.ACCEPTED, S.ACCEPTED, _PROVIDER, "late answer or reconciliation"),
    _row((S.UNCERTAIN,), E.NEVER_HAD_IT, S.READY, (A.OPERATOR,), "the provider proves it never had it"),
    _row((S.SENT, S.WITH_PROVIDER, S.UNCERTAIN), E.REJECTED, S.REJECTED, _PROVIDER),
    _row((S.SENT, S.WITH_PROVIDER, S.UNCERTAIN), E.REFUSED_FORMAT, S.REJECTED, _PROVIDER),
    _row((S.WITH_PROVIDER, S.ACCEPTED, S.VALIDATED, S.IN_SUPPLY), E.QUERIED, S.QUERIED, _PROVIDER),
    _row((S.SENT, S.UNCERTAIN), E.QUERIED, S.QUERIED, _PROVIDER, "a question overtakes the arrival, which it proves"),
    _row((S.QUERIED,), E.ACCEPTED, S.ACCEPTED, (A.PROVIDER_SYSTEM,)),
    _row((S.QUERIED,), E.REJECTED, S.REJECTED, (A.PROVIDER_SYSTEM,)),
    _row((S.QUERIED,), E.ANSWERED, BEFORE, (A.TRUST_PHARMACIST,), "no clinical change"),
    _row((S.ACCEPTED,), E.VALIDATED, S.VALIDATED, _PROVIDER),
    _row(
        (S.SENT, S.UNCERTAIN, S.WITH_PROVIDER),
        E.VALIDATED,
        S.VALIDATED,
        _PROVIDER,
        "the check overtakes the acceptance, which it implies",
    ),
    _row(
        (S.ACCEPTED, S.VALIDATED, S.IN_SUPPLY, S.PART_SUPPLIED, S.QUERIED, S.ON_HOLD),
        E.RETURNED,
        S.RETURNED,
        _PROVIDER,
        "the unsupplied issues are named",
    ),
    *(
        _row((S.ACCEPTED, S.VALIDATED), event, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,), "validation implied, marked so")
        for event in _SUPPLY_EVENTS
    ),
    *(
        _row(
            _OVERTAKEN,
            event,
            S.IN_SUPPLY,
            (A.PROVIDER_SYSTEM,),
            "acceptance implied; the missing answer stays an alert",
        )
        for event in _SUPPLY_EVENTS
    ),
    *(_row((S.IN_SUPPLY,), event, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,)) for event in _SUPPLY_EVENTS),
    _row(
        (S.ACCEPTED, S.VALIDATED, *_OVERTAKEN),
        E.LAST_DELIVERED,
        S.FULFILLED,
        (A.PROVIDER_SYSTEM,),
        "one report says all that was ordered was handed over; what it skips is implied, marked so",
    ),
    _row((S.IN_SUPPLY,), E.DELIVERY_FAILED, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,), "the delivery's own state says so"),
    _row((S.ACCEPTED, S.VALIDATED, S.IN_SUPPLY), E.SUPPLY_SHORT, S.PART_SUPPLIED, (A.PROVIDER_SYSTEM,)),
    *(
        _row(
            (S.PART_SUPPLIED,),
            event,
            S.PART_SUPPLIED,
            (A.PROVIDER_SYSTEM,),
            "of an issue by its number; a rest is owed",
        )
        for event in (*_SUPPLY_EVENTS, E.DELIVERY_FAILED, E.SUPPLY_SHORT)
    ),
    _row((S.PART_SUPPLIED,), E.BALANCE_SUPPLIED, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,), "not the last"),
    _row((S.IN_SUPPLY, S.PART_SUPPLIED), E.LAST_DELIVERED, S.FULFILLED, (A.PROVIDER_SYSTEM,), "last of N delivered"),
    _row((S.PART_SUPPLIED,), E.BALANCE_WILL_NOT_COME, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,), "alert to the trust"),
    _row(
        (S.ACCEPTED, S.VALIDATED, S.IN_SUPPLY, S.PART_SUPPLIED),
        E.NOT_SUPPLIED,
        S.RETURNED,
        (A.PROVIDER_SYSTEM,),
        "no issue of the line will be supplied by this provider",
    ),
    _row((S.FULFILLED,), E.SUPPLY_WITHDRAWN, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,)),
    _row((S.IN_SUPPLY,), E.SUPPLY_WITHDRAWN, S.IN_SUPPLY, (A.PROVIDER_SYSTEM,), "one of several; the count says so"),
    _row(
        (S.PART_SUPPLIED,), E.SUPPLY_WITHDRAWN, S.PART_SUPPLIED, (A.PROVIDER_SYSTEM,), "the rest is owed all the same"
    ),
    _row(
        (S.FULFILLED, S.IN_SUPPLY, S.PART_SUPPLIED),
        E.BALANCE_WITHDRAWN,
        S.PART_SUPPLIED,
        (A.PROVIDER_SYSTEM,),
        "the part was supplied; its rest is owed again",
    ),
    _row((S.FULFILLED,), E.WINDOW_OVER, S.CLOSED, (A.CLOCK,), "correction window over"),
    _row((S.READY,), E.HOLD_CONFIRMED, S.ON_HOLD, _TRUST, "nothing on the wire; its message is withheld"),
    _row(
        (*_HELD_BY_PROVIDER, S.QUERIED),
        E.HOLD_CONFIRMED,
        S.ON_HOLD,
        (A.PROVIDER_SYSTEM,),
        "asked, and the holder says so",
    ),
    _row(
        (S.SENT, S.UNCERTAIN),
        E.HOLD_CONFIRMED,
        S.ON_HOLD,
        (A.PROVIDER_SYSTEM,),
        "asked; the confirmation overtakes the arrival, which it proves",
    ),
    *(
        _row((S.ON_HOLD,), event, S.ON_HOLD, _PROVIDER, "the state to return to moves on; the line stays on hold")
        for event in (E.ARRIVED, E.ACCEPTED, E.VALIDATED)
    ),
    _row((S.ON_HOLD,), E.RELEASE_CONFIRMED, BEFORE, (*_TRUST, A.PROVIDER_SYSTEM), "expiry re-checked"),
    _row((S.REJECTED, S.RETURNED, S.UNDELIVERABLE), E.REROUTE, S.READY, (A.TWO_PEOPLE,), "behind the fence; epoch + 1"),
    _row((S.READY,), E.REROUTE, S.READY, (A.TWO_PEOPLE,), "nothing of it ever on the wire; epoch + 1"),
    _row(
        (S.SENT, S.UNCERTAIN, S.WITH_PROVIDER),
        E.REROUTE,
        S.READY,
        (A.TWO_PEOPLE,),
        "expired at a provider that never took it on and is known to refuse what has expired; epoch + 1",
    ),
    _row(
        (*_HELD_BY_PROVIDER, S.SENT, S.UNCERTAIN, S.QUERIED),
        E.REVOKED_FOR_REROUTE,
        S.READY,
        (A.TWO_PEOPLE,),
        "revocation confirmed; epoch + 1",
    ),
    _row((S.REJECTED, S.RETURNED), E.CORRECTED, S.SUPERSEDED, (A.PRESCRIBER,), "corrected prescription sent"),
    _row(
        (S.REJECTED, S.RETURNED, S.UNDELIVERABLE),
        E.CLOSE,
        S.CLOSED,
        (A.TRUST_PHARMACIST,),
        "with a reason; the patient's supply is accounted for",
    ),
    _row(
        tuple(state for state in _OPEN if state not in {S.UNCERTAIN, S.FULFILLED}),
        E.VALIDITY_OVER,
        S.EXPIRED,
        (A.CLOCK,),
        "no delivery in flight (an alert instead); the provider is told",
    ),
    _row(_NOT_ALL_SUPPLIED, E.REPLACED, S.SUPERSEDED, (A.PRESCRIBER,), "cancel confirmed or not needed"),
    _row(
        _NOT_ALL_SUPPLIED,
        E.CANCEL_CONFIRMED,
        S.CANCELLED,
        (A.PROVIDER_SYSTEM, A.GATEWAY),
        "cancel region confirmed; what was supplied stays counted",
    ),
)
"""Every arrow. What is not here cannot happen."""
