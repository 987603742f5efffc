-- People of the console: who was let in and in which role, and roles granted here until a date. Code of the schema before
-- goes on working: it writes neither.
-- Source: console.md 6.10; reliability-security.md I10.

-- `tenant` is empty for the gateway as a whole, as in the key NULL would be unlike itself.
CREATE TABLE person (
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    role text COLLATE "C" NOT NULL CHECK (role <> ''),
    tenant text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    PRIMARY KEY (name, role, tenant)
);
CREATE INDEX person_tenant ON person (tenant, person);
CREATE TRIGGER person_kept BEFORE DELETE ON person
    FOR EACH ROW EXECUTE FUNCTION never('a name means the same person for ever');
CREATE TRIGGER person_not_emptied BEFORE TRUNCATE ON person
    FOR EACH STATEMENT EXECUTE FUNCTION never('a name means the same person for ever');

-- A role that two people gave a third. It ends once: by a person, or by its date. The second lock of three different
-- people is here, whatever the program believes.
CREATE TABLE local_grant (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    person text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL CHECK (role <> ''),
    tenant text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL CHECK (reason <> ''),
    proposed_by text COLLATE "C" NOT NULL CHECK (proposed_by <> '' AND lower(proposed_by) <> lower(name)),
    second_by text COLLATE "C" NOT NULL
        CHECK (second_by <> '' AND lower(second_by) <> lower(proposed_by) AND lower(second_by) <> lower(name)),
    given_at bigint NOT NULL,
    until bigint NOT NULL CHECK (until > given_at),
    ended_by text COLLATE "C" NOT NULL DEFAULT '',
    ended_at bigint,
    ended_for text COLLATE "C" NOT NULL DEFAULT '',
    CHECK ((ended_at IS NULL) = (ended_by = '')),
    CHECK ((ended_at IS NULL) = (ended_for = ''))
);
CREATE INDEX local_grant_name ON local_grant (name, until);
CREATE INDEX local_grant_until ON local_grant (until);
CREATE TRIGGER local_grant_kept BEFORE DELETE ON local_grant
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER local_grant_not_emptied BEFORE TRUNCATE ON local_grant
    FOR EACH STATEMENT EXECUTE FUNCTION never('insert only');
CREATE FUNCTION local_grant_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR NEW.name <> OLD.name OR NEW.person <> OLD.person OR NEW.role <> OLD.role
    OR NEW.tenant <> OLD.tenant OR NEW.reason <> OLD.reason OR NEW.proposed_by <> OLD.proposed_by
    OR NEW.second_by <> OLD.second_by OR NEW.given_at <> OLD.given_at OR NEW.until <> OLD.until
    THEN
        RAISE EXCEPTION 'a grant ends once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER local_grant_ends_once BEFORE UPDATE ON local_grant
    FOR EACH ROW EXECUTE FUNCTION local_grant_ends_once();

ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON person FOR SELECT TO gateway_tenant USING (tenant = asking());
GRANT SELECT ON person TO gateway_tenant;
ALTER TABLE local_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON local_grant FOR SELECT TO gateway_tenant USING (tenant = asking());
GRANT SELECT ON local_grant TO gateway_tenant;
