-- What is to be told to others, written in the transaction of what it tells. A message leaves when
-- whoever had to hear it has heard it; until then it is told again.
CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org TEXT NOT NULL REFERENCES organisations (id),
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    tries BIGINT NOT NULL CHECK (tries >= 0),
    due BIGINT NOT NULL CHECK (due >= 0)
);
CREATE INDEX outbox_by_due ON outbox (due, seq);

-- `admit` grows with the tables.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format('ALTER FUNCTION %1$s.admit(TEXT) RENAME TO admit_to_work', here);
    EXECUTE format($f$
        CREATE FUNCTION %1$s.admit(name TEXT) RETURNS TEXT LANGUAGE plpgsql AS $b$
        BEGIN
            EXECUTE format('GRANT INSERT, DELETE ON outbox TO %%I', name);
            EXECUTE format('GRANT UPDATE (tries, due) ON outbox TO %%I', name);
            RETURN admit_to_work(name);
        END $b$;
    $f$, here);
END $$;
