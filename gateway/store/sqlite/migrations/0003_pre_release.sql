-- What a provider may fetch is asked often and is little of what is stored: only lines that are on the wire.
-- Source: eps.md 1.6.

CREATE INDEX line_on_its_way ON line (provider, prescription) WHERE state IN ('SENT', 'UNCERTAIN');
