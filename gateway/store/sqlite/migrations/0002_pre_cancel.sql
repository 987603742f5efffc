-- Cancels and changes. Code of the first schema goes on working: it writes none of this.
-- Source: mapping.md 10.3; reliability-security.md I7, I16.

-- Where the cancel of a line stands, one row a line; or of an order that has not come, without a line.
CREATE TABLE cancel (
    id INTEGER PRIMARY KEY,
    line INTEGER REFERENCES line (id),
    submission INTEGER NOT NULL REFERENCES submission (id),
    tenant TEXT NOT NULL,
    order_number TEXT NOT NULL,
    order_assigner TEXT NOT NULL,
    item BLOB,
    prescription BLOB,
    state TEXT NOT NULL CHECK (state IN ('TOMBSTONE', 'ASKED', 'PENDING', 'TOO_LATE', 'CONFIRMED')),
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    message BLOB REFERENCES message (id),
    replaced_by BLOB,
    asked_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((state = 'TOMBSTONE') <= (line IS NULL))
) STRICT;
CREATE UNIQUE INDEX cancel_line ON cancel (line) WHERE line IS NOT NULL;
CREATE INDEX cancel_message ON cancel (message) WHERE message IS NOT NULL;
CREATE INDEX cancel_submission ON cancel (submission);
CREATE INDEX cancel_waiting ON cancel (tenant, order_number) WHERE state = 'TOMBSTONE';
CREATE TRIGGER cancel_kept BEFORE DELETE ON cancel BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER cancel_ends_once BEFORE UPDATE OF state ON cancel WHEN OLD.state IN ('CONFIRMED', 'TOO_LATE')
BEGIN SELECT raise(ABORT, 'this cancel has ended'); END;

-- What a row of the outbox waits for: an earlier row to be settled (I16), or an old line to be out of the way.
CREATE TABLE wait (
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    earlier INTEGER REFERENCES outbox (id),
    line INTEGER REFERENCES line (id),
    CHECK ((earlier IS NULL) <> (line IS NULL))
) STRICT;
CREATE INDEX wait_outbox ON wait (outbox);
CREATE TRIGGER wait_kept BEFORE DELETE ON wait BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER wait_fixed BEFORE UPDATE ON wait BEGIN SELECT raise(ABORT, 'insert only'); END;

-- A change takes the order number over while the old line may still be with its provider; a change that is held has it
-- not yet.
ALTER TABLE line ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));
DROP INDEX line_live_order_number;
CREATE UNIQUE INDEX line_live_order_number ON line (tenant, order_number, order_assigner)
    WHERE action IN ('new', 'replace') AND order_number <> '' AND replaced = 0
      AND NOT (action = 'replace' AND state IN ('RECEIVED', 'HELD'))
      AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');
