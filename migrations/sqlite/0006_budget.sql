-- Money that runs share. A lease is a slice of every account of its chain; what is out on leases
-- counts as spent until somebody shows that it was not. Every change of either table lands in the
-- audit log.
CREATE TABLE accounts (
    org TEXT NOT NULL REFERENCES organisations (id),
    level TEXT NOT NULL CHECK (
        level IN ('task', 'day', 'agent', 'purchase', 'organisation')
    ),
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    cap INTEGER NOT NULL CHECK (cap >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0),
    leased INTEGER NOT NULL CHECK (leased >= 0),
    PRIMARY KEY (org, level, name)
) WITHOUT ROWID, STRICT;

CREATE TABLE leases (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL CHECK (length(id) = 71),
    version INTEGER NOT NULL CHECK (version >= 1),
    chain TEXT NOT NULL,
    rest INTEGER NOT NULL CHECK (rest >= 0),
    next INTEGER NOT NULL CHECK (next >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;

-- Models that broke their word.
CREATE TABLE frosts (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('frozen', 'thawed')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX frosts_by_parent ON frosts (org, parent, id);
CREATE INDEX frosts_by_state ON frosts (org, state, id);

CREATE TRIGGER accounts_new BEFORE INSERT ON accounts
    WHEN NEW.version <> 1 OR NEW.spent <> 0 OR NEW.leased <> 0 OR EXISTS (
        SELECT 1 FROM accounts WHERE org = NEW.org AND level = NEW.level AND name = NEW.name
    )
BEGIN
    SELECT RAISE(ABORT, 'accounts: a row begins at version 1 and empty, and is never replaced');
END;
CREATE TRIGGER accounts_step BEFORE UPDATE ON accounts
    WHEN NEW.org <> OLD.org OR NEW.level <> OLD.level OR NEW.name <> OLD.name
        OR NEW.version <> OLD.version + 1 OR NEW.spent < OLD.spent
BEGIN
    SELECT RAISE(ABORT, 'accounts: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER accounts_cap BEFORE UPDATE ON accounts
    WHEN NEW.leased > OLD.leased AND NEW.spent + NEW.leased > NEW.cap
BEGIN
    SELECT RAISE(ABORT, 'accounts: no lease goes beyond the cap');
END;
CREATE TRIGGER leases_new BEFORE INSERT ON leases
    WHEN NEW.version <> 1 OR NEW.next <> 0
        OR EXISTS (SELECT 1 FROM leases WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'leases: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER leases_step BEFORE UPDATE ON leases
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.chain <> OLD.chain
        OR NEW.version <> OLD.version + 1 OR NEW.next < OLD.next
BEGIN
    SELECT RAISE(ABORT, 'leases: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER frosts_new BEFORE INSERT ON frosts
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM frosts WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'frosts: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER frosts_step BEFORE UPDATE ON frosts
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'frosts: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER accounts_kept BEFORE DELETE ON accounts BEGIN
    SELECT RAISE(ABORT, 'accounts: rows are never deleted');
END;
CREATE TRIGGER leases_kept BEFORE DELETE ON leases BEGIN
    SELECT RAISE(ABORT, 'leases: rows are never deleted');
END;
CREATE TRIGGER frosts_kept BEFORE DELETE ON frosts BEGIN
    SELECT RAISE(ABORT, 'frosts: rows are never deleted');
END;
CREATE TRIGGER accounts_log_insert AFTER INSERT ON accounts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('accounts', NEW.org, NEW.level || '/' || NEW.name, NEW.version, json_object(
        'cap', NEW.cap, 'leased', NEW.leased, 'level', NEW.level, 'name', NEW.name,
        'noun', 'accounts', 'org', NEW.org, 'spent', NEW.spent, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER accounts_log_update AFTER UPDATE ON accounts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('accounts', NEW.org, NEW.level || '/' || NEW.name, NEW.version, json_object(
        'cap', NEW.cap, 'leased', NEW.leased, 'level', NEW.level, 'name', NEW.name,
        'noun', 'accounts', 'org', NEW.org, 'spent', NEW.spent, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER leases_log_insert AFTER INSERT ON leases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('leases', NEW.org, NEW.id, NEW.version, json_object(
        'chain', NEW.chain, 'id', NEW.id, 'next', NEW.next, 'noun', 'leases',
        'org', NEW.org, 'rest', NEW.rest, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER leases_log_update AFTER UPDATE ON leases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('leases', NEW.org, NEW.id, NEW.version, json_object(
        'chain', NEW.chain, 'id', NEW.id, 'next', NEW.next, 'noun', 'leases',
        'org', NEW.org, 'rest', NEW.rest, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER frosts_log_insert AFTER INSERT ON frosts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('frosts', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'frosts',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER frosts_log_update AFTER UPDATE ON frosts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('frosts', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'frosts',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
