-- The list of what needs attention is read in its order whatever is asked for: by reason, by provider, without what one
-- provider's silence explains, or of a trust alone. Source: console.md 6.1, 12 (server budgets).

-- Where the line of an overdue alert stands: with its kind that is its reason. Kept by the tables themselves, so that it
-- is right whichever version writes.
ALTER TABLE alert ADD COLUMN line_state TEXT;
UPDATE alert SET line_state = (SELECT state FROM line WHERE line.id = alert.line)
WHERE kind = 'overdue' AND closed_at IS NULL;
CREATE TRIGGER alert_says_where AFTER INSERT ON alert WHEN NEW.kind = 'overdue' AND NEW.line IS NOT NULL
BEGIN UPDATE alert SET line_state = (SELECT state FROM line WHERE id = NEW.line) WHERE id = NEW.id; END;
CREATE TRIGGER line_says_where AFTER UPDATE OF state ON line WHEN NEW.state <> OLD.state
BEGIN UPDATE alert SET line_state = NEW.state WHERE line = NEW.id AND kind = 'overdue' AND closed_at IS NULL; END;

CREATE INDEX alert_in_order_of_kind ON alert (coalesce(line_state, kind), place, last_day, risk, id)
WHERE closed_at IS NULL;
DROP INDEX alert_in_order;
CREATE INDEX alert_in_order ON alert (silent, place, last_day, risk, id) WHERE closed_at IS NULL;
-- Said with another comparison than the order above is, so that neither stands in for the other.
DROP INDEX alert_silent;
CREATE INDEX alert_silent ON alert (provider, opened_at) WHERE closed_at IS NULL AND silent > 0;
-- No question was ever answered by it: alerts of a line are few, open or not.
DROP INDEX alert_open_line;

-- Lines that wait for a pharmacist, also of one trust and of one provider.
CREATE INDEX line_waits_of_trust ON line (tenant, last_day, risk, id)
WHERE state IN ('AWAITING_SCREENING', 'QUERIED');
CREATE INDEX line_waits_of_provider ON line (provider, last_day, risk, id)
WHERE state IN ('AWAITING_SCREENING', 'QUERIED');

-- What is planned stands in an index by its day already; every supply of every order was in both.
DROP INDEX delivery_unbooked;
CREATE INDEX delivery_released ON delivery (due_on, line) WHERE state = 'RELEASED';
