-- What happens between and inside stores: transfers, holds, layaway, collection, tills,
-- presence, counting. The conventions are those of 0001.

-- `allocation.order_id` names whatever document holds the units: an order, a transfer or
-- a hold. Their ids are UUIDs, so that none can be taken for another.

-- A regular way for goods between two locations of a brand: when they leave, how long they take.
CREATE TABLE IF NOT EXISTS transfer_lane (
    brand_id         TEXT NOT NULL REFERENCES brand (id),
    from_location_id TEXT NOT NULL REFERENCES location (id),
    to_location_id   TEXT NOT NULL REFERENCES location (id),
    doc              TEXT NOT NULL,
    fingerprint      TEXT NOT NULL,
    version          BIGINT NOT NULL,
    updated_at_ms    BIGINT NOT NULL,
    PRIMARY KEY (brand_id, from_location_id, to_location_id)
);

-- Goods on their way from one location to another. `reserved`: set aside at the source for
-- a cart or a checkout that is not paid yet. `for_type` and `for_id` name who they are for:
-- a 'cart', a 'checkout', an 'order', or '' and '' for the store itself.
CREATE TABLE IF NOT EXISTS transfer (
    id               TEXT PRIMARY KEY,
    brand_id         TEXT NOT NULL REFERENCES brand (id),
    number           TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('reserved', 'requested', 'approved', 'picking',
                         'in_transit', 'received', 'closed', 'refused', 'cancelled', 'expired')),
    from_location_id TEXT NOT NULL REFERENCES location (id),
    to_location_id   TEXT NOT NULL REFERENCES location (id),
    for_type         TEXT NOT NULL DEFAULT '',
    for_id           TEXT NOT NULL DEFAULT '',
    -- When the goods can be collected or are on the shelf at the destination.
    ready_at_ms      BIGINT NOT NULL,
    -- When nobody has acted by then it expires; NULL: it waits.
    expires_at_ms    BIGINT,
    doc              TEXT NOT NULL,
    version          BIGINT NOT NULL,
    created_at_ms    BIGINT NOT NULL,
    updated_at_ms    BIGINT NOT NULL,
    UNIQUE (brand_id, number)
);
CREATE INDEX IF NOT EXISTS transfer_from ON transfer (brand_id, from_location_id, status);
CREATE INDEX IF NOT EXISTS transfer_to ON transfer (brand_id, to_location_id, status);
CREATE INDEX IF NOT EXISTS transfer_for ON transfer (brand_id, for_type, for_id);
CREATE INDEX IF NOT EXISTS transfer_expiry ON transfer (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- Units of a transfer, all counts from its beginning. What left one shelf and has not
-- reached the other is `in_transit`, so that no unit is ever lost:
-- shipped + surplus = in_transit + received + damaged + missing.
CREATE TABLE IF NOT EXISTS transfer_line (
    brand_id    TEXT NOT NULL,
    transfer_id TEXT NOT NULL REFERENCES transfer (id),
    sku         TEXT NOT NULL,
    requested   BIGINT NOT NULL CHECK (requested > 0),
    shipped     BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0),
    received    BIGINT NOT NULL DEFAULT 0 CHECK (received >= 0),
    damaged     BIGINT NOT NULL DEFAULT 0 CHECK (damaged >= 0),
    missing     BIGINT NOT NULL DEFAULT 0 CHECK (missing >= 0),
    -- More than was sent, as far as the sender's count goes.
    surplus     BIGINT NOT NULL DEFAULT 0 CHECK (surplus >= 0),
    in_transit  BIGINT NOT NULL DEFAULT 0 CHECK (in_transit >= 0),
    PRIMARY KEY (brand_id, transfer_id, sku)
);

-- What happened to an order after it was placed, for its timeline. Append-only.
CREATE TABLE IF NOT EXISTS order_event (
    id             TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    order_id       TEXT NOT NULL REFERENCES customer_order (id),
    type           TEXT NOT NULL,
    doc            TEXT NOT NULL,
    occurred_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS order_event_order ON order_event (brand_id, order_id, occurred_at_ms, id);

-- The collection of an order at a store. An order is collected at one store.
CREATE TABLE IF NOT EXISTS pickup (
    brand_id      TEXT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES customer_order (id),
    location_id   TEXT NOT NULL REFERENCES location (id),
    status        TEXT NOT NULL CHECK (status IN ('awaiting_transfer', 'preparing', 'ready', 'collected', 'cancelled')),
    -- The promise: from when, and until when it is kept.
    ready_at_ms   BIGINT NOT NULL,
    pickup_by_ms  BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id)
);
CREATE INDEX IF NOT EXISTS pickup_place ON pickup (brand_id, location_id, status, ready_at_ms);

-- What lets somebody collect an order, for a while and once.
CREATE TABLE IF NOT EXISTS pickup_pass (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES customer_order (id),
    location_id   TEXT NOT NULL,
    -- Six letters and digits to type when the screen is broken.
    code          TEXT NOT NULL,
    issued_at_ms  BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    UNIQUE (brand_id, code)
);
CREATE INDEX IF NOT EXISTS pickup_pass_order ON pickup_pass (brand_id, order_id, expires_at_ms);

-- Goods that left with a shopper. One for each pass, ever.
CREATE TABLE IF NOT EXISTS hand_over (
    id           TEXT PRIMARY KEY,
    brand_id     TEXT NOT NULL,
    order_id     TEXT NOT NULL REFERENCES customer_order (id),
    pass_id      TEXT UNIQUE REFERENCES pickup_pass (id),
    location_id  TEXT NOT NULL,
    device_id    TEXT NOT NULL,
    staff_id     TEXT NOT NULL,
    -- 1: made by a till that was offline, and settled later.
    offline      BIGINT NOT NULL DEFAULT 0,
    doc          TEXT NOT NULL,
    handed_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS hand_over_order ON hand_over (brand_id, order_id);

-- What a person must look into, such as an order that was handed over twice.
CREATE TABLE IF NOT EXISTS incident (
    id             TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    location_id    TEXT NOT NULL,
    kind           TEXT NOT NULL,
    subject_type   TEXT NOT NULL,
    subject_id     TEXT NOT NULL,
    doc            TEXT NOT NULL,
    created_at_ms  BIGINT NOT NULL,
    resolved_at_ms BIGINT
);
CREATE INDEX IF NOT EXISTS incident_open ON incident (brand_id, location_id, created_at_ms) WHERE resolved_at_ms IS NULL;

-- Goods kept for somebody without payment.
CREATE TABLE IF NOT EXISTS hold (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    number        TEXT NOT NULL,
    location_id   TEXT NOT NULL REFERENCES location (id),
    status        TEXT NOT NULL CHECK (status IN ('requested', 'pulled', 'converted', 'released', 'expired')),
    expires_at_ms BIGINT NOT NULL,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (brand_id, number)
);
CREATE INDEX IF NOT EXISTS hold_place ON hold (brand_id, location_id, status, created_at_ms);
CREATE INDEX IF NOT EXISTS hold_expiry ON hold (status, expires_at_ms);

-- An order that is paid in parts while its goods are kept.
CREATE TABLE IF NOT EXISTS layaway (
    brand_id      TEXT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES customer_order (id),
    status        TEXT NOT NULL CHECK (status IN ('active', 'paid', 'cancelled', 'defaulted')),
    deadline_ms   BIGINT NOT NULL,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id)
);
CREATE INDEX IF NOT EXISTS layaway_deadline ON layaway (status, deadline_ms);

-- The parts, numbered from 1, the deposit first.
CREATE TABLE IF NOT EXISTS instalment (
    brand_id       TEXT NOT NULL,
    order_id       TEXT NOT NULL REFERENCES customer_order (id),
    position       BIGINT NOT NULL,
    due_at_ms      BIGINT NOT NULL,
    amount_minor   BIGINT NOT NULL CHECK (amount_minor > 0),
    status         TEXT NOT NULL CHECK (status IN ('due', 'paid', 'cancelled')),
    payment_id     TEXT UNIQUE,
    reminded_at_ms BIGINT,
    PRIMARY KEY (brand_id, order_id, position)
);
CREATE INDEX IF NOT EXISTS instalment_due ON instalment (status, due_at_ms);

-- Who is on the way or there: the store and the signal, never coordinates.
CREATE TABLE IF NOT EXISTS presence (
    id              TEXT PRIMARY KEY,
    brand_id        TEXT NOT NULL,
    order_id        TEXT NOT NULL REFERENCES customer_order (id),
    location_id     TEXT NOT NULL REFERENCES location (id),
    state           TEXT NOT NULL CHECK (state IN ('on_my_way', 'arrived')),
    signal          TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    reported_at_ms  BIGINT NOT NULL,
    expires_at_ms   BIGINT NOT NULL,
    UNIQUE (brand_id, order_id)
);
CREATE INDEX IF NOT EXISTS presence_place ON presence (brand_id, location_id, expires_at_ms);

-- A till or a scanner, bound to a location. The token is hashed (SHA-256, hex).
CREATE TABLE IF NOT EXISTS device (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    location_id   TEXT NOT NULL REFERENCES location (id),
    name          TEXT NOT NULL,
    token_hash    TEXT NOT NULL UNIQUE,
    scopes        TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE TABLE IF NOT EXISTS staff (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    code          TEXT NOT NULL,
    name          TEXT NOT NULL,
    pin_hash      TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    UNIQUE (brand_id, code)
);

-- A person at a device. What both may do is what the session may do.
CREATE TABLE IF NOT EXISTS staff_session (
    token_hash    TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    staff_id      TEXT NOT NULL REFERENCES staff (id),
    device_id     TEXT NOT NULL REFERENCES device (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ended_at_ms   BIGINT
);

-- Who did what, where and when. Append-only: the database refuses to change a row.
CREATE TABLE IF NOT EXISTS audit (
    id           TEXT PRIMARY KEY,
    brand_id     TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    device_id    TEXT NOT NULL,
    staff_id     TEXT NOT NULL,
    action       TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    doc          TEXT NOT NULL,
    at_ms        BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_place ON audit (brand_id, location_id, at_ms, id);
CREATE INDEX IF NOT EXISTS audit_subject ON audit (brand_id, subject_type, subject_id, at_ms);

-- A till's day, from its opening float to the drawer's count. One open day for a device.
CREATE TABLE IF NOT EXISTS till_day (
    id                  TEXT PRIMARY KEY,
    brand_id            TEXT NOT NULL,
    location_id         TEXT NOT NULL,
    device_id           TEXT NOT NULL REFERENCES device (id),
    currency            TEXT NOT NULL,
    opening_float_minor BIGINT NOT NULL CHECK (opening_float_minor >= 0),
    opened_at_ms        BIGINT NOT NULL,
    closed_at_ms        BIGINT,
    expected_minor      BIGINT,
    counted_minor       BIGINT,
    doc                 TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS till_day_open ON till_day (device_id) WHERE closed_at_ms IS NULL;

-- Cash into (positive) and out of (negative) a drawer. Append-only.
CREATE TABLE IF NOT EXISTS drawer_entry (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    till_day_id   TEXT NOT NULL REFERENCES till_day (id),
    kind          TEXT NOT NULL,
    amount_minor  BIGINT NOT NULL,
    document_type TEXT NOT NULL,
    document_id   TEXT NOT NULL,
    staff_id      TEXT NOT NULL,
    at_ms         BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS drawer_entry_day ON drawer_entry (till_day_id, at_ms);

-- What a scanner read, once for each sequence number of its device, however often it is sent.
CREATE TABLE IF NOT EXISTS device_scan (
    brand_id       TEXT NOT NULL,
    device_id      TEXT NOT NULL,
    sequence       BIGINT NOT NULL,
    task_type      TEXT NOT NULL,
    task_id        TEXT NOT NULL,
    zone           TEXT NOT NULL DEFAULT '',
    round          BIGINT NOT NULL DEFAULT 1,
    sku            TEXT NOT NULL,
    quantity       BIGINT NOT NULL,
    condition      TEXT NOT NULL DEFAULT 'good',
    staff_id       TEXT NOT NULL,
    -- The device's own time, corrected by how far its clock was off.
    scanned_at_ms  BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (device_id, sequence)
);
CREATE INDEX IF NOT EXISTS device_scan_task ON device_scan (brand_id, task_type, task_id, sku);

-- Corrections by counts, which are few: a count asks whether another one came before it.
CREATE INDEX IF NOT EXISTS stock_movement_count ON stock_movement (brand_id, location_id, at_ms) WHERE reason = 'count';

-- A count of a location or of some of its zones.
CREATE TABLE IF NOT EXISTS count_session (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    location_id   TEXT NOT NULL REFERENCES location (id),
    mode          TEXT NOT NULL CHECK (mode IN ('blind', 'guided')),
    status        TEXT NOT NULL CHECK (status IN ('open', 'review', 'approved', 'cancelled')),
    round         BIGINT NOT NULL DEFAULT 1,
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS count_session_place ON count_session (brand_id, location_id, status, created_at_ms);

-- Goods from outside, such as a supplier's, as announced and as they arrived.
CREATE TABLE IF NOT EXISTS delivery (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    location_id   TEXT NOT NULL REFERENCES location (id),
    reference     TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('expected', 'receiving', 'closed', 'cancelled')),
    doc           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (brand_id, reference)
);

-- How often something was tried within a window: limits hold across instances.
CREATE TABLE IF NOT EXISTS rate_limit (
    name            TEXT PRIMARY KEY,
    window_ends_ms  BIGINT NOT NULL,
    used            BIGINT NOT NULL
);

INSERT INTO schema_version (version, name) VALUES (3, 'stores_at_work') ON CONFLICT DO NOTHING;
