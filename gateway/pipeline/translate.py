"""Bytes to messages, without memory and without keys: every pure step of the story, in order.

Read, know what is already held, choose the destination, write, ask the adapter, check. The seal and the commit follow
in `story`. The same function serves the doors and `gateway translate`.

Source: brief D1, D2, D9; mapping.md 2.3.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.issue import Issue, held, of_the_envelope, refused
from gateway.domain.submission import Order, Outcome, Reading, Submission, Verdict
from gateway.pipeline.signature import with_detached
from gateway.pipeline.steps import Steps, distinct
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translation import TranslatedOrder, Translation
from gateway.ports.acceptance import KnownLine
from gateway.translate.context import ReadingContext
from gateway.translate.formats import FORMATS

LONDON: Final = ZoneInfo("Europe/London")


def read(submission: Submission, around: Surroundings, day: date | None = None) -> Reading:
    """Read a submission in its format.

    Args:
        submission: the bytes and their sender.
        around: configuration and tables.
        day: the London date whose entries of the trust's maps count; that on which it came if it is None.

    Raises:
        Refusal: not even the envelope can be read.
    """
    context = ReadingContext(
        trust=around.trusts[submission.tenant].on(day or submission.received_at.astimezone(LONDON).date()),
        reference=around.reference,
        environment=around.environment,
        receiver_names=around.receiver_names,
        fhir_xml=around.fhir_xml,
    )
    return with_detached(FORMATS[submission.format].read(submission, context), submission)


def translate(
    submission: Submission,
    reading: Reading,
    known: Sequence[KnownLine],
    around: Surroundings,
    taken: tuple[Issue, ...] = (),
) -> Translation:
    """Carry a reading to its verdict.

    Args:
        submission: the bytes and their sender.
        reading: what the reader made of them.
        known: lines this trust already has under the order numbers of the reading.
        around: configuration and tables.
        taken: why the store refused this submission when it was last tried: some number of it is in use.
    """
    steps = Steps(submission, reading, known, around)
    orders = tuple(steps.carry(order.with_issues(taken)) for order in _without_repeats(reading.orders))
    issues = (*reading.issues, *(issue for order in orders for issue in order.verdict.issues))
    verdict = Verdict(
        outcome=_overall(reading, orders),
        issues=distinct(issues),
        orders=tuple(order.verdict for order in orders),
        stored=not of_the_envelope(reading.issues),
    )
    return Translation(envelope=reading.envelope, verdict=verdict, orders=orders, leftovers=reading.leftovers)


def clash(submission: Submission) -> Verdict:
    """Give the verdict on a control id that was used before for other bytes (I6)."""
    issue = Issue(
        code="CONTROL_ID_REUSED",
        location=FORMATS[submission.format].control_id,
        text="This control id was used before for other content. Give a changed message a new control id.",
    )
    return Verdict(outcome=Outcome.REFUSED, issues=(issue,))


def _overall(reading: Reading, orders: Sequence[TranslatedOrder]) -> Outcome:
    outcomes = {order.verdict.outcome for order in orders}
    if refused(reading.issues) or not outcomes or outcomes == {Outcome.REFUSED}:
        return Outcome.REFUSED
    if Outcome.HELD in outcomes or held(reading.issues):
        return Outcome.HELD
    return Outcome.TASK if outcomes == {Outcome.TASK} else Outcome.TRANSLATED


def _without_repeats(orders: Sequence[Order]) -> tuple[Order, ...]:
    """Refuse an order number that stands twice in one message: nobody can say which of the two is meant."""
    seen: set[tuple[str, str]] = set()
    out = []
    for order in orders:
        # RP names the order that its RO replaces, which may keep the number.
        own = [number for number in order.numbers if number.order_control != "RP"]
        repeated = [number for number in own if (number.trust_number, number.assigner) in seen]
        seen.update((number.trust_number, number.assigner) for number in own)
        issues = tuple(
            Issue(code="ORDER_REUSED", location=number.location, text="The order number stands twice in this message.")
            for number in repeated
        )
        out.append(order.with_issues(issues))
    return tuple(out)
