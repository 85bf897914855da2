//! `GET /catalog/categories`: the brand's categories and how many products are in each.

use aisle_http::page::{after, refused, request};
use aisle_http::{Call, Error, Reply};
use aisle_store::search::categories::{Category, categories};
use aisle_ucp::catalog::{CategoryCount, CategoryList};
use aisle_ucp::page::{Pagination, search_id};

/// For how long caches may keep the list, and show it while they ask for a new one.
const CACHED_S: (u32, u32) = (30, 300);

pub async fn list(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let asked = request(call)?;
    let size = asked.size().map_err(refused)?;
    let search = search_id(&(&brand.id, "categories"));
    let after = after(&asked, search)?.unwrap_or_default();
    let mut found = categories(call.db(), &brand.id, &after, size as i64 + 1).await?;
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|last| last.name.clone());
    let count = |Category { name, products }| CategoryCount { name, products };
    let list = CategoryList {
        categories: found.into_iter().map(count).collect(),
        pagination: Pagination::new(search, last, None),
    };
    let (max_age_s, stale_s) = CACHED_S;
    Ok(Reply::json(200, &list)?.cached(max_age_s, stale_s))
}
