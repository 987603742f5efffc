-- The database's own word on four promises, whatever the program believes: who has an open line and until when, whose
-- word ends one that is with a provider, what a change waits for, and with what an alert is closed.
-- Source: reliability-security.md I3, I7, I16.

CREATE TRIGGER line_is_kept BEFORE UPDATE OF state, holder, act_by ON line
WHEN (NEW.act_by IS NULL OR NEW.holder = 'nobody') AND CASE NEW.state
    WHEN 'FULFILLED' THEN 0 WHEN 'REFUSED' THEN 0 WHEN 'CANCELLED' THEN 0 WHEN 'SUPERSEDED' THEN 0
    WHEN 'EXPIRED' THEN 0 WHEN 'CLOSED' THEN 0 ELSE 1 END
BEGIN SELECT raise(ABORT, 'an open line has a holder and a deadline'); END;
-- What the watch looks for beside deadlines: a line that has none is late at once. It is empty.
CREATE INDEX line_without_deadline ON line (id) WHERE act_by IS NULL AND state NOT IN (
    'RECEIVED', 'FULFILLED', 'REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');

CREATE TRIGGER event_cancels_by_its_provider BEFORE INSERT ON event
WHEN NEW.event = 'cancel_confirmed' AND NEW.moved = 1 AND NEW.actor NOT IN ('PS', 'PP') AND NEW.state_before IN (
    'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED')
BEGIN SELECT raise(ABORT, 'a cancel of what a provider has is its provider''s to confirm'); END;
CREATE TRIGGER event_replaces_what_is_cancelled BEFORE INSERT ON event
WHEN NEW.event = 'replaced' AND NEW.moved = 1 AND NEW.state_before IN (
    'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED', 'FULFILLED')
    AND NOT EXISTS (SELECT 1 FROM cancel WHERE line = NEW.line AND state = 'CONFIRMED')
BEGIN SELECT raise(ABORT, 'a change waits for the cancel of what it replaces'); END;

CREATE TRIGGER alert_closed_in_words BEFORE UPDATE OF closed_at ON alert
WHEN NEW.closed_at IS NOT NULL AND (trim(NEW.closed_by) = '' OR trim(NEW.close_reason) = '')
BEGIN SELECT raise(ABORT, 'only a person closes an alert, with a reason'); END;
