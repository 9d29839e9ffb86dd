-- First answers to requests with an Idempotency-Key, each written in the transaction of the work it tells of: there
-- is an answer if and only if the work was done. Kept for 24 hours.

CREATE TABLE answer (
    app_id       int NOT NULL REFERENCES app,
    client_id    text NOT NULL,                         -- cs-..., whose key it is
    key          text NOT NULL,                         -- as sent
    place        bytea NOT NULL,                        -- SHA-256 of verb, path and query
    body         bytea NOT NULL,                        -- SHA-256 of the body that was sent
    status       smallint NOT NULL,
    headers      json NOT NULL,                         -- name → value
    content      bytea NOT NULL,
    answered_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, client_id, key, place)
);
CREATE INDEX answer_age ON answer (answered_at);
