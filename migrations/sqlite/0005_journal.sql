-- The journals of runs, in the chunks in which they were acknowledged. A chunk is written once, by
-- the node that holds the run's lease.
CREATE TABLE journal (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    chunk INTEGER NOT NULL CHECK (chunk >= 0),
    epoch INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (org, id, chunk),
    FOREIGN KEY (org, id) REFERENCES work (org, id)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER journal_guard BEFORE INSERT ON journal
    WHEN NEW.chunk <> (
        SELECT coalesce(max(chunk), -1) + 1 FROM journal WHERE org = NEW.org AND id = NEW.id
    )
BEGIN
    SELECT RAISE(ABORT, 'journal is append-only');
END;
CREATE TRIGGER journal_fixed BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'journal is append-only');
END;
CREATE TRIGGER journal_kept BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'journal is append-only');
END;
