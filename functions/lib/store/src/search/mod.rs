//! Products by text and filters: one read, whose cost follows the page and not the catalogue.
//!
//! Our own code makes the tokens of products and questions (`aisle_domain::search`); FTS5 on
//! SQLite and a GIN index on PostgreSQL hold them, and answer in one order: by tier, and the
//! latest product first. So a page is the next few entries of a stream. What no token can
//! decide, exact prices and stock, is looked at entry by entry, a bounded number for a page.

use aisle_domain::product::Product;
use aisle_domain::search::{Question, Stream, Tier};
use aisle_domain::supply::Restriction;
use serde::{Deserialize, Serialize};

use crate::{Db, Row, StoreError, now_ms};

pub mod categories;
pub mod index;
mod statement;

/// Entries that one page looks at. So many are also counted; that there are more is said.
pub const MAX_EXAMINED: i64 = 1_000;

/// What to look for among a brand's published products.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProductQuery<'a> {
    pub question: Question<'a>,
    /// What can reach the shopper like this; `None`: it need not be in stock.
    pub in_stock: Option<&'a Restriction>,
    /// Where the page before ended ([`Page::next`]).
    pub after: Option<&'a Position>,
    /// Products per page, at least 1.
    pub limit: i64,
}

/// Where a page ended, and what the first one counted. A client gets it as an opaque cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    #[serde(rename = "t")]
    tier: Tier,
    #[serde(rename = "o")]
    ord: i64,
    #[serde(rename = "n")]
    total: Total,
}

impl Position {
    /// Whether a position that came from a client can be one of ours.
    pub fn is_valid(&self) -> bool {
        self.ord >= 0 && self.total.products() >= 0
    }
}

/// How many products answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Total {
    #[serde(rename = "e")]
    Exactly(i64),
    #[serde(rename = "m")]
    AtLeast(i64),
}

impl Total {
    fn products(self) -> i64 {
        match self {
            Self::Exactly(products) | Self::AtLeast(products) => products,
        }
    }
}

/// A page of products.
#[derive(Debug, Clone)]
pub struct Page {
    /// Fewer than asked for, even none, where the page looked at [`MAX_EXAMINED`] entries
    /// that the filters held back; then there is a `next`.
    pub hits: Vec<Product>,
    /// On all pages.
    pub total: Total,
    /// The position after the last entry that was looked at, when there may be more.
    pub next: Option<Position>,
    /// Nothing had the words: these have words like them.
    pub similar: bool,
    /// Entries that were looked at.
    examined: i64,
    /// When the rows were read.
    pub as_of_ms: i64,
}

impl Page {
    fn empty(as_of_ms: i64) -> Self {
        Self {
            hits: Vec::new(),
            total: Total::Exactly(0),
            next: None,
            similar: false,
            examined: 0,
            as_of_ms,
        }
    }
}

/// A page of the brand's published products: one call, and another one
/// for similar words when nothing has these.
pub async fn products(
    db: &Db,
    brand_id: &str,
    query: &ProductQuery<'_>,
) -> Result<Page, StoreError> {
    let is_similar = query.after.is_some_and(|after| after.tier == Tier::Similar);
    if !is_similar {
        let streams = query.question.streams(brand_id);
        let page = page(db, brand_id, query, &streams).await?;
        if page.examined > 0 {
            return Ok(page);
        }
    }
    let Some(stream) = query.question.similar(brand_id) else {
        return Ok(Page::empty(now_ms()));
    };
    let page = page(db, brand_id, query, &[stream]).await?;
    let similar = page.examined > 0;
    Ok(Page { similar, ..page })
}

async fn page(
    db: &Db,
    brand_id: &str,
    query: &ProductQuery<'_>,
    streams: &[Stream],
) -> Result<Page, StoreError> {
    let as_of_ms = now_ms();
    let from = query.after.map_or(Tier::Exact, |after| after.tier);
    let streams: Vec<&Stream> = streams
        .iter()
        .filter(|stream| stream.tier >= from)
        .collect();
    if streams.is_empty() {
        return Ok(Page::empty(as_of_ms));
    }
    let (sql, params) = statement::statement(db.dialect(), brand_id, query, &streams);
    let rows = db.query_heavy("search", sql, params).await?;
    let Some(first) = rows.first() else {
        return Ok(Page::empty(as_of_ms));
    };
    let (examined, fitting) = (first.int("examined")?, first.int("fitting")?);
    let was_all = examined < statement::examined(query);
    let total = match (query.after, first.int_opt("counted")?) {
        (Some(after), _) => after.total,
        (None, Some(counted)) => Total::Exactly(counted),
        (None, None) if was_all => Total::Exactly(fitting),
        (None, None) => Total::AtLeast(fitting.min(MAX_EXAMINED)),
    };
    let hits: Vec<&Row> = rows
        .iter()
        .filter(|row| !matches!(row.int_opt("ord"), Ok(None)))
        .collect();
    let page_size = usize::try_from(query.limit).unwrap_or(1);
    let position = |row: &Row, tier: &str, ord: &str| -> Result<Position, StoreError> {
        let tier = u8::try_from(row.int(tier)?).unwrap_or_default();
        let tier = Tier::try_from(tier).map_err(|why| StoreError::Bug(why.into()))?;
        Ok(Position {
            tier,
            ord: row.int(ord)?,
            total,
        })
    };
    let next = match hits.get(page_size.saturating_sub(1)) {
        Some(last) if hits.len() > page_size => Some(position(last, "tier", "ord")?),
        _ if !was_all => Some(position(first, "last_tier", "last_ord")?),
        _ => None,
    };
    let hits = hits.into_iter().take(page_size).map(|row| row.json("doc"));
    Ok(Page {
        hits: hits.collect::<Result<_, _>>()?,
        total,
        next,
        similar: false,
        examined,
        as_of_ms,
    })
}
