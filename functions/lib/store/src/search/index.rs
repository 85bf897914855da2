//! The index of the search, written in the batch that changes a product.

use aisle_domain::product::Product;
use aisle_domain::search::{VERSION, tokens};
use serde::Serialize;

use crate::{Batch, BatchError, Db, Dialect, StoreError, values};

/// Products of one run of [`index_stale`].
const MAX_STALE: i64 = 200;

#[derive(Serialize)]
struct Entry<'a> {
    product_id: &'a str,
    /// With a space between them; empty for what shoppers do not see.
    tokens: String,
}

#[derive(Serialize)]
struct InCategory<'a> {
    product_id: &'a str,
    category: &'a str,
}

/// Adds the statements that make products of the brand findable as they are now, and count
/// for their categories: a few, whatever the number of products.
pub fn put(
    batch: &mut Batch,
    dialect: Dialect,
    brand_id: &str,
    products: &[&Product],
) -> Result<(), StoreError> {
    let entries = products.iter().map(|product| Entry {
        product_id: &product.id,
        tokens: tokens(brand_id, product).join(" "),
    });
    let entries = json(entries)?;
    batch.add(PUT_ENTRIES, values![brand_id, &entries, VERSION]);
    if dialect == Dialect::Sqlite {
        batch.add(CLEAR_INDEX, values![&entries]);
        batch.add(PUT_INDEX, values![&entries]);
    }
    count(batch, brand_id, products)
}

/// Takes the products out of the counts in which they were and puts them into those in which
/// they are.
fn count(batch: &mut Batch, brand_id: &str, products: &[&Product]) -> Result<(), StoreError> {
    let ids = json(products.iter().map(|product| &product.id))?;
    let listed = products.iter().filter(|product| product.is_listed());
    let rows = listed.flat_map(|product| {
        let all = std::iter::once(ALL);
        let categories = product.categories.iter().map(String::as_str);
        all.chain(categories).map(move |category| InCategory {
            product_id: &product.id,
            category,
        })
    });
    batch.add(UNCOUNT, values![brand_id, &ids]);
    batch.add(CLEAR_CATEGORIES, values![&ids]);
    batch.add(PUT_CATEGORIES, values![brand_id, json(rows)?]);
    batch.add(COUNT, values![brand_id, &ids]);
    Ok(())
}

/// The category of all products.
pub(super) const ALL: &str = "";

/// Makes some products findable that are stored with no tokens, or with those of another
/// build: one read, and one batch for each brand. Answers how many; 0 when all are.
pub async fn index_stale(db: &Db) -> Result<usize, StoreError> {
    let rows = db
        .query(
            "SELECT e.brand_id, p.doc FROM (SELECT ord, brand_id, product_id FROM search_entry \
             WHERE tokens_version < ?1 ORDER BY tokens_version, ord LIMIT ?2) e \
             JOIN product p ON p.id = e.product_id ORDER BY e.brand_id, e.ord",
            values![VERSION, MAX_STALE],
        )
        .await?;
    let mut stale: Vec<(String, Product)> = Vec::with_capacity(rows.len());
    for row in &rows {
        stale.push((row.text("brand_id")?, row.json("doc")?));
    }
    for of_brand in stale.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((brand_id, _)) = of_brand.first() else {
            continue;
        };
        let products: Vec<&Product> = of_brand.iter().map(|(_, product)| product).collect();
        let ids = json(products.iter().map(|product| &product.id))?;
        let mut batch = Batch::new();
        // Whoever changed one of them meanwhile has indexed it, and what was read is old.
        batch.expect(products.len() as u64, CLAIM_STALE, values![VERSION, ids]);
        put(&mut batch, db.dialect(), brand_id, &products)?;
        match batch.commit(db).await {
            Ok(_) | Err(BatchError::Unmet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(stale.len())
}

const CLAIM_STALE: (&str, &str) = (
    "UPDATE search_entry SET tokens_version = 0 WHERE tokens_version < ?1 \
     AND product_id IN (SELECT value FROM json_each(?2))",
    "UPDATE search_entry SET tokens_version = 0 WHERE tokens_version < ?1 \
     AND product_id IN (SELECT jsonb_array_elements_text(?2::jsonb))",
);

fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<String, StoreError> {
    serde_json::to_string(&rows.collect::<Vec<_>>())
        .map_err(|error| StoreError::Bug(error.to_string()))
}

// In the order of the list, so that both databases give new products the same places.
const PUT_ENTRIES: (&str, &str) = (
    "INSERT INTO search_entry (brand_id, product_id, tokens_version) \
     SELECT ?1, value ->> 'product_id', ?3 FROM json_each(?2) WHERE true ORDER BY key \
     ON CONFLICT (product_id) DO UPDATE SET tokens_version = excluded.tokens_version",
    "INSERT INTO search_entry (brand_id, product_id, tokens_version, tokens) \
     SELECT ?1, value ->> 'product_id', ?3, value ->> 'tokens' \
     FROM jsonb_array_elements(?2::jsonb) WITH ORDINALITY AS input (value, n) ORDER BY n \
     ON CONFLICT (product_id) DO UPDATE SET tokens_version = excluded.tokens_version, tokens = excluded.tokens",
);

const CLEAR_INDEX: &str = "DELETE FROM search_index WHERE rowid IN \
     (SELECT e.ord FROM json_each(?1) input CROSS JOIN search_entry e ON e.product_id = input.value ->> 'product_id')";

const PUT_INDEX: &str = "INSERT INTO search_index (rowid, tokens) \
     SELECT e.ord, input.value ->> 'tokens' FROM json_each(?1) input \
     CROSS JOIN search_entry e ON e.product_id = input.value ->> 'product_id' \
     WHERE input.value ->> 'tokens' <> '' ORDER BY e.ord";

const UNCOUNT: (&str, &str) = (
    "UPDATE category_count SET products = category_count.products - gone.products FROM \
     (SELECT category, count(*) AS products FROM search_category WHERE product_id IN (SELECT value FROM json_each(?2)) \
     GROUP BY category) AS gone WHERE category_count.brand_id = ?1 AND category_count.category = gone.category",
    "UPDATE category_count SET products = category_count.products - gone.products FROM \
     (SELECT category, count(*) AS products FROM search_category \
     WHERE product_id IN (SELECT jsonb_array_elements_text(?2::jsonb)) GROUP BY category) AS gone \
     WHERE category_count.brand_id = ?1 AND category_count.category = gone.category",
);

const CLEAR_CATEGORIES: (&str, &str) = (
    "DELETE FROM search_category WHERE product_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM search_category WHERE product_id IN (SELECT jsonb_array_elements_text(?1::jsonb))",
);

const PUT_CATEGORIES: (&str, &str) = (
    "INSERT INTO search_category (brand_id, category, product_id) \
     SELECT ?1, value ->> 'category', value ->> 'product_id' FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO search_category (brand_id, category, product_id) \
     SELECT ?1, category, product_id FROM jsonb_to_recordset(?2::jsonb) AS input (category TEXT, product_id TEXT) \
     ON CONFLICT DO NOTHING",
);

// In the order of the categories, so that two imports at once do not wait for each other.
const COUNT: (&str, &str) = (
    "INSERT INTO category_count (brand_id, category, products) \
     SELECT ?1, category, count(*) FROM search_category WHERE product_id IN (SELECT value FROM json_each(?2)) \
     GROUP BY category ORDER BY category \
     ON CONFLICT (brand_id, category) DO UPDATE SET products = category_count.products + excluded.products",
    "INSERT INTO category_count (brand_id, category, products) \
     SELECT ?1, category, count(*) FROM search_category \
     WHERE product_id IN (SELECT jsonb_array_elements_text(?2::jsonb)) GROUP BY category ORDER BY category \
     ON CONFLICT (brand_id, category) DO UPDATE SET products = category_count.products + excluded.products",
);
