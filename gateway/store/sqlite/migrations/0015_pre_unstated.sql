-- Providers for whom a person answered after a restore, because they could not say what they hold. What a trust may have
-- sent in the lost time goes to them only after a person has found out.
-- Source: reliability-security.md I22.
CREATE TABLE unstated (
    generation INTEGER NOT NULL REFERENCES restoration (generation),
    provider TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL CHECK (by <> ''),
    PRIMARY KEY (generation, provider)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER unstated_fixed BEFORE UPDATE ON unstated BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER unstated_kept BEFORE DELETE ON unstated BEGIN SELECT raise(ABORT, 'insert only'); END;

-- An order leaves only when its trust too has said what it had been told in the lost time: a cancel may be among it.
CREATE TRIGGER outbox_waits_for_its_trust BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'on_wire' AND OLD.state <> 'on_wire' AND NEW.kind = 'deliver'
    AND EXISTS (SELECT 1 FROM pause
        WHERE kind = 'after restore, trust' AND destination = NEW.tenant AND ended_at IS NULL)
BEGIN SELECT raise(ABORT, 'restored: its trust has not said what it was told'); END;
