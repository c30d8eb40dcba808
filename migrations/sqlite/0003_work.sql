-- What is to be done, and which node does it. The epoch rises with every claim: a node that comes
-- back late holds an older one. When the work may be claimed, for the first time or from a node
-- that fell silent, is one moment, so that one index of open work finds it however much is done.
CREATE TABLE work (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')),
    node TEXT,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    due INTEGER NOT NULL CHECK (due >= 0),
    PRIMARY KEY (org, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX work_by_due ON work (due, org, id) WHERE state = 'open';
