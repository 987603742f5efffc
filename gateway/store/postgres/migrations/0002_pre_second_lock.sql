-- The second lock of I9: whoever is `gateway_tenant` sees the rows of the one whom `app.tenant` names, and no others,
-- whatever is asked. Without that setting it sees none. The owner of the tables, as whom the gateway writes, asks its own
-- questions and migrates, sees all; it takes the role for the length of a tenant's question (`SET LOCAL ROLE`).
-- A trust sees its own; a provider sees the prescriptions of which a line is or was allocated to it.
-- Source: reliability-security.md I9; issue "fast on one machine, wide on many", build 5.

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'gateway_tenant') THEN
        CREATE ROLE gateway_tenant NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'gateway_tenant',
        CASE WHEN current_setting('server_version_num')::bigint >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT gateway_tenant TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO gateway_tenant', current_schema());
END $$;

CREATE FUNCTION asking() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT current_setting('app.tenant', true) $$;

-- These two look past the lock, so that the lock of one table can ask another's.
CREATE FUNCTION is_own(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM prescription WHERE id = wanted AND tenant = asking()) $$;
CREATE FUNCTION is_given(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM allocation WHERE prescription = wanted AND provider = asking()) $$;

ALTER TABLE prescription ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON prescription FOR SELECT TO gateway_tenant USING (tenant = asking() OR is_given(id));
ALTER TABLE line ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON line FOR SELECT TO gateway_tenant USING (tenant = asking() OR is_given(prescription));
ALTER TABLE allocation ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON allocation FOR SELECT TO gateway_tenant USING (provider = asking() OR is_own(prescription));
ALTER TABLE submission ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON submission FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR EXISTS (SELECT 1 FROM prescription WHERE prescription.submission = submission.id));
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON message FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM prescription WHERE prescription.id = message.prescription));
ALTER TABLE alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON alert FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR EXISTS (SELECT 1 FROM line WHERE line.id = alert.line));
ALTER TABLE cancel ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON cancel FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR EXISTS (SELECT 1 FROM line WHERE line.id = cancel.line));
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON event FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM line WHERE line.id = event.line));
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON delivery FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM line WHERE line.id = delivery.line));
ALTER TABLE renewal ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON renewal FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM line WHERE line.id = renewal.line));
ALTER TABLE reroute ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON reroute FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM line WHERE line.id = reroute.line));
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON outbox FOR SELECT TO gateway_tenant USING (tenant = asking());
ALTER TABLE kept_apart ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON kept_apart FOR SELECT TO gateway_tenant USING (tenant = asking());
GRANT SELECT ON prescription, line, allocation, submission, message, alert, cancel, event, delivery, renewal, reroute,
    outbox, kept_apart TO gateway_tenant;
