DROP FUNCTION probe_space();
DROP TABLE space_probe;
ALTER TABLE run_progress DROP COLUMN stalled_attempts;
