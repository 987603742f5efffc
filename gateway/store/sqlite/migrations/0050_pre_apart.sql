-- The control id of what was refused as a whole, where it could be read: its trust asks what became of it by that.
-- Source: reliability-security.md I20.
ALTER TABLE kept_apart ADD COLUMN control_id TEXT NOT NULL DEFAULT '';
CREATE INDEX kept_apart_control_id ON kept_apart (tenant, control_id) WHERE control_id <> '';
