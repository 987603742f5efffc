"""How long the medicine of a line lasts, from the rows: what was delivered, what was stated, and what was prescribed.

A line of which nothing was delivered may renew another of the same medicine for the same patient, of which something
was: then that delivery counts, if the dose is the same. What the order table holds of the answer only decides where a
row stands on the list; whoever looks is shown the sum made anew.

Source: console.md 6.1; `gateway.domain.cover`.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from gateway.domain.calendar import LONDON
from gateway.domain.cover import Cover, Grade, Stock, Supplied, cover
from gateway.domain.medicine_risk import risk_class
from gateway.domain.prescription import Line, Name
from gateway.domain.quantity import Quantity, parse_decimal
from gateway.domain.work_item import KINDS, LEAD_TIME, last_day, measures_slack
from gateway.store.document import decode
from gateway.store.sql.instants import instant
from gateway.store.sql.listing import numbers
from gateway.store.sql.transaction import Transaction, Values

Ask: TypeAlias = Callable[[str, Values], Iterable[tuple[Any, ...]]]

_LINES: Final = f"""
SELECT line.id, line.uuid, prescription.document
FROM line JOIN prescription ON prescription.id = line.prescription WHERE line.id IN {numbers("?")}
"""  # noqa: S608 - our own words alone
_DELIVERED: Final = f"""
SELECT each.id, delivery.issue, delivery.entered_at, coalesce(event.amount, ''), coalesce(event.unit, ''), event.event
FROM {numbers(":lines")} AS each JOIN delivery ON delivery.line = each.id AND delivery.state = 'DELIVERED'
LEFT JOIN event ON event.line = delivery.line AND event.at = delivery.entered_at
    AND event.event IN ('delivered', 'last_delivered', 'balance_supplied')
WHERE :provider = '' OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = each.id AND allocation.epoch = delivery.epoch
        AND allocation.provider = :provider)
ORDER BY delivery.entered_at, delivery.id, event.seq
"""  # noqa: S608 - our own words alone
"""The last of each line is the one that counts. It is chosen of its few: a row that is picked by a question inside the
question is looked for among everybody's under the second lock.
"""
_BEFORE: Final = f"""
SELECT asked.id, (
    SELECT line.id FROM prescription JOIN line ON line.prescription = prescription.id
    JOIN delivery ON delivery.line = line.id AND delivery.state = 'DELIVERED'
    WHERE prescription.nhs_number = same.nhs_number AND prescription.nhs_number <> ''
        AND prescription.tenant = asked.tenant
        AND line.product_code = asked.product_code AND line.product_code <> '' AND line.id <> asked.id
    ORDER BY delivery.entered_at DESC, delivery.id DESC LIMIT 1)
FROM line AS asked JOIN prescription AS same ON same.id = asked.prescription WHERE asked.id IN {numbers("?")}
"""  # noqa: S608 - our own words alone
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
_SAID_AT_HOME: Final = f"""
SELECT line, days_at_home, spoken_at FROM work_note WHERE line IN {numbers("?")} AND days_at_home IS NOT NULL
ORDER BY spoken_at, id
"""  # noqa: S608 - our own words alone
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
class OrderedFor:
    """The patient, as far as a list tells of one."""

    name: Name
    birth_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the order says that the patient has at home."""

    stock_held_days: int | None = None
    stock_as_at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """As much of a stored prescription as is reckoned from; the rest is passed over, which costs a third."""

    patient: OrderedFor
    lines: tuple[msgspec.Raw, ...]
    homecare: Stated = Stated()


_read: Final = msgspec.json.Decoder(_Order).decode
_read_item: Final = msgspec.json.Decoder(_Item).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A line as it was ordered, with what its order says of the patient."""

    patient: OrderedFor
    stated: Stated
    line: Line


def ordered(ask: Ask, lines: Collection[int]) -> dict[int, Ordered]:
    """Read the orders of lines; one is not there that could not be read when it came, or cannot be read now."""
    found = {}
    for line, uuid, document in ask(_LINES, (json.dumps(list(lines)),)) if lines else ():
        own = _ordered(UUID(bytes=uuid), document) if document is not None else None
        if own is not None:
            found[line] = own
    return found


def _ordered(item: UUID, document: str | bytes) -> Ordered | None:
    try:
        order = _read(document)
        own = next((one for one in order.lines if _read_item(one).id == item), None)
        line = decode(bytes(own), Line) if own is not None else None
    except ValueError:
        return None  # written by a version that this one cannot read: nothing is reckoned from it
    return Ordered(patient=order.patient, stated=order.homecare, line=line) if line is not None else None


def covers_of(ask: Ask, own: Mapping[int, Ordered], lines: Collection[int], *, provider: str = "") -> dict[int, Cover]:
    """Work out how long the medicine of each of some lines lasts.

    Args:
        ask: reads: so many questions for all of them, however many they are.
        own: the orders of those that could be read.
        lines: which.
        provider: who looks, if it is the lines' provider: it sees the sum of what it was told and made itself.
    """
    read = [line for line in lines if line in own]
    supplied = _last(ask, {line: own[line].line for line in read}, provider)
    stock = {line: _stock(own[line].stated) for line in read}
    if not provider:
        said = _said(ask, read)
        stock = {line: _latest(stock[line], said.get(line)) for line in read}
    known = {
        line: cover(own[line].line, (supplied[line],) if line in supplied else (), stock[line])
        for line in read
        if provider or line in supplied
    }
    begun = {line: own[line] for line in read if line not in known}
    return {**dict.fromkeys(lines, _UNREAD), **known, **_after_others(ask, begun, stock)}


def reckon(ask: Ask, line: int) -> Reckoned:
    """Work out where a line stands."""
    own = ordered(ask, [line])
    ends = last_day(covers_of(ask, own, [line])[line].ends_on, lead_of(ask, line) or LEAD_TIME)
    risk = risk_class(own[line].line.product.display if line in own else "").rank
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


def _after_others(ask: Ask, own: Mapping[int, Ordered], stock: Mapping[int, Stock | None]) -> dict[int, Cover]:
    """Work it out from deliveries of the same medicine to the same patient, under another order each."""
    if not own:
        return {}
    before = {line: other for line, other in ask(_BEFORE, (json.dumps(list(own)),)) if other is not None}
    earlier = ordered(ask, set(before.values()))
    supplied = _last(ask, {line: one.line for line, one in earlier.items()})
    return {
        line: _after_another(one, earlier.get(before.get(line, 0)), supplied.get(before.get(line, 0)), stock[line])
        for line, one in own.items()
    }


def _after_another(own: Ordered, earlier: Ordered | None, supplied: Supplied | None, stock: Stock | None) -> Cover:
    if supplied is None or earlier is None or (stock is not None and stock.as_at >= supplied.on):
        return cover(own.line, (), stock)
    if _use(earlier.line) != _use(own.line):
        return _ANOTHER_DOSE
    return cover(earlier.line, (supplied,), _latest(stock, _stock(earlier.stated)))


def _use(line: Line) -> tuple[object, ...]:
    """Give what says how fast the medicine is used."""
    return tuple((one.sequence, one.dose, one.timing, one.as_needed) for one in line.dosages)


def _stock(stated: Stated) -> Stock | None:
    if stated.stock_held_days is None or stated.stock_as_at is None:
        return None
    return Stock(days=stated.stock_held_days, as_at=stated.stock_as_at)


def _said(ask: Ask, lines: Collection[int]) -> dict[int, Stock]:
    """Give what somebody on the telephone said last that the patients have at home."""
    rows = ask(_SAID_AT_HOME, (json.dumps(list(lines)),)) if lines else ()
    return {line: Stock(days=days, as_at=instant(at).astimezone(LONDON).date()) for line, days, at in rows}


def _latest(*stated: Stock | None) -> Stock | None:
    return max((one for one in stated if one is not None), key=lambda one: one.as_at, default=None)


def _last(ask: Ask, prescribed: Mapping[int, Line], provider: str = "") -> dict[int, Supplied]:
    """Give what was delivered last of each line, where anything was."""
    if not prescribed:
        return {}
    rows = ask(_DELIVERED, {"lines": json.dumps(list(prescribed)), "provider": provider})
    return {line: _supplied(prescribed[line], row) for line, *row in rows}


def _supplied(prescribed: Line, row: Sequence[Any]) -> Supplied:
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
