-- People of the console: who was let in and in which role, and roles granted here until a date. Code of the schema before
-- goes on working: it writes neither.
-- Source: console.md 6.10; reliability-security.md I10.

-- `tenant` is empty for the gateway as a whole, as in the key NULL would be unlike itself.
CREATE TABLE person (
    name TEXT NOT NULL CHECK (name <> ''),
    role TEXT NOT NULL CHECK (role <> ''),
    tenant TEXT NOT NULL,
    person TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (name, role, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_tenant ON person (tenant, person);
CREATE TRIGGER person_kept BEFORE DELETE ON person BEGIN SELECT raise(ABORT, 'a name means the same person for ever'); END;

-- A role that two people gave a third. It ends once: by a person, or by its date. The second lock of three different
-- people is here, whatever the program believes.
CREATE TABLE local_grant (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (name <> ''),
    person TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role <> ''),
    tenant TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    proposed_by TEXT NOT NULL CHECK (proposed_by <> '' AND lower(proposed_by) <> lower(name)),
    second_by TEXT NOT NULL
        CHECK (second_by <> '' AND lower(second_by) <> lower(proposed_by) AND lower(second_by) <> lower(name)),
    given_at INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until > given_at),
    ended_by TEXT NOT NULL DEFAULT '',
    ended_at INTEGER,
    ended_for TEXT NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ended_by = '')),
    CHECK ((ended_at IS NULL) = (ended_for = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX local_grant_name ON local_grant (name, until);
CREATE INDEX local_grant_until ON local_grant (until);
CREATE TRIGGER local_grant_kept BEFORE DELETE ON local_grant BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER local_grant_ends_once BEFORE UPDATE ON local_grant
WHEN OLD.ended_at IS NOT NULL OR NEW.name <> OLD.name OR NEW.person <> OLD.person OR NEW.role <> OLD.role
    OR NEW.tenant <> OLD.tenant OR NEW.reason <> OLD.reason OR NEW.proposed_by <> OLD.proposed_by
    OR NEW.second_by <> OLD.second_by OR NEW.given_at <> OLD.given_at OR NEW.until <> OLD.until
BEGIN SELECT raise(ABORT, 'a grant ends once'); END;
