-- Parts of long replies that a carrier brings one by one, until they are whole; and for some days after, so that a part
-- that is brought again is not taken for the beginning of another reply.
CREATE TABLE reply_part (
    app_id      int NOT NULL,
    account_id  int NOT NULL,
    carrier_ref text NOT NULL,                          -- of this part
    number      text NOT NULL,
    address     text NOT NULL,
    reference   text NOT NULL,                          -- what the parts of one reply have in common
    total       smallint NOT NULL,
    part        smallint NOT NULL CHECK (part BETWEEN 1 AND total),
    text        text NOT NULL,
    written_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    joined_at   timestamptz,                            -- when their reply was kept
    PRIMARY KEY (app_id, account_id, carrier_ref)
);
CREATE INDEX reply_part_open ON reply_part (app_id, account_id, received_at) WHERE joined_at IS NULL;
