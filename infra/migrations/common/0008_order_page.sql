-- What a shopper settles on an order's page. The conventions are those of 0001.

-- Who else collects the order: shown to staff at the hand-over.
CREATE TABLE IF NOT EXISTS pickup_person (
    brand_id  TEXT NOT NULL,
    order_id  TEXT NOT NULL REFERENCES customer_order (id),
    name      TEXT NOT NULL,
    set_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id)
);

-- Goods that a shopper wants to give back. The decision, with its reasons, is in `doc`.
CREATE TABLE IF NOT EXISTS return_request (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES customer_order (id),
    status        TEXT NOT NULL CHECK (status IN ('requested', 'cancelled', 'received', 'refused', 'closed')),
    doc           TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS return_request_order ON return_request (brand_id, order_id, created_at_ms);

INSERT INTO schema_version (version, name) VALUES (8, 'order page') ON CONFLICT DO NOTHING;
