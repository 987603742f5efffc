-- What stays of who had the lines of an archived prescription: the lists of a day are the same before and after it goes.
-- Source: reliability-security.md I20.
CREATE TABLE archived_allocation (
    id INTEGER PRIMARY KEY,
    prescription INTEGER NOT NULL REFERENCES archived_prescription (id),
    line BLOB NOT NULL CHECK (length(line) = 16),
    epoch INTEGER NOT NULL,
    provider TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX archived_allocation_day ON archived_allocation (made_at);
CREATE INDEX archived_allocation_line ON archived_allocation (line);
CREATE TRIGGER archived_allocation_fixed BEFORE UPDATE ON archived_allocation
BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER archived_allocation_kept BEFORE DELETE ON archived_allocation
BEGIN SELECT raise(ABORT, 'insert only'); END;
