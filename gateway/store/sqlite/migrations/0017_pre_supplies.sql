-- What the fence asks of supplies stands in the database too: a line goes to no next provider while a supply of it is
-- ready, on its way, or owes a rest; while one was reported and not counted, and nobody has ruled on it; or when every
-- supply was made. A revocation withdraws what has not left: what was ready then is asked for in the history.
-- Source: reliability-security.md I10, I2; DECISIONS 0032.
CREATE TRIGGER allocation_accounts_for_supplies BEFORE INSERT ON allocation
WHEN (NEW.epoch > 1 OR EXISTS (SELECT 1 FROM allocation WHERE line = NEW.line)) AND (
    EXISTS (
        SELECT 1 FROM delivery
        WHERE delivery.line = NEW.line
          AND (delivery.state IN ('READY_TO_GO', 'DISPATCHED') OR delivery.owed = 1 AND delivery.state <> 'RESCUED'))
    OR EXISTS (
        SELECT 1 FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
        JOIN event ON event.seq = delivery_event.source
        WHERE delivery.line = NEW.line AND delivery.state = 'WITHDRAWN' AND event.event = 'revoked_for_reroute'
          AND delivery_event.event = 'line_ended' AND delivery_event.state_before = 'READY_TO_GO')
    OR EXISTS (
        SELECT 1 FROM event
        WHERE event.line = NEW.line AND event.event IN ('delivered', 'last_delivered', 'balance_supplied')
          AND coalesce(event.epoch, 1) = (SELECT max(epoch) FROM allocation WHERE line = NEW.line)
          AND NOT EXISTS (
            SELECT 1 FROM delivery JOIN delivery_event ON delivery_event.delivery = delivery.id
            WHERE delivery.line = event.line AND delivery_event.source = event.seq)
          AND EXISTS (
            SELECT 1 FROM alert
            WHERE alert.line = event.line AND alert.closed_at IS NULL
              AND alert.kind IN ('answer-unexpected', 'safety-incident')))
    OR (SELECT count(*) FROM delivery WHERE delivery.line = NEW.line AND delivery.state = 'RESCUED')
        + (SELECT delivered FROM line WHERE id = NEW.line) >= (SELECT total_supplies FROM line WHERE id = NEW.line))
BEGIN SELECT raise(ABORT, 'this line has a supply that is not accounted for, or none left'); END;
