-- Who said no, where that stands now; what they said, for good; what we answered.

-- Whoever is in here is not texted: looked at for every text, beside the lists that a run was started with.
-- kind 'review': perhaps a no. Nothing promotional is sent to them until a person has decided.
CREATE TABLE opt_out (
    app_id      int NOT NULL,
    number      text NOT NULL,
    address     text NOT NULL,                          -- of ours, folded (rules/optout.py); '': whatever it is sent from
    kind        text NOT NULL CHECK (kind IN ('no', 'review')),
    source      text NOT NULL CHECK (source IN ('reply', 'carrier', 'person', 'api', 'import')),
    reason      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, number, address)
);
CREATE INDEX opt_out_review ON opt_out (app_id, number) WHERE kind = 'review';

-- Evidence, appended and never changed.
CREATE TABLE consent (
    app_id       int NOT NULL,
    consent_id   bigint GENERATED ALWAYS AS IDENTITY,
    number       text NOT NULL,
    what         text NOT NULL CHECK (what IN ('opt_out', 'opt_in', 'review', 'decided')),
    how          text NOT NULL DEFAULT '',              -- rules/optout.py, How; or 'code' of a carrier
    word         text NOT NULL DEFAULT '',              -- the keyword, phrase or code that it rests on
    text         text NOT NULL DEFAULT '',              -- what was written, word for word
    source       text NOT NULL,
    address      text NOT NULL DEFAULT '',              -- of ours, to which it was written
    reply_id     bigint,
    at           timestamptz NOT NULL,                  -- when it was said
    recorded_at  timestamptz NOT NULL,
    by           text NOT NULL DEFAULT '',              -- who recorded it, when it was a person or a client
    PRIMARY KEY (app_id, consent_id)
);
CREATE INDEX consent_number ON consent (app_id, number, at);
CREATE UNIQUE INDEX consent_reply ON consent (app_id, reply_id) WHERE reply_id IS NOT NULL;

CREATE FUNCTION consent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent is evidence: rows are added, never changed or removed';
END $$;
CREATE TRIGGER consent_stays BEFORE UPDATE OR DELETE ON consent FOR EACH STATEMENT EXECUTE FUNCTION consent_stays();

-- Texts that answer a reply by themselves: one-off messages, each let past a no, and only until leave_by.
CREATE TABLE auto_answer (
    app_id      int NOT NULL,
    run_id      int NOT NULL,
    seq         int NOT NULL,
    number      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('stop', 'start', 'help')),
    reply_id    bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    leave_by    timestamptz NOT NULL,
    PRIMARY KEY (app_id, run_id, seq),
    UNIQUE (app_id, reply_id)
);
CREATE INDEX auto_answer_number ON auto_answer (app_id, number, created_at);

-- null: as it is shipped; else what rules/optout_settings.py made of it.
ALTER TABLE app_setting ADD COLUMN opt_out json;

-- By app, as they are worked on.
DROP INDEX reply_unhandled;
CREATE INDEX reply_unhandled ON reply (app_id, reply_id) WHERE handled_at IS NULL;
