-- What an order that replaces another waits for is found by the order itself, however many cancels there are.
-- Source: mapping.md 10.3; console.md 2 (rule 1).
CREATE INDEX cancel_replacing ON cancel (replaced_by) WHERE replaced_by IS NOT NULL;
