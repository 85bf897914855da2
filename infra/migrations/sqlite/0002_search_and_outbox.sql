-- What SQLite writes differently: full text by FTS5, the outbox's own sequence.

-- Readers and the one writer do not wait for each other. The file remembers it.
PRAGMA journal_mode = WAL;

CREATE TABLE IF NOT EXISTS product_search_row (
    rowid      INTEGER PRIMARY KEY,
    brand_id   TEXT NOT NULL,
    product_id TEXT NOT NULL UNIQUE
);

CREATE VIRTUAL TABLE IF NOT EXISTS product_search
    USING fts5 (title, body, tokenize = 'porter unicode61 remove_diacritics 2');

CREATE TABLE IF NOT EXISTS outbox (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 TEXT NOT NULL UNIQUE,
    brand_id           TEXT NOT NULL,
    aggregate_type     TEXT NOT NULL,
    aggregate_id       TEXT NOT NULL,
    type               TEXT NOT NULL,
    doc                TEXT NOT NULL,
    created_at_ms      BIGINT NOT NULL,
    attempts           BIGINT NOT NULL DEFAULT 0,
    next_attempt_at_ms BIGINT NOT NULL DEFAULT 0,
    done_at_ms         BIGINT,
    dead_at_ms         BIGINT
);
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (seq) WHERE done_at_ms IS NULL AND dead_at_ms IS NULL;

INSERT INTO schema_version (version, name) VALUES (2, 'search_and_outbox') ON CONFLICT DO NOTHING;
