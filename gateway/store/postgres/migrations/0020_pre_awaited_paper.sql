-- The paper original of a prescription that went with the words that it follows: since when, and by when a person is to
-- have seen and registered it. Written with the sealed message; registered once; goes with its prescription.
-- Source: brief D8; reliability-security.md I15.
CREATE TABLE awaited_paper (
    prescription bigint PRIMARY KEY REFERENCES prescription (id),
    since bigint NOT NULL,
    act_by bigint NOT NULL,
    registered_at bigint
);
CREATE INDEX awaited_paper_open ON awaited_paper (act_by) WHERE registered_at IS NULL;
CREATE FUNCTION awaited_paper_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.registered_at IS NOT NULL OR NEW.registered_at IS NULL OR NEW.prescription <> OLD.prescription
        OR NEW.since <> OLD.since OR NEW.act_by <> OLD.act_by
    THEN
        RAISE EXCEPTION 'registered once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER awaited_paper_fixed BEFORE UPDATE ON awaited_paper
    FOR EACH ROW EXECUTE FUNCTION awaited_paper_fixed();
CREATE FUNCTION awaited_paper_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
    THEN
        RAISE EXCEPTION 'kept'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER awaited_paper_kept BEFORE DELETE ON awaited_paper
    FOR EACH ROW EXECUTE FUNCTION awaited_paper_kept();
CREATE TRIGGER awaited_paper_not_emptied BEFORE TRUNCATE ON awaited_paper
    FOR EACH STATEMENT EXECUTE FUNCTION never('kept');

ALTER TABLE awaited_paper ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON awaited_paper FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM prescription WHERE prescription.id = awaited_paper.prescription
        AND prescription.tenant = asking()));
GRANT SELECT ON awaited_paper TO gateway_tenant;
