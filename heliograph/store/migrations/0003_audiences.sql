-- Who of the audience comes first, who is filtered out, and runs over the failures of an earlier run.

-- Only contacts with a priority are in it: lists without any pay nothing.
CREATE INDEX contact_priority ON contact (app_id, list_id, priority, seq) WHERE priority IS NOT NULL;

ALTER TABLE campaign ADD COLUMN filters json;         -- conditions on columns; null: everybody
ALTER TABLE campaign ADD COLUMN kind text NOT NULL DEFAULT 'campaign'
    CHECK (kind IN ('campaign', 'single'));           -- single: carries an app's one-off texts, never listed

ALTER TABLE run
    ADD COLUMN plan_level smallint NOT NULL DEFAULT 32767,  -- the priority being planned; 32767 none yet, -32768 those without
    ADD COLUMN filters json,
    ADD COLUMN emergency boolean NOT NULL DEFAULT false,    -- at once, whatever the hours, before all other runs
    ADD COLUMN retry_of int,                                -- its audience is people of this earlier run ...
    ADD COLUMN retry_classes text[];                        -- ... in whom it ended like this: failed, expired

-- One-off texts of an app live in one run per sender that never ends, so a number may be in it many times:
-- nth is 0 in campaigns, where it may not.
ALTER TABLE message ADD COLUMN nth int NOT NULL DEFAULT 0;
DROP INDEX message_number;
CREATE UNIQUE INDEX message_number ON message (app_id, run_id, number, nth) WHERE number > '';

-- Places ahead of the cursor whose people were moved elsewhere (call them at another time).
ALTER TABLE chunk ADD COLUMN gaps int NOT NULL DEFAULT 0;
