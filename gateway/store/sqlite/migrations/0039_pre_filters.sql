-- The filters of the list of messages that a person keeps under a name: their own, and no patient's data.
-- Source: console.md 6.7 (saved filters).
CREATE TABLE saved_filter (
    person TEXT NOT NULL CHECK (person <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    query TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (person, name)
) STRICT, WITHOUT ROWID;
