-- Kill switches. One belongs to the organisation whose runs it stops, or to the operator, whose
-- name is `-` and no organisation's. A switch that is lifted stays, and says who lifted it.
CREATE TABLE stops (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('thrown', 'lifted')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX stops_by_parent ON stops (org, parent, id);
CREATE INDEX stops_by_state ON stops (org, state, id);
-- What nodes add up every few milliseconds, to know whether a switch was thrown or lifted.
CREATE INDEX stops_by_version ON stops (version);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_vault;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON stops TO %%I', name);
            EXECUTE format(
                'GRANT UPDATE (state, version, body, digest, changed) ON stops TO %%I', name);
            RETURN admit_to_vault(name);
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER stops_step BEFORE INSERT OR UPDATE ON stops
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER stops_kept BEFORE DELETE ON stops
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER stops_whole BEFORE TRUNCATE ON stops
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER stops_log AFTER INSERT OR UPDATE ON stops
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE stops ENABLE ALWAYS TRIGGER stops_step;
ALTER TABLE stops ENABLE ALWAYS TRIGGER stops_kept;
ALTER TABLE stops ENABLE ALWAYS TRIGGER stops_whole;
ALTER TABLE stops ENABLE ALWAYS TRIGGER stops_log;
