//! Fills a database with a retailer of any size: products, stores, stock and three years of
//! orders, as the app itself would have written them, for looking at how it does when large.
//!
//! The same seed gives the same rows. Nothing grows with the size but two numbers for each
//! balance of stock.

mod chance;
mod orders;
mod pipeline;
mod places;
mod products;
mod rows;
mod search;
mod shelves;
mod steps;
mod target;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use tokio::runtime::Handle;

pub use pipeline::{Progress, Unwatched};

/// What a brand is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Of three variants each.
    pub products: u64,
    pub stores: u64,
    /// Balances of stock, at most; `None`: three for each variant.
    pub stock_rows: Option<u64>,
    pub orders: u64,
}

/// What to fill a database with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub size: Size,
    pub seed: u64,
    /// The end of the three years of orders, in milliseconds since the epoch.
    pub until_ms: i64,
    /// The brand's handle; it is made unless it exists.
    pub brand: String,
}

/// What there is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Where the brand answers.
    pub host: String,
    pub variants: u64,
    pub stores: u64,
    pub stock_rows: u64,
    pub orders: u64,
}

/// A migrated database.
pub enum Database {
    /// A SQLite file. What was written stays when the work breaks off.
    Sqlite(PathBuf),
    /// All or nothing.
    Postgres(Box<tokio_postgres::Client>),
}

/// Fills the database. Nobody need stop what runs on it.
///
/// # Errors
/// The brand was filled before, stores cannot be spread over its country, or the database
/// refuses a row.
pub async fn fill(
    database: Database,
    wanted: Wanted,
    progress: Arc<dyn Progress + Send + Sync>,
) -> Result<Filled> {
    let runtime = Handle::current();
    let work = move || match database {
        Database::Sqlite(file) => {
            let mut target = target::Sqlite::open(&file)?;
            steps::fill(&mut target, &wanted, progress.as_ref())
        }
        Database::Postgres(client) => {
            let mut target = target::Postgres::begin(*client, runtime)?;
            steps::fill(&mut target, &wanted, progress.as_ref())
        }
    };
    tokio::task::spawn_blocking(work).await?
}
