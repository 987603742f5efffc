-- What is late of a trust with one provider is found by when it became late, however much is late of all trusts.
-- Source: console.md 6.1, 12 (server budgets).
CREATE INDEX alert_silent_of_both ON alert (tenant, provider, opened_at) WHERE closed_at IS NULL AND silent > 0;
