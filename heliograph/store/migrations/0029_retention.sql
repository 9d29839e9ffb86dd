-- How long an app keeps texts, people, conversations and its audit (and, below, views that people have named). What is
-- removed leaves its row, its place and its count behind: numbers still add up, and a message can still tell that it was
-- removed, and when.

-- null: for ever; else what rules/retention.py made of it.
ALTER TABLE app_setting ADD COLUMN retention json;

-- Everybody of a run before people_kept has no number, no text and no contact any more; before texts_kept, no text.
ALTER TABLE run
    ADD COLUMN people_kept int NOT NULL DEFAULT 1,
    ADD COLUMN texts_kept  int NOT NULL DEFAULT 1,
    ADD COLUMN people_gone boolean NOT NULL DEFAULT false,  -- nothing is left to remove
    ADD COLUMN texts_gone  boolean NOT NULL DEFAULT false,
    ADD COLUMN removed_at  timestamptz;                     -- when the last of it was removed
CREATE INDEX run_with_people ON run (app_id, ended_at) WHERE ended_at IS NOT NULL AND NOT people_gone;
CREATE INDEX run_with_texts ON run (app_id, ended_at) WHERE ended_at IS NOT NULL AND NOT texts_gone;

-- What is old enough, the oldest first.
CREATE INDEX reply_age ON reply (app_id, received_at);
CREATE INDEX session_age ON session (app_id, ended_at) WHERE ended_at IS NOT NULL AND number <> '';

-- Entries of the audit still cannot be changed; they go only by the sweep that keeps to an app's own term, which says
-- so in its transaction.
CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('heliograph.retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'audit is evidence: rows are added, never changed or removed';
END $$;

-- Lists of campaigns that somebody has given a name: what is searched, in which order, shown how.
CREATE TABLE saved_view (
    app_id      int NOT NULL REFERENCES app,
    user_id     int NOT NULL REFERENCES console_user ON DELETE CASCADE,
    name        text NOT NULL,
    query       text NOT NULL,                          -- of the page's address
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, user_id, name)
);
CREATE INDEX saved_view_user ON saved_view (user_id);
