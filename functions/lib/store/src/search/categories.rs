//! A brand's categories with the numbers of their products, from counters.

use crate::{Db, Row, StoreError, values};

/// A category and how many products that shoppers see are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub name: String,
    pub products: i64,
}

/// Up to `limit` categories of the brand that have products, by name, after the one named
/// `after` ("" to begin): one call.
pub async fn categories(
    db: &Db,
    brand_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Category>, StoreError> {
    let sql = "SELECT category, products FROM category_count WHERE brand_id = ?1 AND category > ?2 \
               AND products > 0 ORDER BY category LIMIT ?3";
    let rows = db.query(sql, values![brand_id, after, limit]).await?;
    let category = |row: &Row| -> Result<Category, StoreError> {
        Ok(Category {
            name: row.text("category")?,
            products: row.int("products")?,
        })
    };
    rows.iter().map(category).collect()
}
