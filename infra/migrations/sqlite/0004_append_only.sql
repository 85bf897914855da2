-- What was written down stays written down: the database itself refuses to change it.

CREATE TRIGGER IF NOT EXISTS audit_stays_1 BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_stays_2 BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS stock_movement_stays_1 BEFORE UPDATE ON stock_movement
BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END;
CREATE TRIGGER IF NOT EXISTS stock_movement_stays_2 BEFORE DELETE ON stock_movement
BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END;
CREATE TRIGGER IF NOT EXISTS drawer_entry_stays_1 BEFORE UPDATE ON drawer_entry
BEGIN SELECT RAISE(ABORT, 'drawer_entry is append-only'); END;
CREATE TRIGGER IF NOT EXISTS drawer_entry_stays_2 BEFORE DELETE ON drawer_entry
BEGIN SELECT RAISE(ABORT, 'drawer_entry is append-only'); END;

INSERT INTO schema_version (version, name) VALUES (4, 'append_only') ON CONFLICT DO NOTHING;
