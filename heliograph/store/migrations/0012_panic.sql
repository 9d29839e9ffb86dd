-- The panic button: nothing leaves an app, or one of its senders, from when it is pressed until a person releases it.
--
-- A row for each time it was pressed, kept for ever: who, when and why. Claims look for one in force (chunks.CLAIM).
CREATE TABLE panic (
    app_id       int NOT NULL REFERENCES app,
    panic_id     int GENERATED ALWAYS AS IDENTITY,
    sender_id    int,                                   -- null: the whole app
    pressed_at   timestamptz NOT NULL,
    pressed_by   text NOT NULL,                         -- cs-<uuid> of a client, or the name of a person at a terminal
    reason       text NOT NULL DEFAULT '',
    released_at  timestamptz,                           -- null: in force
    released_by  text,
    PRIMARY KEY (app_id, panic_id)
);
CREATE UNIQUE INDEX panic_in_force ON panic (app_id, sender_id) NULLS NOT DISTINCT WHERE released_at IS NULL;
