-- What the gateway gave up, so that a person can find it without a walk through everything that was sent.
-- Source: reliability-security.md I12.
CREATE INDEX outbox_stuck ON outbox (id) WHERE state = 'stuck';
