-- The keys that sign for an organisation, from the day they are announced to the day they are
-- retired or revoked. Their history is in the log like that of everything.
CREATE TABLE signers (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('next', 'active', 'retired', 'revoked')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX signers_by_parent ON signers (org, parent, id);
CREATE INDEX signers_by_state ON signers (org, state, id);

CREATE TRIGGER signers_new BEFORE INSERT ON signers
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM signers WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'signers: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER signers_step BEFORE UPDATE ON signers
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'signers: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER signers_kept BEFORE DELETE ON signers BEGIN
    SELECT RAISE(ABORT, 'signers: rows are never deleted');
END;
CREATE TRIGGER signers_log_insert AFTER INSERT ON signers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('signers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'signers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER signers_log_update AFTER UPDATE ON signers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('signers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'signers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
