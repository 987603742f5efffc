-- People close alerts, pause destinations and say what became of a transmission in doubt; the watch says it lives.
-- Source: reliability-security.md I3, I12, I19.

ALTER TABLE alert ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
CREATE TRIGGER alert_closed_by_a_person BEFORE UPDATE ON alert
WHEN (NEW.closed_at IS NULL) <> (NEW.closed_by = '') OR (NEW.closed_at IS NULL) <> (NEW.close_reason = '')
BEGIN SELECT raise(ABORT, 'only a person closes an alert, with a reason'); END;
CREATE TRIGGER alert_opens_open BEFORE INSERT ON alert WHEN NEW.closed_at IS NOT NULL
BEGIN SELECT raise(ABORT, 'an alert begins open'); END;

-- When each part that must not stop in silence last did its work. The one table that is overwritten: it proves nothing.
CREATE TABLE heartbeat (
    name TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Destinations to which nothing is sent. A destination may be paused for several reasons at once; each ends by itself.
CREATE TABLE pause (
    id INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    begun_by TEXT NOT NULL CHECK (begun_by <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    ended_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT '',
    end_reason TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ended_by = '') AND (ended_at IS NULL) = (end_reason = ''))
) STRICT;
CREATE UNIQUE INDEX pause_open ON pause (destination, kind) WHERE ended_at IS NULL;
CREATE TRIGGER pause_kept BEFORE DELETE ON pause BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER pause_ends_once BEFORE UPDATE ON pause
WHEN OLD.ended_at IS NOT NULL OR NEW.destination <> OLD.destination OR NEW.kind <> OLD.kind
    OR NEW.begun_at <> OLD.begun_at OR NEW.begun_by <> OLD.begun_by OR NEW.reason <> OLD.reason
BEGIN SELECT raise(ABORT, 'a pause only ends'); END;

-- Each trust's own queue to a destination, so that none waits behind another's backlog; and how much each has waiting.
CREATE INDEX outbox_due_by_tenant ON outbox (destination, tenant, due_at, id) WHERE state = 'due';
DROP INDEX outbox_due;
CREATE INDEX outbox_open ON outbox (tenant) WHERE state IN ('due', 'claimed', 'on_wire');
