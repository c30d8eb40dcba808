-- What a server keeps beside the nouns of the market: which rows of one organisation another may
-- read, by what people and programs prove who they are, answers that are given again to whoever
-- asks twice, and who wants to be told of what happens.
CREATE TABLE shares (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX shares_by_parent ON shares (org, parent, id);
CREATE INDEX shares_by_state ON shares (org, state, id);

CREATE TRIGGER shares_new BEFORE INSERT ON shares
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM shares WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'shares: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER shares_step BEFORE UPDATE ON shares
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'shares: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER shares_kept BEFORE DELETE ON shares BEGIN
    SELECT RAISE(ABORT, 'shares: rows are never deleted');
END;
CREATE TRIGGER shares_log_insert AFTER INSERT ON shares BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('shares', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'shares',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER shares_log_update AFTER UPDATE ON shares BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('shares', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'shares',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TABLE credentials (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX credentials_by_parent ON credentials (org, parent, id);
CREATE INDEX credentials_by_state ON credentials (org, state, id);

CREATE TRIGGER credentials_new BEFORE INSERT ON credentials
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM credentials WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'credentials: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER credentials_step BEFORE UPDATE ON credentials
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'credentials: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER credentials_kept BEFORE DELETE ON credentials BEGIN
    SELECT RAISE(ABORT, 'credentials: rows are never deleted');
END;
CREATE TRIGGER credentials_log_insert AFTER INSERT ON credentials BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('credentials', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'credentials',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER credentials_log_update AFTER UPDATE ON credentials BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('credentials', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'credentials',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TABLE sessions (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX sessions_by_parent ON sessions (org, parent, id);
CREATE INDEX sessions_by_state ON sessions (org, state, id);

CREATE TRIGGER sessions_new BEFORE INSERT ON sessions
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM sessions WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'sessions: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER sessions_step BEFORE UPDATE ON sessions
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'sessions: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER sessions_kept BEFORE DELETE ON sessions BEGIN
    SELECT RAISE(ABORT, 'sessions: rows are never deleted');
END;
CREATE TRIGGER sessions_log_insert AFTER INSERT ON sessions BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sessions', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'sessions',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER sessions_log_update AFTER UPDATE ON sessions BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sessions', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'sessions',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TABLE answers (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('given')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX answers_by_parent ON answers (org, parent, id);
CREATE INDEX answers_by_state ON answers (org, state, id);

CREATE TRIGGER answers_new BEFORE INSERT ON answers
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM answers WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'answers: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER answers_step BEFORE UPDATE ON answers
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'answers: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER answers_kept BEFORE DELETE ON answers BEGIN
    SELECT RAISE(ABORT, 'answers: rows are never deleted');
END;
CREATE TRIGGER answers_log_insert AFTER INSERT ON answers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('answers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'answers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER answers_log_update AFTER UPDATE ON answers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('answers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'answers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TABLE hooks (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX hooks_by_parent ON hooks (org, parent, id);
CREATE INDEX hooks_by_state ON hooks (org, state, id);

CREATE TRIGGER hooks_new BEFORE INSERT ON hooks
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM hooks WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'hooks: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER hooks_step BEFORE UPDATE ON hooks
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'hooks: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER hooks_kept BEFORE DELETE ON hooks BEGIN
    SELECT RAISE(ABORT, 'hooks: rows are never deleted');
END;
CREATE TRIGGER hooks_log_insert AFTER INSERT ON hooks BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('hooks', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'hooks',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER hooks_log_update AFTER UPDATE ON hooks BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('hooks', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'hooks',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TABLE deliveries (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('due', 'delivered', 'failed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX deliveries_by_parent ON deliveries (org, parent, id);
CREATE INDEX deliveries_by_state ON deliveries (org, state, id);

CREATE TRIGGER deliveries_new BEFORE INSERT ON deliveries
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM deliveries WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'deliveries: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER deliveries_step BEFORE UPDATE ON deliveries
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'deliveries: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER deliveries_kept BEFORE DELETE ON deliveries BEGIN
    SELECT RAISE(ABORT, 'deliveries: rows are never deleted');
END;
CREATE TRIGGER deliveries_log_insert AFTER INSERT ON deliveries BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('deliveries', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'deliveries',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER deliveries_log_update AFTER UPDATE ON deliveries BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('deliveries', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'deliveries',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

-- Whoever shows a credential or a session is known by it, before it is known whose it is; a listing
-- is offered to everybody.
CREATE INDEX credentials_by_id ON credentials (id);
CREATE INDEX sessions_by_id ON sessions (id);
CREATE INDEX listings_by_id ON listings (state, id);
