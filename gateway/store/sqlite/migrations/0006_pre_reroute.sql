-- Giving a line to another provider. Code of the schema before goes on working: it writes none of this.
-- Source: reliability-security.md I2, I10; mapping.md 10.2.

-- Under which epoch of its line an event happened. Rows written before this step are of the first.
ALTER TABLE event ADD COLUMN epoch INTEGER;

-- A re-route of one line, wanted by two people. ASKED and PENDING: the holder was asked to give it up (the cancel
-- region's words). CONFIRMED: it has, and nobody has the line yet. DONE: the line changed hands, on the ground stated.
-- TOO_LATE and OFF: it stays where it is.
CREATE TABLE reroute (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    epoch INTEGER NOT NULL,
    earlier TEXT NOT NULL,
    provider TEXT NOT NULL CHECK (provider <> earlier),
    person TEXT NOT NULL CHECK (trim(person) <> ''),
    second_person TEXT NOT NULL CHECK (trim(second_person) <> ''),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    state TEXT NOT NULL CHECK (state IN ('ASKED', 'PENDING', 'CONFIRMED', 'TOO_LATE', 'DONE', 'OFF')),
    ground TEXT CHECK (ground IN ('never_on_wire', 'given_back', 'expired')),
    message BLOB REFERENCES message (id),
    asked_at INTEGER NOT NULL,
    revoked_at INTEGER,
    ended_at INTEGER,
    CHECK (lower(trim(person)) <> lower(trim(second_person))),
    CHECK ((state = 'DONE') = (ground IS NOT NULL)),
    CHECK ((state IN ('TOO_LATE', 'DONE', 'OFF')) = (ended_at IS NOT NULL)),
    CHECK (state <> 'CONFIRMED' OR revoked_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX reroute_open ON reroute (line) WHERE state IN ('ASKED', 'PENDING', 'CONFIRMED');
CREATE UNIQUE INDEX reroute_done ON reroute (line, epoch) WHERE state = 'DONE';
CREATE INDEX reroute_line ON reroute (line);
CREATE INDEX reroute_message ON reroute (message) WHERE message IS NOT NULL;
CREATE INDEX reroute_confirmed ON reroute (id) WHERE state = 'CONFIRMED';
CREATE TRIGGER reroute_kept BEFORE DELETE ON reroute BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER reroute_ends_once BEFORE UPDATE ON reroute
WHEN OLD.ended_at IS NOT NULL OR NEW.line <> OLD.line OR NEW.epoch <> OLD.epoch OR NEW.earlier <> OLD.earlier
    OR NEW.provider <> OLD.provider OR NEW.person <> OLD.person OR NEW.second_person <> OLD.second_person
    OR NEW.reason <> OLD.reason OR NEW.asked_at <> OLD.asked_at OR NEW.message IS NOT OLD.message
    OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
BEGIN SELECT raise(ABORT, 'a re-route only goes on, and ends once'); END;

-- What is not proven untaken: an attempt on the wire for which the same lease did not record that it was refused entry,
-- and any attempt whose outcome says that the message arrived, or may have.
CREATE VIEW unproven_attempt AS
SELECT attempt.id AS id, outbox.message_id AS message
FROM attempt JOIN outbox ON outbox.id = attempt.outbox
WHERE attempt.outcome IN ('taken', 'refused', 'in_doubt')
   OR (attempt.outcome = 'on_wire' AND NOT EXISTS (
        SELECT 1 FROM attempt AS result
        WHERE result.outbox = attempt.outbox AND result.number = attempt.number AND result.lease = attempt.lease
          AND result.outcome = 'try_later' AND result.fenced = 0));

-- The second lock of the fence. It trusts no word of the program: a line that was ever given away is given again only
-- where the tables themselves show the ground, for the epoch before and the provider that had it.
CREATE TRIGGER allocation_behind_the_fence BEFORE INSERT ON allocation
WHEN (NEW.epoch > 1 OR EXISTS (SELECT 1 FROM allocation WHERE line = NEW.line)) AND NOT EXISTS (
    SELECT 1 FROM reroute JOIN allocation AS held ON held.line = reroute.line AND held.epoch = reroute.epoch
    WHERE reroute.line = NEW.line AND reroute.state = 'DONE' AND reroute.provider = NEW.provider
      AND reroute.earlier = held.provider
      AND held.epoch = (SELECT max(epoch) FROM allocation WHERE line = NEW.line)
      AND held.ended_at IS NOT NULL
      AND CASE reroute.ground
        WHEN 'never_on_wire' THEN
            NOT EXISTS (SELECT 1 FROM unproven_attempt WHERE message = held.message)
            AND NOT EXISTS (
                SELECT 1 FROM event JOIN callback ON callback.id = event.callback
                WHERE event.line = NEW.line AND coalesce(event.epoch, 1) = held.epoch
                  AND callback.destination = held.provider AND event.event <> 'not_stored')
        WHEN 'given_back' THEN EXISTS (
            SELECT 1 FROM event AS given LEFT JOIN callback ON callback.id = given.callback
            WHERE given.line = NEW.line AND coalesce(given.epoch, 1) = held.epoch
              AND (
                (given.event IN ('rejected', 'refused_format', 'returned', 'not_supplied') AND given.moved = 1
                    AND callback.destination = held.provider)
                OR (given.event = 'cancel_confirmed' AND callback.destination = held.provider
                    AND EXISTS (
                        SELECT 1 FROM reroute AS asked WHERE asked.line = NEW.line AND asked.epoch = held.epoch
                          AND asked.message IS NOT NULL AND asked.revoked_at IS NOT NULL))
                OR (given.event = 'refused_format' AND given.moved = 1 AND EXISTS (
                    SELECT 1 FROM attempt JOIN outbox ON outbox.id = attempt.outbox
                    WHERE outbox.message_id = held.message AND attempt.outcome = 'refused' AND attempt.fenced = 0)))
              AND NOT EXISTS (
                SELECT 1 FROM event AS later
                WHERE later.line = NEW.line AND later.seq > given.seq AND coalesce(later.epoch, 1) = held.epoch
                  AND later.event IN ('on_wire', 'verbatim_retry', 'accepted', 'validated', 'queried', 'supply_planned',
                    'dispensed', 'dispatched', 'delivered', 'last_delivered', 'failed', 'supply_short',
                    'balance_supplied')))
        WHEN 'expired' THEN
            (SELECT not_valid_after FROM message WHERE id = held.message) < NEW.made_at
            AND NOT EXISTS (
                SELECT 1 FROM event
                WHERE event.line = NEW.line AND coalesce(event.epoch, 1) = held.epoch
                  AND event.event IN ('accepted', 'validated', 'queried', 'supply_planned', 'dispensed', 'dispatched',
                    'delivered', 'last_delivered', 'failed', 'supply_short', 'balance_supplied'))
        END)
BEGIN SELECT raise(ABORT, 'this line has a holder: no ground to give it to another'); END;
CREATE TRIGGER allocation_waits_for_the_seal BEFORE INSERT ON allocation
WHEN NOT EXISTS (
    SELECT 1 FROM message
    WHERE id = NEW.message AND destination = NEW.provider AND epoch = NEW.epoch AND event = 'prescription-order')
BEGIN SELECT raise(ABORT, 'the message sealed for it names another holder or epoch'); END;

-- Which configuration this store runs under, and since when; the newest row is in force.
CREATE TABLE configuration (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    version TEXT NOT NULL,
    since INTEGER NOT NULL,
    checked_lines INTEGER NOT NULL
) STRICT;
CREATE TRIGGER configuration_fixed BEFORE UPDATE ON configuration BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER configuration_kept BEFORE DELETE ON configuration BEGIN SELECT raise(ABORT, 'insert only'); END;
