//! Measures what an order costs: carts, checkouts, their update and completion by one and by
//! eight shoppers at once, with the relay at work, on both pairs of stores. Beside the time it
//! tells processor time, which a busy machine does not change.
//!
//!     cargo run -p aisle-e2e --bin checkout [ORDERS]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::servers::servers;
use aisle_e2e::shopping::{
    Item, complete, items, line, order_id, shipping_to, update_of, with_first_options,
};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::json;

const SHOPPERS: [usize; 2] = [1, 8];
/// Orders of each shopper that are not measured: connections and cold documents.
const WARM_UP: usize = 5;
const CALLS: [&str; 4] = ["cart", "checkout", "update", "complete"];

#[tokio::main]
async fn main() -> Result<()> {
    let orders = std::env::args().nth(1).map_or(Ok(400), |text| text.parse());
    let orders: usize = orders.context("how many orders is a number")?;
    let mut pairs = vec![(Pair::Embedded, "SQLite, embedded store")];
    match servers() {
        Ok(_) => pairs.push((Pair::Servers, "PostgreSQL, Redis")),
        Err(reason) => eprintln!("without PostgreSQL and Redis: {reason}"),
    }
    for (pair, name) in pairs {
        println!("\n{name}");
        let aisle = Arc::new(Setup::demo(pair).start().await?);
        let ticker = tokio::spawn(tick(aisle.clone()));
        let wanted = items(&aisle.north(), 12).await?;
        plenty(&aisle).await?;
        for shoppers in SHOPPERS {
            buy_at_once(&aisle, &wanted, shoppers, WARM_UP * shoppers).await?;
            let before = Meter::now(&aisle)?;
            let times = buy_at_once(&aisle, &wanted, shoppers, orders).await?;
            aisle.drain_outbox().await?;
            report(shoppers, times, &before, &Meter::now(&aisle)?);
        }
        ticker.abort();
    }
    Ok(())
}

/// As a deployment's ticker does.
async fn tick(aisle: Arc<Environment>) {
    let relay = aisle.with_key(&aisle.relay_key);
    let mut each = tokio::time::interval(Duration::from_secs(1));
    loop {
        each.tick().await;
        if let Err(error) = relay.post("/relay/run").send().await {
            eprintln!("relay: {error:#}");
        }
    }
}

/// So much that nothing is sold out.
async fn plenty(aisle: &Environment) -> Result<()> {
    let sql = "UPDATE stock SET on_hand = on_hand + 1000000 WHERE on_hand > 0";
    aisle.database.rows(sql).await.map(drop)
}

/// Seconds of each order's calls.
type Times = Vec<[f64; 4]>;

async fn buy_at_once(
    aisle: &Arc<Environment>,
    wanted: &[Item],
    shoppers: usize,
    orders: usize,
) -> Result<(Times, f64)> {
    let begin = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..shoppers {
        let (aisle, wanted) = (aisle.clone(), wanted.to_vec());
        let orders = orders / shoppers;
        running.spawn(async move {
            let shopper = aisle.north();
            let mut times = Times::new();
            for order in 0..orders {
                let item = &wanted[(number + order) % wanted.len()];
                times.push(buy(&shopper, item, number).await?);
            }
            anyhow::Ok(times)
        });
    }
    let times = running.join_all().await.into_iter();
    let times = times.collect::<Result<Vec<Times>>>()?.concat();
    Ok((times, begin.elapsed().as_secs_f64()))
}

async fn buy(shopper: &Client, item: &Item, number: usize) -> Result<[f64; 4]> {
    let mut times = [0.0; 4];
    let mut begin = Instant::now();
    let mut lap = |call: usize| {
        times[call] = begin.elapsed().as_secs_f64();
        begin = Instant::now();
    };
    let lines = json!([line(&item.id, 1)]);
    let cart = shopper.post("/carts").json(&json!({"line_items": lines}));
    let cart = cart.expect(201).await?.json();
    lap(0);
    let buyer = json!({"first_name": "Ada", "last_name": "Byron", "email": format!("ada{number}@example.com")});
    let request = json!({
        "cart_id": cart.text("/id"), "line_items": lines, "buyer": buyer,
        "fulfillment": shipping_to(NORTH_COUNTRY),
    });
    let created = shopper.post("/checkout-sessions").json(&request);
    let created = created.expect(201).await?.json();
    lap(1);
    let path = format!("/checkout-sessions/{}", created.text("/id"));
    let update = with_first_options(&created).unwrap_or_else(|| update_of(&created));
    let ready = shopper.put(&path).json(&update).expect(200).await?.json();
    lap(2);
    let completed = complete(shopper, &ready).await?.json();
    order_id(&completed);
    lap(3);
    Ok(times)
}

/// What was used up to a moment.
struct Meter {
    sql: BTreeMap<String, u64>,
    requests: BTreeMap<String, u64>,
    edge_ms: f64,
    postgres_ms: f64,
}

impl Meter {
    fn now(aisle: &Environment) -> Result<Self> {
        let components = aisle.edge().stats().components;
        let of = |count: fn(&aisle_edge::ComponentStats) -> u64| {
            let counts = components.iter().map(|(id, one)| (id.clone(), count(one)));
            counts.collect::<BTreeMap<_, _>>()
        };
        Ok(Self {
            sql: of(|component| component.sql),
            requests: of(|component| component.requests),
            edge_ms: ticks_ms("self", 2)?,
            postgres_ms: postgres_ms()?,
        })
    }
}

/// Processor time of a process in milliseconds: its own, and with 4 also that of its children
/// that have ended (proc(5): utime, stime, cutime, cstime from field 14 on, in 1/100 s).
fn ticks_ms(process: &str, fields: usize) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(fields);
    Ok(ticks
        .filter_map(|text| text.parse::<f64>().ok())
        .sum::<f64>()
        * 10.0)
}

/// Of this process's PostgreSQL: the one that listens on its port, and its children.
fn postgres_ms() -> Result<f64> {
    let Ok(servers) = servers() else {
        return Ok(0.0);
    };
    let port = servers.postgres_port.to_string();
    let processes = std::fs::read_dir("/proc")?.flatten();
    let processes: Vec<String> = processes
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let is_server = |process: &&String| {
        let line = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let words: Vec<&str> = line.split('\0').collect();
        words
            .first()
            .is_some_and(|name| name.ends_with("/postgres"))
            && words.contains(&&*port)
    };
    let server = processes.iter().find(is_server).context("no PostgreSQL")?;
    let parent = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let after_name = stat.rsplit_once(')')?.1;
        after_name.split_whitespace().nth(1).map(str::to_owned)
    };
    let children = processes
        .iter()
        .filter(|one| parent(one).as_ref() == Some(server));
    // One that has ended meanwhile is counted with the server.
    let of_children: f64 = children.filter_map(|one| ticks_ms(one, 2).ok()).sum();
    Ok(of_children + ticks_ms(server, 4)?)
}

fn report(shoppers: usize, (times, seconds): (Times, f64), before: &Meter, after: &Meter) {
    let orders = times.len() as f64;
    let whole: Vec<f64> = times.iter().map(|calls| calls.iter().sum()).collect();
    println!(
        "  {shoppers} shoppers: {:6.1} orders/s   an order: p50 {:6.1} ms, p99 {:6.1} ms   processor: edge and shoppers {:5.1} ms, PostgreSQL {:5.1} ms",
        orders / seconds,
        part(&whole, 0.5),
        part(&whole, 0.99),
        (after.edge_ms - before.edge_ms) / orders,
        (after.postgres_ms - before.postgres_ms) / orders,
    );
    let calls = CALLS.iter().enumerate().map(|(call, name)| {
        let one: Vec<f64> = times.iter().map(|calls| calls[call]).collect();
        format!("{name} {:.1}/{:.1} ms", part(&one, 0.5), part(&one, 0.99))
    });
    println!("    {}", calls.collect::<Vec<_>>().join("  "));
    let of_each = |what: &str, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>| {
        let used = after.iter().filter_map(|(id, count)| {
            let count = count - before.get(id).copied().unwrap_or_default();
            (count > 0).then(|| format!("{id} {:.2}", count as f64 / orders))
        });
        println!(
            "    {what} for an order: {}",
            used.collect::<Vec<_>>().join(", ")
        );
    };
    of_each("SQL calls", &before.sql, &after.sql);
    of_each("requests", &before.requests, &after.requests);
}

/// The milliseconds that this part of the figures does not exceed.
fn part(seconds: &[f64], part: f64) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default() * 1_000.0
}
