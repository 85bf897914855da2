//! The read model: what shoppers ask for most, answered without the database.
//!
//! Each document is read through: the key-value store, else one query for all that were
//! missing, whose answer is stored. The relay calls the `refresh_…` functions after a
//! change. What another version of the app may have stored in another shape counts as
//! missing. So a change shows within 5 seconds while the relay runs, and after the
//! document's expiry at the latest ([`SLOW_TTL_MS`], [`STOCK_TTL_MS`]), plus
//! [`memory::MAX_AGE_MS`] for what an instance remembers.
//!
//! The store holds what there is, never that there is nothing: names that nothing has are
//! without end, and documents about them would stay for ever. That the database knew no such
//! thing is remembered by the instance alone.

mod docs;
mod load;
mod near;
mod places;
mod stock;

use std::{collections::HashMap, ops::Deref, rc::Rc};

use aisle_domain::brand::Brand;
use serde::de::DeserializeOwned;

use self::docs::{BRANDS_KEY, product_key};
pub use self::docs::{ProductDoc, Ref, Target};
pub use self::places::Locations;
pub use self::stock::{CellSum, Level, Most, StockChange, Summary, most_of, stock_at};
use crate::{Db, Doc, Kv, StoreError, memory};

/// Products, references, locations and brands are read again after this at the latest.
pub const SLOW_TTL_MS: i64 = 300_000;

/// Stock is read again after this at the latest.
pub const STOCK_TTL_MS: i64 = 30_000;

/// What a document says, which reading it is of, and when that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    pub version: i64,
    pub as_of_ms: i64,
    pub value: T,
    bytes: usize,
}

impl<T> Deref for Read<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A parsed document takes about so many times the bytes of its text.
const PARSED: usize = 2;

/// Remembered under the key of a document that the database could not make.
struct Nothing;

fn is_known_to_be_nothing(key: &str) -> bool {
    memory::get::<Nothing>(key).is_some()
}

fn remember_nothing(key: &str) {
    // The key has any length, and a place of its own beside the entry's.
    memory::keep_of(key, Rc::new(Nothing), 2 * key.len());
}

/// The read model over one request's database and store.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub db: &'a Db,
    pub kv: &'a Kv,
}

impl Model<'_> {
    /// Every brand.
    pub async fn brands(&self) -> Result<Rc<Vec<Rc<Brand>>>, StoreError> {
        if let Some(brands) = memory::get(BRANDS_KEY) {
            return Ok(brands);
        }
        let brands = self
            .one::<Vec<Brand>>(BRANDS_KEY, async || load::brands(self.db).await)
            .await?;
        let brands = Rc::new(brands.value.into_iter().map(Rc::new).collect());
        memory::keep(BRANDS_KEY, Rc::clone(&brands));
        Ok(brands)
    }

    /// The brand whose hosts include `host` (`name:port`) or its name alone, else the
    /// default brand; `None` when there is none.
    pub async fn brand_by_host(&self, host: &str) -> Result<Option<Rc<Brand>>, StoreError> {
        Ok(pick_brand(&self.brands().await?, host).cloned())
    }

    /// Products by id, in the order asked for.
    pub async fn products(
        &self,
        brand_id: &str,
        ids: &[String],
    ) -> Result<Vec<Option<ProductDoc>>, StoreError> {
        let key = |id: &String| product_key(brand_id, id);
        let load = async |missing: &[String]| load::products(self.db, brand_id, missing).await;
        let products = self.many(ids, key, load).await?.into_iter();
        let product = |read: Read<_>| ProductDoc {
            as_of_ms: read.as_of_ms,
            product: read.value,
        };
        Ok(products.map(|found| found.map(product)).collect())
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
        let key = |one: &Ref| one.key(brand_id);
        let load = async |missing: &[Ref]| load::targets(self.db, brand_id, missing).await;
        let targets = self.many(refs, key, load).await?.into_iter();
        Ok(targets
            .map(|found| found.map(|read: Read<_>| read.value))
            .collect())
    }

    /// What a reference names, also from this instance's memory.
    pub async fn target(
        &self,
        brand_id: &str,
        name: Ref,
    ) -> Result<Option<Rc<Read<Target>>>, StoreError> {
        let key = |one: &Ref| one.key(brand_id);
        let load = async |missing: &[Ref]| load::targets(self.db, brand_id, missing).await;
        let found = self.remembered(&[name], key, load).await?;
        Ok(found.into_iter().next().flatten())
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
        let known = keys.iter().cloned().zip(self.kv.get_many(&keys).await);
        let known = known.filter_map(|(key, doc)| Some((key, understood(&doc?)?.value)));
        let mut known: HashMap<String, Target> = known.collect();
        let knows = |one: &Ref| known.contains_key(&one.key(brand_id));
        let unknown = lists.iter().filter(|list| !list.iter().any(knows));
        let missing = unknown.flatten();
        let missing = missing.filter(|one| !is_known_to_be_nothing(&one.key(brand_id)));
        let missing: Vec<Ref> = missing.cloned().collect();
        if !missing.is_empty() {
            let loaded = load::targets(self.db, brand_id, &missing).await?;
            let asked = missing.iter().map(|one| one.key(brand_id));
            asked
                .filter(|key| !loaded.contains_key(key))
                .for_each(|key| remember_nothing(&key));
            for (key, doc) in self.keep(loaded).await {
                known.insert(key, doc.json()?);
            }
        }
        let first = |list: &Vec<Ref>| list.iter().find_map(|one| known.get(&one.key(brand_id)));
        Ok(lists.iter().map(|list| first(list).cloned()).collect())
    }

    /// Brings the document of all brands up to date. Like the others below, an error when
    /// the database or the store does not take part.
    pub async fn refresh_brands(&self) -> Result<(), StoreError> {
        let doc = load::brands(self.db).await?;
        memory::forget(BRANDS_KEY);
        self.kv.put_doc(BRANDS_KEY, &doc).await
    }

    /// Brings these products and what refers to them up to date; removes those that are gone.
    pub async fn refresh_products(&self, brand_id: &str, ids: &[String]) -> Result<(), StoreError> {
        let found = load::products(self.db, brand_id, ids).await?;
        let keys = ids.iter().map(|id| product_key(brand_id, id));
        let gone: Vec<String> = keys.filter(|key| !found.contains_key(key)).collect();
        let mut docs = Vec::with_capacity(found.len());
        for (key, doc) in found {
            docs.extend(load::references(brand_id, &doc)?);
            docs.push((key, doc));
        }
        self.kv.put_many(&docs).await?;
        self.kv.delete_many(&gone).await
    }

    /// What the document under `key` says, else from `load`.
    async fn one<T: DeserializeOwned>(
        &self,
        key: &str,
        load: impl AsyncFnOnce() -> Result<Doc, StoreError>,
    ) -> Result<Read<T>, StoreError> {
        if let Some(found) = self.kv.get_doc(key).await.as_ref().and_then(understood) {
            return Ok(found);
        }
        let doc = load().await?;
        // As in `keep`.
        let _ = self.kv.put_doc(key, &doc).await;
        read(&doc)
    }

    /// What this instance remembers of the documents of `wanted`, else as [`Model::many`];
    /// then it remembers them.
    async fn remembered<W: Clone, T: DeserializeOwned + 'static>(
        &self,
        wanted: &[W],
        key: impl Fn(&W) -> String,
        load: impl AsyncFnOnce(&[W]) -> Result<HashMap<String, Doc>, StoreError>,
    ) -> Result<Vec<Option<Rc<Read<T>>>>, StoreError> {
        let mut found: Vec<Option<Rc<Read<T>>>> =
            wanted.iter().map(|one| memory::get(&key(one))).collect();
        let missing = wanted
            .iter()
            .zip(&found)
            .filter(|(_, known)| known.is_none());
        let missing: Vec<W> = missing.map(|(one, _)| one.clone()).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let mut read = self.many(&missing, &key, load).await?.into_iter();
        for (one, slot) in wanted
            .iter()
            .zip(&mut found)
            .filter(|(_, slot)| slot.is_none())
        {
            *slot = read.next().flatten().map(Rc::new);
            if let Some(read) = slot {
                memory::keep_of(&key(one), Rc::clone(read), PARSED * read.bytes);
            }
        }
        Ok(found)
    }

    /// What the documents of `wanted` say, in their order; those that the store lacks from
    /// `load`, which is asked once and for each once, unless it knew nothing a moment ago.
    async fn many<W: Clone, T: DeserializeOwned>(
        &self,
        wanted: &[W],
        key: impl Fn(&W) -> String,
        load: impl AsyncFnOnce(&[W]) -> Result<HashMap<String, Doc>, StoreError>,
    ) -> Result<Vec<Option<Read<T>>>, StoreError> {
        let keys: Vec<String> = wanted.iter().map(key).collect();
        let kept = self.kv.get_many(&keys).await.into_iter();
        let mut found: Vec<Option<Read<T>>> =
            kept.map(|doc| doc.as_ref().and_then(understood)).collect();
        let missing = keys
            .iter()
            .zip(wanted)
            .zip(&found)
            .filter(|((key, _), found)| found.is_none() && !is_known_to_be_nothing(key));
        let missing: HashMap<&String, &W> = missing.map(|(entry, _)| entry).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let asked: Vec<W> = missing.values().copied().cloned().collect();
        let loaded = load(&asked).await?;
        missing
            .into_keys()
            .filter(|key| !loaded.contains_key(*key))
            .for_each(|key| remember_nothing(key));
        let loaded = self.keep(loaded).await;
        for (found, key) in found.iter_mut().zip(&keys).filter(|(one, _)| one.is_none()) {
            *found = loaded.get(key).map(read).transpose()?;
        }
        Ok(found)
    }

    /// Stores what was read. What the store does not take is read again by the next who asks.
    async fn keep(&self, docs: HashMap<String, Doc>) -> HashMap<String, Doc> {
        let docs: Vec<(String, Doc)> = docs.into_iter().collect();
        let _ = self.kv.put_many(&docs).await;
        docs.into_iter().collect()
    }
}

/// What a document from the store says: nothing when it is of a shape that this version
/// does not know, because then it is read again.
fn understood<T: DeserializeOwned>(doc: &Doc) -> Option<Read<T>> {
    read(doc).ok()
}

fn read<T: DeserializeOwned>(doc: &Doc) -> Result<Read<T>, StoreError> {
    Ok(Read {
        version: doc.version,
        as_of_ms: doc.as_of_ms,
        value: doc.json()?,
        bytes: doc.body.len(),
    })
}

/// The brand of a host, see [`Model::brand_by_host`].
fn pick_brand<'a>(brands: &'a [Rc<Brand>], host: &str) -> Option<&'a Rc<Brand>> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let knows =
        |brand: &Brand, host: &str| brand.hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
    let with = |host: &str| brands.iter().find(|brand| knows(brand, host));
    with(host)
        .or_else(|| with(name))
        .or_else(|| brands.iter().find(|brand| brand.is_default))
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
    fn a_document_of_another_shape_is_a_miss() {
        let doc = |body: &[u8]| Doc {
            version: 1,
            as_of_ms: 7,
            expires_at_ms: i64::MAX,
            body: body.to_vec(),
        };
        let target = br#"{"product_id":"p","variant_id":null,"sku":null}"#;
        let known = understood::<Target>(&doc(target)).unwrap();
        assert_eq!((known.as_of_ms, known.product_id.as_str()), (7, "p"));
        for foreign in [&b"{}"[..], b"[]", b"", br#"{"product_id":7}"#] {
            assert_eq!(understood::<Target>(&doc(foreign)), None);
        }
    }

    #[test]
    fn a_host_finds_its_brand() {
        let south = brand("south", &["south.localhost", "127.0.0.1:3001"], false);
        let brands = [brand("north", &["north.localhost"], true), south].map(Rc::new);
        let found = |host: &str| pick_brand(&brands, host).map(|brand| brand.handle.as_str());
        assert_eq!(found("south.localhost"), Some("south"));
        assert_eq!(found("South.localhost:3000"), Some("south"));
        assert_eq!(found("127.0.0.1:3001"), Some("south"));
        assert_eq!(found("127.0.0.1:3000"), Some("north"));
        assert_eq!(pick_brand(&brands[1..], "elsewhere"), None);
    }
}
