-- What people look for beyond the numbers that every prescription has: patients by name and birth date, other numbers,
-- and refused orders. All of it repeats what the documents say, so it may be lost, and goes with its prescription. What
-- was accepted before, or by the version before, is filled in at each turn of the clock, from `search_progress` on. Source: console.md 6.2.
CREATE TABLE patient_index (
    prescription bigint PRIMARY KEY REFERENCES prescription (id) ON DELETE CASCADE,
    born text COLLATE "C" NOT NULL,
    family text COLLATE "C" NOT NULL,
    given text COLLATE "C" NOT NULL,
    postcode text COLLATE "C" NOT NULL
);
CREATE INDEX patient_index_name ON patient_index (born, family);

CREATE TABLE other_number (
    value text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('purchase-order', 'provider-number')),
    prescription bigint NOT NULL REFERENCES prescription (id) ON DELETE CASCADE,
    PRIMARY KEY (value, kind, prescription)
);
CREATE INDEX other_number_prescription ON other_number (prescription);

CREATE TABLE refused_order (
    value text COLLATE "C" NOT NULL,
    submission bigint NOT NULL REFERENCES submission (id),
    PRIMARY KEY (value, submission)
);

-- Up to which row each was looked through.
CREATE TABLE search_progress (
    id bigint PRIMARY KEY CHECK (id = 1),
    prescription bigint NOT NULL,
    submission bigint NOT NULL
);
INSERT INTO search_progress (id, prescription, submission) VALUES (1, 0, 0);

-- The second lock of I9 on what is new.
ALTER TABLE patient_index ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON patient_index FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM prescription WHERE prescription.id = patient_index.prescription));
ALTER TABLE other_number ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON other_number FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM prescription WHERE prescription.id = other_number.prescription));
ALTER TABLE refused_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON refused_order FOR SELECT TO gateway_tenant
    USING (EXISTS (SELECT 1 FROM submission WHERE submission.id = refused_order.submission AND tenant = asking()));
GRANT SELECT ON patient_index, other_number, refused_order, search_progress TO gateway_tenant;
