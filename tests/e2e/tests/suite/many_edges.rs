//! Several edges on one database and one key-value store, as a deployment has them, and one
//! of them dies: nothing is lost, nothing happens twice, and nobody sees the difference.

use std::path::Path;
use std::sync::Arc;

use aisle_e2e::environment::{NORTH, NORTH_COUNTRY};
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{
    Item, complete_with_key, items, line, order_id, payment, pickup_checkout, shipping_checkout,
    until_available,
};
use aisle_e2e::{Answer, Client, Environment, Neighbour, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinSet;

use crate::race::only_at_one_store;

/// Who runs an edge as a process of its own.
const EDGE: &str = env!("CARGO_BIN_EXE_edge");

const BUYERS: usize = 45;
const UNITS: i64 = 12;
/// Those who buy something of which there is enough.
const OTHERS: usize = 15;

/// How long the relay's lease outlives a relay that died, and then some.
const LEASE_IS_OVER_MS: i64 = 11_000;
/// How long a payment may be under way before somebody else ends it, and then some.
const INTERRUPTED_MS: i64 = 61_000;

/// The environment's edge, in this process, and two processes beside it.
struct Deployment {
    aisle: Environment,
    doomed: Neighbour,
    other: Neighbour,
}

impl Deployment {
    async fn start(pair: Pair) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let doomed = aisle.neighbour_process(Path::new(EDGE)).await?;
        let other = aisle.neighbour_process(Path::new(EDGE)).await?;
        Ok(Self {
            aisle,
            doomed,
            other,
        })
    }

    /// A shopper of North at one of the three.
    fn shopper(&self, number: usize) -> Client {
        match number % 3 {
            0 => self.aisle.north(),
            1 => self.doomed.client(NORTH),
            _ => self.other.client(NORTH),
        }
    }

    /// One that is sure to answer.
    fn survivor(&self, number: usize) -> Client {
        self.shopper(if number.is_multiple_of(2) { 0 } else { 2 })
    }
}

/// Somebody with a checkout that is ready, and what became of it.
struct Buyer {
    number: usize,
    session: Value,
    key: String,
}

impl Buyer {
    /// Pays; where the edge is gone, pays again at another with the same key, as a client does
    /// that had no answer.
    async fn pay(&self, edges: &Deployment) -> Result<Answer> {
        let payment = payment(&self.session);
        let first = edges.shopper(self.number);
        if let Ok(answer) = complete_with_key(&first, &self.session, &payment, &self.key).await {
            return Ok(answer);
        }
        ensure!(self.number % 3 == 1, "an edge that lives did not answer");
        complete_with_key(
            &edges.survivor(self.number),
            &self.session,
            &payment,
            &self.key,
        )
        .await
    }

    /// The answer that is left to be had: what was cut short is ended by housekeeping, for
    /// which the clock has moved on.
    async fn outcome(&self, edges: &Deployment) -> Result<Value> {
        let payment = payment(&self.session);
        let shopper = edges.survivor(self.number);
        let answer = complete_with_key(&shopper, &self.session, &payment, &self.key).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.json())
    }
}

pub async fn an_edge_dies_and_nothing_is_lost_or_doubled(pair: Pair) -> Result<()> {
    let edges = Arc::new(Deployment::start(pair).await?);
    let aisle = &edges.aisle;
    let (rare, store) = only_at_one_store(aisle, UNITS).await?;
    let common = items(&aisle.north(), 2).await?.remove(1);
    ensure!(common.id != rare.id, "two articles are one");
    let answers = buy(&edges, &rare, &store, &common).await?;

    // Who was told something definite was told the truth, and who was told to wait gets to
    // know it.
    aisle.database.set_clock_forward_ms(INTERRUPTED_MS).await?;
    let relay = aisle.with_key(&aisle.relay_key);
    relay.post("/relay/run").expect(200).await?;
    let mut orders = Vec::new();
    for (buyer, first) in &answers {
        let last = buyer.outcome(&edges).await?;
        if first.status == 200 && first.json()["status"] == "completed" {
            assert_eq!(
                order_id(&first.json()),
                order_id(&last),
                "told otherwise later"
            );
        }
        if last["status"] == "completed" {
            orders.push(order_id(&last).to_owned());
        } else {
            ensure!(
                buyer.number < BUYERS,
                "there is enough for all others: {last:#}"
            );
            message(&last, "out_of_stock").with_context(|| format!("{last:#}"))?;
        }
    }
    assert_eq!(orders.len(), UNITS as usize + OTHERS);
    orders.sort();
    orders.dedup();
    assert_eq!(
        orders.len(),
        UNITS as usize + OTHERS,
        "two buyers have one order"
    );
    books_agree(aisle, &rare, orders.len() as i64).await
}

/// All pay at the same moment, wherever they are; the edge dies as soon as it has answered one.
async fn buy(
    edges: &Arc<Deployment>,
    rare: &Item,
    store: &str,
    common: &Item,
) -> Result<Vec<(Buyer, Answer)>> {
    let start = Arc::new(Barrier::new(BUYERS + OTHERS));
    let (answered, mut first_answer) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for number in 0..BUYERS + OTHERS {
        let shopper = edges.shopper(number);
        let session = if number < BUYERS {
            pickup_checkout(&shopper, &[line(&rare.id, 1)], store).await?
        } else {
            shipping_checkout(&shopper, &[line(&common.id, 1)], NORTH_COUNTRY).await?
        };
        let buyer = Buyer {
            number,
            session,
            key: uuid::Uuid::new_v4().to_string(),
        };
        let (edges, start, answered) = (edges.clone(), start.clone(), answered.clone());
        running.spawn(async move {
            start.wait().await;
            let answer = buyer.pay(&edges).await?;
            if number % 3 == 1 {
                answered.send(()).ok();
            }
            anyhow::Ok((buyer, answer))
        });
    }
    first_answer.recv().await;
    edges.doomed.kill()?;
    let answers = running.join_all().await;
    let answers: Vec<_> = answers.into_iter().collect::<Result<_>>()?;
    for (_, answer) in &answers {
        // 409: it is still under way at the edge that died.
        ensure!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
    }
    Ok(answers)
}

/// What the database says, after all that was left to do has been done by who is left.
async fn books_agree(aisle: &Environment, rare: &Item, orders: i64) -> Result<()> {
    let database = &aisle.database;
    let count = |what: &str| format!("SELECT count(*) FROM {what}");
    let confirmed = count("customer_order WHERE status = 'confirmed'");
    assert_eq!(database.number(&confirmed).await?, orders);
    let open = count("customer_order WHERE status = 'pending'");
    assert_eq!(database.number(&open).await?, 0, "orders that nobody ends");
    let paid = count("payment WHERE status = 'authorised'");
    assert_eq!(database.number(&paid).await?, orders, "paid once for each");
    let reserved = format!("SELECT sum(reserved) FROM stock WHERE sku = '{}'", rare.sku);
    assert_eq!(database.number(&reserved).await?, UNITS);

    aisle.drain_outbox().await?;
    let told = "SELECT count(*) FROM notice WHERE type = 'order.confirmed'";
    assert_eq!(database.number(told).await?, orders);
    let twice = "SELECT count(*) FROM (SELECT order_id FROM notice WHERE type = 'order.confirmed' \
                 GROUP BY order_id HAVING count(*) > 1) twice";
    assert_eq!(database.number(twice).await?, 0, "told twice");
    assert_eq!(aisle.traps(), 0);
    database.check_invariants().await
}

pub async fn a_relay_that_dies_is_followed_by_another(pair: Pair) -> Result<()> {
    let edges = Deployment::start(pair).await?;
    let (aisle, shopper) = (&edges.aisle, edges.other.client(NORTH));
    let wanted = items(&shopper, 20).await?;
    let place = &aisle
        .database
        .rows("SELECT code, id FROM location WHERE code = 'BER-01'")
        .await?[0];
    let (code, store) = (text(place, 0), text(place, 1));
    let mut csv = String::from("sku,location_code,on_hand,safety\n");
    for item in &wanted {
        csv += &format!("{},{code},4711,0\n", item.sku);
    }
    // What the doomed edge is told it begins to pass on at once.
    let key = format!("Bearer {}", aisle.admin_key);
    let admin = edges
        .doomed
        .client("localhost")
        .with_header("authorization", &key);
    let import = admin.post("/admin/imports?kind=stock&brand=north").csv(csv);
    import.expect(200).await?;
    edges.doomed.kill()?;
    aisle
        .database
        .set_clock_forward_ms(LEASE_IS_OVER_MS)
        .await?;
    for item in &wanted {
        until_available(&shopper, &item.sku, &store, 4711).await?;
    }
    aisle.drain_outbox().await
}

fn text(row: &[Option<String>], column: usize) -> String {
    row[column].clone().unwrap_or_default()
}

pub async fn a_change_through_one_edge_shows_at_the_other(pair: Pair) -> Result<()> {
    let edges = Deployment::start(pair).await?;
    let (here, there) = (edges.aisle.north(), edges.other.client(NORTH));
    let wanted = items(&here, 1).await?.remove(0);
    let seen = there
        .get(&format!("/stock/{}", wanted.sku))
        .expect(200)
        .await?
        .json();
    let place = seen.at("/locations/0");
    let on_hand = place.number("/available") + 23;
    let csv = format!(
        "sku,location_code,on_hand,safety\n{},{},{on_hand},0\n",
        wanted.sku,
        place.text("/code")
    );
    let admin = edges.aisle.admin();
    let import = admin.post("/admin/imports?kind=stock&brand=north").csv(csv);
    import.expect(200).await?;
    until_available(&there, &wanted.sku, place.text("/location_id"), on_hand).await
}

pub async fn the_same_key_at_two_edges_is_one_order(pair: Pair) -> Result<()> {
    let edges = Deployment::start(pair).await?;
    let (one, two) = (edges.doomed.client(NORTH), edges.other.client(NORTH));
    let wanted = items(&one, 1).await?.remove(0);
    let ready = shipping_checkout(&one, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let (body, key) = (payment(&ready), uuid::Uuid::new_v4().to_string());
    let (first, second) = tokio::join!(
        complete_with_key(&one, &ready, &body, &key),
        complete_with_key(&two, &ready, &body, &key)
    );
    let mut answers = [first?, second?];
    answers.sort_by_key(|answer| answer.status);
    if answers[1].status == 409 {
        // Still under way: the client is told to come again, and then gets the answer.
        ensure!(
            !answers[1].header("retry-after").is_empty(),
            "{:?}",
            answers[1]
        );
        answers[1] = complete_with_key(&two, &ready, &body, &key).await?;
    }
    order_id(&answers[0].json());
    assert_eq!(answers[0].json(), answers[1].json());
    let database = &edges.aisle.database;
    let orders = database
        .number("SELECT count(*) FROM customer_order")
        .await?;
    assert_eq!(orders, 1);
    database.check_invariants().await
}
