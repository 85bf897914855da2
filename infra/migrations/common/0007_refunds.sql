-- Money that goes back, and what else follows when an order is not collected as promised.
-- The conventions are those of 0001.

-- What is owed to a payer: one refund for each decision (such as 'cancelled'), split over
-- the payments that it goes back to, each the way it came. `due`: not given back yet, by
-- the provider online or at a till; `refused`: the provider will not, a person must see to it.
CREATE TABLE IF NOT EXISTS refund (
    brand_id           TEXT NOT NULL,
    order_id           TEXT NOT NULL REFERENCES customer_order (id),
    decision           TEXT NOT NULL,
    payment_id         TEXT NOT NULL REFERENCES payment (id),
    amount_minor       BIGINT NOT NULL CHECK (amount_minor > 0),
    currency           TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('due', 'paid', 'refused')),
    -- How often the provider was asked; the key that it is asked with stays the same.
    tries              BIGINT NOT NULL DEFAULT 0,
    next_try_at_ms     BIGINT NOT NULL,
    provider_reference TEXT,
    requested_at_ms    BIGINT NOT NULL,
    updated_at_ms      BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id, decision, payment_id)
);
CREATE INDEX IF NOT EXISTS refund_payment ON refund (payment_id);
CREATE INDEX IF NOT EXISTS refund_due ON refund (next_try_at_ms) WHERE status = 'due';

-- Who was reminded that an order waits to be collected: once for each order.
CREATE TABLE IF NOT EXISTS pickup_reminder (
    brand_id       TEXT NOT NULL,
    order_id       TEXT NOT NULL REFERENCES customer_order (id),
    reminded_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id)
);
CREATE INDEX IF NOT EXISTS pickup_end ON pickup (status, pickup_by_ms);

-- Which hand-over a till made under which of its own numbers while it was offline.
CREATE TABLE IF NOT EXISTS offline_hand_over (
    brand_id     TEXT NOT NULL,
    device_id    TEXT NOT NULL REFERENCES device (id),
    sequence     BIGINT NOT NULL,
    hand_over_id TEXT NOT NULL,
    PRIMARY KEY (device_id, sequence)
);

INSERT INTO schema_version (version, name) VALUES (7, 'refunds') ON CONFLICT DO NOTHING;
