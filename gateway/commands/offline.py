"""Reads submissions one after another, offline, as the gateway would: with memory of what came before, without keys.

The steps are the pipeline's own; only the store is replaced, by what is remembered here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.domain.cancel import CancelState
from gateway.domain.errors import Refusal
from gateway.domain.hold import HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import Actor, LineState
from gateway.domain.partner import SignaturePolicy, Trust
from gateway.domain.submission import Action, Envelope, Outcome, Reading, Submission, Verdict, WireFormat
from gateway.domain.transition import Ignored, transition
from gateway.pipeline import reports
from gateway.pipeline.holding import LineHold
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import clash, read, translate
from gateway.pipeline.translation import TranslatedOrder, Translation
from gateway.ports.acceptance import KnownLine, Tombstone
from gateway.translate.from_hl7v2.report import Supplied
from gateway.translate.to_fhir.dispense import Dispense, is_supply

NOBODY = OdsCode("XXXXX")
"""The sender, until the message has said who it is."""
_NO_ENVELOPE = Envelope(format=WireFormat.HL7V2, control_id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of one submission.

    Attributes:
        dispenses: what a provider reported as supplied, and `states`, where each line then stands if the provider had
            accepted it: offline nothing is sent, so what it would have answered is taken for granted. Or CANCELLED, of
            an order whose cancel came first: it is taken and nothing of it is sent.
        repeated: it is the same, byte for byte, as an earlier one: the verdict is the earlier one's.
        unaccounted: locators of input values that were neither read nor left over.
    """

    verdict: Verdict
    envelope: Envelope
    translation: Translation | None = None
    unaccounted: tuple[str, ...] = ()
    repeated: bool = False
    dispenses: tuple[Dispense, ...] = ()
    states: tuple[LineState, ...] = ()

    @property
    def orders(self) -> tuple[TranslatedOrder, ...]:
        """The orders as translated; none for a repeat."""
        return self.translation.orders if self.translation and not self.repeated else ()


@dataclass(slots=True)
class Offline:
    """A gateway without doors, store and keys.

    Attributes:
        around: configuration, tables and adapters.
    """

    around: Surroundings
    _answered: dict[tuple[OdsCode, str], tuple[str, Seen]] = field(default_factory=dict)
    _lines: list[tuple[OdsCode, KnownLine]] = field(default_factory=list)
    _stones: list[tuple[OdsCode, Tombstone]] = field(default_factory=list)

    def take(self, submission: Submission) -> Seen:
        """Read one submission and remember it."""
        if reports.is_provider(submission.tenant, self.around):
            return self._report(submission)
        try:
            reading = read(submission, self.around)
        except Refusal as refusal:
            return Seen(verdict=_unread(refusal.issues), envelope=_NO_ENVELOPE)
        key = (submission.tenant, reading.envelope.control_id)
        if key in self._answered:
            digest, earlier = self._answered[key]
            if digest == submission.digest:
                return replace(earlier, repeated=True)
            return Seen(verdict=clash(submission), envelope=reading.envelope)
        seen = self._translate(submission, reading)
        if seen.verdict.stored:
            self._answered[key] = (submission.digest, seen)
            self._lines.extend((submission.tenant, line) for line in _lines_of(seen))
        return seen

    def _report(self, submission: Submission) -> Seen:
        """Read what a provider reports, and follow it for the lines it was sent."""
        try:
            report = reports.read(submission, self.around)
        except Refusal as refusal:
            return Seen(verdict=_unread(refusal.issues), envelope=_NO_ENVELOPE)
        if reports.faulty(report):
            return Seen(verdict=reports.verdict(report, ()), envelope=report.envelope)
        followed = []
        for supplied in report.said:
            known = [line for _, line in self._lines if line.destination == submission.tenant]
            followed.append(self._follow(reports.tie(report, supplied, known)))
        return Seen(
            verdict=reports.verdict(report, [(tied, issues) for tied, issues, _ in followed]),
            envelope=report.envelope,
            dispenses=tuple(
                _dispense(tied, tied.supplied, submission.tenant)
                for tied, issues, _ in followed
                if not issues and isinstance(tied.supplied, Supplied) and is_supply(tied.answer.reports[0].event)
            ),
            states=tuple(state for _, issues, state in followed if state and not issues),
        )

    def _follow(self, tied: reports.Tied) -> tuple[reports.Tied, tuple[Issue, ...], LineState | None]:
        if tied.line is None:
            return tied, tied.issues, None
        event = tied.answer.reports[0].event
        state = LineState.ACCEPTED if tied.line.state is LineState.READY else tied.line.state
        result = transition(state, event, Actor.PROVIDER_SYSTEM)
        if isinstance(result, Ignored):
            return tied, (reports.unbound(tied.supplied, f"{result.reason}."),), None
        self._lines = [
            (tenant, replace(line, state=result.state) if line.line_id == tied.line.line_id else line)
            for tenant, line in self._lines
        ]
        return tied, (), result.state

    def _translate(self, submission: Submission, reading: Reading) -> Seen:
        known = [line for tenant, line in self._lines if tenant == submission.tenant and _is_named(line, reading)]
        translation, buried = self._unburied(submission, translate(submission, reading, known, self.around))
        ended = {line.line_id: LineState.SUPERSEDED for order in translation.orders for line in order.supersedes}
        ended.update(
            (one.line.line_id, LineState.CANCELLED if order.verdict.action is Action.CANCEL else LineState.SUPERSEDED)
            for order in translation.orders
            for one in order.cancels
            if one.state is CancelState.CONFIRMED
        )
        self._lines = [
            (tenant, replace(line, state=ended.get(line.line_id, line.state))) for tenant, line in self._lines
        ]
        self._hold(translation)
        self._stones.extend((submission.tenant, stone) for order in translation.orders for stone in order.tombstones)
        return Seen(
            states=buried,
            verdict=translation.verdict,
            envelope=reading.envelope,
            translation=translation,
            unaccounted=reading.unaccounted,
        )

    def _unburied(self, submission: Submission, translation: Translation) -> tuple[Translation, tuple[LineState, ...]]:
        """Send nothing of an order every line of which was cancelled before it came (I16)."""
        stones = [stone for tenant, stone in self._stones if tenant == submission.tenant]
        orders = tuple(
            replace(order, message=None) if order.message and _is_buried(order, stones) else order
            for order in translation.orders
        )
        buried = [one for one, before in zip(orders, translation.orders, strict=True) if one is not before]
        return replace(translation, orders=orders), tuple(LineState.CANCELLED for _ in buried)

    def _hold(self, translation: Translation) -> None:
        """Remember holds and releases; offline nothing is sent, so each is done at once."""
        done = {one.line.line_id: one for order in translation.orders for one in order.holds if not one.repeated}
        self._lines = [
            (tenant, _held(line, done[line.line_id]) if line.line_id in done else line) for tenant, line in self._lines
        ]


def _is_buried(order: TranslatedOrder, stones: Sequence[Tombstone]) -> bool:
    prescription = order.prescription
    if prescription is None:
        return False
    return all(
        any(
            stone.prescription_id == prescription.id
            or stone.item == line.id
            or (
                stone.order_number == line.order_number
                and (not line.order_assigner or stone.order_assigner in {"", line.order_assigner})
            )
            for stone in stones
        )
        for line in prescription.lines
    )


def _held(line: KnownLine, one: LineHold) -> KnownLine:
    if one.kind is HoldKind.HOLD:
        return replace(line, state=LineState.ON_HOLD, before=line.state)
    return replace(line, state=line.before or line.state, before=None)


def _dispense(tied: reports.Tied, supplied: Supplied, provider: OdsCode) -> Dispense:
    known = tied.line
    if known is None or known.prescription is None:
        raise ValueError("only a supply that is tied to a line can be written")
    line = next(line for line in known.prescription.lines if line.id == known.line_id)
    return Dispense(
        name=supplied.id,
        provider=provider,
        prescription=known.prescription,
        line=line,
        report=tied.answer.reports[0],
    )


def sender_of(submission: Submission, around: Surroundings) -> tuple[OdsCode, Surroundings]:
    """Take the sender in the message at its word.

    Returns:
        The trust, by its own code or that of a site, or a provider that reports in HL7 v2; and surroundings in which
        it is a partner: a trust that is not configured is given the settings every trust begins with, and no code map.
    """
    owners = {ods: trust.ods for trust in around.trusts.values() for ods in (trust.ods, *trust.sites)}
    stated = _stated_sender(submission, _with_partner(around, NOBODY))
    if submission.format is WireFormat.HL7V2 and reports.is_provider(stated, around):
        return stated, around
    if stated in owners:
        return owners[stated], around
    return stated, _with_partner(around, stated)


def _stated_sender(submission: Submission, around: Surroundings) -> OdsCode:
    try:
        return read(replace(submission, tenant=NOBODY), around).envelope.sender or NOBODY
    except Refusal:
        return NOBODY


def _with_partner(around: Surroundings, ods: OdsCode) -> Surroundings:
    trust = Trust(
        ods=ods,
        name="not configured",
        environment=around.environment,
        signature_policy=SignaturePolicy.TRUST_ATTESTED,
    )
    return replace(around, trusts=MappingProxyType({**around.trusts, ods: trust}))


def _unread(issues: tuple[Issue, ...]) -> Verdict:
    return Verdict(outcome=Outcome.REFUSED, issues=issues, stored=False)


def _is_named(line: KnownLine, reading: Reading) -> bool:
    """Tell whether a message names a line, by its order number, its item id, its prescription or its group."""
    changes = [order.change for order in reading.orders if order.change is not None]
    numbers = {number.trust_number for order in reading.orders for number in order.numbers}
    numbers |= {number.trust_number for change in changes for number in change.orders}
    items = {item for change in changes for item in change.items}
    prescriptions = {change.prescription_id for change in changes}
    groups = {order.group_number for order in reading.orders if order.group_number}
    named = line.order_number in numbers or line.line_id in items or line.prescription_id in prescriptions
    return named or line.group_number in groups


def _lines_of(seen: Seen) -> Iterator[KnownLine]:
    """Give what the store would remember of the orders that were taken."""
    for order in seen.orders:
        prescription = order.prescription
        taken = order.verdict.outcome in {Outcome.TRANSLATED, Outcome.HELD}
        if not taken or prescription is None or order.verdict.action not in {Action.NEW, Action.REPLACE}:
            continue
        for line in prescription.lines:
            yield KnownLine(
                line_id=line.id,
                prescription_id=prescription.id,
                order_number=line.order_number,
                product_code=line.product.code.value,
                state=LineState.HELD if order.verdict.outcome is Outcome.HELD else LineState.READY,
                nhs_number=order.order.nhs_number,
                group_number=order.order.group_number,
                prescription=prescription,
                message_id=order.message.id if order.message else None,
                destination=order.provider.ods if order.provider else None,
                proposed=order.verdict.action is Action.REPLACE and order.verdict.outcome is Outcome.HELD,
                order_assigner=line.order_assigner,
            )
