-- What is closed for good moves to an archive: its rows leave these tables once a file of their own holds them, and
-- that file's digest stands here. Code of the schema before goes on working: it deletes nothing, and finds nothing of
-- what was archived.
-- Source: reliability-security.md I6, 7 and 9 (retention); brief D12.

-- One file of archived prescriptions. It is finished when everything in it that could leave these tables has.
CREATE TABLE archive (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    made_at INTEGER NOT NULL,
    keep_until INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE TRIGGER archive_finishes_once BEFORE UPDATE ON archive
WHEN OLD.finished_at IS NOT NULL OR NEW.name <> OLD.name OR NEW.sha256 <> OLD.sha256 OR NEW.made_at <> OLD.made_at
    OR NEW.keep_until <> OLD.keep_until
BEGIN SELECT raise(ABORT, 'an archive only finishes'); END;
CREATE TRIGGER archive_kept BEFORE DELETE ON archive BEGIN SELECT raise(ABORT, 'insert only'); END;

-- What stays of an archived order: that it was taken, where it ended, and which file has the rest. Its row here is also
-- the permission, in the transaction that writes it, to delete the rows that hang on it.
CREATE TABLE archived_prescription (
    id INTEGER PRIMARY KEY,
    archive INTEGER NOT NULL REFERENCES archive (id),
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    submission INTEGER NOT NULL REFERENCES submission (id),
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    number TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    events INTEGER NOT NULL,
    delivered INTEGER NOT NULL CHECK (delivered IN (0, 1)),
    sent INTEGER NOT NULL CHECK (sent IN (0, 1)),
    answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
    rejected INTEGER NOT NULL CHECK (rejected IN (0, 1))
) STRICT;
CREATE INDEX archived_prescription_uuid ON archived_prescription (uuid);
CREATE INDEX archived_prescription_submission ON archived_prescription (submission);
CREATE INDEX archived_prescription_archive ON archived_prescription (archive);
CREATE TRIGGER archived_prescription_fixed BEFORE UPDATE ON archived_prescription
BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER archived_prescription_kept BEFORE DELETE ON archived_prescription
BEGIN SELECT raise(ABORT, 'insert only'); END;
-- What a trust or a provider may still ask of its lines is answered from here.
CREATE TABLE archived_line (
    id INTEGER PRIMARY KEY,
    prescription INTEGER NOT NULL REFERENCES archived_prescription (id),
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    prescription_uuid BLOB NOT NULL CHECK (length(prescription_uuid) = 16),
    tenant TEXT NOT NULL,
    order_number TEXT NOT NULL,
    order_assigner TEXT NOT NULL,
    group_number TEXT NOT NULL,
    product_code TEXT NOT NULL,
    action TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')),
    epoch INTEGER NOT NULL,
    provider TEXT,
    replaced INTEGER NOT NULL,
    cancel TEXT
) STRICT;
CREATE INDEX archived_line_order_number ON archived_line (order_number, tenant);
CREATE INDEX archived_line_group_number ON archived_line (group_number, tenant);
CREATE INDEX archived_line_uuid ON archived_line (uuid);
CREATE INDEX archived_line_prescription_uuid ON archived_line (prescription_uuid);
CREATE TRIGGER archived_line_fixed BEFORE UPDATE ON archived_line BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER archived_line_kept BEFORE DELETE ON archived_line BEGIN SELECT raise(ABORT, 'insert only'); END;

-- Records that must stay whatever their age: of one patient, or of one prescription. It ends once, by a person.
CREATE TABLE legal_hold (
    id INTEGER PRIMARY KEY,
    nhs_number TEXT,
    prescription BLOB CHECK (prescription IS NULL OR length(prescription) = 16),
    placed_at INTEGER NOT NULL,
    placed_by TEXT NOT NULL CHECK (placed_by <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    lifted_at INTEGER,
    lifted_by TEXT NOT NULL DEFAULT '',
    lift_reason TEXT NOT NULL DEFAULT '',
    CHECK ((nhs_number IS NULL) <> (prescription IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by = '') AND (lifted_at IS NULL) = (lift_reason = ''))
) STRICT;
CREATE UNIQUE INDEX legal_hold_patient ON legal_hold (nhs_number) WHERE lifted_at IS NULL AND nhs_number IS NOT NULL;
CREATE UNIQUE INDEX legal_hold_prescription ON legal_hold (prescription)
    WHERE lifted_at IS NULL AND prescription IS NOT NULL;
CREATE TRIGGER legal_hold_kept BEFORE DELETE ON legal_hold BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER legal_hold_ends_once BEFORE UPDATE ON legal_hold
WHEN OLD.lifted_at IS NOT NULL OR NEW.nhs_number IS NOT OLD.nhs_number OR NEW.prescription IS NOT OLD.prescription
    OR NEW.placed_at <> OLD.placed_at OR NEW.placed_by <> OLD.placed_by OR NEW.reason <> OLD.reason
BEGIN SELECT raise(ABORT, 'a legal hold only ends'); END;

-- The second lock: whatever the program believes.
CREATE TRIGGER archive_takes_what_has_ended BEFORE INSERT ON archived_prescription
WHEN NOT EXISTS (SELECT 1 FROM prescription WHERE id = NEW.id AND uuid = NEW.uuid AND tenant = NEW.tenant)
    OR NEW.id = (SELECT max(id) FROM prescription)
    OR EXISTS (
        SELECT 1 FROM line WHERE line.prescription = NEW.id AND (
            state NOT IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED')
            OR EXISTS (SELECT 1 FROM alert WHERE alert.line = line.id AND closed_at IS NULL)
            OR EXISTS (SELECT 1 FROM allocation WHERE allocation.line = line.id AND ended_at IS NULL)))
    OR EXISTS (
        SELECT 1 FROM message JOIN outbox ON outbox.message_id = message.id
        WHERE message.prescription = NEW.id AND outbox.state IN ('due', 'claimed', 'on_wire'))
    OR EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND prescription = NEW.uuid)
    OR EXISTS (
        SELECT 1 FROM legal_hold JOIN prescription ON prescription.nhs_number = legal_hold.nhs_number
        WHERE lifted_at IS NULL AND legal_hold.nhs_number IS NOT NULL AND prescription.id = NEW.id)
BEGIN SELECT raise(ABORT, 'this prescription stays'); END;

CREATE VIEW archived_outbox AS
SELECT outbox.id AS id FROM outbox JOIN message ON message.id = outbox.message_id
    JOIN archived_prescription ON archived_prescription.id = message.prescription
UNION ALL
SELECT outbox.id FROM outbox JOIN event ON event.seq = outbox.news JOIN line ON line.id = event.line
    JOIN archived_prescription ON archived_prescription.id = line.prescription;

-- Everything else is kept as before. The newest number of a table stays too: it would be given again.
DROP TRIGGER prescription_kept;
CREATE TRIGGER prescription_kept BEFORE DELETE ON prescription
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.id)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER line_stays;
CREATE TRIGGER line_stays BEFORE DELETE ON line
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
    OR NOT EXISTS (SELECT 1 FROM archived_line WHERE id = OLD.id) OR OLD.id = (SELECT max(id) FROM line)
BEGIN SELECT raise(ABORT, 'lines are kept'); END;
DROP TRIGGER message_kept;
CREATE TRIGGER message_kept BEFORE DELETE ON message
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER allocation_kept;
CREATE TRIGGER allocation_kept BEFORE DELETE ON allocation
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER event_kept;
CREATE TRIGGER event_kept BEFORE DELETE ON event
WHEN NOT EXISTS (
        SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
        WHERE line.id = OLD.line)
    OR OLD.seq = (SELECT max(seq) FROM event)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER alert_kept;
CREATE TRIGGER alert_kept BEFORE DELETE ON alert
WHEN OLD.closed_at IS NULL OR OLD.id = (SELECT max(id) FROM alert) OR NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER cancel_kept;
CREATE TRIGGER cancel_kept BEFORE DELETE ON cancel
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER hold_kept;
CREATE TRIGGER hold_kept BEFORE DELETE ON hold
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER reroute_kept;
CREATE TRIGGER reroute_kept BEFORE DELETE ON reroute
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER renewal_kept;
CREATE TRIGGER renewal_kept BEFORE DELETE ON renewal
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER delivery_kept;
CREATE TRIGGER delivery_kept BEFORE DELETE ON delivery
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER delivery_event_kept;
CREATE TRIGGER delivery_event_kept BEFORE DELETE ON delivery_event
WHEN NOT EXISTS (
    SELECT 1 FROM delivery JOIN line ON line.id = delivery.line
    JOIN archived_prescription ON archived_prescription.id = line.prescription WHERE delivery.id = OLD.delivery)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER outbox_kept;
CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox
WHEN OLD.state NOT IN ('done', 'stuck') OR OLD.id = (SELECT max(id) FROM outbox)
    OR NOT EXISTS (SELECT 1 FROM archived_outbox WHERE id = OLD.id)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER attempt_kept;
CREATE TRIGGER attempt_kept BEFORE DELETE ON attempt
WHEN NOT EXISTS (SELECT 1 FROM archived_outbox WHERE id = OLD.outbox)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER ruling_kept;
CREATE TRIGGER ruling_kept BEFORE DELETE ON ruling
WHEN NOT EXISTS (SELECT 1 FROM archived_outbox WHERE id = OLD.outbox)
BEGIN SELECT raise(ABORT, 'insert only'); END;
DROP TRIGGER wait_kept;
CREATE TRIGGER wait_kept BEFORE DELETE ON wait
WHEN EXISTS (SELECT 1 FROM outbox WHERE id = OLD.outbox AND state IN ('due', 'claimed', 'on_wire'))
    OR NOT EXISTS (SELECT 1 FROM archived_outbox WHERE id IN (OLD.outbox, OLD.earlier))
    AND NOT EXISTS (
        SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
        WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;

-- Of what was posted there stays what a repeat is known by and answered with (I6); the rest is in the archive that is
-- named, once nothing here hangs on it.
ALTER TABLE submission ADD COLUMN archive INTEGER REFERENCES archive (id);
DROP TRIGGER submission_fixed;
CREATE TRIGGER submission_fixed BEFORE UPDATE ON submission
WHEN OLD.archive IS NOT NULL OR NEW.archive IS NULL OR NEW.id <> OLD.id OR NEW.tenant <> OLD.tenant
    OR NEW.control_id <> OLD.control_id OR NEW.format <> OLD.format OR NEW.content_type <> OLD.content_type
    OR NEW.received_at <> OLD.received_at OR NEW.digest <> OLD.digest OR NEW.outcome <> OLD.outcome
    OR NEW.refused_orders <> OLD.refused_orders OR NEW.answer_body <> OLD.answer_body
    OR NEW.answer_type <> OLD.answer_type OR NEW.answer_status <> OLD.answer_status
    OR NEW.answer_later IS NOT OLD.answer_later OR length(NEW.body) > 0
    OR EXISTS (SELECT 1 FROM prescription WHERE submission = OLD.id)
    OR EXISTS (SELECT 1 FROM cancel WHERE submission = OLD.id)
    OR EXISTS (SELECT 1 FROM hold WHERE submission = OLD.id)
BEGIN SELECT raise(ABORT, 'insert only'); END;
ALTER TABLE callback ADD COLUMN archive INTEGER REFERENCES archive (id);
DROP TRIGGER callback_fixed;
CREATE TRIGGER callback_fixed BEFORE UPDATE ON callback
WHEN OLD.archive IS NOT NULL OR NEW.archive IS NULL OR NEW.id <> OLD.id OR NEW.destination <> OLD.destination
    OR NEW.received_at <> OLD.received_at OR NEW.content_type <> OLD.content_type OR NEW.digest <> OLD.digest
    OR NEW.answer_id <> OLD.answer_id OR NEW.correlation IS NOT OLD.correlation OR length(NEW.body) > 0
    OR EXISTS (SELECT 1 FROM event WHERE callback = OLD.id)
BEGIN SELECT raise(ABORT, 'insert only'); END;

-- What is asked before a row is let go, and the open alerts in their order however many there are.
CREATE INDEX outbox_news ON outbox (news) WHERE news IS NOT NULL;
CREATE INDEX delivery_event_source ON delivery_event (source) WHERE source IS NOT NULL;
CREATE INDEX wait_line ON wait (line) WHERE line IS NOT NULL;
CREATE INDEX wait_earlier ON wait (earlier) WHERE earlier IS NOT NULL;
CREATE INDEX hold_submission ON hold (submission);
CREATE INDEX alert_open_id ON alert (id) WHERE closed_at IS NULL;
