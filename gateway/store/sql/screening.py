"""What waits for a pharmacist's check, and what the check is made from.

Source: console.md 6.4.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription
from gateway.ports.screening import EarlierOrder, Screening, ToScreen
from gateway.store.document import decode
from gateway.store.sql.instants import instant
from gateway.store.sql.transaction import Reader, Row

T = TypeVar("T")

_WAITING: Final = """
SELECT prescription.uuid, prescription.number, prescription.tenant, prescription.received_at, prescription.document,
    line.act_by, line.urgency, line.product_display, prescription.id
FROM line JOIN prescription ON prescription.id = line.prescription
WHERE line.state = 'AWAITING_SCREENING' AND (:tenant = '' OR line.tenant = :tenant)
ORDER BY coalesce(line.act_by, 9223372036854775807), line.id LIMIT :most
"""
_ORDER: Final = """
SELECT id, tenant, received_at, document, issues, nhs_number FROM prescription
WHERE uuid = :uuid AND (:tenant = '' OR tenant = :tenant) AND action IN ('new', 'replace') ORDER BY id DESC LIMIT 1
"""
_LINES: Final = "SELECT uuid, state, act_by FROM line WHERE prescription = ? ORDER BY id"
_EARLIER: Final = """
SELECT id, uuid, received_at, document FROM prescription
WHERE nhs_number = :nhs_number AND tenant = :tenant AND id < :before AND document IS NOT NULL
    AND action IN ('new', 'replace')
ORDER BY id DESC LIMIT 50
"""
_LINES_OF_ONE: Final = 4
"""An order has at most so many (`TOO_MANY_ITEMS`); rows are read for as many orders as are asked for."""


class ScreeningAnswers(ABC):
    """The questions, as `gateway.ports.screening` promises them."""

    @abstractmethod
    async def _ask(self, question: Callable[[Reader], T], tenant: OdsCode | None = None) -> T:
        """Run a question."""

    async def to_screen(self, *, tenant: OdsCode | None, limit: int) -> tuple[ToScreen, ...]:
        """See `gateway.ports.screening.ScreeningReads`."""
        return await self._ask(partial(to_screen, tenant=tenant, limit=limit), tenant)

    async def screening(self, prescription_id: UUID, *, tenant: OdsCode | None) -> Screening | None:
        """See `gateway.ports.screening.ScreeningReads`."""
        return await self._ask(lambda reader: screening(reader, prescription_id, tenant=tenant), tenant)


def to_screen(reader: Reader, *, tenant: OdsCode | None, limit: int) -> tuple[ToScreen, ...]:
    """Give the orders that wait for the check, the one to be acted on first first."""
    values = {"tenant": str(tenant or ""), "most": limit * _LINES_OF_ONE}
    orders: dict[int, list[Row]] = {}
    for row in reader.execute(_WAITING, values):
        orders.setdefault(row[8], []).append(row)
    return tuple(_to_screen(rows) for rows in list(orders.values())[:limit])


def _to_screen(rows: list[Row]) -> ToScreen:
    uuid, number, tenant, received_at, document, act_by, *_ = rows[0]
    return ToScreen(
        prescription_id=UUID(bytes=uuid),
        number=number,
        tenant=OdsCode(tenant),
        received_at=instant(received_at),
        act_by=instant(act_by) if act_by is not None else None,
        urgent=any(row[6] != Urgency.ROUTINE for row in rows),
        patient=_name(document),
        medicines=tuple(row[7] for row in rows),
    )


def _name(document: str | None) -> str:
    """Give the patient's name out of a document without reading all of it."""
    if document is None:
        return ""
    name = msgspec.json.decode(document)["patient"]["name"]
    return " ".join((*name.get("prefix", ()), *name.get("given", ()), name["family"], *name.get("suffix", ())))


def screening(reader: Reader, prescription_id: UUID, *, tenant: OdsCode | None) -> Screening | None:
    """Give one order for its check; None where there is none, it was never completed, or it is not theirs."""
    values = {"uuid": prescription_id.bytes, "tenant": str(tenant or "")}
    row = next(iter(reader.execute(_ORDER, values)), None)
    if row is None or row[3] is None:
        return None
    key, owner, received_at, document, issues, nhs_number = row
    lines = list(reader.execute(_LINES, (key,)))
    limits = [line[2] for line in lines if line[1] == LineState.AWAITING_SCREENING and line[2] is not None]
    asked = {"nhs_number": nhs_number, "tenant": owner, "before": key}
    return Screening(
        prescription_id=prescription_id,
        tenant=OdsCode(owner),
        received_at=instant(received_at),
        prescription=decode(document, Prescription),
        states=_states(lines),
        act_by=instant(min(limits)) if limits else None,
        issues=decode(issues, tuple[Issue, ...]),
        earlier=tuple(_earlier(reader, one) for one in (list(reader.execute(_EARLIER, asked)) if nhs_number else ())),
    )


def _earlier(reader: Reader, row: Row) -> EarlierOrder:
    return EarlierOrder(
        prescription_id=UUID(bytes=row[1]),
        received_at=instant(row[2]),
        prescription=decode(row[3], Prescription),
        states=_states(list(reader.execute(_LINES, (row[0],)))),
    )


def _states(lines: list[Row]) -> dict[UUID, LineState]:
    return {UUID(bytes=line[0]): LineState(line[1]) for line in lines}
