-- The class of a line, by which it has its deadlines.
-- Source: reliability-security.md 2.1 and I3.
ALTER TABLE line ADD COLUMN urgency TEXT NOT NULL DEFAULT 'routine' CHECK (urgency IN ('routine', 'urgent'));
