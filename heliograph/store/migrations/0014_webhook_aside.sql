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
