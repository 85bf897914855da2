//! One cart on every device: changed at the same moment, brought along at sign-in, bought
//! once.

mod buying;

use std::sync::Arc;

use aisle_e2e::accounts::{Device, sign_in, sign_in_with, with_token};
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{Item, items, line};
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Barrier;
use uuid::Uuid;

pub use buying::{
    a_cart_stands_still_while_it_is_bought, a_change_and_a_purchase_at_one_moment,
    a_given_up_cart_is_not_bought, an_emptied_cart_is_not_bought,
    lines_of_cart_and_checkout_stay_apart, what_another_device_does_comes_into_the_order,
};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// A device of Ada's, by what she calls it.
async fn device(aisle: &Environment, name: &str) -> Result<Device> {
    sign_in_with(aisle, NORTH, ADA, json!({ "device_name": name })).await
}

fn named(id: &str, item: &Item, quantity: i64) -> Value {
    json!({"id": id, "item": {"id": item.id}, "quantity": quantity})
}

fn of(lines: &[Value]) -> Value {
    json!({ "line_items": lines })
}

async fn create(client: &Client, body: &Value) -> Result<Value> {
    Ok(client.post("/carts").json(body).expect(201).await?.json())
}

async fn put(client: &Client, id: &str, etag: &str, body: &Value) -> Result<Answer> {
    let call = client.put(&format!("/carts/{id}")).json(body);
    call.header("if-match", etag).send().await
}

/// Line ids and pieces.
fn lines(cart: &Value) -> Vec<(&str, i64)> {
    let lines = cart.list("/line_items").iter();
    lines
        .map(|line| (line.text("/id"), line.number("/quantity")))
        .collect()
}

fn messages<'a>(cart: &'a Value, code: &str) -> Vec<&'a Value> {
    let all = cart["messages"].as_array().into_iter().flatten();
    all.filter(|message| message["code"] == code).collect()
}

pub async fn two_devices_change_one_cart(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = items(&aisle.north(), 3).await?;
    let phone = device(&aisle, "Ada's phone").await?.client;
    let laptop = device(&aisle, "Ada's laptop").await?.client;
    let created = phone.post("/carts");
    let created = created
        .json(&of(&[named("a", &wanted[0], 1)]))
        .expect(201)
        .await?;
    assert_eq!(created.header("etag"), "\"1\"");
    let cart = created.json();
    let id = cart.text("/id").to_owned();
    let mine = laptop.get("/carts/mine").expect(200).await?;
    assert_eq!((mine.json(), mine.header("etag")), (cart, "\"1\""));
    let known = laptop.get("/carts/mine").header("if-none-match", "\"1\"");
    known.expect(304).await?;
    let second = laptop.post("/carts").json(&of(&[])).send().await?;
    assert_eq!(second.status, 409, "{second:?}");
    assert_eq!(second.json().at("/messages/0/cart_id"), id.as_str());

    // Different things: both changes are made.
    let more = of(&[named("a", &wanted[0], 3)]);
    let first = put(&phone, &id, "\"1\"", &more).await?;
    assert_eq!(
        (first.status.as_u16(), first.header("etag")),
        (200, "\"2\"")
    );
    let added = of(&[named("a", &wanted[0], 1), named("b", &wanted[1], 1)]);
    let second = put(&laptop, &id, "\"1\"", &added).await?;
    assert_eq!(
        (second.status.as_u16(), second.header("etag")),
        (200, "\"3\"")
    );
    let both = second.json();
    assert_eq!(lines(&both), [("a", 3), ("b", 1)]);
    assert!(messages(&both, "overridden").is_empty(), "{both:#}");

    // The same thing: the later stays, and both devices are told.
    let four = of(&[named("a", &wanted[0], 4), named("b", &wanted[1], 1)]);
    put(&phone, &id, "\"3\"", &four).await?;
    let five = of(&[named("a", &wanted[0], 5), named("b", &wanted[1], 1)]);
    let keyed = || {
        let call = laptop.put(&format!("/carts/{id}")).json(&five);
        call.header("if-match", "\"3\"").idempotency_key("k-1")
    };
    let later = keyed().expect(200).await?;
    let again = keyed().expect(200).await?;
    assert_eq!(
        (again.text(), again.header("etag")),
        (later.text(), "\"5\"")
    );
    for client in [&phone, &laptop] {
        let shown = client.get("/carts/mine").expect(200).await?.json();
        assert_eq!(lines(&shown), [("a", 5), ("b", 1)]);
        let told = messages(&shown, "overridden");
        assert_eq!(told.len(), 1, "{shown:#}");
        assert_eq!(told[0]["type"], "warning");
        assert_eq!(told[0]["path"], "$.line_items[0].quantity");
        assert_eq!(told[0]["earlier"], 4);
        assert_eq!(told[0]["earlier_by"], "Ada's phone");
        assert_eq!(told[0]["by"], "Ada's laptop");
    }

    // Without a version it is replaced, as UCP has it.
    let path = format!("/carts/{id}");
    let replaced = phone.put(&path).json(&of(&[named("c", &wanted[2], 1)]));
    assert_eq!(lines(&replaced.expect(200).await?.json()), [("c", 1)]);
    let whatever = put(&phone, &id, "*", &of(&[])).await?;
    assert_eq!(whatever.header("etag"), "\"7\"");
    Ok(())
}

pub async fn what_a_device_knows_must_be_known(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let cart = create(&shopper, &of(&[line(&wanted.id, 1)])).await?;
    let id = cart.text("/id");
    let body = of(&[line(&wanted.id, 2)]);
    for etag in ["W/\"1\"", "\"2\"", "\"abc\"", "\"0\"", "\"01\""] {
        let refused = put(&shopper, id, etag, &body).await?;
        assert_eq!(refused.status, 412, "{etag}: {refused:?}");
        assert_eq!(refused.header("etag"), "\"1\"");
        let refused = refused.json();
        assert_eq!(refused.at("/messages/0/code"), "precondition_failed");
    }
    for malformed in ["", "1", "\"1", "\"1\" \"2\"", "*, \"1\""] {
        let refused = put(&shopper, id, malformed, &body).await?;
        assert_eq!(refused.status, 400, "{malformed}: {refused:?}");
        let refused = refused.json();
        assert_eq!(refused.at("/messages/0/code"), "invalid_if_match");
        assert_eq!(refused.at("/messages/0/parameter"), "If-Match");
    }
    let untouched = shopper.get(&format!("/carts/{id}")).expect(200).await?;
    assert_eq!(untouched.json(), cart);
    let listed = put(&shopper, id, "\"9\", \"1\"", &body).await?;
    assert_eq!(listed.header("etag"), "\"2\"", "{listed:?}");

    // Twenty changes may be missed, and not one more.
    for version in 2..=21 {
        put(&shopper, id, &format!("\"{version}\""), &body).await?;
    }
    let kept = format!("SELECT count(*) FROM cart_version WHERE cart_id = '{id}'");
    assert_eq!(aisle.database.number(&kept).await?, 20);
    let stale = put(&shopper, id, "\"1\"", &body).await?;
    assert_eq!(
        (stale.status.as_u16(), stale.header("etag")),
        (412, "\"22\"")
    );
    let old = put(&shopper, id, "\"2\"", &body).await?;
    assert_eq!((old.status.as_u16(), old.header("etag")), (200, "\"23\""));
    // What is wrong is wrong in what was sent, whatever it is merged with.
    let wrong = of(&[line(&wanted.id, 1), line("no such item", 1)]);
    let refused = put(&shopper, id, "\"3\"", &wrong).await?;
    assert_eq!(refused.status, 400, "{refused:?}");
    let refused = refused.json();
    assert_eq!(refused.at("/messages/0/path"), "$.line_items[1].item.id");
    Ok(())
}

pub async fn five_devices_race_and_see_the_same_cart(pair: Pair) -> Result<()> {
    const DEVICES: usize = 5;
    const CHANGES: usize = 3;
    let aisle = Setup::demo(pair).start().await?;
    let wanted = items(&aisle.north(), 1).await?.remove(0);
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        devices.push(device(&aisle, &format!("device {number}")).await?);
    }
    let cart = create(&devices[0].client, &of(&[])).await?;
    let id: Arc<str> = cart.text("/id").into();
    let start = Arc::new(Barrier::new(DEVICES));
    let mut running = tokio::task::JoinSet::new();
    for (number, device) in devices.into_iter().enumerate() {
        let (id, start, wanted) = (id.clone(), start.clone(), wanted.clone());
        running.spawn(async move {
            let (mut etag, mut mine) = ("\"1\"".to_owned(), Vec::new());
            start.wait().await;
            for change in 0..CHANGES {
                let name = format!("d{number}-{change}");
                mine.push(named(&name, &wanted, 1));
                let mut tries = 0;
                let answer = loop {
                    let answer = put(&device.client, &id, &etag, &of(&mine)).await?;
                    tries += 1;
                    if answer.status != 409 || tries == 100 {
                        break answer;
                    }
                };
                assert_eq!(answer.status, 200, "{answer:?}");
                etag = answer.header("etag").to_owned();
                let cart = answer.json();
                let lines = cart.list("/line_items").iter();
                let line =
                    |line: &Value| named(line.text("/id"), &wanted, line.number("/quantity"));
                mine = lines.map(line).collect();
            }
            anyhow::Ok(device)
        });
    }
    let mut shown = Vec::new();
    for device in running.join_all().await {
        let mine = device?.client.get("/carts/mine").expect(200).await?;
        shown.push(mine.json());
    }
    assert!(shown.iter().all(|cart| *cart == shown[0]), "{shown:#?}");
    let mut ids: Vec<&str> = lines(&shown[0]).into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    let all =
        (0..DEVICES).flat_map(|one| (0..CHANGES).map(move |change| format!("d{one}-{change}")));
    assert_eq!(ids, all.collect::<Vec<_>>());
    assert_eq!(shown[0].number("/version"), 1 + (DEVICES * CHANGES) as i64);
    Ok(())
}

pub async fn a_cart_is_brought_along(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let guest = aisle.north();
    let wanted = items(&guest, 2).await?;
    let first = create(&guest, &of(&[named("a", &wanted[0], 1)])).await?;
    let phone = device(&aisle, "phone").await?.client;
    phone.get("/carts/mine").expect(404).await?;
    let bring = |cart: &Value| json!({"cart_id": cart["id"]});
    let call = |cart: &Value| phone.post("/carts/mine/merge").json(&bring(cart));

    // The account had none: it becomes the account's, and nobody else's any more.
    let own = call(&first).expect(200).await?.json();
    assert_eq!(own["id"], first["id"]);
    assert_eq!(call(&first).expect(200).await?.json(), own);
    let path = format!("/carts/{}", own.text("/id"));
    guest.get(&path).expect(401).await?;
    assert_eq!(phone.get(&path).expect(200).await?.json(), own);

    // The account has one: the other goes into it, with what there is.
    let mut other = of(&[named("x", &wanted[0], 900), named("a", &wanted[1], 2)]);
    other["buyer"] = json!({"email": "guest@example.com"});
    let other = create(&guest, &other).await?;
    let session = json!({"cart_id": other["id"], "line_items": []});
    let session = guest.post("/checkout-sessions").json(&session);
    let session = session.expect(201).await?.json();
    let keyed = || call(&other).idempotency_key("k-1");
    let merged = keyed().expect(200).await?;
    let again = keyed().expect(200).await?;
    assert_eq!(
        (again.text(), again.header("etag")),
        (merged.text(), merged.header("etag"))
    );
    let merged = merged.json();
    assert_eq!(call(&other).expect(200).await?.json(), merged, "once");
    assert_eq!(merged["id"], own["id"]);
    assert_eq!(merged.number("/version"), own.number("/version") + 1);
    assert_eq!(merged["buyer"]["email"], "guest@example.com");
    let capped = messages(&merged, "quantity_capped");
    assert_eq!(capped.len(), 1, "{merged:#}");
    assert_eq!(capped[0]["requested"], 901);
    let there = lines(&merged);
    assert_eq!(there[0], ("a", capped[0].number("/available").max(1)));
    assert_eq!((there.len(), there[1].1), (2, 2));
    assert_ne!(there[1].0, "a");

    // Where it went is said to whom it went.
    let gone = format!("/carts/{}", other.text("/id"));
    let moved = phone.get(&gone).expect(410).await?.json();
    assert_eq!(moved.at("/messages/0/cart_id"), &own["id"]);
    phone.put(&gone).json(&of(&[])).expect(410).await?;
    guest.get(&gone).expect(404).await?;
    guest.put(&gone).json(&of(&[])).expect(404).await?;
    let left = format!("/checkout-sessions/{}", session.text("/id"));
    let left = guest.get(&left).expect(200).await?.json();
    assert_eq!(left["status"], "canceled");
    aisle.database.check_invariants().await
}

pub async fn nobody_brings_what_is_not_theirs(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let wanted = &items(&north, 1).await?[0];
    let abroad = &items(&harbor, 1).await?[0];
    let phone = device(&aisle, "phone").await?;
    let eve = sign_in(&aisle, NORTH, EVE).await?.client;
    let cart = create(&phone.client, &of(&[line(&wanted.id, 1)])).await?;
    let elsewhere = create(&harbor, &of(&[line(&abroad.id, 1)])).await?;
    aisle.drain_outbox().await?;
    let before = aisle.database.snapshot().await?;
    let id = cart.text("/id");
    for cart_id in [id, elsewhere.text("/id"), &Uuid::now_v7().to_string(), "x"] {
        let merge = eve.post("/carts/mine/merge");
        let refused = merge
            .json(&json!({ "cart_id": cart_id }))
            .expect(404)
            .await?;
        assert_eq!(refused.json().at("/messages/0/path"), "$.cart_id");
    }
    let merge = async |client: &Client, body: Value| {
        let call = client.post("/carts/mine/merge");
        call.json(&body).send().await
    };
    for body in [
        json!({}),
        json!({"cart_id": 1}),
        json!({"cart_id": id, "more": 1}),
    ] {
        assert_eq!(merge(&eve, body).await?.status, 400);
    }
    assert_eq!(merge(&north, json!({ "cart_id": id })).await?.status, 401);
    let abroad = with_token(&aisle, HARBOR, &phone.access_token);
    let path = format!("/carts/{id}");
    for (client, status) in [(&eve, 404), (&north, 401), (&abroad, 403)] {
        client.get(&path).expect(status).await?;
        client.put(&path).json(&of(&[])).expect(status).await?;
        client
            .post(&format!("{path}/cancel"))
            .expect(status)
            .await?;
        let session = json!({"cart_id": id, "line_items": []});
        let session = client.post("/checkout-sessions").json(&session);
        session.expect(status).await?;
    }
    for client in [&north, &abroad] {
        let answer = client.get("/carts/mine").send().await?;
        assert!([401, 403].contains(&answer.status.as_u16()), "{answer:?}");
    }
    eve.post("/carts/mine").expect(405).await?;
    eve.get("/carts/mine/merge").expect(405).await?;
    assert_eq!(aisle.database.snapshot().await?, before);

    // A link to the cart lets its holder do what it is for.
    let hash: String = Sha256::digest("K7Q4ZKM0TCXAB1")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let invite = format!(
        "INSERT INTO invite (id, brand_id, code_hash, scope, subject_id, channel, address, locale, created_at_ms, expires_at_ms) \
         SELECT '{}', brand_id, '{hash}', 'cart', id, 'sms', '', 'en', 0, expires_at_ms FROM cart WHERE id = '{id}'",
        Uuid::now_v7()
    );
    aisle.database.rows(&invite).await?;
    let holder = with_token(&aisle, NORTH, "lnk_K7Q4ZKM0TCXAB1");
    let changed = put(&holder, id, "\"1\"", &of(&[line(&wanted.id, 2)])).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    holder.get("/carts/mine").expect(401).await?;
    Ok(())
}

/// A store of North's that sells, with enough of an article on its shelf.
async fn shelf(aisle: &Environment, item: &Item) -> Result<String> {
    let places = aisle
        .database
        .rows(&format!(
            "SELECT l.code, l.id, l.doc FROM location l JOIN brand_location b ON b.location_id = l.id \
             JOIN variant v ON v.brand_id = b.brand_id WHERE v.id = '{}' ORDER BY l.code",
            item.id
        ))
        .await?;
    let sells = |doc: &str| {
        serde_json::from_str::<Value>(doc).is_ok_and(|doc| doc["services"]["sell"] == true)
    };
    let store = places
        .iter()
        .find(|place| sells(place[2].as_deref().unwrap_or_default()));
    let store = store.context("no store sells")?;
    let code = store[0].as_deref().unwrap_or_default();
    let csv = format!(
        "sku,location_code,on_hand,safety\n{},{code},5,0\n",
        item.sku
    );
    let import = "/admin/imports?kind=stock&brand=north";
    aisle.admin().post(import).csv(csv).expect(200).await?;
    aisle.drain_outbox().await?;
    store[1].clone().context("no id")
}

pub async fn the_till_sells_the_accounts_cart(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let store = shelf(&aisle, &item).await?;
    let phone = device(&aisle, "phone").await?.client;
    let cart = create(&phone, &of(&[line(&item.id, 2)])).await?;
    let id = cart.text("/id");
    let synced = phone.get("/sync").expect(200).await?.json();
    let till = aisle.staff(NORTH, &store, "pos cash").await?.client;
    // The shopper shows who they are, or the cart itself.
    let code = phone.post("/accounts/me/customer-code").expect(201).await?;
    let scan = |text: &str| till.post("/pos/scan").json(&json!({ "text": text }));
    let customer = scan(code.json().text("/text")).expect(200).await?.json();
    assert_eq!(customer.text("/kind"), "customer");
    let cart = scan(&format!("AISLE:CART:{id}")).expect(200).await?.json();
    let path = customer.text("/actions/0/path");
    assert_eq!(path, cart.text("/actions/0/path"));
    let offer = till.post(path).expect(200).await?.json();
    assert_eq!(offer.number("/lines/0/quantity"), 2);
    let sale = json!({"cart_id": id, "payment": {"type": "card_present", "reference": "T:1"}});
    let sold = till
        .post("/pos/sales")
        .json(&sale)
        .expect(201)
        .await?
        .json();

    let path = format!("/sync?cursor={}", synced.text("/cursor"));
    let news = phone.get(&path).expect(200).await?.json();
    let seen: Vec<_> = news
        .list("/changes")
        .iter()
        .map(|change| {
            (
                change.text("/kind"),
                change.text("/id"),
                change["deleted"] == true,
            )
        })
        .collect();
    assert!(seen.contains(&("cart", id, true)), "{news:#}");
    assert!(
        seen.contains(&("order", sold.text("/order_id"), false)),
        "{news:#}"
    );
    phone.get("/carts/mine").expect(404).await?;
    let orders = phone.get("/accounts/me/orders").expect(200).await?;
    assert!(orders.text().contains(sold.text("/order_id")), "{orders:?}");
    // The next one is a new one.
    create(&phone, &of(&[line(&item.id, 1)])).await?;
    aisle.database.check_invariants().await
}
