-- What a person states about a prescription after it was sealed: its order number, the paper original that followed.
-- The trust's own record: nothing that was sealed changes, and no message carries it. Written once; goes with its
-- prescription. Source: mapping.md 0 (10); brief D8.
CREATE TABLE stated_fact (
    id INTEGER PRIMARY KEY,
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    kind TEXT NOT NULL CHECK (kind IN ('purchase-order', 'paper-original')),
    value TEXT NOT NULL CHECK (value <> ''),
    on_day TEXT,
    stated_by TEXT NOT NULL CHECK (stated_by <> ''),
    stated_at INTEGER NOT NULL,
    note TEXT NOT NULL,
    CHECK ((kind = 'paper-original') = (on_day IS NOT NULL))
) STRICT;
CREATE INDEX stated_fact_prescription ON stated_fact (prescription, kind);
CREATE TRIGGER stated_fact_fixed BEFORE UPDATE ON stated_fact BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER stated_fact_kept BEFORE DELETE ON stated_fact
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;
