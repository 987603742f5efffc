-- What is on hold at its provider is as much its provider's as what is not: the same word ends it, and a change waits for
-- the same. And a reason of blanks of any kind is no reason.
-- Source: reliability-security.md I3, I7, I16.
-- In the order in which they are written, before anything that takes long.
LOCK TABLE event, alert IN SHARE ROW EXCLUSIVE MODE;

CREATE FUNCTION is_with_a_provider(state TEXT, line BIGINT) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE state WHEN 'ON_HOLD' THEN (SELECT held.state_before FROM line AS held WHERE held.id = line)
        ELSE state END IN (
        'SENT', 'UNCERTAIN', 'WITH_PROVIDER', 'ACCEPTED', 'VALIDATED', 'QUERIED', 'IN_SUPPLY', 'PART_SUPPLIED',
        'FULFILLED')
$$;
CREATE FUNCTION event_cancels_by_its_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state_before <> 'FULFILLED' AND is_with_a_provider(NEW.state_before, NEW.line) THEN
        RAISE EXCEPTION 'a cancel of what a provider has is its provider''s to confirm'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER event_cancels_by_its_provider ON event;
CREATE TRIGGER event_cancels_by_its_provider BEFORE INSERT ON event
    FOR EACH ROW WHEN (NEW.event = 'cancel_confirmed' AND NEW.moved = 1 AND NEW.actor NOT IN ('PS', 'PP'))
    EXECUTE FUNCTION event_cancels_by_its_provider();
CREATE OR REPLACE FUNCTION event_replaces_what_is_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF is_with_a_provider(NEW.state_before, NEW.line)
        AND NOT EXISTS (SELECT 1 FROM cancel WHERE line = NEW.line AND state = 'CONFIRMED')
    THEN
        RAISE EXCEPTION 'a change waits for the cancel of what it replaces'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER event_replaces_what_is_cancelled ON event;
CREATE TRIGGER event_replaces_what_is_cancelled BEFORE INSERT ON event
    FOR EACH ROW WHEN (NEW.event = 'replaced' AND NEW.moved = 1)
    EXECUTE FUNCTION event_replaces_what_is_cancelled();

DROP TRIGGER alert_closed_in_words ON alert;
CREATE TRIGGER alert_closed_in_words BEFORE UPDATE OF closed_at ON alert
    FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL AND (
        btrim(NEW.closed_by, E' \t\n\v\f\r\u0085\u00a0') = ''
        OR btrim(NEW.close_reason, E' \t\n\v\f\r\u0085\u00a0') = ''))
    EXECUTE FUNCTION never('only a person closes an alert, with a reason');
