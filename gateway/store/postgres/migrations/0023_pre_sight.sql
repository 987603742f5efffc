-- The second lock of I9 by lines: a provider is shown the lines that are or were its own, and of each the rows of its own
-- time. What that is stands in gateway.domain.sight; these functions are the same rule over the tables, and look past the
-- lock, so that the lock of one table can ask another's. A trust is shown its own as before.
-- Source: console.md 3; reliability-security.md I9.

CREATE FUNCTION may_see(of_line bigint, under bigint, ended bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT ended IS NULL OR (
    EXISTS (SELECT 1 FROM event WHERE event.line = of_line AND coalesce(event.epoch, 1) = under
        AND event.event = 'on_wire' AND event.moved = 1)
    AND NOT EXISTS (SELECT 1 FROM event WHERE event.line = of_line AND coalesce(event.epoch, 1) = under
        AND event.state_before = 'READY' AND event.moved = 1
        AND (event.event IN ('reroute', 'revoked_for_reroute') OR event.state_after NOT IN ('READY', 'SENT',
            'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED', 'ON_HOLD',
            'FULFILLED')))) $$;
CREATE OR REPLACE FUNCTION is_given(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM allocation WHERE prescription = wanted AND provider = asking()
    AND may_see(line, epoch, ended_at)) $$;
CREATE FUNCTION is_given_line(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM allocation WHERE line = wanted AND provider = asking()
    AND may_see(line, epoch, ended_at)) $$;
CREATE FUNCTION has_line(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM allocation WHERE line = wanted AND provider = asking() AND ended_at IS NULL) $$;
CREATE FUNCTION is_own_line(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT EXISTS (SELECT 1 FROM line WHERE id = wanted AND tenant = asking()) $$;

-- An answer is its provider's alone; what else happened is of the provider that had the line then, up to what ended that.
CREATE FUNCTION is_shown(of_line bigint, number bigint, under bigint, before text, answer bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$ SELECT CASE WHEN answer IS NOT NULL THEN is_given_line(of_line)
        AND EXISTS (SELECT 1 FROM callback WHERE callback.id = answer AND callback.destination = asking())
    ELSE before NOT IN ('', 'RECEIVED', 'HELD', 'AWAITING_SCREENING')
        AND EXISTS (SELECT 1 FROM allocation WHERE allocation.line = of_line AND allocation.epoch = coalesce(under, 1)
            AND allocation.provider = asking() AND may_see(of_line, allocation.epoch, allocation.ended_at))
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.line = of_line AND event.seq < number AND event.moved = 1
            AND coalesce(event.epoch, 1) = coalesce(under, 1)
            AND event.state_before NOT IN ('', 'RECEIVED', 'HELD', 'AWAITING_SCREENING')
            AND (event.event IN ('reroute', 'revoked_for_reroute') OR event.state_after NOT IN ('READY', 'SENT',
                'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED',
                'ON_HOLD', 'FULFILLED')))
    END $$;

DROP POLICY tenants ON line;
CREATE POLICY tenants ON line FOR SELECT TO gateway_tenant USING (tenant = asking() OR is_given_line(id));
DROP POLICY tenants ON message;
CREATE POLICY tenants ON message FOR SELECT TO gateway_tenant USING (is_own(prescription)
    OR destination = asking() AND EXISTS (SELECT 1 FROM prescription WHERE prescription.id = message.prescription));
DROP POLICY tenants ON alert;
CREATE POLICY tenants ON alert FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR is_own_line(line) OR provider = asking() AND has_line(line));
DROP POLICY tenants ON cancel;
CREATE POLICY tenants ON cancel FOR SELECT TO gateway_tenant USING (tenant = asking() OR has_line(line));
DROP POLICY tenants ON event;
CREATE POLICY tenants ON event FOR SELECT TO gateway_tenant
    USING (is_own_line(line) OR is_shown(line, seq, epoch, state_before, callback));
DROP POLICY tenants ON callback;
CREATE POLICY tenants ON callback FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM event WHERE event.callback = callback.id));
DROP POLICY tenants ON delivery;
CREATE POLICY tenants ON delivery FOR SELECT TO gateway_tenant USING (is_own_line(line) OR EXISTS (
    SELECT 1 FROM allocation WHERE allocation.line = delivery.line AND allocation.epoch = delivery.epoch));
DROP POLICY tenants ON renewal;
CREATE POLICY tenants ON renewal FOR SELECT TO gateway_tenant USING (is_own_line(line) OR has_line(line));
DROP POLICY tenants ON reroute;
CREATE POLICY tenants ON reroute FOR SELECT TO gateway_tenant
    USING (is_own_line(line) OR earlier = asking() AND has_line(line));
DROP POLICY tenants ON hold;
CREATE POLICY tenants ON hold FOR SELECT TO gateway_tenant USING (is_own_line(line) OR has_line(line));
DROP POLICY tenants ON figure_item;
CREATE POLICY tenants ON figure_item FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR provider = asking() AND is_given_line(line));
-- What a trust's people wrote down is the trust's.
DROP POLICY tenants ON work_note;
CREATE POLICY tenants ON work_note FOR SELECT TO gateway_tenant USING (is_own_line(line)
    OR EXISTS (SELECT 1 FROM alert WHERE alert.id = work_note.alert AND alert.tenant = asking()));
