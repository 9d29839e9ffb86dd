-- What a sender's lane tells of its pace: to whoever takes the lane over, and to people who ask why it takes so long.
-- Written by the lane's worker, every few seconds while it sends, never for a text or a batch.
CREATE TABLE sender_pace (
    app_id            int NOT NULL,
    sender_id         int NOT NULL,
    parts_per_second  double precision,                 -- what the lane goes by now; null: no limit
    learned           double precision,                 -- what its carrier was seen to take; null: all it was asked to
    away_at           timestamptz,                      -- when its carrier last turned a text away for being too many
    waiting           boolean NOT NULL DEFAULT false,   -- people who may be texted wait for this rate
    sent_until        timestamptz NOT NULL,             -- by the database's clock: nothing leaves later unless said anew
    hold_s            double precision NOT NULL,        -- seconds for which what has left counts in the rate
    noted_at          timestamptz NOT NULL,
    PRIMARY KEY (app_id, sender_id)
) WITH (fillfactor = 50);

-- Whoever has to be tried again goes first when that time has come (chunk.priority 1), not behind a whole campaign.
CREATE INDEX chunk_again ON chunk (app_id, sender_id, run_id, due_at) WHERE NOT done AND priority > 0;
