-- Closed conversations by when anything last happened in them: those that retention removes stand at its front, however
-- many that are open are older.
CREATE INDEX conversation_closed ON conversation (app_id, last_at) WHERE NOT open;
