-- The house: who owns what, whom to text, what was planned, what left, what became of it.
--
-- Every table is keyed by app_id first, so that a distributed PostgreSQL can shard by tenant.
-- Numbers named *_id are short internal ids (also used as advisory lock keys, see store/locks.py);
-- public_id is what the API shows (st-, cd-, cid-, cl- ...).

CREATE TYPE campaign_status AS ENUM
    ('Preparing', 'Ready', 'Scheduled', 'Rescheduled', 'Active', 'Paused', 'Stopped', 'Completed');

-- In lifecycle order: a receipt may only move a message to a later word. See rules/message.py.
CREATE TYPE message_status AS ENUM
    ('held', 'ready', 'submitting', 'unknown', 'accepted', 'failed', 'delivered', 'suppressed', 'expired');

-- ---------------------------------------------------------------- who

CREATE TABLE account (
    account_id  text PRIMARY KEY,                       -- 24 hex digits
    created_at  timestamptz NOT NULL
);

CREATE TABLE app (
    app_id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   text NOT NULL UNIQUE,                   -- st-<uuid>
    account_id  text NOT NULL REFERENCES account,
    org_id      text NOT NULL,                          -- o-<uuid>, answered by list calls
    owner_id    text NOT NULL,                          -- u-<uuid>, answered as createdBy
    name        text NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE client (
    app_id        int NOT NULL REFERENCES app,
    public_id     text NOT NULL UNIQUE,                 -- cs-<uuid>
    name          text NOT NULL,
    secret_sealed bytea NOT NULL,                       -- HS256 needs the secret itself: sealed, key not in the database
    scopes        text[] NOT NULL,
    enforce_jti   boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, public_id)
);

CREATE TABLE used_jti (
    app_id      int NOT NULL,
    client_id   text NOT NULL,
    jti         text NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, client_id, jti)
);

-- ---------------------------------------------------------------- through whom

CREATE TABLE carrier_account (
    app_id      int NOT NULL REFERENCES app,
    account_id  int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id   text NOT NULL UNIQUE,                   -- ca-<uuid>
    name        text NOT NULL,
    kind        text NOT NULL,                          -- which carrier speaks: 'sandbox', ...
    settings    json NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, account_id)
);

CREATE TABLE sender (
    app_id            int NOT NULL,
    sender_id         int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id         text NOT NULL UNIQUE,             -- sn-<uuid>
    address           text NOT NULL,                    -- a number, short code or name; '*' serves any caller id
    account_id        int NOT NULL,
    parts_per_second  double precision,                 -- null: as fast as the carrier takes them
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (app_id, sender_id),
    UNIQUE (app_id, address),
    FOREIGN KEY (app_id, account_id) REFERENCES carrier_account
);

-- ---------------------------------------------------------------- whom

CREATE TABLE contact_list (
    app_id           int NOT NULL REFERENCES app,
    list_id          int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id        text NOT NULL UNIQUE,              -- cl-<uuid>
    kind             text NOT NULL CHECK (kind IN ('call', 'dnc')),
    name             text NOT NULL,
    lname            text NOT NULL,
    description      text NOT NULL DEFAULT '',
    source           text NOT NULL,                     -- passiveApi, passiveApiIntegration, localDrive, apiIntegration
    allow_duplicates boolean NOT NULL DEFAULT false,
    is_global_dnc    boolean NOT NULL DEFAULT false,
    is_default       boolean NOT NULL DEFAULT false,
    columns          text[] NOT NULL DEFAULT '{}',      -- every column seen, in order of first appearance
    files            json NOT NULL DEFAULT '[]',        -- [{fileId, fileName}]
    last_seq         int NOT NULL DEFAULT 0,            -- the highest contact.seq ever given
    contact_count    int NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    deleted_at       timestamptz,
    PRIMARY KEY (app_id, list_id)
);
CREATE UNIQUE INDEX contact_list_name ON contact_list (app_id, kind, lname) WHERE deleted_at IS NULL;

CREATE TABLE contact (
    app_id      int NOT NULL,
    list_id     int NOT NULL,
    seq         int NOT NULL,                           -- 1.. in order of arrival; with the list it makes the cc- id
    number      text NOT NULL,                          -- E.164 with its plus
    time_zone   text,                                   -- the contact's own, when it names a real zone
    priority    smallint,
    fields      json NOT NULL,                          -- every column as it was sent, order kept
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, list_id, seq)
);
CREATE INDEX contact_number ON contact (app_id, number, list_id);

CREATE TABLE dnc_entry (
    app_id      int NOT NULL,
    list_id     int NOT NULL,
    number      text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    source      text NOT NULL,                          -- who put it there: import, api, person, reply
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    PRIMARY KEY (app_id, list_id, number)
);

-- ---------------------------------------------------------------- what to say, and when

CREATE TABLE campaign (
    app_id         int NOT NULL REFERENCES app,
    campaign_id    int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id      text NOT NULL UNIQUE,                -- cd-<uuid>
    name           text NOT NULL,
    lname          text NOT NULL,
    description    text,
    status         campaign_status NOT NULL,
    priority       smallint NOT NULL CHECK (priority BETWEEN 1 AND 5),
    format         text NOT NULL CHECK (format IN ('simple', 'advanced')),
    caller_id      text NOT NULL,
    dialing        json NOT NULL,                       -- dialingStrategy as sent: it is echoed word for word
    message        json,                                -- as sent, for the same reason
    flow_id        text,                                -- cf-<uuid>, advanced campaigns
    schedule       json NOT NULL,
    dnc_list_id    int,
    run_id         int,                                 -- the run under way, or the last one
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    deleted_at     timestamptz,
    purged_at      timestamptz,                         -- unsent rows of a deleted campaign are gone
    PRIMARY KEY (app_id, campaign_id)
);
CREATE UNIQUE INDEX campaign_name ON campaign (app_id, lname) WHERE deleted_at IS NULL;
CREATE INDEX campaign_active ON campaign (app_id, campaign_id) WHERE status = 'Active' AND deleted_at IS NULL;
CREATE INDEX campaign_unpurged ON campaign (app_id, campaign_id) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

CREATE TABLE campaign_list (
    app_id       int NOT NULL,
    campaign_id  int NOT NULL,
    position     smallint NOT NULL,
    list_id      int NOT NULL,
    PRIMARY KEY (app_id, campaign_id, position),
    FOREIGN KEY (app_id, campaign_id) REFERENCES campaign,
    FOREIGN KEY (app_id, list_id) REFERENCES contact_list
);
CREATE INDEX campaign_list_list ON campaign_list (app_id, list_id);

-- ---------------------------------------------------------------- one pass over the audience

-- A run is frozen when play is pressed: later edits of the campaign do not reach it.
CREATE TABLE run (
    app_id         int NOT NULL,
    run_id         int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id      text NOT NULL UNIQUE,                -- cid-<uuid>
    campaign_id    int NOT NULL,
    sender_id      int NOT NULL,
    caller_id      text NOT NULL,
    template       text NOT NULL,                       -- decoded text, placeholders still in it
    missing        json NOT NULL,                       -- what to do for a placeholder without a value
    calling_hours  json NOT NULL,
    list_ids       int[] NOT NULL,                      -- in the campaign's order
    dnc_list_ids   int[] NOT NULL,
    audience       int NOT NULL,                        -- contacts of its lists at start: what planning will read
    plan_list      smallint NOT NULL DEFAULT 1,         -- planning has read list_ids[plan_list] up to plan_seq
    plan_seq       int NOT NULL DEFAULT 0,
    planned_at     timestamptz,                         -- planning is finished
    last_seq       int NOT NULL DEFAULT 0,              -- the highest place in the queue ever given
    last_chunk     int NOT NULL DEFAULT 0,
    started_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    end_reason     text,                                -- completed, stopped, deleted
    PRIMARY KEY (app_id, run_id),
    FOREIGN KEY (app_id, campaign_id) REFERENCES campaign
);
CREATE INDEX run_campaign ON run (app_id, campaign_id);

-- The numbers of a run, kept as it goes, so that reading them costs the same at any size. One row per
-- sender that works on the run (0 is the planner): two lanes never wait for one row. Sum them.
-- waiting = held + ready, told apart on reading by chunk.due_at.
CREATE TABLE tally (
    app_id      int NOT NULL,
    run_id      int NOT NULL,
    sender_id   int NOT NULL,
    total       bigint NOT NULL DEFAULT 0,
    waiting     bigint NOT NULL DEFAULT 0,
    submitting  bigint NOT NULL DEFAULT 0,
    unknown     bigint NOT NULL DEFAULT 0,
    accepted    bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    delivered   bigint NOT NULL DEFAULT 0,
    suppressed  bigint NOT NULL DEFAULT 0,
    expired     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, run_id, sender_id)
) WITH (fillfactor = 20);

-- Up to 500 people of one run with one sender, one zone and one due time, in a row of places
-- first_seq..last_seq. next_seq is a cursor: whoever stands before it has been taken to be submitted
-- (committed before the first byte leaves), whoever stands at or behind it waits. unsettled counts those
-- taken whose outcome is not recorded yet.
CREATE TABLE chunk (
    app_id      int NOT NULL,
    run_id      int NOT NULL,
    chunk_no    int NOT NULL,
    sender_id   int NOT NULL,
    zone        text NOT NULL,
    priority    smallint NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    first_seq   int NOT NULL,
    last_seq    int NOT NULL,
    next_seq    int NOT NULL,
    unsettled   int NOT NULL DEFAULT 0,
    done        boolean NOT NULL DEFAULT false,         -- cursor at the end and nothing unsettled
    PRIMARY KEY (app_id, run_id, chunk_no)
) WITH (fillfactor = 50);
CREATE INDEX chunk_open ON chunk (app_id, sender_id, run_id, due_at, chunk_no) WHERE NOT done;
CREATE INDEX chunk_place ON chunk (app_id, run_id, first_seq);
CREATE INDEX chunk_unsettled ON chunk (app_id, sender_id) WHERE unsettled > 0;

-- Who gets what in a run: written once when planned. seq names the message for good (msg-<run>-<seq>);
-- its place in the queue is seq too, unless it had to wait again: then it got a new place.
CREATE TABLE message (
    app_id       int NOT NULL,
    run_id       int NOT NULL,
    seq          int NOT NULL,
    place        int,                                   -- null: seq
    list_id      int NOT NULL,
    contact_seq  int NOT NULL,
    number       text NOT NULL,
    text         text,                                  -- null: the run's template, word for word
    parts        smallint NOT NULL,
    attempts     smallint NOT NULL DEFAULT 0,           -- tries that ended in a temporary refusal
    PRIMARY KEY (app_id, run_id, seq)
);
-- Nobody is texted twice, whatever the code does. Partial, though every number passes: so only a statement that
-- says `number > ''` can use it. New runs have no statistics yet, and the planner, thinking them tiny, would
-- read places through this index, which means all of the run for every chunk.
CREATE UNIQUE INDEX message_number ON message (app_id, run_id, number) WHERE number > '';
CREATE INDEX message_place ON message (app_id, run_id, place) WHERE place IS NOT NULL;

-- What became of a message: one row as soon as it is no longer waiting or submitting. Appended in bulk,
-- then moved forward only (receipts; an unknown settled by evidence).
CREATE TABLE outcome (
    app_id        int NOT NULL,
    run_id        int NOT NULL,
    seq           int NOT NULL,
    status        message_status NOT NULL,
    reason        text,                                 -- why suppressed, failed, expired or unknown
    account_id    int,
    carrier_ref   text,
    submitted_at  timestamptz,
    settled_at    timestamptz NOT NULL,                 -- when the status last changed
    PRIMARY KEY (app_id, run_id, seq)
) WITH (fillfactor = 50);
CREATE INDEX outcome_ref ON outcome (app_id, account_id, carrier_ref) WHERE carrier_ref IS NOT NULL;
-- No index may speak of status: a receipt could not be a heap-only update then, and costs twice (measured 20,400
-- receipts/s and 526 bytes of WAL each with one, 42,900 and 213 without, at half-filled pages). Whoever is unknown
-- has no ref: they are found among those few.
CREATE INDEX outcome_without_ref ON outcome (app_id, run_id, seq) WHERE carrier_ref IS NULL;

-- Receipts that came before the acceptance they belong to was recorded.
CREATE TABLE early_receipt (
    app_id       int NOT NULL,
    account_id   int NOT NULL,
    carrier_ref  text NOT NULL,
    status       message_status NOT NULL,
    code         text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, account_id, carrier_ref, status)
);
