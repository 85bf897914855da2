//! Locations in the read model: a document for each, a compact row of each in the piece of
//! its cell, and the list of cells, by which the nearest are found.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use aisle_domain::id::is_id;
use aisle_domain::location::Location;
use aisle_domain::places::{Cell, Extent, Place};

use super::load::{SEQ, doc, json_array, to_json};
use super::{Model, Read, SLOW_TTL_MS};
use crate::{Doc, Row, StoreError, memory, now_ms, values};

/// No code has more bytes: what is longer names nothing.
const MAX_CODE_BYTES: usize = 1_024;

/// Some of a brand's locations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Locations {
    pub all: Vec<Location>,
}

impl Model<'_> {
    /// The brand's location with this id.
    pub async fn location(
        &self,
        brand_id: &str,
        id: &str,
    ) -> Result<Option<Rc<Read<Location>>>, StoreError> {
        let found = self.location_docs(brand_id, &[id.to_owned()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The IANA name of the location's time zone; UTC for one that the brand has left.
    pub async fn time_zone(&self, brand_id: &str, id: &str) -> Result<String, StoreError> {
        let location = self.location(brand_id, id).await?;
        Ok(location.map_or_else(|| "UTC".into(), |location| location.time_zone.clone()))
    }

    /// The brand's locations among `ids`, each once, in order of their codes.
    pub async fn locations(
        &self,
        brand_id: &str,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Locations, StoreError> {
        let mut ids: Vec<String> = ids.into_iter().map(Into::into).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.location_docs(brand_id, &ids).await?.into_iter();
        let mut all: Vec<Location> = found.flatten().map(|read| read.value.clone()).collect();
        all.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(Locations { all })
    }

    /// What each id or code names among the brand's locations.
    pub async fn locations_named(
        &self,
        brand_id: &str,
        names: &[&str],
    ) -> Result<Vec<Option<Rc<Read<Location>>>>, StoreError> {
        let codes: Vec<String> = names
            .iter()
            .filter(|name| !is_id(name) && name.len() <= MAX_CODE_BYTES)
            .map(ToString::to_string)
            .collect();
        let key = |code: &String| code_key(brand_id, code);
        let load = async |missing: &[String]| self.load_codes(brand_id, missing).await;
        let by_code = self.remembered::<_, String>(&codes, key, load).await?;
        let by_code: HashMap<&String, String> = codes
            .iter()
            .zip(by_code)
            .filter_map(|(code, id)| Some((code, id?.value.clone())))
            .collect();
        let ids = names
            .iter()
            .map(|name| match by_code.get(&name.to_string()) {
                Some(id) => id.clone(),
                None => name.chars().take(MAX_CODE_BYTES).collect(),
            });
        let ids: Vec<String> = ids.collect();
        let found = self.location_docs(brand_id, &ids).await?.into_iter();
        let is_meant = |(location, name): (Option<Rc<Read<Location>>>, &&str)| {
            location.filter(|one| one.id == **name || one.code == **name)
        };
        Ok(found.zip(names).map(is_meant).collect())
    }

    /// The cells in which the brand trades.
    pub async fn cells(&self, brand_id: &str) -> Result<Rc<Vec<Cell>>, StoreError> {
        let key = cells_key(brand_id);
        if let Some(cells) = memory::get(&key) {
            return Ok(cells);
        }
        let cells = self
            .one::<Vec<Cell>>(&key, async || self.load_cells(brand_id).await)
            .await?;
        let bytes = super::PARSED * cells.bytes;
        let cells = Rc::new(cells.value);
        memory::keep_of(&key, Rc::clone(&cells), bytes);
        Ok(cells)
    }

    /// The brand's places in each of the cells, in order of their codes.
    pub async fn places_in(
        &self,
        brand_id: &str,
        cells: &[String],
    ) -> Result<Vec<Rc<Read<Vec<Place>>>>, StoreError> {
        let key = |cell: &String| cell_key(brand_id, cell);
        let load = async |missing: &[String]| self.load_places(brand_id, missing).await;
        let found = self.remembered(cells, key, load).await?.into_iter();
        let none = || Read {
            version: 0,
            as_of_ms: now_ms(),
            value: Vec::new(),
            bytes: 0,
        };
        Ok(found
            .map(|found| found.unwrap_or_else(|| Rc::new(none())))
            .collect())
    }

    /// The places of the brand that shoppers see, by name.
    pub async fn directory(&self, brand_id: &str) -> Result<Rc<Vec<Place>>, StoreError> {
        let key = format!("{brand_id}/directory");
        if let Some(all) = memory::get(&key) {
            return Ok(all);
        }
        let cells = self.cells(brand_id).await?;
        let names: Vec<String> = cells.iter().map(|cell| cell.cell.clone()).collect();
        let pieces = self.places_in(brand_id, &names).await?;
        let bytes = pieces.iter().map(|piece| super::PARSED * piece.bytes).sum();
        let places = pieces.iter().flat_map(|piece| piece.iter());
        let mut all: Vec<Place> = places.filter(|place| place.visible).cloned().collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let all = Rc::new(all);
        memory::keep_of(&key, Rc::clone(&all), bytes);
        Ok(all)
    }

    /// Brings the documents of these locations, their cells, and the list of cells up to
    /// date, as far as they have changed.
    pub async fn refresh_locations(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT DISTINCT cell FROM place WHERE location_id {}",
            self.db.dialect().among("?1")
        );
        let rows = self.db.query(sql, values![json_array(ids)]).await?;
        let cells = rows.iter().map(|row| row.text("cell"));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let mut docs = self.load_locations(brand_id, ids).await?;
        let mut gone: Vec<String> = ids.iter().map(|id| location_key(brand_id, id)).collect();
        gone.retain(|key| !docs.contains_key(key));
        docs.extend(self.load_places(brand_id, &cells).await?);
        let emptied = cells.iter().map(|cell| cell_key(brand_id, cell));
        gone.extend(emptied.filter(|key| !docs.contains_key(key)));
        let codes = docs.values().filter_map(|doc| doc.json::<Location>().ok());
        let codes: Vec<String> = codes.map(|location| location.code).collect();
        docs.extend(self.load_codes(brand_id, &codes).await?);
        let key = cells_key(brand_id);
        let list = self.load_cells(brand_id).await?;
        let known = self.kv.get_doc(&key).await;
        if known.is_none_or(|known| known.body != list.body) {
            docs.insert(key, list);
        }
        docs.keys().chain(&gone).for_each(|key| memory::forget(key));
        self.kv
            .put_many(&docs.into_iter().collect::<Vec<_>>())
            .await?;
        self.kv.delete_many(&gone).await
    }

    async fn location_docs(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<Vec<Option<Rc<Read<Location>>>>, StoreError> {
        let key = |id: &String| location_key(brand_id, id);
        let load = async |missing: &[String]| self.load_locations(brand_id, missing).await;
        self.remembered(ids, key, load).await
    }

    async fn load_locations(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT l.id, l.doc, {SEQ} AS seq FROM location l \
             JOIN brand_location b ON b.brand_id = ?1 AND b.location_id = l.id WHERE l.id {}",
            self.db.dialect().among("?2")
        );
        let rows = self
            .db
            .query(sql, values![brand_id, json_array(ids)])
            .await?;
        let entry = |row: &Row| -> Result<_, StoreError> {
            let body = row.text("doc")?.into_bytes();
            let doc = doc(row.int("seq")?, as_of_ms, SLOW_TTL_MS, body);
            Ok((location_key(brand_id, &row.text("id")?), doc))
        };
        rows.iter().map(entry).collect()
    }

    async fn load_codes(
        &self,
        brand_id: &str,
        codes: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT l.code, l.id, {SEQ} AS seq FROM location l \
             JOIN brand_location b ON b.brand_id = ?1 AND b.location_id = l.id WHERE l.code {}",
            self.db.dialect().among("?2")
        );
        let rows = self
            .db
            .query(sql, values![brand_id, json_array(codes)])
            .await?;
        let entry = |row: &Row| -> Result<_, StoreError> {
            let doc = doc(
                row.int("seq")?,
                as_of_ms,
                SLOW_TTL_MS,
                to_json(&row.text("id")?)?,
            );
            Ok((code_key(brand_id, &row.text("code")?), doc))
        };
        rows.iter().map(entry).collect()
    }

    /// The places of each cell that has any.
    async fn load_places(
        &self,
        brand_id: &str,
        cells: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT p.cell, l.doc, {SEQ} AS seq FROM place p \
             JOIN brand_location b ON b.brand_id = ?1 AND b.location_id = p.location_id \
             JOIN location l ON l.id = p.location_id WHERE p.cell {} ORDER BY l.code",
            self.db.dialect().among("?2")
        );
        let rows = self
            .db
            .query(sql, values![brand_id, json_array(cells)])
            .await?;
        let mut version = 0;
        let mut found = BTreeMap::<String, Vec<Place>>::new();
        for row in &rows {
            version = row.int("seq")?;
            let location: Location = row.json("doc")?;
            let cell = row.text("cell")?;
            let place = Place::new(&location, &cell);
            found.entry(cell).or_default().push(place);
        }
        let entry = |(cell, places): (String, Vec<Place>)| -> Result<_, StoreError> {
            let doc = doc(version, as_of_ms, SLOW_TTL_MS, to_json(&places)?);
            Ok((cell_key(brand_id, &cell), doc))
        };
        found.into_iter().map(entry).collect()
    }

    async fn load_cells(&self, brand_id: &str) -> Result<Doc, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT p.cell, min(p.latitude_e7) AS south, min(p.longitude_e7) AS west, \
             max(p.latitude_e7) AS north, max(p.longitude_e7) AS east, \
             CAST(sum(p.visible) AS BIGINT) AS visible, CAST(sum(p.hands_over) AS BIGINT) AS hands_over, \
             {SEQ} AS seq FROM brand_location b JOIN place p ON p.location_id = b.location_id \
             WHERE b.brand_id = ?1 GROUP BY p.cell ORDER BY p.cell"
        );
        let rows = self.db.query(sql, values![brand_id]).await?;
        let version = rows.first().map_or(Ok(0), |row| row.int("seq"))?;
        let cell = |row: &Row| -> Result<_, StoreError> {
            Ok(Cell {
                cell: row.text("cell")?,
                extent: Extent(
                    row.int("south")?,
                    row.int("west")?,
                    row.int("north")?,
                    row.int("east")?,
                ),
                visible: row.int("visible")?,
                hands_over: row.int("hands_over")?,
            })
        };
        let cells = rows.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok(doc(version, as_of_ms, SLOW_TTL_MS, to_json(&cells)?))
    }
}

fn location_key(brand_id: &str, id: &str) -> String {
    format!("{brand_id}/location/{id}")
}

fn code_key(brand_id: &str, code: &str) -> String {
    format!("{brand_id}/ref/location/{code}")
}

fn cells_key(brand_id: &str) -> String {
    format!("{brand_id}/cells")
}

fn cell_key(brand_id: &str, cell: &str) -> String {
    format!("{brand_id}/cell/{cell}")
}
