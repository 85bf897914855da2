-- A batch whose statements PostgreSQL knows already, and indexes by which due work is found.

-- Runs `statements`, a JSON array of {"name", "params", "expect", "rows"}, in order and all or
-- nothing, in one round trip. Each names a statement that this session has prepared; one that
-- it has not is SQLSTATE 26000, and is then sent again with "sql", by which those that are
-- missing are prepared first. `sql` reads its parameters from the JSON array `$1`, and the time
-- at which it begins from `$2`. `expect` is the number of rows that it must touch (absent: any);
-- with `rows` true its rows come back. Not `lasting`: the commit does not wait for the disk.
-- Answers a JSON array with [changes, rows] for each.
-- SQLSTATE AI001: a statement fell short; CONSTRAINT_NAME in the error is its index.
--
-- A plan that is kept must not depend on what was asked first: always the general one. How
-- large the tables were then must not matter either: an index is used where one fits, and rows
-- are joined one by one, for they are few.
CREATE OR REPLACE FUNCTION aisle_run(statements JSONB, lock_timeout_ms BIGINT, lasting BOOLEAN) RETURNS TEXT LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET jit = off
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    statement JSONB;
    ahead_ms  BIGINT;
    begun_ms  BIGINT;
    touched   BIGINT;
    fetched   TEXT;
    results   TEXT[] := '{}';
BEGIN
    PERFORM set_config('lock_timeout', lock_timeout_ms::TEXT, true);
    IF NOT lasting THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    IF statements -> 0 ? 'sql' THEN
        PERFORM aisle_prepare(statements);
    END IF;
    SELECT offset_ms INTO ahead_ms FROM clock WHERE id = 1;
    FOR statement IN SELECT value FROM jsonb_array_elements(statements) LOOP
        -- The clock of `aisle_now_ms`, read anew: an earlier statement may have waited.
        begun_ms := (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT + ahead_ms;
        fetched := 'null';
        IF (statement ->> 'rows')::BOOLEAN THEN
            EXECUTE format('EXECUTE %I (%L, %s)', statement ->> 'name', statement -> 'params', begun_ms)
                INTO touched, fetched;
        ELSE
            EXECUTE format('EXECUTE %I (%L, %s)', statement ->> 'name', statement -> 'params', begun_ms);
            GET DIAGNOSTICS touched = ROW_COUNT;
        END IF;
        IF touched <> coalesce((statement ->> 'expect')::BIGINT, touched) THEN
            RAISE EXCEPTION 'statement % touched % rows', cardinality(results), touched
                USING ERRCODE = 'AI001', CONSTRAINT = cardinality(results)::TEXT, DETAIL = touched::TEXT;
        END IF;
        results := results || format('[%s,%s]', touched, fetched);
    END LOOP;
    RETURN '[' || array_to_string(results, ',') || ']';
END
$$;

-- Prepares those of the statements that this session lacks, and forgets the oldest beyond 256.
-- A change answers a row for each that it touches: that is how `aisle_run` counts them.
CREATE OR REPLACE FUNCTION aisle_prepare(statements JSONB) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    missing RECORD;
    oldest  TEXT;
BEGIN
    FOR missing IN
        SELECT DISTINCT value ->> 'name' AS name, value ->> 'sql' AS sql, (value ->> 'rows')::BOOLEAN AS rows
        FROM jsonb_array_elements(statements)
        WHERE value ->> 'name' NOT IN (SELECT p.name FROM pg_prepared_statements p)
    LOOP
        EXECUTE format('PREPARE %I (JSONB, BIGINT) AS ', missing.name) || CASE
            WHEN missing.rows THEN 'WITH fetched AS (' || missing.sql ||
                ') SELECT count(*), coalesce(json_agg(fetched)::TEXT, ''[]'') FROM fetched'
            -- What answers rows by itself is counted by them.
            WHEN missing.sql ~* '^\s*SELECT\M|\mRETURNING\M' THEN missing.sql
            ELSE missing.sql || ' RETURNING 1' END;
    END LOOP;
    FOR oldest IN
        SELECT p.name FROM pg_prepared_statements p WHERE p.name LIKE 'aisle\_%'
            AND p.name NOT IN (SELECT value ->> 'name' FROM jsonb_array_elements(statements))
        ORDER BY p.prepare_time DESC OFFSET 256
    LOOP
        EXECUTE format('DEALLOCATE %I', oldest);
    END LOOP;
END
$$;

-- What it takes the place of.
DROP FUNCTION IF EXISTS aisle_batch (JSONB, BIGINT);

-- By their age: what is kept for a while.
CREATE INDEX IF NOT EXISTS outbox_done ON outbox (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_done ON notice (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS rate_limit_age ON rate_limit (window_ends_ms);
CREATE INDEX IF NOT EXISTS presence_expiry ON presence (expires_at_ms);

-- By when somebody has to look: what is open.
CREATE INDEX IF NOT EXISTS cart_expiry ON cart (expires_at_ms, id) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS payment_started ON payment (updated_at_ms) WHERE status = 'started';
CREATE INDEX IF NOT EXISTS transfer_due ON transfer (expires_at_ms) WHERE status IN ('requested', 'reserved');
CREATE INDEX IF NOT EXISTS instalment_reminder ON instalment (due_at_ms) WHERE status = 'due' AND reminded_at_ms IS NULL;
CREATE INDEX IF NOT EXISTS pickup_waiting ON pickup (brand_id, pickup_by_ms) WHERE status IN ('preparing', 'ready');
CREATE INDEX IF NOT EXISTS message_expiry ON message (expires_at_ms, id) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS message_told ON message (updated_at_ms) WHERE status = 'sent' AND params <> '{}';

-- By brand and age: what a policy keeps for so many days.
CREATE INDEX IF NOT EXISTS customer_code_retention ON customer_code (brand_id, expires_at_ms);
CREATE INDEX IF NOT EXISTS sandbox_message_retention ON sandbox_message (brand_id, at_ms);
CREATE INDEX IF NOT EXISTS account_session_revoked ON account_session (brand_id, revoked_at_ms) WHERE revoked_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkout_session_left ON checkout_session (brand_id, updated_at_ms, id)
    WHERE status IN ('incomplete', 'ready_for_complete', 'canceled');
CREATE INDEX IF NOT EXISTS consent_age ON consent (brand_id, at_ms);
CREATE INDEX IF NOT EXISTS opt_out_age ON opt_out (brand_id, since_ms);
CREATE INDEX IF NOT EXISTS account_unused ON account (brand_id, last_seen_at_ms) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS account_erasing ON account (brand_id, last_seen_at_ms) WHERE status = 'erasing';

-- By what a row refers to: so that what is referred to can go without a search for who refers.
CREATE INDEX IF NOT EXISTS cart_version_cart ON cart_version (cart_id);
CREATE INDEX IF NOT EXISTS cart_merged_cart ON cart_merged (cart_id);
CREATE INDEX IF NOT EXISTS cart_merged_into ON cart_merged (into_cart_id);
CREATE INDEX IF NOT EXISTS account_checkout_checkout ON account_checkout (checkout_session_id);

-- By order and by address alone, whatever the brand.
CREATE INDEX IF NOT EXISTS order_contact_order ON order_contact (order_id);
CREATE INDEX IF NOT EXISTS opt_out_address ON opt_out (address);
CREATE INDEX IF NOT EXISTS notice_open ON notice (order_id) WHERE done_at_ms IS NULL;

INSERT INTO schema_version (version, name) VALUES (14, 'speed') ON CONFLICT DO NOTHING;
