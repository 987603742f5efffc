-- Deliveries, one an issue of a line, and renewals, one a line at a time; both moved along published arrows only.
-- Source: mapping.md 10.4, 10.5; reliability-security.md I13.

-- The arrows of every machine beside the line, filled from gateway.domain at every opening.
CREATE TABLE region_arrow (
    machine TEXT NOT NULL,
    state TEXT NOT NULL,
    event TEXT NOT NULL,
    next TEXT NOT NULL,
    PRIMARY KEY (machine, state, event, next)
) STRICT, WITHOUT ROWID;

-- One issue under one epoch: what did not leave under an earlier holder is planned anew for the next.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    issue INTEGER NOT NULL CHECK (issue >= 1),
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'PLANNED', 'RELEASED', 'BOOKED', 'PREPARING', 'READY_TO_GO', 'DISPATCHED', 'DELIVERED', 'FAILED',
        'NOT_SUPPLIED', 'WITHDRAWN', 'RESCUED')),
    state_before TEXT,
    owed INTEGER NOT NULL DEFAULT 0 CHECK (owed IN (0, 1)),
    due_on TEXT,
    covers_until TEXT,
    agreed_first TEXT,
    agreed_for TEXT,
    entered_at INTEGER NOT NULL,
    UNIQUE (line, issue, epoch)
) STRICT;
CREATE INDEX delivery_due ON delivery (due_on) WHERE state = 'PLANNED' AND due_on IS NOT NULL;
CREATE INDEX delivery_cover ON delivery (covers_until) WHERE covers_until IS NOT NULL;

-- What was counted before deliveries had rows.
INSERT INTO delivery (line, issue, epoch, state, state_before, entered_at)
WITH RECURSIVE counted (line, issue, epoch, delivered, at) AS (
    SELECT id, 1, epoch, delivered, entered_at FROM line WHERE delivered > 0
    UNION ALL
    SELECT line, issue + 1, epoch, delivered, at FROM counted WHERE issue < delivered)
SELECT line, issue, epoch, 'DELIVERED', 'DISPATCHED', at FROM counted;

-- The history of every delivery; `source` is the line's own event that it came with, where there is one.
CREATE TABLE delivery_event (
    id INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    state_before TEXT NOT NULL,
    state_after TEXT NOT NULL,
    source INTEGER REFERENCES event (seq),
    text TEXT NOT NULL
) STRICT;
CREATE INDEX delivery_event_delivery ON delivery_event (delivery, id);

CREATE TRIGGER delivery_starts_planned BEFORE INSERT ON delivery WHEN NEW.state <> 'PLANNED'
BEGIN SELECT raise(ABORT, 'a delivery starts as PLANNED'); END;
CREATE TRIGGER delivery_of_the_line BEFORE INSERT ON delivery
WHEN NEW.issue > (SELECT total_supplies FROM line WHERE id = NEW.line)
BEGIN SELECT raise(ABORT, 'the line has fewer supplies'); END;
CREATE TRIGGER delivery_event_follows_table BEFORE INSERT ON delivery_event
WHEN NOT EXISTS (
    SELECT 1 FROM region_arrow WHERE machine = 'delivery' AND state = NEW.state_before AND event = NEW.event
        AND next = NEW.state_after)
BEGIN SELECT raise(ABORT, 'the lifecycle has no such arrow'); END;
CREATE TRIGGER delivery_event_starts_where_it_is BEFORE INSERT ON delivery_event
WHEN NEW.state_before IS NOT (SELECT state FROM delivery WHERE id = NEW.delivery)
BEGIN SELECT raise(ABORT, 'the delivery is in another state'); END;
CREATE TRIGGER delivery_follows_history BEFORE UPDATE OF state ON delivery
WHEN NEW.state <> OLD.state AND NOT EXISTS (
    SELECT 1 FROM delivery_event
    WHERE id = (SELECT max(id) FROM delivery_event WHERE delivery = OLD.id)
      AND state_before = OLD.state AND state_after = NEW.state)
BEGIN SELECT raise(ABORT, 'the newest event does not say so'); END;
CREATE TRIGGER delivery_keeps_its_identity BEFORE UPDATE OF line, issue, epoch, due_on, covers_until ON delivery
BEGIN SELECT raise(ABORT, 'a delivery keeps its identity'); END;
CREATE TRIGGER delivery_keeps_its_first_date BEFORE UPDATE OF agreed_first ON delivery
WHEN OLD.agreed_first IS NOT NULL AND NEW.agreed_first IS NOT OLD.agreed_first
BEGIN SELECT raise(ABORT, 'the first agreed date is kept'); END;
CREATE TRIGGER delivery_kept BEFORE DELETE ON delivery BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER delivery_event_fixed BEFORE UPDATE ON delivery_event BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER delivery_event_kept BEFORE DELETE ON delivery_event BEGIN SELECT raise(ABORT, 'insert only'); END;

-- A task for people beside a line; its steps stand in the line's own history.
CREATE TABLE renewal (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    state TEXT NOT NULL CHECK (state IN ('REQUESTED', 'WITH_PRESCRIBER', 'APPROVED', 'DECLINED', 'LAPSED')),
    opened_at INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    prescription BLOB CHECK (prescription IS NULL OR length(prescription) = 16),
    CHECK ((state = 'APPROVED') <= (prescription IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX renewal_open ON renewal (line) WHERE state IN ('REQUESTED', 'WITH_PRESCRIBER');
CREATE INDEX renewal_line ON renewal (line);
CREATE TRIGGER renewal_starts_requested BEFORE INSERT ON renewal WHEN NEW.state <> 'REQUESTED'
BEGIN SELECT raise(ABORT, 'a renewal starts as REQUESTED'); END;
CREATE TRIGGER renewal_follows_table BEFORE UPDATE OF state ON renewal
WHEN NOT EXISTS (
    SELECT 1 FROM region_arrow WHERE machine = 'renewal' AND state = OLD.state AND next = NEW.state)
BEGIN SELECT raise(ABORT, 'the lifecycle has no such arrow'); END;
CREATE TRIGGER renewal_kept BEFORE DELETE ON renewal BEGIN SELECT raise(ABORT, 'insert only'); END;

-- A cancel too moves along its own arrows only, and its line stays its line.
CREATE TRIGGER cancel_follows_table BEFORE UPDATE OF state ON cancel
WHEN NEW.state <> OLD.state AND NOT EXISTS (
    SELECT 1 FROM region_arrow WHERE machine = 'cancel' AND state = OLD.state AND next = NEW.state)
BEGIN SELECT raise(ABORT, 'the lifecycle has no such arrow'); END;

-- Until when a line may be supplied from (HMR 2012 reg 217); empty where its order could not be completed.
ALTER TABLE line ADD COLUMN valid_until INTEGER;
CREATE INDEX line_valid_until ON line (valid_until)
    WHERE valid_until IS NOT NULL AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');
CREATE INDEX line_fulfilled ON line (entered_at) WHERE state = 'FULFILLED';

-- What a person ruled on an order that waits for a cancel which came too late.
CREATE TABLE ruling (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    ruled TEXT NOT NULL CHECK (ruled IN ('send', 'drop')),
    at INTEGER NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER ruling_fixed BEFORE UPDATE ON ruling BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER ruling_kept BEFORE DELETE ON ruling BEGIN SELECT raise(ABORT, 'insert only'); END;
