-- The journals of runs, in the chunks in which they were acknowledged. A chunk is written once, by
-- the node that holds the run's lease.
CREATE TABLE journal (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    chunk BIGINT NOT NULL CHECK (chunk >= 0),
    epoch BIGINT NOT NULL,
    lines BYTEA NOT NULL,
    PRIMARY KEY (org, id, chunk),
    FOREIGN KEY (org, id) REFERENCES work (org, id)
);

CREATE TRIGGER journal_fixed BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION audit_fixed();
CREATE TRIGGER journal_kept BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_fixed();
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_fixed;
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_kept;

-- `admit` grows with the tables.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format('ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_outbox', here);
    EXECUTE format($f$
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON journal TO %%I', name);
            RETURN admit_to_outbox(name);
        END $b$;
    $f$, here);
END $$;
