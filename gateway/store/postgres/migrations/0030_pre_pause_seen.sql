-- A pause is nobody's data: whoever sees a line that has not left is told that nothing is sent where it goes, and why.
-- Source: console.md 2 (rule 1), 6.1.
-- Not by whom.
GRANT SELECT (id, destination, kind, begun_at, reason, ended_at) ON pause TO gateway_tenant;
