"""What people state about a prescription beside what was sealed: rows that are written once.

The leaf names the kind, the person and the prescription; what was stated it proves by its digest.

Source: mapping.md 0 (10); brief D8.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.ports.stated import FactKind, PaperAwaited, StatedFact
from gateway.store.sql import papers
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.leaves import append_leaf, reason_digest
from gateway.store.sql.transaction import Reader, Transaction

T = TypeVar("T")

_PRESCRIPTION: Final = "SELECT id FROM prescription WHERE uuid = ? AND tenant = ? ORDER BY id DESC LIMIT 1"
_LAST: Final = """
SELECT value, on_day FROM stated_fact WHERE prescription = ? AND kind = ? ORDER BY id DESC LIMIT 1
"""
_INSERT: Final = """
INSERT INTO stated_fact (prescription, kind, value, on_day, stated_by, stated_at, note)
VALUES (:prescription, :kind, :value, :day, :by, :at, :note)
"""
_NUMBER: Final = """
INSERT INTO other_number (value, kind, prescription) VALUES (:value, 'purchase-order', :prescription)
ON CONFLICT (value, kind, prescription) DO NOTHING
"""
_OF: Final = """
SELECT stated_fact.kind, stated_fact.value, stated_fact.on_day, stated_fact.stated_by, stated_fact.stated_at,
    stated_fact.note
FROM stated_fact JOIN prescription ON prescription.id = stated_fact.prescription
WHERE prescription.uuid = :uuid AND (:tenant = '' OR prescription.tenant = :tenant) ORDER BY stated_fact.id LIMIT 200
"""
_STANDS: Final = """
SELECT awaited_paper.act_by FROM prescription JOIN awaited_paper ON awaited_paper.prescription = prescription.id
WHERE prescription.uuid = :uuid AND (:tenant = '' OR prescription.tenant = :tenant)
ORDER BY prescription.id DESC LIMIT 1
"""


def state_fact(transaction: Transaction, prescription: UUID, fact: StatedFact, *, tenant: OdsCode) -> bool:
    """Keep a fact, unless it is what was stated last. Tells whether it is new."""
    row = transaction.row(_PRESCRIPTION, (prescription.bytes, tenant.value))
    day = fact.on.isoformat() if fact.on else None
    if row is None or transaction.row(_LAST, (row[0], fact.kind.value)) == (fact.value, day):
        return False
    values = {"prescription": row[0], "kind": fact.kind.value, "value": fact.value, "day": day, "by": fact.by}
    transaction.run(_INSERT, {**values, "at": stored(fact.at), "note": fact.note})
    if fact.kind is FactKind.PURCHASE_ORDER:
        transaction.run(_NUMBER, {"value": fact.value, "prescription": row[0]})
    else:
        papers.came(transaction, prescription.bytes, tenant.value, fact)
    digest = reason_digest(f"{fact.value}\n{day or ''}\n{fact.note}")
    named = {"of": fact.kind.value, "prescription": str(prescription), "by": fact.by, "value_digest": digest}
    append_leaf(transaction, "stated", at=fact.at, **named)
    return True


def stated_facts(reader: Reader, prescription: UUID, *, tenant: OdsCode | None) -> tuple[StatedFact, ...]:
    """Give what was stated about a prescription, oldest first."""
    rows = reader.execute(_OF, {"uuid": prescription.bytes, "tenant": str(tenant or "")})
    return tuple(
        StatedFact(
            kind=FactKind(kind),
            value=value,
            on=date.fromisoformat(day) if day else None,
            by=by,
            at=instant(at),
            note=note,
        )
        for kind, value, day, by, at, note in rows
    )


def awaited_paper(reader: Reader, prescription: UUID, *, tenant: OdsCode | None) -> PaperAwaited | None:
    """Give where the paper original of a prescription stands; None where none follows it."""
    named = {"uuid": prescription.bytes, "tenant": str(tenant or "")}
    row = next(iter(reader.execute(_STANDS, named)), None)
    if row is None:
        return None
    seen = [one for one in stated_facts(reader, prescription, tenant=tenant) if one.kind is FactKind.PAPER_ORIGINAL]
    return PaperAwaited(act_by=instant(row[0]), registered=seen[-1] if seen else None)


class StatedAnswers(ABC):
    """The questions."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def stated_facts(self, prescription: UUID, *, tenant: OdsCode | None) -> tuple[StatedFact, ...]:
        """See `gateway.ports.stated.StatedReads`."""
        return await self._ask(lambda reader: stated_facts(reader, prescription, tenant=tenant), tenant)

    async def awaited_paper(self, prescription: UUID, *, tenant: OdsCode | None) -> PaperAwaited | None:
        """See `gateway.ports.stated.StatedReads`."""
        return await self._ask(lambda reader: awaited_paper(reader, prescription, tenant=tenant), tenant)


class StatedActs(ABC):
    """The acts."""

    _transaction: Transaction

    @abstractmethod
    async def _run(self, write: Callable[[], T]) -> T:
        """Run a write."""

    async def state_fact(self, prescription: UUID, fact: StatedFact, *, tenant: OdsCode) -> bool:
        """See `gateway.ports.stated.StatedWrites`."""
        return await self._run(partial(state_fact, self._transaction, prescription, fact, tenant=tenant))
