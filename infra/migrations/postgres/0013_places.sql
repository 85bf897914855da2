-- Locations by place, and the stock of an article summed by place: what is asked for near a
-- point, or for an article, reads a few rows and not one for each store. All of it follows
-- from other tables.

-- A location without its document, in a cell of the earth: a geohash of three characters,
-- some 150 km across. Who moves stays in the cell, so that what is summed by cell holds.
CREATE TABLE IF NOT EXISTS place (
    location_id   TEXT PRIMARY KEY,
    cell          TEXT NOT NULL,
    latitude_e7   BIGINT NOT NULL,
    longitude_e7  BIGINT NOT NULL,
    visible       BIGINT NOT NULL,
    hands_over    BIGINT NOT NULL,
    ships         BIGINT NOT NULL,
    warehouse     BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS place_cell_places ON place (cell, location_id);
CREATE INDEX IF NOT EXISTS place_ships ON place (warehouse DESC, location_id) WHERE ships = 1;

-- Counts what the places of a cell do: a sum of another version is to be made anew.
CREATE TABLE IF NOT EXISTS place_cell (
    cell    TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

-- What of an article can be promised in a cell, in units: `units` where shoppers may go, at
-- so many `places`; `collectable` where they can collect; `shippable` from where parcels leave.
-- `everywhere` also counts what lies where no shopper and no parcel does.
CREATE TABLE IF NOT EXISTS stock_cell (
    brand_id      TEXT NOT NULL,
    sku           TEXT NOT NULL,
    cell          TEXT NOT NULL,
    units         BIGINT NOT NULL,
    places        BIGINT NOT NULL,
    collectable   BIGINT NOT NULL,
    shippable     BIGINT NOT NULL,
    everywhere    BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (brand_id, sku, cell)
);

CREATE INDEX IF NOT EXISTS transfer_lane_to ON transfer_lane (brand_id, to_location_id, from_location_id);

-- The places that have most of an article come first.
CREATE INDEX IF NOT EXISTS stock_most ON stock (brand_id, sku, (on_hand - reserved - safety) DESC, location_id);

CREATE OR REPLACE VIEW location_place AS
SELECT id AS location_id,
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (east >> 7 & 1) * 16 + (north >> 6 & 1) * 8 + (east >> 6 & 1) * 4 + (north >> 5 & 1) * 2 + (east >> 5 & 1) * 1, 1) ||
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (north >> 4 & 1) * 16 + (east >> 4 & 1) * 8 + (north >> 3 & 1) * 4 + (east >> 3 & 1) * 2 + (north >> 2 & 1) * 1, 1) ||
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (east >> 2 & 1) * 16 + (north >> 1 & 1) * 8 + (east >> 1 & 1) * 4 + (north >> 0 & 1) * 2 + (east >> 0 & 1) * 1, 1) AS cell,
       latitude_e7, longitude_e7, visible,
       CASE WHEN visible = 1 AND pickup THEN 1 ELSE 0 END::BIGINT AS hands_over, ships, warehouse
FROM (SELECT id, latitude_e7, longitude_e7, visible, pickup, ships, warehouse,
             least(127, (latitude_e7 + 900000000) / 14062500)::INTEGER AS north,
             least(255, (longitude_e7 + 1800000000) / 14062500)::INTEGER AS east
      FROM (SELECT id,
                   coalesce((doc -> 'geo' ->> 'latitude_e7')::BIGINT, 0) AS latitude_e7,
                   coalesce((doc -> 'geo' ->> 'longitude_e7')::BIGINT, 0) AS longitude_e7,
                   coalesce((doc ->> 'visible')::BOOLEAN, false)::INTEGER::BIGINT AS visible,
                   coalesce((doc -> 'services' ->> 'pickup')::BOOLEAN, false) AS pickup,
                   coalesce((doc -> 'services' ->> 'ship')::BOOLEAN, false)::INTEGER::BIGINT AS ships,
                   coalesce(doc ->> 'kind' = 'warehouse', false)::INTEGER::BIGINT AS warehouse
            FROM (SELECT id, doc::JSONB AS doc FROM location) parsed) fields) placed;

CREATE OR REPLACE FUNCTION aisle_place_location() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM place WHERE location_id = OLD.id;
        RETURN NULL;
    END IF;
    INSERT INTO place (location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse)
    SELECT location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse
    FROM location_place WHERE location_id = NEW.id
    ON CONFLICT (location_id) DO UPDATE SET latitude_e7 = excluded.latitude_e7, longitude_e7 = excluded.longitude_e7,
        visible = excluded.visible, hands_over = excluded.hands_over, ships = excluded.ships, warehouse = excluded.warehouse;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER location_is_placed AFTER INSERT OR DELETE OR UPDATE OF doc ON location
    FOR EACH ROW EXECUTE FUNCTION aisle_place_location();

CREATE OR REPLACE FUNCTION aisle_version_cell() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO place_cell (cell, version) VALUES (NEW.cell, 1) ON CONFLICT DO NOTHING;
    ELSIF (OLD.visible, OLD.hands_over, OLD.ships) <> (NEW.visible, NEW.hands_over, NEW.ships) THEN
        UPDATE place_cell SET version = version + 1 WHERE cell = NEW.cell;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER place_is_versioned AFTER INSERT OR UPDATE ON place
    FOR EACH ROW EXECUTE FUNCTION aisle_version_cell();

CREATE OR REPLACE FUNCTION aisle_brand_moves() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    moved TEXT := coalesce(NEW.location_id, OLD.location_id);
BEGIN
    UPDATE place_cell SET version = version + 1 WHERE cell = (SELECT cell FROM place WHERE location_id = moved);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER brand_moves AFTER INSERT OR DELETE ON brand_location
    FOR EACH ROW EXECUTE FUNCTION aisle_brand_moves();

INSERT INTO place (location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse)
SELECT location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse
FROM location_place ON CONFLICT DO NOTHING;

INSERT INTO schema_version (version, name) VALUES (13, 'places') ON CONFLICT DO NOTHING;
