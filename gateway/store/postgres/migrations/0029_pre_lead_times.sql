-- What each provider needs until a medicine is at the door, as its file states it: the order of the list follows it.
-- Source: console.md 6.1.
CREATE TABLE lead_time (
    provider text COLLATE "C" PRIMARY KEY,
    days bigint NOT NULL CHECK (days > 0)
);
GRANT SELECT ON lead_time TO gateway_tenant;
