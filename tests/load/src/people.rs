//! What people do, step by step. Each step is due when its person comes to it, whatever the
//! system does to others meanwhile, and is measured from then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle_e2e::shopping::{line, payment, shipping_to, with_first_options};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::record::{Operation, Recorder};
use crate::world::{Till, Waiting, World};

/// What of those that come to it go on to the next step.
const SEARCHES: f64 = 0.6;
const ASKS_FOR_STOCK: f64 = 0.5;
const FILLS_A_CART: f64 = 0.25;
const CHECKS_OUT: f64 = 0.5;
const COLLECTS: f64 = 0.6;

/// How often others come, for each shopper.
pub const SALES_PER_VISIT: f64 = 0.15;
pub const COLLECTIONS_PER_VISIT: f64 = FILLS_A_CART * CHECKS_OUT * COLLECTS;

/// Stores further away are of no interest, in metres.
const FAR_M: i64 = 500_000;

/// Somebody at work.
pub struct Person {
    pub world: Arc<World>,
    pub recorder: Arc<Recorder>,
    chance: SmallRng,
    /// When the next step is to begin.
    due: Instant,
    /// Between an answer and the next step.
    think: Duration,
}

impl Person {
    pub fn new(
        world: &Arc<World>,
        recorder: &Arc<Recorder>,
        seed: u64,
        due: Instant,
        think: Duration,
    ) -> Self {
        Self {
            world: world.clone(),
            recorder: recorder.clone(),
            chance: SmallRng::seed_from_u64(seed),
            due,
            think,
        }
    }

    /// Takes a step when it is due; answers nothing unless it went well.
    pub async fn ask(&mut self, operation: Operation, call: Call, status: u16) -> Option<Answer> {
        self.world.clock.until(self.due).await;
        let answer = self.world.http.send(call).await;
        let due = std::mem::replace(&mut self.due, Instant::now() + self.think);
        let why = match answer {
            Ok(answer) if answer.status == status => {
                self.recorder.answered(operation, due);
                return Some(answer);
            }
            Ok(answer) => problem(&answer),
            Err(error) => error.to_string(),
        };
        self.recorder
            .failed(operation, due, format!("{}: {why}", operation.name()));
        None
    }

    /// The same, with the document that was answered.
    async fn document(&mut self, operation: Operation, call: Call, status: u16) -> Option<Value> {
        self.ask(operation, call, status).await?.json().ok()
    }

    /// From a search to an order, or not so far.
    pub async fn visit(mut self) -> Option<()> {
        let world = self.world.clone();
        if self.chance.random_bool(SEARCHES) {
            let search =
                json!({"query": world.word(&mut self.chance), "pagination": {"limit": 10}});
            self.ask(
                Operation::Search,
                Call::post("/catalog/search", &search),
                200,
            )
            .await?;
        }
        let mut article = world.article(&mut self.chance);
        for _ in 0..self.chance.random_range(1..=3) {
            article = world.article(&mut self.chance);
            self.ask(Operation::Lookup, lookup(&article.id), 200)
                .await?;
        }
        let home = world.home(&mut self.chance);
        if self.chance.random_bool(ASKS_FOR_STOCK) {
            let path = format!("/stock/{}?near={:.4},{:.4}", article.sku, home.0, home.1);
            self.ask(Operation::Stock, Call::get(path), 200).await?;
        }
        if !self.chance.random_bool(FILLS_A_CART) {
            return Some(());
        }
        let cart = json!({"line_items": [line(&article.id, 1)]});
        self.ask(Operation::Cart, Call::post("/carts", &cart), 201)
            .await?;
        if !self.chance.random_bool(CHECKS_OUT) {
            return Some(());
        }
        if !self.chance.random_bool(COLLECTS) {
            return self.have_sent(&article.id).await.map(drop);
        }
        let center = json!({"latitude": home.0, "longitude": home.1});
        let near = json!({"distance": {"center": center, "max": FAR_M}, "filters": {"items": [article.id]}});
        self.ask(
            Operation::StoresWithIt,
            Call::post("/locations/search", &near),
            200,
        )
        .await?;
        let order = self.collect(&article.id).await?;
        world.wait_for_collection(order);
        Some(())
    }

    /// A whole checkout of four calls, of an article that is asked for as often as others ask.
    pub async fn buy_something(&mut self) -> Option<()> {
        let world = self.world.clone();
        let article = world.article(&mut self.chance);
        if self.chance.random_bool(COLLECTS) {
            self.collect(&article.id).await.map(drop)
        } else {
            self.have_sent(&article.id).await.map(drop)
        }
    }

    /// A whole checkout of an article that is sent; answers the order's id.
    pub async fn have_sent(&mut self, item_id: &str) -> Option<String> {
        let request = json!({
            "line_items": [line(item_id, 1)], "buyer": self.world.buyer(),
            "fulfillment": shipping_to(aisle_e2e::environment::NORTH_COUNTRY),
        });
        let create = Call::post("/checkout-sessions", &request);
        let created = self
            .document(Operation::CreateCheckout, create, 201)
            .await?;
        let update = with_first_options(&created)?;
        self.finish(&created, &update).await
    }

    /// A whole checkout of an article that is collected at the first store that is offered.
    pub async fn collect(&mut self, item_id: &str) -> Option<Waiting> {
        let lines = json!([line(item_id, 1)]);
        let mut request = json!({
            "line_items": lines, "buyer": self.world.buyer(),
            "fulfillment": {"methods": [{"type": "pickup"}]},
        });
        let create = Call::post("/checkout-sessions", &request);
        let created = self
            .document(Operation::CreateCheckout, create, 201)
            .await?;
        let store = created
            .pointer("/fulfillment/methods/0/destinations/0/id")?
            .as_str()?;
        request["fulfillment"]["methods"][0]["selected_destination_id"] = json!(store);
        let order_id = self.finish(&created, &request).await?;
        Some(Waiting {
            order_id,
            location_id: store.into(),
        })
    }

    /// Chooses, pays, and looks at the order.
    async fn finish(&mut self, created: &Value, update: &Value) -> Option<String> {
        let path = format!("/checkout-sessions/{}", created["id"].as_str()?);
        let ready = self
            .document(Operation::UpdateCheckout, Call::put(&path, update), 200)
            .await?;
        let pay = Call::post(format!("{path}/complete"), &payment(&ready)).keyed();
        let due = self.due;
        let completed = self.document(Operation::Complete, pay, 200).await?;
        let Some(order_id) = completed.pointer("/order/id").and_then(Value::as_str) else {
            let why = completed
                .pointer("/messages/0/code")
                .and_then(Value::as_str)
                .unwrap_or("no order");
            self.recorder
                .failed(Operation::Complete, due, format!("complete: {why}"));
            return None;
        };
        self.ask(
            Operation::ReadOrder,
            Call::get(format!("/orders/{order_id}")),
            200,
        )
        .await?;
        Some(order_id.into())
    }

    /// A piece is scanned and sold over the counter.
    pub async fn sell(mut self) -> Option<()> {
        let world = self.world.clone();
        let till = world
            .tills
            .get(self.chance.random_range(0..world.tills.len().max(1)))?;
        let sku = &world.article(&mut self.chance).sku;
        let scan = Call::post("/pos/scan", &json!({"text": sku})).bearer(&till.token);
        self.ask(Operation::Scan, scan, 200).await?;
        let sale = json!({"items": [{"sku": sku, "quantity": 1}], "payment": {"type": "card_present", "reference": "TERM-7:4711"}});
        let sale = Call::post("/pos/sales", &sale).bearer(&till.token).keyed();
        self.ask(Operation::Sale, sale, 201).await.map(drop)
    }

    /// A clerk lays the oldest order ready, its shopper shows the pass, the till hands it over.
    pub async fn hand_over(mut self) -> Option<()> {
        let world = self.world.clone();
        let order = world.next_to_collect()?;
        let Till { token, .. } = world.till_at(&order.location_id)?;
        self.ask(
            Operation::PullList,
            Call::get("/holds/pull-list").bearer(token),
            200,
        )
        .await?;
        let ready = format!("/holds/pickups/{}/ready", order.order_id);
        self.ask(
            Operation::Ready,
            Call::post(ready, &json!({})).bearer(token),
            200,
        )
        .await?;
        let pass = Call::post(format!("/orders/{}/pass", order.order_id), &json!({}));
        let pass = self.document(Operation::Pass, pass, 201).await?;
        let scan = Call::post("/pos/scan", &json!({"text": pass["token"]})).bearer(token);
        self.ask(Operation::Scan, scan, 200).await?;
        let path = format!("/pos/orders/{}/hand-over", order.order_id);
        let hand_over = Call::post(path, &json!({"pass": pass["token"]}))
            .bearer(token)
            .keyed();
        self.ask(Operation::HandOver, hand_over, 201)
            .await
            .map(drop)
    }
}

pub fn lookup(item_id: &str) -> Call {
    Call::post("/catalog/lookup", &json!({"ids": [item_id]}))
}

/// The status and what the problem is called.
fn problem(answer: &Answer) -> String {
    let code = answer
        .json()
        .ok()
        .and_then(|problem| Some(problem["code"].as_str()?.to_owned()));
    format!("{} {}", answer.status, code.unwrap_or_default())
}
