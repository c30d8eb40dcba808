-- Secrets, and what is said of persons: never kept but sealed under a key of its subject, which is
-- kept sealed under a master key that is not here. Without its key a subject is forgotten.
CREATE TABLE keys (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (state IN ('live', 'destroyed')),
    master TEXT NOT NULL,
    sealed BLOB NOT NULL CHECK ((state = 'live') = (length(sealed) > 0)),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX keys_by_master ON keys (master, state, org, id);

CREATE TABLE sealed (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    field TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    bytes BLOB NOT NULL,
    until INTEGER NOT NULL CHECK (until >= 0),
    PRIMARY KEY (org, id, field),
    FOREIGN KEY (org, id) REFERENCES keys (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX sealed_by_until ON sealed (until, org, id, field);

CREATE TRIGGER keys_new BEFORE INSERT ON keys
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM keys WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'keys: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER keys_step BEFORE UPDATE ON keys
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR OLD.state = 'destroyed'
BEGIN
    SELECT RAISE(ABORT, 'keys: a change keeps its row, and what is destroyed stays so');
END;
CREATE TRIGGER keys_kept BEFORE DELETE ON keys BEGIN
    SELECT RAISE(ABORT, 'keys: rows are never deleted');
END;
CREATE TRIGGER keys_log_insert AFTER INSERT ON keys BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('keys', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'id', NEW.id, 'master', NEW.master, 'noun', 'keys',
        'org', NEW.org, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER keys_log_update AFTER UPDATE ON keys BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('keys', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'id', NEW.id, 'master', NEW.master, 'noun', 'keys',
        'org', NEW.org, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER sealed_log_insert AFTER INSERT ON sealed BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sealed', NEW.org, NEW.id || '/' || NEW.field, NEW.version, json_object(
        'field', NEW.field, 'id', NEW.id, 'noun', 'sealed', 'org', NEW.org,
        'state', 'kept', 'until', NEW.until, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER sealed_log_update AFTER UPDATE ON sealed BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sealed', NEW.org, NEW.id || '/' || NEW.field, NEW.version, json_object(
        'field', NEW.field, 'id', NEW.id, 'noun', 'sealed', 'org', NEW.org,
        'state', 'kept', 'until', NEW.until, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER sealed_log_delete AFTER DELETE ON sealed BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sealed', OLD.org, OLD.id || '/' || OLD.field, OLD.version, json_object(
        'field', OLD.field, 'id', OLD.id, 'noun', 'sealed', 'org', OLD.org,
        'state', 'gone', 'until', OLD.until, 'version', OLD.version
    ), randomblob(16));
END;
