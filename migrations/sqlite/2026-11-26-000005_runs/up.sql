-- Runs of full files, what they leave behind, and how often they said what.

-- partial: some records; full: all of them.
ALTER TABLE runs ADD COLUMN mode TEXT NOT NULL DEFAULT 'partial';
-- The share of records that a full file may delete without being approved, in percent.
ALTER TABLE runs ADD COLUMN delete_at_most INTEGER NOT NULL DEFAULT 10;
ALTER TABLE runs ADD COLUMN approved BOOLEAN NOT NULL DEFAULT FALSE;
-- The run whose refused records it takes again.
ALTER TABLE runs ADD COLUMN retry_of BIGINT REFERENCES runs (id) ON DELETE SET NULL;

-- How many records a full file lacks; known once it is read.
ALTER TABLE run_progress ADD COLUMN missing_count BIGINT;
-- How much of the file of refused records is as the database says.
ALTER TABLE run_progress ADD COLUMN rejected_bytes BIGINT NOT NULL DEFAULT 0;

-- How often a run said what: of each code, only the first messages are kept.
CREATE TABLE run_message_counts (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    severity TEXT NOT NULL,
    code TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (run_id, severity, code)
) WITHOUT ROWID;
INSERT INTO run_message_counts (run_id, severity, code, count)
SELECT run_id, severity, code, count(*) FROM run_messages GROUP BY run_id, severity, code;
CREATE INDEX run_messages_by_code ON run_messages (run_id, code, number);

-- The keys that a full file has, while its run is at work. An empty one: a record whose key could not be read.
CREATE TABLE run_records (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) WITHOUT ROWID;
