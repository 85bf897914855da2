-- What PostgreSQL writes differently: full text by tsvector, the outbox's own
-- sequence, the clock as a function, and the write batch.

CREATE TABLE IF NOT EXISTS product_search (
    product_id TEXT PRIMARY KEY,
    brand_id   TEXT NOT NULL,
    document   TSVECTOR NOT NULL
);
CREATE INDEX IF NOT EXISTS product_search_document ON product_search USING GIN (document);

CREATE TABLE IF NOT EXISTS outbox (
    seq                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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

-- The one clock that decides every expiry. `clock_timestamp`, not `now`: a batch
-- that waited for a lock must see the time after the wait.
CREATE OR REPLACE FUNCTION aisle_now_ms() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT + (SELECT offset_ms FROM clock WHERE id = 1)
$$;

-- Runs `statements`, a JSON array of {"sql", "params", "expect", "rows"}, in order and
-- all or nothing, in one round trip. `sql` reads its parameters from the JSON array `$1`;
-- `expect` is the number of rows that it must touch (absent: any); with `rows` true its
-- rows come back. Answers an array with one {"changes", "rows"} for each statement.
-- SQLSTATE AI001: a statement fell short; CONSTRAINT_NAME in the error is its index.
CREATE OR REPLACE FUNCTION aisle_batch(statements JSONB, lock_timeout_ms BIGINT) RETURNS JSONB LANGUAGE plpgsql AS $$
DECLARE
    statement JSONB;
    position  BIGINT := 0;
    touched   BIGINT;
    fetched   JSONB;
    results   JSONB := '[]'::JSONB;
BEGIN
    PERFORM set_config('lock_timeout', lock_timeout_ms::TEXT, true);
    FOR statement IN SELECT value FROM jsonb_array_elements(statements) WITH ORDINALITY AS s (value, n) ORDER BY n LOOP
        fetched := NULL;
        IF (statement ->> 'rows')::BOOLEAN THEN
            EXECUTE 'WITH fetched AS (' || (statement ->> 'sql') || ') SELECT coalesce(jsonb_agg(to_jsonb(fetched)), ''[]''::JSONB) FROM fetched'
                INTO fetched USING statement -> 'params';
            touched := jsonb_array_length(fetched);
        ELSE
            EXECUTE statement ->> 'sql' USING statement -> 'params';
            GET DIAGNOSTICS touched = ROW_COUNT;
        END IF;
        IF touched <> coalesce((statement ->> 'expect')::BIGINT, touched) THEN
            RAISE EXCEPTION 'statement % touched % rows', position, touched
                USING ERRCODE = 'AI001', CONSTRAINT = position::TEXT, DETAIL = touched::TEXT;
        END IF;
        results := results || jsonb_build_object('changes', touched, 'rows', fetched);
        position := position + 1;
    END LOOP;
    RETURN results;
END
$$;

INSERT INTO schema_version (version, name) VALUES (2, 'search_and_outbox') ON CONFLICT DO NOTHING;
