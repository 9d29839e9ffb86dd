-- Imports: files of people that a worker takes in, whoever sent them, and what became of each of their rows.
CREATE TYPE import_state AS ENUM
    ('receiving',                                       -- the file is still on its way to us
     'waiting',                                         -- it is whole; the next worker that is free takes it in
     'running', 'done', 'failed', 'cancelled');

CREATE TABLE import_job (
    app_id        int NOT NULL,
    import_id     int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id     text NOT NULL UNIQUE,                 -- im-<uuid>
    list_id       int NOT NULL,
    file_name     text NOT NULL,
    size          bigint NOT NULL DEFAULT 0,            -- bytes that have come
    state         import_state NOT NULL,
    dry_run       boolean NOT NULL,
    on_duplicate  text CHECK (on_duplicate IN ('skip', 'update', 'add')),  -- null: as the list's setting says
    region        text,                                 -- of numbers without a country code
    mapping       json,                                 -- as sent; null: a saved one, or guessed
    tries         smallint NOT NULL DEFAULT 0,          -- how often it was begun and not given back in order
    -- what became of it; as of the last page while it runs
    form          json,                                 -- what the file turned out to be
    used          json,                                 -- the mapping by which it was read
    used_from     text CHECK (used_from IN ('given', 'saved', 'guessed')),
    columns       text[],
    rows          int NOT NULL DEFAULT 0,               -- = added + updated + duplicates + rejected
    added         int NOT NULL DEFAULT 0,
    updated       int NOT NULL DEFAULT 0,
    duplicates    int NOT NULL DEFAULT 0,
    rejected      int NOT NULL DEFAULT 0,
    noted         int NOT NULL DEFAULT 0,               -- rows taken in with a cell that meant nothing
    bytes_read    bigint NOT NULL DEFAULT 0,
    error         text,
    created_at    timestamptz NOT NULL,
    touched_at    timestamptz NOT NULL,                 -- when anything last happened to it
    started_at    timestamptz,
    ended_at      timestamptz,
    PRIMARY KEY (app_id, import_id),
    FOREIGN KEY (app_id, list_id) REFERENCES contact_list
);
CREATE INDEX import_job_of_list ON import_job (app_id, list_id, import_id);
-- What is to be done, of all apps, each second: a few rows, or none.
CREATE INDEX import_job_due ON import_job (import_id) WHERE state IN ('waiting', 'running');
CREATE INDEX import_job_touched ON import_job (touched_at);

-- The file in pieces, so that a worker on any machine can take it in. Gone when it has been. A file is compressed or
-- will not be: PostgreSQL is not to try.
CREATE TABLE import_piece (
    app_id     int NOT NULL,
    import_id  int NOT NULL,
    piece_no   int NOT NULL,                            -- 0..
    data       bytea NOT NULL,
    PRIMARY KEY (app_id, import_id, piece_no),
    FOREIGN KEY (app_id, import_id) REFERENCES import_job ON DELETE CASCADE
);
ALTER TABLE import_piece ALTER data SET STORAGE EXTERNAL;

-- The verdict file: a line a row, some thousands of lines a page, each page compressed by us (zlib).
CREATE TABLE import_verdict (
    app_id     int NOT NULL,
    import_id  int NOT NULL,
    page_no    int NOT NULL,                            -- 0..
    data       bytea NOT NULL,
    PRIMARY KEY (app_id, import_id, page_no),
    FOREIGN KEY (app_id, import_id) REFERENCES import_job ON DELETE CASCADE
);
ALTER TABLE import_verdict ALTER data SET STORAGE EXTERNAL;

-- Mappings made by hand, by the header they were made for: the next file with that header is read by them.
CREATE TABLE column_mapping (
    app_id      int NOT NULL REFERENCES app,
    header      bytea NOT NULL,                         -- SHA-256 of the columns' canonical names, in order
    columns     text[] NOT NULL,
    mapping     json NOT NULL,                          -- {"phoneNumber": "Mobile", …}
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (app_id, header)
);
