-- The keys that sign for an organisation, from the day they are announced to the day they are
-- retired or revoked. Their history is in the log like that of everything.
CREATE TABLE signers (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('next', 'active', 'retired', 'revoked')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX signers_by_parent ON signers (org, parent, id);
CREATE INDEX signers_by_state ON signers (org, state, id);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_movements;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON signers TO %%I', name);
            EXECUTE format(
                'GRANT UPDATE (state, version, body, digest, changed) ON signers TO %%I', name);
            RETURN admit_to_movements(name);
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER signers_step BEFORE INSERT OR UPDATE ON signers
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER signers_kept BEFORE DELETE ON signers
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER signers_whole BEFORE TRUNCATE ON signers
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER signers_log AFTER INSERT OR UPDATE ON signers
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE signers ENABLE ALWAYS TRIGGER signers_step;
ALTER TABLE signers ENABLE ALWAYS TRIGGER signers_kept;
ALTER TABLE signers ENABLE ALWAYS TRIGGER signers_whole;
ALTER TABLE signers ENABLE ALWAYS TRIGGER signers_log;

-- Whoever may make tables of his own could hang our triggers on them, and have the owner's hand
-- write into the log. Triggers that are set fire without this right.
DO $$
BEGIN
    EXECUTE format(
        'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA %s FROM PUBLIC', quote_ident(current_schema()));
END $$;
