-- What people look for beyond the numbers that every prescription has: patients by name and birth date, other numbers,
-- and refused orders. All of it repeats what the documents say, so it may be lost, and goes with its prescription. What
-- was accepted before, or by the version before, is filled in at each turn of the clock, from `search_progress` on. Source: console.md 6.2.
CREATE TABLE patient_index (
    prescription INTEGER PRIMARY KEY REFERENCES prescription (id) ON DELETE CASCADE,
    born TEXT NOT NULL,
    family TEXT NOT NULL,
    given TEXT NOT NULL,
    postcode TEXT NOT NULL
) STRICT;
CREATE INDEX patient_index_name ON patient_index (born, family);

CREATE TABLE other_number (
    value TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('purchase-order', 'provider-number')),
    prescription INTEGER NOT NULL REFERENCES prescription (id) ON DELETE CASCADE,
    PRIMARY KEY (value, kind, prescription)
) STRICT;
CREATE INDEX other_number_prescription ON other_number (prescription);

CREATE TABLE refused_order (
    value TEXT NOT NULL,
    submission INTEGER NOT NULL REFERENCES submission (id),
    PRIMARY KEY (value, submission)
) STRICT;

-- Up to which row each was looked through.
CREATE TABLE search_progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    prescription INTEGER NOT NULL,
    submission INTEGER NOT NULL
) STRICT;
INSERT INTO search_progress (id, prescription, submission) VALUES (1, 0, 0);
