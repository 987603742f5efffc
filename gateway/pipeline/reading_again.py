"""Reading stored bytes once more by today's rules and maps: what would be made of them now. Nothing is stored or sent.

What the bytes themselves brought about is left out of what is known, so that they are not taken for a repetition of
themselves; everything else stands as it does now. So a cancel, a hold or a change may be judged otherwise than it was:
the orders it names have moved on since.

Source: console.md 6.7 (read again); reliability-security.md I15.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.errors import Refusal
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import Outcome, Submission
from gateway.pipeline import reports
from gateway.pipeline.surroundings import Surroundings
from gateway.pipeline.translate import read, translate
from gateway.pipeline.translation import Translation
from gateway.ports.acceptance import KnownLine


class Known(Protocol):
    """The part of the store that is asked."""

    async def known_lines(
        self,
        tenant: OdsCode,
        order_numbers: Sequence[str],
        group_numbers: Sequence[str] = (),
        *,
        items: Sequence[UUID] = (),
        prescriptions: Sequence[UUID] = (),
    ) -> tuple[KnownLine, ...]:
        """Give the lines a trust has under these numbers, item ids or prescription ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What would be made of the bytes now.

    Attributes:
        translation: None where not even the envelope can be read; `issues` then says why.
        reference: release of the product tables it was read by.
    """

    outcome: Outcome
    issues: tuple[Issue, ...]
    translation: Translation | None
    reference: str


class ReadAgain:
    """Reads again, beside the pipeline.

    Args:
        store: what is known of orders.
        around: the configuration and tables in force.
    """

    def __init__(self, store: Known, around: Surroundings) -> None:
        self._store = store
        self._around = around

    def may(self, tenant: OdsCode) -> bool:
        """Tell whether a partner is one whose submissions are read: a trust of the configuration in force."""
        return tenant in self._around.trusts and not reports.is_provider(tenant, self._around)

    async def read(self, submission: Submission, own: frozenset[UUID]) -> Again:
        """Read a submission again.

        Args:
            submission: as it was received, and when.
            own: ids of the prescriptions that it brought about.

        Raises:
            KeyError: its trust is not in the configuration in force.
            Unavailable: the store cannot be asked.
        """
        reference = self._around.reference.release
        try:
            reading = await asyncio.to_thread(read, submission, self._around)
        except Refusal as refusal:
            return Again(outcome=Outcome.REFUSED, issues=refusal.issues, translation=None, reference=reference)
        changes = [order.change for order in reading.orders if order.change is not None]
        numbers = [number.trust_number for order in reading.orders for number in order.numbers]
        known = await self._store.known_lines(
            submission.tenant,
            [*numbers, *(number.trust_number for change in changes for number in change.orders)],
            [order.group_number for order in reading.orders if order.change is None],
            items=[item for change in changes for item in change.items],
            prescriptions=[change.prescription_id for change in changes if change.prescription_id is not None],
        )
        others = tuple(line for line in known if line.prescription_id not in own)
        translation = await asyncio.to_thread(translate, submission, reading, others, self._around)
        verdict = translation.verdict
        return Again(outcome=verdict.outcome, issues=verdict.issues, translation=translation, reference=reference)
