-- Conversations: sessions that go through a flow, one person each, and the texts they send.

-- An advanced campaign's run goes through a flow, in the version that was the newest when play was pressed; null: it
-- has a text of its own. What is said later leaves by companion runs of the same campaign, two at most, which are
-- behind the same gate: `answers` to what a person has just written, and `follow_ups`, which wait for hours.
ALTER TABLE run
    ADD COLUMN flow text,                               -- cf-<uuid>
    ADD COLUMN flow_version int,
    ADD COLUMN companion_of int,                        -- the main run
    ADD COLUMN purpose text CHECK (purpose IN ('answers', 'follow_ups')),
    ADD COLUMN talks boolean NOT NULL DEFAULT false;    -- it may have sessions that are not closed
CREATE UNIQUE INDEX run_companion ON run (app_id, companion_of, purpose) WHERE companion_of IS NOT NULL;
CREATE INDEX run_talks ON run (app_id, run_id) WHERE talks AND ended_at IS NOT NULL;

-- One person's way through a flow. Of a campaign it is written with the person's first text, when nothing has left yet:
-- `opened` says that the text is known to have left, or that the person began. It is over when ended_at is set, or its
-- run has ended: a stop touches no session.
CREATE TABLE session (
    app_id           int NOT NULL,
    session_id       bigint GENERATED ALWAYS AS IDENTITY,
    run_id           int NOT NULL DEFAULT 0,            -- of its first text: a campaign's, or of one-off texts; 0: none
    seq              int NOT NULL DEFAULT 0,            -- of its first text in that run
    number           text NOT NULL,
    address          text NOT NULL,                     -- of ours, as the person sees it
    address_key      text NOT NULL,                     -- folded (rules/optout.py): how replies find it
    list_id          int NOT NULL DEFAULT 0,            -- the contact it is about; 0: none
    contact_seq      int NOT NULL DEFAULT 0,
    zone             text NOT NULL DEFAULT '',          -- every zone in which calling hours count; '': not known
    law              text NOT NULL DEFAULT '',          -- the place whose law counts; '': exempt
    flow             text NOT NULL,                     -- cf-<uuid> of the flow it began with
    version          int NOT NULL,
    state            text NOT NULL,                     -- 'opening', then rules/flow/session.py, State
    node             text NOT NULL DEFAULT '',          -- where it stands, or stood last
    data             json NOT NULL,                     -- all of it: rules/flow/session.py
    todo             json,                              -- acts that wait for the first text to leave, or for a lock
    opened           boolean NOT NULL DEFAULT false,
    asked_at         timestamptz NOT NULL,              -- of the step that it waits since
    due              timestamptz,                       -- when a worker looks at it next; null: nothing to look at
    said_run         int NOT NULL DEFAULT 0,            -- its last text
    said_seq         int NOT NULL DEFAULT 0,
    texts            int NOT NULL DEFAULT 0,
    answers          int NOT NULL DEFAULT 0,
    started_at       timestamptz NOT NULL,
    left_at          timestamptz,                       -- its first text
    first_answer_at  timestamptz,
    ended_at         timestamptz,
    result           text,
    PRIMARY KEY (app_id, session_id)
) WITH (fillfactor = 70);
-- No two sessions of one person on one address, once the first text of each has left.
CREATE UNIQUE INDEX session_open ON session (app_id, number, address_key) WHERE opened AND ended_at IS NULL;
-- How a reply finds it, opened or not.
CREATE INDEX session_number ON session (app_id, number) WHERE ended_at IS NULL;
CREATE INDEX session_due ON session (app_id, due) WHERE due IS NOT NULL AND state <> 'call';
CREATE INDEX session_call ON session (app_id, due) WHERE due IS NOT NULL AND state = 'call';
-- Whether a run has any left; its numbers, and a page of them.
CREATE INDEX session_run ON session (app_id, run_id, session_id);
CREATE INDEX session_run_open ON session (app_id, run_id) WHERE ended_at IS NULL;
ALTER TABLE session SET (autovacuum_vacuum_scale_factor = 0.02);

-- A text that a session has sent, after its first. The key is the session's own number of it: nothing is said twice.
CREATE TABLE session_text (
    app_id      int NOT NULL,
    session_id  bigint NOT NULL,
    act         int NOT NULL,
    run_id      int NOT NULL,
    seq         int NOT NULL,
    node        text NOT NULL,
    answering   boolean NOT NULL,
    at          timestamptz NOT NULL,                   -- when it was asked for
    PRIMARY KEY (app_id, session_id, act)
);
CREATE UNIQUE INDEX session_text_message ON session_text (app_id, run_id, seq);

-- What became of a reply: the session that heard it, and how (rules/conversation.py, Became).
ALTER TABLE reply
    ADD COLUMN session_id bigint,
    ADD COLUMN became text;
CREATE INDEX reply_session ON reply (app_id, session_id, reply_id) WHERE session_id IS NOT NULL;

-- null: as it is shipped; else what rules/conversation.py made of it.
ALTER TABLE app_setting ADD COLUMN conversations json;
