-- The portable part of the schema, the same text for SQLite and PostgreSQL.
--
-- Conventions: ids are UUIDv7 as TEXT; money is BIGINT minor units with an ISO 4217
-- code beside it or in the brand; times are BIGINT milliseconds since the epoch;
-- flags are BIGINT 0 or 1; `doc` is a JSON document whose shape the domain crate owns.
-- Every row that belongs to a brand carries `brand_id`, and keys begin with it.
-- Each statement can run again without effect: Spin replays the files at every start.

CREATE TABLE IF NOT EXISTS schema_version (
    version BIGINT PRIMARY KEY,
    name    TEXT NOT NULL
);

-- How far the database's clock is set forward; tests move it, production leaves 0.
CREATE TABLE IF NOT EXISTS clock (
    id        BIGINT PRIMARY KEY CHECK (id = 1),
    offset_ms BIGINT NOT NULL
);
INSERT INTO clock (id, offset_ms) VALUES (1, 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS brand (
    id            TEXT PRIMARY KEY,
    handle        TEXT NOT NULL UNIQUE,
    is_default    BIGINT NOT NULL DEFAULT 0,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- The host names (and, for clients that cannot resolve them, host:port) of a brand.
CREATE TABLE IF NOT EXISTS brand_host (
    host     TEXT PRIMARY KEY,
    brand_id TEXT NOT NULL REFERENCES brand (id)
);

-- Rates per million, so that 8.875 % is 88750. The most specific row wins:
-- region before country, category before ''.
CREATE TABLE IF NOT EXISTS tax_rate (
    brand_id TEXT NOT NULL REFERENCES brand (id),
    country  TEXT NOT NULL,
    region   TEXT NOT NULL DEFAULT '',
    category TEXT NOT NULL DEFAULT '',
    rate_ppm BIGINT NOT NULL CHECK (rate_ppm >= 0),
    PRIMARY KEY (brand_id, country, region, category)
);

-- An admin or integration key, hashed (SHA-256, hex). A NULL brand is the organisation.
CREATE TABLE IF NOT EXISTS admin_key (
    key_hash      TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    brand_id      TEXT REFERENCES brand (id),
    scopes        TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE TABLE IF NOT EXISTS location (
    id            TEXT PRIMARY KEY,
    code          TEXT NOT NULL UNIQUE,
    doc           TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- Which brands trade at a location: a warehouse can serve several.
CREATE TABLE IF NOT EXISTS brand_location (
    brand_id    TEXT NOT NULL REFERENCES brand (id),
    location_id TEXT NOT NULL REFERENCES location (id),
    PRIMARY KEY (brand_id, location_id)
);

CREATE TABLE IF NOT EXISTS product (
    id              TEXT PRIMARY KEY,
    brand_id        TEXT NOT NULL REFERENCES brand (id),
    handle          TEXT NOT NULL,
    title           TEXT NOT NULL,
    published       BIGINT NOT NULL,
    price_min_minor BIGINT NOT NULL,
    price_max_minor BIGINT NOT NULL,
    doc             TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    version         BIGINT NOT NULL,
    updated_at_ms   BIGINT NOT NULL,
    UNIQUE (brand_id, handle)
);
CREATE INDEX IF NOT EXISTS product_title ON product (brand_id, published, title, id);

CREATE TABLE IF NOT EXISTS product_category (
    brand_id   TEXT NOT NULL,
    category   TEXT NOT NULL,
    product_id TEXT NOT NULL REFERENCES product (id),
    PRIMARY KEY (brand_id, category, product_id)
);
CREATE INDEX IF NOT EXISTS product_category_product ON product_category (product_id);

CREATE TABLE IF NOT EXISTS variant (
    id           TEXT PRIMARY KEY,
    brand_id     TEXT NOT NULL REFERENCES brand (id),
    product_id   TEXT NOT NULL REFERENCES product (id),
    sku          TEXT NOT NULL,
    gtin         TEXT,
    position     BIGINT NOT NULL,
    price_minor  BIGINT NOT NULL CHECK (price_minor >= 0),
    tax_category TEXT NOT NULL DEFAULT '',
    active       BIGINT NOT NULL DEFAULT 1,
    UNIQUE (brand_id, sku),
    UNIQUE (brand_id, gtin)
);
CREATE INDEX IF NOT EXISTS variant_product ON variant (product_id, position);

-- The balance that is locked and compared; the truth is the sum of the movements.
CREATE TABLE IF NOT EXISTS stock (
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    sku           TEXT NOT NULL,
    location_id   TEXT NOT NULL REFERENCES location (id),
    on_hand       BIGINT NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved      BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    safety        BIGINT NOT NULL DEFAULT 0 CHECK (safety >= 0),
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, sku, location_id),
    CHECK (reserved <= on_hand)
);

-- Append-only. One row for every change of on_hand or reserved.
CREATE TABLE IF NOT EXISTS stock_movement (
    id             TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    sku            TEXT NOT NULL,
    location_id    TEXT NOT NULL,
    on_hand_delta  BIGINT NOT NULL,
    reserved_delta BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    document_type  TEXT NOT NULL,
    document_id    TEXT NOT NULL,
    at_ms          BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS stock_movement_balance ON stock_movement (brand_id, sku, location_id, at_ms);

-- What an open order holds: `open` counts as reserved, `released` and `fulfilled` do not.
CREATE TABLE IF NOT EXISTS allocation (
    brand_id    TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    sku         TEXT NOT NULL,
    location_id TEXT NOT NULL,
    quantity    BIGINT NOT NULL CHECK (quantity > 0),
    status      TEXT NOT NULL CHECK (status IN ('open', 'released', 'fulfilled')),
    PRIMARY KEY (brand_id, order_id, sku, location_id)
);
CREATE INDEX IF NOT EXISTS allocation_open ON allocation (brand_id, sku, location_id, status);

CREATE TABLE IF NOT EXISTS cart (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    status        TEXT NOT NULL,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS checkout_session (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    cart_id       TEXT UNIQUE REFERENCES cart (id),
    status        TEXT NOT NULL,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

-- `pending`: stock is reserved, money is not yet authorised. One order per session.
CREATE TABLE IF NOT EXISTS customer_order (
    id                  TEXT PRIMARY KEY,
    brand_id            TEXT NOT NULL REFERENCES brand (id),
    number              TEXT NOT NULL,
    checkout_session_id TEXT NOT NULL UNIQUE REFERENCES checkout_session (id),
    status              TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'declined', 'cancelled')),
    doc                 TEXT NOT NULL,
    version             BIGINT NOT NULL,
    created_at_ms       BIGINT NOT NULL,
    updated_at_ms       BIGINT NOT NULL,
    UNIQUE (brand_id, number)
);
CREATE INDEX IF NOT EXISTS customer_order_pending ON customer_order (status, updated_at_ms);

CREATE TABLE IF NOT EXISTS payment (
    id                 TEXT PRIMARY KEY,
    brand_id           TEXT NOT NULL,
    order_id           TEXT NOT NULL REFERENCES customer_order (id),
    attempt            BIGINT NOT NULL,
    handler            TEXT NOT NULL,
    amount_minor       BIGINT NOT NULL CHECK (amount_minor >= 0),
    currency           TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('started', 'authorised', 'declined')),
    provider_reference TEXT,
    updated_at_ms      BIGINT NOT NULL,
    UNIQUE (order_id, attempt)
);

-- `response` is NULL while the first request with this key is still under way.
CREATE TABLE IF NOT EXISTS idempotency (
    scope         TEXT NOT NULL,
    key           TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    status_code   BIGINT,
    response      TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX IF NOT EXISTS idempotency_age ON idempotency (created_at_ms);

-- Who may do a job that only one may do at a time, until when.
CREATE TABLE IF NOT EXISTS lease (
    name          TEXT PRIMARY KEY,
    owner         TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS import_run (
    id             TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    kind           TEXT NOT NULL,
    result         TEXT NOT NULL,
    finished_at_ms BIGINT NOT NULL
);

INSERT INTO schema_version (version, name) VALUES (1, 'foundation') ON CONFLICT DO NOTHING;
