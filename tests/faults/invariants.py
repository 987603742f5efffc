"""What must be true of the tables at every moment, as questions that find the rows for which it is not.

Written from the documents and not from the code that fills the tables, so that the two can disagree.

Source: reliability-security.md I2, I3, I5, I10, I12, I13.
"""

# ruff: noqa: S608 - only constants of this file are put into the questions

import hashlib
from typing import Final

from gateway.store.sql.transaction import Reader

_FINAL: Final = "('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')"
_WITH_A_PROVIDER: Final = (
    "('READY', 'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY',"
    " 'PART_SUPPLIED', 'FULFILLED')"
)

QUESTIONS: Final[dict[str, str]] = {
    "I2: two providers may act on one line": (
        "SELECT line FROM allocation WHERE ended_at IS NULL GROUP BY line HAVING count(*) > 1"
    ),
    "I2: one epoch was given twice": "SELECT line FROM allocation GROUP BY line, epoch HAVING count(*) > 1",
    "I2: a line is live without a holder": (
        f"SELECT id FROM line WHERE state IN {_WITH_A_PROVIDER} AND provider IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM allocation WHERE allocation.line = line.id AND ended_at IS NULL)"
    ),
    "I3: a line waits in silence": (
        f"SELECT id FROM line WHERE state NOT IN {_FINAL} AND state <> 'FULFILLED' AND act_by IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)"
    ),
    "I3: a line that must leave is neither queued nor alerted": (
        "SELECT line.id FROM line JOIN allocation ON allocation.line = line.id AND allocation.ended_at IS NULL"
        " JOIN outbox ON outbox.message_id = allocation.message"
        " WHERE line.state = 'READY' AND outbox.state IN ('done', 'stuck') AND NOT EXISTS"
        " (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)"
    ),
    "I5: the audit has a gap": (
        "SELECT max(seq) - count(*) FROM audit_leaf HAVING coalesce(max(seq), 0) <> count(*)"
        " OR count(*) <> (SELECT size FROM audit_head)"
    ),
    "I5: an event has no leaf, or a leaf no event": (
        "SELECT 1 WHERE (SELECT count(*) FROM event) <> (SELECT count(*) FROM audit_leaf WHERE kind = 'event')"
    ),
    "I6: one control id was taken twice": (
        "SELECT max(id) FROM submission GROUP BY tenant, control_id HAVING count(*) > 1"
    ),
    "I10: a line changed hands without two people": (
        "SELECT held.line FROM allocation AS held WHERE EXISTS (SELECT 1 FROM allocation AS later"
        " WHERE later.line = held.line AND later.epoch > held.epoch) AND (held.ended_at IS NULL OR NOT EXISTS"
        " (SELECT 1 FROM reroute WHERE reroute.line = held.line AND reroute.epoch = held.epoch"
        " AND reroute.state = 'DONE' AND person <> second_person) AND NOT EXISTS"
        # one person may send again, to the same provider, what never left
        " (SELECT 1 FROM sent_again JOIN allocation AS later ON later.line = sent_again.line"
        " AND later.epoch = (SELECT min(epoch) FROM allocation WHERE line = held.line AND epoch > held.epoch)"
        " WHERE sent_again.line = held.line AND sent_again.epoch = held.epoch AND later.provider = held.provider"
        " AND NOT EXISTS (SELECT 1 FROM unproven_attempt WHERE unproven_attempt.message = held.message)))"
    ),
    "a message is withheld of which no line is on hold": (
        "SELECT outbox.id FROM outbox WHERE withheld = 1 AND NOT EXISTS (SELECT 1 FROM allocation"
        " JOIN line ON line.id = allocation.line WHERE allocation.message = outbox.message_id"
        " AND line.state = 'ON_HOLD')"
    ),
    "a line is on hold that was not asked to be": (
        "SELECT id FROM line WHERE state = 'ON_HOLD' AND NOT EXISTS (SELECT 1 FROM hold"
        " WHERE hold.line = line.id AND kind = 'hold' AND hold.state = 'CONFIRMED')"
    ),
    "I12: a transmission was recorded that was never put on the wire": (
        "SELECT id FROM attempt AS known WHERE outcome <> 'on_wire' AND NOT EXISTS (SELECT 1 FROM attempt AS wire"
        " WHERE wire.outbox = known.outbox AND wire.outcome = 'on_wire' AND wire.id < known.id)"
    ),
    "I13: a line is not where its history says": (
        "SELECT id FROM line WHERE state <> (SELECT state_after FROM event WHERE event.line = line.id AND moved = 1"
        " ORDER BY seq DESC LIMIT 1)"
    ),
    "I13: something happened to a line after its end": (
        f"SELECT seq FROM event WHERE moved = 1 AND state_before IN {_FINAL}"
    ),
    "I13: a history has a step missing": (
        "SELECT later.seq FROM event AS later WHERE moved = 1 AND state_before <> '' AND state_before <>"
        " (SELECT state_after FROM event AS earlier WHERE earlier.line = later.line AND earlier.moved = 1"
        " AND earlier.seq < later.seq ORDER BY earlier.seq DESC LIMIT 1)"
    ),
    "I2: a line's row says that it has ended, or bears its number, and its state says otherwise": (
        f"SELECT id FROM line WHERE (ended = 1) <> (state IN {_FINAL})"
        " OR action = 'replace' AND (proposed = 1) <> (state IN ('RECEIVED', 'HELD'))"
    ),
    "I2: a line at its end is still to be given to another": (
        "SELECT line.id FROM line JOIN reroute ON reroute.line = line.id"
        f" WHERE line.state IN {_FINAL} AND reroute.state IN ('ASKED', 'PENDING', 'CONFIRMED')"
    ),
    "I7: a cancel is confirmed of a line that is open": (
        "SELECT line.id FROM line JOIN cancel ON cancel.line = line.id"
        f" WHERE cancel.state = 'CONFIRMED' AND line.state NOT IN {_FINAL}"
    ),
    "I7: a line is at its end and its cancel is not": (
        "SELECT line.id FROM line JOIN cancel ON cancel.line = line.id"
        f" WHERE cancel.state IN ('ASKED', 'PENDING') AND line.state IN {_FINAL} AND line.state <> 'EXPIRED'"
    ),
    "I7: a request waits for an answer of one that is not the holder": (
        "SELECT line.id FROM line JOIN hold ON hold.line = line.id AND hold.state = 'ASKED'"
        " JOIN message ON message.id = hold.message WHERE message.epoch <> line.epoch"
        " UNION ALL SELECT line.id FROM line JOIN cancel ON cancel.line = line.id"
        " AND cancel.state IN ('ASKED', 'PENDING') JOIN message ON message.id = cancel.message"
        f" WHERE message.epoch <> line.epoch AND line.state NOT IN {_FINAL}"
    ),
    "I7: the trust was not told that its cancel is confirmed": (
        "SELECT line.id FROM line"
        " WHERE line.state = 'CANCELLED' AND EXISTS (SELECT 1 FROM event WHERE event.line = line.id"
        " AND event = 'cancel_asked' AND actor = 'TP') AND EXISTS (SELECT 1 FROM outbox WHERE kind = 'tell'"
        " AND tenant = line.tenant AND news IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM outbox"
        " JOIN event ON event.seq = outbox.news WHERE event.line = line.id"
        " AND event.event IN ('cancel', 'cancel_confirmed'))"
    ),
    "I16: a change left before the order it replaces was out of the way": (
        "SELECT attempt.id FROM attempt JOIN outbox ON outbox.id = attempt.outbox"
        " JOIN allocation ON allocation.message = outbox.message_id JOIN line ON line.id = allocation.line"
        " JOIN cancel ON cancel.replaced_by = line.uuid JOIN line AS old ON old.id = cancel.line"
        # what left in the time that a restore lost did not leave here
        " WHERE attempt.outcome = 'on_wire' AND attempt.lease <> 'restored'"
        " AND old.state NOT IN ('CANCELLED', 'SUPERSEDED', 'REFUSED')"
        " AND NOT EXISTS (SELECT 1 FROM ruling JOIN outbox AS ruled_row ON ruled_row.id = ruling.outbox"
        " JOIN allocation AS given ON given.message = ruled_row.message_id"
        " WHERE given.line = line.id AND ruling.ruled = 'send')"
    ),
    "I3: a change waits for what cannot happen": (
        "SELECT outbox.id FROM outbox JOIN wait ON wait.outbox = outbox.id JOIN line ON line.id = wait.line"
        " LEFT JOIN cancel ON cancel.line = line.id WHERE outbox.state = 'due'"
        " AND line.state IN ('EXPIRED', 'CLOSED') AND coalesce(cancel.state, '') <> 'TOO_LATE'"
    ),
    "I3: a message is withheld for no line that is on hold": (
        "SELECT outbox.id FROM outbox WHERE withheld = 1 AND NOT EXISTS (SELECT 1 FROM allocation"
        " JOIN line ON line.id = allocation.line WHERE allocation.message = outbox.message_id"
        " AND allocation.ended_at IS NULL AND line.state = 'ON_HOLD')"
    ),
    "I13: a delivery is to be made of a line at its end": (
        "SELECT delivery.id FROM delivery JOIN line ON line.id = delivery.line"
        f" WHERE line.state IN {_FINAL} AND delivery.epoch = (SELECT max(epoch) FROM delivery AS later"
        " WHERE later.line = delivery.line AND later.issue = delivery.issue)"
        " AND delivery.state IN ('PLANNED', 'RELEASED', 'BOOKED', 'PREPARING', 'READY_TO_GO', 'FAILED')"
    ),
    "I9: a delivery is written down as another's": (
        "SELECT delivery.id FROM delivery JOIN line ON line.id = delivery.line"
        " WHERE delivery.tenant IS DISTINCT FROM line.tenant OR delivery.provider IS DISTINCT FROM line.provider"
    ),
    "more was delivered than ordered": "SELECT id FROM line WHERE delivered > total_supplies",
}


def broken(connection: Reader, *, hashes: bool = True) -> list[str]:
    """Give every invariant that does not hold, with the first row that breaks it."""
    found = [
        f"{name} (row {rows[0][0]} and {len(rows) - 1} more)"
        for name, question in QUESTIONS.items()
        if (rows := list(connection.execute(question)))
    ]
    if hashes:
        found += [
            f"I5: leaf {seq} does not hash to what it says"
            for seq, body, kept in connection.execute("SELECT seq, body, leaf_hash FROM audit_leaf")
            if hashlib.sha256(b"\x00" + body).digest() != kept
        ]
    return found
