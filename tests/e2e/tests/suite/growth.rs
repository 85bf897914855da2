//! No request reads more because there are more products, stores or orders.
//!
//! Counted is the work of the databases, not time: steps of SQLite's virtual machine, and
//! pages that PostgreSQL looked at.

use std::collections::BTreeMap;

use aisle_e2e::tour::{Meter, Scene};
use aisle_e2e::{Database, Pair};
use aisle_fill::Size;
use anyhow::{Result, ensure};

use crate::harness::counts_sql;

const SMALL: Size = Size {
    products: 1_000,
    stores: 12,
    stock_rows: None,
    orders: 0,
};
const LARGE: Size = Size {
    products: 20_000,
    stores: 2_500,
    stock_rows: None,
    orders: 4_000,
};
/// Each with other articles; what counts is the round in which an operation did least: the
/// others had something to do first.
const ROUNDS: usize = 3;

/// What an operation may do in the large system: half more than in the small one, since trees
/// are deeper and pages fuller, and then what no system makes more of, because the operation
/// looks at a bounded number of rows: a checkout at some hundred places, a search at 1,000
/// entries; who asks first for an article sums its balances by cell, once. On SQLite, which
/// counts each row, reading all orders or products of the large system once is more than what
/// is allowed to any but a search, and so is reading all stores with a row of theirs each;
/// PostgreSQL's pages show only who fetches rows one by one.
fn allowed(operation: &str, small: i64, pair: Pair) -> i64 {
    let bounded = match (pair, operation) {
        (Pair::Embedded, "relay: one event" | "stock near: first") => 45_000,
        (Pair::Embedded, search) if search.starts_with("search") => 80_000,
        (Pair::Embedded, _) => 19_000,
        (Pair::Servers, search) if search.starts_with("search") => 12_000,
        (Pair::Servers, _) => 5_000,
    };
    small * 3 / 2 + bounded
}

pub async fn no_operation_reads_in_proportion_to_what_there_is(pair: Pair) -> Result<()> {
    if !counts_sql() {
        return Ok(());
    }
    let _turn = crate::harness::heavy_turn().await;
    let small = work(pair, SMALL).await?;
    let large = work(pair, LARGE).await?;
    let grown: Vec<String> = small
        .iter()
        .filter_map(|(operation, small)| {
            let large = large.get(operation)?;
            let grows = *large > allowed(operation, *small, pair);
            grows.then(|| format!("{operation}: {small} in the small system, {large} in the large"))
        })
        .collect();
    ensure!(small.len() == large.len(), "not the same operations");
    ensure!(
        grown.is_empty(),
        "these read more in a large system:\n{}",
        grown.join("\n")
    );
    Ok(())
}

/// The least work of each operation.
async fn work(pair: Pair, size: Size) -> Result<BTreeMap<String, i64>> {
    let scene = Scene::new(pair, size).await?;
    if let Database::Postgres(_) = &scene.aisle.database {
        scene
            .aisle
            .database
            .rows("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            .await?;
    }
    let mut counter = Counter::default();
    for round in 0..ROUNDS {
        scene.round(round, &mut counter).await?;
    }
    Ok(counter.least)
}

#[derive(Default)]
struct Counter {
    before: i64,
    least: BTreeMap<String, i64>,
}

impl Meter for Counter {
    async fn begin(&mut self, scene: &Scene) -> Result<()> {
        self.before = so_far(scene).await?;
        Ok(())
    }

    async fn end(&mut self, scene: &Scene, operation: &str) -> Result<()> {
        let done = so_far(scene).await? - self.before;
        let least = self.least.entry(operation.to_owned()).or_insert(done);
        *least = done.min(*least);
        Ok(())
    }
}

async fn so_far(scene: &Scene) -> Result<i64> {
    match &scene.aisle.database {
        Database::Sqlite(_) => {
            let stats = [scene.aisle.edge().stats(), scene.relay.stats()];
            let steps = stats.iter().flat_map(|stats| stats.components.values());
            Ok(steps.map(|component| component.sql_steps as i64).sum())
        }
        database => {
            let pages = "SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0)::BIGINT FROM pg_stat_statements s \
                 JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database() \
                 AND s.query NOT LIKE '%pg_stat_statements%'";
            database.number(pages).await
        }
    }
}
