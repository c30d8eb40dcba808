-- How often work was claimed since its journal last grew, and how long the journal was then: work
-- that kills whoever does it is not claimed for ever.
ALTER TABLE work ADD COLUMN seen BIGINT NOT NULL DEFAULT 0 CHECK (seen >= 0);
ALTER TABLE work ADD COLUMN tries BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0);

-- `admit` grows with the tables.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_server;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT UPDATE (seen, tries) ON work TO %%I', name);
            RETURN admit_to_server(name);
        END $b$;
    $f$, here);
END $$;
