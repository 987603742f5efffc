-- Acts that need two people: what one person proposed, until another agrees or it lapses. Written once, ends once.
-- The second lock of "the second person is never the first" is here, whatever the program believes.
-- Source: console.md 3 and 6.10; reliability-security.md I10.
CREATE TABLE proposal (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    kind text COLLATE "C" NOT NULL CHECK (kind <> ''),
    subject text COLLATE "C" NOT NULL CHECK (subject <> ''),
    payload bytea NOT NULL,
    tenant text COLLATE "C",
    proposed_by text COLLATE "C" NOT NULL CHECK (proposed_by <> ''),
    reason text COLLATE "C" NOT NULL CHECK (reason <> ''),
    proposed_at bigint NOT NULL,
    expires_at bigint NOT NULL CHECK (expires_at > proposed_at),
    state text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'seconded', 'done', 'not-done', 'withdrawn', 'expired')),
    second_by text COLLATE "C" NOT NULL DEFAULT '' CHECK (lower(second_by) <> lower(proposed_by)),
    seconded_at bigint,
    ended_by text COLLATE "C" NOT NULL DEFAULT '',
    ended_at bigint,
    outcome text COLLATE "C" NOT NULL DEFAULT '',
    CHECK ((state IN ('seconded', 'done', 'not-done')) = (second_by <> '')),
    CHECK ((second_by <> '') = (seconded_at IS NOT NULL)),
    CHECK ((state IN ('open', 'seconded')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX proposal_open ON proposal (kind, subject) WHERE state = 'open';
CREATE INDEX proposal_waiting ON proposal (state, proposed_at) WHERE state IN ('open', 'seconded');
CREATE INDEX proposal_subject ON proposal (kind, subject, proposed_at);
CREATE TRIGGER proposal_kept BEFORE DELETE ON proposal
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER proposal_not_emptied BEFORE TRUNCATE ON proposal
    FOR EACH STATEMENT EXECUTE FUNCTION never('insert only');
CREATE FUNCTION proposal_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind <> OLD.kind OR NEW.subject <> OLD.subject OR NEW.payload <> OLD.payload
    OR NEW.tenant IS DISTINCT FROM OLD.tenant
    OR NEW.proposed_by <> OLD.proposed_by OR NEW.reason <> OLD.reason OR NEW.proposed_at <> OLD.proposed_at
    OR NEW.expires_at <> OLD.expires_at
    OR NOT (OLD.state = 'open' AND NEW.state IN ('seconded', 'withdrawn', 'expired')
        OR OLD.state = 'seconded' AND NEW.state IN ('done', 'not-done') AND NEW.second_by = OLD.second_by
            AND NEW.seconded_at = OLD.seconded_at)
    THEN
        RAISE EXCEPTION 'a proposal ends once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_ends_once BEFORE UPDATE ON proposal
    FOR EACH ROW EXECUTE FUNCTION proposal_ends_once();

ALTER TABLE proposal ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON proposal FOR SELECT TO gateway_tenant USING (tenant = asking());
GRANT SELECT ON proposal TO gateway_tenant;
