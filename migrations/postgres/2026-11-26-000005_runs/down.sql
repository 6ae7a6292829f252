DROP TABLE run_records;
DROP INDEX run_messages_by_code;
DROP TABLE run_message_counts;
ALTER TABLE run_progress DROP COLUMN rejected_bytes;
ALTER TABLE run_progress DROP COLUMN missing_count;
ALTER TABLE runs DROP COLUMN retry_of;
ALTER TABLE runs DROP COLUMN approved;
ALTER TABLE runs DROP COLUMN delete_at_most;
ALTER TABLE runs DROP COLUMN mode;
