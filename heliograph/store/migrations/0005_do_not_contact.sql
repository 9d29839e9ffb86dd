-- Prefixes on do-not-contact lists, how many entries each has, and what an app decides for all its campaigns.

-- dnc_entry.number is a number (+14155550100) or a prefix with a star (+1900*): everybody whose number begins so.
-- Only prefixes are in this index. Where there are none it is empty, and asking for them is one look.
CREATE INDEX dnc_entry_prefix ON dnc_entry (app_id, list_id, number) WHERE right(number, 1) = '*';

-- Kept as entries come and go from now on: a list of millions is not counted to be shown.
UPDATE contact_list l SET contact_count = (
    SELECT count(*) FROM dnc_entry e WHERE e.app_id = l.app_id AND e.list_id = l.list_id
) WHERE kind = 'dnc';

-- At most one row for each app; without one, the defaults count.
CREATE TABLE app_setting (
    app_id                     int PRIMARY KEY REFERENCES app,
    global_dnc_applies_to_sms  boolean NOT NULL DEFAULT true,  -- false, as with the vendor: only the linked list counts
    updated_at                 timestamptz NOT NULL
);
