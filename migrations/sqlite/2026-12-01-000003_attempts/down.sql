ALTER TABLE run_progress DROP COLUMN stalled_attempts;
