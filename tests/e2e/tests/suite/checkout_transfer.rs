//! Collecting at a store that lacks some of the goods: others bring them.

use std::collections::BTreeMap;
use std::sync::Arc;

use aisle_e2e::environment::NORTH;
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{
    Item, TOKEN_FAIL, TOKEN_SUCCESS, checkout_request, complete, items, line, order_id,
    payment_with, pickup_at, pickup_checkout,
};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// An article of North that lies where a test wants it.
pub struct Wanted {
    pub item: Item,
    /// Id by code.
    locations: BTreeMap<String, String>,
}

impl Wanted {
    pub fn location(&self, code: &str) -> &str {
        &self.locations[code]
    }
}

/// An article of which each place named by its code has that many units, and no other any.
pub async fn spread(aisle: &Environment, units: &[(&str, i64)]) -> Result<Wanted> {
    let item = items(&aisle.north(), 1).await?.remove(0);
    let rows = aisle
        .database
        .rows(
            "SELECT l.code, l.id FROM location l JOIN brand_location bl ON bl.location_id = l.id \
             JOIN brand b ON b.id = bl.brand_id WHERE b.handle = 'north'",
        )
        .await?;
    let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let locations: BTreeMap<String, String> = rows
        .iter()
        .map(|row| (text(&row[0]), text(&row[1])))
        .collect();
    let wanted = Wanted { item, locations };
    put(aisle, &wanted, units).await?;
    Ok(wanted)
}

/// Each named place has that many units of the article from now on, and no other any.
async fn put(aisle: &Environment, wanted: &Wanted, units: &[(&str, i64)]) -> Result<()> {
    let mut csv = String::from("sku,location_code,on_hand,safety\n");
    for code in wanted.locations.keys() {
        let on_hand = units
            .iter()
            .find(|(place, _)| place == code)
            .map_or(0, |(_, units)| *units);
        csv += &format!("{},{code},{on_hand},0\n", wanted.item.sku);
    }
    let report = aisle
        .admin()
        .post("/admin/imports?kind=stock&brand=north")
        .csv(csv)
        .expect(200)
        .await?
        .json();
    ensure!(report["refused"] == 0, "{report:#}");
    aisle.drain_outbox().await
}

/// The store as the checkout's collection offers it.
pub fn destination<'a>(session: &'a Value, store: &str) -> Result<&'a Value> {
    let method = session
        .list("/fulfillment/methods")
        .iter()
        .find(|method| method["type"] == "pickup")
        .with_context(|| format!("no pickup: {session:#}"))?;
    let mut offered = method.list("/destinations").iter();
    offered
        .find(|destination| destination["id"] == store)
        .with_context(|| format!("{store} is not offered: {session:#}"))
}

/// The only cell of a query's only row.
async fn cell(aisle: &Environment, sql: &str) -> Result<String> {
    let rows = aisle.database.rows(sql).await?;
    ensure!(rows.len() == 1, "{} rows: {sql}", rows.len());
    rows[0][0].clone().context("NULL")
}

async fn count(aisle: &Environment, what: &str) -> Result<i64> {
    aisle
        .database
        .number(&format!("SELECT count(*) FROM {what}"))
        .await
}

pub async fn what_the_store_lacks_is_brought_there(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("BER-01", 2), ("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 3)], store).await?;
    assert_eq!(session["status"], "ready_for_complete", "{session:#}");
    let offered = destination(&session, store)?;
    assert_eq!(offered["available_now"], 2, "{offered:#}");
    assert_eq!(offered["transfers"][0]["quantity"], 1);
    assert_eq!(offered["transfers"][0]["from"]["name"], "Northfell Hamburg");
    assert_eq!(
        offered.text("/ready_at"),
        offered.text("/transfers/0/ready_at")
    );
    let reasons = offered.list("/reasons");
    assert!(reasons.contains(&json!("has_part")) && reasons.contains(&json!("transfer_needed")));
    let option = session.at("/fulfillment/methods/0/groups/0/options/0");
    let words = option.text("/description/plain");
    assert!(
        words.starts_with("2 here now, 1 transferred from Northfell Hamburg, ready "),
        "{words}"
    );
    assert_eq!(
        option.text("/earliest_fulfillment_time"),
        offered.text("/ready_at")
    );

    let completed = complete(&shopper, &session).await?.json();
    let id = order_id(&completed);
    let order = shopper
        .get(&format!("/orders/{id}"))
        .expect(200)
        .await?
        .json();
    let expected = order.at("/fulfillment/expectations/0");
    assert_eq!(
        expected.text("/ready_at"),
        offered.text("/ready_at"),
        "{order:#}"
    );
    let of_order = format!("for_type = 'order' AND for_id = '{id}'");
    let transfer =
        format!("transfer WHERE {of_order} AND status = 'approved' AND expires_at_ms IS NULL");
    assert_eq!(count(&aisle, &transfer).await?, 1);
    let transfer = cell(&aisle, &format!("SELECT id FROM transfer WHERE {of_order}")).await?;
    let line =
        format!("transfer_line WHERE transfer_id = '{transfer}' AND requested = 1 AND shipped = 0");
    assert_eq!(count(&aisle, &line).await?, 1);
    let pickup = format!("SELECT status FROM pickup WHERE order_id = '{id}'");
    assert_eq!(cell(&aisle, &pickup).await?, "awaiting_transfer");
    let event = format!("order_event WHERE order_id = '{id}' AND type = 'transfer_requested'");
    assert_eq!(count(&aisle, &event).await?, 1);

    let doc = cell(
        &aisle,
        &format!("SELECT doc FROM customer_order WHERE id = '{id}'"),
    )
    .await?;
    let doc: Value = serde_json::from_str(&doc)?;
    let considered = doc.list("/plan/transfers/0/considered");
    assert_eq!(
        considered[0]["location_id"],
        wanted.location("HAM-01"),
        "{considered:#?}"
    );
    assert_eq!(
        (&considered[0]["chosen"], &considered[0]["reasons"][0]),
        (&json!(true), &json!("has_everything"))
    );
    aisle.database.check_invariants().await
}

/// Also from several stores, when none has enough; and no more than there are.
pub async fn several_stores_bring_what_one_has_not(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("MUC-01", 1), ("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let too_many = checkout_request(&[line(&wanted.item.id, 3)], pickup_at(store));
    let refused = shopper
        .post("/checkout-sessions")
        .json(&too_many)
        .send()
        .await?
        .json();
    assert_ne!(refused["status"], "ready_for_complete", "{refused:#}");
    message(&refused, "destination_unavailable").with_context(|| format!("{refused:#}"))?;

    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 2)], store).await?;
    let offered = destination(&session, store)?;
    assert_eq!(offered.list("/transfers").len(), 2, "{offered:#}");
    let last = offered
        .list("/transfers")
        .iter()
        .map(|transfer| transfer.text("/ready_at"))
        .max();
    assert_eq!(last, Some(offered.text("/ready_at")));
    order_id(&complete(&shopper, &session).await?.json());
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'approved'").await?,
        2
    );
    aisle.database.check_invariants().await
}

pub async fn a_declined_payment_frees_what_was_to_be_brought(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await?;
    let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
    let declined = shopper
        .post(&path)
        .json(&payment_with(&session, TOKEN_FAIL))
        .send()
        .await?
        .json();
    message(&declined, "payment_failed").with_context(|| format!("{declined:#}"))?;
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'cancelled'").await?,
        1
    );
    assert_eq!(count(&aisle, "pickup").await?, 0);
    let reserved = format!(
        "SELECT sum(reserved) FROM stock WHERE sku = '{}'",
        wanted.item.sku
    );
    assert_eq!(aisle.database.number(&reserved).await?, 0);
    aisle.database.check_invariants().await?;

    order_id(&complete(&shopper, &session).await?.json());
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'approved'").await?,
        1
    );
    assert_eq!(aisle.database.number(&reserved).await?, 1);
    aisle.database.check_invariants().await
}

/// Sold out at the store meanwhile: the shopper agrees to the later day before paying.
pub async fn a_promise_that_became_later_is_shown_before_money_moves(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("BER-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await?;
    put(&aisle, &wanted, &[("HAM-01", 1)]).await?;
    let shown = complete(&shopper, &session).await?.json();
    assert_eq!(shown["status"], "ready_for_complete", "{shown:#}");
    message(&shown, "promise_changed").with_context(|| format!("{shown:#}"))?;
    let (before, after) = (destination(&session, store)?, destination(&shown, store)?);
    assert!(
        after.text("/ready_at") > before.text("/ready_at"),
        "{after:#}"
    );
    assert_eq!(count(&aisle, "transfer").await?, 0);
    order_id(&complete(&shopper, &session).await?.json());
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'approved'").await?,
        1
    );
    aisle.database.check_invariants().await
}

pub async fn sixteen_buyers_of_the_last_units_elsewhere(pair: Pair) -> Result<()> {
    const BUYERS: usize = 16;
    const UNITS: i64 = 5;
    let aisle = Arc::new(Setup::demo(pair).start().await?);
    let wanted = Arc::new(spread(&aisle, &[("HAM-01", UNITS)]).await?);
    let start = Arc::new(Barrier::new(BUYERS));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..BUYERS {
        let (aisle, wanted, start) = (aisle.clone(), wanted.clone(), start.clone());
        running.spawn(async move {
            let shopper = aisle.north();
            let lines = [line(&wanted.item.id, 1)];
            let session = pickup_checkout(&shopper, &lines, wanted.location("BER-01")).await;
            start.wait().await;
            complete(&shopper, &session?).await
        });
    }
    let answers: Vec<Answer> = running
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    let (bought, refused): (Vec<Value>, Vec<Value>) = answers
        .iter()
        .map(Answer::json)
        .partition(|answer| answer["status"] == "completed");
    assert_eq!(bought.len() as i64, UNITS);
    for answer in &refused {
        message(answer, "out_of_stock").with_context(|| format!("{answer:#}"))?;
    }
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'approved'").await?,
        UNITS
    );
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

/// Where the brand wants it, the sending store is asked; or shoppers have nothing brought.
pub async fn the_brand_decides_about_transfers(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    set_policies(
        &aisle,
        json!({"transfers": {"approval": "manual", "approval_minutes": 30}}),
    )
    .await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await?;
    order_id(&complete(&shopper, &session).await?.json());
    let asked = "transfer WHERE status = 'requested' AND expires_at_ms > updated_at_ms";
    assert_eq!(count(&aisle, asked).await?, 1);
    aisle.database.check_invariants().await
}

pub async fn a_brand_may_keep_transfers_to_itself(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    set_policies(&aisle, json!({"transfers": {"for_shoppers": false}})).await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let request = checkout_request(
        &[line(&wanted.item.id, 1)],
        pickup_at(wanted.location("BER-01")),
    );
    let session = aisle
        .north()
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json();
    message(&session, "destination_unavailable").with_context(|| format!("{session:#}"))?;
    assert!(destination(&session, wanted.location("BER-01")).is_err());
    Ok(())
}

/// Payments that nobody settles keep only so much of the stock from others.
pub async fn a_buyer_has_only_so_many_payments_under_way(pair: Pair) -> Result<()> {
    const AT_ONCE: i64 = 20;
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("BER-01", 60)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let session = async || pickup_checkout(&shopper, &[line(&wanted.item.id, 1)], store).await;
    let pay = async |session: &Value, token: &str| -> Result<Answer> {
        let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
        let payment = payment_with(session, token);
        shopper.post(&path).json(&payment).send().await
    };
    for _ in 0..AT_ONCE {
        let unanswered = pay(&session().await?, "tok_unavailable").await?.json();
        message(&unanswered, "payment_pending").with_context(|| format!("{unanswered:#}"))?;
    }
    let one_more = session().await?;
    let refused = pay(&one_more, TOKEN_SUCCESS).await?;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.headers.contains_key("retry-after"));
    let reserved = format!(
        "SELECT sum(reserved) FROM stock WHERE sku = '{}'",
        wanted.item.sku
    );
    assert_eq!(aisle.database.number(&reserved).await?, AT_ONCE);

    let mut other = checkout_request(&[line(&wanted.item.id, 1)], pickup_at(store));
    other["buyer"] = json!({"email": "ben@example.com"});
    let other = shopper.post("/checkout-sessions").json(&other);
    let other = other.expect(201).await?.json();
    order_id(&pay(&other, TOKEN_SUCCESS).await?.json());

    aisle.database.set_clock_forward_ms(60_000).await?;
    let relay = aisle.with_key(&aisle.relay_key);
    relay.post("/checkout-sessions/recover").expect(200).await?;
    order_id(&pay(&one_more, TOKEN_SUCCESS).await?.json());
    assert_eq!(aisle.database.number(&reserved).await?, 2);
    aisle.database.check_invariants().await
}

/// Before anybody has asked for the brand, so that nobody remembers it as it was.
pub async fn set_policies(aisle: &Environment, policies: Value) -> Result<()> {
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["policies"] = policies;
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await
}

/// What a shopper had set aside for the cart does not stand in the shopper's own way, and
/// becomes the order's; nobody else can have it.
pub async fn the_shoppers_own_transfer_is_taken_over(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 1)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let cart = cart_of(&shopper, &wanted, 1).await?;
    let held = hold(&aisle, &wanted, "HAM-01", "BER-01", ("cart", &cart), 1).await?;
    aisle.database.check_invariants().await?;

    let other = checkout_request(&[line(&wanted.item.id, 1)], pickup_at(store));
    let other = aisle
        .north()
        .post("/checkout-sessions")
        .json(&other)
        .send()
        .await?
        .json();
    assert_ne!(other["status"], "ready_for_complete", "{other:#}");

    let session = from_cart(&shopper, &cart, store).await?;
    assert_eq!(session["status"], "ready_for_complete", "{session:#}");
    let id = order_id(&complete(&shopper, &session).await?.json()).to_owned();
    assert_eq!(count(&aisle, "transfer").await?, 1, "it is the same one");
    let row = format!(
        "transfer WHERE id = '{held}' AND status = 'approved' AND for_type = 'order' AND for_id = '{id}'"
    );
    assert_eq!(count(&aisle, &row).await?, 1);
    aisle.database.check_invariants().await
}

/// More was set aside than is bought in the end: the rest is given back.
pub async fn what_was_set_aside_and_is_not_bought_is_given_back(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 3)]).await?;
    let (shopper, store) = (aisle.north(), wanted.location("BER-01"));
    let cart = cart_of(&shopper, &wanted, 2).await?;
    let held = hold(&aisle, &wanted, "HAM-01", "BER-01", ("cart", &cart), 3).await?;
    let session = from_cart(&shopper, &cart, store).await?;
    order_id(&complete(&shopper, &session).await?.json());
    assert_eq!(
        count(
            &aisle,
            &format!("transfer WHERE id = '{held}' AND status = 'cancelled'")
        )
        .await?,
        1
    );
    assert_eq!(
        count(&aisle, "transfer WHERE status = 'approved'").await?,
        1
    );
    let reserved = format!(
        "SELECT sum(reserved) FROM stock WHERE sku = '{}'",
        wanted.item.sku
    );
    assert_eq!(aisle.database.number(&reserved).await?, 2);
    aisle.database.check_invariants().await?;

    let cart = cart_of(&shopper, &wanted, 1).await?;
    let held = hold(&aisle, &wanted, "HAM-01", "BER-01", ("cart", &cart), 1).await?;
    shopper
        .post(&format!("/carts/{cart}/cancel"))
        .json(&json!({}))
        .expect(200)
        .await?;
    assert_eq!(
        count(
            &aisle,
            &format!("transfer WHERE id = '{held}' AND status = 'cancelled'")
        )
        .await?,
        1
    );
    aisle.database.check_invariants().await
}

async fn cart_of(shopper: &Client, wanted: &Wanted, quantity: i64) -> Result<String> {
    let cart = json!({"line_items": [line(&wanted.item.id, quantity)], "buyer": aisle_e2e::shopping::buyer()});
    let created = shopper.post("/carts").json(&cart).expect(201).await?.json();
    Ok(created.text("/id").to_owned())
}

async fn from_cart(shopper: &Client, cart: &str, store: &str) -> Result<Value> {
    let request = json!({"cart_id": cart, "line_items": [], "fulfillment": pickup_at(store)});
    Ok(shopper
        .post("/checkout-sessions")
        .json(&request)
        .expect(201)
        .await?
        .json())
}

/// A transfer as the shopper asked for it, with its units set aside.
async fn hold(
    aisle: &Environment,
    wanted: &Wanted,
    from: &str,
    to: &str,
    (for_type, for_id): (&str, &str),
    quantity: i64,
) -> Result<String> {
    let id = uuid::Uuid::now_v7().to_string();
    let brand = cell(aisle, "SELECT id FROM brand WHERE handle = 'north'").await?;
    let (sku, from, to) = (&wanted.item.sku, wanted.location(from), wanted.location(to));
    let eta = json!({"picked_by_ms": 1, "departs_at_ms": 2, "arrives_at_ms": 3, "ready_at_ms": 4, "reasons": []});
    let doc =
        json!({"requester": "shopper", "units": [{"sku": sku, "quantity": quantity}], "eta": eta});
    for sql in [
        format!(
            "INSERT INTO transfer (id, brand_id, number, status, from_location_id, to_location_id, for_type, for_id, \
             ready_at_ms, expires_at_ms, doc, version, created_at_ms, updated_at_ms) VALUES \
             ('{id}', '{brand}', 'T-{id}', 'reserved', '{from}', '{to}', '{for_type}', '{for_id}', 4, 9000000000000000, '{doc}', 1, 0, 0)"
        ),
        format!(
            "INSERT INTO transfer_line (brand_id, transfer_id, sku, requested) VALUES ('{brand}', '{id}', '{sku}', {quantity})"
        ),
        format!(
            "INSERT INTO allocation (brand_id, order_id, sku, location_id, quantity, status) \
             VALUES ('{brand}', '{id}', '{sku}', '{from}', {quantity}, 'open')"
        ),
        format!(
            "INSERT INTO stock_movement (id, brand_id, sku, location_id, on_hand_delta, reserved_delta, reason, document_type, document_id, at_ms) \
             VALUES ('{id}', '{brand}', '{sku}', '{from}', 0, {quantity}, 'hold', 'transfer', '{id}', 0)"
        ),
        format!(
            "UPDATE stock SET reserved = reserved + {quantity} WHERE brand_id = '{brand}' AND sku = '{sku}' AND location_id = '{from}'"
        ),
    ] {
        aisle.database.rows(&sql).await?;
    }
    Ok(id)
}

/// However it ends: the shelves hold what the order that was made of it holds, and nothing
/// for a cart that is gone.
async fn is_in_order(aisle: &Environment, wanted: &Wanted, cart: &str) -> Result<i64> {
    let orders = "customer_order WHERE status = 'confirmed'";
    let orders = count(aisle, orders).await?;
    let kept =
        format!("transfer WHERE for_type = 'cart' AND for_id = '{cart}' AND status = 'reserved'");
    aisle
        .with_key(&aisle.relay_key)
        .post("/transfers/housekeeping")
        .expect(200)
        .await?;
    assert_eq!(count(aisle, &kept).await?, 0);
    let open = format!(
        "allocation WHERE status = 'open' AND sku = '{}'",
        wanted.item.sku
    );
    assert_eq!(count(aisle, &open).await? > 0, orders > 0);
    aisle.database.check_invariants().await?;
    Ok(orders)
}

pub async fn a_cart_is_cancelled_under_its_order(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 3)]).await?;
    let (shopper, other) = (aisle.north(), aisle.north());
    let cart = cart_of(&shopper, &wanted, 2).await?;
    hold(&aisle, &wanted, "HAM-01", "BER-01", ("cart", &cart), 2).await?;
    let session = from_cart(&shopper, &cart, wanted.location("BER-01")).await?;
    let cancel = format!("/carts/{cart}/cancel");
    let (completed, cancelled) = tokio::join!(
        complete(&shopper, &session),
        other.post(&cancel).json(&json!({})).send()
    );
    let (completed, cancelled) = (completed?, cancelled?);
    for answer in [&completed, &cancelled] {
        assert!(answer.status.as_u16() < 500, "{answer:?}");
    }
    let is_bought = completed.json()["status"] == "completed";
    assert_eq!(
        is_in_order(&aisle, &wanted, &cart).await?,
        i64::from(is_bought)
    );
    assert!(
        is_bought || cancelled.status == 200,
        "{completed:?} {cancelled:?}"
    );
    Ok(())
}

pub async fn a_cart_is_sold_at_a_till_under_its_order(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 3), ("BER-01", 2)]).await?;
    let shopper = aisle.north();
    let till = aisle.staff(NORTH, wanted.location("BER-01"), "pos").await?;
    let cart = cart_of(&shopper, &wanted, 2).await?;
    hold(&aisle, &wanted, "HAM-01", "BER-01", ("cart", &cart), 1).await?;
    let session = from_cart(&shopper, &cart, wanted.location("BER-01")).await?;
    let sale =
        json!({"cart_id": cart, "payment": {"type": "card_present", "reference": "TERM-7:1"}});
    let (completed, sold) = tokio::join!(
        complete(&shopper, &session),
        till.client.post("/pos/sales").json(&sale).send()
    );
    let (completed, sold) = (completed?, sold?);
    for answer in [&completed, &sold] {
        assert!(answer.status.as_u16() < 500, "{answer:?}");
    }
    let is_bought = completed.json()["status"] == "completed";
    assert!(
        is_bought != (sold.status == 201),
        "one of two has it: {completed:?} {sold:?}"
    );
    let orders = "customer_order WHERE status = 'confirmed'";
    assert_eq!(count(&aisle, orders).await?, 1);
    let paid = "payment WHERE status = 'authorised'";
    assert_eq!(count(&aisle, paid).await?, 1);
    aisle.database.check_invariants().await
}
