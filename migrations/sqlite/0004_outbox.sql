-- What is to be told to others, written in the transaction of what it tells. A message leaves when
-- whoever had to hear it has heard it; until then it is told again.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    org TEXT NOT NULL REFERENCES organisations (id),
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    due INTEGER NOT NULL CHECK (due >= 0)
) STRICT;
CREATE INDEX outbox_by_due ON outbox (due, seq);
