//! The statements that store products: a few for all of a batch, whatever their number.

use aisle_domain::product::{Product, Variant};
use aisle_store::outbox::{self, Event};
use aisle_store::search::index;
use aisle_store::{Batch, BatchError, Db, StoreError, values};
use serde::Serialize;

use super::Change;

/// Stores the products and their variants, makes them findable and tells the
/// relay: all or nothing. Each must be new, or of the version that it was read in.
pub async fn commit(db: &Db, brand_id: &str, changes: &[Change]) -> Result<(), BatchError> {
    let (created, updated): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.version.is_none());
    let mut batch = Batch::new();
    if !created.is_empty() {
        batch.expect(
            created.len() as u64,
            INSERT_PRODUCTS,
            values![brand_id, product_rows(&created)?],
        );
    }
    if !updated.is_empty() {
        batch.expect(
            updated.len() as u64,
            UPDATE_PRODUCTS,
            values![brand_id, product_rows(&updated)?],
        );
        let ids = json(updated.iter().map(|change| &change.product.id))?;
        // A GTIN may pass from one variant to another: nobody holds one while they are dealt.
        batch.add(CLEAR_GTINS, values![brand_id, &ids]);
    }
    let variants = changes
        .iter()
        .flat_map(|change| VariantRow::all(&change.product));
    batch.add(PUT_VARIANTS, values![brand_id, json(variants)?]);
    let products: Vec<&Product> = changes.iter().map(|change| &change.product).collect();
    index::put(&mut batch, db.dialect(), brand_id, &products)?;
    for product in products {
        outbox::event(
            &mut batch,
            &Event::new(brand_id, "product.changed", &product.id),
        );
    }
    batch.commit(db).await.map(|_| ())
}

#[derive(Serialize)]
struct ProductRow<'a> {
    id: &'a str,
    handle: &'a str,
    title: &'a str,
    published: i64,
    price_min_minor: i64,
    price_max_minor: i64,
    doc: String,
    fingerprint: &'a str,
    version: Option<i64>,
}

fn product_rows(changes: &[&Change]) -> Result<String, StoreError> {
    let rows = changes.iter().map(|change| ProductRow::new(change));
    json(rows.collect::<Result<Vec<_>, _>>()?.into_iter())
}

impl<'a> ProductRow<'a> {
    fn new(change: &'a Change) -> Result<Self, StoreError> {
        let product = &change.product;
        let (price_min_minor, price_max_minor) = product.price_range_minor().unwrap_or_default();
        Ok(Self {
            id: &product.id,
            handle: &product.handle,
            title: &product.title,
            published: i64::from(product.published),
            price_min_minor,
            price_max_minor,
            doc: serde_json::to_string(product).map_err(no_json)?,
            fingerprint: &change.fingerprint,
            version: change.version,
        })
    }
}

#[derive(Serialize)]
struct VariantRow<'a> {
    id: &'a str,
    product_id: &'a str,
    sku: &'a str,
    gtin: Option<&'a str>,
    position: usize,
    price_minor: i64,
    tax_category: &'a str,
    active: i64,
}

impl<'a> VariantRow<'a> {
    fn all(product: &'a Product) -> impl Iterator<Item = Self> {
        product
            .variants
            .iter()
            .enumerate()
            .map(|(position, variant)| Self::new(&product.id, position, variant))
    }

    fn new(product_id: &'a str, position: usize, variant: &'a Variant) -> Self {
        Self {
            id: &variant.id,
            product_id,
            sku: &variant.sku,
            gtin: variant.gtin.as_deref(),
            position,
            price_minor: variant.price_minor,
            tax_category: &variant.tax_category,
            active: i64::from(variant.active),
        }
    }
}

fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<String, StoreError> {
    serde_json::to_string(&rows.collect::<Vec<_>>()).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> StoreError {
    StoreError::Bug(error.to_string())
}

const INSERT_PRODUCTS: (&str, &str) = (
    "INSERT INTO product (id, brand_id, handle, title, published, price_min_minor, price_max_minor, doc, fingerprint, version, updated_at_ms) \
     SELECT value ->> 'id', ?1, value ->> 'handle', value ->> 'title', value ->> 'published', value ->> 'price_min_minor', \
     value ->> 'price_max_minor', value ->> 'doc', value ->> 'fingerprint', 1, {now} FROM json_each(?2)",
    "INSERT INTO product (id, brand_id, handle, title, published, price_min_minor, price_max_minor, doc, fingerprint, version, updated_at_ms) \
     SELECT id, ?1, handle, title, published, price_min_minor, price_max_minor, doc, fingerprint, 1, {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, handle TEXT, title TEXT, published BIGINT, \
     price_min_minor BIGINT, price_max_minor BIGINT, doc TEXT, fingerprint TEXT)",
);

// The plus signs keep SQLite from going through all that the brand has, and through the
// input for each row of it, instead of looking up what the input names.
const UPDATE_PRODUCTS: (&str, &str) = (
    "UPDATE product SET title = input.value ->> 'title', published = input.value ->> 'published', \
     price_min_minor = input.value ->> 'price_min_minor', price_max_minor = input.value ->> 'price_max_minor', \
     doc = input.value ->> 'doc', fingerprint = input.value ->> 'fingerprint', version = product.version + 1, updated_at_ms = {now} \
     FROM json_each(?2) AS input WHERE +product.brand_id = ?1 AND product.id = input.value ->> 'id' \
     AND product.version = input.value ->> 'version'",
    "UPDATE product SET title = input.title, published = input.published, price_min_minor = input.price_min_minor, \
     price_max_minor = input.price_max_minor, doc = input.doc, fingerprint = input.fingerprint, \
     version = product.version + 1, updated_at_ms = {now} \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, title TEXT, published BIGINT, price_min_minor BIGINT, \
     price_max_minor BIGINT, doc TEXT, fingerprint TEXT, version BIGINT) \
     WHERE product.brand_id = ?1 AND product.id = input.id AND product.version = input.version",
);

const CLEAR_GTINS: (&str, &str) = (
    "UPDATE variant SET gtin = NULL WHERE +brand_id = ?1 AND gtin IS NOT NULL AND product_id IN (SELECT value FROM json_each(?2))",
    "UPDATE variant SET gtin = NULL WHERE brand_id = ?1 AND gtin IS NOT NULL \
     AND product_id = ANY (ARRAY(SELECT jsonb_array_elements_text(?2::jsonb)))",
);

const PUT_VARIANTS: (&str, &str) = (
    "INSERT INTO variant (id, brand_id, product_id, sku, gtin, position, price_minor, tax_category, active) \
     SELECT value ->> 'id', ?1, value ->> 'product_id', value ->> 'sku', value ->> 'gtin', value ->> 'position', \
     value ->> 'price_minor', value ->> 'tax_category', value ->> 'active' FROM json_each(?2) WHERE true \
     ON CONFLICT (id) DO UPDATE SET gtin = excluded.gtin, position = excluded.position, \
     price_minor = excluded.price_minor, tax_category = excluded.tax_category, active = excluded.active",
    "INSERT INTO variant (id, brand_id, product_id, sku, gtin, position, price_minor, tax_category, active) \
     SELECT id, ?1, product_id, sku, gtin, position, price_minor, tax_category, active \
     FROM jsonb_to_recordset(?2::jsonb) AS input (id TEXT, product_id TEXT, sku TEXT, gtin TEXT, position BIGINT, \
     price_minor BIGINT, tax_category TEXT, active BIGINT) \
     ON CONFLICT (id) DO UPDATE SET gtin = excluded.gtin, position = excluded.position, \
     price_minor = excluded.price_minor, tax_category = excluded.tax_category, active = excluded.active",
);
