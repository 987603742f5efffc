-- What is on hold at its provider is as much its provider's as what is not: the same word ends it, and a change waits for
-- the same. And a reason of blanks of any kind is no reason.
-- Source: reliability-security.md I3, I7, I16.
DROP TRIGGER event_cancels_by_its_provider;
CREATE TRIGGER event_cancels_by_its_provider BEFORE INSERT ON event
WHEN NEW.event = 'cancel_confirmed' AND NEW.moved = 1 AND NEW.actor NOT IN ('PS', 'PP') AND CASE NEW.state_before
    WHEN 'ON_HOLD' THEN (SELECT state_before FROM line WHERE id = NEW.line) ELSE NEW.state_before END IN (
    'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED')
BEGIN SELECT raise(ABORT, 'a cancel of what a provider has is its provider''s to confirm'); END;
DROP TRIGGER event_replaces_what_is_cancelled;
CREATE TRIGGER event_replaces_what_is_cancelled BEFORE INSERT ON event
WHEN NEW.event = 'replaced' AND NEW.moved = 1 AND CASE NEW.state_before
    WHEN 'ON_HOLD' THEN (SELECT state_before FROM line WHERE id = NEW.line) ELSE NEW.state_before END IN (
    'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED', 'FULFILLED')
    AND NOT EXISTS (SELECT 1 FROM cancel WHERE line = NEW.line AND state = 'CONFIRMED')
BEGIN SELECT raise(ABORT, 'a change waits for the cancel of what it replaces'); END;

DROP TRIGGER alert_closed_in_words;
CREATE TRIGGER alert_closed_in_words BEFORE UPDATE OF closed_at ON alert
WHEN NEW.closed_at IS NOT NULL AND (
    trim(NEW.closed_by, char(9, 10, 11, 12, 13, 32, 133, 160)) = ''
    OR trim(NEW.close_reason, char(9, 10, 11, 12, 13, 32, 133, 160)) = '')
BEGIN SELECT raise(ABORT, 'only a person closes an alert, with a reason'); END;
