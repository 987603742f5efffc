-- A planned outage of a provider's system, as a person was told of it. Written once; only its withdrawal is added.
-- Source: console.md 6.5, 6.10.
CREATE TABLE planned_outage (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    note TEXT NOT NULL CHECK (note <> ''),
    told_by TEXT NOT NULL CHECK (told_by <> ''),
    told_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    withdrawn_by TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    CHECK (ends > begins),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by = '') AND (withdrawn_at IS NULL) = (reason = ''))
) STRICT;
CREATE UNIQUE INDEX planned_outage_open ON planned_outage (ends, provider, begins) WHERE withdrawn_at IS NULL;
CREATE TRIGGER planned_outage_fixed BEFORE UPDATE ON planned_outage
WHEN OLD.withdrawn_at IS NOT NULL OR NEW.provider <> OLD.provider OR NEW.begins <> OLD.begins
    OR NEW.ends <> OLD.ends OR NEW.note <> OLD.note OR NEW.told_by <> OLD.told_by OR NEW.told_at <> OLD.told_at
BEGIN SELECT raise(ABORT, 'only withdrawn'); END;
CREATE TRIGGER planned_outage_kept BEFORE DELETE ON planned_outage BEGIN SELECT raise(ABORT, 'insert only'); END;
