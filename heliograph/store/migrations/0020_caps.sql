-- How often a person may be texted, who is kept back, and what texts cost.

-- null: no cap, no prices. frequency_cap: [{"texts": n, "days": d}]; prices: {"currency": "EUR", "perPart": {"GB": 0.04}}.
ALTER TABLE app_setting
    ADD COLUMN frequency_cap json,
    ADD COLUMN prices json;

-- Not those who got one of these campaigns; and percent of the people who are texted in none of its runs.
ALTER TABLE campaign
    ADD COLUMN exclude_ids int[] NOT NULL DEFAULT '{}',
    ADD COLUMN hold_out smallint NOT NULL DEFAULT 0 CHECK (hold_out BETWEEN 0 AND 50);
ALTER TABLE run
    ADD COLUMN exclude_ids int[] NOT NULL DEFAULT '{}',
    ADD COLUMN hold_out smallint NOT NULL DEFAULT 0 CHECK (hold_out BETWEEN 0 AND 50);

-- Of an app with a cap: which texts were taken to be submitted to a person, and when, while a cap may still count them.
-- message is run_id << 32 | seq. One row a person: whoever takes a place in it holds the row, so that two campaigns
-- cannot both find the last place free. Half a page stays free, so that an update stays on it and touches no index.
CREATE TABLE texted (
    app_id   int NOT NULL,
    number   text NOT NULL,
    at       timestamptz[] NOT NULL,
    message  bigint[] NOT NULL,
    PRIMARY KEY (app_id, number)
) WITH (fillfactor = 50);
