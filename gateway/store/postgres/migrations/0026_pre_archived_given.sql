-- What stays of who had the lines of an archived prescription: the lists of a day are the same before and after it goes.
-- Source: reliability-security.md I20.
CREATE TABLE archived_allocation (
    id bigint PRIMARY KEY,
    prescription bigint NOT NULL REFERENCES archived_prescription (id),
    line bytea NOT NULL CHECK (length(line) = 16),
    epoch bigint NOT NULL,
    provider text COLLATE "C" NOT NULL,
    made_at bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL
);
CREATE INDEX archived_allocation_day ON archived_allocation (made_at);
CREATE INDEX archived_allocation_line ON archived_allocation (line);
CREATE TRIGGER archived_allocation_fixed BEFORE UPDATE ON archived_allocation
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER archived_allocation_kept BEFORE DELETE ON archived_allocation
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER archived_allocation_not_emptied BEFORE TRUNCATE ON archived_allocation
    FOR EACH STATEMENT EXECUTE FUNCTION never('insert only');

ALTER TABLE archived_allocation ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON archived_allocation FOR SELECT TO gateway_tenant USING (provider = asking());
GRANT SELECT ON archived_allocation TO gateway_tenant;
