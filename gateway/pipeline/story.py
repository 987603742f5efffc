"""THE STORY. What happens to a prescription, in the order in which it happens.

`receive` is the way in, `acknowledge` the provider's answer coming back, `compose` what the trust is then told. The
worker sends in between. Every step called here is pure or a port; no step calls another.

Source: brief D2, D3; house-style.md 6.
"""

from collections.abc import Mapping
from typing import Final

from gateway.destination import Unrecognised
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.errors import Refusal, Unavailable
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.submission import Answer, Envelope, Outcome, Reading, Submission, Verdict
from gateway.pipeline import own_faults, reports, word
from gateway.pipeline.accepting import MAKES_LINES, Accepting
from gateway.pipeline.admission import Admission
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import clash, read, translate
from gateway.pipeline.translation import Translation
from gateway.ports.acceptance import (
    Acceptance,
    KnownLine,
    OvertakenError,
    Refused,
    StoredAnswer,
)
from gateway.ports.callback import Callback, CallbackResult, Effectiveness
from gateway.ports.clock import Clock
from gateway.ports.joining import Joining
from gateway.ports.sealer import Sealer
from gateway.ports.store import Store
from gateway.ports.work import News
from gateway.translate.formats import FORMATS
from gateway.translate.to_acknowledgement import hl7v2

_LOOKS: Final = 5
"""How often a submission is judged anew when what it refers to moved between the look and the commit."""
KEPT_BYTES: Final = 1 << 20
"""Input that cannot be stored as a submission is kept whole up to one MiB, beyond that as length and digest."""


class Pipeline:
    """The gateway's verbs.

    Args:
        store: where everything commits.
        sealer: the gateway's seal.
        around: configuration and reference tables.
        clock: the time of callbacks.
        admission: whether there is room for new work.
        joining: the other nodes, which are told what was committed; None if there are none.
    """

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        around: Surroundings,
        clock: Clock,
        admission: Admission | None = None,
        joining: Joining | None = None,
    ) -> None:
        self._store = store
        self._accepting = Accepting(sealer, around)
        self._around = around
        self._clock = clock
        self._admission = admission or Admission()
        self._joining = joining

    async def receive(self, submission: Submission) -> Answer:
        """Take a submission and answer it in the sender's own format.

        The answer is durable before it is returned (I1); a repeat gets the first answer byte for byte (I6).

        Raises:
            Unavailable: nothing was stored, or there is no room for new work; the same bytes may be sent again.
        """
        if reports.is_provider(submission.tenant, self._around):
            return await self._report(submission)
        try:
            reading = read(submission, self._around)
        except Refusal as refusal:
            return await self.refuse_unread(submission, *refusal.issues)
        envelope = reading.envelope
        taken: tuple[Issue, ...] = ()
        for look in range(_LOOKS):
            known = await self._look_up(submission, reading)
            if isinstance(known, StoredAnswer):
                return await self._repeat_or_clash(submission, envelope, known.digest, known.answer)
            if look == 0 and any(order.action in MAKES_LINES for order in reading.orders):
                self._admission.let_in(submission.tenant)
            translation = translate(submission, reading, known, self._around, taken)
            if not translation.verdict.stored:
                return await self._refuse_envelope(submission, envelope, translation.verdict)
            acceptance = self._acceptance(submission, translation)
            try:
                stored = await self._store.accept(acceptance)
            except OvertakenError:
                continue
            except Refusal as refusal:
                # A number in it is in use under another name, or was taken between our look and our commit.
                taken = refusal.issues
                continue
            own_faults.log(submission, translation)
            self._tell_of(acceptance)
            return await self._repeat_or_clash(submission, envelope, stored.digest, stored.answer)
        raise Unavailable("the store refused a submission that asks for nothing")

    async def _look_up(self, submission: Submission, reading: Reading) -> StoredAnswer | tuple[KnownLine, ...]:
        """Look up the message's answer if it came before, else what its trust has under everything it names.

        Of a prescription that is on hold the lines beside those that are named are looked up too.
        """
        changes = [order.change for order in reading.orders if order.change is not None]
        own = [number.trust_number for order in reading.orders for number in order.numbers]
        known = await self._store.look_up(
            submission.tenant,
            reading.envelope.control_id,
            [*own, *(number.trust_number for change in changes for number in change.orders)],
            [order.group_number for order in reading.orders if order.change is None],
            items=[item for change in changes for item in change.items],
            prescriptions=[change.prescription_id for change in changes if change.prescription_id is not None],
        )
        if isinstance(known, StoredAnswer):
            return known
        held = [line.prescription for line in known if line.state is LineState.ON_HOLD and line.prescription]
        beside = {one.id for prescription in held for one in prescription.lines} - {line.line_id for line in known}
        return (
            (*known, *await self._store.known_lines(submission.tenant, [], items=sorted(beside))) if beside else known
        )

    async def _report(self, submission: Submission) -> Answer:
        """Take what a provider reports in HL7 v2: tie each supply to its line, and treat it as any other answer."""
        callback = Callback(
            destination=submission.tenant,
            received_at=submission.received_at,
            content_type=submission.content_type,
            body=submission.body,
        )
        try:
            report = reports.read(submission, self._around)
        except Refusal as refusal:
            await self._store.acknowledge(callback, None, refusal.issues)
            return hl7v2.unreadable(submission.body, refusal.issues)
        if reports.faulty(report):
            await self._store.acknowledge(callback, None, report.issues)
            return hl7v2.answer_report(submission, report.envelope, reports.verdict(report, ()))
        told = []
        for supplied in report.said:
            known = await self._store.allocated_lines(submission.tenant, [supplied.number.trust_number])
            tied = reports.tie(report, supplied, known)
            result = await self._acknowledge(callback, tied.answer, ())
            told.append((tied, _kept_why(tied, result)))
        return hl7v2.answer_report(submission, report.envelope, reports.verdict(report, told))

    async def refuse_unread(self, submission: Submission, *issues: Issue) -> Answer:
        """Answer and keep apart what could not be read, or was too large to be."""
        await self._keep_apart(submission, Refused.UNREADABLE, issues)
        return FORMATS[submission.format].unreadable(submission.body, issues)

    async def acknowledge(self, callback: Callback, headers: Mapping[str, str]) -> CallbackResult:
        """Take a provider's answer: read it by its adapter, store it whatever it says, move what it may move.

        Raises:
            Unavailable: nothing was stored; the provider should send it again.
            KeyError: no such destination; the door checks that first.
        """
        destination = self._around.destinations[callback.destination]
        try:
            answer = destination.read_acknowledgement(headers, callback.body)
        except Exception:  # noqa: BLE001 - plug-in code; whatever it raises, the callback is kept and a person is told
            answer = Unrecognised(
                issues=(Issue(code="UNREADABLE", location="", text="The adapter could not read this answer."),)
            )
        if isinstance(answer, Unrecognised):
            return await self._store.acknowledge(callback, None, answer.issues)
        return await self._acknowledge(callback, _plain(answer), answer.issues)

    async def _acknowledge(
        self, callback: Callback, answer: Acknowledgement | None, issues: tuple[Issue, ...]
    ) -> CallbackResult:
        result = await self._store.acknowledge(callback, answer, issues)
        if self._joining is not None and answer is not None and result.effect is Effectiveness.APPLIED:
            self._joining.announce(word.LOOK)
            self._joining.publish(*word.moved_by(answer))
        return result

    def _tell_of(self, acceptance: Acceptance) -> None:
        """Tell the other nodes, which costs this one no time, what was just committed."""
        if self._joining is not None:
            self._joining.announce(*word.due(acceptance))
            self._joining.publish(*word.moved(acceptance))

    def compose(self, news: News) -> tuple[bytes, str]:
        """Write what a trust is to be told, in the format it spoke. Pure; gives the bytes and their media type."""
        form = FORMATS[news.submission.format]
        return form.status(news), form.status_type

    async def _repeat_or_clash(self, submission: Submission, envelope: Envelope, digest: str, answer: Answer) -> Answer:
        if digest == submission.digest:
            return answer
        verdict = clash(submission)
        refusal = FORMATS[submission.format].answer(submission, envelope, verdict)
        await self._keep_apart(submission, Refused.CLASH, verdict.issues, refusal, envelope.control_id)
        return refusal

    async def _refuse_envelope(self, submission: Submission, envelope: Envelope, verdict: Verdict) -> Answer:
        refusal = FORMATS[submission.format].answer(submission, envelope, verdict)
        await self._keep_apart(submission, Refused.UNREADABLE, verdict.issues, refusal, envelope.control_id)
        return refusal

    async def _keep_apart(
        self,
        submission: Submission,
        why: Refused,
        issues: tuple[Issue, ...],
        answer: Answer | None = None,
        control_id: str = "",
    ) -> None:
        self._admission.keep()
        small = len(submission.body) <= KEPT_BYTES
        await self._store.keep_apart(submission, why, issues, keep_bytes=small, answer=answer, control_id=control_id)

    def _acceptance(self, submission: Submission, translation: Translation) -> Acceptance:
        orders = tuple(
            self._accepting.accepted(submission, translation.envelope, order)
            for order in translation.orders
            if order.verdict.outcome in {Outcome.TRANSLATED, Outcome.HELD} and order.order.action in MAKES_LINES
        )
        cancels = [
            self._accepting.cancel(submission, translation.envelope, order, one)
            for order in translation.orders
            for one in order.cancels
            if not one.repeated
        ]
        return Acceptance(
            submission=submission,
            envelope=translation.envelope,
            verdict=translation.verdict,
            answer=FORMATS[submission.format].answer(submission, translation.envelope, translation.verdict),
            orders=orders,
            cancels=tuple(cancels),
            holds=tuple(
                self._accepting.held(submission, translation.envelope, order, one)
                for order in translation.orders
                for one in order.holds
                if not one.repeated
            ),
            notices=tuple(
                order.order.notice
                for order in translation.orders
                if order.verdict.outcome is Outcome.TASK and order.order.notice is not None
            ),
            tombstones=tuple(stone for order in translation.orders for stone in order.tombstones),
            leftovers=translation.leftovers,
        )


def _kept_why(tied: reports.Tied, result: CallbackResult) -> tuple[Issue, ...]:
    """Say why a supply moved nothing; nothing where it did, or had before."""
    if result.effect is not Effectiveness.KEPT:
        return ()
    return tied.issues or (reports.unbound(tied.supplied, "; ".join(result.reasons) or "It moved nothing."),)


def _plain(answer: Acknowledgement) -> Acknowledgement | None:
    """An answer with any word we do not know moves nothing: it is stored as unread, with its issues."""
    return None if answer.issues else answer
