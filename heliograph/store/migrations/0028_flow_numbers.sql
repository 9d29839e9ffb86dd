-- The sessions of one flow, without reading those of all the others: how many there are, and their first and last.
CREATE INDEX session_flow ON session (app_id, flow, session_id);
