//! What makes products findable: the one place that knows how the index is kept.

use aisle_domain::product::Product;
use aisle_domain::search::{VERSION, tokens};
use anyhow::Result;
use tokio_postgres::Client;

use crate::rows::{Cell, Table, cells};
use crate::target::copy;

/// The category of all products.
const ALL: &str = "";

/// What a product is found by.
#[derive(Debug)]
pub struct Searched {
    brand_id: String,
    product_id: String,
    /// With a space between them; empty for what shoppers do not see.
    tokens: String,
    categories: Vec<String>,
}

impl Searched {
    pub fn new(brand_id: &str, product: &Product) -> Self {
        let categories = match product.is_listed() {
            true => std::iter::once(ALL.to_owned())
                .chain(product.categories.clone())
                .collect(),
            false => Vec::new(),
        };
        Self {
            brand_id: brand_id.to_owned(),
            product_id: product.id.clone(),
            tokens: tokens(brand_id, product).join(" "),
            categories,
        }
    }
}

pub fn write_sqlite(connection: &rusqlite::Connection, all: &[Searched]) -> Result<()> {
    let mut entry = connection.prepare_cached(
        "INSERT INTO search_entry (brand_id, product_id, tokens_version) VALUES (?1, ?2, ?3)",
    )?;
    let mut index =
        connection.prepare_cached("INSERT INTO search_index (rowid, tokens) VALUES (?1, ?2)")?;
    let mut category = connection.prepare_cached(
        "INSERT INTO search_category (brand_id, category, product_id) VALUES (?1, ?2, ?3)",
    )?;
    for one in all {
        entry.execute((&one.brand_id, &one.product_id, VERSION))?;
        if !one.tokens.is_empty() {
            index.execute((connection.last_insert_rowid(), &one.tokens))?;
        }
        for name in &one.categories {
            category.execute((&one.brand_id, name, &one.product_id))?;
        }
    }
    Ok(())
}

const COUNT: &str = "INSERT INTO category_count (brand_id, category, products) \
     SELECT brand_id, category, count(*) FROM search_category WHERE true GROUP BY brand_id, category \
     ON CONFLICT (brand_id, category) DO UPDATE SET products = excluded.products";

/// Counts what is in each category, and makes the index one piece.
pub fn finish_sqlite(connection: &rusqlite::Connection) -> Result<()> {
    connection.execute_batch(COUNT)?;
    connection.execute_batch("INSERT INTO search_index (search_index) VALUES ('optimize')")?;
    Ok(())
}

static ENTRY: Table = Table {
    name: "search_entry",
    columns: &["brand_id", "product_id", "tokens_version", "tokens"],
};
static CATEGORY: Table = Table {
    name: "search_category",
    columns: &["brand_id", "category", "product_id"],
};

/// An index that is built at the end is built in a third of the time; where there is nothing
/// to be found yet, nobody misses it meanwhile.
const WITHOUT_INDEX: &str = "DO $$ BEGIN \
     IF NOT EXISTS (SELECT 1 FROM search_entry) THEN DROP INDEX search_entry_document; END IF; END $$";
const WITH_INDEX: &str = "SET LOCAL maintenance_work_mem = '256MB'; \
     CREATE INDEX IF NOT EXISTS search_entry_document ON search_entry \
     USING GIN (aisle_search_document(ord, tokens)) WITH (gin_pending_list_limit = 256)";

pub async fn begin_postgres(client: &Client) -> Result<()> {
    Ok(client.batch_execute(WITHOUT_INDEX).await?)
}

pub async fn write_postgres(client: &Client, all: &[Searched]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let entries: Vec<Cell> = all
        .iter()
        .flat_map(|one| cells![&one.brand_id, &one.product_id, VERSION, &one.tokens])
        .collect();
    copy(client, &ENTRY, &entries).await?;
    let categories: Vec<Cell> = all
        .iter()
        .flat_map(|one| {
            let row = |name| cells![&one.brand_id, name, &one.product_id];
            one.categories.iter().flat_map(row)
        })
        .collect();
    copy(client, &CATEGORY, &categories).await
}

pub async fn finish_postgres(client: &Client) -> Result<()> {
    client.batch_execute(COUNT).await?;
    Ok(client.batch_execute(WITH_INDEX).await?)
}
