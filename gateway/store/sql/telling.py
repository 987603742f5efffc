"""What a trust is to be told of one event, with all that its answer must repeat."""

from typing import Any
from uuid import UUID

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineEvent, LineState
from gateway.domain.submission import Submission, WireFormat
from gateway.ports.work import News
from gateway.store.sql.instants import instant
from gateway.store.sql.transaction import Reader

_NEWS = """
SELECT event.seq, event.at, event.event, event.state_after, event.reason_code, event.reason, event.provider,
    event.amount, event.unit, line.uuid, line.order_number, line.order_assigner, line.product_code,
    line.product_display, prescription.uuid, prescription.number, prescription.group_number, prescription.nhs_number,
    submission.tenant, submission.format, submission.body, submission.content_type, submission.received_at,
    submission.control_id,
    (SELECT CASE WHEN count(DISTINCT delivery.issue) = 1 THEN min(delivery.issue) ELSE 0 END
        FROM delivery_event JOIN delivery ON delivery.id = delivery_event.delivery
        WHERE delivery_event.source = event.seq), line.total_supplies
FROM event JOIN line ON line.id = event.line JOIN prescription ON prescription.id = line.prescription
JOIN submission ON submission.id = prescription.submission WHERE event.seq = ?
"""


def news(reader: Reader, seq: int) -> News:
    """Give the news of an event.

    Raises:
        KeyError: there is no such event.
    """
    row: tuple[Any, ...] | None = next(iter(reader.execute(_NEWS, (seq,))), None)
    if row is None:
        raise KeyError(seq)
    tenant = OdsCode(row[18])
    submission = Submission(
        tenant=tenant, format=WireFormat(row[19]), body=row[20], content_type=row[21], received_at=instant(row[22])
    )
    return News(
        seq=row[0],
        at=instant(row[1]),
        event=LineEvent(row[2]),
        state=LineState(row[3]),
        reason_code=row[4],
        reason=row[5],
        tenant=tenant,
        destination=OdsCode(row[6] or ""),
        prescription_id=UUID(bytes=row[14]),
        prescription_number=row[15],
        line_id=UUID(bytes=row[9]),
        order_number=row[10],
        order_assigner=row[11],
        group_number=row[16],
        product_code=row[12],
        product_display=row[13],
        amount=row[7],
        unit=row[8],
        nhs_number=row[17],
        submission=submission,
        control_id=row[23],
        issue=row[24],
        total=row[25],
    )
