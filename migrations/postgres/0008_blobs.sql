-- Which blobs there are, whose they are and who needs them; their bytes lie elsewhere. A workspace
-- is a line of versions, each a manifest of blobs.
CREATE TABLE storage (
    org TEXT NOT NULL PRIMARY KEY REFERENCES organisations (id),
    used BIGINT NOT NULL CHECK (used >= 0),
    cap BIGINT NOT NULL CHECK (cap >= 0)
);

CREATE TABLE blobs (
    org TEXT NOT NULL REFERENCES organisations (id),
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    size BIGINT NOT NULL CHECK (size >= 0),
    state TEXT NOT NULL CHECK (state IN ('kept', 'doomed')),
    touched BIGINT NOT NULL CHECK (touched >= 0),
    PRIMARY KEY (org, digest)
);
CREATE INDEX blobs_by_age ON blobs (org, state, touched);

CREATE TABLE workspaces (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    manifest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('kept', 'dropped')),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    pinned BIGINT NOT NULL CHECK (pinned >= 0),
    PRIMARY KEY (org, id, version)
);

CREATE TABLE needs (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (org, id, version, digest),
    FOREIGN KEY (org, id, version) REFERENCES workspaces (org, id, version),
    FOREIGN KEY (org, digest) REFERENCES blobs (org, digest)
);
CREATE INDEX needs_by_digest ON needs (org, digest);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.storage_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF NEW.used > OLD.used AND NEW.used > NEW.cap THEN
                RAISE EXCEPTION 'storage: the quota is used up';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.workspace_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF TG_OP = 'INSERT' AND NEW.version <> (
                SELECT coalesce(max(version), 0) + 1 FROM workspaces
                WHERE org = NEW.org AND id = NEW.id
            ) THEN
                RAISE EXCEPTION
                    'workspaces: versions follow one another and are never replaced';
            END IF;
            IF TG_OP = 'UPDATE' AND (
                NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.version <> OLD.version
                OR NEW.manifest <> OLD.manifest OR NEW.changed <> OLD.changed
                OR OLD.state = 'dropped'
            ) THEN
                RAISE EXCEPTION 'workspaces: a version is dropped once, and else it stays';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.workspace_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN
                RETURN NULL;
            END IF;
            PERFORM audit_note('workspaces', NEW.org, NEW.id || '/' || NEW.version,
                CASE TG_OP WHEN 'INSERT' THEN 1 ELSE 2 END,
                '{"changed":' || NEW.changed || ',"id":' || to_json(NEW.id)
                || ',"manifest":' || to_json(NEW.manifest)
                || ',"noun":"workspaces","org":' || to_json(NEW.org)
                || ',"state":' || to_json(NEW.state) || ',"version":' || NEW.version || '}');
            RETURN NULL;
        END $b$;
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_budget;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON storage, blobs, workspaces, needs TO %%I', name);
            EXECUTE format('GRANT UPDATE (used, cap) ON storage TO %%I', name);
            EXECUTE format('GRANT UPDATE (state, touched) ON blobs TO %%I', name);
            EXECUTE format('GRANT UPDATE (state, pinned) ON workspaces TO %%I', name);
            EXECUTE format('GRANT DELETE ON blobs, needs TO %%I', name);
            RETURN admit_to_budget(name);
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER storage_step BEFORE UPDATE ON storage
    FOR EACH ROW EXECUTE FUNCTION storage_step();
CREATE TRIGGER workspaces_step BEFORE INSERT OR UPDATE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION workspace_step();
CREATE TRIGGER workspaces_kept BEFORE DELETE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER workspaces_whole BEFORE TRUNCATE ON workspaces
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER workspaces_log AFTER INSERT OR UPDATE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION workspace_log();
ALTER TABLE storage ENABLE ALWAYS TRIGGER storage_step;
ALTER TABLE workspaces ENABLE ALWAYS TRIGGER workspaces_step;
ALTER TABLE workspaces ENABLE ALWAYS TRIGGER workspaces_kept;
ALTER TABLE workspaces ENABLE ALWAYS TRIGGER workspaces_whole;
ALTER TABLE workspaces ENABLE ALWAYS TRIGGER workspaces_log;
