-- At whose wish a run began: a user, a watched folder, a schedule, or the address that asked.
ALTER TABLE runs ADD COLUMN client TEXT;
CREATE INDEX runs_by_client ON runs (client, id) WHERE client IS NOT NULL;
