-- What a server keeps beside the nouns of the market: which rows of one organisation another may
-- read, by what people and programs prove who they are, answers that are given again to whoever
-- asks twice, and who wants to be told of what happens.
CREATE TABLE shares (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX shares_by_parent ON shares (org, parent, id);
CREATE INDEX shares_by_state ON shares (org, state, id);

CREATE TABLE credentials (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX credentials_by_parent ON credentials (org, parent, id);
CREATE INDEX credentials_by_state ON credentials (org, state, id);

CREATE TABLE sessions (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX sessions_by_parent ON sessions (org, parent, id);
CREATE INDEX sessions_by_state ON sessions (org, state, id);

CREATE TABLE answers (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('given')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX answers_by_parent ON answers (org, parent, id);
CREATE INDEX answers_by_state ON answers (org, state, id);

CREATE TABLE hooks (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX hooks_by_parent ON hooks (org, parent, id);
CREATE INDEX hooks_by_state ON hooks (org, state, id);

CREATE TABLE deliveries (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('due', 'delivered', 'failed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX deliveries_by_parent ON deliveries (org, parent, id);
CREATE INDEX deliveries_by_state ON deliveries (org, state, id);

-- Whoever shows a credential or a session is known by it, before it is known whose it is; a listing
-- is offered to everybody.
CREATE INDEX credentials_by_id ON credentials (id);
CREATE INDEX sessions_by_id ON sessions (id);
CREATE INDEX listings_by_id ON listings (state, id);

DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_signers;
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        DECLARE
            noun TEXT;
        BEGIN
            FOREACH noun IN ARRAY ARRAY[
                'shares', 'credentials', 'sessions', 'answers', 'hooks', 'deliveries'
            ] LOOP
                EXECUTE format('GRANT INSERT ON %%I TO %%I', noun, name);
                EXECUTE format(
                    'GRANT UPDATE (state, version, body, digest, changed) ON %%I TO %%I',
                    noun, name);
            END LOOP;
            RETURN admit_to_signers(name);
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER shares_step BEFORE INSERT OR UPDATE ON shares
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER shares_kept BEFORE DELETE ON shares
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER shares_whole BEFORE TRUNCATE ON shares
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER shares_log AFTER INSERT OR UPDATE ON shares
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE shares ENABLE ALWAYS TRIGGER shares_step;
ALTER TABLE shares ENABLE ALWAYS TRIGGER shares_kept;
ALTER TABLE shares ENABLE ALWAYS TRIGGER shares_whole;
ALTER TABLE shares ENABLE ALWAYS TRIGGER shares_log;

CREATE TRIGGER credentials_step BEFORE INSERT OR UPDATE ON credentials
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER credentials_kept BEFORE DELETE ON credentials
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER credentials_whole BEFORE TRUNCATE ON credentials
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER credentials_log AFTER INSERT OR UPDATE ON credentials
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE credentials ENABLE ALWAYS TRIGGER credentials_step;
ALTER TABLE credentials ENABLE ALWAYS TRIGGER credentials_kept;
ALTER TABLE credentials ENABLE ALWAYS TRIGGER credentials_whole;
ALTER TABLE credentials ENABLE ALWAYS TRIGGER credentials_log;

CREATE TRIGGER sessions_step BEFORE INSERT OR UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER sessions_kept BEFORE DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER sessions_whole BEFORE TRUNCATE ON sessions
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER sessions_log AFTER INSERT OR UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_step;
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_kept;
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_whole;
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_log;

CREATE TRIGGER answers_step BEFORE INSERT OR UPDATE ON answers
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER answers_kept BEFORE DELETE ON answers
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER answers_whole BEFORE TRUNCATE ON answers
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER answers_log AFTER INSERT OR UPDATE ON answers
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE answers ENABLE ALWAYS TRIGGER answers_step;
ALTER TABLE answers ENABLE ALWAYS TRIGGER answers_kept;
ALTER TABLE answers ENABLE ALWAYS TRIGGER answers_whole;
ALTER TABLE answers ENABLE ALWAYS TRIGGER answers_log;

CREATE TRIGGER hooks_step BEFORE INSERT OR UPDATE ON hooks
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER hooks_kept BEFORE DELETE ON hooks
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER hooks_whole BEFORE TRUNCATE ON hooks
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER hooks_log AFTER INSERT OR UPDATE ON hooks
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE hooks ENABLE ALWAYS TRIGGER hooks_step;
ALTER TABLE hooks ENABLE ALWAYS TRIGGER hooks_kept;
ALTER TABLE hooks ENABLE ALWAYS TRIGGER hooks_whole;
ALTER TABLE hooks ENABLE ALWAYS TRIGGER hooks_log;

CREATE TRIGGER deliveries_step BEFORE INSERT OR UPDATE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION noun_step();
CREATE TRIGGER deliveries_kept BEFORE DELETE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION noun_kept();
CREATE TRIGGER deliveries_whole BEFORE TRUNCATE ON deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION noun_kept();
CREATE TRIGGER deliveries_log AFTER INSERT OR UPDATE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION noun_log();
-- ALWAYS, or `session_replication_role = replica` would pass them by.
ALTER TABLE deliveries ENABLE ALWAYS TRIGGER deliveries_step;
ALTER TABLE deliveries ENABLE ALWAYS TRIGGER deliveries_kept;
ALTER TABLE deliveries ENABLE ALWAYS TRIGGER deliveries_whole;
ALTER TABLE deliveries ENABLE ALWAYS TRIGGER deliveries_log;

-- Whoever may make tables of his own could hang our triggers on them, and have the owner's hand
-- write into the log. Triggers that are set fire without this right.
DO $$
BEGIN
    EXECUTE format(
        'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA %s FROM PUBLIC', quote_ident(current_schema()));
END $$;
