DROP INDEX runs_by_end;
DROP TABLE run_notices;
