-- Sessions of the console, so that every node knows who was let in by another and one end of a role ends them all. The
-- secret of a cookie is nowhere: only its digest. Code of the schema before goes on working: it keeps its own in memory.
-- Source: console.md 7; reliability-security.md 8 (pharmacist).

CREATE TABLE console_session (
    digest TEXT PRIMARY KEY CHECK (length(digest) = 64),
    name TEXT NOT NULL CHECK (name <> ''),
    who TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL CHECK (seen_at >= opened_at),
    path TEXT NOT NULL,
    notice TEXT NOT NULL,
    ended_at INTEGER,
    why TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (why = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_name ON console_session (name) WHERE ended_at IS NULL;
CREATE INDEX console_session_seen ON console_session (seen_at);
CREATE TRIGGER console_session_ends_once BEFORE UPDATE ON console_session
WHEN OLD.ended_at IS NOT NULL OR NEW.digest <> OLD.digest OR NEW.name <> OLD.name OR NEW.who <> OLD.who
    OR NEW.opened_at <> OLD.opened_at
BEGIN SELECT raise(ABORT, 'a session ends once'); END;

-- What is done once, whichever node it comes to: forms, by the digest of their session; orders of an issuer.
CREATE TABLE console_once (
    whose TEXT NOT NULL,
    token TEXT NOT NULL,
    led_to TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    PRIMARY KEY (whose, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX console_once_at ON console_once (at);

-- What was searched for: an address holds its key alone.
CREATE TABLE console_search (
    session TEXT NOT NULL,
    key TEXT NOT NULL,
    sought TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX console_search_at ON console_search (at);

-- What was typed and could not be sent; `session` is whose page shows it, empty until its person comes in again.
CREATE TABLE console_form (
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    typed TEXT NOT NULL,
    at INTEGER NOT NULL,
    session TEXT NOT NULL,
    PRIMARY KEY (name, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX console_form_session ON console_form (session);
CREATE INDEX console_form_at ON console_form (at);
