-- Carrier accounts and senders as people manage them: secrets, daily limits, pools.

-- A row that is deleted stays, unseen: what was sent through it is still told by it.
ALTER TABLE carrier_account
    ADD COLUMN secrets_sealed bytea,                    -- JSON of the settings that are secret; key not in the database
    ADD COLUMN secret_names text[] NOT NULL DEFAULT '{}', -- which settings these are
    ADD COLUMN version int NOT NULL DEFAULT 1,          -- grows with each change: workers open the line anew
    ADD COLUMN updated_at timestamptz,                  -- null: never changed
    ADD COLUMN deleted_at timestamptz;
CREATE UNIQUE INDEX carrier_account_name ON carrier_account (app_id, lower(name)) WHERE deleted_at IS NULL;

ALTER TABLE sender
    ADD COLUMN parts_per_day bigint,                    -- null: as many as can be sent in a day
    ADD COLUMN day_zone text NOT NULL DEFAULT 'UTC',    -- whose midnight begins a day
    ADD COLUMN held_until timestamptz,                  -- its day is used up: everybody who waits for it is held until then
    ADD COLUMN version int NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz,
    ADD COLUMN deleted_at timestamptz;
ALTER TABLE sender DROP CONSTRAINT sender_app_id_address_key;
CREATE UNIQUE INDEX sender_address ON sender (app_id, address) WHERE deleted_at IS NULL;

-- Parts handed to the carrier in each day of a sender, counted in the statement that claims them. Only the lane's
-- worker writes it, a batch at a time, always the same row: room in the page keeps that cheap.
CREATE TABLE sender_day (
    app_id     int NOT NULL,
    sender_id  int NOT NULL,
    day        date NOT NULL,                           -- in sender.day_zone
    parts      bigint NOT NULL,
    PRIMARY KEY (app_id, sender_id, day)
) WITH (fillfactor = 20);

-- Several senders under one name. A campaign names it as its caller id: pool:<name>.
CREATE TABLE sender_pool (
    app_id      int NOT NULL REFERENCES app,
    pool_id     int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id   text NOT NULL UNIQUE,                   -- sp-<uuid>
    name        text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, pool_id)
);
CREATE UNIQUE INDEX sender_pool_name ON sender_pool (app_id, lower(name));

CREATE TABLE sender_pool_member (
    app_id     int NOT NULL,
    pool_id    int NOT NULL,
    sender_id  int NOT NULL,
    weight     double precision NOT NULL,               -- of the people who have no sender yet, its share
    PRIMARY KEY (app_id, pool_id, sender_id),
    FOREIGN KEY (app_id, pool_id) REFERENCES sender_pool ON DELETE CASCADE,
    FOREIGN KEY (app_id, sender_id) REFERENCES sender
);
CREATE INDEX sender_pool_member_sender ON sender_pool_member (app_id, sender_id);

-- From whom of a pool a person gets their texts: whoever it was the first time, as long as it is in the pool.
CREATE TABLE sticky_sender (
    app_id     int NOT NULL,
    pool_id    int NOT NULL,
    number     text NOT NULL,
    sender_id  int NOT NULL,
    PRIMARY KEY (app_id, pool_id, number)
) WITH (fillfactor = 90);

-- A run through a pool: its members as they were at play, and their weights in the same order.
ALTER TABLE run
    ADD COLUMN pool_id int,                             -- null: everybody through run.sender_id
    ADD COLUMN sender_ids int[],                        -- null: only run.sender_id
    ADD COLUMN weights double precision[];
