"""What a trust already has under the numbers that a message names."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.domain.cancel import CancelState
from gateway.domain.hold import HoldKind
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.prescription import Prescription
from gateway.ports.acceptance import KnownLine
from gateway.store.document import decode
from gateway.store.sql.claimed import CLAIMED
from gateway.store.sql.transaction import Row, Transaction

_KNOWN = f"""
SELECT line.id, line.uuid, prescription.uuid, line.order_number, line.product_code, line.state, prescription.nhs_number,
       prescription.group_number, line.epoch, line.provider, line.replaced, prescription.document, cancel.state,
       line.action,
       (SELECT message FROM allocation WHERE allocation.line = line.id ORDER BY epoch DESC LIMIT 1),
       (SELECT message.id FROM message WHERE message.prescription = prescription.id
            AND message.event = 'prescription-order' ORDER BY message.created_at DESC LIMIT 1),
       line.state_before,
       (SELECT kind FROM hold WHERE hold.line = line.id AND state = 'ASKED' ORDER BY id DESC LIMIT 1),
       EXISTS (SELECT 1 FROM stated_holding WHERE stated_holding.line = line.uuid AND known = 0 AND ended_at IS NULL)
           OR {CLAIMED},
       line.order_assigner
FROM line JOIN prescription ON prescription.id = line.prescription LEFT JOIN cancel ON cancel.line = line.id
WHERE {{whose}} AND {{condition}} AND line.action IN ('new', 'replace')
"""  # noqa: S608 - our own words alone
# Of an archived line there stays what a trust may still ask of it; whose it is need not be asked again.
_ARCHIVED = """
UNION ALL
SELECT line.id, line.uuid, line.prescription_uuid, line.order_number, line.product_code, line.state, '',
       line.group_number, line.epoch, line.provider, line.replaced, NULL, line.cancel, line.action, NULL, NULL, NULL,
       NULL, 1 = 0, line.order_assigner
FROM archived_line AS line
WHERE line.tenant = ? AND {condition} AND line.action IN ('new', 'replace')
"""
_OF_TRUST = "line.tenant = ?"
_OF_PROVIDER = "EXISTS (SELECT 1 FROM allocation AS held WHERE held.line = line.id AND held.provider = ?)"
_UNDER_NUMBER = "line.order_number = ? AND line.order_number <> ''"
_UNDER_GROUP = "{row}.group_number = ? AND {row}.group_number <> ''"
_OF_ITEM = "line.uuid = ?"


def _of_trust(condition: str, archived: str) -> str:
    return _KNOWN.format(whose=_OF_TRUST, condition=condition) + _ARCHIVED.format(condition=archived)


_BY_ORDER = _of_trust(_UNDER_NUMBER, _UNDER_NUMBER)
_BY_GROUP = _of_trust(_UNDER_GROUP.format(row="prescription"), _UNDER_GROUP.format(row="line"))
_BY_ITEM = _of_trust(_OF_ITEM, _OF_ITEM)
_BY_PRESCRIPTION = _of_trust("prescription.uuid = ?", "line.prescription_uuid = ?")
_ALLOCATED = _KNOWN.format(whose=_OF_PROVIDER, condition=_UNDER_NUMBER)
_MESSAGE_TO = """
SELECT allocation.message FROM allocation JOIN line ON line.id = allocation.line
WHERE line.id = ? AND allocation.provider = ? ORDER BY allocation.epoch DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The numbers and ids asked for."""

    orders: Sequence[str]
    groups: Sequence[str]
    items: Sequence[UUID]
    prescriptions: Sequence[UUID]

    def questions(self) -> list[tuple[str, str | bytes]]:
        """Give each question once."""
        asked: list[tuple[str, str | bytes]] = [(_BY_ORDER, number) for number in _storable(self.orders)]
        asked += [(_BY_GROUP, number) for number in _storable(self.groups)]
        asked += [(_BY_ITEM, item.bytes) for item in self.items]
        asked += [(_BY_PRESCRIPTION, one.bytes) for one in self.prescriptions]
        return list(dict.fromkeys(asked))


def known_lines(transaction: Transaction, tenant: OdsCode, asked: Asked) -> tuple[KnownLine, ...]:
    """Give the lines held under these numbers and ids, each once, oldest first."""
    whose = tenant.value
    found = {
        row[0]: row for sql, value in asked.questions() for row in transaction.rows(sql, (whose, value, whose, value))
    }
    return tuple(_line(row) for _, row in sorted(found.items()))


def allocated_lines(transaction: Transaction, provider: OdsCode, order_numbers: Sequence[str]) -> tuple[KnownLine, ...]:
    """Give the lines under these numbers that are or were that provider's, each with the message it was sent in."""
    numbers = dict.fromkeys(_storable(order_numbers))
    rows = [row for number in numbers for row in transaction.rows(_ALLOCATED, (provider.value, number))]
    messages = {row[0]: transaction.row(_MESSAGE_TO, (row[0], provider.value)) for row in rows}
    return tuple(
        _line(row, message[0]) for row in sorted(rows, key=lambda row: int(row[0])) if (message := messages[row[0]])
    )


def _storable(numbers: Sequence[str]) -> list[str]:
    """Leave out what no line can bear: a NUL is refused before it is stored, and some engines will not look for it."""
    return [number for number in numbers if "\0" not in number]


def _line(row: Row, message: bytes | None = None) -> KnownLine:
    message = message or row[14] or row[15]
    return KnownLine(
        line_id=UUID(bytes=row[1]),
        prescription_id=UUID(bytes=row[2]),
        order_number=row[3],
        product_code=row[4],
        state=LineState(row[5]),
        nhs_number=row[6],
        group_number=row[7],
        epoch=row[8],
        destination=OdsCode(row[9]) if row[9] else None,
        replaced=bool(row[10]),
        prescription=decode(row[11], Prescription) if row[11] else None,
        cancel=CancelState(row[12]) if row[12] else CancelState.NONE,
        proposed=row[13] == "replace" and row[5] == LineState.HELD,
        message_id=UUID(bytes=message) if message else None,
        before=LineState(row[16]) if row[16] else None,
        hold=HoldKind(row[17]) if row[17] else None,
        elsewhere=bool(row[18]),
        order_assigner=row[19],
    )
