-- Filters of runs, and files that were found in folders.

-- The filter as it was when the run was accepted.
ALTER TABLE runs ADD COLUMN filter_text TEXT;
-- Which file it is that somebody put into a folder: of one there is one run, whoever finds it.
ALTER TABLE runs ADD COLUMN claim TEXT;
CREATE UNIQUE INDEX runs_by_claim ON runs (claim) WHERE claim IS NOT NULL;

-- When schedules were due, so that each time counts once, whatever the node.
CREATE TABLE schedule_times (
    name TEXT NOT NULL,
    due_at TIMESTAMP NOT NULL,
    run_id BIGINT REFERENCES runs (id) ON DELETE SET NULL,
    -- Whether what it wrote lies where it should.
    delivered BOOLEAN NOT NULL,
    PRIMARY KEY (name, due_at)
);
