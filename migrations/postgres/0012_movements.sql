-- What moves beside the nouns lands in the log as well: who claimed which work and how long its
-- journal was then, what was announced and heard, which blobs came and went, and what an
-- organisation may keep. A heartbeat, another try, a touch and a sum change no state: the sums are
-- held against their parts by whoever verifies. What was there before is logged as it is now.
ALTER TABLE outbox ADD COLUMN digest TEXT CHECK (digest IS NULL OR length(digest) = 71);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.work_note(it work) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        DECLARE
            chunks BIGINT := (
                SELECT coalesce(max(chunk) + 1, 0) FROM journal j
                WHERE j.org = it.org AND j.id = it.id
            );
        BEGIN
            PERFORM audit_note('work', it.org, it.id, it.epoch,
                '{"chunks":' || chunks || ',"epoch":' || it.epoch || ',"id":' || to_json(it.id)
                || ',"node":' || coalesce(to_json(it.node)::text, 'null')
                || ',"noun":"work","org":' || to_json(it.org) || ',"state":'
                || to_json(it.state) || '}');
        END $b$;
        CREATE FUNCTION %1$s.outbox_note(it outbox, state TEXT) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('outbox', it.org, it.seq::text,
                CASE state WHEN 'waiting' THEN 1 ELSE 2 END,
                '{"digest":' || coalesce(to_json(it.digest)::text, 'null') || ',"id":' || it.seq
                || ',"noun":"outbox","org":' || to_json(it.org) || ',"state":'
                || to_json(state) || ',"topic":' || to_json(it.topic) || '}');
        END $b$;
        CREATE FUNCTION %1$s.blob_note(it blobs, state TEXT) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('blobs', it.org, it.digest,
                CASE state WHEN 'kept' THEN 1 WHEN 'doomed' THEN 2 ELSE 3 END,
                '{"digest":' || to_json(it.digest) || ',"noun":"blobs","org":' || to_json(it.org)
                || ',"size":' || it.size || ',"state":' || to_json(state) || '}');
        END $b$;
        CREATE FUNCTION %1$s.storage_note(it storage) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('storage', it.org, it.org, 1,
                '{"cap":' || it.cap || ',"noun":"storage","org":' || to_json(it.org) || '}');
        END $b$;
        REVOKE ALL ON FUNCTION %1$s.work_note(work), %1$s.outbox_note(outbox, TEXT),
            %1$s.blob_note(blobs, TEXT), %1$s.storage_note(storage) FROM PUBLIC;

        CREATE FUNCTION %1$s.work_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.epoch < OLD.epoch
                OR OLD.state = 'done' THEN
                RAISE EXCEPTION 'work: an epoch never falls, and what is done stays so';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.work_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'INSERT' OR NEW.epoch <> OLD.epoch OR NEW.state <> OLD.state
                OR NEW.node IS DISTINCT FROM OLD.node THEN
                PERFORM work_note(NEW);
            END IF;
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.outbox_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF NEW.seq <> OLD.seq OR NEW.org <> OLD.org OR NEW.topic <> OLD.topic
                OR NEW.body <> OLD.body OR NEW.digest IS DISTINCT FROM OLD.digest THEN
                RAISE EXCEPTION 'outbox: a message keeps its row and what it says';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.outbox_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                PERFORM outbox_note(OLD, 'heard');
            ELSE
                PERFORM outbox_note(NEW, 'waiting');
            END IF;
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.blob_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF NEW.org <> OLD.org OR NEW.digest <> OLD.digest OR NEW.size <> OLD.size
                OR OLD.state = 'doomed' THEN
                RAISE EXCEPTION 'blobs: a blob keeps its row, and what is doomed stays so';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.blob_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                PERFORM blob_note(OLD, 'gone');
            ELSIF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
                PERFORM blob_note(NEW, NEW.state);
            END IF;
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.needs_step() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                RAISE EXCEPTION 'needs: what a version needs stays as it is';
            END IF;
            IF EXISTS (
                SELECT 1 FROM workspaces w WHERE w.org = OLD.org AND w.id = OLD.id
                    AND w.version = OLD.version AND w.state = 'kept'
            ) THEN
                RAISE EXCEPTION 'needs: a version that is kept needs its blobs';
            END IF;
            RETURN OLD;
        END $b$;
        CREATE FUNCTION %1$s.storage_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            IF TG_OP = 'INSERT' OR NEW.cap <> OLD.cap OR NEW.org <> OLD.org THEN
                PERFORM storage_note(NEW);
            END IF;
            RETURN NULL;
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER work_step BEFORE UPDATE ON work FOR EACH ROW EXECUTE FUNCTION work_step();
CREATE TRIGGER work_kept BEFORE DELETE ON work FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER work_log AFTER INSERT OR UPDATE ON work
    FOR EACH ROW EXECUTE FUNCTION work_log();
CREATE TRIGGER outbox_step BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_step();
CREATE TRIGGER outbox_log AFTER INSERT OR DELETE ON outbox
    FOR EACH ROW EXECUTE FUNCTION outbox_log();
CREATE TRIGGER blobs_step BEFORE UPDATE ON blobs FOR EACH ROW EXECUTE FUNCTION blob_step();
CREATE TRIGGER blobs_log AFTER INSERT OR UPDATE OR DELETE ON blobs
    FOR EACH ROW EXECUTE FUNCTION blob_log();
CREATE TRIGGER needs_step BEFORE UPDATE OR DELETE ON needs
    FOR EACH ROW EXECUTE FUNCTION needs_step();
CREATE TRIGGER storage_kept BEFORE DELETE ON storage FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER storage_log AFTER INSERT OR UPDATE ON storage
    FOR EACH ROW EXECUTE FUNCTION storage_log();

-- ALWAYS, or `session_replication_role = replica` would pass them by.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['work', 'outbox', 'blobs', 'storage', 'needs'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %1$s_whole BEFORE TRUNCATE ON %1$I
                FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_whole', name);
    END LOOP;
END $$;
ALTER TABLE work ENABLE ALWAYS TRIGGER work_log;
ALTER TABLE outbox ENABLE ALWAYS TRIGGER outbox_log;
ALTER TABLE blobs ENABLE ALWAYS TRIGGER blobs_log;
ALTER TABLE storage ENABLE ALWAYS TRIGGER storage_log;
ALTER TABLE work ENABLE ALWAYS TRIGGER work_step;
ALTER TABLE work ENABLE ALWAYS TRIGGER work_kept;
ALTER TABLE outbox ENABLE ALWAYS TRIGGER outbox_step;
ALTER TABLE blobs ENABLE ALWAYS TRIGGER blobs_step;
ALTER TABLE needs ENABLE ALWAYS TRIGGER needs_step;
ALTER TABLE storage ENABLE ALWAYS TRIGGER storage_kept;

SELECT work_note(w) FROM work w;
SELECT outbox_note(o, 'waiting') FROM outbox o;
SELECT blob_note(b, b.state) FROM blobs b;
SELECT storage_note(s) FROM storage s;
