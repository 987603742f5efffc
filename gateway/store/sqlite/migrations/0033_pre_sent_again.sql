-- Sending again what never left, to the provider it was for: by one person, under the next epoch. The fence lets it by
-- only where its own tables bear out that no byte of it was ever taken; otherwise the trigger is as it was.
-- Source: console.md 6.3 (send again); reliability-security.md I10, I12.
CREATE TABLE sent_again (
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL REFERENCES line (id),
    epoch INTEGER NOT NULL,
    person TEXT NOT NULL CHECK (trim(person) <> ''),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sent_again_epoch ON sent_again (line, epoch);
CREATE TRIGGER sent_again_fixed BEFORE UPDATE ON sent_again BEGIN SELECT raise(ABORT, 'insert only'); END;
CREATE TRIGGER sent_again_kept BEFORE DELETE ON sent_again
WHEN NOT EXISTS (
    SELECT 1 FROM line JOIN archived_prescription ON archived_prescription.id = line.prescription
    WHERE line.id = OLD.line)
BEGIN SELECT raise(ABORT, 'insert only'); END;

DROP TRIGGER allocation_behind_the_fence;
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
                    'postponed', 'dispensing_started', 'dispensed', 'dispatched', 'delivered', 'last_delivered',
                    'failed', 'supply_short', 'balance_supplied')))
        WHEN 'expired' THEN
            (SELECT not_valid_after FROM message WHERE id = held.message) < NEW.made_at
            AND NOT EXISTS (
                SELECT 1 FROM event
                WHERE event.line = NEW.line AND coalesce(event.epoch, 1) = held.epoch
                  AND event.event IN ('accepted', 'validated', 'queried', 'supply_planned', 'postponed',
                    'dispensing_started', 'dispensed', 'dispatched', 'delivered', 'last_delivered', 'failed',
                    'supply_short', 'balance_supplied'))
        END) AND NOT EXISTS (
    SELECT 1 FROM sent_again JOIN allocation AS held ON held.line = sent_again.line AND held.epoch = sent_again.epoch
    WHERE sent_again.line = NEW.line AND held.provider = NEW.provider AND held.ended_at IS NOT NULL
      AND held.epoch = (SELECT max(epoch) FROM allocation WHERE line = NEW.line)
      AND NOT EXISTS (SELECT 1 FROM unproven_attempt WHERE message = held.message)
      AND NOT EXISTS (
        SELECT 1 FROM event JOIN callback ON callback.id = event.callback
        WHERE event.line = NEW.line AND coalesce(event.epoch, 1) = held.epoch
          AND callback.destination = held.provider AND event.event <> 'not_stored'))
BEGIN SELECT raise(ABORT, 'this line has a holder: no ground to give it to another'); END;
