//! Stock in the read model: of each SKU a summary by cell, and the levels of each cell in a
//! piece of its own, so that a change rewrites these two and nothing else.
//!
//! The sums are rows (`stock_cell`). The relay brings those up to date of which an event
//! says that something changed; a reading makes up for sums that are missing or of another
//! version of their cell's places, and leaves them behind.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::load::{SEQ, doc, json_array, to_json};
use super::{Model, Read, STOCK_TTL_MS};
use crate::{Batch, Dialect, Doc, StoreError, Value, memory, now_ms, values};

/// Units that can be promised of a row `s` of table `stock`, as SQL.
const FREE: &str =
    "CASE WHEN s.on_hand - s.reserved > s.safety THEN s.on_hand - s.reserved - s.safety ELSE 0 END";

/// So many of the places that have most of an article are kept, for who asks without a place.
const MOST: usize = 51;

/// What can be promised of a SKU. Units are on hand, less what is reserved or kept back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    pub sku: String,
    /// When a balance last changed; absent when there never was one.
    pub changed_at_ms: Option<i64>,
    /// At places that shoppers see.
    pub units: i64,
    /// Those that have any.
    pub places: i64,
    /// Where shoppers collect.
    pub collectable: i64,
    /// From where parcels leave.
    pub shippable: i64,
    /// At all places, also at those that only send goods to others.
    pub everywhere: i64,
    /// [`CellSum`]s: most who ask do not look at them.
    cells: Box<RawValue>,
}

/// What a cell has of a SKU that shoppers can go to: cell, units, places, units to collect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CellSum(pub String, pub i64, pub i64, pub i64);

impl Summary {
    /// The cells that have any, in no order.
    pub fn cells(&self) -> Result<Vec<CellSum>, StoreError> {
        serde_json::from_str(self.cells.get())
            .map_err(|error| StoreError::Bug(format!("the cells of a summary: {error}")))
    }
}

/// What a location has: its id, the units that can be promised, and those that nobody holds,
/// more than none, of which some may be kept back from online sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level(pub String, pub i64, pub i64);

/// A place that has many units of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Most {
    pub location_id: String,
    pub cell: String,
    pub units: i64,
}

/// A balance that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StockChange {
    pub sku: String,
    /// Empty: any of them.
    pub location_id: String,
}

impl Model<'_> {
    /// The stock of each SKU, in the order asked for; `None` for what the brand has not.
    pub async fn stock(
        &self,
        brand_id: &str,
        skus: &[String],
    ) -> Result<Vec<Option<Rc<Read<Summary>>>>, StoreError> {
        let key = |sku: &String| stock_key(brand_id, sku);
        let load = async |missing: &[String]| self.load_stock(brand_id, missing).await;
        self.remembered(skus, key, load).await
    }

    /// The levels of each SKU in a cell, in the order asked for.
    pub async fn levels(
        &self,
        brand_id: &str,
        wanted: &[(String, String)],
    ) -> Result<Vec<Rc<Read<Vec<Level>>>>, StoreError> {
        let key = |(sku, cell): &(String, String)| levels_key(brand_id, sku, cell);
        let load = async |missing: &[(String, String)]| self.load_levels(brand_id, missing).await;
        let found = self.remembered(wanted, key, load).await?.into_iter();
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

    /// At most `limit` places that shoppers see and that have most of a SKU, most first.
    pub async fn most(
        &self,
        brand_id: &str,
        stock: &Read<Summary>,
        limit: usize,
    ) -> Result<Vec<Most>, StoreError> {
        if limit > MOST {
            let (_, most) = self.most_after(brand_id, &stock.sku, limit, None).await?;
            return Ok(most);
        }
        let kept = self.kept_most(brand_id, stock).await?;
        Ok(kept.iter().take(limit).cloned().collect())
    }

    async fn kept_most(
        &self,
        brand_id: &str,
        stock: &Read<Summary>,
    ) -> Result<Rc<Read<Vec<Most>>>, StoreError> {
        let key = format!("{brand_id}/most/{}", stock.sku);
        // The relay rewrites the summary alone: with it, what was read before is out of date.
        let is_current = |most: &Read<Vec<Most>>| most.version >= stock.version;
        if let Some(most) = memory::get(&key).filter(|most| is_current(most)) {
            return Ok(most);
        }
        let kept = self.kv.get_doc(&key).await;
        let kept = kept.as_ref().and_then(super::understood).filter(is_current);
        let most = match kept {
            Some(most) => most,
            None => {
                let as_of_ms = now_ms();
                let (version, most) = self.most_after(brand_id, &stock.sku, MOST, None).await?;
                let body = to_json(&most)?;
                let doc = doc(version.max(stock.version), as_of_ms, STOCK_TTL_MS, body);
                let _ = self.kv.put_doc(&key, &doc).await;
                super::read(&doc)?
            }
        };
        let most = Rc::new(most);
        memory::keep_of(&key, Rc::clone(&most), super::PARSED * most.bytes);
        Ok(most)
    }

    /// At most `limit` places that shoppers see, the one with most of the SKU first, after
    /// the one with so many units and this id; with the reading's version.
    pub async fn most_after(
        &self,
        brand_id: &str,
        sku: &str,
        limit: usize,
        after: Option<(i64, &str)>,
    ) -> Result<(i64, Vec<Most>), StoreError> {
        let (units, id) = after.unwrap_or((i64::MAX, ""));
        let rows = self
            .db
            .query(most_sql(), values![brand_id, sku, units, id, limit as i64])
            .await?;
        let version = rows.first().map_or(Ok(0), |row| row.int("seq"))?;
        let most = rows.iter().map(|row| {
            Ok(Most {
                location_id: row.text("location_id")?,
                cell: row.text("cell")?,
                units: row.int("units")?,
            })
        });
        Ok((version, most.collect::<Result<_, StoreError>>()?))
    }

    /// Sums anew what changed, and brings the summaries and the levels up to date.
    pub async fn refresh_stock(
        &self,
        brand_id: &str,
        changes: &[StockChange],
    ) -> Result<(), StoreError> {
        let dialect = self.db.dialect();
        if changes.is_empty() {
            return Ok(());
        }
        let changed = serde_json::to_string(changes).unwrap_or_default();
        // What is lost is summed again: what told of the change is lost with it.
        let mut batch = Batch::new();
        batch.may_be_lost().rows(
            sum_changed_sql(dialect, changes.len()),
            values![brand_id, changed],
        );
        let results = batch.commit(self.db).await.map_err(StoreError::from)?;
        let rows = results.iter().flat_map(|result| &result.rows);
        let cells = rows.map(|row| Ok((row.text("sku")?, row.text("cell")?)));
        let cells = cells.collect::<Result<Vec<(String, String)>, StoreError>>()?;
        let mut skus: Vec<String> = changes.iter().map(|change| change.sku.clone()).collect();
        skus.sort_unstable();
        skus.dedup();
        let mut docs = self.load_stock(brand_id, &skus).await?;
        docs.extend(self.load_levels(brand_id, &cells).await?);
        docs.keys().for_each(|key| memory::forget(key));
        self.kv
            .put_many(&docs.into_iter().collect::<Vec<_>>())
            .await
    }

    async fn load_stock(
        &self,
        brand_id: &str,
        skus: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let params = values![brand_id, json_array(skus)];
        let sql = stock_sql(self.db.dialect(), skus.len());
        let (docs, unsummed) = self.load_sums(brand_id, &sql, params.clone()).await?;
        if !unsummed {
            return Ok(docs);
        }
        let mut batch = Batch::new();
        batch.may_be_lost();
        let dialect = self.db.dialect();
        batch.add(sum_missing_sql(dialect, skus.len()), params.clone());
        batch.add(drop_stale_sql(dialect), params.clone());
        batch.commit(self.db).await.map_err(StoreError::from)?;
        Ok(self.load_sums(brand_id, &sql, params).await?.0)
    }

    /// The summaries, and whether some of the sums are missing or of another version of
    /// their cell's places.
    async fn load_sums(
        &self,
        brand_id: &str,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<(HashMap<String, Doc>, bool), StoreError> {
        let as_of_ms = now_ms();
        let rows = self.db.query(sql.to_owned(), params).await?;
        let mut unsummed = false;
        let mut docs = HashMap::with_capacity(rows.len());
        for row in &rows {
            unsummed |= row.int("unsummed")? != 0;
            let sku = row.text("sku")?;
            let key = stock_key(brand_id, &sku);
            let cells = row.text_opt("cells")?.unwrap_or_else(|| "[]".into());
            let summary = Summary {
                sku,
                changed_at_ms: row.int_opt("changed_at_ms")?,
                units: row.int("units")?,
                places: row.int("places")?,
                collectable: row.int("collectable")?,
                shippable: row.int("shippable")?,
                everywhere: row.int("everywhere")?,
                cells: RawValue::from_string(cells)
                    .map_err(|error| StoreError::Bug(error.to_string()))?,
            };
            let doc = doc(row.int("seq")?, as_of_ms, STOCK_TTL_MS, to_json(&summary)?);
            docs.insert(key, doc);
        }
        Ok((docs, unsummed))
    }

    async fn load_levels(
        &self,
        brand_id: &str,
        wanted: &[(String, String)],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        #[derive(Serialize)]
        struct Wanted<'a> {
            sku: &'a str,
            cell: &'a str,
        }
        let as_of_ms = now_ms();
        let asked: Vec<Wanted> = wanted
            .iter()
            .map(|(sku, cell)| Wanted { sku, cell })
            .collect();
        let asked = serde_json::to_string(&asked).unwrap_or_default();
        let rows = self
            .db
            .query(
                levels_sql(self.db.dialect(), wanted.len()),
                values![brand_id, asked],
            )
            .await?;
        let mut version = 0;
        let mut found: BTreeMap<(String, String), Vec<Level>> =
            wanted.iter().map(|one| (one.clone(), Vec::new())).collect();
        for row in &rows {
            match row.text_opt("location_id")? {
                None => version = row.int("units")?,
                Some(location_id) => {
                    let key = (row.text("sku")?, row.text("cell")?);
                    let level = Level(location_id, row.int("units")?, row.int("unreserved")?);
                    found.entry(key).or_default().push(level);
                }
            }
        }
        let entry =
            |((sku, cell), levels): ((String, String), Vec<Level>)| -> Result<_, StoreError> {
                let doc = doc(version, as_of_ms, STOCK_TTL_MS, to_json(&levels)?);
                Ok((levels_key(brand_id, &sku, &cell), doc))
            };
        found.into_iter().map(entry).collect()
    }
}

fn stock_key(brand_id: &str, sku: &str) -> String {
    format!("{brand_id}/stock/{sku}")
}

fn levels_key(brand_id: &str, sku: &str, cell: &str) -> String {
    format!("{brand_id}/levels/{cell}/{sku}")
}

/// The `count` SKUs of the JSON array `?2`, as a table expression `asked (sku)`. PostgreSQL
/// is told how many there are: else it takes a list for a hundred and reads whole tables.
fn asked(dialect: Dialect, count: usize) -> String {
    dialect.pick(
        "asked AS (SELECT value AS sku FROM json_each(?2))".to_owned(),
        format!("asked AS (SELECT jsonb_array_elements_text(?2::jsonb) AS sku LIMIT {count})"),
    )
}

/// Joins the balances `s` of the SKU in the table `of`, where `at` holds. SQLite is told the
/// order by CROSS JOIN; PostgreSQL is kept from reading all of a brand's stock beforehand, which
/// it finds cheap as long as it has counted nothing.
fn balances(dialect: Dialect, of: &str, at: &str) -> String {
    let these = |table: &str| format!("{table}.brand_id = ?1 AND {table}.sku = {of}.sku");
    dialect.pick(
        format!("CROSS JOIN stock s ON {} AND s.{at}", these("s")),
        format!(
            "CROSS JOIN LATERAL (SELECT r.* FROM stock r WHERE {} AND r.{at} OFFSET 0) s",
            these("r")
        ),
    )
}

/// Where a balance is at the place `p`.
const AT_PLACE: &str = "location_id = p.location_id";
/// Where a balance is anywhere.
const ANYWHERE: &str = "location_id IS NOT NULL";

/// The sums of the (SKU, cell) that `wanted` selects, from the balances, in order.
fn sums(dialect: Dialect, wanted: &str) -> String {
    let units =
        |of: &str| format!("CAST(sum(CASE WHEN p.{of} = 1 THEN {FREE} ELSE 0 END) AS BIGINT)");
    format!(
        "SELECT s.brand_id, s.sku, p.cell, {} AS units, \
         CAST(sum(CASE WHEN p.visible = 1 AND s.on_hand - s.reserved > s.safety THEN 1 ELSE 0 END) AS BIGINT) AS places, \
         {} AS collectable, {} AS shippable, CAST(sum({FREE}) AS BIGINT) AS everywhere, max(s.updated_at_ms) AS changed_at_ms, max(v.version) AS version \
         FROM ({wanted}) w CROSS JOIN place_cell v CROSS JOIN place p CROSS JOIN brand_location b {} \
         WHERE v.cell = w.cell AND p.cell = w.cell AND b.brand_id = ?1 AND b.location_id = p.location_id \
         GROUP BY s.brand_id, s.sku, p.cell",
        units("visible"),
        units("hands_over"),
        units("ships"),
        balances(dialect, "w", AT_PLACE),
    )
}

/// Of `asked`, the cells whose sums are of another version, and all cells of what has no sums.
fn missing(dialect: Dialect) -> String {
    format!(
        "SELECT c.sku, c.cell FROM asked a CROSS JOIN stock_cell c CROSS JOIN place_cell v \
           WHERE c.brand_id = ?1 AND c.sku = a.sku AND v.cell = c.cell AND v.version <> c.version \
         UNION SELECT s.sku, p.cell FROM asked a {} CROSS JOIN place p \
           WHERE NOT EXISTS (SELECT 1 FROM stock_cell c WHERE c.brand_id = ?1 AND c.sku = a.sku) \
             AND p.location_id = s.location_id",
        balances(dialect, "a", ANYWHERE)
    )
}

/// A row for each SKU that the brand has.
fn stock_sql(dialect: Dialect, count: usize) -> String {
    let list = dialect.pick(
        "json_group_array(json_array(c.cell, c.units, c.places, c.collectable))",
        "json_agg(json_build_array(c.cell, c.units, c.places, c.collectable))",
    );
    let sum = |column: &str| format!("CAST(coalesce(sum(c.{column}), 0) AS BIGINT) AS {column}");
    format!(
        "WITH {} SELECT v.sku, {}, {}, {}, {}, {}, max(c.changed_at_ms) AS changed_at_ms, \
         CAST({list} FILTER (WHERE c.places > 0) AS TEXT) AS cells, \
         CASE WHEN count(c.cell) = 0 \
           THEN (SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 AS one FROM stock s WHERE s.brand_id = ?1 AND s.sku = v.sku LIMIT 1) any_row) \
           ELSE CAST(sum(CASE WHEN c.version = pc.version THEN 0 ELSE 1 END) AS BIGINT) END AS unsummed, {SEQ} AS seq \
         FROM asked a CROSS JOIN variant v \
         LEFT JOIN stock_cell c ON c.brand_id = ?1 AND c.sku = v.sku LEFT JOIN place_cell pc ON pc.cell = c.cell \
         WHERE v.brand_id = ?1 AND v.sku = a.sku GROUP BY v.sku",
        asked(dialect, count),
        sum("units"),
        sum("places"),
        sum("collectable"),
        sum("shippable"),
        sum("everywhere"),
    )
}

/// A sum that another wrote meanwhile is as new.
fn sum_missing_sql(dialect: Dialect, count: usize) -> String {
    put_sums(
        dialect,
        &asked(dialect, count),
        &missing(dialect),
        "WHERE stock_cell.version < excluded.version",
    )
}

/// Where nothing of the brand is left in a cell, its sum could not be made anew.
fn drop_stale_sql(dialect: Dialect) -> String {
    format!(
        "DELETE FROM stock_cell WHERE brand_id = ?1 AND sku {} \
         AND version <> (SELECT v.version FROM place_cell v WHERE v.cell = stock_cell.cell)",
        dialect.among("?2")
    )
}

/// Answers `sku` and `cell` of what was summed: for each [`StockChange`] its cell, and all
/// cells of a SKU that has no sums yet or may have changed anywhere.
fn sum_changed_sql(dialect: Dialect, count: usize) -> String {
    let changed = dialect.pick(
        "changed AS (SELECT value ->> 'sku' AS sku, value ->> 'location_id' AS location_id FROM json_each(?2))".to_owned(),
        format!(
            "changed AS (SELECT sku, location_id FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, location_id TEXT) LIMIT {count})"
        ),
    );
    let wanted = format!(
        "SELECT c.sku, p.cell FROM changed c CROSS JOIN place p WHERE p.location_id = c.location_id \
         UNION SELECT s.sku, p.cell FROM changed c {} CROSS JOIN place p \
         WHERE (c.location_id = '' OR NOT EXISTS (SELECT 1 FROM stock_cell k WHERE k.brand_id = ?1 AND k.sku = c.sku)) \
           AND p.location_id = s.location_id",
        balances(dialect, "c", ANYWHERE)
    );
    put_sums(dialect, &changed, &wanted, "WHERE true RETURNING sku, cell")
}

fn put_sums(dialect: Dialect, with: &str, wanted: &str, end: &str) -> String {
    format!(
        "INSERT INTO stock_cell (brand_id, sku, cell, units, places, collectable, shippable, everywhere, changed_at_ms, version) \
         WITH {with} {} ORDER BY s.sku, p.cell \
         ON CONFLICT (brand_id, sku, cell) DO UPDATE SET units = excluded.units, places = excluded.places, \
           collectable = excluded.collectable, shippable = excluded.shippable, everywhere = excluded.everywhere, \
           changed_at_ms = excluded.changed_at_ms, version = excluded.version {end}",
        sums(dialect, wanted)
    )
}

/// After (`?3` units, `?4` id), at most `?5`.
fn most_sql() -> String {
    let free = "s.on_hand - s.reserved - s.safety";
    format!(
        "SELECT s.location_id, p.cell, {free} AS units, {SEQ} AS seq \
         FROM stock s CROSS JOIN place p CROSS JOIN brand_location b \
         WHERE s.brand_id = ?1 AND s.sku = ?2 AND ({free}) <= ?3 AND ({free}) > 0 \
           AND (({free}) < ?3 OR s.location_id > ?4) \
           AND p.location_id = s.location_id AND p.visible = 1 AND b.brand_id = ?1 AND b.location_id = s.location_id \
         ORDER BY {free} DESC, s.location_id LIMIT ?5"
    )
}

/// Of each SKU in the table `items` the `limit` rows of table `stock` that can promise most,
/// as far as they can promise any; brand `?1`. SQLite is kept from asking anew for each row.
pub fn most_of(dialect: Dialect, items: &str, limit: usize) -> String {
    let most = format!(
        "FROM stock r WHERE r.brand_id = ?1 AND r.sku = i.sku AND (r.on_hand - r.reserved - r.safety) > 0 \
         ORDER BY r.on_hand - r.reserved - r.safety DESC, r.location_id LIMIT {limit}"
    );
    dialect.pick(
        format!(
            "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM {items} i CROSS JOIN stock s \
             WHERE s.rowid IN (SELECT r.rowid {most})"
        ),
        format!(
            "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM {items} i \
             CROSS JOIN LATERAL (SELECT r.sku, r.location_id, r.on_hand, r.reserved, r.safety {most}) s"
        ),
    )
}

/// Of each SKU in the table `items` the rows of table `stock` at the locations in the table
/// `places`; brand `?1`. Both are kept from reading all of an article's or a brand's stock.
pub fn stock_at(dialect: Dialect, items: &str, places: &str) -> String {
    dialect.pick(
        format!(
            "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM {items} i \
             CROSS JOIN (SELECT DISTINCT id FROM {places}) at CROSS JOIN stock s \
             WHERE s.brand_id = ?1 AND s.sku = i.sku AND s.location_id = at.id"
        ),
        format!(
            "SELECT s.sku, s.location_id, s.on_hand, s.reserved, s.safety FROM {items} i \
             CROSS JOIN LATERAL (SELECT r.sku, r.location_id, r.on_hand, r.reserved, r.safety FROM stock r \
             WHERE r.brand_id = ?1 AND r.sku = i.sku AND r.location_id = ANY (ARRAY(SELECT id FROM {places})) OFFSET 0) s"
        ),
    )
}

/// A row of its own has the version as `units`.
fn levels_sql(dialect: Dialect, count: usize) -> String {
    let asked = dialect.pick(
        "SELECT value ->> 'sku' AS sku, value ->> 'cell' AS cell FROM json_each(?2)".to_owned(),
        format!("SELECT sku, cell FROM jsonb_to_recordset(?2::jsonb) AS input (sku TEXT, cell TEXT) LIMIT {count}"),
    );
    format!(
        "SELECT CAST(NULL AS TEXT) AS sku, CAST(NULL AS TEXT) AS cell, CAST(NULL AS TEXT) AS location_id, {SEQ} AS units, \
         CAST(NULL AS BIGINT) AS unreserved \
         UNION ALL SELECT s.sku, p.cell, s.location_id, {FREE}, s.on_hand - s.reserved \
         FROM ({asked}) a CROSS JOIN place p CROSS JOIN brand_location b {} \
         WHERE p.cell = a.cell AND b.brand_id = ?1 AND b.location_id = p.location_id AND s.on_hand > s.reserved",
        balances(dialect, "a", AT_PLACE)
    )
}
