DROP INDEX runs_by_client;
ALTER TABLE runs DROP COLUMN client;
