-- When a campaign starts by itself. At most one row for each campaign, kept when it is switched off, so that
-- what it was can still be told.

CREATE TYPE schedule_outcome AS ENUM
    ('started', 'held', 'skipped');

CREATE TABLE schedule (
    app_id        int NOT NULL,
    campaign_id   int NOT NULL,
    body          json NOT NULL,                        -- as sent; see rules/schedule_body.py
    recurs        boolean NOT NULL,
    enabled       boolean NOT NULL,
    next_at       timestamptz,                          -- the next start; null: none is to come
    ends_at       timestamptz,                          -- from then on a run of it is completed; null: no end
    last_at       timestamptz,                          -- the start that came due last ...
    last_outcome  schedule_outcome,                     -- ... what became of it ...
    last_reason   text,                                 -- ... and why, unless it simply started
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, campaign_id),
    FOREIGN KEY (app_id, campaign_id) REFERENCES campaign
);
-- What is due, of all apps, each half second: the front of this index and nothing else.
CREATE INDEX schedule_due ON schedule (next_at) WHERE enabled AND next_at IS NOT NULL;
