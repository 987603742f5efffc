"""The search box: prescriptions by any number, id or digest, by name and birth date; and messages that were refused.

Which rows a tenant may see is decided as in `gateway.store.sql.finding`. What is listed is cut off, what is counted is
not: a list that was cut off never looks whole.

Source: console.md 6.2; reliability-security.md I9.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from gateway.domain.cancel import CancelState
from gateway.domain.custody import Holder
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.domain.issue import Issue
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.name_key import given_key, name_key, postcode_key, starts_given
from gateway.domain.prescription import Patient
from gateway.domain.restricted import is_restricted
from gateway.domain.sight import Sight
from gateway.domain.submission import Action, OrderNumber, Outcome
from gateway.ports.found import Found
from gateway.ports.looking_up import (
    MOST_COUNTED,
    MOST_LISTED,
    MOST_OWN,
    MOST_PEOPLE,
    Hit,
    Hits,
    Key,
    NamedHits,
    NameSought,
    OwnMessage,
    OwnOrder,
    RefusedMessage,
)
from gateway.store.document import decode
from gateway.store.sql import finding
from gateway.store.sql.instants import instant, stored
from gateway.store.sql.listing import numbers
from gateway.store.sql.seeing import OWN_LINE, sights
from gateway.store.sql.transaction import Reader, Row

_TENANTS: Final = """
WITH RECURSIVE each (tenant) AS (
    SELECT min(tenant) FROM submission
    UNION ALL
    SELECT (SELECT min(submission.tenant) FROM submission WHERE submission.tenant > each.tenant)
    FROM each WHERE each.tenant IS NOT NULL)
SELECT tenant FROM each WHERE tenant IS NOT NULL
"""
"""Every trust that ever sent a message: one step of the index for each."""
_OF_MESSAGE: Final = """
    SELECT message.prescription FROM message JOIN prescription AS its ON its.id = message.prescription
    WHERE message.{column} = :value
        AND (CAST(:tenant AS TEXT) IS NULL OR its.tenant = :tenant OR message.destination = :tenant)"""
"""A provider finds by a message that was for it."""
_BY: Final[Mapping[Key, str]] = {
    Key.NHS_NUMBER: finding.BY["nhs_number"],
    Key.NUMBER: finding.BY["number"],
    Key.ORDER_NUMBER: finding.BY["order_number"],
    Key.OTHER_NUMBER: "prescription.id IN (SELECT prescription FROM other_number WHERE value = :value)",
    Key.CONTROL_ID: f"""prescription.id IN (
        SELECT same.id FROM submission JOIN prescription AS same ON same.submission = submission.id
        WHERE submission.control_id = :value AND submission.tenant IN (SELECT value FROM json_each(:tenants))
        UNION ALL
        SELECT line.prescription FROM submission JOIN cancel ON cancel.submission = submission.id
        JOIN line ON line.id = cancel.line
        WHERE submission.control_id = :value AND submission.tenant IN (SELECT value FROM json_each(:tenants))
            AND {OWN_LINE}
        UNION ALL
        SELECT line.prescription FROM submission JOIN hold ON hold.submission = submission.id
        JOIN line ON line.id = hold.line
        WHERE submission.control_id = :value AND submission.tenant IN (SELECT value FROM json_each(:tenants))
            AND {OWN_LINE})""",  # noqa: S608 - our own words alone
    Key.ID: f"""prescription.id IN (
        SELECT same.id FROM prescription AS same WHERE same.uuid = :value
        UNION ALL
        SELECT prescription FROM line WHERE uuid = :value AND {OWN_LINE}
        UNION ALL {_OF_MESSAGE.format(column="id")})""",  # noqa: S608 - our own words alone
    Key.DIGEST: f"""prescription.id IN (
        SELECT same.id FROM submission JOIN prescription AS same ON same.submission = submission.id
        WHERE submission.digest = :value
        UNION ALL {_OF_MESSAGE.format(column="digest")})""",  # noqa: S608 - our own words alone
}
_ANSWERED: Final = """prescription.id IN (
    SELECT line.prescription FROM callback JOIN event ON event.callback = callback.id
    JOIN line ON line.id = event.line WHERE callback.digest = :value)"""
_FOUND: Final = """
SELECT prescription.id FROM prescription WHERE {condition} AND {visible} AND {newest}
ORDER BY prescription.id DESC LIMIT :limit
"""
FOUND: Final = {
    key: _FOUND.format(condition=condition, visible=finding.VISIBLE, newest=finding.NEWEST)
    for key, condition in _BY.items()
}
"""The question of each key, whole."""
ANSWERED: Final = _FOUND.format(condition=_ANSWERED, visible=finding.VISIBLE, newest=finding.NEWEST)
"""By the digest of a provider's answer: asked for the gateway alone, which may read every answer."""
_COUNT: Final = "SELECT count(*) FROM ({question}) AS each"
_NAMED: Final = f"""
SELECT prescription.id, prescription.nhs_number, patient_index.given, patient_index.postcode
FROM patient_index JOIN prescription ON prescription.id = patient_index.prescription
WHERE patient_index.born = :born AND patient_index.family = :family AND {finding.VISIBLE} AND {finding.NEWEST}
ORDER BY prescription.id DESC LIMIT :limit
"""  # noqa: S608 - constant conditions
_UNREAD: Final = """
SELECT received_at, document IS NOT NULL
    AND (SELECT count(*) FROM patient_index WHERE patient_index.prescription = prescription.id) = 0
FROM prescription WHERE id > (SELECT prescription FROM search_progress WHERE id = 1) ORDER BY id LIMIT 1
"""
_DOCUMENTS: Final = f"""
SELECT id, nhs_number, document, issues FROM prescription
WHERE id IN {numbers("?")} ORDER BY id DESC
"""  # noqa: S608 - our own words alone
_STANDS: Final = f"""
SELECT line.prescription, line.state, line.holder, line.entered_at, line.act_by,
    (SELECT cancel.state FROM cancel WHERE cancel.line = line.id),
    (SELECT min(coalesce(delivery.agreed_for, delivery.due_on)) FROM delivery WHERE delivery.line = line.id
        AND delivery.state IN ('PLANNED', 'RELEASED', 'BOOKED', 'PREPARING', 'READY_TO_GO', 'DISPATCHED')),
    line.id,
    (SELECT message.destination FROM cancel JOIN message ON message.id = cancel.message WHERE cancel.line = line.id)
FROM line WHERE line.prescription IN {numbers("?")} ORDER BY line.id
"""  # noqa: S608 - our own words alone
_ARCHIVED: Final[Mapping[Key, str]] = {
    Key.ORDER_NUMBER: """
SELECT count(*) FROM archived_line WHERE (order_number = :value AND order_number <> ''
    OR group_number = :value AND group_number <> '') AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
""",
    Key.ID: """
SELECT count(*) FROM archived_line WHERE (uuid = :value OR prescription_uuid = :value)
    AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)
""",
}
_REFUSED: Final = """
SELECT id, tenant, control_id, received_at, verdict FROM submission
WHERE outcome = 'refused' AND archive IS NULL AND tenant IN (SELECT value FROM json_each(:tenants))
    AND control_id = :value
UNION
SELECT submission.id, submission.tenant, submission.control_id, submission.received_at, submission.verdict
FROM refused_order JOIN submission ON submission.id = refused_order.submission
WHERE refused_order.value = :value AND submission.archive IS NULL
    AND submission.tenant IN (SELECT value FROM json_each(:tenants))
ORDER BY 1 DESC LIMIT :limit
"""
_OWN_MESSAGE: Final = """
SELECT control_id, received_at, outcome, verdict, archive IS NOT NULL FROM submission
WHERE tenant = :tenant AND control_id = :control_id
"""
_OWN_APART: Final = """
SELECT control_id, received_at, issues FROM kept_apart
WHERE tenant = :tenant AND control_id = :control_id AND control_id <> '' ORDER BY id DESC LIMIT :most
"""
_EVER_HAD: Final = """
SELECT EXISTS (SELECT 1 FROM allocation WHERE provider = :provider)
    OR EXISTS (SELECT 1 FROM archived_allocation WHERE provider = :provider)
"""
"""Of an archive's lines it reads what it must: it is asked only of a provider that nobody knows."""
_UNANSWERED: Final = frozenset({CancelState.ASKED, CancelState.PENDING, CancelState.TOO_LATE})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Document:
    """As much of a stored prescription as a list shows."""

    patient: Patient
    valid_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    action: Action
    outcome: Outcome
    numbers: tuple[OrderNumber, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def known_by(self) -> tuple[str, ...]:
        return tuple(number.trust_number for number in self.numbers if number.trust_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    issues: tuple[Issue, ...] = ()
    orders: tuple[_Order, ...] = ()

    @property
    def every_issue(self) -> tuple[Issue, ...]:
        """Of the message and of its orders, each once: the message's own stand among those of its orders."""
        return tuple(dict.fromkeys((*self.issues, *(issue for order in self.orders for issue in order.issues))))


def trusts(reader: Reader) -> tuple[str, ...]:
    """Give every trust that ever sent a message; asked as the gateway itself, for no tenant is shown them all."""
    return tuple(str(row[0]) for row in reader.execute(_TENANTS))


def look_up(reader: Reader, key: Key, value: str, *, tenant: OdsCode | None, of: Sequence[str] = ()) -> Hits:
    """Find by one value; what cannot be of its kind is found nowhere.

    Args:
        reader: asked.
        key: what kind of value it is.
        value: as it was typed.
        tenant: who asks.
        of: for a control id, the trusts whose it may be: the index has them before it.
    """
    wanted = _wanted(key, value)
    if wanted is None:
        return Hits()
    values: dict[str, object] = {"value": wanted, "tenant": tenant.value if tenant else None}
    if key is Key.CONTROL_ID:
        values["tenants"] = json.dumps(list(of))
    rows = _rows(reader.execute(FOUND[key], {**values, "limit": MOST_LISTED}))
    if not rows and key is Key.DIGEST and tenant is None:
        rows = _rows(reader.execute(ANSWERED, {**values, "limit": MOST_LISTED}))
    total = len(rows) if len(rows) < MOST_LISTED else _count(reader, key, values)
    return Hits(hits=_hits(reader, rows, tenant), total=total, archived=_archived(reader, key, values))


def by_name(reader: Reader, sought: NameSought, *, tenant: OdsCode | None) -> NamedHits:
    """Find by name and birth date; where there are too many, none is given."""
    values = {
        "born": sought.born.isoformat(),
        "family": name_key(sought.family),
        "tenant": tenant.value if tenant else None,
        "limit": MOST_COUNTED,
    }
    fitting = [row for row in reader.execute(_NAMED, values) if _fits(row, sought)] if values["family"] else []
    named = NamedHits(
        people=min(len({row[1] or row[0] for row in fitting}), MOST_PEOPLE + 1),
        total=len(fitting),
        unread_from=_unread_from(reader),
    )
    if named.too_many:
        return named
    hits = _hits(reader, [int(row[0]) for row in fitting], tenant)
    return NamedHits(hits=hits, people=named.people, total=named.total, unread_from=named.unread_from)


def refused(reader: Reader, value: str, *, tenant: OdsCode | None) -> tuple[RefusedMessage, ...]:
    """Find messages that were refused whole; a tenant sees only those it sent."""
    if not value or "\0" in value:
        return ()
    values = {"value": value, "tenants": _tenants(reader, tenant), "limit": MOST_LISTED}
    return tuple(_refused(row) for row in reader.execute(_REFUSED, values))


def own_messages(reader: Reader, control_id: str, *, tenant: OdsCode) -> tuple[OwnMessage, ...]:
    """Give a trust's own messages of one control id, whatever became of them, newest first."""
    if "\0" in control_id:
        return ()  # nobody's: it is refused before it is stored, and some engines will not look for it
    values = {"tenant": tenant.value, "control_id": control_id}
    taken = [_own(row) for row in reader.execute(_OWN_MESSAGE, values)]
    apart = [
        OwnMessage(
            control_id=row[0],
            received_at=instant(row[1]),
            outcome=Outcome.REFUSED,
            issues=decode(row[2], tuple[Issue, ...]),
        )
        for row in reader.execute(_OWN_APART, {**values, "most": MOST_OWN})
    ]
    return tuple(sorted((*taken, *apart), key=lambda one: one.received_at, reverse=True))


def _own(row: Row) -> OwnMessage:
    verdict = decode(row[3], _Verdict)
    return OwnMessage(
        control_id=row[0],
        received_at=instant(row[1]),
        outcome=Outcome(row[2]),
        orders=tuple(
            OwnOrder(action=order.action, outcome=order.outcome, numbers=order.known_by) for order in verdict.orders
        ),
        issues=verdict.every_issue,
        archived=bool(row[4]),
    )


def ever_had(reader: Reader, provider: OdsCode) -> bool:
    """See `gateway.ports.looking_up.LookingUp`."""
    return any(row[0] for row in reader.execute(_EVER_HAD, {"provider": provider.value}))


def _wanted(key: Key, value: str) -> str | bytes | None:
    if not value or "\0" in value:
        return None  # nobody's: it is refused before it is stored, and some engines will not look for it
    if key is Key.ID:
        found = parse_uuid(value)
        return found.bytes if found else None
    return value.lower() if key is Key.DIGEST else value


def _tenants(reader: Reader, tenant: OdsCode | None) -> str:
    return json.dumps([tenant.value] if tenant else list(trusts(reader)))


def _rows(rows: Iterable[Row]) -> list[int]:
    return [int(row[0]) for row in rows]


def _count(reader: Reader, key: Key, values: Mapping[str, object]) -> int:
    question = _COUNT.format(question=FOUND[key])
    return _rows(reader.execute(question, {**values, "limit": MOST_COUNTED}))[0]


def _archived(reader: Reader, key: Key, values: Mapping[str, object]) -> int:
    if key not in _ARCHIVED or values["tenant"] is not None:
        return 0  # what is archived is the operator's to look up
    return _rows(reader.execute(_ARCHIVED[key], {"value": values["value"], "tenant": None}))[0]


def _fits(row: Row, sought: NameSought) -> bool:
    given, postcode = given_key((sought.given,)), postcode_key(sought.postcode)
    return starts_given(str(row[2]), given) and (not postcode or row[3] == postcode)


def _unread_from(reader: Reader) -> datetime | None:
    """Give when the first order behind the mark was received, if it has no index yet."""
    row = next(iter(reader.execute(_UNREAD)), None)
    return instant(int(row[0])) if row and row[1] else None


def _hits(reader: Reader, rows: Sequence[int], tenant: OdsCode | None) -> tuple[Hit, ...]:
    """Describe prescriptions by row id, newest first."""
    wanted = json.dumps(list(rows))
    stands: dict[int, list[Row]] = {}
    for row, *line in reader.execute(_STANDS, (wanted,)):
        stands.setdefault(int(str(row)), []).append(tuple(line))
    documents = list(reader.execute(_DOCUMENTS, (wanted,)))
    described = finding.describe(reader, [int(str(row[0])) for row in documents], tenant)
    given = [row[0] for found, row in zip(described, documents, strict=True) if tenant not in {None, found.tenant}]
    if tenant is not None and given:
        seen = sights(reader, given, tenant)
        stands |= {row: list(_as_seen(stands.get(row, []), seen, tenant)) for row in given}
    return tuple(
        _hit(found, row, stands.get(int(str(row[0])), [])) for found, row in zip(described, documents, strict=True)
    )


def _as_seen(lines: Iterable[Row], seen: Mapping[int, Sight], provider: OdsCode) -> Iterator[Row]:
    """Give a provider's own lines; what it no longer has as it stood at the end."""
    for line in lines:
        sight = seen.get(line[6])
        if sight is not None and sight.ended is not None:
            yield (sight.ended.state.value, Holder.NOBODY.value, stored(sight.ended.at), None, None, None)
        elif sight is not None:
            yield (*line[:4], line[4] if line[7] == provider.value else None, line[5])


def _hit(found: Found, row: Row, lines: Sequence[Row]) -> Hit:
    document = decode(row[2], _Document) if row[2] else None
    issues = decode(row[3], tuple[Issue, ...])
    going = [line for line in lines if LineState(line[0]) not in TERMINAL] or list(lines)
    worst = next((line for line in going if line[0] == found.state.value), going[0] if going else None)
    deliveries = [date.fromisoformat(line[5]) for line in going if line[5]]
    return Hit(
        found=found,
        nhs_number=row[1],
        patient=document.patient if document else None,
        restricted=is_restricted(issues),
        since=instant(worst[2]) if worst else found.received_at,
        cancels=tuple(state for line in lines if (state := _cancel(line[4])) in _UNANSWERED),
        held=found.held,
        holder=worst[1] if worst else "",
        act_by=min((instant(line[3]) for line in going if line[3] is not None), default=None),
        next_delivery=min(deliveries, default=None),
        valid_from=document.valid_from if document else None,
    )


def _cancel(state: str | None) -> CancelState:
    return CancelState(state) if state else CancelState.NONE


def _refused(row: Row) -> RefusedMessage:
    verdict = decode(row[4], _Verdict)
    return RefusedMessage(
        reference=int(row[0]),
        tenant=OdsCode(row[1]),
        control_id=row[2],
        received_at=instant(row[3]),
        orders=tuple(dict.fromkeys(number for order in verdict.orders for number in order.known_by)),
        issues=verdict.every_issue,
    )
