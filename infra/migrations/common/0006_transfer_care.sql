-- When each transfer of which goods are still to come is to be looked at again: whether it
-- keeps its promise, or time alone has made that impossible. The conventions are those of 0001.

CREATE TABLE IF NOT EXISTS transfer_watch (
    transfer_id TEXT PRIMARY KEY REFERENCES transfer (id),
    brand_id    TEXT NOT NULL,
    look_at_ms  BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS transfer_watch_due ON transfer_watch (look_at_ms);

-- Those from before this table are looked at once, which tells when to look again.
INSERT INTO transfer_watch (transfer_id, brand_id, look_at_ms)
SELECT id, brand_id, 0 FROM transfer WHERE status IN ('reserved', 'requested', 'approved', 'picking', 'in_transit')
ON CONFLICT DO NOTHING;

INSERT INTO schema_version (version, name) VALUES (6, 'transfer_care') ON CONFLICT DO NOTHING;
