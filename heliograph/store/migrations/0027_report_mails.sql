-- How the texts of a run went by country, counted from its rows in the background: sending pays nothing for it.
CREATE TABLE run_country (
    app_id      int NOT NULL,
    run_id      int NOT NULL,
    country     text NOT NULL,                          -- ISO 3166, two letters; '' for numbers of no country
    total       bigint NOT NULL,
    waiting     bigint NOT NULL,
    accepted    bigint NOT NULL,
    delivered   bigint NOT NULL,
    failed      bigint NOT NULL,
    unknown     bigint NOT NULL,
    suppressed  bigint NOT NULL,
    expired     bigint NOT NULL,
    PRIMARY KEY (app_id, run_id, country)
);

CREATE TABLE run_counted (
    app_id      int NOT NULL,
    run_id      int NOT NULL,
    stood       bigint[] NOT NULL,                      -- what the tallies said when it began: as long as they do, it counts
    counted_at  timestamptz NOT NULL,
    not_before  timestamptz NOT NULL,                   -- counting again earlier would cost too much
    PRIMARY KEY (app_id, run_id)
);

-- Reports that are mailed at certain times.
CREATE TABLE report_mail (
    app_id       int NOT NULL REFERENCES app,
    public_id    text NOT NULL UNIQUE,                  -- rm-<uuid>
    name         text NOT NULL,
    what         text NOT NULL,                         -- campaign, day, sender, carrier, country
    span         text NOT NULL,                         -- yesterday, last week ... see rules/report.py
    format       text NOT NULL,                         -- pdf, xlsx, csv
    recipients   text[] NOT NULL,
    often        text NOT NULL CHECK (often IN ('day', 'week', 'month')),
    weekday      smallint NOT NULL,                     -- 0 is Monday; of 'week'
    month_day    smallint NOT NULL,                     -- 1 to 28, or -1 for the last; of 'month'
    at           time NOT NULL,
    zone         text NOT NULL,
    paused       boolean NOT NULL DEFAULT false,
    made_by      text NOT NULL,
    created_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,                  -- the time it is for: moved on in the statement that takes it
    PRIMARY KEY (app_id, public_id)
);
CREATE INDEX report_mail_due ON report_mail (due_at) WHERE NOT paused;

-- What came of each time: one row for a time that came due, and for each test.
CREATE TABLE report_sending (
    app_id       int NOT NULL,
    sending_id   bigint GENERATED ALWAYS AS IDENTITY,
    report_id    text NOT NULL,                         -- report_mail.public_id
    due_at       timestamptz NOT NULL,
    only_to      text[],                                -- a test: to these, in place of the recipients
    attempts     smallint NOT NULL DEFAULT 0,
    next_at      timestamptz,                           -- when it is tried (again); null: it is over
    taken_at     timestamptz,                           -- a try is under way since then
    sent_at      timestamptz,
    error        text NOT NULL DEFAULT '',
    PRIMARY KEY (app_id, sending_id),
    FOREIGN KEY (app_id, report_id) REFERENCES report_mail ON DELETE CASCADE
);
CREATE UNIQUE INDEX report_sending_once ON report_sending (app_id, report_id, due_at) WHERE only_to IS NULL;
CREATE INDEX report_sending_next ON report_sending (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX report_sending_report ON report_sending (app_id, report_id, sending_id DESC);
