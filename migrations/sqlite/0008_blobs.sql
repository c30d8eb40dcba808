-- Which blobs there are, whose they are and who needs them; their bytes lie elsewhere. A workspace
-- is a line of versions, each a manifest of blobs.
CREATE TABLE storage (
    org TEXT NOT NULL PRIMARY KEY REFERENCES organisations (id),
    used INTEGER NOT NULL CHECK (used >= 0),
    cap INTEGER NOT NULL CHECK (cap >= 0)
) WITHOUT ROWID, STRICT;
CREATE TRIGGER storage_cap BEFORE UPDATE ON storage
    WHEN NEW.used > OLD.used AND NEW.used > NEW.cap
BEGIN
    SELECT RAISE(ABORT, 'storage: the quota is used up');
END;

CREATE TABLE blobs (
    org TEXT NOT NULL REFERENCES organisations (id),
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    size INTEGER NOT NULL CHECK (size >= 0),
    state TEXT NOT NULL CHECK (state IN ('kept', 'doomed')),
    touched INTEGER NOT NULL CHECK (touched >= 0),
    PRIMARY KEY (org, digest)
) WITHOUT ROWID, STRICT;
CREATE INDEX blobs_by_age ON blobs (org, state, touched);

CREATE TABLE workspaces (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    manifest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('kept', 'dropped')),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    pinned INTEGER NOT NULL CHECK (pinned >= 0),
    PRIMARY KEY (org, id, version)
) WITHOUT ROWID, STRICT;

CREATE TABLE needs (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (org, id, version, digest),
    FOREIGN KEY (org, id, version) REFERENCES workspaces (org, id, version),
    FOREIGN KEY (org, digest) REFERENCES blobs (org, digest)
) WITHOUT ROWID, STRICT;
CREATE INDEX needs_by_digest ON needs (org, digest);

CREATE TRIGGER workspaces_new BEFORE INSERT ON workspaces
    WHEN NEW.version <> (
        SELECT coalesce(max(version), 0) + 1 FROM workspaces WHERE org = NEW.org AND id = NEW.id
    )
BEGIN
    SELECT RAISE(ABORT, 'workspaces: versions follow one another and are never replaced');
END;
CREATE TRIGGER workspaces_step BEFORE UPDATE ON workspaces
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.version <> OLD.version
        OR NEW.manifest <> OLD.manifest OR NEW.changed <> OLD.changed OR OLD.state = 'dropped'
BEGIN
    SELECT RAISE(ABORT, 'workspaces: a version is dropped once, and else it stays');
END;
CREATE TRIGGER workspaces_kept BEFORE DELETE ON workspaces BEGIN
    SELECT RAISE(ABORT, 'workspaces: rows are never deleted');
END;
CREATE TRIGGER workspaces_log_insert AFTER INSERT ON workspaces BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('workspaces', NEW.org, NEW.id || '/' || NEW.version, 1, json_object(
        'changed', NEW.changed, 'id', NEW.id, 'manifest', NEW.manifest, 'noun', 'workspaces',
        'org', NEW.org, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER workspaces_log_update AFTER UPDATE ON workspaces
    WHEN NEW.state <> OLD.state
BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('workspaces', NEW.org, NEW.id || '/' || NEW.version, 2, json_object(
        'changed', NEW.changed, 'id', NEW.id, 'manifest', NEW.manifest, 'noun', 'workspaces',
        'org', NEW.org, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
