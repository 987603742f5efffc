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
    about TEXT NOT NULL CHECK (about <> ''),
    leaf INTEGER NOT NULL REFERENCES audit_leaf (seq),
    PRIMARY KEY (about, leaf)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_about_fixed BEFORE UPDATE ON audit_about BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER audit_about_kept BEFORE DELETE ON audit_about BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TEMPORARY TABLE told AS
SELECT seq, body, coalesce(nullif(json_extract(body, '$.principal'), ''), nullif(json_extract(body, '$.by'), '')) AS who
FROM (
    SELECT seq, CAST(body AS TEXT) AS body FROM audit_leaf
    WHERE kind NOT IN ('event', 'submission', 'callback', 'seal', 'delivery', 'alert', 'kept-apart'))
WHERE who IS NOT NULL;
INSERT INTO audit_about (about, leaf) SELECT 'people', seq FROM told;
INSERT INTO audit_about (about, leaf) SELECT 'by:' || who, seq FROM told;
-- A word with a quotation mark or a control character in it is no id, and is left out.
CREATE TEMPORARY TABLE word_list AS
SELECT told.seq AS seq,
    '["' || replace(replace(replace(fact.value, '\', ''), '"', ''), ' ', '","') || '"]' AS words
FROM told JOIN json_each(told.body) AS fact
WHERE fact.type = 'text' AND fact.key NOT IN ('principal', 'by', 'action', 'reason_digest');
INSERT INTO audit_about (about, leaf)
SELECT DISTINCT word.value, word_list.seq
FROM word_list JOIN json_each(CASE WHEN json_valid(words) THEN words ELSE '[]' END) AS word
WHERE word.value GLOB '????????-????-????-????-????????????' AND word.value NOT GLOB '*[^0-9a-f-]*';
DROP TABLE word_list;
DROP TABLE told;
