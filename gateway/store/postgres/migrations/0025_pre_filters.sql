-- The filters of the list of messages that a person keeps under a name: their own, and no patient's data.
-- Source: console.md 6.7 (saved filters).
CREATE TABLE saved_filter (
    person text COLLATE "C" NOT NULL CHECK (person <> ''),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    query text COLLATE "C" NOT NULL,
    saved_at bigint NOT NULL,
    PRIMARY KEY (person, name)
);
