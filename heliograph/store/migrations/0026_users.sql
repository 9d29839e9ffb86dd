-- Who may sign in to the console, how, and what they did. Users are of the installation, not of one app; what they may
-- do in one app is a row that begins with it. Tokens and codes are kept as SHA-256, so that a leaked dump lets nobody in.

CREATE TABLE console_user (
    user_id       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id     text NOT NULL UNIQUE,                 -- us-<uuid>
    email         text NOT NULL,                        -- as it was written
    lemail        text NOT NULL UNIQUE,                 -- in lower case: how it is looked up
    name          text NOT NULL,
    role          text,                                 -- for every app; null: only where user_role says so
    module        boolean,                              -- the campaign module switched; null: as the role has it
    password      text,                                 -- Argon2id, as a PHC string; null: none chosen yet, or by single sign-on
    password_at   timestamptz,
    totp_sealed   bytea,                                -- the TOTP secret, sealed: codes cannot be checked by a hash
    totp_at       timestamptz,                          -- since when it is asked for; null: not confirmed yet
    totp_step     bigint NOT NULL DEFAULT 0,            -- the last step a code was taken for: each code works once
    sso_subject   text UNIQUE,                          -- "<issuer> <sub>" of single sign-on
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL,
    signed_in_at  timestamptz
);

CREATE TABLE user_role (
    app_id   int NOT NULL REFERENCES app,
    user_id  int NOT NULL REFERENCES console_user ON DELETE CASCADE,
    role     text NOT NULL,
    module   boolean,
    PRIMARY KEY (app_id, user_id)
);
CREATE INDEX user_role_user ON user_role (user_id);

CREATE TABLE recovery_code (                            -- instead of a TOTP code, each once
    user_id  int NOT NULL REFERENCES console_user ON DELETE CASCADE,
    hash     bytea NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE sign_in_link (                             -- opens once
    hash        bytea PRIMARY KEY,
    purpose     text NOT NULL CHECK (purpose IN ('owner', 'invite', 'reset', 'sign_in')),
    user_id     int REFERENCES console_user ON DELETE CASCADE,  -- null: of an installation without an owner
    made_by     text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX sign_in_link_user ON sign_in_link (user_id);

CREATE TABLE web_session (
    hash        bytea PRIMARY KEY,                      -- of the cookie's token
    public_id   text NOT NULL UNIQUE,                   -- se-<uuid>: what the page of sessions shows
    user_id     int NOT NULL REFERENCES console_user ON DELETE CASCADE,
    half        boolean NOT NULL,                       -- the password was right, the code is still asked for
    address     text NOT NULL,
    browser     text NOT NULL,
    created_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL
);
CREATE INDEX web_session_user ON web_session (user_id, created_at);

CREATE TABLE sign_in_failure (
    subject   text PRIMARY KEY,                         -- "user <hash of the address written>" or "from <IP address>"
    failures  int NOT NULL,                             -- since the last success, or the last quiet day
    last_at   timestamptz NOT NULL,
    until     timestamptz NOT NULL                      -- nothing is tried before this
);

-- Appended, never changed: what this holds is what was told at the time, names and all.
CREATE TABLE audit (
    audit_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_id    int,                                      -- null: of the whole installation
    at        timestamptz NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('user', 'client', 'command', 'nobody')),
    actor     text NOT NULL,                            -- us-..., cs-..., or who ran the command
    name      text NOT NULL,                            -- what they were called then
    address   text NOT NULL,                            -- from where; empty: this machine's terminal
    verb      text NOT NULL,                            -- what was asked for, e.g. POST campaigns/{campaign}/stop
    object    text NOT NULL,                            -- the id of what it was asked of
    what      text NOT NULL,                            -- in words, where somebody said so
    outcome   text NOT NULL CHECK (outcome IN ('done', 'refused'))
);
CREATE INDEX audit_app ON audit (app_id, audit_id DESC);
CREATE INDEX audit_actor ON audit (actor, audit_id DESC);

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is evidence: rows are added, never changed or removed';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
