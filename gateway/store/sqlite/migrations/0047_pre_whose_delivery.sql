-- Whose a delivery is stands beside the day it is due: what nobody has booked is read of one trust, or of one provider,
-- without going through everybody's. Kept by the tables themselves, so that it is right whichever version writes.
-- Source: console.md 6.1, 12 (server budgets).
ALTER TABLE delivery ADD COLUMN tenant TEXT;
ALTER TABLE delivery ADD COLUMN provider TEXT;
UPDATE delivery SET (tenant, provider) = (SELECT tenant, provider FROM line WHERE line.id = delivery.line);
CREATE TRIGGER delivery_says_whose AFTER INSERT ON delivery
BEGIN UPDATE delivery SET (tenant, provider) = (SELECT tenant, provider FROM line WHERE id = NEW.line)
WHERE id = NEW.id; END;
CREATE TRIGGER line_says_whose AFTER UPDATE OF provider ON line
WHEN OLD.provider IS NOT NULL AND NEW.provider IS NOT OLD.provider
BEGIN UPDATE delivery SET provider = NEW.provider WHERE line = NEW.id; END;

DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (due_on, tenant, provider) WHERE state = 'PLANNED' AND due_on IS NOT NULL;
DROP INDEX delivery_released;
CREATE INDEX delivery_released ON delivery (due_on, tenant, provider) WHERE state = 'RELEASED';
DROP INDEX delivery_failed;
CREATE INDEX delivery_failed ON delivery (tenant, provider, line) WHERE state = 'FAILED';
