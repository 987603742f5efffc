-- A trust's list of one provider is read in its order, and the board counts each of them so.
-- Source: console.md 6.1, 6.5, 12 (server budgets).
CREATE INDEX alert_in_order_of_both ON alert (tenant, provider, place, last_day, risk, id) WHERE closed_at IS NULL;
