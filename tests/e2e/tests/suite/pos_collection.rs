//! Handing orders over at a till: once, to who may collect them, also after a till was offline.

use std::sync::Arc;

use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{self, complete, items, line, order_id, pickup_checkout};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::Result;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

const TILLS: usize = 8;
const LIFETIME_MS: i64 = 300_000;

/// An order of North's with two pieces of one article, collected at a store.
pub(crate) struct Shop {
    pub(crate) aisle: Environment,
    shopper: Client,
    pub(crate) order_id: String,
    pub(crate) number: String,
    location_id: String,
    pub(crate) line_id: String,
    /// What a cart takes.
    pub(crate) item_id: String,
    sku: String,
}

impl Shop {
    pub(crate) async fn open(pair: Pair) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let shopper = aisle.north();
        let wanted = items(&shopper, 1).await?.remove(0);
        let lines = [line(&wanted.id, 2)];
        let offered = json!({"line_items": lines, "buyer": shopping::buyer(),
            "fulfillment": {"methods": [{"type": "pickup"}]}});
        let offered = shopper
            .post("/checkout-sessions")
            .json(&offered)
            .expect(201)
            .await?
            .json();
        let location_id = offered.text("/fulfillment/methods/0/destinations/0/id");
        let ready = pickup_checkout(&shopper, &lines, location_id).await?;
        let completed = complete(&shopper, &ready).await?.json();
        let shop = Self {
            order_id: order_id(&completed).into(),
            number: completed.text("/order/label").into(),
            location_id: location_id.into(),
            line_id: completed.text("/line_items/0/id").into(),
            item_id: wanted.id,
            sku: wanted.sku,
            shopper,
            aisle,
        };
        shop.set_pickup("ready").await?;
        Ok(shop)
    }

    async fn set_pickup(&self, status: &str) -> Result<()> {
        let insert = format!(
            "INSERT INTO pickup (brand_id, order_id, location_id, status, ready_at_ms, pickup_by_ms, version, updated_at_ms) \
             SELECT brand_id, id, '{}', '{status}', 1780574400000, 1790574400000, 1, 0 FROM customer_order WHERE id = '{}' \
             ON CONFLICT (brand_id, order_id) DO UPDATE SET status = excluded.status",
            self.location_id, self.order_id
        );
        self.aisle.database.rows(&insert).await.map(drop)
    }

    pub(crate) async fn pass(&self) -> Result<Value> {
        let path = format!("/orders/{}/pass", self.order_id);
        Ok(self.shopper.post(&path).expect(201).await?.json())
    }

    pub(crate) async fn till(&self, scopes: &str) -> Result<SignedOn> {
        self.aisle.staff(NORTH, &self.location_id, scopes).await
    }

    /// Somebody at a till of another store of the brand.
    pub(crate) async fn elsewhere(&self, scopes: &str) -> Result<SignedOn> {
        let others = format!(
            "SELECT l.location_id FROM brand_location l JOIN customer_order o ON o.brand_id = l.brand_id \
             WHERE o.id = '{}' AND l.location_id <> '{}' LIMIT 1",
            self.order_id, self.location_id
        );
        let other = self.aisle.database.rows(&others).await?[0][0].clone();
        let other = other.unwrap_or_default();
        self.aisle.staff(NORTH, &other, scopes).await
    }

    fn path(&self) -> String {
        format!("/pos/orders/{}/hand-over", self.order_id)
    }

    async fn hand_over(&self, till: &Client, body: Value) -> Result<Answer> {
        till.post(&self.path()).json(&body).send().await
    }

    async fn scan(&self, till: &Client, text: &str) -> Result<Value> {
        let body = json!({ "text": text });
        Ok(till.post("/pos/scan").json(&body).expect(200).await?.json())
    }

    /// Hand-overs of the order, and pieces that left the shelf for it.
    pub(crate) async fn handed(&self) -> Result<(i64, i64)> {
        let database = &self.aisle.database;
        let count = format!(
            "SELECT count(*) FROM hand_over WHERE order_id = '{}'",
            self.order_id
        );
        let moved = format!(
            "SELECT coalesce(-sum(on_hand_delta), 0) FROM stock_movement WHERE document_id = '{}' AND sku = '{}'",
            self.order_id, self.sku
        );
        Ok((
            database.number(&count).await?,
            database.number(&moved).await?,
        ))
    }
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["code"], code, "{answer:?}");
}

pub async fn a_pass_is_scanned_and_the_order_handed_over(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos").await?.client;
    let pass = shop.pass().await?;
    for text in [pass.text("/token"), pass.text("/code"), &shop.number] {
        let scanned = shop.scan(&till, text).await?;
        assert_eq!(
            (scanned.text("/kind"), scanned.text("/id")),
            ("order", &*shop.order_id)
        );
        assert_eq!(scanned.at("/order/lines/0/quantity"), 2);
        assert_eq!(scanned.text("/actions/0/path"), shop.path());
        assert_eq!(
            scanned.at("/actions/0/possible"),
            *text != *shop.number,
            "{scanned:#}"
        );
    }
    let body = json!({"code": pass.text("/code").to_lowercase()});
    let call = || till.post(&shop.path()).idempotency_key("k-1").json(&body);
    let handed = call().expect(201).await?.json();
    assert_eq!(handed.at("/complete"), true);
    assert_eq!(
        call().expect(201).await?.json(),
        handed,
        "the same key again is the same answer"
    );
    assert_eq!(shop.handed().await?, (1, 2));
    let order = shop
        .shopper
        .get(&format!("/orders/{}", shop.order_id))
        .expect(200)
        .await?
        .json();
    assert_eq!(order.text("/line_items/0/status"), "fulfilled");
    let scanned = shop.scan(&till, pass.text("/token")).await?;
    assert_eq!(scanned.text("/actions/0/reason"), "already_used");
    let audited = "SELECT count(*) FROM audit WHERE action = 'order.handed_over'";
    assert_eq!(shop.aisle.database.number(audited).await?, 1);
    shop.aisle.database.check_invariants().await
}

pub async fn wrong_store_used_expired_and_not_ready_are_four_answers(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos").await?.client;
    let elsewhere = shop.elsewhere("pos approve").await?.client;
    let token = shop.pass().await?.text("/token").to_owned();
    let body = json!({ "pass": token });
    refused(
        &shop.hand_over(&elsewhere, body.clone()).await?,
        409,
        "wrong_store",
    );
    let overridden = json!({"override_reason": "I know them"});
    refused(
        &shop.hand_over(&elsewhere, overridden).await?,
        409,
        "wrong_store",
    );
    shop.set_pickup("preparing").await?;
    refused(
        &shop.hand_over(&till, body.clone()).await?,
        409,
        "not_ready",
    );
    shop.aisle
        .database
        .set_clock_forward_ms(LIFETIME_MS + 1_000)
        .await?;
    refused(&shop.hand_over(&till, body).await?, 409, "expired");
    shop.set_pickup("ready").await?;
    let fresh = shop.pass().await?.text("/token").to_owned();
    shop.set_pickup("preparing").await?;
    // Who sees the goods lie there knows better than the books.
    let fresh = json!({"pass": fresh, "goods_are_here": true});
    assert_eq!(shop.hand_over(&till, fresh.clone()).await?.status, 201);
    refused(&shop.hand_over(&till, fresh).await?, 409, "already_used");
    assert_eq!(shop.handed().await?, (1, 2));
    shop.aisle.database.check_invariants().await
}

pub async fn a_pass_that_is_not_ours_lets_nobody_collect(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos").await?.client;
    let pass = shop.pass().await?;
    let token = pass.text("/token");
    shop.aisle.drain_outbox().await?;
    let before = shop.aisle.database.snapshot().await?;
    let other = if token[100..].starts_with('A') {
        'B'
    } else {
        'A'
    };
    let middle = format!("{}{other}{}", &token[..100], &token[101..]);
    refused(
        &shop.hand_over(&till, json!({ "pass": middle })).await?,
        422,
        "invalid_pass",
    );
    refused(
        &shop.hand_over(&till, json!({ "pass": "AP1" })).await?,
        422,
        "invalid_pass",
    );
    refused(&shop.hand_over(&till, json!({})).await?, 422, "pass_needed");
    let both = json!({"pass": token, "code": pass.text("/code")});
    refused(&shop.hand_over(&till, both).await?, 422, "pass_needed");
    refused(
        &shop
            .hand_over(&till, json!({"override_reason": "hm"}))
            .await?,
        403,
        "forbidden",
    );
    let nobody = format!("/pos/orders/{}/hand-over", Uuid::now_v7());
    let foreign = till
        .post(&nobody)
        .json(&json!({ "pass": token }))
        .send()
        .await?;
    refused(&foreign, 422, "pass_of_another_order");
    for lines in [
        json!([{"line_id": "nothing", "quantity": 1}]),
        json!([{"line_id": shop.line_id, "quantity": 3}]),
        json!([{"line_id": shop.line_id, "quantity": 0}]),
        json!([{"line_id": shop.line_id, "quantity": 1}, {"line_id": shop.line_id, "quantity": 2}]),
    ] {
        let body = json!({"pass": token, "lines": lines});
        refused(&shop.hand_over(&till, body).await?, 422, "invalid_lines");
    }
    let changed = aisle_e2e::database::difference(&before, &shop.aisle.database.snapshot().await?);
    assert!(changed.is_empty(), "{changed:#?}");
    shop.aisle.database.check_invariants().await
}

pub async fn eight_tills_hand_over_once(pair: Pair) -> Result<()> {
    let shop = Arc::new(Shop::open(pair).await?);
    let pass = shop.pass().await?;
    let start = Arc::new(Barrier::new(TILLS));
    let mut running = tokio::task::JoinSet::new();
    for index in 0..TILLS {
        let (shop, start) = (shop.clone(), start.clone());
        let till = shop.till("pos approve").await?.client;
        let body = match index % 3 {
            0 => json!({"code": pass.text("/code")}),
            1 => json!({"pass": pass.text("/token")}),
            _ => json!({"override_reason": "lost phone, known customer"}),
        };
        running.spawn(async move {
            start.wait().await;
            shop.hand_over(&till, body).await
        });
    }
    let answers = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let (handed, refusals): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(handed.len(), 1, "{answers:?}");
    for answer in refusals {
        refused(answer, 409, "already_used");
    }
    assert_eq!(shop.handed().await?, (1, 2));
    assert_eq!(shop.aisle.traps(), 0);
    shop.aisle.database.check_invariants().await
}

pub async fn a_part_is_handed_over_and_the_rest_needs_a_new_pass(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos").await?.client;
    let first = shop.pass().await?;
    let one = json!([{"line_id": shop.line_id, "quantity": 1}]);
    let part = json!({"pass": first.text("/token"), "lines": one});
    let handed = shop.hand_over(&till, part.clone()).await?;
    assert_eq!(
        (handed.status.as_u16(), handed.json()["complete"].clone()),
        (201, json!(false))
    );
    refused(&shop.hand_over(&till, part).await?, 409, "already_used");
    let second = shop.pass().await?;
    let rest = json!({"pass": second.text("/token")});
    assert_eq!(shop.hand_over(&till, rest).await?.json()["complete"], true);
    assert_eq!(shop.handed().await?, (2, 2));
    shop.aisle.database.check_invariants().await
}

pub async fn what_was_handed_over_offline_is_settled_once(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos approve").await?.client;
    let pass = shop.pass().await?;
    let made = |sequence: i64, id: &str, at: &str| json!({"id": id, "pass": pass.text("/token"), "handed_at": at, "sequence": sequence});
    let settle = async |hand_overs: Value| -> Result<Value> {
        let body = json!({ "hand_overs": hand_overs });
        let answer = till
            .post("/pos/hand-overs/settle")
            .json(&body)
            .expect(200)
            .await?;
        Ok(answer.json())
    };
    // Reconnected after the pass is over: what counts is that it was good at the time.
    shop.aisle
        .database
        .set_clock_forward_ms(2 * LIFETIME_MS)
        .await?;
    let (first, double) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let issued = pass.text("/issued_at");
    let answer = settle(json!([made(1, &first, issued)])).await?;
    assert_eq!(answer.text("/results/0/result"), "settled");
    let answer = settle(json!([made(1, &first, issued), made(2, &double, issued)])).await?;
    assert_eq!(answer.text("/results/0/result"), "already_settled");
    assert_eq!(answer.text("/results/1/result"), "incident");
    assert_eq!(answer.text("/results/1/reason"), "already_used");
    let again = settle(json!([made(2, &double, issued)])).await?;
    assert_eq!(again.at("/results/0"), answer.at("/results/1"));
    let late = settle(json!([made(
        3,
        &Uuid::now_v7().to_string(),
        "2031-01-01T00:00:00Z"
    )]))
    .await?;
    assert_eq!(late.text("/results/0/reason"), "expired");
    assert_eq!(shop.handed().await?, (1, 2));

    let incidents = till.get("/pos/incidents").expect(200).await?.json();
    assert_eq!(incidents.list("/incidents").len(), 2, "{incidents:#}");
    assert_eq!(
        incidents.text("/incidents/0/details/order_id"),
        shop.order_id
    );
    let path = format!(
        "/pos/incidents/{}/resolve",
        incidents.text("/incidents/0/id")
    );
    let note = json!({"note": "the customer brought it back"});
    till.post(&path).json(&note).expect(204).await?;
    refused(
        &till.post(&path).json(&note).send().await?,
        409,
        "incident_resolved",
    );
    shop.aisle.database.check_invariants().await
}

pub async fn nobody_else_hands_over(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let body = json!({"pass": shop.pass().await?.text("/token")});
    let over = shop.till("pos").await?;
    let end = format!(
        "UPDATE staff_session SET expires_at_ms = 1 WHERE staff_id = '{}'",
        over.staff_id
    );
    shop.aisle.database.rows(&end).await?;
    let gone = shop.till("pos").await?;
    let revoke = format!(
        "UPDATE device SET revoked_at_ms = 1 WHERE id = '{}'",
        gone.device_id
    );
    shop.aisle.database.rows(&revoke).await?;
    let left = shop.till("pos").await?;
    let leave = format!(
        "UPDATE staff SET revoked_at_ms = 1 WHERE id = '{}'",
        left.staff_id
    );
    shop.aisle.database.rows(&leave).await?;
    let harbor = format!(
        "SELECT location_id FROM brand_location bl JOIN brand_host h ON h.brand_id = bl.brand_id WHERE h.host = '{HARBOR}' LIMIT 1"
    );
    let pier = shop.aisle.database.rows(&harbor).await?[0][0]
        .clone()
        .unwrap_or_default();
    let stranger = shop.aisle.staff(HARBOR, &pier, "pos approve").await?;
    let misled = Client::new(shop.aisle.addr(), NORTH)
        .with_header("authorization", &format!("Bearer {}", stranger.token));
    let unscoped = shop.till("cash stock transfer").await?.client;
    let (method, id) = (http::Method::POST, Uuid::now_v7());
    let operations = [
        shop.path(),
        "/pos/scan".into(),
        "/pos/hand-overs/settle".into(),
        format!("/pos/incidents/{id}/resolve"),
        "/pos/sales".into(),
        format!("/pos/layaways/{id}/payments"),
        format!("/pos/carts/{id}/continue"),
    ];
    for path in &operations {
        for (client, status) in [
            (&shop.shopper, 401),
            (&over.client, 401),
            (&gone.client, 401),
            (&left.client, 401),
            (&misled, 403),
            (&unscoped, 403),
        ] {
            let answer = client.call(method.clone(), path).json(&body).send().await?;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
        }
    }
    refused(
        &shop.hand_over(&stranger.client, body).await?,
        422,
        "invalid_pass",
    );
    assert_eq!(shop.handed().await?, (0, 0));
    Ok(())
}

pub async fn a_layaway_is_paid_at_the_till_before_it_is_handed_over(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let till = shop.till("pos cash").await?;
    let order = &shop.order_id;
    let layaway = format!(
        "INSERT INTO layaway (brand_id, order_id, status, deadline_ms, doc, version, updated_at_ms) \
         SELECT brand_id, id, 'active', 9000000000000000, '{{}}', 1, 0 FROM customer_order WHERE id = '{order}'"
    );
    shop.aisle.database.rows(&layaway).await?;
    for (position, status) in [(1, "paid"), (2, "due"), (3, "due")] {
        let part = format!(
            "INSERT INTO instalment (brand_id, order_id, position, due_at_ms, amount_minor, status) \
             SELECT brand_id, id, {position}, 0, 1500, '{status}' FROM customer_order WHERE id = '{order}'"
        );
        shop.aisle.database.rows(&part).await?;
    }
    let path = format!("/pos/layaways/{order}/payments");
    let card = json!({"payment": {"type": "card_present", "reference": "TERM-7:1"}});
    let cash = json!({"payment": {"type": "cash", "tendered_minor": 2_000}});
    let pay = async |body: &Value| till.client.post(&path).json(body).send().await;
    let pass = json!({"pass": shop.pass().await?.text("/token")});
    refused(
        &shop.hand_over(&till.client, pass.clone()).await?,
        409,
        "not_paid",
    );
    let third = json!({"position": 3, "payment": card["payment"]});
    refused(&pay(&third).await?, 409, "not_next");
    let short = json!({"payment": {"type": "cash", "tendered_minor": 1_499}});
    refused(&pay(&short).await?, 422, "payment_declined");
    refused(&pay(&cash).await?, 409, "no_open_till_day");
    let first = pay(&card).await?;
    assert_eq!(
        (first.status.as_u16(), first.json()["left"].clone()),
        (201, json!(1))
    );
    refused(
        &shop.hand_over(&till.client, pass.clone()).await?,
        409,
        "not_paid",
    );
    let float = json!({"opening_float_minor": 0});
    till.client
        .post("/pos/till-days")
        .json(&float)
        .expect(201)
        .await?;
    let last = pay(&cash).await?.json();
    assert_eq!(last.number("/payment/change_minor"), 500);
    assert_eq!(last.at("/paid"), true);
    refused(&pay(&card).await?, 409, "wrong_status");
    let day = till
        .client
        .get("/pos/till-days/current")
        .expect(200)
        .await?
        .json();
    assert_eq!(day.number("/expected_minor"), 1_500);
    assert_eq!(shop.hand_over(&till.client, pass).await?.status, 201);
    let nobody = format!("/pos/layaways/{}/payments", Uuid::now_v7());
    refused(
        &till.client.post(&nobody).json(&card).send().await?,
        404,
        "layaway_not_found",
    );
    shop.aisle.database.check_invariants().await
}
