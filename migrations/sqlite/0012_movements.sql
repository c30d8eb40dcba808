-- What moves beside the nouns lands in the log as well: who claimed which work and how long its
-- journal was then, what was announced and heard, which blobs came and went, and what an
-- organisation may keep. A heartbeat, another try, a touch and a sum change no state: the sums are
-- held against their parts by whoever verifies. What was there before is logged as it is now.
ALTER TABLE outbox ADD COLUMN digest TEXT CHECK (digest IS NULL OR length(digest) = 71);

-- REPLACE deletes without asking the other triggers. Blobs and storage are written with ON CONFLICT,
-- which no guard before the insert can tell from it: there the insert is logged, whatever it was.
CREATE TRIGGER work_new BEFORE INSERT ON work
    WHEN EXISTS (SELECT 1 FROM work WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'work: a row is never replaced');
END;
CREATE TRIGGER work_step BEFORE UPDATE ON work
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.epoch < OLD.epoch OR OLD.state = 'done'
BEGIN
    SELECT RAISE(ABORT, 'work: an epoch never falls, and what is done stays so');
END;
CREATE TRIGGER work_kept BEFORE DELETE ON work BEGIN
    SELECT RAISE(ABORT, 'work: rows are never deleted');
END;
CREATE TRIGGER work_log_insert AFTER INSERT ON work BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('work', NEW.org, NEW.id, NEW.epoch, json_object(
        'chunks', 0, 'epoch', NEW.epoch, 'id', NEW.id, 'node', NEW.node, 'noun', 'work',
        'org', NEW.org, 'state', NEW.state
    ), randomblob(16));
END;
CREATE TRIGGER work_log_update AFTER UPDATE ON work
    WHEN NEW.epoch <> OLD.epoch OR NEW.state <> OLD.state OR NEW.node IS NOT OLD.node
BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('work', NEW.org, NEW.id, NEW.epoch, json_object(
        'chunks', (
            SELECT coalesce(max(chunk) + 1, 0) FROM journal WHERE org = NEW.org AND id = NEW.id
        ), 'epoch', NEW.epoch, 'id', NEW.id, 'node', NEW.node, 'noun', 'work',
        'org', NEW.org, 'state', NEW.state
    ), randomblob(16));
END;

CREATE TRIGGER outbox_new BEFORE INSERT ON outbox
    WHEN EXISTS (SELECT 1 FROM outbox WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'outbox: a row is never replaced');
END;
CREATE TRIGGER outbox_step BEFORE UPDATE ON outbox
    WHEN NEW.seq <> OLD.seq OR NEW.org <> OLD.org OR NEW.topic <> OLD.topic
        OR NEW.body <> OLD.body OR NEW.digest IS NOT OLD.digest
BEGIN
    SELECT RAISE(ABORT, 'outbox: a message keeps its row and what it says');
END;
CREATE TRIGGER outbox_log_insert AFTER INSERT ON outbox BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('outbox', NEW.org, CAST(NEW.seq AS TEXT), 1, json_object(
        'digest', NEW.digest, 'id', NEW.seq, 'noun', 'outbox', 'org', NEW.org,
        'state', 'waiting', 'topic', NEW.topic
    ), randomblob(16));
END;
CREATE TRIGGER outbox_log_delete AFTER DELETE ON outbox BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('outbox', OLD.org, CAST(OLD.seq AS TEXT), 2, json_object(
        'digest', OLD.digest, 'id', OLD.seq, 'noun', 'outbox', 'org', OLD.org,
        'state', 'heard', 'topic', OLD.topic
    ), randomblob(16));
END;

CREATE TRIGGER blobs_step BEFORE UPDATE ON blobs
    WHEN NEW.org <> OLD.org OR NEW.digest <> OLD.digest OR NEW.size <> OLD.size
        OR OLD.state = 'doomed'
BEGIN
    SELECT RAISE(ABORT, 'blobs: a blob keeps its row, and what is doomed stays so');
END;
CREATE TRIGGER blobs_log_insert AFTER INSERT ON blobs BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('blobs', NEW.org, NEW.digest, 1, json_object(
        'digest', NEW.digest, 'noun', 'blobs', 'org', NEW.org, 'size', NEW.size,
        'state', NEW.state
    ), randomblob(16));
END;
CREATE TRIGGER blobs_log_update AFTER UPDATE ON blobs WHEN NEW.state <> OLD.state BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('blobs', NEW.org, NEW.digest, 2, json_object(
        'digest', NEW.digest, 'noun', 'blobs', 'org', NEW.org, 'size', NEW.size,
        'state', NEW.state
    ), randomblob(16));
END;
CREATE TRIGGER blobs_log_delete AFTER DELETE ON blobs BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('blobs', OLD.org, OLD.digest, 3, json_object(
        'digest', OLD.digest, 'noun', 'blobs', 'org', OLD.org, 'size', OLD.size,
        'state', 'gone'
    ), randomblob(16));
END;

CREATE TRIGGER needs_step BEFORE UPDATE ON needs BEGIN
    SELECT RAISE(ABORT, 'needs: what a version needs stays as it is');
END;
CREATE TRIGGER needs_kept BEFORE DELETE ON needs
    WHEN EXISTS (
        SELECT 1 FROM workspaces WHERE org = OLD.org AND id = OLD.id
            AND version = OLD.version AND state = 'kept'
    )
BEGIN
    SELECT RAISE(ABORT, 'needs: a version that is kept needs its blobs');
END;

CREATE TRIGGER storage_step BEFORE UPDATE ON storage WHEN NEW.org <> OLD.org BEGIN
    SELECT RAISE(ABORT, 'storage: a change keeps its row');
END;
CREATE TRIGGER storage_kept BEFORE DELETE ON storage BEGIN
    SELECT RAISE(ABORT, 'storage: rows are never deleted');
END;
CREATE TRIGGER storage_log_insert AFTER INSERT ON storage BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('storage', NEW.org, NEW.org, 1, json_object(
        'cap', NEW.cap, 'noun', 'storage', 'org', NEW.org
    ), randomblob(16));
END;
CREATE TRIGGER storage_log_update AFTER UPDATE ON storage WHEN NEW.cap <> OLD.cap BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('storage', NEW.org, NEW.org, 1, json_object(
        'cap', NEW.cap, 'noun', 'storage', 'org', NEW.org
    ), randomblob(16));
END;

INSERT INTO audit_in (noun, org, id, version, payload, salt)
SELECT 'work', w.org, w.id, w.epoch, json_object(
    'chunks', (SELECT coalesce(max(chunk) + 1, 0) FROM journal j WHERE j.org = w.org AND j.id = w.id),
    'epoch', w.epoch, 'id', w.id, 'node', w.node, 'noun', 'work', 'org', w.org, 'state', w.state
), randomblob(16) FROM work w;
INSERT INTO audit_in (noun, org, id, version, payload, salt)
SELECT 'outbox', org, CAST(seq AS TEXT), 1, json_object(
    'digest', digest, 'id', seq, 'noun', 'outbox', 'org', org, 'state', 'waiting', 'topic', topic
), randomblob(16) FROM outbox;
INSERT INTO audit_in (noun, org, id, version, payload, salt)
SELECT 'blobs', org, digest, 1, json_object(
    'digest', digest, 'noun', 'blobs', 'org', org, 'size', size, 'state', state
), randomblob(16) FROM blobs;
INSERT INTO audit_in (noun, org, id, version, payload, salt)
SELECT 'storage', org, org, 1, json_object('cap', cap, 'noun', 'storage', 'org', org),
    randomblob(16) FROM storage;
