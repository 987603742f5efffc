"""The steps that one order goes through, from what was read to what may be sealed.

Source: brief D1, D2, D9; mapping.md 2.3, 10.3.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldKind, HoldState
from gateway.domain.issue import Effect, Issue, held, refused
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.message import FhirMessage
from gateway.domain.partner import OnConflict, Provider
from gateway.domain.prescription import Prescription
from gateway.domain.routing import choose_destination
from gateway.domain.signature import PrescriberVerdict
from gateway.domain.submission import Action, Change, Order, OrderVerdict, Outcome, Reading, Submission
from gateway.domain.validity import not_valid_after
from gateway.pipeline import holding
from gateway.pipeline.changes import (
    LineCancel,
    find,
    is_over,
    is_under,
    least_certain,
    linked,
    repeated,
    stands,
    told,
    tombstones,
)
from gateway.pipeline.questions import QUESTIONS, answered
from gateway.pipeline.signature import judge
from gateway.pipeline.surroundings import Surroundings, faults_of
from gateway.pipeline.translation import TranslatedOrder
from gateway.ports.acceptance import KnownLine
from gateway.translate.to_fhir.cancel import Cancelled, write_cancel
from gateway.translate.to_fhir.hold import Held, write_hold
from gateway.translate.to_fhir.message import write
from gateway.validate.check import check

TASKS = frozenset({Action.RENEWAL_REQUEST, Action.PATIENT_UPDATE, *QUESTIONS})
"""What leads to a task, and never to a prescription. A question is one that its answer ends (DECISIONS 0045)."""


def distinct(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """Give each issue once, in the order in which they came."""
    return tuple(dict.fromkeys(issues))


class Steps:
    """The steps one order goes through; they share the submission's surroundings."""

    def __init__(
        self, submission: Submission, reading: Reading, known: Sequence[KnownLine], around: Surroundings
    ) -> None:
        self._submission = submission
        self._reading = reading
        self._known = known
        self._around = around
        self._trust = around.trusts[submission.tenant]

    def carry(self, order: Order) -> TranslatedOrder:
        """Carry one order as far as it may go."""
        if order.action is Action.CANCEL:
            return self._cancel(order)
        if order.action is Action.REPLACE:
            return self._replace(order)
        order = self._resumed(order)
        if order.action in holding.KINDS:
            return self._hold(order)
        if order.action in TASKS:
            return self._task(order)
        if any(issue.code == "ACTION_UNSUPPORTED" for issue in order.issues):
            # What it asks for is not known, so nothing is to be said of numbers it may have meant to name again.
            return self._done(order, issues=order.issues, supersedes=())
        issues, superseded = self._against_known(order)
        return self._carry(order.with_issues(issues), superseded)

    def _cancel(self, order: Order) -> TranslatedOrder:
        """Cancel what is held here; ask for what may have left; bury what is not known (mapping.md 10.3)."""
        found = find(order, self._known)
        order = replace(order, issues=(*order.issues, *found.issues))
        if refused((*self._reading.issues, *order.issues)):
            return self._done(order, issues=order.issues, supersedes=())
        cancels = self._cancels(order, (*found.lines, *found.proposed))
        stones = tombstones(order, found)
        location = order.change.location if order.change else ""
        unknown = [number.location for number in found.absent] or ([] if found.lines else [location])
        text = "No order is known here under this number. If it comes, it is cancelled and nothing is sent."
        absent = [Issue(code="CANCEL_ORDER_UNKNOWN", location=place, text=text) for place in unknown]
        issues = distinct((*order.issues, *told(cancels, location, replacing=False), *absent))
        states = [*(one.state for one in cancels), *([CancelState.TOMBSTONE] if absent else [])]
        outcome = Outcome.REFUSED if refused(issues) else Outcome.HELD if absent else Outcome.TRANSLATED
        done = self._done(replace(order, issues=issues), issues=issues, supersedes=())
        first = found.lines[0] if found.lines else None
        verdict = replace(
            done.verdict,
            outcome=outcome,
            cancel=least_certain(states),
            prescription_id=first.prescription_id if first else None,
            prescription_number=str(first.prescription.number) if first and first.prescription else "",
        )
        if outcome is Outcome.REFUSED:
            return replace(done, verdict=verdict)
        return replace(done, verdict=verdict, cancels=cancels, tombstones=stones)

    def _replace(self, order: Order) -> TranslatedOrder:
        """Cancel the old and send the new, which waits until the cancel is confirmed or was not needed."""
        found = find(order, self._known)
        text = "No order is known here under this number; a change needs one. Send a new order."
        unknown = [number.location for number in found.absent] or ([] if found.lines else [_location(order)])
        absent = tuple(Issue(code="ORDER_UNKNOWN", location=place, text=text) for place in unknown)
        cancels = self._cancels(order, found.lines)
        news = told(cancels, _location(order), replacing=True)
        order = replace(order, issues=distinct((*order.issues, *found.issues, *absent, *news)))
        if order.prescription is not None and found.lines:
            prescription, rows = linked(order.prescription, found.lines)
            order = replace(order, prescription=prescription, trace=(*order.trace, *rows))
        carried = self._carry(order, found.proposed)
        if carried.verdict.outcome is not Outcome.TRANSLATED:
            return carried
        state = least_certain([one.state for one in cancels])
        return replace(carried, verdict=replace(carried.verdict, cancel=state), cancels=cancels)

    def _resumed(self, order: Order) -> Order:
        """Take an order that stands as active, and is on hold here, as its release: only where it is the same order."""
        same = holding.resumed(order, self._known) if order.standing and order.action is Action.NEW else None
        if same is None:
            return order
        change = Change(orders=order.numbers, location=order.numbers[0].location)
        if same:
            return replace(order, action=Action.RELEASE, change=change, prescription=None)
        text = "The order under this number is on hold, and differs from this one. Release it as it is, or cancel it."
        issue = Issue(code="ORDER_REUSED", location=change.location, text=text)
        return replace(order, issues=(*order.issues, issue))

    def _task(self, order: Order) -> TranslatedOrder:
        """Answer a question from what is known now (mapping.md 4.1); of any other task there is nothing to look up."""
        standings, faults = answered(order, self._known) if order.action in QUESTIONS else ((), ())
        issues = (*order.issues, *faults)
        done = self._done(replace(order, issues=issues), issues=issues, supersedes=())
        if done.verdict.outcome is Outcome.REFUSED:
            return done
        return replace(done, verdict=replace(done.verdict, standings=standings))

    def _hold(self, order: Order) -> TranslatedOrder:
        """Hold or release what is here; ask for what a provider has (mapping.md 4.1 and 10.2)."""
        kind = holding.KINDS[order.action]
        found = find(order, self._known)
        order = replace(order, issues=(*order.issues, *found.issues))
        if refused((*self._reading.issues, *order.issues)):
            return self._done(order, issues=order.issues, supersedes=())
        holds = tuple(self._hold_of(order, line, found.lines, kind) for line in found.lines)
        issues = distinct((*order.issues, *holding.told(holds, found, kind, _location(order))))
        done = self._done(replace(order, issues=issues), issues=issues, supersedes=())
        if refused(issues):
            return done
        first = found.lines[0]
        verdict = replace(
            done.verdict,
            hold=holding.least_certain(holds),
            prescription_id=first.prescription_id,
            prescription_number=str(first.prescription.number) if first.prescription else "",
        )
        possible = tuple(one for one in holds if one.state is not HoldState.REFUSED)
        return replace(done, verdict=verdict, holds=possible)

    def _hold_of(
        self, order: Order, line: KnownLine, selected: Sequence[KnownLine], kind: HoldKind
    ) -> holding.LineHold:
        prescription = line.prescription
        over = prescription is not None and not_valid_after(prescription) < self._submission.received_at
        one = holding.stands(kind, line, selected, self._known, expired=over)
        if one.state is not HoldState.ASKED or one.repeated:
            return one
        provider = self._around.routing.providers.get(line.destination) if line.destination else None
        carries = provider is not None and self._around.destinations[provider.ods].promises.holds
        if provider is None or prescription is None or line.message_id is None or not carries:
            why = "The provider's system takes no holds and releases from here: ring them."
            return replace(one, state=HoldState.REFUSED, why=why)
        held = Held(
            prescription=prescription,
            line_id=line.line_id,
            order_message=line.message_id,
            change=order.change or Change(),
            kind=kind,
        )
        written = write_hold(
            held,
            submission=self._submission,
            envelope=self._reading.envelope,
            provider=provider,
            environment=self._around.environment,
            organisation=self._around.organisation,
            reference_release=self._around.reference.release,
        )
        # One that breaks a rule is not sealed; the store then tells a person that it was not sent.
        faults = faults_of(written, self._around)
        return replace(one, message=None if faults else written, provider=provider, faults=tuple(faults))

    def _cancels(self, order: Order, lines: Sequence[KnownLine]) -> tuple[LineCancel, ...]:
        out = []
        for line in lines:
            provider = self._around.routing.providers.get(line.destination) if line.destination else None
            state = stands(line, lines)
            message: FhirMessage | None = None
            faults: tuple[Issue, ...] = ()
            wanted = line.state not in TERMINAL and state is not CancelState.TOO_LATE and not repeated(line)
            if wanted and line.prescription and line.message_id and provider:
                written = self._write_cancel(order, line, line.prescription, line.message_id, provider)
                # A cancel that breaks a rule is not sealed; the store then tells a person that it was not sent.
                faults = faults_of(written, self._around)
                message = None if faults else written
            one = LineCancel(
                line=line, state=state, message=message, provider=provider, repeated=repeated(line), faults=faults
            )
            out.append(one)
        return tuple(out)

    def _write_cancel(
        self, order: Order, line: KnownLine, prescription: Prescription, order_message: UUID, provider: Provider
    ) -> FhirMessage:
        cancelled = Cancelled(
            prescription=prescription,
            line_id=line.line_id,
            order_message=order_message,
            change=order.change or Change(),
        )
        return write_cancel(
            cancelled,
            submission=self._submission,
            envelope=self._reading.envelope,
            provider=provider,
            environment=self._around.environment,
            organisation=self._around.organisation,
            reference_release=self._around.reference.release,
        )

    def _carry(self, order: Order, superseded: tuple[KnownLine, ...]) -> TranslatedOrder:
        """Carry an order that has its prescription."""
        whole = (*self._reading.issues, *order.issues)
        prescription = order.prescription
        if prescription is None or refused(whole):
            return self._done(order, issues=order.issues, supersedes=superseded)
        provider = choose_destination(
            prescription,
            self._submission.tenant,
            self._around.environment,
            self._around.routing,
            location=order.provider_location,
        )
        if isinstance(provider, Issue):
            signature = self._judge(prescription, None)
            found = self._check(order, None, signature)
            done = self._done(order, issues=(*order.issues, provider, *found), supersedes=superseded)
            return _with_verdict(done, signature)
        message = self._write(order, prescription, provider)
        signature = self._judge(prescription, message)
        destination = self._around.destinations[provider.ods]
        found = (
            *destination.cannot_carry(prescription),
            *self._check(order, message, signature),
            *self._accounted(),
        )
        done = self._done(order, issues=(*order.issues, *found), supersedes=superseded)
        done = _with_verdict(done, signature)
        if done.verdict.outcome is not Outcome.TRANSLATED:
            return replace(done, provider=provider)
        rendered = destination.render(prescription, message.body)
        return replace(done, message=message, provider=provider, rendered=rendered)

    def _done(self, order: Order, *, issues: tuple[Issue, ...], supersedes: tuple[KnownLine, ...]) -> TranslatedOrder:
        issues = distinct(issues)
        prescription = order.prescription
        verdict = OrderVerdict(
            outcome=self._outcome(order, issues),
            action=order.action,
            numbers=order.numbers,
            issues=issues,
            prescription_id=prescription.id if prescription else None,
            prescription_number=str(prescription.number) if prescription else "",
        )
        return TranslatedOrder(
            verdict=verdict, order=order, prescription=prescription, trace=order.trace, supersedes=supersedes
        )

    def _outcome(self, order: Order, issues: tuple[Issue, ...]) -> Outcome:
        whole = (*self._reading.issues, *issues)
        if refused(whole):
            return Outcome.REFUSED
        if held(whole):
            contradicts = any(issue.effect is Effect.HOLD_SOURCE for issue in whole)
            return Outcome.REFUSED if contradicts and self._trust.on_conflict is OnConflict.REFUSE else Outcome.HELD
        return Outcome.TASK if order.action in TASKS else Outcome.TRANSLATED

    def _write(self, order: Order, prescription: Prescription, provider: Provider) -> FhirMessage:
        return write(
            prescription,
            submission=self._submission,
            envelope=self._reading.envelope,
            trace=order.trace,
            provider=provider,
            environment=self._around.environment,
            organisation=self._around.organisation,
            reference_release=self._around.reference.release,
        )

    def _judge(self, prescription: Prescription, message: FhirMessage | None) -> PrescriberVerdict | None:
        if prescription.signature is None:
            return None
        return judge(self._submission, prescription, message, self._around.evidence(), self._around.fhir_xml)

    def _check(
        self, order: Order, message: FhirMessage | None, signature: PrescriberVerdict | None
    ) -> tuple[Issue, ...]:
        return check(
            order,
            order.prescription,
            message,
            trust=self._trust,
            reference=self._around.reference,
            now=self._submission.received_at,
            fhir=self._around.fhir,
            signature=signature,
        )

    def _accounted(self) -> tuple[Issue, ...]:
        """Hold what the reader could not account for: the count must be zero before anything is sealed (D1)."""
        return tuple(
            Issue(code="FIELD_NOT_UNDERSTOOD", location=source, text="This value was not read.")
            for source in self._reading.unaccounted
        )

    def _against_known(self, order: Order) -> tuple[tuple[Issue, ...], tuple[KnownLine, ...]]:
        """Compare with what is already held under the same order and group numbers.

        A new order under a known number is refused, unless the known line is held and was never sent: then it is the
        correction that the hold was waiting for (mapping.md 10.2). That holds of an order that is over too: a copy of
        it, by whatever door, revives nothing that somebody was told is cancelled (H24). A prescription does not grow
        once it was taken: its number is its name, and the message that bears it is sealed.
        """
        if order.action is not Action.NEW:
            return (), ()
        numbers = {number.trust_number: number for number in order.numbers}
        open_lines = [line for line in self._known if line.state not in TERMINAL]
        same = [line for line in open_lines if (one := numbers.get(line.order_number)) and is_under(line, one)]
        group = [line for line in self._known if order.group_number and line.group_number == order.group_number]
        location = order.numbers[0].location if order.numbers else ""
        issues = [
            Issue(
                code="ORDER_REUSED",
                location=numbers[line.order_number].location,
                text="This order number is already in use for an order that was accepted.",
            )
            for line in same
            if line.state is not LineState.HELD
        ]
        issues += [
            Issue(
                code="ORDER_REUSED",
                location=number.location,
                text=f"The order under this number is over ({line.state.lower()}). A new one needs its own number.",
            )
            for line in self._known
            if (number := numbers.get(line.order_number)) and is_over(line) and is_under(line, number)
        ]
        if any(_differ(line.nhs_number, order.nhs_number) for line in group):
            text = "The group number is in use for another patient."
            issues.append(Issue(code="GROUP_PATIENT_MISMATCH", location=location, text=text))
        elif any(line in open_lines and line.order_number not in numbers for line in group):
            text = "The group number is in use for other orders. Send all orders of a prescription in one message."
            issues.append(Issue(code="ORDER_REUSED", location=location, text=text))
        return tuple(issues), tuple(line for line in same if line.state is LineState.HELD)


def _with_verdict(order: TranslatedOrder, verdict: PrescriberVerdict | None) -> TranslatedOrder:
    """Keep the verdict with the signature it is about, for the store and the console."""
    value = order.prescription
    if verdict is None or value is None or value.signature is None:
        return order
    signature = replace(value.signature, verdict=verdict.words)
    return replace(order, signature=verdict, prescription=replace(value, signature=signature))


def _location(order: Order) -> str:
    return order.change.location if order.change else ""


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)
