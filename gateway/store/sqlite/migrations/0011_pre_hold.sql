-- Holds and releases. Code of the schema before this one goes on working: a row that is withheld belongs to lines that
-- are on hold, which that code does not send either.
-- Source: mapping.md 4.1, 10.2.

-- Every hold and every release that was asked for; a line is held and released any number of times.
CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    submission INTEGER NOT NULL REFERENCES submission (id),
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'release')),
    state TEXT NOT NULL CHECK (state IN ('ASKED', 'CONFIRMED', 'REFUSED', 'OVERTAKEN')),
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    message BLOB REFERENCES message (id),
    asked_at INTEGER NOT NULL,
    answer_by INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((state = 'ASKED') = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX hold_open ON hold (line, kind) WHERE state = 'ASKED';
CREATE INDEX hold_line ON hold (line);
CREATE INDEX hold_message ON hold (message) WHERE message IS NOT NULL;
CREATE INDEX hold_answer_by ON hold (answer_by) WHERE state = 'ASKED';
CREATE TRIGGER hold_kept BEFORE DELETE ON hold BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER hold_ends_once BEFORE UPDATE ON hold
WHEN OLD.state <> 'ASKED' OR NEW.line <> OLD.line OR NEW.kind <> OLD.kind OR NEW.message IS NOT OLD.message
    OR NEW.submission <> OLD.submission OR NEW.asked_at <> OLD.asked_at
BEGIN SELECT raise(ABORT, 'this request has ended'); END;

-- A message of which a line is on hold stays here until every line of it is released.
ALTER TABLE outbox ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0 CHECK (withheld IN (0, 1));
