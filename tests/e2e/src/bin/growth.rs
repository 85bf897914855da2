//! Measures how each operation does in a large system beside its own small self, in one run,
//! and prints the table of `docs/BENCHMARKS.md`.
//!
//!     cargo run -p aisle-e2e --bin growth

use std::time::{Duration, Instant};

use aisle_e2e::Pair;
use aisle_e2e::servers::servers;
use aisle_e2e::tour::{Meter, Scene};
use aisle_fill::Size;
use anyhow::Result;

const ROUNDS: usize = 50;
/// Rounds that pay for connections, compiled code and cold documents.
const WARM_UP: usize = 3;
/// What is compared.
const SMALL: Size = Size {
    products: 1_000,
    stores: 12,
    stock_rows: None,
    orders: 0,
};
const LARGE: Size = Size {
    products: 100_000,
    stores: 2_500,
    stock_rows: None,
    orders: 100_000,
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut pairs = vec![(Pair::Embedded, "SQLite, embedded store")];
    match servers() {
        Ok(_) => pairs.push((Pair::Servers, "PostgreSQL, Redis")),
        Err(reason) => eprintln!("without PostgreSQL and Redis: {reason}"),
    }
    for (pair, name) in pairs {
        let small = measured(pair, SMALL, name).await?;
        let large = measured(pair, LARGE, name).await?;
        print(name, small, large);
    }
    Ok(())
}

/// How long each operation took, in the order of the tour.
#[derive(Default)]
struct Stopwatch {
    begun: Option<Instant>,
    taken: Vec<(String, Vec<Duration>)>,
}

impl Meter for Stopwatch {
    async fn begin(&mut self, _: &Scene) -> Result<()> {
        self.begun = Some(Instant::now());
        Ok(())
    }

    async fn end(&mut self, _: &Scene, operation: &str) -> Result<()> {
        let taken = self.begun.take().map(|begun| begun.elapsed());
        let known = self.taken.iter().position(|(name, _)| name == operation);
        let at = known.unwrap_or_else(|| {
            self.taken.push((operation.to_owned(), Vec::new()));
            self.taken.len() - 1
        });
        self.taken[at].1.extend(taken);
        Ok(())
    }
}

async fn measured(pair: Pair, size: Size, name: &str) -> Result<Stopwatch> {
    let begun = Instant::now();
    eprintln!(
        "{name}: filling {} products, {} stores, {} orders …",
        size.products, size.stores, size.orders
    );
    let scene = Scene::new(pair, size).await?;
    eprintln!("{name}: filled in {:.0} s", begun.elapsed().as_secs_f64());
    for round in 0..WARM_UP {
        scene.round(round, &mut Stopwatch::default()).await?;
    }
    let mut stopwatch = Stopwatch::default();
    for round in WARM_UP..WARM_UP + ROUNDS {
        scene.round(round, &mut stopwatch).await?;
        eprint!("\r{name}: round {} of {ROUNDS} ", round + 1 - WARM_UP);
    }
    eprintln!();
    Ok(stopwatch)
}

fn print(name: &str, small: Stopwatch, large: Stopwatch) {
    println!("\n**{name}**\n");
    println!("| operation | small p50 ms | p99 | large p50 ms | p99 | p50 grows by |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (operation, taken) in small.taken {
        let other = large.taken.iter().find(|(name, _)| *name == operation);
        let Some((_, other)) = other else { continue };
        let (small, large) = (percentiles(taken), percentiles(other.clone()));
        println!(
            "| {operation} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            small[0],
            small[1],
            large[0],
            large[1],
            large[0] / small[0]
        );
    }
}

/// The median and the 99th percentile, in milliseconds.
fn percentiles(mut taken: Vec<Duration>) -> [f64; 2] {
    taken.sort_unstable();
    [50, 99].map(|percent| {
        let at = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
        taken
            .get(at)
            .map_or(f64::NAN, |taken| taken.as_secs_f64() * 1_000.0)
    })
}
