-- The nouns of the vocabulary. Each has one shape: whose it is, its state, and a document that
-- the digest names. A change raises the version by one; nothing is deleted.

CREATE TABLE organisations (
    org TEXT NOT NULL CHECK (org = id),
    id TEXT NOT NULL UNIQUE,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'active',
            'suspended',
            'closed'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX organisations_by_parent ON organisations (org, parent, id);
CREATE INDEX organisations_by_state ON organisations (org, state, id);

CREATE TABLE users (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'active',
            'suspended',
            'erased'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX users_by_parent ON users (org, parent, id);
CREATE INDEX users_by_state ON users (org, state, id);

CREATE TABLE agents (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'active',
            'withdrawn'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX agents_by_parent ON agents (org, parent, id);
CREATE INDEX agents_by_state ON agents (org, state, id);

CREATE TABLE releases (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'submitted',
            'passed',
            'refused',
            'withdrawn'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES agents (org, id)
);
CREATE INDEX releases_by_parent ON releases (org, parent, id);
CREATE INDEX releases_by_state ON releases (org, state, id);

CREATE TABLE listings (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'draft',
            'offered',
            'withdrawn'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES releases (org, id)
);
CREATE INDEX listings_by_parent ON listings (org, parent, id);
CREATE INDEX listings_by_state ON listings (org, state, id);

CREATE TABLE msas (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'offered',
            'live',
            'ended'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX msas_by_parent ON msas (org, parent, id);
CREATE INDEX msas_by_state ON msas (org, state, id);

CREATE TABLE papers (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'draft',
            'compiled',
            'exacted',
            'void'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX papers_by_parent ON papers (org, parent, id);
CREATE INDEX papers_by_state ON papers (org, state, id);

CREATE TABLE amendments (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'proposed',
            'agreed',
            'refused'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES papers (org, id)
);
CREATE INDEX amendments_by_parent ON amendments (org, parent, id);
CREATE INDEX amendments_by_state ON amendments (org, state, id);

CREATE TABLE side_letters (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'proposed',
            'agreed',
            'refused'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES papers (org, id)
);
CREATE INDEX side_letters_by_parent ON side_letters (org, parent, id);
CREATE INDEX side_letters_by_state ON side_letters (org, state, id);

CREATE TABLE purchases (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'COMPILED',
            'PENDING_PAYMENT',
            'ESCROW_FUNDED',
            'EXECUTION_IN_PROGRESS',
            'QUALITY_REVIEW',
            'DELIVERABLE_STAGED',
            'RESOLVED_RELEASE',
            'RESOLVED_REFUND',
            'RESOLVED_PARTIAL',
            'FUNDS_RELEASED'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES papers (org, id)
);
CREATE INDEX purchases_by_parent ON purchases (org, parent, id);
CREATE INDEX purchases_by_state ON purchases (org, state, id);

CREATE TABLE escrows (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'unfunded',
            'hold_pending',
            'held',
            'release_pending',
            'refund_pending',
            'reversal_pending',
            'reversal_failed',
            'settled',
            'expired'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES purchases (org, id)
);
CREATE INDEX escrows_by_parent ON escrows (org, parent, id);
CREATE INDEX escrows_by_state ON escrows (org, state, id);

CREATE TABLE disputes (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'panel',
            'tie-break',
            'human',
            'decided'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES purchases (org, id)
);
CREATE INDEX disputes_by_parent ON disputes (org, parent, id);
CREATE INDEX disputes_by_state ON disputes (org, state, id);

CREATE TABLE sealed_records (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'sealed'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES disputes (org, id)
);
CREATE INDEX sealed_records_by_parent ON sealed_records (org, parent, id);
CREATE INDEX sealed_records_by_state ON sealed_records (org, state, id);

CREATE TABLE remedies (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'ordered',
            'done'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES disputes (org, id)
);
CREATE INDEX remedies_by_parent ON remedies (org, parent, id);
CREATE INDEX remedies_by_state ON remedies (org, state, id);

CREATE TABLE warrants (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'issued',
            'spent',
            'revoked'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX warrants_by_parent ON warrants (org, parent, id);
CREATE INDEX warrants_by_state ON warrants (org, state, id);

CREATE TABLE grants (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'issued',
            'revoked'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX grants_by_parent ON grants (org, parent, id);
CREATE INDEX grants_by_state ON grants (org, state, id);

CREATE TABLE runs (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'queued',
            'running',
            'suspended',
            'ended'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX runs_by_parent ON runs (org, parent, id);
CREATE INDEX runs_by_state ON runs (org, state, id);

CREATE TABLE receipts (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'signed'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES runs (org, id)
);
CREATE INDEX receipts_by_parent ON receipts (org, parent, id);
CREATE INDEX receipts_by_state ON receipts (org, state, id);

CREATE TABLE scope_requests (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'open',
            'granted',
            'denied',
            'expired'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES runs (org, id)
);
CREATE INDEX scope_requests_by_parent ON scope_requests (org, parent, id);
CREATE INDEX scope_requests_by_state ON scope_requests (org, state, id);

CREATE TABLE approvals (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'open',
            'approved',
            'refused',
            'expired'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX approvals_by_parent ON approvals (org, parent, id);
CREATE INDEX approvals_by_state ON approvals (org, state, id);

CREATE TABLE badges (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'issued',
            'revoked'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, parent) REFERENCES agents (org, id)
);
CREATE INDEX badges_by_parent ON badges (org, parent, id);
CREATE INDEX badges_by_state ON badges (org, state, id);

CREATE TABLE attestations (
    org TEXT NOT NULL REFERENCES organisations (id),
    id TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL
        CHECK (state IN (
            'issued',
            'revoked'
        )),
    version BIGINT NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 71),
    changed BIGINT NOT NULL CHECK (changed >= 0),
    PRIMARY KEY (org, id)
);
CREATE INDEX attestations_by_parent ON attestations (org, parent, id);
CREATE INDEX attestations_by_state ON attestations (org, state, id);
