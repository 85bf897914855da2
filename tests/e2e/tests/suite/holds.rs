//! Goods kept at a store without payment: asked for, given up, past their time.

use std::sync::Arc;

use aisle_e2e::json::Look;
use aisle_e2e::shopping::{Item, checkout_request, complete, items, line, pickup_at};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

/// A store of North that keeps goods, and an article of which it has `units`.
pub(crate) async fn store_with(aisle: &Environment, units: i64) -> Result<(String, Item)> {
    let store = stores(aisle, "north").await?.remove(0);
    let wanted = items(&aisle.north(), 1).await?.remove(0);
    put_stock(aisle, &store, &wanted.sku, units).await?;
    Ok((store.0, wanted))
}

/// Id and code of the stores of a brand that hand over, by code.
pub(crate) async fn stores(aisle: &Environment, handle: &str) -> Result<Vec<(String, String)>> {
    let rows = aisle
        .database
        .rows(&format!(
            "SELECT l.id, l.code, l.doc FROM location l JOIN brand_location b ON b.location_id = l.id \
             JOIN brand ON brand.id = b.brand_id WHERE brand.handle = '{handle}' ORDER BY l.code"
        ))
        .await?;
    let hands_over = |doc: &str| {
        serde_json::from_str::<Value>(doc)
            .is_ok_and(|doc| doc["visible"] == true && doc["services"]["pickup"] == true)
    };
    let mut found = Vec::new();
    for row in rows {
        let mut columns = row.into_iter().flatten();
        let (id, code, doc) = (columns.next(), columns.next(), columns.next());
        if doc.is_some_and(|doc| hands_over(&doc)) {
            found.push((id.context("no id")?, code.context("no code")?));
        }
    }
    Ok(found)
}

/// Brings the store to `units` of the SKU, none of them kept back.
pub(crate) async fn put_stock(
    aisle: &Environment,
    (_, code): &(String, String),
    sku: &str,
    units: i64,
) -> Result<()> {
    let csv = format!("sku,location_code,on_hand,safety\n{sku},{code},{units},0\n");
    let report = aisle
        .admin()
        .post("/admin/imports?kind=stock&brand=north")
        .csv(csv)
        .expect(200)
        .await?
        .json();
    anyhow::ensure!(report["refused"] == 0, "{report:#}");
    aisle.drain_outbox().await
}

pub(crate) fn hold_of(sku: &str, quantity: i64, store: &str, phone: &str) -> Value {
    json!({
        "items": [{"sku": sku, "quantity": quantity}],
        "location_id": store,
        "contact": {"name": "Ada Byron", "phone_number": phone},
    })
}

pub(crate) const ADA: &str = "+12025550143";
const BEN: &str = "+12025550144";

pub(crate) async fn reserved(aisle: &Environment, store: &str, sku: &str) -> Result<i64> {
    let sql = format!("SELECT reserved FROM stock WHERE sku = '{sku}' AND location_id = '{store}'");
    aisle.database.number(&sql).await
}

async fn housekeeping(aisle: &Environment) -> Result<Value> {
    let ticker = aisle.with_key(&aisle.relay_key);
    Ok(ticker.post("/holds/housekeeping").expect(200).await?.json())
}

pub async fn ones_own_hold_is_bought(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 1).await?;
    let shopper = aisle.north();
    let body = hold_of(&wanted.sku, 1, &store, ADA);
    let hold = shopper.post("/holds").json(&body).expect(201).await?.json();
    let mut request = checkout_request(&[line(&wanted.id, 1)], pickup_at(&store));
    request["hold_id"] = hold["id"].clone();
    let own = shopper
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json();
    assert_eq!(own["status"], "ready_for_complete", "{own:#}");
    let bought = complete(&shopper, &own).await?.json();
    assert_eq!(bought["status"], "completed", "{bought:#}");
    let ended = shopper
        .get(&format!("/holds/{}", hold.text("/id")))
        .expect(200)
        .await?
        .json();
    assert_eq!(ended["status"], "converted");
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 1);
    aisle.database.check_invariants().await
}

pub async fn goods_are_kept_and_given_up(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 3).await?;
    let shopper = aisle.north();
    let body = hold_of(&wanted.sku, 2, &store, ADA);
    let created = shopper
        .post("/holds")
        .idempotency_key("once")
        .json(&body)
        .expect(201)
        .await?;
    let again = shopper
        .post("/holds")
        .idempotency_key("once")
        .json(&body)
        .expect(201)
        .await?;
    assert_eq!(created.body, again.body);
    let hold = created.json();
    assert_eq!(hold["status"], "requested");
    assert!(hold.text("/number").starts_with("H-"), "{hold:#}");
    assert_eq!(hold.number("/items/0/quantity"), 2);
    assert!(
        !created.text().contains("Ada") && !created.text().contains(ADA),
        "the contact is not shown: {hold:#}"
    );
    for instant in ["/created_at", "/ready_at", "/expires_at"] {
        let text = hold.text(instant);
        assert!(!text.ends_with('Z') && text.len() == 25, "{instant} {text}");
    }
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 2);
    aisle.database.check_invariants().await?;

    let path = format!("/holds/{}", hold.text("/id"));
    assert_eq!(shopper.get(&path).expect(200).await?.json(), hold);
    let cancel = format!("{path}/cancel");
    let released = shopper.post(&cancel).expect(200).await?.json();
    assert_eq!(released["status"], "released");
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    let twice = shopper.post(&cancel).expect(409).await?.json();
    assert_eq!(
        (&twice["code"], &twice["state"]),
        (&json!("wrong_status"), &json!("released"))
    );
    aisle.database.check_invariants().await
}

/// By the database's clock, whether or not anybody has tidied up.
pub async fn a_hold_ends_with_its_time(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 1).await?;
    let (ann, ben) = (aisle.north(), aisle.north());
    let kept = ann
        .post("/holds")
        .json(&hold_of(&wanted.sku, 1, &store, ADA))
        .expect(201)
        .await?
        .json();
    let refused = ben
        .post("/holds")
        .json(&hold_of(&wanted.sku, 1, &store, BEN))
        .expect(409)
        .await?
        .json();
    assert_eq!(
        (&refused["code"], &refused["available"]),
        (&json!("out_of_stock"), &json!(0))
    );
    assert_eq!(housekeeping(&aisle).await?["settled"], 0);

    aisle.database.set_clock_forward_ms(DAY_MS + 1_000).await?;
    let path = format!("/holds/{}", kept.text("/id"));
    let expired = ann.get(&path).expect(200).await?.json();
    assert_eq!(expired["status"], "expired");
    assert!(expired.list("/items").is_empty());
    ann.post(&format!("{path}/cancel")).expect(409).await?;
    // The goods of a hold that is over are to be had before anybody has tidied up.
    ben.post("/holds")
        .json(&hold_of(&wanted.sku, 1, &store, BEN))
        .expect(201)
        .await?;
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 1);
    aisle.database.check_invariants().await?;

    aisle
        .database
        .set_clock_forward_ms(2 * DAY_MS + 2_000)
        .await?;
    assert_eq!(
        housekeeping(&aisle).await?,
        json!({"settled": 1, "more": false})
    );
    assert_eq!(
        housekeeping(&aisle).await?,
        json!({"settled": 0, "more": false})
    );
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    aisle.database.check_invariants().await
}

/// Of many at the same moment as many get one as there are.
pub async fn the_last_units_are_kept_for_few(pair: Pair) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let (store, wanted) = store_with(&aisle, 2).await?;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (aisle, store, sku) = (aisle.clone(), store.clone(), wanted.sku.clone());
        running.spawn(async move {
            let body = hold_of(&sku, 1, &store, &format!("+1202555020{number}"));
            aisle.north().post("/holds").json(&body).send().await
        });
    }
    let answers = running.join_all().await;
    let mut kept = 0;
    for answer in answers {
        let answer = answer?;
        assert!(
            answer.status == 201 || answer.json()["code"] == "out_of_stock",
            "{answer:?}"
        );
        kept += i64::from(answer.status == 201);
    }
    assert_eq!(kept, 2);
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 2);
    aisle.database.check_invariants().await
}

/// However the number is typed, and also when all ask at the same moment.
pub async fn a_contact_has_only_so_many_holds(pair: Pair) -> Result<()> {
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let (store, wanted) = store_with(&aisle, 20).await?;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (aisle, store, sku) = (aisle.clone(), store.clone(), wanted.sku.clone());
        running.spawn(async move {
            let typed = [ADA, "+1 202 555 0143", "+1 (202) 555-0143"][number % 3];
            let body = hold_of(&sku, 1, &store, typed);
            aisle.north().post("/holds").json(&body).send().await
        });
    }
    let mut kept = Vec::new();
    for answer in running.join_all().await {
        let answer = answer?;
        match answer.status.as_u16() {
            201 => kept.push(answer.json()),
            _ => assert_eq!(answer.json()["code"], "too_many_open_holds", "{answer:?}"),
        }
    }
    assert_eq!(kept.len(), 3);
    let shopper = aisle.north();
    shopper
        .post(&format!("/holds/{}/cancel", kept[0].text("/id")))
        .expect(200)
        .await?;
    let one_more = hold_of(&wanted.sku, 1, &store, ADA);
    shopper.post("/holds").json(&one_more).expect(201).await?;
    shopper.post("/holds").json(&one_more).expect(409).await?;
    // What is past its time counts no longer.
    aisle.database.set_clock_forward_ms(DAY_MS + 1_000).await?;
    shopper.post("/holds").json(&one_more).expect(201).await?;
    aisle.database.check_invariants().await
}

pub async fn impossible_holds_are_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 20).await?;
    let shopper = aisle.north();
    let good = hold_of(&wanted.sku, 1, &store, ADA);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    let before = aisle.database.snapshot().await?;
    for (body, status, code, path) in [
        (with("/items", json!([])), 422, "invalid_items", "$.items"),
        (
            with("/items/0/quantity", json!(6)),
            422,
            "too_many_units",
            "$.items",
        ),
        (
            with("/items/0/quantity", json!(0)),
            422,
            "invalid_quantity",
            "$.items[0].quantity",
        ),
        (
            with("/items/0/quantity", json!(-1)),
            422,
            "invalid_quantity",
            "$.items[0].quantity",
        ),
        (
            with("/items/0/quantity", json!("1")),
            400,
            "invalid_value",
            "$.items[0].quantity",
        ),
        (
            with("/items/0/sku", json!("nothing")),
            422,
            "unknown_sku",
            "$.items[0].sku",
        ),
        (
            with("/items/0/sku", json!("x".repeat(300))),
            400,
            "invalid_value",
            "$.items[0].sku",
        ),
        (
            with("/location_id", json!("nowhere")),
            422,
            "location_not_available",
            "$.location_id",
        ),
        (
            with("/contact/name", json!(" ")),
            422,
            "invalid_contact",
            "$.contact.name",
        ),
        (
            with("/contact/phone_number", json!("12")),
            422,
            "invalid_contact",
            "$.contact.phone_number",
        ),
        (
            with("/contact/phone_number", json!(null)),
            422,
            "invalid_contact",
            "$.contact.phone_number",
        ),
    ] {
        let refused = shopper
            .post("/holds")
            .json(&body)
            .expect(status)
            .await?
            .json();
        assert_eq!(
            (refused.text("/code"), refused.text("/path")),
            (code, path),
            "{body}"
        );
    }
    // A store of another brand only.
    let foreign = stores(&aisle, "harbor").await?.remove(0).0;
    shopper
        .post("/holds")
        .json(&with("/location_id", json!(foreign)))
        .expect(422)
        .await?;
    assert_eq!(aisle.database.snapshot().await?, before);

    let hold = shopper.post("/holds").json(&good).expect(201).await?.json();
    let path = format!("/holds/{}", hold.text("/id"));
    aisle.harbor().get(&path).expect(404).await?;
    aisle
        .harbor()
        .post(&format!("{path}/cancel"))
        .expect(404)
        .await?;
    for unknown in ["/holds/x", "/holds/0190a0e0-0000-7000-8000-000000000000"] {
        shopper.get(unknown).expect(404).await?;
    }
    shopper.put(&path).expect(405).await?;
    shopper.post("/holds/housekeeping").expect(401).await?;
    let strangers_cancel = shopper
        .post(&format!("{path}/cancel"))
        .header("authorization", "Bearer nobody");
    strangers_cancel.expect(401).await?;
    aisle.database.check_invariants().await
}

/// A hold cannot both end and be pulled.
pub async fn the_end_and_a_pull_do_not_both_win(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (store, wanted) = store_with(&aisle, 1).await?;
    let shopper = aisle.north();
    let hold = shopper
        .post("/holds")
        .json(&hold_of(&wanted.sku, 1, &store, ADA))
        .expect(201)
        .await?
        .json();
    let staff = aisle.staff("north.localhost", &store, "stock").await?;
    aisle.database.set_clock_forward_ms(DAY_MS + 1_000).await?;
    let (swept, pulled) = tokio::join!(housekeeping(&aisle), pull(&staff.client, hold.text("/id")));
    assert_eq!(swept?["settled"], 1);
    assert_eq!(pulled?, 409);
    assert_eq!(reserved(&aisle, &store, &wanted.sku).await?, 0);
    aisle.database.check_invariants().await
}

async fn pull(staff: &Client, id: &str) -> Result<u16> {
    let answer = staff.post(&format!("/holds/{id}/pulled")).send().await?;
    Ok(answer.status.as_u16())
}
