-- Acts that need two people: what one person proposed, until another agrees or it lapses. Written once, ends once.
-- The second lock of "the second person is never the first" is here, whatever the program believes.
-- Source: console.md 3 and 6.10; reliability-security.md I10.
CREATE TABLE proposal (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind <> ''),
    subject TEXT NOT NULL CHECK (subject <> ''),
    payload BLOB NOT NULL,
    tenant TEXT,
    proposed_by TEXT NOT NULL CHECK (proposed_by <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    proposed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > proposed_at),
    state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'seconded', 'done', 'not-done', 'withdrawn', 'expired')),
    second_by TEXT NOT NULL DEFAULT '' CHECK (lower(second_by) <> lower(proposed_by)),
    seconded_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT '',
    ended_at INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    CHECK ((state IN ('seconded', 'done', 'not-done')) = (second_by <> '')),
    CHECK ((second_by <> '') = (seconded_at IS NOT NULL)),
    CHECK ((state IN ('open', 'seconded')) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX proposal_open ON proposal (kind, subject) WHERE state = 'open';
CREATE INDEX proposal_waiting ON proposal (state, proposed_at) WHERE state IN ('open', 'seconded');
CREATE INDEX proposal_subject ON proposal (kind, subject, proposed_at);
CREATE TRIGGER proposal_kept BEFORE DELETE ON proposal BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER proposal_ends_once BEFORE UPDATE ON proposal
WHEN NEW.kind <> OLD.kind OR NEW.subject <> OLD.subject OR NEW.payload <> OLD.payload OR NEW.tenant IS NOT OLD.tenant
    OR NEW.proposed_by <> OLD.proposed_by OR NEW.reason <> OLD.reason OR NEW.proposed_at <> OLD.proposed_at
    OR NEW.expires_at <> OLD.expires_at
    OR NOT (OLD.state = 'open' AND NEW.state IN ('seconded', 'withdrawn', 'expired')
        OR OLD.state = 'seconded' AND NEW.state IN ('done', 'not-done') AND NEW.second_by = OLD.second_by
            AND NEW.seconded_at = OLD.seconded_at)
BEGIN SELECT raise(ABORT, 'a proposal ends once'); END;
