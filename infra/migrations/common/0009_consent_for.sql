-- What a consent was given for. The conventions are those of 0001.

-- An order, a cart or an account: with it goes the address that agreed, when its person is
-- forgotten.
CREATE TABLE IF NOT EXISTS consent_for (
    consent_id TEXT PRIMARY KEY REFERENCES consent (id),
    brand_id   TEXT NOT NULL,
    scope      TEXT NOT NULL CHECK (scope IN ('order', 'cart', 'account')),
    subject_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS consent_for_subject ON consent_for (brand_id, scope, subject_id);

INSERT INTO schema_version (version, name) VALUES (9, 'consent_for') ON CONFLICT DO NOTHING;
