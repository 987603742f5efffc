-- Whoever sees a line that has not left may read why nothing is sent where it goes. Nothing to do: one file has no roles.
-- Source: console.md 2 (rule 1), 6.1.
SELECT 1;
