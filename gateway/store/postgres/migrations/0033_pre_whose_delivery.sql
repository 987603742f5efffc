-- Whose a delivery is stands beside the day it is due: what nobody has booked is read of one trust, or of one provider,
-- without asking the lock of everybody's. Kept by the tables themselves, so that it is right whichever version writes.
-- Source: console.md 6.1, 12 (server budgets).
-- In the order in which lists read them, before anything that takes long: nobody then waits for what this step waits for.
LOCK TABLE alert, line, delivery IN ACCESS EXCLUSIVE MODE;
ALTER TABLE delivery ADD COLUMN tenant text COLLATE "C";
ALTER TABLE delivery ADD COLUMN provider text COLLATE "C";
UPDATE delivery SET tenant = line.tenant, provider = line.provider FROM line WHERE line.id = delivery.line;
CREATE FUNCTION delivery_says_whose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT tenant, provider INTO NEW.tenant, NEW.provider FROM line WHERE id = NEW.line;
    RETURN NEW;
END $$;
CREATE TRIGGER delivery_says_whose BEFORE INSERT ON delivery FOR EACH ROW EXECUTE FUNCTION delivery_says_whose();
CREATE FUNCTION line_says_whose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE delivery SET provider = NEW.provider WHERE line = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER line_says_whose AFTER UPDATE OF provider ON line
    FOR EACH ROW WHEN (OLD.provider IS NOT NULL AND NEW.provider IS DISTINCT FROM OLD.provider)
    EXECUTE FUNCTION line_says_whose();

DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (due_on, tenant, provider) WHERE state = 'PLANNED' AND due_on IS NOT NULL;
DROP INDEX delivery_released;
CREATE INDEX delivery_released ON delivery (due_on, tenant, provider) WHERE state = 'RELEASED';
DROP INDEX delivery_failed;
CREATE INDEX delivery_failed ON delivery (tenant, provider, line) WHERE state = 'FAILED';

-- An alert of its provider is asked first whether it is that, not whose line it is: the same answer, for half of it.
DROP POLICY tenants ON alert;
CREATE POLICY tenants ON alert FOR SELECT TO gateway_tenant
    USING (tenant = asking() OR provider = asking() AND has_line(line) OR is_own_line(line));
