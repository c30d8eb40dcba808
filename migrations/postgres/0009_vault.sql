-- Secrets, and what is said of persons: never kept but sealed under a key of its subject, which is
-- kept sealed under a master key that is not here. Without its key a subject is forgotten.
CREATE TABLE keys (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (state IN ('live', 'destroyed')),
    master TEXT NOT NULL,
    sealed BYTEA NOT NULL CHECK ((state = 'live') = (length(sealed) > 0)),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX keys_by_master ON keys (master, state, org, id);

CREATE TABLE sealed (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    field TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    bytes BYTEA NOT NULL,
    until BIGINT NOT NULL CHECK (until >= 0),
    PRIMARY KEY (org, id, field),
    FOREIGN KEY (org, id) REFERENCES keys (org, id)
);
CREATE INDEX sealed_by_until ON sealed (until, org, id, field);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.key_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF TG_OP = 'INSERT' AND NEW.version <> 1 THEN
                RAISE EXCEPTION 'keys: a row begins at version 1 and is never replaced';
            END IF;
            IF TG_OP = 'UPDATE' AND (
                NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
                OR OLD.state = 'destroyed'
            ) THEN
                RAISE EXCEPTION
                    'keys: a change keeps its row, and what is destroyed stays so';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.key_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('keys', NEW.org, NEW.id, NEW.version,
                '{"changed":' || NEW.changed || ',"id":' || to_json(NEW.id)
                || ',"master":' || to_json(NEW.master) || ',"noun":"keys","org":'
                || to_json(NEW.org) || ',"state":' || to_json(NEW.state)
                || ',"version":' || NEW.version || '}');
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.sealed_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        DECLARE
            it sealed;
            state TEXT;
        BEGIN
            IF TG_OP = 'DELETE' THEN
                it := OLD;
                state := 'gone';
            ELSE
                it := NEW;
                state := 'kept';
            END IF;
            PERFORM audit_note('sealed', it.org, it.id || '/' || it.field, it.version,
                '{"field":' || to_json(it.field) || ',"id":' || to_json(it.id)
                || ',"noun":"sealed","org":' || to_json(it.org) || ',"state":'
                || to_json(state) || ',"until":' || it.until || ',"version":'
                || it.version || '}');
            RETURN NULL;
        END $b$;
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_blobs;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON keys, sealed TO %%I', name);
            EXECUTE format(
                'GRANT UPDATE (version, state, master, sealed, changed) ON keys TO %%I', name);
            EXECUTE format('GRANT UPDATE (version, bytes, until), DELETE ON sealed TO %%I', name);
            RETURN admit_to_blobs(name);
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER keys_step BEFORE INSERT OR UPDATE ON keys
    FOR EACH ROW EXECUTE FUNCTION key_step();
CREATE TRIGGER keys_kept BEFORE DELETE ON keys
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER keys_whole BEFORE TRUNCATE ON keys
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER keys_log AFTER INSERT OR UPDATE ON keys
    FOR EACH ROW EXECUTE FUNCTION key_log();
CREATE TRIGGER sealed_log AFTER INSERT OR UPDATE OR DELETE ON sealed
    FOR EACH ROW EXECUTE FUNCTION sealed_log();
CREATE TRIGGER sealed_whole BEFORE TRUNCATE ON sealed
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_step;
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_kept;
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_whole;
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_log;
ALTER TABLE sealed ENABLE ALWAYS TRIGGER sealed_log;
ALTER TABLE sealed ENABLE ALWAYS TRIGGER sealed_whole;
