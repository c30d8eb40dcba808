-- What is to be done, and which node does it. The epoch rises with every claim: a node that comes
-- back late holds an older one. When the work may be claimed, for the first time or from a node
-- that fell silent, is one moment, so that one index of open work finds it however much is done.
CREATE TABLE work (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')),
    node TEXT,
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    due BIGINT NOT NULL CHECK (due >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX work_by_due ON work (due, org, id) WHERE state = 'open';

-- `admit` grows with the tables.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format('ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_nouns', here);
    EXECUTE format($f$
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT ON work TO %%I', name);
            EXECUTE format('GRANT UPDATE (state, node, epoch, due) ON work TO %%I', name);
            RETURN admit_to_nouns(name);
        END $b$;
    $f$, here);
END $$;
