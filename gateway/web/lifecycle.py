"""Every lifecycle table as one JSON document, for partners that want to follow the same rules (`/lifecycle.json`).

The document names its own version and digest: whoever builds against it can tell at a glance that it has changed. The
store's triggers, the picture in ARCHITECTURE.md and this document are all made from the same tables.

Source: mapping.md 10; brief D11.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final, Protocol

from gateway.domain.cancel import CANCEL_TABLE, CancelState, who_may
from gateway.domain.cancel import ENDED as CANCEL_ENDED
from gateway.domain.custody import CUSTODY, Custody
from gateway.domain.deadline import Term
from gateway.domain.delivery import DELIVERY_TABLE, DeliveryState
from gateway.domain.delivery import FINAL as DELIVERY_FINAL
from gateway.domain.delivery import LABELS as DELIVERY_LABELS
from gateway.domain.hold import ENDED as HOLD_ENDED
from gateway.domain.hold import HOLD_TABLE, HoldKind, HoldState
from gateway.domain.hold import who_may as who_may_hold
from gateway.domain.labels import LABELS, ROLL_UP
from gateway.domain.lifecycle import LINE_TABLE, TERMINAL, Actor, LineState
from gateway.domain.renewal import RENEWAL_ENDED, RENEWAL_LABELS, RENEWAL_TABLE, RenewalState
from gateway.wire.strict_json import JSON, dumps

VERSION: Final = "1"
"""Of the document's own shape; what the tables say is told by the digest."""

_CANCEL_LABELS: Final[dict[StrEnum, str]] = {
    CancelState.NONE: "No cancellation",
    CancelState.TOMBSTONE: "Cancelled before it came",
    CancelState.ASKED: "Cancellation asked: not cancelled",
    CancelState.PENDING: "Cancellation pending at the provider: not cancelled",
    CancelState.TOO_LATE: "Too late to cancel",
    CancelState.CONFIRMED: "Cancelled, confirmed",
}


_HOLD_LABELS: Final[dict[StrEnum, str]] = {
    HoldState.NONE: "Nothing asked",
    HoldState.ASKED: "Asked: nothing has changed",
    HoldState.CONFIRMED: "Confirmed: it is so",
    HoldState.REFUSED: "Refused: nothing has changed",
    HoldState.OVERTAKEN: "Overtaken before an answer came",
}


class _Arrow(Protocol):
    """What the rows of every table have."""

    @property
    def states(self) -> Collection[StrEnum]: ...
    @property
    def event(self) -> StrEnum: ...
    @property
    def to(self) -> str: ...


def published(custody: Mapping[LineState, Custody] = CUSTODY, terms: Iterable[Term] = ()) -> dict[str, JSON]:
    """Write every machine: its states with words, its arrows with who may cause them, and holder and limit of a line.

    Args:
        custody: holder of each line state, and its limit where no dated one says otherwise.
        terms: limits from a day on, for routine or urgent lines; the latest in force counts.

    Returns:
        `version`, `digest` (SHA-256 of the rest, as it stands), `actors`, `rollUp` (worst first) and `machines`.
    """
    actors: dict[str, JSON] = {actor.value: actor.name.lower().replace("_", " ") for actor in Actor}
    rest: dict[str, JSON] = {
        "actors": actors,
        "rollUp": [one.value for one in ROLL_UP],
        "machines": [_line(custody, tuple(terms)), _cancel(), *map(_hold, HoldKind), _delivery(), _renewal()],
    }
    return {"version": VERSION, "digest": hashlib.sha256(dumps(rest)).hexdigest(), **rest}


def _line(custody: Mapping[LineState, Custody], terms: tuple[Term, ...]) -> JSON:
    states: list[JSON] = []
    for state in LineState:
        shown = _state(state, LABELS[state], final=state in TERMINAL)
        held = custody[state]
        limits: dict[str, JSON] = {"limitSeconds": held.limit_seconds, "limits": _dated(state, terms)}
        states.append({**shown, "holder": held.holder.value, **limits})
    arrows = (_arrow(row, row.actors, row.note) for row in LINE_TABLE)
    return _machine("line", LineState.RECEIVED, states, arrows)


def _dated(state: LineState, terms: tuple[Term, ...]) -> list[JSON]:
    stated = [(term.since, term.urgency, term.limits[state]) for term in terms if state in term.limits]
    return [
        {"from": since.isoformat(), "class": urgency.value}
        | ({"workingDays": limit.working_days} if limit.working_days else {"seconds": limit.seconds})
        for since, urgency, limit in sorted(stated, key=lambda row: row[:2])
    ]


def _cancel() -> JSON:
    states = [_state(state, _CANCEL_LABELS[state], final=state in CANCEL_ENDED) for state in CancelState]
    arrows = (
        {**_arrow(row, who_may(row.event), row.alert), "line": row.line.value if row.line else None}
        for row in CANCEL_TABLE
    )
    return _machine("cancel", CancelState.NONE, states, arrows)


def _hold(kind: HoldKind) -> JSON:
    """Write the machine of one request, a hold or a release; a line may have any number of each."""
    states = [_state(state, _HOLD_LABELS[state], final=state in HOLD_ENDED) for state in HoldState]
    arrows = (
        {**_arrow(row, who_may_hold(row.event), row.alert), "line": row.line.value if row.line else None}
        for row in HOLD_TABLE
        if row.kind is kind
    )
    return _machine(kind.value, HoldState.NONE, states, arrows)


def _delivery() -> JSON:
    states = [_state(state, DELIVERY_LABELS[state], final=state in DELIVERY_FINAL) for state in DeliveryState]
    arrows = (_arrow(row, row.actors, row.note) for row in DELIVERY_TABLE)
    return _machine("delivery", DeliveryState.PLANNED, states, arrows)


def _renewal() -> JSON:
    states = [_state(state, RENEWAL_LABELS[state], final=state in RENEWAL_ENDED) for state in RenewalState]
    arrows = (_arrow(row, row.actors, row.note) for row in RENEWAL_TABLE)
    return _machine("renewal", RenewalState.REQUESTED, states, arrows)


def _state(state: StrEnum, label: str, *, final: bool) -> dict[str, JSON]:
    return {"state": state.value, "label": label, "terminal": final}


def _arrow(row: _Arrow, actors: Iterable[Actor], note: str) -> dict[str, JSON]:
    return {
        "from": [*sorted(state.value for state in row.states)],
        "event": row.event.value,
        "to": str(row.to),
        "actors": [*sorted(actor.value for actor in actors)],
        "note": note,
    }


def _machine(name: str, start: StrEnum, states: Iterable[JSON], arrows: Iterable[JSON]) -> JSON:
    return {"machine": name, "start": start.value, "states": [*states], "arrows": [*arrows]}
