-- That an item and an order number are live once is asked of what changes at a line's end alone, not of its state: an
-- index that names the state is written anew at each move. Both columns are kept by the table itself, so that they are
-- right whichever version writes.
-- Source: reliability-security.md I2; docs/performance.md (what the store writes).
ALTER TABLE line ADD COLUMN ended bigint NOT NULL DEFAULT 0 CHECK (ended IN (0, 1));
-- Of a change: it is held, or nothing was decided of it yet, and it does not bear its order number.
ALTER TABLE line ADD COLUMN proposed bigint NOT NULL DEFAULT 1 CHECK (proposed IN (0, 1));
UPDATE line SET ended = 1 WHERE state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');
UPDATE line SET proposed = 0 WHERE action = 'replace' AND state NOT IN ('RECEIVED', 'HELD');

DROP INDEX line_live_uuid;
CREATE UNIQUE INDEX line_live_uuid ON line (uuid) WHERE action IN ('new', 'replace') AND ended = 0;
DROP INDEX line_live_order_number;
CREATE UNIQUE INDEX line_live_order_number ON line (tenant, order_number, order_assigner)
    WHERE action IN ('new', 'replace') AND order_number <> '' AND replaced = 0
      AND NOT (action = 'replace' AND proposed = 1) AND ended = 0;

CREATE FUNCTION line_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ended := CASE WHEN NEW.state IN ('REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED') THEN 1 ELSE 0 END;
    RETURN NEW;
END $$;
CREATE TRIGGER line_ends BEFORE UPDATE OF state ON line FOR EACH ROW EXECUTE FUNCTION line_ends();
CREATE FUNCTION line_takes_its_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.proposed := CASE WHEN NEW.state IN ('RECEIVED', 'HELD') THEN 1 ELSE 0 END;
    RETURN NEW;
END $$;
CREATE TRIGGER line_takes_its_number BEFORE UPDATE OF state ON line
    FOR EACH ROW WHEN (NEW.action = 'replace') EXECUTE FUNCTION line_takes_its_number();
