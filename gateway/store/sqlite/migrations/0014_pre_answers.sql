-- By when what a provider was asked is to be answered, whatever becomes of the line meanwhile. Code of the schema before
-- this one leaves it empty, and two hours are then counted from the asking.
-- Source: mapping.md 10.3; reliability-security.md I3, I7.
ALTER TABLE cancel ADD COLUMN answer_by INTEGER;
ALTER TABLE reroute ADD COLUMN answer_by INTEGER;
CREATE INDEX cancel_waits ON cancel (line) WHERE state IN ('ASKED', 'PENDING');
CREATE INDEX reroute_waits ON reroute (line) WHERE state IN ('ASKED', 'PENDING');
