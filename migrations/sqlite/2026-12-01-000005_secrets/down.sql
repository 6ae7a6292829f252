-- What was removed cannot be brought back.
SELECT 1;
