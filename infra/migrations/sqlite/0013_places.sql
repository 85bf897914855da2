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
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS transfer_lane_to ON transfer_lane (brand_id, to_location_id, from_location_id);

-- The places that have most of an article come first.
CREATE INDEX IF NOT EXISTS stock_most ON stock (brand_id, sku, (on_hand - reserved - safety) DESC, location_id);

CREATE VIEW IF NOT EXISTS location_place AS
SELECT id AS location_id,
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (east >> 7 & 1) * 16 + (north >> 6 & 1) * 8 + (east >> 6 & 1) * 4 + (north >> 5 & 1) * 2 + (east >> 5 & 1) * 1, 1) ||
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (north >> 4 & 1) * 16 + (east >> 4 & 1) * 8 + (north >> 3 & 1) * 4 + (east >> 3 & 1) * 2 + (north >> 2 & 1) * 1, 1) ||
       substr('0123456789bcdefghjkmnpqrstuvwxyz', 1 + (east >> 2 & 1) * 16 + (north >> 1 & 1) * 8 + (east >> 1 & 1) * 4 + (north >> 0 & 1) * 2 + (east >> 0 & 1) * 1, 1) AS cell,
       latitude_e7, longitude_e7, visible,
       CASE WHEN visible = 1 AND pickup = 1 THEN 1 ELSE 0 END AS hands_over, ships, warehouse
FROM (SELECT id, latitude_e7, longitude_e7, visible, pickup, ships, warehouse,
             min(127, (latitude_e7 + 900000000) / 14062500) AS north,
             min(255, (longitude_e7 + 1800000000) / 14062500) AS east
      FROM (SELECT id,
                   CAST(coalesce(doc ->> '$.geo.latitude_e7', 0) AS INTEGER) AS latitude_e7,
                   CAST(coalesce(doc ->> '$.geo.longitude_e7', 0) AS INTEGER) AS longitude_e7,
                   coalesce(doc ->> '$.visible', 0) AS visible,
                   coalesce(doc ->> '$.services.pickup', 0) AS pickup,
                   coalesce(doc ->> '$.services.ship', 0) AS ships,
                   CASE WHEN doc ->> '$.kind' = 'warehouse' THEN 1 ELSE 0 END AS warehouse
            FROM location));

CREATE TRIGGER IF NOT EXISTS location_is_put AFTER INSERT ON location BEGIN
    INSERT INTO place (location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse)
    SELECT location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse
    FROM location_place WHERE location_id = NEW.id ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER IF NOT EXISTS location_is_changed AFTER UPDATE OF doc ON location BEGIN
    UPDATE place SET (latitude_e7, longitude_e7, visible, hands_over, ships, warehouse) =
        (SELECT latitude_e7, longitude_e7, visible, hands_over, ships, warehouse
         FROM location_place WHERE location_place.location_id = NEW.id)
    WHERE location_id = NEW.id;
END;

CREATE TRIGGER IF NOT EXISTS location_is_removed AFTER DELETE ON location BEGIN
    DELETE FROM place WHERE location_id = OLD.id;
END;

CREATE TRIGGER IF NOT EXISTS place_is_put AFTER INSERT ON place BEGIN
    INSERT INTO place_cell (cell, version) VALUES (NEW.cell, 1) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER IF NOT EXISTS place_is_changed AFTER UPDATE ON place
WHEN OLD.visible <> NEW.visible OR OLD.hands_over <> NEW.hands_over OR OLD.ships <> NEW.ships BEGIN
    UPDATE place_cell SET version = version + 1 WHERE cell = NEW.cell;
END;

CREATE TRIGGER IF NOT EXISTS brand_comes AFTER INSERT ON brand_location BEGIN
    UPDATE place_cell SET version = version + 1 WHERE cell = (SELECT cell FROM place WHERE location_id = NEW.location_id);
END;

CREATE TRIGGER IF NOT EXISTS brand_goes AFTER DELETE ON brand_location BEGIN
    UPDATE place_cell SET version = version + 1 WHERE cell = (SELECT cell FROM place WHERE location_id = OLD.location_id);
END;

INSERT INTO place (location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse)
SELECT location_id, cell, latitude_e7, longitude_e7, visible, hands_over, ships, warehouse
FROM location_place WHERE true ON CONFLICT DO NOTHING;

INSERT INTO schema_version (version, name) VALUES (13, 'places') ON CONFLICT DO NOTHING;
