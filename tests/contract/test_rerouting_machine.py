"""The store's machine with re-routes in it: whatever order things happen in, a line never has two providers (I2, I10).

The oracle is the providers' own: which messages may have reached one, and which of those it gave up, as the test itself
carried and said them. The store's fence is not asked.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from gateway.destination import Refused, TransmitOutcome, TryLater
from gateway.domain.acknowledgement import Acknowledgement, LineReport
from gateway.domain.fence import Ground, decide
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.lifecycle import LineEvent
from gateway.domain.message import MessageEvent, SealedMessage
from gateway.domain.reroute import HeldLine, HeldPrescription, Reroute, Revocation, Wanted
from gateway.ports.callback import Callback, Effectiveness
from gateway.ports.work import Claim, WorkKind
from tests.contract.store_engines import ENGINES, PROVIDER, TRUST
from tests.contract.test_store_machine import LIKELY, OUTCOMES, StoreMachine
from tests.factories import MOMENT

NEXT, STRANGER = OdsCode("VNCEL"), OdsCode("VN6XW")
PEOPLE = ("anna", "ben")
GIVES_UP = frozenset(
    {LineEvent.REJECTED, LineEvent.REFUSED_FORMAT, LineEvent.RETURNED, LineEvent.NOT_SUPPLIED, LineEvent.LAST_DELIVERED}
)
REPORTS = [*LIKELY * 4, *[LineEvent.REJECTED, LineEvent.RETURNED, LineEvent.CANCEL_CONFIRMED] * 6, *LineEvent]


_EPOCHS = """
SELECT message.id, message.epoch, max(line.epoch) FROM message
LEFT JOIN allocation ON allocation.message = message.id LEFT JOIN reroute ON reroute.message = message.id
JOIN line ON line.id = coalesce(allocation.line, reroute.line) GROUP BY message.id
"""


EXAMPLES = {"sqlite": 12, "postgres": 2}
STEPS = {"sqlite": 25, "postgres": 12}
"""Each look at the tables of a server is a way there and back."""


class ReroutingMachine(StoreMachine):
    """Two providers that say anything in any order, and two people who move what they have."""

    claims = StoreMachine.claims

    def __init__(self) -> None:
        super().__init__()
        self.flying: dict[tuple[UUID, str], None] = {}
        self.reached: set[UUID] = set()
        self.given_up: set[UUID] = set()
        self.order_of: dict[UUID, UUID] = {}
        self.moves = 0

    def may_have(self, message: UUID) -> bool:
        """Tell whether a provider may hold a message, as far as anybody who carried it knows."""
        return message in self.reached or any(message == one for one, _ in self.flying)

    @rule(target=StoreMachine.claims, room=st.integers(1, 3))
    def claim_for_the_next(self, room: int) -> Any:
        return self.claim(room, NEXT)

    @rule(claim=StoreMachine.claims)
    def put_on_wire(self, claim: Claim) -> None:
        if self.run(self.opened.store.on_wire(claim, now=self.clock.now(), octets=b"news")):
            self.flying[claim.message_id, claim.lease] = None
            self.given_up.discard(claim.message_id)

    @rule(claim=StoreMachine.claims, outcome=st.sampled_from(OUTCOMES), again=st.booleans())
    def record(self, claim: Claim, outcome: TransmitOutcome, again: bool) -> None:  # noqa: FBT001
        flew = (claim.message_id, claim.lease) in self.flying
        self.flying.pop((claim.message_id, claim.lease), None)
        if flew and not isinstance(outcome, TryLater):
            self.reached.add(claim.message_id)
        if flew and isinstance(outcome, Refused):
            self.given_up.add(claim.message_id)
        super().record(claim, outcome, again)

    @rule(
        claim=StoreMachine.claims,
        event=st.sampled_from(REPORTS),
        stranger=st.sampled_from([False] * 6 + [True]),
        epoch=st.sampled_from([None, 0, None, 0, None, 0, 1]),
    )
    def answer(self, claim: Claim, event: LineEvent, stranger: bool, epoch: int | None) -> None:  # noqa: FBT001
        """Answer a message as its own provider does, or as another, or under another epoch."""
        self.answers += 1
        own = claim.destination if claim.kind is WorkKind.DELIVER else PROVIDER
        sealed, now = self.epochs(claim.message_id)
        answer = Acknowledgement(
            id=str(self.answers),
            correlation=claim.message_id,
            reports=(LineReport(line_id=None, event=event),),
            epoch=None if epoch is None else sealed + epoch,
        )
        callback = Callback(
            destination=STRANGER if stranger else own,
            received_at=self.clock.now(),
            content_type="",
            body=answer.id.encode(),
        )
        before = self.states()
        result = self.run(self.opened.store.acknowledge(callback, answer, ()))
        if stranger or epoch == 1 or sealed < now:
            assert result.effect is not Effectiveness.APPLIED
            assert self.states() == before
        elif claim.kind is WorkKind.DELIVER:
            self.note(claim.message_id, event)
        self.last = (callback, answer)
        self.applied = result.effect is Effectiveness.APPLIED

    def note(self, message: UUID, event: LineEvent) -> None:
        """Keep what a provider itself said of a message it has."""
        order = self.order_of.get(message)
        if order is not None:
            if event is LineEvent.CANCEL_CONFIRMED:
                self.given_up.add(order)
        elif event in GIVES_UP:
            self.given_up.add(message)

    @rule(from_first=st.booleans(), pick=st.integers(0, 9), ask=st.booleans())
    def reroute(self, from_first: bool, pick: int, ask: bool) -> None:  # noqa: FBT001
        """Two people give what one provider has to the other, as far as the store lets them."""
        holder, to = (PROVIDER, NEXT) if from_first else (NEXT, PROVIDER)
        held = self.run(self.opened.enquiries.held(provider=holder))
        if not held:
            return
        chosen = held[pick % len(held)]
        if ask:
            self.ask(chosen, to)
            return
        now = self.clock.now()
        verdicts = {line: decide(line.holding, to=to, now=now, people=PEOPLE) for line in chosen.lines}
        lines = [line for line, verdict in verdicts.items() if isinstance(verdict, Ground)] or list(chosen.lines)
        self.give(chosen, lines, to)

    @rule()
    def give_over_what_was_given_up(self) -> None:
        for held in self.run(self.opened.enquiries.revoked()):
            for line in held.lines:
                if line.reroute is not None:
                    self.give(held, [line], line.reroute.wanted.to)

    def give(self, held: HeldPrescription, lines: list[HeldLine], to: OdsCode) -> None:
        self.moves += 1
        epoch = max(line.holding.epoch for line in lines) + 1
        request = Reroute(
            tenant=TRUST,
            seen={line.line_id: line.holding.epoch for line in lines},
            message=self.sealed(MessageEvent.ORDER, to, epoch, tuple(line.line_id for line in lines)),
            wanted=Wanted(to=to, people=PEOPLE, reason="r"),
        )
        before = self.rows("SELECT count(*) FROM allocation"), self.states()
        reasons = self.run(self.opened.store.reroute(request))
        if reasons:
            assert (self.rows("SELECT count(*) FROM allocation"), self.states()) == before
            return
        assert held.tenant == TRUST
        for line in lines:
            assert line.message_id is not None
            assert not self.may_have(line.message_id) or line.message_id in self.given_up, line.holding

    def ask(self, held: HeldPrescription, to: OdsCode) -> None:
        for line in held.lines:
            self.moves += 1
            provider = line.holding.provider or PROVIDER
            message = self.sealed(MessageEvent.UPDATE, provider, max(line.holding.epoch, 1), (line.line_id,))
            wanted = Wanted(to=to, people=PEOPLE, reason="r")
            request = Revocation(
                tenant=TRUST, line_id=line.line_id, epoch=line.holding.epoch, message=message, wanted=wanted
            )
            before = self.states()
            if not self.run(self.opened.store.ask_reroute(request)) and line.message_id is not None:
                self.order_of[message.id] = line.message_id
            assert self.states() == before

    def sealed(self, event: MessageEvent, to: OdsCode, epoch: int, lines: tuple[UUID, ...]) -> SealedMessage:
        return SealedMessage(
            id=derived_id("move", str(self.moves)),
            event=event,
            destination=to,
            line_ids=lines,
            epoch=epoch,
            not_valid_after=MOMENT + timedelta(days=180),
            body=b'{"resourceType":"Bundle"}',
        )

    def epochs(self, message: UUID) -> tuple[int, int]:
        """Give the epoch a message was sealed under, and the highest its lines have now."""
        sealed = {bytes(name): (epoch, line) for name, epoch, line in self.rows(_EPOCHS)}.get(message.bytes)
        return sealed if sealed is not None else (1, 1)

    @invariant()
    def two_live_providers_never(self) -> None:
        """Every allocation but the last has ended, on the record of two people; no epoch stands twice."""
        loose = self.rows(
            "SELECT held.line, held.epoch FROM allocation AS held"
            " WHERE EXISTS (SELECT 1 FROM allocation AS later WHERE later.line = held.line AND later.id > held.id)"
            " AND (held.ended_at IS NULL OR NOT EXISTS (SELECT 1 FROM reroute WHERE reroute.line = held.line"
            " AND reroute.epoch = held.epoch AND reroute.state = 'DONE' AND person <> second_person))"
        )
        assert loose == []

    @invariant()
    def only_the_present_holder_is_sent_orders(self) -> None:
        stray = self.rows(
            "SELECT outbox.id FROM outbox JOIN allocation ON allocation.message = outbox.message_id"
            " JOIN line ON line.id = allocation.line WHERE outbox.state = 'on_wire' AND outbox.lease IS NOT NULL"
            " AND allocation.epoch < line.epoch AND NOT EXISTS (SELECT 1 FROM reroute WHERE reroute.line = line.id"
            " AND reroute.epoch = allocation.epoch AND reroute.ground = 'given_back')"
        )
        assert stray == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_no_order_of_events_gives_a_line_two_providers(engine: str) -> None:
    run_state_machine_as_test(
        type("Machine", (ReroutingMachine,), {"engine": engine}),
        settings=settings(
            max_examples=EXAMPLES[engine],
            stateful_step_count=STEPS[engine],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_the_machine_does_move_lines() -> None:
    """The rules reach what they are for: a line given over after a revocation, and one that never left."""
    machine = ReroutingMachine()
    machine.accept(1, 2, held=False)
    machine.reroute(from_first=True, pick=0, ask=False)
    (claim,) = machine.claim(1, NEXT).values
    machine.put_on_wire(claim)
    machine.record(claim, OUTCOMES[0], again=True)
    machine.answer(claim, LineEvent.ACCEPTED, stranger=False, epoch=0)
    machine.reroute(from_first=False, pick=0, ask=True)
    (asked,) = machine.claim(1, NEXT).values
    machine.put_on_wire(asked)
    machine.record(asked, OUTCOMES[0], again=True)
    machine.answer(asked, LineEvent.CANCEL_CONFIRMED, stranger=False, epoch=0)
    machine.give_over_what_was_given_up()
    grounds = machine.rows("SELECT ground, epoch FROM reroute ORDER BY id")
    machine.teardown()
    assert grounds == [("never_on_wire", 1), ("given_back", 2)]
