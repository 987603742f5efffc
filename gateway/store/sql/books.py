"""The books: distinct prescriptions, counted from the base tables.

Every accepted prescription is in exactly one of three: *open* if a line of it still awaits something, else *delivered*
if a line of it was fulfilled, else *closed*. A prescription that was corrected under its own id counts once.

Source: brief 5; reliability-security.md I20.
"""

import apsw

_REFUSED = "SELECT coalesce(sum(refused_orders), 0) FROM submission"
_ACCEPTED = """
WITH each_line AS (
    SELECT prescription.uuid AS uuid, prescription.tenant AS tenant, line.state AS state,
        line.state = 'FULFILLED' OR (line.state = 'CLOSED' AND line.delivered >= line.total_supplies) AS delivered,
        line.state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED', 'FULFILLED') AS over,
        line.first_sent_at IS NOT NULL AS sent, line.first_answered_at IS NOT NULL AS answered,
        line.first_rejected_at IS NOT NULL AS rejected,
        EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND alert.closed_at IS NULL) AS alerted
    FROM line JOIN prescription ON prescription.id = line.prescription
    WHERE prescription.action IN ('new', 'replace')
), each_prescription AS (
    SELECT min(over) AS over, max(delivered) AS delivered, max(state = 'HELD') AS held, max(sent) AS sent,
        max(answered) AS answered, max(rejected) AS rejected, max(alerted AND NOT over) AS alerted
    FROM each_line GROUP BY tenant, uuid
)
SELECT count(*), coalesce(sum(held), 0), coalesce(sum(sent), 0), coalesce(sum(answered), 0),
    coalesce(sum(rejected), 0), coalesce(sum(over AND delivered), 0), coalesce(sum(over AND NOT delivered), 0),
    coalesce(sum(NOT over), 0), coalesce(sum(NOT over AND alerted), 0)
FROM each_prescription
"""
_NAMES = ("accepted", "held", "sent", "acknowledged", "rejected", "delivered", "closed", "open", "alerted")


def count(reader: apsw.Connection) -> dict[str, int]:
    """Count submitted, accepted, refused, held, sent, acknowledged, rejected, delivered, closed, open, alerted."""
    refused = int(str(reader.execute(_REFUSED).get))
    row = next(iter(reader.execute(_ACCEPTED)))
    figures = {name: int(str(value)) for name, value in zip(_NAMES, row, strict=True)}
    return {"submitted": figures["accepted"] + refused, "refused": refused, **figures}
