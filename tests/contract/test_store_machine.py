"""Any order of claims, outcomes, answers, crashes and repeats keeps I2, I3, I5, I12 and I13, and the books balance."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from gateway.destination import InDoubt, Refused, Taken, TransmitOutcome, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.custody import CUSTODY
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LIVE, TERMINAL, LineEvent, LineState
from gateway.domain.prescription import Prescription
from gateway.pipeline import holding
from gateway.ports.callback import Callback, Effectiveness
from gateway.ports.work import Claim
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    Clock,
    make_acceptance,
    make_change,
    make_hold,
    make_order,
    make_prescription,
    make_refusal,
)

LIKELY = [
    LineEvent.ACCEPTED,
    LineEvent.REJECTED,
    LineEvent.QUERIED,
    LineEvent.DISPENSED,
    LineEvent.DELIVERED,
    LineEvent.RETURNED,
    LineEvent.NOT_STORED,
    LineEvent.SUPPLY_WITHDRAWN,
    LineEvent.SUPPLY_SHORT,
    LineEvent.BALANCE_SUPPLIED,
    LineEvent.BALANCE_WILL_NOT_COME,
    LineEvent.HOLD_CONFIRMED,
    LineEvent.HOLD_CONFIRMED,
    LineEvent.HOLD_REFUSED,
    LineEvent.RELEASE_CONFIRMED,
    LineEvent.RELEASE_CONFIRMED,
]
OUTCOMES: list[TransmitOutcome] = [
    Taken(),
    Refused(reason="no"),
    TryLater(reason="busy"),
    InDoubt(reason="cut"),
    Taken(
        acknowledgement=Acknowledgement(
            id="inside", correlation=None, reports=(LineReport(line_id=None, event=LineEvent.ACCEPTED),)
        )
    ),
]


EXAMPLES = {"sqlite": 15, "postgres": 2}
STEPS = {"sqlite": 30, "postgres": 12}
"""Each look at the tables of a server is a way there and back."""


class StoreMachine(RuleBasedStateMachine):
    """A trust, a worker that may die, and a provider that says anything in any order."""

    engine = "sqlite"
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.opened = ENGINES[self.engine](Path(self.folder.name), self.clock, frozenset({TRUST}), CUSTODY)
        self.accepted = 0
        self.refused = 0
        self.asked = 0
        self.prescriptions: list[Prescription] = []
        self.answers = 0
        self.last: tuple[Callback, Acknowledgement] | None = None
        self.applied = False
        self.finals: dict[int, str] = {}

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        self.run(self.opened.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(lines=st.integers(1, 3), total=st.integers(1, 2), held=st.booleans())
    def accept(self, lines: int, total: int, held: bool) -> None:  # noqa: FBT001
        what = make_prescription(f"N{self.accepted}", lines=lines, total=total)
        order = make_order(what, state=LineState.HELD if held else LineState.READY)
        self.run(self.opened.store.accept(make_acceptance(f"N{self.accepted}", order)))
        self.accepted += 1
        self.prescriptions.append(what)

    @rule(data=st.data(), kind=st.sampled_from(HoldKind), whole=st.booleans())
    def hold_or_release(self, data: st.DataObject, kind: HoldKind, whole: bool) -> None:  # noqa: FBT001
        """Ask as the pipeline does, of some lines of a prescription or of all."""
        if not self.prescriptions:
            return
        what = data.draw(st.sampled_from(self.prescriptions))
        known = self.run(self.opened.store.known_lines(TRUST, [], items=[each.id for each in what.lines]))
        selected = known if whole else known[:1]
        self.asked += 1
        holds = [holding.stands(kind, line, selected, known, expired=False) for line in selected]
        wanted = [one for one in holds if one.state is not HoldState.REFUSED and not one.repeated]
        requests = tuple(make_hold(one, what, f"{self.asked}{one.line.line_id}") for one in wanted)
        self.run(self.opened.store.accept(make_change(f"H{self.asked}", *requests)))
        states = {
            line.line_id: line.state
            for line in self.run(self.opened.store.known_lines(TRUST, [], items=[each.id for each in what.lines]))
        }
        for one in wanted:
            if one.state is HoldState.CONFIRMED:
                assert states[one.line.line_id] is (LineState.ON_HOLD if kind is HoldKind.HOLD else LineState.READY)
            else:
                assert states[one.line.line_id] is one.line.state

    @rule()
    def refuse(self) -> None:
        self.run(self.opened.store.accept(make_refusal(f"R{self.refused}")))
        self.refused += 1

    @rule(target=claims, room=st.integers(1, 3), destination=st.sampled_from([PROVIDER, TRUST]))
    def claim(self, room: int, destination: OdsCode) -> Any:
        found: list[Claim] = self.run(
            self.opened.store.claim(worker="w", now=self.clock.now(), lease_seconds=60, room={destination: room})
        )
        return multiple(*found)

    @rule(target=claims, lines=st.integers(1, 2), total=st.integers(1, 2), outcome=st.sampled_from([*OUTCOMES, None]))
    def carry(self, lines: int, total: int, outcome: TransmitOutcome | None) -> Any:
        """Accept one prescription and carry what is due as far as an outcome, or die on the way (None)."""
        self.accept(lines, total, held=False)
        found = self.claim(3, PROVIDER)
        for claim in found.values:
            self.put_on_wire(claim)
            if outcome is not None:
                self.record(claim, outcome, again=True)
        return found

    @rule(claim=claims)
    def put_on_wire(self, claim: Claim) -> None:
        self.run(self.opened.store.on_wire(claim, now=self.clock.now(), octets=b"news"))

    @rule(claim=claims, outcome=st.sampled_from(OUTCOMES), again=st.booleans())
    def record(self, claim: Claim, outcome: TransmitOutcome, again: bool) -> None:  # noqa: FBT001
        now = self.clock.now()
        self.run(self.opened.store.record(claim, outcome, now=now, retry_at=now if again else None))

    @rule(minutes=st.sampled_from([0, 2, 30]), recognises=st.booleans())
    def recover(self, minutes: int, recognises: bool) -> None:  # noqa: FBT001
        self.clock.move(minutes=minutes)
        proven = frozenset({PROVIDER}) if recognises else frozenset()
        self.run(self.opened.store.recover(now=self.clock.now(), recognises_repeats=proven))

    @rule(
        claim=claims,
        event=st.sampled_from(LIKELY * 4 + list(LineEvent)),
        provider=st.sampled_from([PROVIDER] * 6 + [OdsCode("VN6XW")]),
        epoch=st.sampled_from([None, 1, None, 1, None, 1, 2]),
        issue=st.sampled_from([None, None, None, 1, 2, 3]),
    )
    def answer(self, claim: Claim, event: LineEvent, provider: OdsCode, epoch: int | None, issue: int | None) -> None:
        self.answers += 1
        answer = Acknowledgement(
            id=str(self.answers),
            correlation=claim.message_id,
            reports=(LineReport(line_id=None, event=event, issue=issue, in_full=issue is None),),
            epoch=epoch,
        )
        callback = Callback(
            destination=provider, received_at=self.clock.now(), content_type="", body=answer.id.encode()
        )
        before = self.states()
        result = self.run(self.opened.store.acknowledge(callback, answer, ()))
        if provider != PROVIDER or epoch == 2:
            assert result.effect is Effectiveness.KEPT
            assert self.states() == before
        self.last = (callback, answer)
        self.applied = result.effect is Effectiveness.APPLIED

    @rule()
    def repeat_the_last_answer(self) -> None:
        if self.last is not None:
            before = self.states()
            result = self.run(self.opened.store.acknowledge(*self.last, ()))
            # what moved nothing when it came may hold now; anything else changes nothing
            assert result.effect is Effectiveness.APPLIED or self.states() == before
            if self.applied:
                assert result.effect is Effectiveness.REPEAT
            self.applied = self.applied or result.effect is Effectiveness.APPLIED

    @rule()
    def reopen(self) -> None:
        self.run(self.opened.close())
        self.opened = ENGINES[self.engine](Path(self.folder.name), self.clock, frozenset({TRUST}), CUSTODY)

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self.opened.rows(sql, values)

    def states(self) -> list[Any]:
        return self.rows("SELECT id, state, delivered FROM line ORDER BY id")

    @invariant()
    def the_books_balance(self) -> None:
        books = self.run(self.opened.enquiries.books())
        assert books["submitted"] == books["accepted"] + books["refused"]
        assert (books["accepted"], books["refused"]) == (self.accepted, self.refused)
        assert books["accepted"] == books["delivered"] + books["closed"] + books["open"]
        assert books["alerted"] <= books["open"]

    @invariant()
    def a_line_has_at_most_one_live_holder(self) -> None:
        live = dict(self.rows("SELECT line, count(*) FROM allocation WHERE ended_at IS NULL GROUP BY line"))
        for line, state, _ in self.states():
            wanted = 1 if LineState(state) in LIVE | {LineState.FULFILLED} else 0
            assert live.get(line, 0) == wanted, (line, state)

    @invariant()
    def final_states_stay(self) -> None:
        for line, state, _ in self.states():
            assert self.finals.get(line, state) == state
            if LineState(state) in TERMINAL:
                self.finals[line] = state

    @invariant()
    def every_state_is_the_last_the_history_says(self) -> None:
        told = dict(self.rows("SELECT line, state_after FROM event WHERE moved = 1 ORDER BY seq"))
        assert told == {line: state for line, state, _ in self.states()}

    @invariant()
    def every_event_has_a_leaf_and_leaves_have_no_gaps(self) -> None:
        ((events, leaves, last),) = self.rows(
            "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM audit_leaf WHERE kind = 'event'),"
            " (SELECT max(seq) - count(*) FROM audit_leaf)"
        )
        assert events == leaves
        assert not last

    @invariant()
    def deliveries_agree_with_the_count_of_their_line(self) -> None:
        differ = self.rows(
            "SELECT line.id FROM line WHERE delivered <> (SELECT count(*) FROM delivery"
            " WHERE delivery.line = line.id AND delivery.state = 'DELIVERED')"
            " OR (state = 'FULFILLED' AND EXISTS (SELECT 1 FROM delivery WHERE line = line.id AND delivery.state"
            " NOT IN ('DELIVERED', 'NOT_SUPPLIED', 'RESCUED')))"
        )
        assert differ == []

    @invariant()
    def a_doubt_is_never_forgotten(self) -> None:
        ready = self.rows(
            "SELECT line.id FROM attempt JOIN outbox ON outbox.id = attempt.outbox"
            " JOIN allocation ON allocation.message = outbox.message_id JOIN line ON line.id = allocation.line"
            " WHERE attempt.outcome = 'in_doubt' AND attempt.fenced = 0 AND line.state = 'READY'"
            " AND allocation.ended_at IS NULL"
            " AND EXISTS (SELECT 1 FROM event WHERE event.line = line.id AND event.event = 'nothing_decisive')"
        )
        assert ready == []

    @invariant()
    def nothing_waits_in_silence(self) -> None:
        """Every open line has a deadline or an open alert; a line that must leave is in the queue or alerted."""
        silent = self.rows(
            "SELECT state FROM line WHERE act_by IS NULL AND state NOT IN ('FULFILLED', 'CLOSED', 'CANCELLED',"
            " 'SUPERSEDED', 'EXPIRED', 'REFUSED')"
            " AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)"
        )
        assert silent == []

    @invariant()
    def nothing_of_a_line_on_hold_is_in_the_queue_and_nothing_else_is_withheld(self) -> None:
        """A message waits where a line of it is on hold and none of it has left; it is due again once all are not."""
        held = self.rows(
            "SELECT outbox.withheld, outbox.state, max(CASE line.state WHEN 'ON_HOLD' THEN 1 ELSE 0 END) FROM outbox"
            " JOIN allocation ON allocation.message = outbox.message_id AND allocation.ended_at IS NULL"
            " JOIN line ON line.id = allocation.line GROUP BY outbox.id"
        )
        for withheld, state, on_hold in held:
            if state == "due" and on_hold:
                assert withheld
            if withheld:
                assert on_hold, state

    @invariant()
    def a_line_is_on_hold_only_where_it_was_asked_for_and_is_so(self) -> None:
        confirmed = dict(self.rows("SELECT line, kind FROM hold WHERE state = 'CONFIRMED' ORDER BY ended_at, id"))
        for line, state, _ in self.states():
            if state == LineState.ON_HOLD:
                assert confirmed.get(line) == "hold"

    @invariant()
    def a_line_on_hold_knows_where_it_came_from(self) -> None:
        assert (
            self.rows("SELECT id FROM line WHERE state = 'ON_HOLD' AND coalesce(state_before, '') IN ('', 'ON_HOLD')")
            == []
        )


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_no_order_of_events_breaks_the_promises(engine: str) -> None:
    machine = type("Machine", (StoreMachine,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[engine],
            stateful_step_count=STEPS[engine],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
