//! Money that goes back, and orders that nobody comes for.

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{Item, line, order_id, payment_with, pickup_checkout, update_of};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};

use crate::holds::{reserved, store_with};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A store of North with two pieces of an article, and who works there.
struct Store {
    aisle: Environment,
    id: String,
    item: Item,
    staff: SignedOn,
}

impl Store {
    async fn open(pair: Pair) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let admin = aisle.admin();
        let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
        brand["pickup_days"] = json!(2);
        brand["policies"] = json!({
            "pickup": {"keep_days": 3, "reminder_days": 1},
            "layaway": {"allowed": true, "minimum_total_minor": 100},
        });
        admin
            .put("/admin/brands/north")
            .json(&brand)
            .expect(200)
            .await?;
        aisle.drain_outbox().await?;
        let (id, item) = store_with(&aisle, 2).await?;
        let staff = aisle.staff(NORTH, &id, "pos cash stock approve").await?;
        Ok(Self {
            id,
            item,
            staff,
            aisle,
        })
    }

    /// An order of two pieces to be collected, paid with `token`; on layaway only the deposit.
    async fn order(&self, token: &str, on_layaway: bool) -> Result<String> {
        let shopper = self.aisle.north();
        let mut session = pickup_checkout(&shopper, &[line(&self.item.id, 2)], &self.id).await?;
        let path = format!("/checkout-sessions/{}", session.text("/id"));
        if on_layaway {
            let mut update = update_of(&session);
            update["payment"] = json!({"selected_term_id": "layaway"});
            session = shopper.put(&path).json(&update).expect(200).await?.json();
            assert!(message(&session, "payment_term_changed").is_none());
        }
        let path = format!("{path}/complete");
        let completed = shopper.post(&path).json(&payment_with(&session, token));
        Ok(order_id(&completed.expect(200).await?.json()).to_owned())
    }

    async fn housekeeping(&self) -> Result<i64> {
        let ticker = self.aisle.with_key(&self.aisle.relay_key);
        let run = ticker.post("/holds/housekeeping").expect(200).await?.json();
        Ok(run.number("/settled"))
    }

    async fn days_pass(&self, days: i64) -> Result<()> {
        let database = &self.aisle.database;
        database
            .set_clock_forward_ms(days * DAY_MS + MINUTE_MS)
            .await
    }

    async fn shown(&self, order: &str) -> Result<Value> {
        let shopper = self.aisle.north();
        let shown = shopper.get(&format!("/orders/{order}")).expect(200).await?;
        Ok(shown.json())
    }

    /// The kinds of the order's timeline, the oldest first.
    async fn timeline(&self, order: &str) -> Result<Vec<String>> {
        let path = format!("/orders/{order}/timeline");
        let shown = self.aisle.north().get(&path).expect(200).await?.json();
        let kinds = shown.list("/entries").iter();
        Ok(kinds.map(|entry| entry.text("/kind").to_owned()).collect())
    }

    async fn ready(&self, order: &str) -> Result<()> {
        let path = format!("/holds/pickups/{order}/ready");
        self.staff.client.post(&path).expect(200).await?;
        // Kept for two days from now, whenever the store opens.
        let now_ms = std::time::UNIX_EPOCH.elapsed()?.as_millis() as i64;
        let until = format!(
            "UPDATE pickup SET pickup_by_ms = {} WHERE order_id = '{order}'",
            now_ms + 2 * DAY_MS
        );
        self.aisle.database.rows(&until).await.map(drop)
    }

    async fn incidents(&self, kind: &str) -> Result<Vec<Value>> {
        let open = self.staff.client.get("/pos/incidents").expect(200).await?;
        let open = open.json();
        let incidents = open.list("/incidents").iter();
        let incidents = incidents.filter(|incident| incident["kind"] == kind);
        Ok(incidents.cloned().collect())
    }
}

/// Status and amount of each refund that an order shows.
fn refunds(order: &Value) -> Vec<(&str, i64)> {
    let refunds = order.list("/adjustments").iter();
    refunds
        .map(|one| {
            assert_eq!(one["type"], "refund");
            (one.text("/status"), one.number("/totals/0/amount"))
        })
        .collect()
}

pub async fn what_a_layaway_owes_goes_back_once(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_success", true).await?;
    let shopper = store.aisle.north();
    let ended = shopper
        .post(&format!("/layaways/{order}/cancel"))
        .expect(200)
        .await?
        .json();
    let owed = ended.number("/cancellation/refund/amount");
    assert!(owed > 0);
    assert_eq!(refunds(&store.shown(&order).await?), [("pending", -owed)]);
    assert_eq!(store.housekeeping().await?, 1);
    assert_eq!(store.housekeeping().await?, 0);
    assert_eq!(refunds(&store.shown(&order).await?), [("completed", -owed)]);
    assert_eq!(store.timeline(&order).await?, ["cancelled", "refunded"]);
    let told = format!(
        "SELECT count(*) FROM outbox WHERE type = 'order.updated' AND aggregate_id = '{order}' AND doc LIKE '%refunded%'"
    );
    assert_eq!(store.aisle.database.number(&told).await?, 1);
    let reference = "SELECT provider_reference FROM refund";
    let reference = store.aisle.database.rows(reference).await?[0][0].clone();
    let key = format!("sandbox:{order}:1:refund:layaway_cancelled:");
    assert!(reference.is_some_and(|reference| reference.starts_with(&key)));
    Ok(())
}

pub async fn a_provider_that_does_not_answer_is_asked_again(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_refund_unavailable", true).await?;
    let shopper = store.aisle.north();
    let cancel = format!("/layaways/{order}/cancel");
    shopper.post(&cancel).expect(200).await?;
    let tries = "SELECT tries FROM refund";
    assert_eq!(store.housekeeping().await?, 0);
    assert_eq!(store.housekeeping().await?, 0, "not at once");
    assert_eq!(store.aisle.database.number(tries).await?, 1);
    let database = &store.aisle.database;
    database.set_clock_forward_ms(MINUTE_MS + 1_000).await?;
    assert_eq!(store.housekeeping().await?, 0);
    assert_eq!(database.number(tries).await?, 2);
    // The provider is there again.
    let answers = "UPDATE payment SET provider_reference = 'sandbox:again'";
    database.rows(answers).await?;
    database.set_clock_forward_ms(4 * MINUTE_MS).await?;
    assert_eq!(store.housekeeping().await?, 1);
    assert_eq!(refunds(&store.shown(&order).await?)[0].0, "completed");
    Ok(())
}

pub async fn a_refund_that_is_refused_is_somebodys_task(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_refund_refused", true).await?;
    let cancel = format!("/layaways/{order}/cancel");
    store.aisle.north().post(&cancel).expect(200).await?;
    assert_eq!(store.housekeeping().await?, 1);
    assert_eq!(store.housekeeping().await?, 0);
    assert_eq!(refunds(&store.shown(&order).await?)[0].0, "failed");
    assert_eq!(
        store.timeline(&order).await?,
        ["cancelled", "refund_failed"]
    );
    let incidents = store.incidents("refund.refused").await?;
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0].text("/subject_id"), order);
    Ok(())
}

pub async fn an_order_that_nobody_collects_is_given_up(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_success", false).await?;
    store.ready(&order).await?;
    assert_eq!(store.housekeeping().await?, 0);
    store.days_pass(2).await?;
    assert_eq!(store.housekeeping().await?, 1);
    assert_eq!(store.housekeeping().await?, 0, "reminded once");
    store.days_pass(4).await?;
    assert_eq!(store.housekeeping().await?, 0, "kept as the policy says");
    assert_eq!(store.shown(&order).await?.text("/pickup/status"), "ready");
    let pass = format!("/orders/{order}/pass");
    let pass = store.aisle.north().post(&pass).expect(201).await?.json();

    store.days_pass(7).await?;
    // The collection, and the money that goes back in the same run.
    assert_eq!(store.housekeeping().await?, 2);
    assert_eq!(store.housekeeping().await?, 0);
    let shown = store.shown(&order).await?;
    assert_eq!(shown.text("/pickup/status"), "cancelled");
    assert_eq!(shown.text("/line_items/0/status"), "removed");
    let total = aisle_e2e::json::total(&shown, "total").unwrap_or_default();
    assert_eq!(refunds(&shown), [("completed", -total)]);
    assert_eq!(
        store.timeline(&order).await?,
        [
            "ready_for_pickup",
            "pickup_reminder",
            "cancelled",
            "refunded"
        ]
    );
    assert_eq!(reserved(&store.aisle, &store.id, &store.item.sku).await?, 0);
    assert_eq!(store.incidents("pickup.given_up").await?.len(), 1);
    let hand_over = format!("/pos/orders/{order}/hand-over");
    let late = json!({"pass": pass["token"]});
    let late = store.staff.client.post(&hand_over).json(&late);
    // Of an order that is over a till knows nothing any more.
    late.expect(422).await?;
    store.aisle.database.check_invariants().await
}

pub async fn what_is_left_of_an_order_is_given_up(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_success", false).await?;
    store.ready(&order).await?;
    let line_id = store
        .shown(&order)
        .await?
        .text("/line_items/0/id")
        .to_owned();
    let part = json!({
        "override_reason": "known customer", "lines": [{"line_id": line_id, "quantity": 1}],
    });
    let hand_over = format!("/pos/orders/{order}/hand-over");
    let till = &store.staff.client;
    till.post(&hand_over).json(&part).expect(201).await?;
    store.days_pass(9).await?;
    assert_eq!(store.housekeeping().await?, 2);
    let shown = store.shown(&order).await?;
    assert_eq!(shown.text("/line_items/0/status"), "fulfilled");
    assert_eq!(
        shown.at("/line_items/0/quantity"),
        &json!({"original": 2, "total": 1, "fulfilled": 1})
    );
    assert_eq!(
        refunds(&shown),
        [("completed", -store.item.price_minor)],
        "North's prices include the tax"
    );
    let kinds = store.timeline(&order).await?;
    assert!(kinds.contains(&"not_collected".to_owned()), "{kinds:?}");
    let status = format!(
        "SELECT count(*) FROM customer_order WHERE id = '{order}' AND status = 'confirmed'"
    );
    assert_eq!(store.aisle.database.number(&status).await?, 1);
    assert_eq!(reserved(&store.aisle, &store.id, &store.item.sku).await?, 0);
    store.aisle.database.check_invariants().await
}

/// The last moment: of who comes for it and who gives it up one wins.
pub async fn the_last_moment_is_somebodys(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_success", false).await?;
    store.ready(&order).await?;
    store.days_pass(9).await?;
    let body = json!({"override_reason": "just in time"});
    let hand_over = format!("/pos/orders/{order}/hand-over");
    let till = &store.staff.client;
    let (handed, settled) = tokio::join!(
        till.post(&hand_over).json(&body).send(),
        store.housekeeping()
    );
    let (handed, settled) = (handed?, settled?);
    let shown = store.shown(&order).await?;
    match handed.status.as_u16() {
        201 => {
            assert_eq!(settled, 0);
            assert_eq!(shown.text("/pickup/status"), "collected");
            assert_eq!(refunds(&shown), []);
        }
        404 | 409 => {
            assert_eq!(settled, 2);
            assert_eq!(shown.text("/pickup/status"), "cancelled");
            assert_eq!(refunds(&shown).len(), 1);
        }
        _ => panic!("{handed:?}"),
    }
    store.aisle.database.check_invariants().await
}

/// What was paid in cash goes back in cash, over the counter, once.
pub async fn what_was_paid_at_a_till_is_given_back_there(pair: Pair) -> Result<()> {
    let store = Store::open(pair).await?;
    let order = store.order("tok_refund_refused", true).await?;
    let till = &store.staff.client;
    let float = json!({"opening_float_minor": 10_000_000});
    till.post("/pos/till-days").json(&float).expect(201).await?;
    let pay = format!("/pos/layaways/{order}/payments");
    let cash = json!({"payment": {"type": "cash", "tendered_minor": 10_000_000}});
    till.post(&pay).json(&cash).expect(201).await?;
    let expected = async || -> Result<i64> {
        let day = till.get("/pos/till-days/current").expect(200).await?;
        Ok(day.json().number("/expected_minor"))
    };
    let before = expected().await?;
    let back = format!("/pos/orders/{order}/refunds");
    let cash = json!({"payment": {"type": "cash"}});
    let none = till.post(&back).json(&cash).expect(409).await?.json();
    assert_eq!(none["code"], "nothing_owed");
    let cancel = format!("/layaways/{order}/cancel");
    let ended = store.aisle.north().post(&cancel).expect(200).await?.json();
    let owed = ended.number("/cancellation/refund/amount");
    // The deposit went through the provider, who will not give it back.
    assert_eq!(store.housekeeping().await?, 1);

    let plain = store.aisle.staff(NORTH, &store.id, "pos").await?;
    plain.client.post(&back).json(&cash).expect(403).await?;
    let elsewhere = store.aisle.staff(HARBOR, &store.id, "pos approve").await?;
    elsewhere.client.post(&back).json(&cash).expect(409).await?;
    // Nothing leaves a drawer that is not in it.
    let poor = store
        .aisle
        .staff(NORTH, &store.id, "pos cash approve")
        .await?;
    let float = json!({"opening_float_minor": owed - 1});
    let day = poor.client.post("/pos/till-days").json(&float);
    day.expect(201).await?;
    let none = poor.client.post(&back).json(&cash).expect(409).await?;
    assert_eq!(none.json()["code"], "not_in_drawer");

    let key = || till.post(&back).idempotency_key("k-1").json(&cash);
    let (one, other) = tokio::join!(key().send(), key().send());
    let (one, other) = (one?, other?);
    assert_eq!(one.status, 201, "{one:?}");
    assert_eq!(one.body, other.body);
    let given = one.json().number("/amount_minor");
    let rounding = one.json()["cash_rounding_minor"].as_i64().unwrap_or(0);
    assert_eq!(given - rounding, owed);
    assert!(rounding.abs() <= 2, "{rounding}");
    assert_eq!(expected().await?, before - given);
    till.post(&back).json(&cash).expect(409).await?;
    let shown = store.shown(&order).await?;
    let refunds = refunds(&shown);
    assert_eq!(refunds.len(), 2);
    assert!(refunds.iter().all(|(status, _)| *status == "completed"));
    assert_eq!(refunds.iter().map(|(_, minor)| minor).sum::<i64>(), -owed);
    store.aisle.database.check_invariants().await
}
