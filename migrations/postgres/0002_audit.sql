-- The audit log. `audit_in` is what the triggers write, in the transaction of the change itself;
-- `audit_pending` is what the sequencer has still to place; `audit_leaf` is the order of the Merkle
-- log, and `audit_checkpoint` what was signed over it.

CREATE TABLE audit_in (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noun TEXT NOT NULL,
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    payload TEXT NOT NULL,
    salt BYTEA NOT NULL CHECK (length(salt) = 16)
);
CREATE INDEX audit_in_by_row ON audit_in (noun, org, id, version);

CREATE TABLE audit_pending (
    seq BIGINT PRIMARY KEY REFERENCES audit_in (seq)
);

CREATE TABLE audit_leaf (
    idx BIGINT PRIMARY KEY CHECK (idx >= 0),
    seq BIGINT NOT NULL UNIQUE REFERENCES audit_in (seq),
    leaf BYTEA NOT NULL CHECK (length(leaf) = 32)
);

CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY CHECK (size >= 0),
    note TEXT NOT NULL
);

-- The functions are fixed to this schema, and run as its owner: who uses the tables need not be
-- able to write the log.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.audit_fixed() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME;
        END $b$;
        CREATE FUNCTION %1$s.audit_leaf_next() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM audit_leaf) THEN
                RAISE EXCEPTION 'audit_leaf is append-only';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.audit_checkpoint_next() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF NEW.size <= (SELECT coalesce(max(size), -1) FROM audit_checkpoint) THEN
                RAISE EXCEPTION 'audit_checkpoint is append-only';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.noun_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF TG_OP = 'INSERT' AND NEW.version <> 1 THEN
                RAISE EXCEPTION
                    '%%: a row begins at version 1 and is never replaced', TG_TABLE_NAME;
            END IF;
            IF TG_OP = 'UPDATE' AND (
                NEW.org <> OLD.org OR NEW.id <> OLD.id
                OR NEW.parent IS DISTINCT FROM OLD.parent OR NEW.version <> OLD.version + 1
            ) THEN
                RAISE EXCEPTION
                    '%%: a change keeps its row and raises the version by one', TG_TABLE_NAME;
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.noun_kept() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            RAISE EXCEPTION '%%: rows are never deleted', TG_TABLE_NAME;
        END $b$;
        CREATE FUNCTION %1$s.noun_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        DECLARE
            logged BIGINT;
        BEGIN
            INSERT INTO audit_in (noun, org, id, version, payload, salt)
            VALUES (
                TG_TABLE_NAME, NEW.org, NEW.id, NEW.version,
                '{"changed":' || NEW.changed || ',"digest":' || to_json(NEW.digest)
                || ',"id":' || to_json(NEW.id) || ',"noun":' || to_json(TG_TABLE_NAME::text)
                || ',"org":' || to_json(NEW.org)
                || ',"parent":' || coalesce(to_json(NEW.parent)::text, 'null')
                || ',"state":' || to_json(NEW.state) || ',"version":' || NEW.version || '}',
                substring(
                    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) for 16
                )
            )
            RETURNING seq INTO logged;
            INSERT INTO audit_pending (seq) VALUES (logged);
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        DECLARE
            noun TEXT;
        BEGIN
            EXECUTE format('GRANT USAGE ON SCHEMA %1$s TO %%I', name);
            EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %1$s TO %%I', name);
            EXECUTE format('GRANT INSERT ON audit_leaf, audit_checkpoint TO %%I', name);
            EXECUTE format('GRANT DELETE ON audit_pending TO %%I', name);
            FOREACH noun IN ARRAY ARRAY[
                'organisations', 'users', 'agents', 'releases', 'listings',
                'msas', 'papers', 'amendments', 'side_letters', 'purchases',
                'escrows', 'disputes', 'sealed_records', 'remedies', 'warrants',
                'grants', 'runs', 'receipts', 'scope_requests', 'approvals',
                'badges', 'attestations'
            ] LOOP
                EXECUTE format('GRANT INSERT ON %%I TO %%I', noun, name);
                EXECUTE format(
                    'GRANT UPDATE (state, version, body, digest, changed) ON %%I TO %%I',
                    noun, name);
            END LOOP;
            RETURN name;
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER audit_leaf_guard BEFORE INSERT ON audit_leaf
    FOR EACH ROW EXECUTE FUNCTION audit_leaf_next();
CREATE TRIGGER audit_checkpoint_guard BEFORE INSERT ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_next();
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_guard;
ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER audit_checkpoint_guard;

-- ALWAYS, or `session_replication_role = replica` would pass them by.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_in', 'audit_leaf', 'audit_checkpoint'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %1$s_fixed BEFORE UPDATE OR DELETE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION audit_fixed();
            CREATE TRIGGER %1$s_kept BEFORE TRUNCATE ON %1$I
                FOR EACH STATEMENT EXECUTE FUNCTION audit_fixed();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_fixed;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_kept', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'organisations', 'users', 'agents', 'releases', 'listings', 'msas',
        'papers', 'amendments', 'side_letters', 'purchases', 'escrows', 'disputes',
        'sealed_records', 'remedies', 'warrants', 'grants', 'runs', 'receipts',
        'scope_requests', 'approvals', 'badges', 'attestations'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER %1$s_step BEFORE INSERT OR UPDATE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION noun_step();
            CREATE TRIGGER %1$s_kept BEFORE DELETE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION noun_kept();
            CREATE TRIGGER %1$s_whole BEFORE TRUNCATE ON %1$I
                FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
            CREATE TRIGGER %1$s_log AFTER INSERT OR UPDATE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION noun_log();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_step;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_kept;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_whole;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_log', name);
    END LOOP;
END $$;
