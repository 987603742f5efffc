-- The first schema. Times are microseconds since 1970, UTC; ids that leave the gateway are 16-byte UUIDs.
-- Source: brief D3, D4; reliability-security.md I1, I2, I5, I6, I11, I13.

-- Which life of this database it is: raised after a restore, so that leases of an earlier life are void (I22).
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The arrows of the lifecycle, filled from gateway.domain.lifecycle at every opening.
CREATE TABLE arrow (
    state TEXT NOT NULL,
    event TEXT NOT NULL,
    next TEXT NOT NULL,
    PRIMARY KEY (state, event, next)
) STRICT, WITHOUT ROWID;

-- What a trust posted and what it was answered. Never edited; the key never expires (I6).
CREATE TABLE submission (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    control_id TEXT NOT NULL,
    format TEXT NOT NULL,
    content_type TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL,
    envelope TEXT NOT NULL,
    outcome TEXT NOT NULL,
    refused_orders INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    leftovers BLOB NOT NULL,
    answer_body BLOB NOT NULL,
    answer_type TEXT NOT NULL,
    answer_status INTEGER NOT NULL,
    answer_later BLOB,
    UNIQUE (tenant, control_id)
) STRICT;

-- Input with no place among the submissions: unreadable, too large, or other bytes under a used control id.
CREATE TABLE kept_apart (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    why TEXT NOT NULL,
    format TEXT NOT NULL,
    content_type TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    length INTEGER NOT NULL,
    digest TEXT NOT NULL,
    body BLOB,
    issues TEXT NOT NULL
) STRICT;

CREATE INDEX kept_apart_digest ON kept_apart (tenant, digest);

-- One order of a submission. A corrected order may bear the id of the held one it replaces; the newest row counts.
CREATE TABLE prescription (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    submission INTEGER NOT NULL REFERENCES submission (id),
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    number TEXT NOT NULL,
    group_number TEXT NOT NULL,
    nhs_number TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    document TEXT,
    issues TEXT NOT NULL,
    trace BLOB NOT NULL
) STRICT;
CREATE INDEX prescription_uuid ON prescription (uuid, tenant);
CREATE INDEX prescription_submission ON prescription (submission);
CREATE INDEX prescription_tenant ON prescription (tenant, id);
CREATE INDEX prescription_number ON prescription (number) WHERE number <> '';
CREATE INDEX prescription_group ON prescription (group_number) WHERE group_number <> '';
CREATE INDEX prescription_nhs_number ON prescription (nhs_number) WHERE nhs_number <> '';

CREATE TABLE line (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    order_number TEXT NOT NULL,
    order_assigner TEXT NOT NULL,
    product_code TEXT NOT NULL,
    product_display TEXT NOT NULL,
    directions TEXT NOT NULL,
    quantity TEXT NOT NULL,
    total_supplies INTEGER NOT NULL CHECK (total_supplies >= 1),
    state TEXT NOT NULL CHECK (state IN (
        'RECEIVED', 'REFUSED', 'HELD', 'AWAITING_SCREENING', 'READY', 'UNDELIVERABLE', 'SENT', 'UNCERTAIN',
        'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED', 'FULFILLED', 'ON_HOLD',
        'REJECTED', 'RETURNED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')),
    state_before TEXT,
    holder TEXT NOT NULL CHECK (holder IN ('gateway', 'trust', 'provider', 'nobody')),
    entered_at INTEGER NOT NULL,
    act_by INTEGER,
    epoch INTEGER NOT NULL,
    provider TEXT,
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered BETWEEN 0 AND total_supplies),
    first_sent_at INTEGER,
    first_answered_at INTEGER,
    first_rejected_at INTEGER
) STRICT;
CREATE INDEX line_prescription ON line (prescription);
CREATE INDEX line_uuid ON line (uuid);
CREATE INDEX line_order_number ON line (order_number) WHERE order_number <> '';
CREATE INDEX line_act_by ON line (act_by) WHERE act_by IS NOT NULL;
-- An item and an order number are live once.
CREATE UNIQUE INDEX line_live_uuid ON line (uuid)
    WHERE action IN ('new', 'replace')
      AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');
CREATE UNIQUE INDEX line_live_order_number ON line (tenant, order_number, order_assigner)
    WHERE action IN ('new', 'replace') AND order_number <> ''
      AND state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');

CREATE TABLE message (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    event TEXT NOT NULL,
    destination TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    not_valid_after INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL,
    rendered BLOB,
    content_type TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX message_prescription ON message (prescription);

-- Which provider may act on a line: at most one at a time (I2), each under its own epoch (I10).
CREATE TABLE allocation (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    epoch INTEGER NOT NULL,
    provider TEXT NOT NULL,
    message BLOB NOT NULL REFERENCES message (id),
    made_at INTEGER NOT NULL,
    ended_at INTEGER,
    UNIQUE (line, epoch)
) STRICT;
CREATE UNIQUE INDEX allocation_live ON allocation (line) WHERE ended_at IS NULL;
CREATE INDEX allocation_message ON allocation (message);
CREATE INDEX allocation_provider ON allocation (provider, prescription);
CREATE INDEX allocation_prescription ON allocation (prescription);

-- The one history of every line; the order of all things is seq (I7, I13).
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    state_before TEXT NOT NULL,
    state_after TEXT NOT NULL,
    moved INTEGER NOT NULL CHECK (moved IN (0, 1)),
    provider TEXT,
    callback INTEGER REFERENCES callback (id),
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    amount TEXT NOT NULL,
    unit TEXT NOT NULL,
    text TEXT NOT NULL,
    CHECK (moved = 1 OR state_before = state_after)
) STRICT;
CREATE INDEX event_line ON event (line, seq);
CREATE INDEX event_callback ON event (callback) WHERE callback IS NOT NULL;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('deliver', 'tell')),
    destination TEXT NOT NULL,
    tenant TEXT NOT NULL,
    message_id BLOB NOT NULL UNIQUE CHECK (length(message_id) = 16),
    octets BLOB,
    content_type TEXT NOT NULL,
    news INTEGER REFERENCES event (seq),
    accepted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'claimed', 'on_wire', 'done', 'stuck')),
    claims INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    possible_duplicate INTEGER NOT NULL DEFAULT 0 CHECK (possible_duplicate IN (0, 1)),
    lease TEXT,
    lease_until INTEGER,
    CHECK ((state IN ('claimed', 'on_wire')) = (lease IS NOT NULL))
) STRICT;
CREATE INDEX outbox_due ON outbox (destination, due_at, id) WHERE state = 'due';
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE state IN ('claimed', 'on_wire');

-- Every step of every transmission: 'on_wire' before the first byte, then what is known of the result.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    outbox INTEGER NOT NULL REFERENCES outbox (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lease TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('on_wire', 'taken', 'refused', 'try_later', 'in_doubt')),
    fenced INTEGER NOT NULL CHECK (fenced IN (0, 1)),
    reason TEXT NOT NULL,
    evidence BLOB NOT NULL
) STRICT;
CREATE INDEX attempt_outbox ON attempt (outbox);

-- What a provider posted, as received. A repeat is recognised by its answer id and its bytes, or what they mean.
CREATE TABLE callback (
    id INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL,
    answer_id TEXT NOT NULL,
    correlation BLOB,
    meaning TEXT NOT NULL,
    issues TEXT NOT NULL,
    UNIQUE (destination, answer_id, digest)
) STRICT;

CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    line INTEGER REFERENCES line (id),
    tenant TEXT,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX alert_open_line ON alert (line) WHERE closed_at IS NULL AND line IS NOT NULL;
CREATE INDEX alert_line ON alert (line) WHERE line IS NOT NULL;

-- One leaf for everything that happened; body is canonical JSON with opaque ids only (I5, I8).
CREATE TABLE audit_leaf (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL
) STRICT;
INSERT INTO audit_head (id, size) VALUES (1, 0);

-- A line starts as received, and moves only where the newest event of its history says; an event moves only along an
-- arrow of the lifecycle.
CREATE TRIGGER line_starts_received BEFORE INSERT ON line WHEN NEW.state <> 'RECEIVED'
BEGIN SELECT raise(ABORT, 'a line starts as RECEIVED'); END;
CREATE TRIGGER line_follows_history BEFORE UPDATE OF state ON line
WHEN NEW.state <> OLD.state AND NOT EXISTS (
    SELECT 1 FROM event
    WHERE seq = (SELECT max(seq) FROM event WHERE line = OLD.id)
      AND moved = 1 AND state_before = OLD.state AND state_after = NEW.state)
BEGIN SELECT raise(ABORT, 'the newest event does not say so'); END;
CREATE TRIGGER line_keeps_its_identity BEFORE UPDATE OF uuid, prescription, tenant, order_number, order_assigner ON line
BEGIN SELECT raise(ABORT, 'a line keeps its identity'); END;
CREATE TRIGGER line_stays BEFORE DELETE ON line BEGIN SELECT raise(ABORT, 'lines are kept'); END;
CREATE TRIGGER event_follows_lifecycle BEFORE INSERT ON event
WHEN NEW.moved = 1 AND NEW.state_before <> '' AND NOT EXISTS (
    SELECT 1 FROM arrow WHERE state = NEW.state_before AND event = NEW.event AND next = NEW.state_after)
BEGIN SELECT raise(ABORT, 'the lifecycle has no such arrow'); END;
CREATE TRIGGER event_starts_where_the_line_is BEFORE INSERT ON event
WHEN NEW.state_before <> '' AND NEW.state_before <> (SELECT state FROM line WHERE id = NEW.line)
BEGIN SELECT raise(ABORT, 'the line is in another state'); END;
CREATE TRIGGER line_starts_once BEFORE INSERT ON event
WHEN NEW.state_before = '' AND EXISTS (SELECT 1 FROM event WHERE line = NEW.line)
BEGIN SELECT raise(ABORT, 'a line starts once'); END;

-- A line that was given away may be given again only under a higher epoch, and only when the earlier holder is done (I10).
CREATE TRIGGER allocation_raises_the_epoch BEFORE INSERT ON allocation
WHEN EXISTS (SELECT 1 FROM allocation WHERE line = NEW.line AND epoch >= NEW.epoch)
BEGIN SELECT raise(ABORT, 'an epoch only rises'); END;
CREATE TRIGGER allocation_ends_once BEFORE UPDATE ON allocation
WHEN OLD.ended_at IS NOT NULL OR NEW.line <> OLD.line OR NEW.epoch <> OLD.epoch OR NEW.provider <> OLD.provider
    OR NEW.message <> OLD.message
BEGIN SELECT raise(ABORT, 'an allocation only ends'); END;

-- Insert-only tables.
CREATE TRIGGER submission_fixed BEFORE UPDATE ON submission BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER submission_kept BEFORE DELETE ON submission BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER kept_apart_fixed BEFORE UPDATE ON kept_apart BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER kept_apart_kept BEFORE DELETE ON kept_apart BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER prescription_fixed BEFORE UPDATE ON prescription BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER prescription_kept BEFORE DELETE ON prescription BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER message_fixed BEFORE UPDATE ON message BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER message_kept BEFORE DELETE ON message BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER allocation_kept BEFORE DELETE ON allocation BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER event_fixed BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER attempt_fixed BEFORE UPDATE ON attempt BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER attempt_kept BEFORE DELETE ON attempt BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER callback_fixed BEFORE UPDATE ON callback BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER callback_kept BEFORE DELETE ON callback BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER audit_leaf_fixed BEFORE UPDATE ON audit_leaf BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER audit_leaf_kept BEFORE DELETE ON audit_leaf BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER audit_leaf_gapless BEFORE INSERT ON audit_leaf
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_leaf)
BEGIN SELECT raise(ABORT, 'the leaves have no gaps'); END;
CREATE TRIGGER alert_kept BEFORE DELETE ON alert BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER alert_closes_once BEFORE UPDATE ON alert
WHEN OLD.closed_at IS NOT NULL OR NEW.kind <> OLD.kind OR NEW.subject <> OLD.subject OR NEW.line IS NOT OLD.line
    OR NEW.opened_at <> OLD.opened_at OR NEW.text <> OLD.text
BEGIN SELECT raise(ABORT, 'an alert only closes'); END;
CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox BEGIN SELECT raise(ABORT, 'insert only'); END;
