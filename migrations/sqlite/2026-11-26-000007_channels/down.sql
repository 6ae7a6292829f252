DROP TABLE schedule_times;
DROP INDEX runs_by_claim;
ALTER TABLE runs DROP COLUMN claim;
ALTER TABLE runs DROP COLUMN filter_text;
