-- Experience flows: what a conversation by text can become. The flows that every app has are no rows: see
-- rules/flow/system.py. Everywhere else a flow is named by its public id, so that one of those can be named too.

CREATE TABLE flow (
    app_id             int NOT NULL REFERENCES app,
    flow_id            int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id          text NOT NULL UNIQUE,            -- cf-<uuid>
    name               text NOT NULL,                   -- the draft's
    lname              text NOT NULL,
    description        text NOT NULL DEFAULT '',
    draft              json NOT NULL,                   -- see rules/flow/document.py; it need not be publishable
    published_version  int,                             -- the newest; null: there is none
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    deleted_at         timestamptz,                     -- conversations under way still find their version
    PRIMARY KEY (app_id, flow_id)
);
CREATE UNIQUE INDEX flow_name ON flow (app_id, lname) WHERE deleted_at IS NULL;

-- Written once and never changed: a conversation keeps the version that it began with.
CREATE TABLE flow_version (
    app_id        int NOT NULL,
    flow_id       int NOT NULL,
    version       int NOT NULL,                         -- 1, 2, …
    document      json NOT NULL,                        -- the draft, its templates' words in it, flows by id
    published_at  timestamptz NOT NULL,
    published_by  text NOT NULL DEFAULT '',             -- a client's id, or who else it was
    PRIMARY KEY (app_id, flow_id, version),
    FOREIGN KEY (app_id, flow_id) REFERENCES flow
);

-- Public ids of flows. Who writes without a conversation gets the one of the address they wrote to, else the app's.
ALTER TABLE app_setting ADD COLUMN default_flow_id text;
ALTER TABLE sender ADD COLUMN flow_id text;

-- Who uses a flow.
CREATE INDEX campaign_flow ON campaign (app_id, flow_id) WHERE deleted_at IS NULL AND flow_id IS NOT NULL;
