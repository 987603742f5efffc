"""Everything that anybody may do to a line, in any order: no act leaves what another relies on broken.

The machine of re-routes with cancels, changes, screening, acts at the desk, the end of validity, doubts resolved,
pauses, and acts written before something else happened. What must hold stands in `tests.faults.invariants`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from gateway.destination import TransmitOutcome
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.acts import Act, Expiry, Rescue, Ruling
from gateway.domain.cancel import CancelState
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.message import SealedMessage
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Action
from gateway.pipeline import changes
from gateway.ports.acceptance import Acceptance, CancelRequest, KnownLine, OvertakenError
from gateway.ports.callback import Callback, Effectiveness
from gateway.ports.work import Claim, Whereabouts
from tests.contract.store_engines import (
    ENGINES,
    PROVIDER,
    TRUST,
    make_acceptance,
    make_order,
    make_prescription,
    make_update,
    seal,
)
from tests.contract.test_rerouting_machine import NEXT, ReroutingMachine
from tests.contract.test_store_machine import OUTCOMES, StoreMachine
from tests.faults.invariants import broken

LATER = timedelta(days=200)
"""After this the validity of every order here is over."""
OFTEN = (
    LineEvent.ACCEPTED,
    LineEvent.ACCEPTED,
    LineEvent.QUERIED,
    LineEvent.RETURNED,
    LineEvent.DELIVERED,
    LineEvent.DISPATCHED,
    LineEvent.SUPPLY_SHORT,
)
DESK = ("close", "answer", "fail", "send", "drop", "rescue")


EXAMPLES = {"sqlite": 12, "postgres": 2}
STEPS = {"sqlite": 30, "postgres": 12}
"""Each look at the tables of a server is a way there and back."""


class EverythingMachine(ReroutingMachine):
    """Everybody at once."""

    claims = StoreMachine.claims

    def __init__(self) -> None:
        super().__init__()
        self.acts = 0
        self.written: list[Acceptance] = []
        self.expiries: list[Expiry] = []

    def chosen(self, pick: int) -> Prescription | None:
        return self.prescriptions[pick % len(self.prescriptions)] if self.prescriptions else None

    def known(self, what: Prescription) -> tuple[KnownLine, ...]:
        found: tuple[KnownLine, ...] = self.run(
            self.opened.store.known_lines(TRUST, [], items=[each.id for each in what.lines])
        )
        return found

    def act(self, what: Prescription) -> Act:
        return Act(prescription_id=what.id, by="j.smith", reason="Rang them.", now=self.clock.now())

    @rule(claim=StoreMachine.claims, outcome=st.sampled_from(OUTCOMES), again=st.booleans())
    def record(self, claim: Claim, outcome: TransmitOutcome, again: bool) -> None:  # noqa: FBT001
        """Record what became of a claim that was carried, now or long ago; what never left has no outcome."""
        if self.rows("SELECT 1 FROM attempt WHERE lease = ? AND outcome = 'on_wire'", (claim.lease,)):
            super().record(claim, outcome, again)

    @rule(lines=st.integers(1, 2))
    def accept_for_screening(self, lines: int) -> None:
        what = make_prescription(f"N{self.accepted}", lines=lines, total=2)
        order = make_order(what, state=LineState.AWAITING_SCREENING)
        self.run(self.opened.store.accept(make_acceptance(f"N{self.accepted}", order)))
        self.accepted += 1
        self.prescriptions.append(what)

    @rule(pick=st.integers(0, 9), anew=st.booleans())
    def screen(self, pick: int, anew: bool) -> None:  # noqa: FBT001
        what = self.chosen(pick)
        found = self.run(self.opened.enquiries.screened(what.id)) if what else None
        if what is None or found is None:
            return
        self.acts += 1
        left = replace(what, lines=tuple(one for one in what.lines if one.id in found.waiting))
        message = seal(left, salt=f"screened{self.acts}") if anew or not found.whole else None
        assert self.run(self.opened.store.pass_screening(self.act(what), message)) == ()

    @rule(pick=st.integers(0, 9), whole=st.booleans(), change=st.booleans(), now=st.sampled_from([True, True, False]))
    def cancel(self, pick: int, whole: bool, change: bool, now: bool) -> None:  # noqa: FBT001
        """Cancel or change lines of a prescription as the pipeline does, at once or after something else happened."""
        what = self.chosen(pick)
        if what is None:
            return
        known = self.known(what)
        selected = known if whole else known[:1]
        standing = [(line, changes.stands(line, selected), changes.repeated(line)) for line in selected]
        if change and any(repeated or state is CancelState.TOO_LATE for _, state, repeated in standing):
            return
        self.acts += 1
        new = make_prescription(f"N{self.accepted}", total=2) if change else None
        requests = tuple(self.request(line, state, what, new) for line, state, repeated in standing if not repeated)
        if not requests or any(one.state is CancelState.TOO_LATE for one in requests):
            return
        written = replace(make_acceptance(f"C{self.acts}"), orders=(), cancels=requests)
        if new is not None:
            order = make_order(new)
            waits = tuple(one.line_id for one in requests if one.state is CancelState.ASKED)
            verdict = replace(order.verdict, action=Action.REPLACE)
            written = replace(written, orders=(replace(order, verdict=verdict, waits_for=waits),))
            self.accepted += 1
            if not now:
                self.accepted -= 1
                return
            self.prescriptions.append(new)
        if now:
            self.run(self.opened.store.accept(written))
            self.asked_of(requests)
        else:
            self.written.append(written)

    def request(
        self, line: KnownLine, state: CancelState, what: Prescription, new: Prescription | None
    ) -> CancelRequest:
        return CancelRequest(
            line_id=line.line_id,
            seen=line.before if line.state is LineState.ON_HOLD and line.before else line.state,
            state=state,
            message=make_update(line, what, f"cancel{self.acts}{line.line_id}"),
            replaced_by=new.lines[0].id if new else None,
        )

    def asked_of(self, requests: tuple[CancelRequest, ...]) -> None:
        """Keep for the oracle which order a cancel speaks of: one that is confirmed gives it up."""
        for one in requests:
            rows = self.rows(
                "SELECT message FROM allocation JOIN line ON line.id = line WHERE uuid = ? "
                "ORDER BY allocation.id DESC LIMIT 1",
                (one.line_id.bytes,),
            )
            if rows and one.message is not None and one.state is CancelState.ASKED:
                self.order_of[one.message.id] = UUID(bytes=rows[0][0])

    @rule()
    def send_what_was_written_before(self) -> None:
        """Store a cancel that was judged before other things happened: it is as true as it was, or written anew."""
        while self.written:
            written = self.written.pop()
            try:
                self.run(self.opened.store.accept(written))
            except OvertakenError:
                continue
            self.asked_of(written.cancels)

    @rule(pick=st.integers(0, 9), what=st.sampled_from(DESK))
    def at_the_desk(self, pick: int, what: str) -> None:
        prescription = self.chosen(pick)
        if prescription is None:
            return
        store, act = self.opened.store, self.act(prescription)
        if what in {"send", "drop"}:
            self.run(store.rule(act, Ruling(what)))
            return
        if what == "rescue":
            own = replace(act, line_id=prescription.lines[-1].id)
            self.run(store.rescue(own, Rescue(issue=1 + pick % 3, link="4711", told=bool(pick % 2))))
            return
        self.run({"close": store.close_lines, "answer": store.answer_query, "fail": store.fail_screening}[what](act))

    @rule(pick=st.integers(0, 9), found=st.sampled_from(Whereabouts))
    def resolve(self, pick: int, found: Whereabouts) -> None:
        """Find out what became of a message in doubt: the truth, as the oracle knows it."""
        what = self.chosen(pick)
        if what is None:
            return
        messages = [line.message_id for line in self.known(what) if line.message_id is not None]
        if found is Whereabouts.NEVER_ARRIVED and any(self.may_have(one) for one in messages):
            return
        store = self.opened.store
        self.run(store.resolve_doubt(what.id, found=found, evidence="rang", by="j.smith", now=self.clock.now()))

    @rule(pick=st.integers(0, 9), told=st.booleans())
    def look_for_what_expires(self, pick: int, told: bool) -> None:  # noqa: FBT001
        """See that the validity of one line is over; what follows may come later."""
        found = self.run(self.opened.enquiries.expiring(now=self.clock.now() + LATER))
        if not found:
            return
        one = found[pick % len(found)]
        self.acts += 1
        message = self.notice(one.line_id, one.holder, one.epoch) if told and one.holder else None
        self.expiries.append(Expiry(key=one.key, line_id=one.line_id, seen=one.state, message=message))

    def notice(self, line: UUID, holder: OdsCode, epoch: int) -> SealedMessage:
        what = next(each for each in self.prescriptions if any(one.id == line for one in each.lines))
        (known,) = [one for one in self.known(what) if one.line_id == line][-1:]
        known = replace(known, destination=holder, epoch=epoch)
        return make_update(known, what, f"expired{self.acts}")

    @rule()
    def expire(self) -> None:
        for expiry in self.expiries:
            self.run(self.opened.store.expire(expiry, now=self.clock.now() + LATER))
        self.expiries.clear()

    @rule(days=st.sampled_from([0, 40]))
    def the_clock_turns(self, days: int) -> None:
        self.run(self.opened.store.turn_clock(now=self.clock.now() + timedelta(days=days)))

    @rule(destination=st.sampled_from([PROVIDER, NEXT]), begin=st.booleans())
    def pause(self, destination: OdsCode, begin: bool) -> None:  # noqa: FBT001
        act = self.opened.store.pause if begin else self.opened.store.resume
        self.run(act(destination, kind="operator", by="j.smith", reason="r", now=self.clock.now()))

    @rule(
        event=st.sampled_from(
            [
                LineEvent.CANCEL_CONFIRMED,
                LineEvent.CANCEL_TOO_LATE,
                LineEvent.CANCEL_PENDING,
                LineEvent.HOLD_CONFIRMED,
                LineEvent.RELEASE_CONFIRMED,
                LineEvent.HOLD_REFUSED,
            ]
        ),
        pick=st.integers(0, 9),
    )
    def answer_what_was_asked(self, event: LineEvent, pick: int) -> None:
        """Let a provider answer a request that reached it."""
        asked = self.rows(
            "SELECT DISTINCT message.id, message.destination, message.epoch, message.created_at FROM attempt"
            " JOIN outbox ON outbox.id = attempt.outbox JOIN message ON message.id = outbox.message_id"
            " WHERE message.event = 'prescription-order-update' ORDER BY message.created_at, message.id"
        )
        if asked:
            name, destination, epoch, _ = asked[pick % len(asked)]
            self.speak(UUID(bytes=name), OdsCode(destination), event, epoch)

    @rule(target=StoreMachine.claims, destination=st.sampled_from([PROVIDER, NEXT]))
    def the_worker_goes_round(self, destination: OdsCode) -> Any:
        """Carry what is due to a provider, who takes it."""
        found = self.claim(3, destination)
        for claim in found.values:
            self.put_on_wire(claim)
            self.record(claim, OUTCOMES[0], again=True)
        return found

    @rule(event=st.sampled_from(OFTEN), pick=st.integers(0, 9))
    def answer_an_order(self, event: LineEvent, pick: int) -> None:
        """Let the holder of a line say something of an order that reached it."""
        held = self.rows(
            "SELECT DISTINCT message.id, message.destination, message.epoch, message.created_at FROM attempt"
            " JOIN outbox ON outbox.id = attempt.outbox JOIN message ON message.id = outbox.message_id"
            " JOIN allocation ON allocation.message = message.id AND allocation.ended_at IS NULL"
            " ORDER BY message.created_at, message.id"
        )
        if held:
            name, destination, epoch, _ = held[pick % len(held)]
            self.speak(UUID(bytes=name), OdsCode(destination), event, epoch)

    def speak(self, message: UUID, destination: OdsCode, event: LineEvent, epoch: int) -> None:
        self.answers += 1
        answer = Acknowledgement(
            id=str(self.answers),
            correlation=message,
            reports=(LineReport(line_id=None, event=event),),
            epoch=epoch,
        )
        callback = Callback(
            destination=destination, received_at=self.clock.now(), content_type="", body=answer.id.encode()
        )
        result = self.run(self.opened.store.acknowledge(callback, answer, ()))
        self.note(message, event)
        self.last, self.applied = (callback, answer), result.effect is Effectiveness.APPLIED

    @invariant()
    def a_doubt_is_never_forgotten(self) -> None:
        """A line in doubt is ready again only where a person found out that it never arrived."""
        ready = self.rows(
            "SELECT line.id FROM line JOIN event AS last ON last.seq = (SELECT max(seq) FROM event"
            " WHERE event.line = line.id AND moved = 1 AND state_before = 'UNCERTAIN')"
            " WHERE line.state = 'READY' AND last.state_after = 'READY'"
            " AND last.event NOT IN ('never_had_it', 'reroute', 'revoked_for_reroute')"
        )
        assert ready == []

    @invariant()
    def what_is_written_from_the_documents_holds(self) -> None:
        found = broken(self.opened.raw, hashes=False)
        assert not found, found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_no_order_of_acts_breaks_what_another_relies_on(engine: str) -> None:
    run_state_machine_as_test(
        type("Machine", (EverythingMachine,), {"engine": engine}),
        settings=settings(
            max_examples=EXAMPLES[engine],
            stateful_step_count=STEPS[engine],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
