//! A hot article: far more buyers than units, all at the same moment, beside people who want
//! something else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle_e2e::shopping::payment;
use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::http::Call;
use crate::open_loop::{self, Plan};
use crate::record::{Measured, ms, together};
use crate::system::{BRAND, System};
use crate::world::World;

const SKU: &str = "HOT-1";
/// Checkouts that are prepared side by side.
const PREPARED_AT_ONCE: usize = 8;
/// How long the others are measured, without the rush and with it.
const QUIET: Duration = Duration::from_secs(10);

/// How many want how many, and by how many ways in.
#[derive(Clone, Copy)]
pub struct Rush {
    pub buyers: usize,
    pub units: usize,
}

/// What the buyers got.
#[derive(Default)]
pub struct Sold {
    pub bought: usize,
    pub refused: usize,
    /// Other answers and none.
    pub failed: Vec<String>,
    pub latency: Measured,
}

/// The rush alone and beside others, who are compared with themselves.
pub async fn run(system: &System, rush: Rush, plan: Plan) -> Result<()> {
    println!(
        "\n{}: {} buyers of {} units",
        system.name, rush.buyers, rush.units
    );
    put_on_sale(system, rush.units).await?;
    let worlds = [system.world.clone()];
    let sessions = prepare(&worlds, rush.buyers).await?;
    let others = Plan {
        measured: QUIET,
        ..plan
    };
    let quiet = open_loop::run(&system.world, others, "others, before the rush").await?;
    let beside = Plan {
        warm_up: Duration::ZERO,
        ..others
    };
    let (sold, rushed) = tokio::join!(
        all_pay(&worlds, sessions),
        open_loop::run(&system.world, beside, "others, in the rush")
    );
    print(&sold?, rush);
    for (name, outcome) in [("before", quiet), ("in the rush", rushed?)] {
        let all = together(&outcome.seen);
        println!(
            "  others, {name:12} {} requests, p50 {} ms, p99 {} ms, max {} ms, {} errors",
            all.latency.len(),
            ms(all.median()),
            ms(all.p99()),
            ms(Duration::from_micros(all.latency.max())),
            all.failures()
        );
        for (why, count) in &all.errors {
            println!("    {count} times: {why}");
        }
    }
    system.own()?.database.check_invariants().await
}

pub fn print(sold: &Sold, rush: Rush) {
    println!(
        "  sold {} of {}, refused {}, failed {}; answers p50 {} ms, p99 {} ms, max {} ms",
        sold.bought,
        rush.units,
        sold.refused,
        sold.failed.len(),
        ms(sold.latency.median()),
        ms(sold.latency.p99()),
        ms(Duration::from_micros(sold.latency.latency.max()))
    );
    for why in sold.failed.iter().take(5) {
        println!("    {why}");
    }
}

/// One article that the first store with a till has so many units of.
pub async fn put_on_sale(system: &System, units: usize) -> Result<()> {
    let environment = system.own()?;
    let till = system.world.tills.first().context("no store hands over")?;
    let code = format!(
        "SELECT code FROM location WHERE id = '{}'",
        till.location_id
    );
    let code = environment.database.rows(&code).await?[0][0]
        .clone()
        .unwrap_or_default();
    let products = format!("Handle,Title,Variant SKU,Variant Price\nhot,Hot,{SKU},20.00\n");
    let stock = format!("sku,location_code,on_hand,safety\n{SKU},{code},{units},0\n");
    for (kind, csv) in [("products", products), ("stock", stock)] {
        let path = format!("/admin/imports?kind={kind}&brand={BRAND}");
        let report = environment
            .admin()
            .post(&path)
            .csv(csv)
            .expect(200)
            .await?
            .json();
        ensure!(report["refused"] == 0, "{report:#}");
    }
    environment.drain_outbox().await
}

/// So many checkouts that are ready to be paid, at one way in after the other.
pub async fn prepare(worlds: &[Arc<World>], buyers: usize) -> Result<Vec<Value>> {
    let prepared = futures::stream::iter(0..buyers).map(|buyer| {
        let world = worlds[buyer % worlds.len()].clone();
        async move { ready(&world).await }
    });
    let prepared: Vec<Result<Value>> = prepared.buffered(PREPARED_AT_ONCE).collect().await;
    prepared.into_iter().collect()
}

async fn ready(world: &World) -> Result<Value> {
    let found = world
        .http
        .send(crate::people::lookup(SKU))
        .await?
        .expect(200)?;
    let item = found
        .pointer("/products/0/variants/0/id")
        .context("the hot article is not found")?;
    let store = &world
        .tills
        .first()
        .context("no store hands over")?
        .location_id;
    let request = json!({
        "line_items": [{"item": {"id": item}, "quantity": 1}], "buyer": world.buyer(),
        "fulfillment": {"methods": [{"type": "pickup", "selected_destination_id": store}]},
    });
    let created = world
        .http
        .send(Call::post("/checkout-sessions", &request))
        .await?
        .expect(201)?;
    let Some(update) = aisle_e2e::shopping::with_first_options(&created) else {
        return Ok(created);
    };
    let path = format!(
        "/checkout-sessions/{}",
        created["id"].as_str().context("no id")?
    );
    world.http.send(Call::put(path, &update)).await?.expect(200)
}

/// All pay at the same moment.
pub async fn all_pay(worlds: &[Arc<World>], sessions: Vec<Value>) -> Result<Sold> {
    let start = Arc::new(Barrier::new(sessions.len()));
    let mut running = JoinSet::new();
    for (buyer, session) in sessions.into_iter().enumerate() {
        let (world, start) = (worlds[buyer % worlds.len()].clone(), start.clone());
        running.spawn(async move {
            let path = format!(
                "/checkout-sessions/{}/complete",
                session["id"].as_str().unwrap_or_default()
            );
            let call = Call::post(path, &payment(&session)).keyed();
            start.wait().await;
            let begin = Instant::now();
            (world.http.send(call).await, begin.elapsed())
        });
    }
    let mut sold = Sold::default();
    for (answer, took) in running.join_all().await {
        sold.latency
            .latency
            .saturating_record(took.as_micros() as u64);
        match answer.and_then(|answer| answer.expect(200)) {
            Ok(answer) if answer["status"] == "completed" => sold.bought += 1,
            Ok(answer) if answer.pointer("/messages/0/code") == Some(&json!("out_of_stock")) => {
                sold.refused += 1
            }
            Ok(answer) => sold.failed.push(format!("{answer:.300}")),
            Err(error) => sold.failed.push(format!("{error:#}")),
        }
    }
    Ok(sold)
}
