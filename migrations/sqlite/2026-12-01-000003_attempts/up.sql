-- Attempts since the last progress of a run: counted before the work starts, so that one that takes its process with it counts.
ALTER TABLE run_progress ADD COLUMN stalled_attempts INTEGER NOT NULL DEFAULT 0;
