-- How far a walk through addresses has come that begins anew at its end. The conventions are
-- those of 0001.

CREATE TABLE IF NOT EXISTS retention_walk (
    brand_id TEXT NOT NULL,
    -- The table and the channel that it goes through, such as 'consent/sms'.
    kind     TEXT NOT NULL,
    up_to    TEXT NOT NULL,
    PRIMARY KEY (brand_id, kind)
);

INSERT INTO schema_version (version, name) VALUES (11, 'retention_walk') ON CONFLICT DO NOTHING;
