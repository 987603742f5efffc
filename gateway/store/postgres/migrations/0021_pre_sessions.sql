-- Sessions of the console, so that every node knows who was let in by another and one end of a role ends them all. The
-- secret of a cookie is nowhere: only its digest. Code of the schema before goes on working: it keeps its own in memory.
-- Nothing here is for the role that asks a tenant's questions.
-- Source: console.md 7; reliability-security.md 8 (pharmacist).

CREATE TABLE console_session (
    digest text COLLATE "C" PRIMARY KEY CHECK (length(digest) = 64),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    who text COLLATE "C" NOT NULL,
    opened_at bigint NOT NULL,
    seen_at bigint NOT NULL CHECK (seen_at >= opened_at),
    path text COLLATE "C" NOT NULL,
    notice text COLLATE "C" NOT NULL,
    ended_at bigint,
    why text COLLATE "C" NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (why = ''))
);
CREATE INDEX console_session_name ON console_session (name) WHERE ended_at IS NULL;
CREATE INDEX console_session_seen ON console_session (seen_at);
CREATE FUNCTION console_session_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR NEW.digest <> OLD.digest OR NEW.name <> OLD.name OR NEW.who <> OLD.who
    OR NEW.opened_at <> OLD.opened_at
    THEN
        RAISE EXCEPTION 'a session ends once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER console_session_ends_once BEFORE UPDATE ON console_session
    FOR EACH ROW EXECUTE FUNCTION console_session_ends_once();

-- What is done once, whichever node it comes to: forms, by the digest of their session; orders of an issuer.
CREATE TABLE console_once (
    whose text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    led_to text COLLATE "C" NOT NULL DEFAULT '',
    at bigint NOT NULL,
    PRIMARY KEY (whose, token)
);
CREATE INDEX console_once_at ON console_once (at);

-- What was searched for: an address holds its key alone.
CREATE TABLE console_search (
    session text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    sought text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (session, key)
);
CREATE INDEX console_search_at ON console_search (at);

-- What was typed and could not be sent; `session` is whose page shows it, empty until its person comes in again.
CREATE TABLE console_form (
    name text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    typed text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    session text COLLATE "C" NOT NULL,
    PRIMARY KEY (name, path)
);
CREATE INDEX console_form_session ON console_form (session);
CREATE INDEX console_form_at ON console_form (at);
