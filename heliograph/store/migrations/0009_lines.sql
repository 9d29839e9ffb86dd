-- What comes back from carriers: how their lines stand, what they call us with, what people write.

-- How the line of a carrier account stands, as each worker that has one sees it. A worker replaces its row when
-- that changes; rows of workers that are gone are old (seen_at) and told as such.
CREATE TABLE line (
    app_id       int NOT NULL,
    account_id   int NOT NULL,
    worker       text NOT NULL,                         -- host:pid
    state        text NOT NULL CHECK (state IN ('up', 'down', 'refused')),
    since        timestamptz NOT NULL,                  -- it has stood so
    words        text NOT NULL DEFAULT '',              -- what the carrier, or the line, said last
    next_try_at  timestamptz,                           -- when a broken one is tried again, where that is known
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (app_id, account_id, worker)
);

-- An account that its carrier does not let in sends nothing until a person has changed or resumed it.
ALTER TABLE carrier_account
    ADD COLUMN paused_at timestamptz,                   -- null: not paused
    ADD COLUMN paused_reason text;

-- Calls of carriers: stored first, worked on after. Rows go when they have been worked on.
CREATE TABLE webhook_call (
    app_id       int NOT NULL,
    account_id   int NOT NULL,
    call_id      bigint GENERATED ALWAYS AS IDENTITY,
    method       text NOT NULL,
    url          text NOT NULL,
    headers      json NOT NULL,
    body         bytea NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, account_id, call_id)
);

-- What people wrote to us, each once.
CREATE TABLE reply (
    app_id       int NOT NULL,
    reply_id     bigint GENERATED ALWAYS AS IDENTITY,
    account_id   int NOT NULL,
    carrier_ref  text NOT NULL,                         -- the carrier's id; or made of what it says, when it gives none
    number       text NOT NULL,
    address      text NOT NULL,                         -- of ours, to which it was written
    text         text NOT NULL,
    written_at   timestamptz NOT NULL,                  -- by the carrier's clock
    received_at  timestamptz NOT NULL,
    handled_at   timestamptz,                           -- null: opt-outs, flows and the inbox have not seen it yet
    PRIMARY KEY (app_id, reply_id),
    UNIQUE (app_id, account_id, carrier_ref)
);
CREATE INDEX reply_number ON reply (app_id, number, reply_id);
CREATE INDEX reply_unhandled ON reply (reply_id) WHERE handled_at IS NULL;
