"""How long the medicine of a line lasts, from the rows: what was delivered, what was stated, and what was prescribed.

A line of which nothing was delivered may renew another of the same medicine for the same patient, of which something
was: then that delivery counts, if the dose is the same. What the order table holds of the answer only decides where a
row stands on the list; whoever looks is shown the sum made anew.

Source: console.md 6.1; `gateway.domain.cover`.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from gateway.domain.calendar import LONDON
from gateway.domain.cover import Cover, Grade, Stock, Supplied, cover
from gateway.domain.medicine_risk import risk_class
from gateway.domain.prescription import Homecare, Line, Prescription
from gateway.domain.quantity import Quantity, parse_decimal
from gateway.domain.work_item import KINDS, LEAD_TIME, last_day, measures_slack
from gateway.store.document import decode
from gateway.store.sql.instants import instant
from gateway.store.sql.transaction import Transaction, Values

Ask: TypeAlias = Callable[[str, Values], Iterable[tuple[Any, ...]]]

_LINE: Final = """
SELECT line.uuid, line.product_code, line.tenant, prescription.document, prescription.nhs_number
FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id = ?
"""
_DELIVERED: Final = """
SELECT delivery.issue, delivery.entered_at, coalesce(event.amount, ''), coalesce(event.unit, ''), event.event
FROM delivery LEFT JOIN event ON event.seq = (
    SELECT max(said.seq) FROM event AS said WHERE said.line = delivery.line AND said.at = delivery.entered_at
        AND said.event IN ('delivered', 'last_delivered', 'balance_supplied'))
WHERE delivery.line = :line AND delivery.state = 'DELIVERED' AND (:provider = '' OR delivery.epoch IN (
    SELECT epoch FROM allocation WHERE allocation.line = :line AND allocation.provider = :provider))
ORDER BY delivery.entered_at DESC, delivery.id DESC LIMIT 1
"""
_BEFORE: Final = """
SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
JOIN delivery ON delivery.line = line.id AND delivery.state = 'DELIVERED'
WHERE prescription.nhs_number = :nhs_number AND prescription.nhs_number <> '' AND prescription.tenant = :tenant
    AND line.product_code = :product AND line.product_code <> '' AND line.id <> :line
ORDER BY delivery.entered_at DESC, delivery.id DESC LIMIT 1
"""
_LEAD: Final = """
SELECT lead_time.days FROM line JOIN lead_time ON lead_time.provider = line.provider WHERE line.id = ?
"""
_WAITS: Final = "SELECT 1 FROM line WHERE id = ? AND state IN ('AWAITING_SCREENING', 'QUERIED')"
_OPEN_ALERT: Final = "SELECT 1 FROM alert WHERE line = ? AND closed_at IS NULL LIMIT 1"
_SET_LINE: Final = "UPDATE line SET last_day = :day, risk = :risk WHERE id = :line"
_SET_ALERTS: Final = """
UPDATE alert SET last_day = :day WHERE line = :line AND closed_at IS NULL
    AND kind NOT IN (SELECT value FROM json_each(:unmeasured))
"""
_SAID_AT_HOME: Final = """
SELECT days_at_home, spoken_at FROM work_note WHERE line = ? AND days_at_home IS NOT NULL
ORDER BY spoken_at DESC, id DESC LIMIT 1
"""
_UNMEASURED: Final = json.dumps(sorted(kind for kind, why in KINDS.items() if not measures_slack(why)))
_UNREAD: Final = Cover(grade=Grade.UNKNOWN, why="the order could not be read whole")
_ANOTHER_DOSE: Final = Cover(grade=Grade.UNKNOWN, why="the dose has changed since the last delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """What decides where a line stands on the list.

    Attributes:
        risk: rank of its medicine's class.
        last_day: as the tables hold it; None where it is not known.
    """

    risk: int
    last_day: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A line as it was ordered, with the whole of its order.

    Attributes:
        row: its number in the tables.
    """

    row: int
    prescription: Prescription
    line: Line
    tenant: str
    nhs_number: str
    product_code: str


def ordered(ask: Ask, line: int) -> Ordered | None:
    """Read a line's order; None where it could not be read whole when it came, or cannot be read now."""
    found = next(iter(ask(_LINE, (line,))), None)
    if found is None or found[3] is None:
        return None
    try:
        document = decode(found[3], Prescription)
    except ValueError:
        return None  # written by a version that this one cannot read: nothing is reckoned from it
    own = next((one for one in document.lines if one.id == UUID(bytes=found[0])), None)
    if own is None:
        return None
    return Ordered(
        row=line, prescription=document, line=own, tenant=found[2], nhs_number=found[4], product_code=found[1]
    )


def cover_of(ask: Ask, own: Ordered | None, *, provider: str = "") -> Cover:
    """Work out how long the medicine of a line lasts.

    Args:
        ask: reads.
        own: the line's order.
        provider: who looks, if it is the line's provider: it sees the sum of what it was told and made itself.
    """
    if own is None:
        return _UNREAD
    prescribed, homecare, line = own.line, own.prescription.homecare, own.row
    if provider:
        made = _last(ask, line, prescribed, provider)
        return cover(prescribed, (made,) if made is not None else (), _stock(homecare))
    supplied = _last(ask, line, prescribed)
    stock = _latest(_stock(homecare), _said(ask, line))
    if supplied is not None:
        return cover(prescribed, (supplied,), stock)
    return _after_another(ask, own, stock)


def reckon(ask: Ask, line: int) -> Reckoned:
    """Work out where a line stands."""
    own = ordered(ask, line)
    ends = last_day(cover_of(ask, own).ends_on, lead_of(ask, line) or LEAD_TIME)
    risk = risk_class(own.line.product.display if own is not None else "").rank
    return Reckoned(risk=risk, last_day=ends.isoformat() if ends else None)


def lead_of(ask: Ask, line: int) -> timedelta | None:
    """Give what the provider that has a line is stated to need; None where nothing is."""
    row = next(iter(ask(_LEAD, (line,))), None)
    return timedelta(days=row[0]) if row is not None else None


def keep(transaction: Transaction, line: int) -> None:
    """Write down where a line stands that has begun to wait for a pharmacist."""
    reckoned = reckon(transaction.connection.execute, line)
    transaction.run(_SET_LINE, {"line": line, "day": reckoned.last_day, "risk": reckoned.risk})


def renew(transaction: Transaction, line: int) -> None:
    """Work out anew where a line stands, after a delivery or a statement: if anybody has it on the list at all."""
    alerted = transaction.row(_OPEN_ALERT, (line,)) is not None
    if not alerted and transaction.row(_WAITS, (line,)) is None:
        return
    reckoned = reckon(transaction.connection.execute, line)
    transaction.run(_SET_LINE, {"line": line, "day": reckoned.last_day, "risk": reckoned.risk})
    if alerted:
        transaction.run(_SET_ALERTS, {"line": line, "day": reckoned.last_day, "unmeasured": _UNMEASURED})


def _after_another(ask: Ask, own: Ordered, stock: Stock | None) -> Cover:
    """Work it out from a delivery of the same medicine to the same patient, under another order."""
    wanted = {"nhs_number": own.nhs_number, "tenant": own.tenant, "product": own.product_code, "line": own.row}
    row = next(iter(ask(_BEFORE, wanted)), None)
    earlier = ordered(ask, row[0]) if row is not None else None
    supplied = _last(ask, earlier.row, earlier.line) if earlier is not None else None
    if supplied is None or earlier is None or (stock is not None and stock.as_at >= supplied.on):
        return cover(own.line, (), stock)
    if _use(earlier.line) != _use(own.line):
        return _ANOTHER_DOSE
    return cover(earlier.line, (supplied,), _latest(stock, _stock(earlier.prescription.homecare)))


def _use(line: Line) -> tuple[object, ...]:
    """Give what says how fast the medicine is used."""
    return tuple((one.sequence, one.dose, one.timing, one.as_needed) for one in line.dosages)


def _stock(homecare: Homecare) -> Stock | None:
    if homecare.stock_held_days is None or homecare.stock_as_at is None:
        return None
    return Stock(days=homecare.stock_held_days, as_at=homecare.stock_as_at)


def _said(ask: Ask, line: int) -> Stock | None:
    """Give what somebody on the telephone said that the patient has at home."""
    row = next(iter(ask(_SAID_AT_HOME, (line,))), None)
    return Stock(days=row[0], as_at=instant(row[1]).astimezone(LONDON).date()) if row is not None else None


def _latest(*stated: Stock | None) -> Stock | None:
    return max((one for one in stated if one is not None), key=lambda one: one.as_at, default=None)


def _last(ask: Ask, line: int, prescribed: Line, provider: str = "") -> Supplied | None:
    row = next(iter(ask(_DELIVERED, {"line": line, "provider": provider})), None)
    if row is None:
        return None
    issue, at, amount, unit, event = row
    on = instant(at).astimezone(LONDON).date()
    first = issue == 1
    if not amount or event == "balance_supplied":  # a balance completes the supply
        return Supplied(on=on, first=first)
    return _stated_amount(prescribed, on, str(amount), str(unit), first=first)


def _stated_amount(prescribed: Line, on: date, amount: str, unit: str, *, first: bool) -> Supplied:
    """Give what a provider says that it handed over; where it cannot be compared, the amount is not known."""
    value = parse_decimal(amount)
    ours = prescribed.quantity.unit
    if value is None or (unit and unit.casefold() not in {ours.code.casefold(), ours.display.casefold()}):
        return Supplied(on=on, whole=False)
    starter = prescribed.first_supply.quantity if first and prescribed.first_supply else prescribed.quantity
    if value >= starter.value:
        return Supplied(on=on, first=first)
    return Supplied(on=on, quantity=Quantity(value=value, unit=ours), whole=False)
