-- A text as it is searched by: NFC in lower case, whatever locale the cluster was made with.
DO $$
DECLARE
    given text := '$1';
BEGIN
    IF current_setting('server_encoding') = 'UTF8' THEN
        given := 'normalize($1)';
    END IF;
    IF EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu') THEN
        given := given || ' COLLATE "und-x-icu"';
    END IF;
    EXECUTE format(
        'CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS %L',
        'SELECT lower(' || given || ')'
    );
END
$$;
