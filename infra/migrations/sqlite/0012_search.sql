-- Search by tokens that our own code makes (domain/src/search). The conventions are those of
-- 0001; what counts listed products by category is the same text for PostgreSQL.

-- Every product has a row, also one that shoppers do not see: it keeps its place in the order.
CREATE TABLE IF NOT EXISTS search_entry (
    -- The order of the answers, latest first. Given once, when the product is first stored.
    ord            INTEGER PRIMARY KEY,
    brand_id       TEXT NOT NULL,
    product_id     TEXT NOT NULL UNIQUE,
    -- How its tokens were made; 0: they are still to be made.
    tokens_version BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS search_entry_version ON search_entry (tokens_version);
CREATE INDEX IF NOT EXISTS search_entry_brand ON search_entry (brand_id, ord);

-- `rowid` is `search_entry.ord`; only products that shoppers see are in it.
CREATE VIRTUAL TABLE IF NOT EXISTS search_index
    USING fts5 (tokens, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

-- The categories of products that shoppers see.
CREATE TABLE IF NOT EXISTS search_category (
    brand_id   TEXT NOT NULL,
    category   TEXT NOT NULL,
    product_id TEXT NOT NULL,
    PRIMARY KEY (product_id, category)
);

-- How many products that shoppers see are in a category; '': in all of the brand's.
CREATE TABLE IF NOT EXISTS category_count (
    brand_id TEXT NOT NULL,
    category TEXT NOT NULL,
    products BIGINT NOT NULL,
    PRIMARY KEY (brand_id, category)
);

-- What was stored before gets its tokens from the housekeeping of the catalog.
INSERT INTO search_entry (brand_id, product_id, tokens_version)
    SELECT brand_id, id, 0 FROM product WHERE NOT EXISTS (SELECT 1 FROM search_entry) ORDER BY id;

DROP TABLE IF EXISTS product_search;
DROP TABLE IF EXISTS product_search_row;
DROP TABLE IF EXISTS product_category;

INSERT INTO schema_version (version, name) VALUES (12, 'search') ON CONFLICT DO NOTHING;
