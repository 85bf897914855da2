//! The read model: what shoppers ask for most, answered without the database.
//!
//! Each document is read through: the key-value store, else one query for all that were
//! missing, whose answer is stored. The relay calls the `refresh_…` functions after a
//! change. So a change shows within 5 seconds while the relay runs, and after the
//! document's expiry at the latest ([`SLOW_TTL_MS`], [`STOCK_TTL_MS`]), plus
//! [`memory::MAX_AGE_MS`](crate::memory::MAX_AGE_MS) for what an instance remembers.

use std::{collections::HashMap, rc::Rc};

use aisle_domain::{brand::Brand, location::Location, product::Product};
use serde::{Deserialize, Serialize};

use crate::{Db, Dialect, Doc, Kv, Row, StoreError, memory, now_ms, values};

/// Products, references, locations and brands are read again after this at the latest.
pub const SLOW_TTL_MS: i64 = 300_000;

/// Stock is read again after this at the latest.
pub const STOCK_TTL_MS: i64 = 30_000;

/// The outbox's highest sequence number: the version of all that a query reads beside it.
const SEQ: &str = "(SELECT coalesce(max(seq), 0) FROM outbox)";

const BRANDS: &str = "brands";

/// What a shopper or a client may call a product by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ref {
    /// A variant's id, or a product's.
    Id(String),
    Sku(String),
    /// Normalised to 14 digits.
    Gtin(String),
    Handle(String),
}

/// What a [`Ref`] names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub product_id: String,
    /// Absent when the reference names the product as a whole.
    pub variant_id: Option<String>,
}

/// A product and how old the reading is.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDoc {
    pub as_of_ms: i64,
    pub product: Product,
}

/// The stock of one SKU at every location that keeps a balance of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockDoc {
    pub sku: String,
    /// When the balances were read.
    pub as_of_ms: i64,
    pub levels: Vec<Level>,
}

/// A balance, by location id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub location_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    pub safety: i64,
    /// When the balance last changed: what an answer can be validated by.
    pub updated_at_ms: i64,
}

impl Level {
    /// Available to promise: on hand − reserved − safety, never less than nothing.
    pub fn available(&self) -> i64 {
        (self.on_hand - self.reserved - self.safety).max(0)
    }
}

/// The locations that trade under a brand, those invisible to shoppers included.
#[derive(Debug, Clone, PartialEq)]
pub struct Locations {
    pub as_of_ms: i64,
    pub all: Vec<Location>,
}

/// The read model over one request's database and store.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub db: &'a Db,
    pub kv: &'a Kv,
}

impl Ref {
    fn key(&self, brand_id: &str) -> String {
        let (kind, value) = self.parts();
        format!("{brand_id}/ref/{kind}/{value}")
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Id(value) => ("id", value),
            Self::Sku(value) => ("sku", value),
            Self::Gtin(value) => ("gtin", value),
            Self::Handle(value) => ("handle", value),
        }
    }
}

impl Model<'_> {
    /// Every brand. A handful, so one document serves to resolve any host, also one that
    /// belongs to no brand.
    pub async fn brands(&self) -> Result<Rc<Vec<Brand>>, StoreError> {
        if let Some(brands) = memory::get(BRANDS) {
            return Ok(brands);
        }
        let doc = match self.kv.get_doc(BRANDS).await {
            Some(doc) => doc,
            None => self.refresh_brands().await?,
        };
        let brands = Rc::new(doc.json()?);
        memory::keep(BRANDS, Rc::clone(&brands));
        Ok(brands)
    }

    /// The brand whose hosts include `host` (`name:port`) or its name alone, else the
    /// default brand; `None` when there is none.
    pub async fn brand_by_host(&self, host: &str) -> Result<Option<Brand>, StoreError> {
        Ok(pick_brand(&self.brands().await?, host).cloned())
    }

    /// Products by id, in the order asked for.
    pub async fn products(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<Vec<Option<ProductDoc>>, StoreError> {
        let docs = self.read_through(
            ids,
            |id| product_key(brand_id, id),
            async |missing| self.refresh_products(brand_id, missing).await,
        );
        docs.await?
            .into_iter()
            .map(|doc| doc.map(product_doc).transpose())
            .collect()
    }

    /// One product by id.
    pub async fn product(
        &self,
        brand_id: &str,
        id: &str,
    ) -> Result<Option<ProductDoc>, StoreError> {
        Ok(self
            .products(brand_id, &[id.to_owned()])
            .await?
            .into_iter()
            .next()
            .flatten())
    }

    /// What the references name, in the order asked for.
    pub async fn resolve(
        &self,
        brand_id: &str,
        refs: &[Ref],
    ) -> Result<Vec<Option<Target>>, StoreError> {
        let docs = self.read_through(
            refs,
            |one| one.key(brand_id),
            async |missing| self.find_targets(brand_id, missing).await,
        );
        docs.await?
            .into_iter()
            .map(|doc| doc.map(|doc| doc.json()).transpose())
            .collect()
    }

    /// For each list the first reference in it that names something. Only where the store
    /// knows none of them is the database asked, once for all: an identifier of unknown
    /// kind is mostly wrong in all kinds but one.
    pub async fn resolve_any(
        &self,
        brand_id: &str,
        lists: &[Vec<Ref>],
    ) -> Result<Vec<Option<Target>>, StoreError> {
        let keys: Vec<String> = lists
            .iter()
            .flatten()
            .map(|one| one.key(brand_id))
            .collect();
        let known = self.kv.get_many(&keys).await;
        let mut known: HashMap<String, Doc> = keys
            .into_iter()
            .zip(known)
            .filter_map(|(key, doc)| Some((key, doc?)))
            .collect();
        let has_none = |list: &&Vec<Ref>| {
            !list
                .iter()
                .any(|one| known.contains_key(&one.key(brand_id)))
        };
        let missing: Vec<Ref> = lists.iter().filter(has_none).flatten().cloned().collect();
        if !missing.is_empty() {
            known.extend(self.find_targets(brand_id, &missing).await?);
        }
        let first = |list: &Vec<Ref>| list.iter().find_map(|one| known.get(&one.key(brand_id)));
        lists
            .iter()
            .map(|list| first(list).map(Doc::json).transpose())
            .collect()
    }

    /// The stock of each SKU, in the order asked for; no levels where there is none.
    pub async fn stock(
        &self,
        brand_id: &str,
        skus: &[String],
    ) -> Result<Vec<StockDoc>, StoreError> {
        let docs = self.read_through(
            skus,
            |sku| stock_key(brand_id, sku),
            async |missing| self.refresh_stock(brand_id, missing).await,
        );
        let nothing = |sku: &String| StockDoc {
            sku: sku.clone(),
            as_of_ms: now_ms(),
            levels: Vec::new(),
        };
        let docs = docs.await?.into_iter().zip(skus);
        docs.map(|(doc, sku)| doc.map_or_else(|| Ok(nothing(sku)), |doc| doc.json()))
            .collect()
    }

    /// Every location of the brand.
    pub async fn locations(&self, brand_id: &str) -> Result<Rc<Locations>, StoreError> {
        let key = locations_key(brand_id);
        if let Some(locations) = memory::get(&key) {
            return Ok(locations);
        }
        let doc = match self.kv.get_doc(&key).await {
            Some(doc) => doc,
            None => self.refresh_locations(brand_id).await?,
        };
        let locations = Rc::new(Locations {
            as_of_ms: doc.as_of_ms,
            all: doc.json()?,
        });
        memory::keep(&key, Rc::clone(&locations));
        Ok(locations)
    }

    /// Reads the brands from the database and stores them.
    pub async fn refresh_brands(&self) -> Result<Doc, StoreError> {
        let as_of_ms = now_ms();
        let rows = self
            .db
            .query(
                format!("SELECT doc, {SEQ} AS seq FROM brand ORDER BY id"),
                values![],
            )
            .await?;
        let doc = list_doc(&rows, as_of_ms)?;
        self.kv.put_doc(BRANDS, &doc).await;
        memory::forget(BRANDS);
        Ok(doc)
    }

    /// Reads these products and what refers to them from the database and stores both;
    /// removes the documents of those that are gone. The products' documents by key.
    pub async fn refresh_products(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT id, doc, {SEQ} AS seq FROM product WHERE brand_id = ?1 AND id IN {}",
            self.db.dialect().each("?2")
        );
        let rows = self
            .db
            .query(sql, values![brand_id, json_array(ids)])
            .await?;
        let mut found = HashMap::new();
        let mut stored = Vec::new();
        for row in &rows {
            let doc = doc(
                row.int("seq")?,
                as_of_ms,
                SLOW_TTL_MS,
                row.text("doc")?.into_bytes(),
            );
            let key = product_key(brand_id, &row.text("id")?);
            stored.extend(reference_docs(brand_id, &doc)?);
            stored.push((key.clone(), doc.clone()));
            found.insert(key, doc);
        }
        self.kv.put_many(&stored).await;
        for gone in ids
            .iter()
            .map(|id| product_key(brand_id, id))
            .filter(|key| !found.contains_key(key))
        {
            self.kv.delete(&gone).await;
        }
        Ok(found)
    }

    /// Reads the stock of these SKUs from the database and stores it, by key.
    pub async fn refresh_stock(
        &self,
        brand_id: &str,
        skus: &[String],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let sql = stock_sql(self.db.dialect());
        let rows = self
            .db
            .query(sql, values![brand_id, json_array(skus)])
            .await?;
        let mut found: HashMap<String, (i64, StockDoc)> = HashMap::new();
        for row in &rows {
            let sku = row.text("sku")?;
            let nothing = || {
                (
                    0,
                    StockDoc {
                        sku: sku.clone(),
                        as_of_ms,
                        levels: Vec::new(),
                    },
                )
            };
            let (version, stock) = found
                .entry(stock_key(brand_id, &sku))
                .or_insert_with(nothing);
            *version = row.int("seq")?;
            if let Some(location_id) = row.text_opt("location_id")? {
                let (on_hand, reserved, safety) = (
                    row.int("on_hand")?,
                    row.int("reserved")?,
                    row.int("safety")?,
                );
                let updated_at_ms = row.int("updated_at_ms")?;
                stock.levels.push(Level {
                    location_id,
                    on_hand,
                    reserved,
                    safety,
                    updated_at_ms,
                });
            }
        }
        let docs = found.into_iter().map(|(key, (version, stock))| {
            Ok((key, doc(version, as_of_ms, STOCK_TTL_MS, to_json(&stock)?)))
        });
        let docs = docs.collect::<Result<Vec<_>, StoreError>>()?;
        self.kv.put_many(&docs).await;
        Ok(docs.into_iter().collect())
    }

    /// Reads the brand's locations from the database and stores them.
    pub async fn refresh_locations(&self, brand_id: &str) -> Result<Doc, StoreError> {
        let as_of_ms = now_ms();
        let sql = format!(
            "SELECT l.doc, {SEQ} AS seq FROM brand_location b JOIN location l ON l.id = b.location_id \
             WHERE b.brand_id = ?1 ORDER BY l.code"
        );
        let rows = self.db.query(sql, values![brand_id]).await?;
        let doc = list_doc(&rows, as_of_ms)?;
        let key = locations_key(brand_id);
        self.kv.put_doc(&key, &doc).await;
        memory::forget(&key);
        Ok(doc)
    }

    /// The documents of `wanted`, in their order: from the store, and those it lacks from
    /// `load`, which gets them each once.
    async fn read_through<W: Clone>(
        &self,
        wanted: &[W],
        key: impl Fn(&W) -> String,
        load: impl AsyncFnOnce(&[W]) -> Result<HashMap<String, Doc>, StoreError>,
    ) -> Result<Vec<Option<Doc>>, StoreError> {
        let keys: Vec<String> = wanted.iter().map(key).collect();
        let mut docs = self.kv.get_many(&keys).await;
        let mut missing = HashMap::new();
        for ((key, one), _) in keys
            .iter()
            .zip(wanted)
            .zip(&docs)
            .filter(|(_, doc)| doc.is_none())
        {
            missing.insert(key.as_str(), one.clone());
        }
        if !missing.is_empty() {
            let missing: Vec<W> = missing.into_values().collect();
            let loaded = load(&missing).await?;
            for (doc, key) in docs.iter_mut().zip(&keys).filter(|(doc, _)| doc.is_none()) {
                *doc = loaded.get(key).cloned();
            }
        }
        Ok(docs)
    }

    async fn find_targets(
        &self,
        brand_id: &str,
        refs: &[Ref],
    ) -> Result<HashMap<String, Doc>, StoreError> {
        let as_of_ms = now_ms();
        let of_kind = |wanted: &str| {
            let values: Vec<&str> = refs
                .iter()
                .map(Ref::parts)
                .filter(|(kind, _)| *kind == wanted)
                .map(|(_, value)| value)
                .collect();
            json_array(&values)
        };
        let params = values![
            brand_id,
            of_kind("id"),
            of_kind("sku"),
            of_kind("gtin"),
            of_kind("handle")
        ];
        let rows = self
            .db
            .query(targets_sql(self.db.dialect()), params)
            .await?;
        let mut found = HashMap::new();
        for row in &rows {
            let target = Target {
                product_id: row.text("product_id")?,
                variant_id: row.text_opt("variant_id")?,
            };
            let key = format!(
                "{brand_id}/ref/{}/{}",
                row.text("kind")?,
                row.text("value")?
            );
            found.insert(
                key,
                doc(row.int("seq")?, as_of_ms, SLOW_TTL_MS, to_json(&target)?),
            );
        }
        let docs: Vec<_> = found
            .iter()
            .map(|(key, doc)| (key.clone(), doc.clone()))
            .collect();
        self.kv.put_many(&docs).await;
        Ok(found)
    }
}

/// The brand of a host, see [`Model::brand_by_host`].
fn pick_brand<'a>(brands: &'a [Brand], host: &str) -> Option<&'a Brand> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let with = |host: &str| {
        brands.iter().find(|brand| {
            brand
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host))
        })
    };
    with(host)
        .or_else(|| with(name))
        .or_else(|| brands.iter().find(|brand| brand.is_default))
}

fn product_key(brand_id: &str, id: &str) -> String {
    format!("{brand_id}/product/{id}")
}

fn stock_key(brand_id: &str, sku: &str) -> String {
    format!("{brand_id}/stock/{sku}")
}

fn locations_key(brand_id: &str) -> String {
    format!("{brand_id}/locations")
}

fn doc(version: i64, as_of_ms: i64, ttl_ms: i64, body: Vec<u8>) -> Doc {
    Doc {
        version,
        as_of_ms,
        expires_at_ms: as_of_ms + ttl_ms,
        body,
    }
}

/// The rows' documents as one JSON array, without parsing them.
fn list_doc(rows: &[Row], as_of_ms: i64) -> Result<Doc, StoreError> {
    let version = rows.first().map_or(Ok(0), |row| row.int("seq"))?;
    let docs = rows
        .iter()
        .map(|row| row.text("doc"))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(doc(
        version,
        as_of_ms,
        SLOW_TTL_MS,
        format!("[{}]", docs.join(",")).into_bytes(),
    ))
}

fn product_doc(doc: Doc) -> Result<ProductDoc, StoreError> {
    Ok(ProductDoc {
        as_of_ms: doc.as_of_ms,
        product: doc.json()?,
    })
}

/// Everything that a product can be called by, so that a change shows there as well.
fn reference_docs(brand_id: &str, product: &Doc) -> Result<Vec<(String, Doc)>, StoreError> {
    let parsed: Product = product.json()?;
    let entry = |one: Ref, variant_id: Option<&str>| -> Result<_, StoreError> {
        let target = Target {
            product_id: parsed.id.clone(),
            variant_id: variant_id.map(Into::into),
        };
        Ok((
            one.key(brand_id),
            doc(
                product.version,
                product.as_of_ms,
                SLOW_TTL_MS,
                to_json(&target)?,
            ),
        ))
    };
    let mut docs = vec![
        entry(Ref::Id(parsed.id.clone()), None)?,
        entry(Ref::Handle(parsed.handle.clone()), None)?,
    ];
    for variant in &parsed.variants {
        docs.push(entry(Ref::Id(variant.id.clone()), Some(&variant.id))?);
        docs.push(entry(Ref::Sku(variant.sku.clone()), Some(&variant.id))?);
        if let Some(gtin) = &variant.gtin {
            docs.push(entry(Ref::Gtin(gtin.clone()), Some(&variant.id))?);
        }
    }
    Ok(docs)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Bug(error.to_string()))
}

fn json_array<T: AsRef<str>>(texts: &[T]) -> String {
    let texts = texts
        .iter()
        .map(|text| serde_json::Value::from(text.as_ref()));
    serde_json::Value::Array(texts.collect()).to_string()
}

/// One row at least for each SKU, so that having none is known and stored as well.
fn stock_sql(dialect: Dialect) -> String {
    let wanted = dialect.pick(
        "SELECT value AS sku FROM json_each(?2)",
        "SELECT jsonb_array_elements_text(?2::jsonb) AS sku",
    );
    format!(
        "SELECT wanted.sku, s.location_id, s.on_hand, s.reserved, s.safety, s.updated_at_ms, {SEQ} AS seq \
         FROM ({wanted}) wanted LEFT JOIN stock s ON s.brand_id = ?1 AND s.sku = wanted.sku \
         ORDER BY wanted.sku, s.location_id"
    )
}

/// All kinds of references in one call.
fn targets_sql(dialect: Dialect) -> String {
    let [ids, skus, gtins, handles] =
        ["?2", "?3", "?4", "?5"].map(|placeholder| dialect.each(placeholder));
    let variant = |kind: &str, column: &str, wanted: &str| {
        format!(
            "SELECT '{kind}' AS kind, {column} AS value, product_id, id AS variant_id, {SEQ} AS seq \
             FROM variant WHERE brand_id = ?1 AND {column} IN {wanted}"
        )
    };
    let product = |kind: &str, column: &str, wanted: &str| {
        format!(
            "SELECT '{kind}' AS kind, {column} AS value, id AS product_id, NULL AS variant_id, {SEQ} AS seq \
             FROM product WHERE brand_id = ?1 AND {column} IN {wanted}"
        )
    };
    [
        variant("id", "id", &ids),
        variant("sku", "sku", &skus),
        variant("gtin", "gtin", &gtins),
        product("id", "id", &ids),
        product("handle", "handle", &handles),
    ]
    .join(" UNION ALL ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(handle: &str, hosts: &[&str], is_default: bool) -> Brand {
        let doc = serde_json::json!({
            "handle": handle, "name": handle, "hosts": hosts, "is_default": is_default,
            "currency": "EUR", "language": "en", "country": "DE", "prices_include_tax": true,
        });
        serde_json::from_value(doc).unwrap()
    }

    #[test]
    fn a_host_finds_its_brand() {
        let brands = [
            brand("north", &["north.localhost"], true),
            brand("south", &["south.localhost", "127.0.0.1:3001"], false),
        ];
        let found = |host: &str| pick_brand(&brands, host).map(|brand| brand.handle.as_str());
        assert_eq!(found("south.localhost"), Some("south"));
        assert_eq!(found("South.localhost:3000"), Some("south"));
        assert_eq!(found("127.0.0.1:3001"), Some("south"));
        assert_eq!(found("127.0.0.1:3000"), Some("north"));
        assert_eq!(pick_brand(&brands[1..], "elsewhere"), None);
    }

    #[test]
    fn keys_carry_the_brand_and_the_kind() {
        assert_eq!(Ref::Sku("A/1".into()).key("b"), "b/ref/sku/A/1");
        assert_eq!(stock_key("b", "A"), "b/stock/A");
    }

    #[test]
    fn available_is_never_negative() {
        let level = |on_hand, reserved, safety| {
            Level {
                location_id: String::new(),
                on_hand,
                reserved,
                safety,
                updated_at_ms: 0,
            }
            .available()
        };
        assert_eq!((level(10, 3, 2), level(3, 1, 5)), (5, 0));
    }
}
