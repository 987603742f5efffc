-- What needs attention: where each open alert stands on the list, who works on it, and what people did about it. Code
-- of the schema before goes on working: an alert that it opens has no days of medicine left, and counts as urgent.
-- Source: console.md 6.1.

-- `place` 0 are incidents. `last_day`: the last London day on which acting is early enough, where that is known. `risk`:
-- rank of the medicine's class. `silent`: a provider's system that does not answer would explain it.
ALTER TABLE alert ADD COLUMN place INTEGER NOT NULL DEFAULT 1 CHECK (place IN (0, 1));
ALTER TABLE alert ADD COLUMN last_day TEXT;
ALTER TABLE alert ADD COLUMN risk INTEGER NOT NULL DEFAULT 5;
ALTER TABLE alert ADD COLUMN provider TEXT;
ALTER TABLE alert ADD COLUMN silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1));
ALTER TABLE alert ADD COLUMN taken_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN taken_at INTEGER;
ALTER TABLE alert ADD COLUMN snoozed_until INTEGER;
UPDATE alert SET provider = (SELECT provider FROM line WHERE line.id = alert.line),
    place = CASE WHEN kind IN ('safety-incident', 'delivery-under-way', 'holding-elsewhere', 'released-expired')
        THEN 0 ELSE 1 END
WHERE closed_at IS NULL;
CREATE INDEX alert_in_order ON alert (place, last_day, risk, id) WHERE closed_at IS NULL;
CREATE INDEX alert_in_order_of_trust ON alert (tenant, place, last_day, risk, id) WHERE closed_at IS NULL;
CREATE INDEX alert_in_order_of_provider ON alert (provider, place, last_day, risk, id) WHERE closed_at IS NULL;
CREATE INDEX alert_taken ON alert (taken_by) WHERE closed_at IS NULL AND taken_by <> '';
CREATE INDEX alert_silent ON alert (provider, opened_at) WHERE closed_at IS NULL AND silent = 1;
CREATE TRIGGER alert_begins_with_nobody BEFORE INSERT ON alert WHEN NEW.taken_by <> '' OR NEW.snoozed_until IS NOT NULL
BEGIN SELECT raise(ABORT, 'only a person takes an alert or puts it off'); END;

-- Lines that wait for a pharmacist without an alert, in the same order.
ALTER TABLE line ADD COLUMN last_day TEXT;
ALTER TABLE line ADD COLUMN risk INTEGER NOT NULL DEFAULT 5;
CREATE INDEX line_waits ON line (last_day, risk, id) WHERE state IN ('AWAITING_SCREENING', 'QUERIED');

-- When each provider was last heard of.
CREATE INDEX callback_heard ON callback (destination, received_at);

-- What people did about a work item, and what they were told on the telephone: stated evidence, never edited.
CREATE TABLE work_note (
    id INTEGER PRIMARY KEY,
    alert INTEGER REFERENCES alert (id),
    line INTEGER REFERENCES line (id),
    at INTEGER NOT NULL,
    by TEXT NOT NULL CHECK (by <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('taken', 'handed over', 'put off', 'call', 'reminded')),
    person TEXT NOT NULL,
    spoken_at INTEGER,
    until INTEGER,
    days_at_home INTEGER CHECK (days_at_home >= 0),
    words TEXT NOT NULL,
    CHECK ((kind = 'put off') = (until IS NOT NULL)),
    CHECK ((kind = 'call') = (spoken_at IS NOT NULL)),
    CHECK (days_at_home IS NULL OR kind = 'call'),
    CHECK (kind NOT IN ('call', 'handed over') OR person <> ''),
    CHECK (kind NOT IN ('call', 'put off') OR words <> '')
) STRICT;
CREATE INDEX work_note_alert ON work_note (alert) WHERE alert IS NOT NULL;
CREATE INDEX work_note_line ON work_note (line) WHERE line IS NOT NULL;
CREATE TRIGGER work_note_fixed BEFORE UPDATE ON work_note BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER work_note_kept BEFORE DELETE ON work_note
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;
