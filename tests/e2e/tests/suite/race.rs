//! More buyers than units: nothing is sold twice, and everybody gets a plain answer.

use std::sync::Arc;

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{
    Item, begin_checkout, checkout_request, complete, items, line, order_id, pickup_at,
    pickup_checkout, shipping_checkout, shipping_to,
};
use aisle_e2e::{Answer, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const BUYERS: usize = 64;
const UNITS: i64 = 10;

pub async fn sixty_four_buyers_of_ten_units(pair: Pair) -> Result<()> {
    many_buyers_of_few_units(Setup::demo(pair)).await
}

pub async fn sixty_four_buyers_of_ten_units_at_sixteen_requests_an_instance(
    pair: Pair,
) -> Result<()> {
    many_buyers_of_few_units(Setup::demo(pair).requests_per_instance(16)).await
}

async fn many_buyers_of_few_units(setup: Setup) -> Result<()> {
    let aisle = Arc::new(setup.start().await?);
    let (wanted, store) = only_at_one_store(&aisle, UNITS).await?;
    let answers = all_at_once(&aisle, BUYERS, &[line(&wanted.id, 1)], &store).await?;

    let (bought, refused): (Vec<Value>, Vec<Value>) = answers
        .iter()
        .map(Answer::json)
        .partition(|answer| answer["status"] == "completed");
    assert_eq!(bought.len(), UNITS as usize);
    assert_eq!(refused.len(), BUYERS - UNITS as usize);
    for answer in &refused {
        let refusal = message(answer, "out_of_stock").with_context(|| format!("{answer:#}"))?;
        assert!(
            (0..UNITS).contains(&refusal.number("/available")),
            "{refusal:#}"
        );
        assert_eq!(refusal["severity"], "recoverable");
    }
    let mut orders: Vec<&str> = bought.iter().map(order_id).collect();
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), UNITS as usize);
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM customer_order WHERE status = 'confirmed'")
            .await?,
        UNITS
    );
    let reserved = format!(
        "SELECT sum(reserved) FROM stock WHERE sku = '{}'",
        wanted.sku
    );
    assert_eq!(aisle.database.number(&reserved).await?, UNITS);
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

/// A hot article: many want the last few, and those who want something else notice nothing.
pub async fn two_hundred_buyers_of_twenty_units_harm_nobody(pair: Pair) -> Result<()> {
    let _turn = crate::harness::heavy_turn().await;
    const MANY: usize = 200;
    const FEW: i64 = 20;
    const OTHERS: usize = 12;
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let (wanted, store) = only_at_one_store(&aisle, FEW).await?;
    let others = items(&aisle.north(), OTHERS + 1).await?;
    let mut elsewhere = tokio::task::JoinSet::new();
    let others = others.into_iter().filter(|other| other.id != wanted.id);
    for (number, other) in others.enumerate() {
        let shopper = aisle.north();
        elsewhere.spawn(async move {
            let fulfillment = shipping_to(NORTH_COUNTRY);
            let request = request_of(MANY + number, &[line(&other.id, 1)], fulfillment);
            let session = begin_checkout(&shopper, &request).await?;
            complete(&shopper, &session).await
        });
    }
    let answers = all_at_once(&aisle, MANY, &[line(&wanted.id, 1)], &store).await?;
    let (bought, refused): (Vec<Value>, Vec<Value>) = answers
        .iter()
        .map(Answer::json)
        .partition(|answer| answer["status"] == "completed");
    assert_eq!(bought.len(), FEW as usize);
    for answer in &refused {
        message(answer, "out_of_stock").with_context(|| format!("{answer:#}"))?;
    }
    for answer in elsewhere.join_all().await {
        order_id(&answer?.json());
    }
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

/// Two lines of one article want the same units.
pub async fn two_lines_of_one_sku_are_one_demand(pair: Pair) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let (wanted, store) = only_at_one_store(&aisle, 5).await?;
    let shopper = aisle.north();
    let three_and_three = [line(&wanted.id, 3), line(&wanted.id, 3)];
    let body = checkout_request(&three_and_three, pickup_at(&store));
    let session = shopper
        .post("/checkout-sessions")
        .json(&body)
        .send()
        .await?
        .json();
    assert_ne!(
        session["status"], "ready_for_complete",
        "6 of 5 units cannot be sold: {session:#}"
    );

    let three_and_two = [line(&wanted.id, 3), line(&wanted.id, 2)];
    let both = all_at_once(&aisle, 2, &three_and_two, &store).await?;
    let bought = both
        .iter()
        .filter(|answer| answer.json()["status"] == "completed")
        .count();
    assert_eq!(bought, 1, "{both:?}");
    assert_eq!(
        aisle
            .database
            .number(&format!(
                "SELECT sum(reserved) FROM stock WHERE sku = '{}'",
                wanted.sku
            ))
            .await?,
        5
    );
    aisle.database.check_invariants().await
}

/// One collects it, the other has it sent: one of them gets it.
pub async fn the_last_unit_goes_to_one_of_two_buyers(pair: Pair) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let (wanted, store) = only_at_one_store(&aisle, 1).await?;
    let (ann, ben) = (aisle.north(), aisle.north());
    let collected = pickup_checkout(&ann, &[line(&wanted.id, 1)], &store).await?;
    let sent = shipping_checkout(&ben, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    assert_eq!(
        (&collected["status"], &sent["status"]),
        (&json!("ready_for_complete"), &json!("ready_for_complete"))
    );
    let (first, second) = tokio::join!(complete(&ann, &collected), complete(&ben, &sent));
    let mut outcomes = [first?.json(), second?.json()];
    outcomes.sort_by_key(|outcome| outcome["status"] != "completed");
    order_id(&outcomes[0]);
    let refusal =
        message(&outcomes[1], "out_of_stock").with_context(|| format!("{:#}", outcomes[1]))?;
    assert_eq!(refusal.number("/available"), 0);
    aisle.database.check_invariants().await
}

/// An article of North that one store has `units` of, and no other place any.
pub(crate) async fn only_at_one_store(aisle: &Environment, units: i64) -> Result<(Item, String)> {
    let shopper = aisle.north();
    let wanted = items(&shopper, 1).await?.remove(0);
    let places = aisle.database.rows(&format!(
        "SELECT l.code, l.id, l.doc FROM location l JOIN brand_location b ON b.location_id = l.id \
         JOIN variant v ON v.brand_id = b.brand_id WHERE v.id = '{}' ORDER BY l.code", wanted.id
    )).await?;
    let can = |doc: &str| {
        serde_json::from_str::<Value>(doc)
            .is_ok_and(|doc| doc["services"]["pickup"] == true && doc["services"]["ship"] == true)
    };
    let store = places
        .iter()
        .find(|place| can(place[2].as_deref().unwrap_or_default()))
        .context("no store ships and hands over")?;
    let mut csv = String::from("sku,location_code,on_hand,safety\n");
    for place in &places {
        let on_hand = if place == store { units } else { 0 };
        csv += &format!(
            "{},{},{on_hand},0\n",
            wanted.sku,
            place[0].as_deref().unwrap_or_default()
        );
    }
    let report = aisle
        .admin()
        .post("/admin/imports?kind=stock&brand=north")
        .csv(csv)
        .expect(200)
        .await?
        .json();
    ensure!(report["refused"] == 0, "{report:#}");
    aisle.drain_outbox().await?;
    Ok((wanted, store[1].clone().context("no id")?))
}

/// What this buyer asks for: a person has only so many payments under way.
fn request_of(number: usize, lines: &[Value], fulfillment: Value) -> Value {
    let mut request = checkout_request(lines, fulfillment);
    request["buyer"]["email"] = json!(format!("buyer-{number}@example.com"));
    request["buyer"]["phone_number"] = json!(format!("+4915112{number:06}"));
    request
}

/// Everybody has a checkout that is ready; then all complete at the same moment, each on
/// a connection of its own. No answer may be a server error.
async fn all_at_once(
    aisle: &Arc<Environment>,
    buyers: usize,
    lines: &[Value],
    store: &str,
) -> Result<Vec<Answer>> {
    let start = Arc::new(Barrier::new(buyers));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..buyers {
        let (aisle, start, lines, store) = (
            aisle.clone(),
            start.clone(),
            lines.to_vec(),
            store.to_owned(),
        );
        running.spawn(async move {
            let shopper = aisle.north();
            let request = request_of(number, &lines, pickup_at(&store));
            let session = begin_checkout(&shopper, &request).await;
            start.wait().await;
            complete(&shopper, &session?).await
        });
    }
    let answers = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<Answer>>>()?;
    for answer in &answers {
        ensure!(!answer.status.is_server_error(), "{answer:?}");
    }
    Ok(answers)
}
