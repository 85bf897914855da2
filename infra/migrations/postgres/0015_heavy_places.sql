-- Places for heavy work, of which only so many of a kind run at a time: each is an advisory
-- lock that ends with its statement, so that none is left behind.

-- Takes one of the `places` for work of this `kind` until the end of the transaction.
-- SQLSTATE AI002: all are taken.
CREATE OR REPLACE FUNCTION aisle_heavy_place(kind TEXT, places BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    FOR place IN 1..places LOOP
        IF pg_try_advisory_xact_lock(hashtext('aisle heavy ' || kind), place::INT) THEN
            RETURN TRUE;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'all % places for % are taken', places, kind USING ERRCODE = 'AI002';
END
$$;

INSERT INTO schema_version (version, name) VALUES (15, 'heavy_places') ON CONFLICT DO NOTHING;
