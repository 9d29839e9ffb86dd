-- Conversations as people see them, and telling other systems what happens.

-- Everything between one person and one address of ours, whatever campaign, flow or agent it came from. Its messages
-- are not in here: they are replies and messages of runs, found by the number.
CREATE TABLE conversation (
    app_id           int NOT NULL REFERENCES app,
    conversation_id  int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id        text NOT NULL UNIQUE,              -- cv-<uuid>
    number           text NOT NULL,
    address          text NOT NULL,                     -- of ours, folded (rules/optout.py)
    sent_from        text NOT NULL,                     -- the same as it is written where texts leave from it
    open             boolean NOT NULL,                  -- somebody of ours has to deal with it
    why_open         text CHECK (why_open IN ('reply', 'handed_over', 'person')),
    unread           int NOT NULL DEFAULT 0,            -- messages of theirs that nobody has looked at
    assignee         text,                              -- whose it is
    team             text,
    session_id       bigint,                            -- of the flow that heard them last
    preview          text NOT NULL DEFAULT '',          -- the beginning of the last message
    preview_out      boolean NOT NULL DEFAULT false,    -- it was one of ours
    last_in_at       timestamptz,
    last_out_at      timestamptz,                       -- of answers by hand
    last_at          timestamptz NOT NULL,
    opened_at        timestamptz,
    closed_at        timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (app_id, conversation_id),
    UNIQUE (app_id, number, address),
    CHECK (open OR unread = 0)
) WITH (fillfactor = 70);
-- Those that flows answer are closed and in the first one only; the others hold what people have to deal with.
CREATE INDEX conversation_recent ON conversation (app_id, last_at, conversation_id);
CREATE INDEX conversation_open ON conversation (app_id, last_at, conversation_id) WHERE open;
CREATE INDEX conversation_unread ON conversation (app_id, last_at, conversation_id) WHERE unread > 0;
CREATE INDEX conversation_unassigned ON conversation (app_id, last_at, conversation_id) WHERE open AND assignee IS NULL;
CREATE INDEX conversation_assignee ON conversation (app_id, assignee, last_at, conversation_id)
    WHERE open AND assignee IS NOT NULL;

-- What happened to a conversation besides its messages, appended.
CREATE TABLE conversation_event (
    app_id           int NOT NULL,
    conversation_id  int NOT NULL,
    event_id         bigint GENERATED ALWAYS AS IDENTITY,
    kind             text NOT NULL CHECK (kind IN
                         ('opened', 'handed_over', 'assigned', 'unassigned', 'closed', 'reopened', 'note')),
    text             text NOT NULL DEFAULT '',          -- why opened; whose it is now; the note
    by               text NOT NULL DEFAULT '',          -- '': nobody, it happened by itself
    at               timestamptz NOT NULL,
    PRIMARY KEY (app_id, conversation_id, event_id)
);

-- Texts that a person of ours wrote, each beside the one-off message that carries it.
CREATE TABLE conversation_answer (
    app_id           int NOT NULL,
    run_id           int NOT NULL,
    seq              int NOT NULL,
    conversation_id  int NOT NULL,
    key              text,                              -- the caller's: the same one twice is one answer
    by               text NOT NULL,
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (app_id, run_id, seq)
);
CREATE UNIQUE INDEX conversation_answer_key ON conversation_answer (app_id, conversation_id, key) WHERE key IS NOT NULL;

-- Who is told of what, and where.
CREATE TABLE webhook (
    app_id           int NOT NULL REFERENCES app,
    webhook_id       int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id        text NOT NULL UNIQUE,              -- wh-<uuid>
    url              text NOT NULL,
    description      text NOT NULL DEFAULT '',
    events           text[] NOT NULL,
    enabled          boolean NOT NULL,
    disabled_reason  text,                              -- why it was switched off by us; null: it is on, or a person did it
    failing_since    timestamptz,                       -- nothing has arrived since then
    secret_sealed    bytea NOT NULL,
    old_secret_sealed bytea,                            -- the one before: both sign until then
    old_secret_until timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (app_id, webhook_id)
);
CREATE INDEX webhook_listening ON webhook (app_id) WHERE enabled;

-- One event for one of them, written in the transaction of what it tells of. event_id stays the same however often it
-- is tried: by it a receiver knows what it has seen.
CREATE TABLE webhook_delivery (
    app_id       int NOT NULL,
    webhook_id   int NOT NULL,
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY,
    event_id     text NOT NULL,                         -- ev-<uuid>
    event        text NOT NULL,
    data         text NOT NULL,                         -- what it tells, as JSON; see rules/webhook.py
    state        text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries        smallint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    next_at      timestamptz,                           -- null: it is not tried any more
    PRIMARY KEY (app_id, webhook_id, delivery_id),
    FOREIGN KEY (app_id, webhook_id) REFERENCES webhook ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX webhook_delivery_due ON webhook_delivery (app_id, webhook_id, next_at, delivery_id)
    WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_event ON webhook_delivery (app_id, webhook_id, event_id);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);

-- Every try of it.
CREATE TABLE webhook_try (
    app_id       int NOT NULL,
    webhook_id   int NOT NULL,
    delivery_id  bigint NOT NULL,
    try_no       smallint NOT NULL,
    at           timestamptz NOT NULL,
    ms           int NOT NULL,
    status       smallint,                              -- of HTTP; null: there was no answer
    words        text NOT NULL DEFAULT '',              -- why it failed; the beginning of what was answered
    PRIMARY KEY (app_id, webhook_id, delivery_id, try_no),
    FOREIGN KEY (app_id, webhook_id, delivery_id) REFERENCES webhook_delivery ON DELETE CASCADE
);
