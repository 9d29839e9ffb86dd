-- Texts of several parts that a carrier knows only by their parts (SMPP): what was said of each, so that receipts become
-- one word on the text, whichever worker hears them, before a restart or after it. A text of one part has no row here.
CREATE TABLE message_part (
    app_id       int NOT NULL,
    run_id       int NOT NULL,
    seq          int NOT NULL,
    part         smallint NOT NULL,                     -- 1..
    account_id   int NOT NULL,
    carrier_ref  text NOT NULL,                         -- the part's id; the last one's is the text's, too
    status       message_status NOT NULL DEFAULT 'accepted',  -- the furthest that a receipt has told
    code         text NOT NULL DEFAULT '',              -- the carrier's reason, of a failure
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, run_id, seq, part)
) WITH (fillfactor = 70);
CREATE INDEX message_part_ref ON message_part (app_id, account_id, carrier_ref, run_id, seq);
-- Rows go by their age, and stand in its order. No index speaks of status: see outcome.
CREATE INDEX message_part_age ON message_part USING brin (recorded_at);
ALTER TABLE message_part SET (autovacuum_vacuum_scale_factor = 0.02);
