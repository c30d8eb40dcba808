-- The audit log. `audit_in` is what the triggers write, in the transaction of the change itself;
-- `audit_pending` is what the sequencer has still to place; `audit_leaf` is the order of the Merkle
-- log, and `audit_checkpoint` what was signed over it.

CREATE TABLE audit_in (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    noun TEXT NOT NULL,
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    payload TEXT NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT;
CREATE INDEX audit_in_by_row ON audit_in (noun, org, id, version);

CREATE TABLE audit_pending (
    seq INTEGER PRIMARY KEY REFERENCES audit_in (seq)
) STRICT;

CREATE TABLE audit_leaf (
    idx INTEGER PRIMARY KEY CHECK (idx >= 0),
    seq INTEGER NOT NULL UNIQUE REFERENCES audit_in (seq),
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY CHECK (size >= 0),
    note TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_in_queues AFTER INSERT ON audit_in BEGIN
    INSERT INTO audit_pending (seq) VALUES (NEW.seq);
END;

-- The guards stand before the insert too: REPLACE deletes without asking the other triggers.
CREATE TRIGGER audit_in_guard BEFORE INSERT ON audit_in
    WHEN EXISTS (SELECT 1 FROM audit_in WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'audit_in is append-only');
END;
CREATE TRIGGER audit_in_fixed BEFORE UPDATE ON audit_in BEGIN
    SELECT RAISE(ABORT, 'audit_in is append-only');
END;
CREATE TRIGGER audit_in_kept BEFORE DELETE ON audit_in BEGIN
    SELECT RAISE(ABORT, 'audit_in is append-only');
END;
CREATE TRIGGER audit_leaf_guard BEFORE INSERT ON audit_leaf
    WHEN NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM audit_leaf)
        OR EXISTS (SELECT 1 FROM audit_leaf WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'audit_leaf is append-only');
END;
CREATE TRIGGER audit_leaf_fixed BEFORE UPDATE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf is append-only');
END;
CREATE TRIGGER audit_leaf_kept BEFORE DELETE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf is append-only');
END;
CREATE TRIGGER audit_checkpoint_guard BEFORE INSERT ON audit_checkpoint
    WHEN NEW.size <= (SELECT coalesce(max(size), -1) FROM audit_checkpoint)
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoint is append-only');
END;
CREATE TRIGGER audit_checkpoint_fixed BEFORE UPDATE ON audit_checkpoint BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoint is append-only');
END;
CREATE TRIGGER audit_checkpoint_kept BEFORE DELETE ON audit_checkpoint BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoint is append-only');
END;

CREATE TRIGGER organisations_new BEFORE INSERT ON organisations
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM organisations WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'organisations: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER organisations_step BEFORE UPDATE ON organisations
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'organisations: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER organisations_kept BEFORE DELETE ON organisations BEGIN
    SELECT RAISE(ABORT, 'organisations: rows are never deleted');
END;
CREATE TRIGGER organisations_log_insert AFTER INSERT ON organisations BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('organisations', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'organisations',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER organisations_log_update AFTER UPDATE ON organisations BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('organisations', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'organisations',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER users_new BEFORE INSERT ON users
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM users WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'users: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER users_step BEFORE UPDATE ON users
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'users: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER users_kept BEFORE DELETE ON users BEGIN
    SELECT RAISE(ABORT, 'users: rows are never deleted');
END;
CREATE TRIGGER users_log_insert AFTER INSERT ON users BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('users', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'users',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER users_log_update AFTER UPDATE ON users BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('users', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'users',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER agents_new BEFORE INSERT ON agents
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM agents WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'agents: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER agents_step BEFORE UPDATE ON agents
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'agents: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER agents_kept BEFORE DELETE ON agents BEGIN
    SELECT RAISE(ABORT, 'agents: rows are never deleted');
END;
CREATE TRIGGER agents_log_insert AFTER INSERT ON agents BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('agents', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'agents',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER agents_log_update AFTER UPDATE ON agents BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('agents', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'agents',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER releases_new BEFORE INSERT ON releases
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM releases WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'releases: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER releases_step BEFORE UPDATE ON releases
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'releases: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER releases_kept BEFORE DELETE ON releases BEGIN
    SELECT RAISE(ABORT, 'releases: rows are never deleted');
END;
CREATE TRIGGER releases_log_insert AFTER INSERT ON releases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('releases', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'releases',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER releases_log_update AFTER UPDATE ON releases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('releases', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'releases',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER listings_new BEFORE INSERT ON listings
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM listings WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'listings: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER listings_step BEFORE UPDATE ON listings
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'listings: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER listings_kept BEFORE DELETE ON listings BEGIN
    SELECT RAISE(ABORT, 'listings: rows are never deleted');
END;
CREATE TRIGGER listings_log_insert AFTER INSERT ON listings BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('listings', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'listings',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER listings_log_update AFTER UPDATE ON listings BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('listings', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'listings',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER msas_new BEFORE INSERT ON msas
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM msas WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'msas: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER msas_step BEFORE UPDATE ON msas
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'msas: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER msas_kept BEFORE DELETE ON msas BEGIN
    SELECT RAISE(ABORT, 'msas: rows are never deleted');
END;
CREATE TRIGGER msas_log_insert AFTER INSERT ON msas BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('msas', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'msas',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER msas_log_update AFTER UPDATE ON msas BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('msas', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'msas',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER papers_new BEFORE INSERT ON papers
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM papers WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'papers: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER papers_step BEFORE UPDATE ON papers
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'papers: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER papers_kept BEFORE DELETE ON papers BEGIN
    SELECT RAISE(ABORT, 'papers: rows are never deleted');
END;
CREATE TRIGGER papers_log_insert AFTER INSERT ON papers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('papers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'papers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER papers_log_update AFTER UPDATE ON papers BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('papers', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'papers',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER amendments_new BEFORE INSERT ON amendments
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM amendments WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'amendments: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER amendments_step BEFORE UPDATE ON amendments
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'amendments: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER amendments_kept BEFORE DELETE ON amendments BEGIN
    SELECT RAISE(ABORT, 'amendments: rows are never deleted');
END;
CREATE TRIGGER amendments_log_insert AFTER INSERT ON amendments BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('amendments', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'amendments',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER amendments_log_update AFTER UPDATE ON amendments BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('amendments', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'amendments',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER side_letters_new BEFORE INSERT ON side_letters
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM side_letters WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'side_letters: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER side_letters_step BEFORE UPDATE ON side_letters
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'side_letters: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER side_letters_kept BEFORE DELETE ON side_letters BEGIN
    SELECT RAISE(ABORT, 'side_letters: rows are never deleted');
END;
CREATE TRIGGER side_letters_log_insert AFTER INSERT ON side_letters BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('side_letters', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'side_letters',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER side_letters_log_update AFTER UPDATE ON side_letters BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('side_letters', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'side_letters',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER purchases_new BEFORE INSERT ON purchases
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM purchases WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'purchases: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER purchases_step BEFORE UPDATE ON purchases
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'purchases: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER purchases_kept BEFORE DELETE ON purchases BEGIN
    SELECT RAISE(ABORT, 'purchases: rows are never deleted');
END;
CREATE TRIGGER purchases_log_insert AFTER INSERT ON purchases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('purchases', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'purchases',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER purchases_log_update AFTER UPDATE ON purchases BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('purchases', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'purchases',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER escrows_new BEFORE INSERT ON escrows
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM escrows WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'escrows: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER escrows_step BEFORE UPDATE ON escrows
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'escrows: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER escrows_kept BEFORE DELETE ON escrows BEGIN
    SELECT RAISE(ABORT, 'escrows: rows are never deleted');
END;
CREATE TRIGGER escrows_log_insert AFTER INSERT ON escrows BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('escrows', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'escrows',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER escrows_log_update AFTER UPDATE ON escrows BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('escrows', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'escrows',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER disputes_new BEFORE INSERT ON disputes
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM disputes WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'disputes: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER disputes_step BEFORE UPDATE ON disputes
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'disputes: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER disputes_kept BEFORE DELETE ON disputes BEGIN
    SELECT RAISE(ABORT, 'disputes: rows are never deleted');
END;
CREATE TRIGGER disputes_log_insert AFTER INSERT ON disputes BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('disputes', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'disputes',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER disputes_log_update AFTER UPDATE ON disputes BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('disputes', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'disputes',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER sealed_records_new BEFORE INSERT ON sealed_records
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM sealed_records WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'sealed_records: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER sealed_records_step BEFORE UPDATE ON sealed_records
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'sealed_records: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER sealed_records_kept BEFORE DELETE ON sealed_records BEGIN
    SELECT RAISE(ABORT, 'sealed_records: rows are never deleted');
END;
CREATE TRIGGER sealed_records_log_insert AFTER INSERT ON sealed_records BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sealed_records', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'sealed_records',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER sealed_records_log_update AFTER UPDATE ON sealed_records BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('sealed_records', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'sealed_records',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER remedies_new BEFORE INSERT ON remedies
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM remedies WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'remedies: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER remedies_step BEFORE UPDATE ON remedies
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'remedies: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER remedies_kept BEFORE DELETE ON remedies BEGIN
    SELECT RAISE(ABORT, 'remedies: rows are never deleted');
END;
CREATE TRIGGER remedies_log_insert AFTER INSERT ON remedies BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('remedies', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'remedies',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER remedies_log_update AFTER UPDATE ON remedies BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('remedies', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'remedies',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER warrants_new BEFORE INSERT ON warrants
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM warrants WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'warrants: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER warrants_step BEFORE UPDATE ON warrants
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'warrants: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER warrants_kept BEFORE DELETE ON warrants BEGIN
    SELECT RAISE(ABORT, 'warrants: rows are never deleted');
END;
CREATE TRIGGER warrants_log_insert AFTER INSERT ON warrants BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('warrants', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'warrants',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER warrants_log_update AFTER UPDATE ON warrants BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('warrants', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'warrants',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER grants_new BEFORE INSERT ON grants
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM grants WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'grants: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER grants_step BEFORE UPDATE ON grants
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'grants: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER grants_kept BEFORE DELETE ON grants BEGIN
    SELECT RAISE(ABORT, 'grants: rows are never deleted');
END;
CREATE TRIGGER grants_log_insert AFTER INSERT ON grants BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('grants', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'grants',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER grants_log_update AFTER UPDATE ON grants BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('grants', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'grants',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER runs_new BEFORE INSERT ON runs
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM runs WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'runs: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER runs_step BEFORE UPDATE ON runs
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'runs: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER runs_kept BEFORE DELETE ON runs BEGIN
    SELECT RAISE(ABORT, 'runs: rows are never deleted');
END;
CREATE TRIGGER runs_log_insert AFTER INSERT ON runs BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('runs', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'runs',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER runs_log_update AFTER UPDATE ON runs BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('runs', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'runs',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER receipts_new BEFORE INSERT ON receipts
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM receipts WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'receipts: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER receipts_step BEFORE UPDATE ON receipts
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'receipts: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER receipts_kept BEFORE DELETE ON receipts BEGIN
    SELECT RAISE(ABORT, 'receipts: rows are never deleted');
END;
CREATE TRIGGER receipts_log_insert AFTER INSERT ON receipts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('receipts', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'receipts',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER receipts_log_update AFTER UPDATE ON receipts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('receipts', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'receipts',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER scope_requests_new BEFORE INSERT ON scope_requests
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM scope_requests WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'scope_requests: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER scope_requests_step BEFORE UPDATE ON scope_requests
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'scope_requests: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER scope_requests_kept BEFORE DELETE ON scope_requests BEGIN
    SELECT RAISE(ABORT, 'scope_requests: rows are never deleted');
END;
CREATE TRIGGER scope_requests_log_insert AFTER INSERT ON scope_requests BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('scope_requests', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'scope_requests',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER scope_requests_log_update AFTER UPDATE ON scope_requests BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('scope_requests', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'scope_requests',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER approvals_new BEFORE INSERT ON approvals
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM approvals WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'approvals: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER approvals_step BEFORE UPDATE ON approvals
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'approvals: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER approvals_kept BEFORE DELETE ON approvals BEGIN
    SELECT RAISE(ABORT, 'approvals: rows are never deleted');
END;
CREATE TRIGGER approvals_log_insert AFTER INSERT ON approvals BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('approvals', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'approvals',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER approvals_log_update AFTER UPDATE ON approvals BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('approvals', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'approvals',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER badges_new BEFORE INSERT ON badges
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM badges WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'badges: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER badges_step BEFORE UPDATE ON badges
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'badges: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER badges_kept BEFORE DELETE ON badges BEGIN
    SELECT RAISE(ABORT, 'badges: rows are never deleted');
END;
CREATE TRIGGER badges_log_insert AFTER INSERT ON badges BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('badges', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'badges',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER badges_log_update AFTER UPDATE ON badges BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('badges', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'badges',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;

CREATE TRIGGER attestations_new BEFORE INSERT ON attestations
    WHEN NEW.version <> 1 OR EXISTS (SELECT 1 FROM attestations WHERE org = NEW.org AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'attestations: a row begins at version 1 and is never replaced');
END;
CREATE TRIGGER attestations_step BEFORE UPDATE ON attestations
    WHEN NEW.org <> OLD.org OR NEW.id <> OLD.id OR NEW.parent IS NOT OLD.parent
        OR NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'attestations: a change keeps its row and raises the version by one');
END;
CREATE TRIGGER attestations_kept BEFORE DELETE ON attestations BEGIN
    SELECT RAISE(ABORT, 'attestations: rows are never deleted');
END;
CREATE TRIGGER attestations_log_insert AFTER INSERT ON attestations BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('attestations', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'attestations',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
CREATE TRIGGER attestations_log_update AFTER UPDATE ON attestations BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('attestations', NEW.org, NEW.id, NEW.version, json_object(
        'changed', NEW.changed, 'digest', NEW.digest, 'id', NEW.id, 'noun', 'attestations',
        'org', NEW.org, 'parent', NEW.parent, 'state', NEW.state, 'version', NEW.version
    ), randomblob(16));
END;
