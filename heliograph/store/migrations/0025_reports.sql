-- Reports ask for the runs of an app by the day on which they began.
CREATE INDEX run_started ON run (app_id, started_at);
