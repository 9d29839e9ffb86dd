-- Plain substitutes for curly quotes, long dashes and odd spaces: see rules/plain.py.
ALTER TABLE app_setting ADD COLUMN plain_substitutes text NOT NULL DEFAULT 'warn'
    CHECK (plain_substitutes IN ('off', 'warn', 'on'));
-- Frozen when it begins: whether its texts are put in plain characters where that makes them fit.
ALTER TABLE run ADD COLUMN plain_substitutes boolean NOT NULL DEFAULT false;
