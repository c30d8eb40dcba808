-- Kill switches. One belongs to the organisation whose runs it stops, or to the operator, whose
-- name is `-` and no organisation's. A switch that is lifted stays, and says who lifted it.
CREATE TABLE stops (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL CHECK (state IN ('thrown', 'lifted')),
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX stops_by_parent ON stops (org, parent, id);
CREATE INDEX stops_by_state ON stops (org, state, id);
-- What nodes add up every few milliseconds, to know whether a switch was thrown or lifted.
CREATE INDEX stops_by_version ON stops (version);

CREATE TRIGGER stops_new BEFORE INSERT ON stops
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM stops WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'stops: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER stops_step BEFORE UPDATE ON stops
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'stops: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER stops_kept BEFORE DELETE ON stops BEGIN
    SELECT RAISE(ABORT, 'stops: rows are never deleted');
END;
CREATE TRIGGER stops_log_insert AFTER INSERT ON stops BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('stops', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'stops',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER stops_log_update AFTER UPDATE ON stops BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('stops', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'stops',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
