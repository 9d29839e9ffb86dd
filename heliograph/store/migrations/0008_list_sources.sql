-- Lists that pull their contacts from a customer's HTTP API, what became of each pull, and the secrets they send.

-- Sealed with a key that is not in the database, bound to its app and name (actions/app_secrets.py).
CREATE TABLE app_secret (
    app_id      int NOT NULL REFERENCES app,
    name        text NOT NULL,
    sealed      bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, name)
);

-- At most one row for each list of source apiIntegration; kept, switched off, when the list is deleted.
CREATE TABLE list_source (
    app_id        int NOT NULL,
    list_id       int NOT NULL,
    config        json NOT NULL,                        -- see rules/pull.py; secrets by their names only
    secrets       text[] NOT NULL,                      -- the names in it
    next_sync_at  timestamptz,                          -- the next sync is due then; null: none until somebody asks
    by_hand       boolean NOT NULL DEFAULT false,       -- somebody asked for the next one
    failures      int NOT NULL DEFAULT 0,               -- syncs in a row that failed
    last_sync     int NOT NULL DEFAULT 0,               -- the highest sync_log.sync_no ever given
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (app_id, list_id),
    FOREIGN KEY (app_id, list_id) REFERENCES contact_list
);
-- What is due, of all apps, each second: the front of this index and nothing else.
CREATE INDEX list_source_due ON list_source (next_sync_at) WHERE next_sync_at IS NOT NULL;
CREATE INDEX list_source_secret ON list_source USING gin (secrets);

CREATE TYPE sync_outcome AS ENUM
    ('running', 'completed', 'failed', 'interrupted');  -- interrupted: its worker was gone before it had ended

CREATE TABLE sync_log (
    app_id      int NOT NULL,
    list_id     int NOT NULL,
    sync_no     int NOT NULL,                           -- 1.. in the list
    outcome     sync_outcome NOT NULL,
    by_hand     boolean NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    pages       int NOT NULL DEFAULT 0,
    fetched     int NOT NULL DEFAULT 0,                 -- = added + duplicates + rejected, when completed
    added       int NOT NULL DEFAULT 0,
    duplicates  int NOT NULL DEFAULT 0,
    rejected    int NOT NULL DEFAULT 0,
    problems    json NOT NULL DEFAULT '[]',             -- the first ones: [{record, field, value, problem}]
    reason      text,                                   -- why it failed; what else there is to say of it
    PRIMARY KEY (app_id, list_id, sync_no),
    FOREIGN KEY (app_id, list_id) REFERENCES list_source
);
