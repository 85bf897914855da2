//! Makes a retailer of any size, right into the database.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aisle_domain::instant;
use aisle_edge::migrate::{self, Migrations};
use aisle_fill::{Database, Filled, Progress, Size, Wanted};
use anyhow::Context;
use indicatif::ProgressBar;

use super::progress;

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Products, of three variants each.
    #[arg(long, default_value_t = 1_000)]
    products: u64,
    #[arg(long, default_value_t = 12)]
    stores: u64,
    /// Balances of stock, at most; by default three for each variant.
    #[arg(long)]
    stock_rows: Option<u64>,
    /// Orders of the last three years.
    #[arg(long, default_value_t = 0)]
    orders: u64,
    /// The same seed and day give the same rows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day of the orders, such as 2026-11-30; by default yesterday.
    #[arg(long)]
    until: Option<String>,
    /// Handle of the brand that gets all of it; made unless it exists.
    #[arg(long, default_value = "mass")]
    brand: String,
    /// Folder in which `cargo up` keeps its state.
    #[arg(long, default_value = ".aisle")]
    state: PathBuf,
    /// Fill this PostgreSQL database instead of SQLite.
    #[arg(long)]
    postgres: Option<String>,
}

/// Migrates the database and fills it.
///
/// # Errors
/// In words for the person at the terminal.
pub async fn run(manifest: PathBuf, flags: Flags) -> anyhow::Result<()> {
    let begun = Instant::now();
    let wanted = Wanted {
        until_ms: until_ms(flags.until.as_deref())?,
        size: Size {
            products: flags.products,
            stores: flags.stores,
            stock_rows: flags.stock_rows,
            orders: flags.orders,
        },
        seed: flags.seed,
        brand: flags.brand,
    };
    let database = match &flags.postgres {
        Some(url) => {
            Migrations::for_postgres(&manifest)?
                .migrate_postgres(url)
                .await?;
            Database::Postgres(Box::new(migrate::connect(url).await?))
        }
        None => {
            std::fs::create_dir_all(&flags.state)
                .with_context(|| format!("cannot create {}", flags.state.display()))?;
            let file = flags.state.join("sqlite.db");
            Migrations::for_sqlite(&manifest)?.migrate_sqlite(&file)?;
            Database::Sqlite(file)
        }
    };
    let filled = aisle_fill::fill(database, wanted, Arc::new(Bars::default())).await?;
    let Filled {
        host,
        variants,
        stores,
        stock_rows,
        orders,
    } = filled;
    println!(
        "{variants} variants, {stores} stores, {stock_rows} balances of stock and {orders} orders in {:.0} s, at http://{host}:3000",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The last instant of the day, so that a seed means the same all day long.
fn until_ms(day: Option<&str>) -> anyhow::Result<i64> {
    match day {
        Some(day) => {
            let midnight = instant::parse_rfc3339(&format!("{day}T00:00:00Z"));
            let midnight = midnight.with_context(|| format!("{day} is no day like 2026-11-30"))?;
            Ok(midnight + DAY_MS)
        }
        None => {
            let now = std::time::UNIX_EPOCH.elapsed()?.as_millis();
            let now = i64::try_from(now)?;
            Ok(now - now.rem_euclid(DAY_MS))
        }
    }
}

/// A bar for each part of the work.
#[derive(Default)]
struct Bars(Mutex<Option<ProgressBar>>);

impl Bars {
    fn with(&self, change: impl FnOnce(&mut Option<ProgressBar>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, count: u64) {
        self.with(|bar| *bar = Some(progress::things(what, count)));
    }

    fn made(&self, count: u64) {
        self.with(|bar| bar.iter().for_each(|bar| bar.inc(count)));
    }

    fn end(&self) {
        self.with(|bar| {
            if let Some(bar) = bar.take() {
                let (made, took) = (bar.position(), bar.elapsed().as_secs_f64());
                progress::done(&bar, &format!("{}: {made} in {took:.1} s", bar.message()));
            }
        });
    }
}
