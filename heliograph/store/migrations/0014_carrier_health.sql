-- Calls of carriers that could not be read: kept for a while with the reason, for people to look at.
CREATE TABLE webhook_aside (
    app_id       int NOT NULL,
    account_id   int NOT NULL,
    call_id      bigint NOT NULL,                       -- as in webhook_call
    method       text NOT NULL,
    url          text NOT NULL,
    headers      json NOT NULL,
    body         bytea NOT NULL,
    received_at  timestamptz NOT NULL,
    reason       text NOT NULL,                         -- for people; says nothing of numbers and texts
    PRIMARY KEY (app_id, account_id, call_id)
);

-- What carriers answered and told, counted by ten seconds: for health, for a few hours. A crash loses a moment's worth.
CREATE TABLE carrier_count (
    app_id      int NOT NULL,
    account_id  int NOT NULL,
    slot        timestamptz NOT NULL,                   -- the beginning of its ten seconds
    what        text NOT NULL,                          -- accepted, lost, refused:CODE, deferred:CODE, delivered, failed:CODE
    n           bigint NOT NULL,
    PRIMARY KEY (app_id, account_id, slot, what)
);
