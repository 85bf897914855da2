//! How much longer a checkout takes while searches, exports and imports go on.
//!
//!     cargo run -p aisle-e2e --bin pressure [ROWS]

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use aisle_e2e::pressure::{Pressure, buy};
use aisle_e2e::servers::servers;
use aisle_e2e::{Pair, Setup};
use anyhow::{Context, Result};

/// Rows of each import, unless the command says how many.
const ROWS: usize = 100_000;
const BUYERS: usize = 4;
const ORDERS_EACH: usize = 25;

#[tokio::main]
async fn main() -> Result<()> {
    let rows = match std::env::args().nth(1) {
        Some(rows) => rows.parse().context("ROWS is a number")?,
        None => ROWS,
    };
    let mut pairs = vec![(Pair::Embedded, "SQLite, embedded store")];
    match servers() {
        Ok(_) => pairs.push((Pair::Servers, "PostgreSQL, Redis")),
        Err(reason) => eprintln!("without PostgreSQL and Redis: {reason}"),
    }
    for (pair, name) in pairs {
        println!("\n{name}: {BUYERS} buyers, {ORDERS_EACH} checkouts each");
        measure(pair, rows).await?;
    }
    Ok(())
}

async fn measure(pair: Pair, rows: usize) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    // The first ones pay for connections and cold documents.
    buy(&aisle, BUYERS, 2).await?;
    eprintln!("buying with nothing else going on …");
    let quiet = buy(&aisle, BUYERS, ORDERS_EACH).await?;
    eprintln!("buying beside searches, exports and imports of {rows} rows …");
    let pressure = Pressure::start(&aisle, rows).await?;
    let pressed = buy(&aisle, BUYERS, ORDERS_EACH).await?;
    let counts = pressure.stop().await?;
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        let (quiet_ms, pressed_ms) = (part_ms(&quiet, part), part_ms(&pressed, part));
        println!(
            "  {name}  quiet {quiet_ms:7.1} ms  under pressure {pressed_ms:7.1} ms  {:.1} times",
            pressed_ms / quiet_ms
        );
    }
    println!(
        "  heavy requests: {} answered, {} turned away",
        counts.answered.load(Relaxed),
        counts.turned_away.load(Relaxed)
    );
    Ok(())
}

/// The duration that this part of them does not exceed.
fn part_ms(sorted: &[Duration], part: f64) -> f64 {
    let index = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[index].as_secs_f64() * 1_000.0
}
