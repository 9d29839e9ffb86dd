-- Whose clock counts, and the hours in which the law of a place lets a text arrive there.

-- null: the rules as they are shipped; else {"enabled": bool, "places": [rules in place of shipped ones]}.
ALTER TABLE app_setting ADD COLUMN quiet_hours json;

ALTER TABLE campaign
    ADD COLUMN zone_rule text NOT NULL DEFAULT 'vendor' CHECK (zone_rule IN ('vendor', 'recipient')),
    ADD COLUMN transactional boolean NOT NULL DEFAULT false;    -- exempt from quiet hours, and from them alone

-- Frozen when it starts. zones_by_...: whose zone decided for how many of the people who were to be texted.
ALTER TABLE run
    ADD COLUMN zone_rule text NOT NULL DEFAULT 'vendor' CHECK (zone_rule IN ('vendor', 'recipient')),
    ADD COLUMN transactional boolean NOT NULL DEFAULT false,
    ADD COLUMN zones_by_contact int NOT NULL DEFAULT 0,
    ADD COLUMN zones_by_number int NOT NULL DEFAULT 0,
    ADD COLUMN zones_by_campaign int NOT NULL DEFAULT 0;

-- chunk.zone holds every zone in which the calling hours must be open, with commas between them; law, where its people
-- may be (rules/place.py): regions and zones whose quiet hours count. Empty: exempt.
ALTER TABLE chunk ADD COLUMN law text NOT NULL DEFAULT '';
-- Where those may be who wait at this moment was not written down: the hours of everywhere, in the zone they have.
UPDATE chunk SET law = ' ' || zone WHERE NOT done;
