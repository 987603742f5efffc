-- The database's own word on four promises, whatever the program believes: who has an open line and until when, whose
-- word ends one that is with a provider, what a change waits for, and with what an alert is closed.
-- Source: reliability-security.md I3, I7, I16.
-- In the order in which they are written, before anything that takes long.
LOCK TABLE line, event, alert IN SHARE ROW EXCLUSIVE MODE;

CREATE TRIGGER line_is_kept BEFORE UPDATE OF state, holder, act_by ON line
    FOR EACH ROW WHEN ((NEW.act_by IS NULL OR NEW.holder = 'nobody') AND NEW.state NOT IN (
        'FULFILLED', 'REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED'))
    EXECUTE FUNCTION never('an open line has a holder and a deadline');
-- What the watch looks for beside deadlines: a line that has none is late at once. It is empty.
CREATE INDEX line_without_deadline ON line (id) WHERE act_by IS NULL AND state NOT IN (
    'RECEIVED', 'FULFILLED', 'REFUSED', 'CANCELLED', 'SUPERSEDED', 'EXPIRED', 'CLOSED');

CREATE TRIGGER event_cancels_by_its_provider BEFORE INSERT ON event
    FOR EACH ROW WHEN (NEW.event = 'cancel_confirmed' AND NEW.moved = 1 AND NEW.actor NOT IN ('PS', 'PP')
        AND NEW.state_before IN (
        'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED'))
    EXECUTE FUNCTION never('a cancel of what a provider has is its provider''s to confirm');
CREATE FUNCTION event_replaces_what_is_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM cancel WHERE line = NEW.line AND state = 'CONFIRMED')
    THEN
        RAISE EXCEPTION 'a change waits for the cancel of what it replaces'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_replaces_what_is_cancelled BEFORE INSERT ON event
    FOR EACH ROW WHEN (NEW.event = 'replaced' AND NEW.moved = 1 AND NEW.state_before IN (
        'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED',
        'FULFILLED'))
    EXECUTE FUNCTION event_replaces_what_is_cancelled();

CREATE TRIGGER alert_closed_in_words BEFORE UPDATE OF closed_at ON alert
    FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL AND (trim(NEW.closed_by) = '' OR trim(NEW.close_reason) = ''))
    EXECUTE FUNCTION never('only a person closes an alert, with a reason');
