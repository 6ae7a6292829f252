-- Who was told of which run.
CREATE TABLE run_notices (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- The rule that wants it told.
    rule TEXT NOT NULL,
    -- ended, waiting
    event TEXT NOT NULL,
    -- There is nothing to do any more: it was told, was not wanted, or cannot be told.
    done BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    due_at TIMESTAMP NOT NULL,
    error TEXT,
    PRIMARY KEY (run_id, rule, event)
);
CREATE INDEX run_notices_due ON run_notices (due_at) WHERE NOT done;
CREATE INDEX runs_by_end ON runs (finished_at) WHERE finished_at IS NOT NULL;
