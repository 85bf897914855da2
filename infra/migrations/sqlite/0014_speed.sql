-- Indexes by which due work is found.

-- By their age: what is kept for a while.
CREATE INDEX IF NOT EXISTS outbox_done ON outbox (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS notice_done ON notice (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS rate_limit_age ON rate_limit (window_ends_ms);
CREATE INDEX IF NOT EXISTS presence_expiry ON presence (expires_at_ms);

-- By when somebody has to look: what is open.
CREATE INDEX IF NOT EXISTS cart_expiry ON cart (expires_at_ms, id) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS payment_started ON payment (updated_at_ms) WHERE status = 'started';
CREATE INDEX IF NOT EXISTS transfer_due ON transfer (expires_at_ms) WHERE status IN ('requested', 'reserved');
CREATE INDEX IF NOT EXISTS instalment_reminder ON instalment (due_at_ms) WHERE status = 'due' AND reminded_at_ms IS NULL;
CREATE INDEX IF NOT EXISTS pickup_waiting ON pickup (brand_id, pickup_by_ms) WHERE status IN ('preparing', 'ready');
CREATE INDEX IF NOT EXISTS message_expiry ON message (expires_at_ms, id) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS message_told ON message (updated_at_ms) WHERE status = 'sent' AND params <> '{}';

-- By brand and age: what a policy keeps for so many days.
CREATE INDEX IF NOT EXISTS customer_code_retention ON customer_code (brand_id, expires_at_ms);
CREATE INDEX IF NOT EXISTS sandbox_message_retention ON sandbox_message (brand_id, at_ms);
CREATE INDEX IF NOT EXISTS account_session_revoked ON account_session (brand_id, revoked_at_ms) WHERE revoked_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkout_session_left ON checkout_session (brand_id, updated_at_ms, id)
    WHERE status IN ('incomplete', 'ready_for_complete', 'canceled');
CREATE INDEX IF NOT EXISTS consent_age ON consent (brand_id, at_ms);
CREATE INDEX IF NOT EXISTS opt_out_age ON opt_out (brand_id, since_ms);
CREATE INDEX IF NOT EXISTS account_unused ON account (brand_id, last_seen_at_ms) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS account_erasing ON account (brand_id, last_seen_at_ms) WHERE status = 'erasing';

-- By what a row refers to: so that what is referred to can go without a search for who refers.
CREATE INDEX IF NOT EXISTS cart_version_cart ON cart_version (cart_id);
CREATE INDEX IF NOT EXISTS cart_merged_cart ON cart_merged (cart_id);
CREATE INDEX IF NOT EXISTS cart_merged_into ON cart_merged (into_cart_id);
CREATE INDEX IF NOT EXISTS account_checkout_checkout ON account_checkout (checkout_session_id);

-- By order and by address alone, whatever the brand.
CREATE INDEX IF NOT EXISTS order_contact_order ON order_contact (order_id);
CREATE INDEX IF NOT EXISTS opt_out_address ON opt_out (address);
CREATE INDEX IF NOT EXISTS notice_open ON notice (order_id) WHERE done_at_ms IS NULL;

INSERT INTO schema_version (version, name) VALUES (14, 'speed') ON CONFLICT DO NOTHING;
