-- Codes of trusts that nobody has mapped, the entries that two people approved for them, and the held orders that are
-- read again with those. Code of the schema before goes on working: it writes no unknown codes, and reads nothing again.
-- Source: mapping.md 5 and 10.2 (HELD); brief D12; console.md 6.8.

-- One row for every order in which a code was met that no table and no entry reads.
CREATE TABLE unknown_code (
    id INTEGER PRIMARY KEY,
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    tenant TEXT NOT NULL,
    code_id BLOB NOT NULL CHECK (length(code_id) = 16),
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    system TEXT NOT NULL,
    location TEXT NOT NULL,
    issue TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    UNIQUE (prescription, code_id)
) STRICT;
CREATE INDEX unknown_code_seen ON unknown_code (code_id, seen_at);
CREATE INDEX unknown_code_tenant ON unknown_code (tenant, code_id);
CREATE TRIGGER unknown_code_fixed BEFORE UPDATE ON unknown_code BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER unknown_code_kept BEFORE DELETE ON unknown_code
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;

-- What a code was given to mean. The number is the entry's version and stands in every trace it made; it is given once.
CREATE TABLE code_map_entry (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    code_id BLOB NOT NULL CHECK (length(code_id) = 16),
    kind TEXT NOT NULL,
    code TEXT NOT NULL CHECK (code <> ''),
    text TEXT NOT NULL,
    system TEXT NOT NULL,
    target_system TEXT NOT NULL,
    target_code TEXT NOT NULL CHECK (target_code <> ''),
    target_display TEXT NOT NULL,
    proposed_by TEXT NOT NULL CHECK (proposed_by <> ''),
    approved_by TEXT NOT NULL CHECK (approved_by <> '' AND lower(approved_by) <> lower(proposed_by)),
    reason TEXT NOT NULL CHECK (reason <> ''),
    approved_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    withdrawn_by TEXT NOT NULL DEFAULT '',
    withdrawn_reason TEXT NOT NULL DEFAULT '',
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by = '') AND (withdrawn_at IS NULL) = (withdrawn_reason = ''))
) STRICT;
CREATE UNIQUE INDEX code_map_entry_live ON code_map_entry (code_id) WHERE withdrawn_at IS NULL;
CREATE INDEX code_map_entry_code ON code_map_entry (code_id);
CREATE TRIGGER code_map_entry_kept BEFORE DELETE ON code_map_entry BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER code_map_entry_ends_once BEFORE UPDATE ON code_map_entry
WHEN OLD.withdrawn_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.tenant <> OLD.tenant OR NEW.code_id <> OLD.code_id
    OR NEW.kind <> OLD.kind OR NEW.code <> OLD.code OR NEW.text <> OLD.text OR NEW.system <> OLD.system
    OR NEW.target_system <> OLD.target_system OR NEW.target_code <> OLD.target_code
    OR NEW.target_display <> OLD.target_display OR NEW.proposed_by <> OLD.proposed_by
    OR NEW.approved_by <> OLD.approved_by OR NEW.reason <> OLD.reason OR NEW.approved_at <> OLD.approved_at
BEGIN SELECT raise(ABORT, 'an entry is only withdrawn'); END;

-- One held order that is to be read again from the bytes it came as. `entry` is the number of the entry that gave rise
-- to it, which stays when an order is archived; null where a person asked for it. What the order was understood as
-- before is kept beside what it became.
CREATE TABLE reread (
    id INTEGER PRIMARY KEY,
    prescription INTEGER NOT NULL REFERENCES prescription (id),
    entry INTEGER,
    asked_by TEXT NOT NULL CHECK (asked_by <> ''),
    asked_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'released', 'still-held', 'overtaken', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    document TEXT,
    issues TEXT,
    trace BLOB,
    CHECK ((state = 'waiting') = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX reread_waiting ON reread (prescription) WHERE state = 'waiting';
CREATE INDEX reread_prescription ON reread (prescription);
CREATE INDEX reread_entry ON reread (entry) WHERE entry IS NOT NULL;
CREATE TRIGGER reread_kept BEFORE DELETE ON reread
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER reread_ends_once BEFORE UPDATE ON reread
WHEN OLD.state <> 'waiting' OR NEW.prescription <> OLD.prescription OR NEW.entry IS NOT OLD.entry
    OR NEW.asked_by <> OLD.asked_by OR NEW.asked_at <> OLD.asked_at
BEGIN SELECT raise(ABORT, 'a reading ends once'); END;

-- The prescriber's signature that came beside the bytes of an order that was held before it was complete: once complete
-- it stands in the order itself.
CREATE TABLE held_signature (
    prescription INTEGER PRIMARY KEY REFERENCES prescription (id),
    octets BLOB NOT NULL
) STRICT;
CREATE TRIGGER held_signature_fixed BEFORE UPDATE ON held_signature BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER held_signature_kept BEFORE DELETE ON held_signature
WHEN NOT EXISTS (SELECT 1 FROM archived_prescription WHERE id = OLD.prescription)
BEGIN SELECT raise(ABORT, 'insert only'); END;

-- An order is written once, except that one which is held whole, and was never given to anybody, may be understood anew
-- while it is being read again. Whose it is, and under which name, never changes.
DROP TRIGGER prescription_fixed;
CREATE TRIGGER prescription_fixed BEFORE UPDATE ON prescription
WHEN NEW.id <> OLD.id OR NEW.uuid <> OLD.uuid OR NEW.submission <> OLD.submission OR NEW.tenant <> OLD.tenant
    OR NEW.action <> OLD.action OR NEW.group_number <> OLD.group_number OR NEW.nhs_number <> OLD.nhs_number
    OR NEW.received_at <> OLD.received_at
    OR NOT EXISTS (SELECT 1 FROM reread WHERE prescription = OLD.id AND state = 'waiting')
    OR EXISTS (SELECT 1 FROM line WHERE prescription = OLD.id AND (state <> 'HELD' OR epoch > 0))
BEGIN SELECT raise(ABORT, 'insert only'); END;
