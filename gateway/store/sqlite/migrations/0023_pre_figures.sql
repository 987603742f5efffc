-- The figures of the service, counted from the history; each sum is of a trust, or with an empty tenant of all. They
-- prove nothing: whatever is here can be counted again from the history that it was counted from.
-- Source: console.md 6.5 and 6.6; domain.md 2.2.
CREATE TABLE figure (
    tenant TEXT NOT NULL,
    day TEXT NOT NULL,
    provider TEXT NOT NULL,
    measure TEXT NOT NULL,
    urgency TEXT NOT NULL CHECK (urgency IN ('routine', 'urgent')),
    spread TEXT NOT NULL,
    PRIMARY KEY (tenant, day, provider, measure, urgency)
) STRICT, WITHOUT ROWID;

-- Items that are not simply accepted in time, for the lists behind the figures.
CREATE TABLE figure_item (
    line INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    provider TEXT NOT NULL,
    outcome TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (line, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX figure_item_tenant ON figure_item (tenant, outcome, since);
CREATE INDEX figure_item_outcome ON figure_item (outcome, provider, since);

-- Up to which row each table is counted, and when the newest of what was counted happened.
CREATE TABLE figure_mark (
    source TEXT PRIMARY KEY CHECK (source IN ('event', 'attempt', 'callback', 'submission', 'kept_apart')),
    upto INTEGER NOT NULL,
    until INTEGER,
    looked_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO figure_mark (source, upto) VALUES
    ('event', 0), ('attempt', 0), ('callback', 0), ('submission', 0), ('kept_apart', 0);

-- The last signs of life of a provider's system.
CREATE TABLE provider_pulse (
    provider TEXT PRIMARY KEY,
    heard_at INTEGER,
    tried_at INTEGER,
    tried_since INTEGER NOT NULL,
    silent_since INTEGER
) STRICT, WITHOUT ROWID;
