-- What was written down stays written down: the database itself refuses to change it.

CREATE OR REPLACE FUNCTION aisle_append_only() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23514';
END
$$;

CREATE OR REPLACE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION aisle_append_only();
CREATE OR REPLACE TRIGGER stock_movement_stays BEFORE UPDATE OR DELETE ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION aisle_append_only();
CREATE OR REPLACE TRIGGER drawer_entry_stays BEFORE UPDATE OR DELETE ON drawer_entry
    FOR EACH ROW EXECUTE FUNCTION aisle_append_only();

CREATE OR REPLACE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION aisle_append_only();
CREATE OR REPLACE TRIGGER stock_movement_stays_whole BEFORE TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION aisle_append_only();
CREATE OR REPLACE TRIGGER drawer_entry_stays_whole BEFORE TRUNCATE ON drawer_entry
    FOR EACH STATEMENT EXECUTE FUNCTION aisle_append_only();

INSERT INTO schema_version (version, name) VALUES (4, 'append_only') ON CONFLICT DO NOTHING;
