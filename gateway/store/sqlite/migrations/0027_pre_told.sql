-- Notices outside the console: who was told of which open alert, and the messages to them, each written before it is
-- sent. Code of the schema before goes on working: it tells nobody.
-- Source: console.md 6.11.

-- Each rung of the ladder is told of an alert once, however many nodes look. `last`: nobody comes after it.
CREATE TABLE told (
    alert INTEGER NOT NULL,
    rung TEXT NOT NULL CHECK (rung IN ('owner', 'deputy', 'on call', 'chief pharmacist')),
    at INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last IN (0, 1)),
    occasion TEXT NOT NULL CHECK (occasion <> ''),
    PRIMARY KEY (alert, rung)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_occasion ON told (occasion);
CREATE TRIGGER told_fixed BEFORE UPDATE ON told BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER told_kept BEFORE DELETE ON told BEGIN SELECT raise(ABORT, 'insert only'); END;

-- One message to one person on one channel. It ends once: taken by the other side, given up, or no longer needed.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('step', 'daily', 'weekly')),
    circle TEXT NOT NULL CHECK (circle <> ''),
    rung TEXT NOT NULL,
    occasion TEXT NOT NULL CHECK (occasion <> ''),
    person TEXT NOT NULL CHECK (person <> ''),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'webhook')),
    subject TEXT NOT NULL CHECK (subject <> ''),
    words TEXT NOT NULL CHECK (words <> ''),
    path TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'claimed', 'sent', 'spent', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    lease TEXT,
    lease_until INTEGER,
    said TEXT NOT NULL DEFAULT '',
    ended_at INTEGER,
    CHECK ((kind = 'step') = (rung <> '')),
    CHECK ((state = 'claimed') = (lease IS NOT NULL) AND (lease IS NULL) = (lease_until IS NULL)),
    CHECK ((state IN ('sent', 'spent', 'dropped')) = (ended_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX notice_once ON notice (circle, kind, rung, occasion, person, channel);
CREATE INDEX notice_occasion ON notice (occasion);
CREATE INDEX notice_due ON notice (channel, due_at, id) WHERE state = 'due';
CREATE INDEX notice_leased ON notice (channel, lease_until) WHERE state = 'claimed';
CREATE INDEX notice_spent ON notice (ended_at) WHERE state = 'spent';
CREATE TRIGGER notice_kept BEFORE DELETE ON notice BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER notice_ends_once BEFORE UPDATE ON notice
WHEN OLD.ended_at IS NOT NULL OR NEW.uuid <> OLD.uuid OR NEW.kind <> OLD.kind OR NEW.circle <> OLD.circle
    OR NEW.rung <> OLD.rung OR NEW.occasion <> OLD.occasion OR NEW.person <> OLD.person
    OR NEW.channel <> OLD.channel OR NEW.subject <> OLD.subject OR NEW.words <> OLD.words OR NEW.path <> OLD.path
    OR NEW.written_at <> OLD.written_at
BEGIN SELECT raise(ABORT, 'a notice ends once'); END;

-- What a digest counts.
CREATE INDEX alert_closed ON alert (closed_at) WHERE closed_at IS NOT NULL;
