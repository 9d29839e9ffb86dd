-- What to say, kept under a name. The templates that every app has are no rows: see rules/system_templates.py.
--
-- A campaign made with a template carries its words, its name and its id in campaign.message, and keeps them
-- whatever becomes of the template: editing one never changes a campaign.

CREATE TABLE template (
    app_id       int NOT NULL REFERENCES app,
    template_id  int GENERATED ALWAYS AS IDENTITY UNIQUE,
    public_id    text NOT NULL UNIQUE,                  -- cmt-<uuid>
    name         text NOT NULL,
    lname        text NOT NULL,
    description  text NOT NULL DEFAULT '',
    body         text NOT NULL,                         -- decoded words, placeholders still in them
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (app_id, template_id)
);
CREATE UNIQUE INDEX template_name ON template (app_id, lname);

-- Who uses a template.
CREATE INDEX campaign_template ON campaign (app_id, (message ->> 'templateId'))
    WHERE deleted_at IS NULL AND message ->> 'templateId' IS NOT NULL;
