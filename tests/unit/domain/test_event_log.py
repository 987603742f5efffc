"""Anybody's history is tested against the tables: what they allow passes, what they do not is named."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.event_log import Entry, Violation, violations
from gateway.domain.fence import REVOCABLE
from gateway.domain.lifecycle import BEFORE, LINE_TABLE, LineState

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(*entries: str) -> list[Entry]:
    """Give a log of `event actor [state=…] [issue=…] [renewal]` words, a minute apart."""
    made = []
    for number, text in enumerate(entries, start=1):
        event, actor, *rest = text.split()
        named = dict(word.split("=") for word in rest if "=" in word)
        made.append(
            Entry(
                number=number,
                line="L1",
                event=event,
                actor=actor,
                at=START + timedelta(minutes=number),
                state=named.get("state", ""),
                delivery=int(named["issue"]) if "issue" in named else None,
                renewal="renewal" in rest,
            )
        )
    return made


WAITS = "a change takes the place of what a provider has only once that has confirmed the cancel"
OVER = "that is CANCELLED: nothing may be supplied of it"
ALLOWED = [
    ["received GW", "clear GW", "on_wire GW", "arrived PS", "accepted PS", "dispensed PS", "last_delivered PS"],
    ["on_wire GW state=READY", "accepted PS", "accepted PS"],
    ["accepted PS state=SENT", "cancel_asked TP", "cancel_pending PS", "cancel_confirmed PS"],
    ["accepted PS state=SENT", "cancel_asked TP", "returned PS", "cancel_confirmed PS"],
    ["accepted PS state=SENT", "cancel_asked TP", "replaced TP", "cancel_confirmed PS"],
    ["queried PP state=ACCEPTED", "answered TPh", "validated PP"],
    ["accepted PS state=SENT", "supply_planned PS issue=1", "dispatched PS issue=1", "delivered PS issue=1"],
    ["accepted PS state=SENT", "requested PS renewal", "approved TP renewal"],
    ["hold_confirmed TP state=READY", "release_confirmed TP", "on_wire GW"],
    [
        "hold_asked TP state=SENT",
        "hold_confirmed PS",
        "accepted PS",
        "release_asked TP",
        "release_confirmed PS",
        "validated PP",
    ],
    ["hold_asked TP state=SENT", "hold_confirmed PS", "hold_confirmed PS", "returned PS"],
    ["hold_asked TP state=WITH_PROVIDER", "release_asked TP", "hold_asked TP", "hold_refused PS", "release_refused PS"],
    ["hold_asked TP state=ACCEPTED", "hold_reply_error PS", "hold_confirmed PS"],
    ["hold_asked TP state=SENT", "not_stored PS", "hold_confirmed TP"],
    [
        "cancel_asked OP2 state=ACCEPTED",
        "cancel_confirmed PS",
        "revoked_for_reroute OP2",
        "on_wire GW",
        "cancel_asked TP",
    ],
    ["cancel_asked OP2 state=WITH_PROVIDER", "rejected PS", "reroute OP2", "on_wire GW", "accepted PS"],
    ["cancel_confirmed GW state=REJECTED"],
    ["hold_confirmed TP state=READY", "cancel_confirmed GW"],
    ["cancel_asked TP state=ACCEPTED", "cancel_confirmed PS", "replaced TP"],
    ["cancel_asked TP state=ACCEPTED", "replaced TP", "line_ended PS issue=1", "cancel_confirmed PS"],
    ["cancel_asked TP state=ACCEPTED", "returned PS", "replaced TP"],
    ["replaced TP state=READY"],
    ["reroute OP2 state=READY"],
    ["reroute OP2 state=UNCERTAIN"],
    ["cancel_asked OP2 state=ACCEPTED", "cancel_pending PS", "cancel_asked TP", "cancel_confirmed PS"],
    ["cancel_asked OP2 state=ACCEPTED", "cancel_too_late PS", "cancel_asked OP2", "cancel_confirmed PS"],
    ["hold_asked TP state=ACCEPTED", "hold_refused GW"],
    ["last_delivered PS state=IN_SUPPLY", "delivered PS issue=1", "supply_withdrawn PS", "supply_withdrawn PS issue=1"],
    ["cancel_asked TP state=IN_SUPPLY", "cancel_confirmed PS", "line_ended PS issue=2", "rescued TPh issue=2"],
    ["cancel_asked TP state=IN_SUPPLY", "cancel_confirmed PS", "failed PS issue=1 state=DISPATCHED"],
]


@pytest.mark.parametrize("entries", ALLOWED, ids=range(len(ALLOWED)))
def test_a_history_that_follows_the_tables_passes(entries: list[str]) -> None:
    assert list(violations(log(*entries))) == []


FORBIDDEN = [
    (["hold_confirmed PS state=SENT"], 1, "hold_confirmed answers no hold that was asked"),
    (["hold_asked TP state=SENT", "release_confirmed PS"], 2, "release_confirmed answers no release that was asked"),
    (
        ["hold_asked TP state=ACCEPTED", "hold_confirmed PS", "dispensed PS"],
        3,
        "dispensed is not expected in ON_HOLD",
    ),
    (
        ["cancel_asked TP state=ACCEPTED", "cancel_confirmed PS", "revoked_for_reroute OP2"],
        3,
        "CANCELLED is final; revoked_for_reroute is kept as an annotation",
    ),
    (["received GW", "accepted PS"], 2, "accepted is not expected in RECEIVED"),
    (["on_wire GW"], 1, "a line begins with 'received', or with the state it stood in"),
    (["received GW", "received GW"], 2, "the line was received before"),
    (["received GW", "cleared GW"], 2, "'cleared' is no event of a line"),
    (["received GW", "clear XX"], 2, "'XX' is no actor of mapping.md 10.1"),
    (["received GW", "clear PS"], 2, "clear may not come from PROVIDER_SYSTEM"),
    (["close TPh state=REJECTED", "accepted PS"], 2, "CLOSED is final; accepted is kept as an annotation"),
    (["accepted PS state=SENT", "cancel_confirmed PS"], 2, "cancel_confirmed is not expected of a cancel that is NONE"),
    (
        ["cancel_asked TP state=SENT", "cancel_confirmed GW"],
        2,
        "cancel_confirmed of a line that is SENT is its provider's to say",
    ),
    (
        ["hold_asked TP state=SENT", "hold_confirmed PS", "cancel_confirmed GW"],
        3,
        "cancel_confirmed of a line that is WITH_PROVIDER is its provider's to say",
    ),
    (["cancel_confirmed GW state=ACCEPTED"], 1, "cancel_confirmed of a line that is ACCEPTED is its provider's to say"),
    (["cancel_asked PS state=SENT"], 1, "cancel_asked may not come from PROVIDER_SYSTEM"),
    (["cancel_asked TP state=SENT", "cancel_too_late TP"], 2, "cancel_too_late may not come from PRESCRIBER"),
    (["cancel_asked TP state=SENT", "cancel_pending GW"], 2, "cancel_pending may not come from GATEWAY"),
    (["accepted PS state=SENT", "cancel_mislaid PS"], 2, "'cancel_mislaid' is no event of a cancel"),
    (
        ["accepted PS state=SENT", "delivered PS issue=1", "dispatched PS issue=1"],
        3,
        "dispatched by PROVIDER_SYSTEM is not expected of a delivery that is DELIVERED",
    ),
    (["accepted PS state=SENT", "eaten PS issue=1"], 2, "'eaten' is no event of a delivery"),
    (
        ["accepted PS state=SENT", "declined TP renewal", "approved TP renewal"],
        3,
        "approved by PRESCRIBER is not expected of a renewal that is DECLINED",
    ),
    (["delivered PS issue=1"], 1, "the line itself is not known yet"),
    (
        ["accepted PS state=SENT", "revoked_for_reroute OP2"],
        2,
        "revoked_for_reroute of a line that its provider has not given up",
    ),
    (
        ["cancel_asked OP2 state=ACCEPTED", "cancel_pending PS", "revoked_for_reroute OP2"],
        3,
        "revoked_for_reroute of a line that its provider has not given up",
    ),
    (
        ["cancel_asked TP state=ACCEPTED", "cancel_pending PS", "revoked_for_reroute OP2"],
        3,
        "revoked_for_reroute of a line that its provider has not given up",
    ),
    (
        ["cancel_asked OP2 state=WITH_PROVIDER", "cancel_confirmed PS", "accepted PS", "revoked_for_reroute OP2"],
        4,
        "revoked_for_reroute of a line that its provider has not given up",
    ),
    (
        ["queried PS state=WITH_PROVIDER", "answered TPh", "reroute OP2"],
        3,
        "reroute of a line that its provider took on and has not given up",
    ),
    (["reroute OP2 state=ACCEPTED"], 1, "reroute is not expected in ACCEPTED"),
    (["reroute OP state=REJECTED"], 1, "reroute may not come from OPERATOR"),
    (["replaced TP state=ON_HOLD"], 1, "replaced of a line that is ON_HOLD waits for its cancel"),
    (["replaced TP state=ACCEPTED"], 1, "replaced of a line that is ACCEPTED waits for its cancel"),
    (
        ["cancel_asked TP state=ACCEPTED", "cancel_too_late PS", "replaced TP"],
        3,
        "replaced of a line that is ACCEPTED waits for its cancel",
    ),
    (["cancel_asked TP state=ACCEPTED", "replaced TP"], 2, WAITS),
    (["cancel_asked TP state=ACCEPTED", "replaced TP", "cancel_pending PS"], 2, WAITS),
    (["replaced TP state=FULFILLED"], 1, "replaced is not expected in FULFILLED"),
    (
        ["last_delivered PS state=IN_SUPPLY", "cancel_asked TP", "cancel_confirmed PS"],
        3,
        "cancel_confirmed is not expected in FULFILLED",
    ),
    (["hold_asked PS state=ACCEPTED"], 1, "hold_asked may not come from PROVIDER_SYSTEM"),
    (["hold_asked TP state=ACCEPTED", "hold_refused TP"], 2, "hold_refused may not come from PRESCRIBER"),
    (["hold_asked TP state=ACCEPTED", "hold_reply_error GW"], 2, "hold_reply_error may not come from GATEWAY"),
    (["hold_asked TP state=ACCEPTED", "hold_confirmed GW"], 2, "hold_confirmed may not come from GATEWAY"),
    (
        ["hold_asked TP state=ACCEPTED", "hold_confirmed TPh"],
        2,
        "hold_confirmed of a line that is ACCEPTED is its provider's to say",
    ),
    (
        ["hold_asked TP state=ACCEPTED", "hold_confirmed PS", "release_confirmed TP"],
        3,
        "release_confirmed of a line that is ACCEPTED is its provider's to say",
    ),
    *(
        (
            ["cancel_asked TP state=ACCEPTED", "cancel_confirmed PS", f"{event} PS issue=1"],
            3,
            f"{event} of a line {OVER}",
        )
        for event in ("supply_planned", "dispensing_started", "dispensed", "dispatched", "delivered", "supply_short")
    ),
    (
        ["received GW", "dispatched PS issue=1"],
        2,
        "dispatched of a line that is RECEIVED: nothing may be supplied of it",
    ),
    (
        ["hold_confirmed TP state=READY", "dispatched PS issue=1"],
        2,
        "dispatched of a line that is ON_HOLD: nothing may be supplied of it",
    ),
    (
        ["last_delivered PS state=IN_SUPPLY", "dispatched PS issue=1"],
        2,
        "dispatched of a line that is FULFILLED: nothing may be supplied of it",
    ),
]


@pytest.mark.parametrize(("entries", "number", "text"), FORBIDDEN)
def test_a_history_that_does_not_is_named_with_its_place(entries: list[str], number: int, text: str) -> None:
    assert list(violations(log(*entries))) == [Violation(number=number, line="L1", text=text)]


def test_an_entry_earlier_than_the_one_before_it_is_named() -> None:
    first, second = log("received GW", "clear GW")
    turned = [first, Entry(number=2, line="L1", event=second.event, actor="GW", at=START - timedelta(days=1))]
    assert [one.text for one in violations(turned)] == ["it is earlier than the entry before it"]


def test_an_entry_that_is_not_allowed_moves_nothing() -> None:
    entries = log("received GW", "accepted PS", "clear GW")
    assert [one.number for one in violations(entries)] == [2]


@given(st.data())
def test_every_walk_along_the_arrows_passes(data: st.DataObject) -> None:
    state, entries = LineState.RECEIVED, ["received GW"]
    for _ in range(data.draw(st.integers(0, 12))):
        rows = [row for row in LINE_TABLE if state in row.states and row.to != BEFORE and "cancel" not in row.event]
        if not rows:
            break
        row = data.draw(st.sampled_from(rows))
        if row.event == "hold_confirmed" and min(row.actors) == "PS":
            entries.append("hold_asked TP")  # only what was asked can be confirmed
        if row.event == "revoked_for_reroute":
            entries += ["cancel_asked OP2", "cancel_confirmed PS"]
        if row.event == "replaced" and state in REVOCABLE | {LineState.ON_HOLD}:
            entries += ["cancel_asked TP", "replaced TP", "cancel_confirmed PS"]
            break
        entries.append(f"{row.event.value} {min(row.actors).value}")
        state = LineState(row.to)
    assert list(violations(log(*entries))) == []
