-- Shoppers across their devices: accounts, links in text messages, what they are told, and
-- what has changed since a device last asked. The conventions are those of 0001.

-- `doc` holds the personal data, so that erasing it is one change of one row. `erasing`: it is
-- gone from the account, and its orders are still being gone through.
-- `change_seq` numbers the account's changes without gaps; see account_change.
CREATE TABLE IF NOT EXISTS account (
    id              TEXT PRIMARY KEY,
    brand_id        TEXT NOT NULL REFERENCES brand (id),
    status          TEXT NOT NULL CHECK (status IN ('active', 'erasing', 'erased')),
    doc             TEXT NOT NULL,
    version         BIGINT NOT NULL,
    change_seq      BIGINT NOT NULL DEFAULT 0,
    created_at_ms   BIGINT NOT NULL,
    updated_at_ms   BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    erased_at_ms    BIGINT
);
CREATE INDEX IF NOT EXISTS account_retention ON account (status, last_seen_at_ms);

-- Where an account is reached, proved by a one-time code. `kind` is 'phone' (E.164) or
-- 'email' (lower case). An address belongs to one account of a brand.
CREATE TABLE IF NOT EXISTS account_identity (
    brand_id       TEXT NOT NULL REFERENCES brand (id),
    kind           TEXT NOT NULL CHECK (kind IN ('phone', 'email')),
    address        TEXT NOT NULL,
    account_id     TEXT NOT NULL REFERENCES account (id),
    verified_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, kind, address)
);
CREATE INDEX IF NOT EXISTS account_identity_account ON account_identity (brand_id, account_id);

-- A code that proves an address, hashed with its row's id (SHA-256, hex). Single use.
CREATE TABLE IF NOT EXISTS one_time_code (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    kind          TEXT NOT NULL CHECK (kind IN ('phone', 'email')),
    address       TEXT NOT NULL,
    code_hash     TEXT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms    BIGINT
);
CREATE INDEX IF NOT EXISTS one_time_code_expiry ON one_time_code (brand_id, expires_at_ms);
CREATE INDEX IF NOT EXISTS one_time_code_address ON one_time_code (brand_id, kind, address);

-- A device that is signed in. The access token is hashed (SHA-256, hex) and short-lived.
CREATE TABLE IF NOT EXISTS account_session (
    id                   TEXT PRIMARY KEY,
    brand_id             TEXT NOT NULL REFERENCES brand (id),
    account_id           TEXT NOT NULL REFERENCES account (id),
    device_name          TEXT NOT NULL,
    access_hash          TEXT NOT NULL UNIQUE,
    access_expires_at_ms BIGINT NOT NULL,
    created_at_ms        BIGINT NOT NULL,
    last_used_at_ms      BIGINT NOT NULL,
    -- When nobody has refreshed it by then, it is over.
    expires_at_ms        BIGINT NOT NULL,
    revoked_at_ms        BIGINT,
    -- 'signed_out', 'revoked', 'reuse', 'erased'.
    revoked_because      TEXT
);
CREATE INDEX IF NOT EXISTS account_session_account ON account_session (brand_id, account_id, created_at_ms);
CREATE INDEX IF NOT EXISTS account_session_expiry ON account_session (brand_id, expires_at_ms);

-- Every refresh token that a session was ever given: one that comes twice was stolen. The
-- tokens that it was exchanged for are made of it and the salt, so that an answer which was
-- lost can be given again for a moment; they are not kept.
CREATE TABLE IF NOT EXISTS account_refresh (
    token_hash     TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    session_id     TEXT NOT NULL REFERENCES account_session (id),
    issued_at_ms   BIGINT NOT NULL,
    used_at_ms     BIGINT,
    -- Of the request that used it: its Idempotency-Key, hashed.
    used_key       TEXT,
    -- Wiped when its successor is exchanged in turn.
    salt           TEXT,
    successor_hash TEXT
);
CREATE INDEX IF NOT EXISTS account_refresh_session ON account_refresh (session_id);

-- Whose order it is. An order without a row belongs to whoever knows its id.
CREATE TABLE IF NOT EXISTS account_order (
    brand_id       TEXT NOT NULL,
    order_id       TEXT NOT NULL REFERENCES customer_order (id),
    account_id     TEXT NOT NULL REFERENCES account (id),
    attached_at_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, order_id)
);
CREATE INDEX IF NOT EXISTS account_order_account ON account_order (brand_id, account_id, order_id);

-- Whose order a checkout will be: of who signed in while it was open.
CREATE TABLE IF NOT EXISTS account_checkout (
    brand_id            TEXT NOT NULL,
    checkout_session_id TEXT NOT NULL REFERENCES checkout_session (id),
    account_id          TEXT NOT NULL REFERENCES account (id),
    PRIMARY KEY (brand_id, checkout_session_id)
);
CREATE INDEX IF NOT EXISTS account_checkout_account ON account_checkout (brand_id, account_id);

-- The one live cart of an account. A cart without a row belongs to whoever knows its id.
CREATE TABLE IF NOT EXISTS account_cart (
    brand_id   TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    cart_id    TEXT NOT NULL UNIQUE REFERENCES cart (id),
    PRIMARY KEY (brand_id, account_id)
);

-- The latest change of each thing that an account has, numbered by `account.change_seq`: a
-- device that was away reads what is beyond its number, each thing once. `kind` is 'cart',
-- 'order', 'invite' or 'notice'. A deleted thing stays as a tombstone.
CREATE TABLE IF NOT EXISTS account_change (
    brand_id   TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    kind       TEXT NOT NULL CHECK (kind IN ('cart', 'order', 'invite', 'notice')),
    subject_id TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    deleted    BIGINT NOT NULL DEFAULT 0,
    at_ms      BIGINT NOT NULL,
    PRIMARY KEY (brand_id, account_id, kind, subject_id)
);
CREATE INDEX IF NOT EXISTS account_change_seq ON account_change (brand_id, account_id, seq);

-- What a till scans to know a customer: short-lived, hashed (SHA-256, hex).
CREATE TABLE IF NOT EXISTS customer_code (
    code_hash     TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL,
    account_id    TEXT NOT NULL REFERENCES account (id),
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS customer_code_expiry ON customer_code (expires_at_ms);
CREATE INDEX IF NOT EXISTS customer_code_account ON customer_code (brand_id, account_id);

-- Earlier states of a cart: what a device changed is told from what it did not know of.
CREATE TABLE IF NOT EXISTS cart_version (
    brand_id TEXT NOT NULL,
    cart_id  TEXT NOT NULL REFERENCES cart (id),
    version  BIGINT NOT NULL,
    doc      TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (brand_id, cart_id, version)
);

-- Where a cart went that became part of an account's.
CREATE TABLE IF NOT EXISTS cart_merged (
    brand_id     TEXT NOT NULL,
    cart_id      TEXT NOT NULL REFERENCES cart (id),
    into_cart_id TEXT NOT NULL REFERENCES cart (id),
    account_id   TEXT NOT NULL REFERENCES account (id),
    at_ms        BIGINT NOT NULL,
    PRIMARY KEY (brand_id, cart_id)
);
CREATE INDEX IF NOT EXISTS cart_merged_account ON cart_merged (brand_id, account_id);

-- What a person agreed to, and took back. Append-only. `decision` is 'given' or 'withdrawn',
-- `source` says where: 'invite', 'account', 'till', 'sms_keyword', 'page'.
CREATE TABLE IF NOT EXISTS consent (
    id              TEXT PRIMARY KEY,
    brand_id        TEXT NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    address         TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    wording_version TEXT NOT NULL,
    decision        TEXT NOT NULL CHECK (decision IN ('given', 'withdrawn')),
    source          TEXT NOT NULL,
    at_ms           BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS consent_address ON consent (brand_id, channel, address, at_ms);

-- Who said STOP to a brand: nothing is sent there until they say START.
CREATE TABLE IF NOT EXISTS opt_out (
    brand_id TEXT NOT NULL,
    channel  TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    address  TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (brand_id, channel, address)
);

-- Who is told what happens to an order.
CREATE TABLE IF NOT EXISTS order_contact (
    brand_id      TEXT NOT NULL,
    order_id      TEXT NOT NULL REFERENCES customer_order (id),
    channel       TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    address       TEXT NOT NULL,
    -- BCP 47, such as 'de'.
    locale        TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    -- Not told any more since then.
    ended_at_ms   BIGINT,
    PRIMARY KEY (brand_id, order_id, channel, address)
);
CREATE INDEX IF NOT EXISTS order_contact_address ON order_contact (brand_id, channel, address);

-- A link that was texted to somebody. The code is hashed (SHA-256, hex). `subject_id` is the
-- id of the order, cart or account that its scope names; it opens nothing else.
CREATE TABLE IF NOT EXISTS invite (
    id            TEXT PRIMARY KEY,
    brand_id      TEXT NOT NULL REFERENCES brand (id),
    code_hash     TEXT NOT NULL UNIQUE,
    scope         TEXT NOT NULL CHECK (scope IN ('order', 'cart', 'account')),
    subject_id    TEXT NOT NULL,
    -- Who asked for it, when they were signed in.
    account_id    TEXT,
    channel       TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    -- Empty once it has been forgotten.
    address       TEXT NOT NULL,
    locale        TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    -- When a person, as far as can be told, first followed it.
    opened_at_ms  BIGINT,
    -- Whose device it was linked to after signing in; for everybody else it is used up then.
    claimed_by    TEXT,
    claimed_at_ms BIGINT,
    revoked_at_ms BIGINT
);
CREATE INDEX IF NOT EXISTS invite_subject ON invite (brand_id, scope, subject_id);
CREATE INDEX IF NOT EXISTS invite_retention ON invite (brand_id, expires_at_ms) WHERE address <> '';

-- An event of an order that its contacts may want to know. Told together with those that
-- follow within `due_at_ms`; once, however often the relay sees the event.
CREATE TABLE IF NOT EXISTS notice (
    event_id       TEXT PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    type           TEXT NOT NULL,
    doc            TEXT NOT NULL,
    occurred_at_ms BIGINT NOT NULL,
    due_at_ms      BIGINT NOT NULL,
    done_at_ms     BIGINT
);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_at_ms) WHERE done_at_ms IS NULL;

-- A text or mail. `params` fill the template and are wiped when nothing is to be sent any
-- more, for they may hold a code or a link. One for each `dedup_key` of a brand, ever.
CREATE TABLE IF NOT EXISTS message (
    id                 TEXT PRIMARY KEY,
    brand_id           TEXT NOT NULL REFERENCES brand (id),
    dedup_key          TEXT NOT NULL,
    channel            TEXT NOT NULL CHECK (channel IN ('sms', 'email')),
    address            TEXT NOT NULL,
    -- 'code', 'invite' or 'update': who may be sent what, and when.
    purpose            TEXT NOT NULL,
    template           TEXT NOT NULL,
    locale             TEXT NOT NULL,
    params             TEXT NOT NULL,
    order_id           TEXT,
    account_id         TEXT,
    invite_id          TEXT,
    -- The message that could not be delivered and that this one is sent instead of.
    fallback_of        TEXT,
    status             TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'suppressed')),
    attempts           BIGINT NOT NULL DEFAULT 0,
    next_attempt_at_ms BIGINT NOT NULL,
    -- Not sent any more after this.
    expires_at_ms      BIGINT NOT NULL,
    provider           TEXT,
    provider_reference TEXT,
    -- Of the words that the provider was given (SHA-256, hex): when it is not known whether it
    -- took them, they are looked for among what it has sent.
    body_hash          TEXT,
    claimed_at_ms      BIGINT,
    -- The provider's code, or ours: why it failed or was suppressed.
    failure            TEXT,
    created_at_ms      BIGINT NOT NULL,
    updated_at_ms      BIGINT NOT NULL,
    UNIQUE (brand_id, dedup_key)
);
CREATE INDEX IF NOT EXISTS message_due ON message (next_attempt_at_ms) WHERE status IN ('queued', 'sending');
CREATE INDEX IF NOT EXISTS message_order ON message (brand_id, order_id, created_at_ms);
CREATE INDEX IF NOT EXISTS message_reference ON message (provider_reference);
CREATE INDEX IF NOT EXISTS message_address ON message (brand_id, channel, address);

-- What the sandbox was given to send: for development, where no provider is at hand.
CREATE TABLE IF NOT EXISTS sandbox_message (
    id       TEXT PRIMARY KEY,
    brand_id TEXT NOT NULL,
    channel  TEXT NOT NULL,
    address  TEXT NOT NULL,
    -- Of a mail.
    subject  TEXT,
    text     TEXT NOT NULL,
    at_ms    BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS sandbox_message_age ON sandbox_message (at_ms);

-- How far the forgetting of personal data has come: what a brand last changed before that, of
-- this kind, knows nobody any more. The schedule is the brand's policy `retention`.
CREATE TABLE IF NOT EXISTS retention_progress (
    brand_id TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('checkout_session', 'customer_order', 'hold')),
    up_to_ms BIGINT NOT NULL,
    up_to_id TEXT NOT NULL,
    PRIMARY KEY (brand_id, kind)
);

-- Where a person is to be found when they are to be forgotten.
CREATE INDEX IF NOT EXISTS invite_address ON invite (brand_id, channel, address) WHERE address <> '';
CREATE INDEX IF NOT EXISTS invite_account ON invite (brand_id, account_id) WHERE account_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_account ON message (brand_id, account_id) WHERE account_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_invite ON message (brand_id, invite_id) WHERE invite_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_order ON notice (brand_id, order_id);
CREATE INDEX IF NOT EXISTS outbox_aggregate ON outbox (aggregate_id);
CREATE INDEX IF NOT EXISTS checkout_session_retention ON checkout_session (brand_id, updated_at_ms, id);
CREATE INDEX IF NOT EXISTS customer_order_retention ON customer_order (brand_id, updated_at_ms, id);
CREATE INDEX IF NOT EXISTS hold_retention ON hold (brand_id, updated_at_ms, id);
CREATE INDEX IF NOT EXISTS cart_retention ON cart (brand_id, updated_at_ms);
CREATE INDEX IF NOT EXISTS invite_retention ON invite (brand_id, expires_at_ms) WHERE address <> '';
CREATE INDEX IF NOT EXISTS message_retention ON message (brand_id, created_at_ms) WHERE address <> '';

INSERT INTO schema_version (version, name) VALUES (5, 'shoppers') ON CONFLICT DO NOTHING;
