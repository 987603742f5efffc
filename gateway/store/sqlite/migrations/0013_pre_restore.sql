-- Restores, and what providers said that they held then. Code of the schema before goes on working: it writes none of
-- this, and honours the pauses.
-- Source: reliability-security.md I22.

CREATE TABLE restoration (
    generation INTEGER PRIMARY KEY,
    restored_at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    backup_digest TEXT NOT NULL,
    backup_leaves INTEGER NOT NULL,
    first_epoch INTEGER NOT NULL
) STRICT;
CREATE TRIGGER restoration_fixed BEFORE UPDATE ON restoration BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER restoration_kept BEFORE DELETE ON restoration BEGIN SELECT raise(ABORT, 'insert only'); END;

-- A line that a provider said it holds after a restore. While it is open and our own tables did not know of it then,
-- nothing of the line is sent to anyone.
CREATE TABLE stated_holding (
    id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL REFERENCES restoration (generation),
    provider TEXT NOT NULL,
    line BLOB NOT NULL CHECK (length(line) = 16),
    prescription BLOB CHECK (prescription IS NULL OR length(prescription) = 16),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    state TEXT NOT NULL,
    stated_at INTEGER NOT NULL,
    stated_by TEXT NOT NULL CHECK (stated_by <> ''),
    known INTEGER NOT NULL CHECK (known IN (0, 1)),
    ended_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT '',
    end_reason TEXT NOT NULL DEFAULT '',
    UNIQUE (generation, provider, line, epoch),
    CHECK ((ended_at IS NULL) = (ended_by = '') AND (ended_at IS NULL) = (end_reason = ''))
) STRICT;
CREATE INDEX stated_holding_line ON stated_holding (line);
CREATE TRIGGER stated_holding_kept BEFORE DELETE ON stated_holding BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER stated_holding_ends_once BEFORE UPDATE ON stated_holding
WHEN OLD.ended_at IS NOT NULL OR NEW.generation <> OLD.generation OR NEW.provider <> OLD.provider
    OR NEW.line <> OLD.line OR NEW.epoch <> OLD.epoch OR NEW.state <> OLD.state OR NEW.stated_at <> OLD.stated_at
    OR NEW.known <> OLD.known
BEGIN SELECT raise(ABORT, 'a statement only ends'); END;

-- The second lock: whatever the program believes, nothing leaves for a provider before all are reconciled.
CREATE TRIGGER outbox_waits_for_reconciliation BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'on_wire' AND OLD.state <> 'on_wire' AND NEW.kind = 'deliver'
    AND EXISTS (SELECT 1 FROM pause WHERE kind = 'after restore' AND ended_at IS NULL)
BEGIN SELECT raise(ABORT, 'after a restore nothing is sent before every provider is reconciled'); END;
-- A line is given again only under an epoch that the lost time cannot have used.
CREATE TRIGGER allocation_above_the_lost_time BEFORE INSERT ON allocation
WHEN NEW.epoch > 1 AND (NEW.epoch < (SELECT max(first_epoch) FROM restoration) OR NEW.epoch <= (
    SELECT max(stated_holding.epoch) FROM stated_holding JOIN line ON line.uuid = stated_holding.line
    WHERE line.id = NEW.line))
BEGIN SELECT raise(ABORT, 'this epoch may have been used in the time that a restore lost'); END;
