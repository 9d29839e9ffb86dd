-- What costs the same for ten people and for ten million.

-- Where each planned page of a run begins: `before` people of the run stand at places before `first_seq`. Some places
-- stay empty, so page 100,000 of a list of people cannot be told from the places alone.
CREATE TABLE run_page (
    app_id     int NOT NULL,
    run_id     int NOT NULL,
    before     int NOT NULL,
    first_seq  int NOT NULL,
    PRIMARY KEY (app_id, run_id, before)
);

-- Vacuum by what we know of each table, on whatever server: what is written again and again is small and cleaned at
-- once, what is large is cleaned before much of it is dead. (The defaults wait for a fifth of a table.)
ALTER TABLE chunk SET (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.02,
                       autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tally SET (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
                       autovacuum_vacuum_cost_delay = 0);
ALTER TABLE early_receipt SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0,
                               autovacuum_vacuum_cost_delay = 0);
ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE outcome SET (autovacuum_vacuum_scale_factor = 0.05);
