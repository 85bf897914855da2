//! Measures what the project reports about itself: requests per second of a product
//! lookup beside a component that does nothing, and what each operation costs in calls.
//!
//!     cargo run -p aisle-e2e --bin bench

use std::sync::Arc;
use std::time::Instant;

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::servers::servers;
use aisle_e2e::shopping::{Item, complete, items, line, shipping_checkout, update_of};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const CONNECTIONS: usize = 16;
const REQUESTS_PER_CONNECTION: usize = 2_000;
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let mut pairs = vec![(Pair::Embedded, "SQLite, embedded store")];
    match servers() {
        Ok(_) => pairs.push((Pair::Servers, "PostgreSQL, Redis")),
        Err(reason) => eprintln!("without PostgreSQL and Redis: {reason}"),
    }
    for (pair, name) in pairs {
        println!("\n{name}");
        throughput(pair).await?;
        calls(pair).await?;
    }
    Ok(())
}

/// Warm product lookups and the empty component, in turns on the same edge.
async fn throughput(pair: Pair) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).for_measuring().start().await?);
    let wanted = items(&aisle.north(), 1).await?.remove(0);
    let lookup = json!({"ids": [wanted.id]});
    let (mut hello, mut found) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        hello.push(requests_per_second(&aisle, None).await?);
        found.push(requests_per_second(&aisle, Some(&lookup)).await?);
    }
    let (hello, found) = (median(hello), median(found));
    println!(
        "  hello            {hello:8.0} requests/s  ({CONNECTIONS} connections, median of {ROUNDS})"
    );
    println!(
        "  product lookup   {found:8.0} requests/s  {:.2} of hello",
        found / hello
    );
    Ok(())
}

async fn requests_per_second(aisle: &Arc<Environment>, lookup: Option<&Value>) -> Result<f64> {
    let begin = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (aisle, lookup) = (aisle.clone(), lookup.cloned());
        running.spawn(async move {
            let shopper = aisle.north();
            for _ in 0..REQUESTS_PER_CONNECTION {
                let call = match &lookup {
                    Some(body) => shopper.post("/catalog/lookup").json(body),
                    None => shopper.get("/hello"),
                };
                call.expect(200).await?;
            }
            anyhow::Ok(())
        });
    }
    running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<()>>()?;
    Ok((CONNECTIONS * REQUESTS_PER_CONNECTION) as f64 / begin.elapsed().as_secs_f64())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// SQL calls of each operation and, on PostgreSQL, round trips between the edge and it.
async fn calls(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair)
        .for_measuring()
        .through_lines()
        .start()
        .await?;
    let shopper = aisle.north();
    let wanted = items(&shopper, 1).await?.remove(0);
    println!("  operation        SQL calls  round trips to PostgreSQL");
    // The first time pays for connections and cold documents; the last one is what counts.
    for last in [false, false, true] {
        for (name, cost) in one_of_each(&aisle, &shopper, &wanted).await? {
            if last {
                let trips = cost
                    .round_trips
                    .map_or("-".into(), |trips| trips.to_string());
                println!("  {name:16} {:9}  {trips:>25}", cost.sql);
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Cost {
    sql: u64,
    round_trips: Option<u64>,
}

impl Cost {
    fn so_far(aisle: &Environment) -> Self {
        Self {
            sql: aisle.shopper_sql(),
            round_trips: aisle
                .lines
                .as_ref()
                .map(|lines| lines.postgres.round_trips()),
        }
    }

    fn since(self, before: Self) -> Self {
        let round_trips = self
            .round_trips
            .zip(before.round_trips)
            .map(|(now, before)| now - before);
        Self {
            sql: self.sql - before.sql,
            round_trips,
        }
    }
}

async fn one_of_each(
    aisle: &Environment,
    shopper: &Client,
    wanted: &Item,
) -> Result<Vec<(&'static str, Cost)>> {
    let mut costs = Vec::new();
    let mut meter = Cost::so_far(aisle);
    let mut read = |name| {
        let now = Cost::so_far(aisle);
        costs.push((name, now.since(std::mem::replace(&mut meter, now))));
    };
    let lookup = json!({"ids": [wanted.id]});
    shopper
        .post("/catalog/search")
        .json(&json!({"query": wanted.title}))
        .expect(200)
        .await?;
    read("search");
    shopper
        .post("/catalog/lookup")
        .json(&lookup)
        .expect(200)
        .await?;
    read("lookup");
    shopper
        .post("/locations/search")
        .json(&json!({"filters": {"items": [wanted.id]}}))
        .expect(200)
        .await?;
    read("stores with it");
    shopper
        .get(&format!("/stock/{}", wanted.sku))
        .expect(200)
        .await?;
    read("stock");
    shopper
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .expect(201)
        .await?;
    read("create cart");
    let ready = shipping_checkout(shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    read("create checkout");
    let path = format!("/checkout-sessions/{}", ready.text("/id"));
    let ready = shopper
        .put(&path)
        .json(&update_of(&ready))
        .expect(200)
        .await?
        .json();
    read("update checkout");
    let completed = complete(shopper, &ready).await?.json();
    read("complete");
    ensure!(completed["status"] == "completed", "{completed:#}");
    shopper
        .get(&format!("/orders/{}", completed.text("/order/id")))
        .expect(200)
        .await
        .context("the order")?;
    read("order");
    Ok(costs)
}
