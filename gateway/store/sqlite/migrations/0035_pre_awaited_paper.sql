-- The paper original of a prescription that went with the words that it follows: since when, and by when a person is to
-- have seen and registered it. Written with the sealed message; registered once; goes with its prescription.
-- Source: brief D8; reliability-security.md I15.
CREATE TABLE awaited_paper (
    prescription INTEGER PRIMARY KEY REFERENCES prescription (id),
    since INTEGER NOT NULL,
    act_by INTEGER NOT NULL,
    registered_at INTEGER
) STRICT;
CREATE INDEX awaited_paper_open ON awaited_paper (act_by) WHERE registered_at IS NULL;
CREATE TRIGGER awaited_paper_fixed BEFORE UPDATE ON awaited_paper
WHEN OLD.registered_at IS NOT NULL OR NEW.registered_at IS NULL OR NEW.prescription <> OLD.prescription
    OR NEW.since <> OLD.since OR NEW.act_by <> OLD.act_by
BEGIN SELECT raise(ABORT, 'registered once'); END;
CREATE TRIGGER awaited_paper_kept BEFORE DELETE ON awaited_paper
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'kept'); END;
