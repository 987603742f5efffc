-- What each provider needs until a medicine is at the door, as its file states it: the order of the list follows it.
-- Source: console.md 6.1.
CREATE TABLE lead_time (
    provider TEXT NOT NULL PRIMARY KEY,
    days INTEGER NOT NULL CHECK (days > 0)
) STRICT, WITHOUT ROWID;
