//! Selling over the counter, and what is in the drawer afterwards.

use std::sync::Arc;

use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{Item, items, line};
use aisle_e2e::staff::SignedOn;
use aisle_e2e::{Answer, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

/// A store of North's with so many units of an article on its shelf, two of them kept back
/// from online sale.
struct Shelf {
    aisle: Environment,
    location_id: String,
    item: Item,
}

impl Shelf {
    async fn with(pair: Pair, units: i64) -> Result<Self> {
        let aisle = Setup::demo(pair).start().await?;
        let item = items(&aisle.north(), 1).await?.remove(0);
        let places = aisle.database.rows(&format!(
            "SELECT l.code, l.id, l.doc FROM location l JOIN brand_location b ON b.location_id = l.id \
             JOIN variant v ON v.brand_id = b.brand_id WHERE v.id = '{}' ORDER BY l.code", item.id
        )).await?;
        let sells = |doc: &str| {
            serde_json::from_str::<Value>(doc).is_ok_and(|doc| doc["services"]["sell"] == true)
        };
        let store = places
            .iter()
            .find(|place| sells(place[2].as_deref().unwrap_or_default()));
        let store = store.context("no store sells")?;
        let csv = format!(
            "sku,location_code,on_hand,safety\n{},{},{units},2\n",
            item.sku,
            store[0].as_deref().unwrap_or_default()
        );
        let import = "/admin/imports?kind=stock&brand=north";
        aisle.admin().post(import).csv(csv).expect(200).await?;
        aisle.drain_outbox().await?;
        let location_id = store[1].clone().context("no id")?;
        Ok(Self {
            aisle,
            location_id,
            item,
        })
    }

    async fn till(&self) -> Result<SignedOn> {
        self.aisle.staff(NORTH, &self.location_id, "pos cash").await
    }

    async fn on_hand(&self) -> Result<i64> {
        let sql = format!(
            "SELECT on_hand FROM stock WHERE sku = '{}' AND location_id = '{}'",
            self.item.sku, self.location_id
        );
        self.aisle.database.number(&sql).await
    }

    fn sale(&self, quantity: i64, payment: Value) -> Value {
        json!({"items": [{"sku": self.item.sku, "quantity": quantity}], "payment": payment})
    }
}

fn card() -> Value {
    json!({"type": "card_present", "reference": "TERM-7:4711"})
}

fn cash(tendered_minor: i64) -> Value {
    json!({"type": "cash", "tendered_minor": tendered_minor})
}

async fn sell(till: &SignedOn, body: &Value) -> Result<Answer> {
    till.client.post("/pos/sales").json(body).send().await
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["code"], code, "{answer:?}");
}

pub async fn what_is_scanned_is_sold_and_the_drawer_counted(pair: Pair) -> Result<()> {
    let shelf = Shelf::with(pair, 5).await?;
    let till = shelf.till().await?;
    let price = shelf.item.price_minor;
    let scanned = json!({"text": shelf.item.sku});
    let scanned = till
        .client
        .post("/pos/scan")
        .json(&scanned)
        .expect(200)
        .await?
        .json();
    assert_eq!(scanned.text("/kind"), "item");
    assert_eq!(scanned.number("/item/available_here"), 5);
    assert_eq!(scanned.at("/actions/0/possible"), true);

    refused(
        &sell(&till, &shelf.sale(1, cash(price))).await?,
        409,
        "no_open_till_day",
    );
    let float = json!({"opening_float_minor": 10_000});
    let day = till
        .client
        .post("/pos/till-days")
        .json(&float)
        .expect(201)
        .await?
        .json();
    let twice = till
        .client
        .post("/pos/till-days")
        .json(&float)
        .send()
        .await?;
    refused(&twice, 409, "till_day_open");
    refused(
        &sell(&till, &shelf.sale(1, cash(price - 1))).await?,
        422,
        "payment_declined",
    );
    let sold = sell(&till, &shelf.sale(2, cash(2 * price + 500))).await?;
    assert_eq!(sold.status, 201, "{sold:?}");
    let sold = sold.json();
    assert_eq!(sold.number("/payment/change_minor"), 500);
    assert_eq!(
        sold.number("/totals/total_minor"),
        2 * price,
        "North's prices include the tax"
    );
    assert!(sold.number("/totals/tax/0/tax_minor") > 0);
    // Online these two are kept back; who stands before the shelf can have them.
    assert_eq!(sell(&till, &shelf.sale(3, card())).await?.status, 201);
    let gone = sell(&till, &shelf.sale(1, card())).await?;
    refused(&gone, 409, "out_of_stock");
    assert_eq!(gone.json()["available"], 0);
    assert_eq!(shelf.on_hand().await?, 0);
    let order = format!("/orders/{}", sold.text("/order_id"));
    let order = shelf.aisle.north().get(&order).expect(200).await?.json();
    assert_eq!(order.text("/line_items/0/status"), "fulfilled");

    let entries = format!("/pos/till-days/{}/entries", day.text("/id"));
    let out = json!({"kind": "paid_out", "amount_minor": 4_000, "reason": "bank"});
    till.client.post(&entries).json(&out).expect(201).await?;
    let too_much = json!({"kind": "paid_out", "amount_minor": 90_000_000, "reason": "bank"});
    refused(
        &till.client.post(&entries).json(&too_much).send().await?,
        409,
        "not_in_drawer",
    );
    let expected = 10_000 + 2 * price - 4_000;
    let current = till
        .client
        .get("/pos/till-days/current")
        .expect(200)
        .await?
        .json();
    assert_eq!(current.number("/expected_minor"), expected);
    let other = shelf.till().await?;
    let close = format!("/pos/till-days/{}/close", day.text("/id"));
    let counted = json!({"counted_minor": expected - 150});
    other.client.post(&close).json(&counted).expect(404).await?;
    let closed = till
        .client
        .post(&close)
        .json(&counted)
        .expect(200)
        .await?
        .json();
    assert_eq!(closed.number("/difference_minor"), -150);
    refused(
        &till.client.post(&close).json(&counted).send().await?,
        409,
        "till_day_closed",
    );
    refused(
        &till.client.post(&entries).json(&out).send().await?,
        409,
        "till_day_closed",
    );
    shelf.aisle.database.check_invariants().await
}

pub async fn the_last_unit_is_sold_at_one_of_two_tills(pair: Pair) -> Result<()> {
    let shelf = Arc::new(Shelf::with(pair, 1).await?);
    let start = Arc::new(Barrier::new(4));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (shelf, start, till) = (shelf.clone(), start.clone(), shelf.till().await?);
        running.spawn(async move {
            start.wait().await;
            sell(&till, &shelf.sale(1, card())).await
        });
    }
    let answers = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(sold, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        refused(answer, 409, "out_of_stock");
    }
    assert_eq!(shelf.on_hand().await?, 0);
    shelf.aisle.database.check_invariants().await
}

pub async fn a_cart_begun_on_the_phone_is_paid_at_the_till(pair: Pair) -> Result<()> {
    let shelf = Shelf::with(pair, 3).await?;
    let till = shelf.till().await?;
    let phone = shelf.aisle.north();
    let cart = json!({"line_items": [line(&shelf.item.id, 2)]});
    let cart = phone.post("/carts").json(&cart).expect(201).await?.json();
    let id = cart.text("/id");
    let session = json!({ "cart_id": id, "line_items": [] });
    let session = phone
        .post("/checkout-sessions")
        .json(&session)
        .expect(201)
        .await?
        .json();
    for text in [
        format!("AISLE:CART:{id}"),
        format!("https://north.example/carts/{id}"),
        format!("AISLE:CHECKOUT:{}", session.text("/id")),
    ] {
        let scanned = json!({ "text": text });
        let scanned = till
            .client
            .post("/pos/scan")
            .json(&scanned)
            .expect(200)
            .await?
            .json();
        assert_eq!((scanned.text("/kind"), scanned.text("/id")), ("cart", id));
        assert_eq!(scanned.at("/actions/0/possible"), true);
    }
    let path = format!("/pos/carts/{id}/continue");
    let offer = till.client.post(&path).expect(200).await?.json();
    assert_eq!(offer.at("/sellable"), true);
    assert_eq!(offer.number("/lines/0/available_here"), 3);
    assert_eq!(
        offer.number("/totals/total_minor"),
        2 * shelf.item.price_minor
    );
    let sale = json!({"cart_id": id, "payment": card()});
    let call = || {
        till.client
            .post("/pos/sales")
            .idempotency_key("k-1")
            .json(&sale)
    };
    let sold = call().expect(201).await?.json();
    assert_eq!(call().expect(201).await?.json(), sold);
    refused(&sell(&till, &sale).await?, 404, "cart_not_found");
    till.client.post(&path).expect(404).await?;
    phone.get(&format!("/carts/{id}")).expect(404).await?;
    let left = format!("/checkout-sessions/{}", session.text("/id"));
    let left = phone.get(&left).send().await?;
    assert_ne!(left.json()["status"], "ready_for_complete", "{left:?}");
    assert_eq!(shelf.on_hand().await?, 1);
    shelf.aisle.database.check_invariants().await
}

pub async fn what_is_kept_for_somebody_is_sold_to_them(pair: Pair) -> Result<()> {
    let shelf = Shelf::with(pair, 4).await?;
    let till = shelf.till().await?;
    let hold = json!({"location_id": shelf.location_id, "items": [{"sku": shelf.item.sku, "quantity": 2}],
        "contact": {"name": "Ada", "email": "ada@example.com"}});
    let hold = shelf
        .aisle
        .north()
        .post("/holds")
        .json(&hold)
        .expect(201)
        .await?
        .json();
    let id = hold.text("/id");
    let scanned = json!({"text": hold.text("/number")});
    let scanned = till
        .client
        .post("/pos/scan")
        .json(&scanned)
        .expect(200)
        .await?
        .json();
    assert_eq!((scanned.text("/kind"), scanned.text("/id")), ("hold", id));
    let gone = sell(&till, &shelf.sale(3, card())).await?;
    assert_eq!(gone.json()["available"], 2, "{gone:?}");
    let mut one = shelf.sale(1, card());
    one["hold_id"] = json!(id);
    assert_eq!(sell(&till, &one).await?.status, 201);
    refused(&sell(&till, &one).await?, 404, "hold_not_found");
    assert_eq!(sell(&till, &shelf.sale(3, card())).await?.status, 201);
    let status = format!("SELECT count(*) FROM hold WHERE id = '{id}' AND status = 'converted'");
    assert_eq!(shelf.aisle.database.number(&status).await?, 1);
    assert_eq!(shelf.on_hand().await?, 0);
    shelf.aisle.database.check_invariants().await
}

pub async fn all_that_is_short_is_named(pair: Pair) -> Result<()> {
    let shelf = Shelf::with(pair, 3).await?;
    let till = shelf.till().await?;
    let articles = items(&shelf.aisle.north(), 3).await?;
    let mut csv = "sku,location_code,on_hand\n".to_owned();
    let code = format!(
        "SELECT code FROM location WHERE id = '{}'",
        shelf.location_id
    );
    let code = shelf.aisle.database.rows(&code).await?.remove(0).remove(0);
    let code = code.context("no code")?;
    for (item, on_hand) in articles.iter().zip([9, 1, 0]) {
        csv += &format!("{},{code},{on_hand}\n", item.sku);
    }
    let import = "/admin/imports?kind=stock&brand=north";
    shelf
        .aisle
        .admin()
        .post(import)
        .csv(csv)
        .expect(200)
        .await?;
    let wanted: Vec<Value> = articles
        .iter()
        .map(|item| json!({"sku": item.sku, "quantity": 2}))
        .collect();
    let answer = sell(&till, &json!({"items": wanted, "payment": card()})).await?;
    refused(&answer, 409, "out_of_stock");
    let short = answer.json();
    let mut short: Vec<_> = short
        .list("/short")
        .iter()
        .map(|one| {
            (
                one.text("/sku").to_owned(),
                one.number("/requested"),
                one.number("/available"),
            )
        })
        .collect();
    short.sort();
    let mut expected = [
        (articles[1].sku.clone(), 2, 1),
        (articles[2].sku.clone(), 2, 0),
    ];
    expected.sort();
    assert_eq!(short, expected);
    Ok(())
}

pub async fn what_makes_no_sale_changes_nothing(pair: Pair) -> Result<()> {
    let shelf = Shelf::with(pair, 3).await?;
    let till = shelf.till().await?;
    let before = shelf.aisle.database.snapshot().await?;
    let sku = &shelf.item.sku;
    for (body, status) in [
        (json!({"items": [], "payment": card()}), 422),
        (
            json!({"items": [{"sku": "no such"}], "payment": card()}),
            422,
        ),
        (
            json!({"items": [{"gtin": "4006381333932"}], "payment": card()}),
            422,
        ),
        (
            json!({"items": [{"sku": sku, "gtin": "4006381333931"}], "payment": card()}),
            422,
        ),
        (json!({"items": [{}], "payment": card()}), 422),
        (
            json!({"items": vec![json!({"sku": sku}); 101], "payment": card()}),
            422,
        ),
        (shelf.sale(0, card()), 422),
        (shelf.sale(1_000, card()), 422),
        (shelf.sale(1, cash(-1)), 422),
        (shelf.sale(1, cash(i64::MAX)), 422),
        (
            shelf.sale(1, json!({"type": "card_present", "reference": ""})),
            422,
        ),
        (shelf.sale(1, json!({"type": "gold"})), 400),
        (
            json!({"items": [{"sku": sku}], "payment": card(), "discount": 1}),
            400,
        ),
        (json!({"payment": card(), "cart_id": "x"}), 404),
        (
            json!({"payment": card(), "cart_id": Uuid::now_v7().to_string()}),
            404,
        ),
        (
            json!({"payment": card(), "hold_id": Uuid::now_v7().to_string()}),
            404,
        ),
    ] {
        let answer = sell(&till, &body).await?;
        assert_eq!(answer.status, status, "{body} {answer:?}");
    }
    for text in [
        "",
        "4006381333932",
        "T-00000-00000",
        "H-00000-00000",
        "00000-00000",
        "no such",
    ] {
        let body = json!({ "text": text });
        let answer = till.client.post("/pos/scan").json(&body).send().await?;
        refused(&answer, 404, "unknown_code");
    }
    let long = json!({"text": "x".repeat(1_001)});
    till.client
        .post("/pos/scan")
        .json(&long)
        .expect(422)
        .await?;
    for bad in [-1, i64::MAX] {
        let day = json!({ "opening_float_minor": bad });
        till.client
            .post("/pos/till-days")
            .json(&day)
            .expect(422)
            .await?;
    }
    let changed = aisle_e2e::database::difference(&before, &shelf.aisle.database.snapshot().await?);
    assert!(changed.is_empty(), "{changed:#?}");
    Ok(())
}
