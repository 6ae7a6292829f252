-- Attempts since the last progress of a run: counted before the work starts, so that one that takes its process with it counts.
ALTER TABLE run_progress ADD COLUMN stalled_attempts INTEGER NOT NULL DEFAULT 0;

-- Whether there is room on the database's disk: returns the SQLSTATE of an attempt to use some, or 00000. The driver does not report the
-- SQLSTATE of a failed statement, and texts depend on the server's language.
CREATE TABLE space_probe (content TEXT NOT NULL);
ALTER TABLE space_probe ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE FUNCTION probe_space() RETURNS TEXT LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO space_probe (content) SELECT repeat('soapstone', 120000);
    RAISE EXCEPTION USING ERRCODE = 'SP000';
EXCEPTION
    WHEN SQLSTATE 'SP000' THEN RETURN '00000';
    WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
