-- Deliveries that need somebody and have no alert are found by an index of their own: those that failed and have no new
-- day, and those that are due and that nobody has booked.
-- Source: console.md 6.1.
CREATE INDEX delivery_failed ON delivery (line) WHERE state = 'FAILED';
CREATE INDEX delivery_unbooked ON delivery (due_on, line) WHERE state IN ('PLANNED', 'RELEASED');
