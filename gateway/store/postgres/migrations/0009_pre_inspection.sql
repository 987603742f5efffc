-- What an engineer and an auditor look up: messages by digest and by trust, and the leaves of the audit by who and what.
-- Source: console.md 6.7 and 6.9.
CREATE INDEX submission_digest ON submission (digest);
CREATE INDEX submission_tenant ON submission (tenant, id);
CREATE INDEX kept_apart_by_digest ON kept_apart (digest);
CREATE INDEX message_digest ON message (digest);
CREATE INDEX callback_digest ON callback (digest);
CREATE INDEX outbox_tenant ON outbox (tenant, id);
CREATE INDEX alert_subject ON alert (kind, subject);

-- By whom and about what a leaf is. It proves nothing, and holds nothing that the leaf does not.
CREATE TABLE audit_about (
    about text COLLATE "C" NOT NULL CHECK (about <> ''),
    leaf bigint NOT NULL REFERENCES audit_leaf (seq),
    PRIMARY KEY (about, leaf)
);
CREATE TRIGGER audit_about_fixed BEFORE UPDATE ON audit_about
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER audit_about_kept BEFORE DELETE ON audit_about
    FOR EACH ROW EXECUTE FUNCTION never('insert only');
CREATE TRIGGER audit_about_not_emptied BEFORE TRUNCATE ON audit_about
    FOR EACH STATEMENT EXECUTE FUNCTION never('insert only');
INSERT INTO audit_about (about, leaf)
WITH told AS (
    SELECT seq, body, coalesce(nullif(body ->> 'principal', ''), nullif(body ->> 'by', '')) AS who
    FROM (SELECT seq, convert_from(body, 'UTF8')::jsonb AS body FROM audit_leaf
        WHERE kind NOT IN ('event', 'submission', 'callback', 'seal', 'delivery', 'alert', 'kept-apart')) AS leaf)
SELECT 'people', seq FROM told WHERE who IS NOT NULL
UNION SELECT 'by:' || who, seq FROM told WHERE who IS NOT NULL
UNION SELECT word, seq FROM told, jsonb_each(body) AS fact, regexp_split_to_table(fact.value #>> '{}', ' ') AS word
WHERE who IS NOT NULL AND jsonb_typeof(fact.value) = 'string'
    AND fact.key NOT IN ('principal', 'by', 'action', 'reason_digest')
    AND word ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

-- A trust may ask how its messages were sent, and what was answered about its lines (I9).
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON hold FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM line WHERE line.id = hold.line));
ALTER TABLE attempt ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON attempt FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM outbox WHERE outbox.id = attempt.outbox));
ALTER TABLE callback ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON callback FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM event WHERE event.callback = callback.id));
GRANT SELECT ON hold, attempt, callback, configuration TO gateway_tenant;
