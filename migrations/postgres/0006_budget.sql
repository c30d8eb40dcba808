-- Money that runs share. A lease is a slice of every account of its chain; what is out on leases
-- counts as spent until somebody shows that it was not. Every change of either table lands in the
-- audit log.
CREATE TABLE accounts (
    org TEXT NOT NULL REFERENCES organisations (id),
    level TEXT NOT NULL CHECK (
        level IN ('task', 'day', 'agent', 'purchase', 'organisation')
    ),
    name TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    cap BIGINT NOT NULL CHECK (cap >= 0),
    spent BIGINT NOT NULL CHECK (spent >= 0),
    leased BIGINT NOT NULL CHECK (leased >= 0),
    PRIMARY KEY (org, level, name)
);

CREATE TABLE leases (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL CHECK (length(id) = 71),
    version BIGINT NOT NULL CHECK (version >= 1),
    chain TEXT NOT NULL,
    rest BIGINT NOT NULL CHECK (rest >= 0),
    next BIGINT NOT NULL CHECK (next >= 0),
    PRIMARY KEY (org, id)
);

-- Models that broke their word.
CREATE TABLE frosts (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('frozen', 'thawed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX frosts_by_parent ON frosts (org, parent, id);
CREATE INDEX frosts_by_state ON frosts (org, state, id);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.audit_note(
            noun TEXT, org TEXT, id TEXT, version BIGINT, payload TEXT
        ) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        DECLARE
            logged BIGINT;
        BEGIN
            INSERT INTO audit_in (noun, org, id, version, payload, salt)
            VALUES (noun, org, id, version, payload, substring(
                sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) for 16
            ))
            RETURNING seq INTO logged;
            INSERT INTO audit_pending (seq) VALUES (logged);
        END $b$;
        REVOKE ALL ON FUNCTION %1$s.audit_note(TEXT, TEXT, TEXT, BIGINT, TEXT) FROM PUBLIC;
        CREATE FUNCTION %1$s.account_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.version <> 1 OR NEW.spent <> 0 OR NEW.leased <> 0 THEN
                    RAISE EXCEPTION 'accounts: a row begins at version 1 and empty';
                END IF;
                RETURN NEW;
            END IF;
            IF NEW.org <> OLD.org OR NEW.level <> OLD.level OR NEW.name <> OLD.name
                OR NEW.version <> OLD.version + 1 OR NEW.spent < OLD.spent THEN
                RAISE EXCEPTION
                    'accounts: a change keeps its row and raises the version by one';
            END IF;
            IF NEW.leased > OLD.leased AND NEW.spent + NEW.leased > NEW.cap THEN
                RAISE EXCEPTION 'accounts: no lease goes beyond the cap';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.account_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('accounts', NEW.org, NEW.level || '/' || NEW.name, NEW.version,
                '{"cap":' || NEW.cap || ',"leased":' || NEW.leased
                || ',"level":' || to_json(NEW.level) || ',"name":' || to_json(NEW.name)
                || ',"noun":"accounts","org":' || to_json(NEW.org)
                || ',"spent":' || NEW.spent || ',"version":' || NEW.version || '}');
            RETURN NULL;
        END $b$;
        CREATE FUNCTION %1$s.lease_step() RETURNS trigger LANGUAGE plpgsql AS $b$
        BEGIN
            IF TG_OP = 'INSERT' AND (NEW.version <> 1 OR NEW.next <> 0) THEN
                RAISE EXCEPTION 'leases: a row begins at version 1 and is never replaced';
            END IF;
            IF TG_OP = 'UPDATE' AND (
                NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.chain <> OLD.chain
                OR NEW.version <> OLD.version + 1 OR NEW.next < OLD.next
            ) THEN
                RAISE EXCEPTION 'leases: a change keeps its row and raises the version by one';
            END IF;
            RETURN NEW;
        END $b$;
        CREATE FUNCTION %1$s.lease_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('leases', NEW.org, NEW.id, NEW.version,
                '{"chain":' || to_json(NEW.chain) || ',"id":' || to_json(NEW.id)
                || ',"next":' || NEW.next || ',"noun":"leases","org":' || to_json(NEW.org)
                || ',"rest":' || NEW.rest || ',"version":' || NEW.version || '}');
            RETURN NULL;
        END $b$;
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_journal;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON accounts, leases, frosts TO %%I', name);
            EXECUTE format(
                'GRANT UPDATE (version, cap, spent, leased) ON accounts TO %%I', name);
            EXECUTE format('GRANT UPDATE (version, rest, next) ON leases TO %%I', name);
            EXECUTE format(
                'GRANT UPDATE (state, version, body, digest, changed) ON frosts TO %%I', name);
            RETURN admit_to_journal(name);
        END $b$;
    $f$, here);
END $$;

-- ALWAYS, or `session_replication_role = replica` would pass them by.
DO $$
DECLARE
    rules TEXT[] := ARRAY['accounts', 'account_step', 'account_log', 'leases', 'lease_step',
        'lease_log', 'frosts', 'noun_step', 'noun_log'];
    name TEXT;
BEGIN
    FOR at IN 1..7 BY 3 LOOP
        name := rules[at];
        EXECUTE format(
            'CREATE TRIGGER %1$s_step BEFORE INSERT OR UPDATE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION %2$I();
            CREATE TRIGGER %1$s_kept BEFORE DELETE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION noun_kept();
            CREATE TRIGGER %1$s_whole BEFORE TRUNCATE ON %1$I
                FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
            CREATE TRIGGER %1$s_log AFTER INSERT OR UPDATE ON %1$I
                FOR EACH ROW EXECUTE FUNCTION %3$I();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_step;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_kept;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_whole;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER %1$s_log', name, rules[at + 1], rules[at + 2]);
    END LOOP;
END $$;
