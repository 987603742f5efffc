"""Word for the other nodes of what was committed: what is due now, and what moved. Ids and ODS codes only."""

from collections.abc import Iterator
from typing import Final

from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.lifecycle import LineState
from gateway.ports.acceptance import Acceptance
from gateway.ports.joining import Changed, Hint

LOOK: Final = Hint(destination=None)
"""Something may be due, and only the store can tell what."""


def due(acceptance: Acceptance) -> Iterator[Hint]:
    """Give what a submission made due: orders that go at once, cancels and holds, and what its trust is told."""
    ready = (order.message for order in acceptance.orders if order.state is LineState.READY)
    cancels = (cancel.message for cancel in acceptance.cancels)
    holds = (hold.message for hold in acceptance.holds)
    for message in (*ready, *cancels, *holds):
        if message is not None:
            yield Hint(destination=message.destination, messages=(message.id,))
    if acceptance.answer.later is not None:
        yield Hint(destination=acceptance.submission.tenant)


def moved(acceptance: Acceptance) -> Iterator[Changed]:
    """Give the lines that a submission began, replaced, or asked something about."""
    tenant = acceptance.submission.tenant
    for order in acceptance.orders:
        begun = [line.id for line in order.prescription.lines] if order.prescription is not None else []
        yield from (Changed(subject=line, tenant=tenant) for line in (*begun, *order.supersedes))
    asked = (*(cancel.line_id for cancel in acceptance.cancels), *(hold.line_id for hold in acceptance.holds))
    yield from (Changed(subject=line, tenant=tenant) for line in asked)


def moved_by(answer: Acknowledgement) -> Iterator[Changed]:
    """Give what a provider spoke of: its message, and the lines it names. Whose they are only the store knows."""
    named = [report.line_id for report in answer.reports if report.line_id is not None]
    for subject in (*([answer.correlation] if answer.correlation is not None else []), *named):
        yield Changed(subject=subject)
