-- By what address the person in a document is known, so that whoever proved the address is
-- shown what is kept of them, and forgotten.

CREATE INDEX IF NOT EXISTS customer_order_email ON customer_order (brand_id, lower(doc::jsonb #>> '{buyer,email}'));
CREATE INDEX IF NOT EXISTS customer_order_phone ON customer_order (brand_id, (doc::jsonb #>> '{buyer,phone_number}'));
CREATE INDEX IF NOT EXISTS checkout_session_email ON checkout_session (brand_id, lower(doc::jsonb #>> '{buyer,email}'));
CREATE INDEX IF NOT EXISTS checkout_session_phone ON checkout_session (brand_id, (doc::jsonb #>> '{buyer,phone_number}'));
CREATE INDEX IF NOT EXISTS cart_email ON cart (brand_id, lower(doc::jsonb #>> '{buyer,email}'));
CREATE INDEX IF NOT EXISTS cart_phone ON cart (brand_id, (doc::jsonb #>> '{buyer,phone_number}'));
CREATE INDEX IF NOT EXISTS hold_email ON hold (brand_id, lower(doc::jsonb #>> '{contact,email}'));
CREATE INDEX IF NOT EXISTS hold_phone ON hold (brand_id, (doc::jsonb #>> '{contact,phone_number}'));

INSERT INTO schema_version (version, name) VALUES (10, 'known_by') ON CONFLICT DO NOTHING;
