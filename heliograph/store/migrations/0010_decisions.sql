-- Messages whose fate is unknown: what people decided about them, and when we ask their carriers by ourselves.

-- One row for each message of each decision, and for each thing that a carrier said when it was asked. Never changed.
CREATE TABLE decision (
    app_id       int NOT NULL,
    decision_id  bigint GENERATED ALWAYS AS IDENTITY,
    run_id       int NOT NULL,
    seq          int NOT NULL,                          -- the message as it was called then
    kind         text NOT NULL CHECK (kind IN ('ask', 'wait', 'accept', 'resend')),
    decided_by   text NOT NULL,                         -- a client (cs-...), cli:<who>, or worker
    decided_at   timestamptz NOT NULL,
    note         text NOT NULL DEFAULT '',              -- why, in their words
    until        timestamptz,                           -- wait: a receipt is waited for until then
    finding      text,                                  -- ask: accepted, delivered, failed, not_there, nothing
    account_id   int,                                   -- through which carrier account it may have left, where known
    submitted_at timestamptz,                           -- and when
    new_run_id   int,                                   -- the message that was made in its place ...
    new_seq      int,                                   -- ... when it was sent, or may be sent, again
    PRIMARY KEY (app_id, decision_id)
);
CREATE INDEX decision_message ON decision (app_id, run_id, seq, decision_id);
CREATE INDEX decision_new ON decision (app_id, new_run_id, new_seq) WHERE new_run_id IS NOT NULL;

-- When the carriers of a run's unknown messages are asked next. No row: at once.
CREATE TABLE asking (
    app_id    int NOT NULL,
    run_id    int NOT NULL,
    tries     int NOT NULL,
    people    bigint NOT NULL,                          -- how many were unknown after the last time: more are news
    asked_at  timestamptz NOT NULL,
    next_at   timestamptz,                              -- null: not again by ourselves
    PRIMARY KEY (app_id, run_id)
);

-- Which runs have anybody unknown, without reading the tallies of all runs there ever were. Almost every update of a
-- tally leaves `unknown` as it is, and so stays heap-only.
CREATE INDEX tally_unknown ON tally (app_id, run_id) WHERE unknown > 0;

ALTER TABLE app_setting ADD COLUMN unknown_ask boolean NOT NULL DEFAULT true;
