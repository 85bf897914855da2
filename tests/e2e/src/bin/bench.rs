//! Measures what the project reports about itself: requests per second of a product
//! lookup beside a component that does nothing, and what each operation costs in calls.
//!
//!     cargo run -p aisle-e2e --bin bench

use std::sync::Arc;
use std::time::Instant;

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::servers::servers;
use aisle_e2e::shopping::{
    Item, checkout_request, complete, items, line, order_id, shipping_to, update_of,
    with_first_options,
};
use aisle_e2e::{Client, Environment, Pair, Setup, spin};
use anyhow::Result;
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
        if spin::program().is_none() {
            calls(pair).await?;
        }
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

/// What each operation costs: calls to the stores and, on PostgreSQL, round trips between
/// the edge and it.
async fn calls(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair)
        .for_measuring()
        .through_lines()
        .start()
        .await?;
    let shopper = aisle.north();
    let wanted = items(&shopper, 1).await?.remove(0);
    println!(
        "  {:16} {:>8} {:>10} {:>12}",
        "operation", "SQL", "key-value", "round trips"
    );
    // The first times pay for connections and cold documents; the last one is what counts.
    for last in [false, false, true] {
        for (name, cost) in one_of_each(&aisle, &shopper, &wanted).await? {
            if last {
                let trips = cost
                    .round_trips
                    .map_or("-".into(), |trips| trips.to_string());
                println!(
                    "  {name:16} {:8} {:10} {trips:>12}",
                    cost.sql, cost.key_value
                );
            }
        }
    }
    aisle.shutdown().await;
    Ok(())
}

#[derive(Clone, Copy)]
struct Cost {
    sql: u64,
    key_value: u64,
    round_trips: Option<u64>,
}

impl Cost {
    fn so_far(aisle: &Environment) -> Self {
        Self {
            sql: aisle.shopper_sql(),
            key_value: aisle.shopper_key_value(),
            round_trips: aisle
                .lines
                .as_ref()
                .map(|lines| lines.postgres.round_trips()),
        }
    }

    fn since(self, before: Self) -> Self {
        let round_trips = self.round_trips.zip(before.round_trips);
        Self {
            sql: self.sql - before.sql,
            key_value: self.key_value - before.key_value,
            round_trips: round_trips.map(|(now, before)| now - before),
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
    let mut done = |name| {
        let now = Cost::so_far(aisle);
        costs.push((name, now.since(std::mem::replace(&mut meter, now))));
    };
    shopper
        .post("/catalog/search")
        .json(&json!({"query": wanted.title}))
        .expect(200)
        .await?;
    done("search");
    shopper
        .post("/catalog/lookup")
        .json(&json!({"ids": [wanted.id]}))
        .expect(200)
        .await?;
    done("lookup");
    shopper
        .post("/locations/search")
        .json(&json!({"filters": {"items": [wanted.id]}}))
        .expect(200)
        .await?;
    done("stores with it");
    shopper
        .get(&format!("/stock/{}", wanted.sku))
        .expect(200)
        .await?;
    done("stock check");
    shopper
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .expect(201)
        .await?;
    done("create cart");
    let request = checkout_request(&[line(&wanted.id, 1)], shipping_to(NORTH_COUNTRY));
    let created = shopper
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json();
    done("create checkout");
    let path = format!("/checkout-sessions/{}", created.text("/id"));
    let update = with_first_options(&created).unwrap_or_else(|| update_of(&created));
    let ready = shopper.put(&path).json(&update).expect(200).await?.json();
    done("update checkout");
    let completed = complete(shopper, &ready).await?.json();
    done("complete");
    shopper
        .get(&format!("/orders/{}", order_id(&completed)))
        .expect(200)
        .await?;
    done("read order");
    Ok(costs)
}
