-- The figures of the service, counted from the history; each sum is of a trust, or with an empty tenant of all. They
-- prove nothing: whatever is here can be counted again from the history that it was counted from.
-- Source: console.md 6.5 and 6.6; domain.md 2.2.
CREATE TABLE figure (
    tenant text COLLATE "C" NOT NULL,
    day text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    measure text COLLATE "C" NOT NULL,
    urgency text COLLATE "C" NOT NULL CHECK (urgency IN ('routine', 'urgent')),
    spread text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, day, provider, measure, urgency)
);

-- Items that are not simply accepted in time, for the lists behind the figures.
CREATE TABLE figure_item (
    line bigint NOT NULL,
    epoch bigint NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (line, epoch)
);
CREATE INDEX figure_item_tenant ON figure_item (tenant, outcome, since);
CREATE INDEX figure_item_outcome ON figure_item (outcome, provider, since);

-- Up to which row each table is counted, and when the newest of what was counted happened.
CREATE TABLE figure_mark (
    source text COLLATE "C" PRIMARY KEY CHECK (source IN ('event', 'attempt', 'callback', 'submission', 'kept_apart')),
    upto bigint NOT NULL,
    until bigint,
    looked_at bigint
);
INSERT INTO figure_mark (source, upto) VALUES
    ('event', 0), ('attempt', 0), ('callback', 0), ('submission', 0), ('kept_apart', 0);

-- The last signs of life of a provider's system.
CREATE TABLE provider_pulse (
    provider text COLLATE "C" PRIMARY KEY,
    heard_at bigint,
    tried_at bigint,
    tried_since bigint NOT NULL,
    silent_since bigint
);

ALTER TABLE figure ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON figure FOR SELECT TO gateway_tenant
    USING (tenant <> '' AND tenant = asking() OR tenant = '' AND provider <> '' AND provider = asking());
ALTER TABLE figure_item ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON figure_item FOR SELECT TO gateway_tenant USING (tenant = asking() OR provider = asking());
GRANT SELECT ON figure, figure_item TO gateway_tenant;
