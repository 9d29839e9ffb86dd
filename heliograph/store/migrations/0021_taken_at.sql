-- When somebody of a chunk was last taken to be submitted: whoever a dead worker left in doubt left at about then, and a
-- carrier that is asked by time and number is asked for that time. In the update that claims them, so it costs nothing.
ALTER TABLE chunk ADD COLUMN taken_at timestamptz;
