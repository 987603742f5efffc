-- Lines that wait for a person are found by what they wait for, however many others there are.
-- Source: console.md 6.4, 6.8 and 12 (server budgets).
CREATE INDEX line_held ON line (prescription) WHERE state = 'HELD';
CREATE INDEX line_to_screen ON line (act_by, id) WHERE state = 'AWAITING_SCREENING';
