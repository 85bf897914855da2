//! What is new for a device: asked for, and as it happens.

use std::time::{Duration, Instant};

use aisle_e2e::accounts::{Device, sign_in, with_token};
use aisle_e2e::environment::{HARBOR, NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{
    buyer, choose_first_options, complete, items, line, order_id, shipping_checkout, shipping_to,
    update_of,
};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use crate::accounts::refresh;
use crate::checkout_transfer::set_policies;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const MONTH_MS: i64 = 31 * DAY_MS;
/// How soon a change must show on every open stream.
const SOON: Duration = Duration::from_secs(2);

/// What has changed since `cursor`.
async fn sync(device: &Client, cursor: &str) -> Result<Value> {
    let path = format!("/sync?cursor={cursor}");
    Ok(device.get(&path).expect(200).await?.json())
}

/// Kind, id and whether it is gone.
fn seen(news: &Value) -> Vec<(&str, &str, bool)> {
    let changes = news.list("/changes").iter();
    changes
        .map(|change| {
            (
                change.text("/kind"),
                change.text("/id"),
                change["deleted"] == true,
            )
        })
        .collect()
}

async fn cart(device: &Client, item_id: &str) -> Result<Value> {
    let body = json!({ "line_items": [line(item_id, 1)] });
    Ok(device.post("/carts").json(&body).expect(201).await?.json())
}

/// An order that the device's account places.
async fn order(device: &Client, item_id: &str) -> Result<String> {
    let session = shipping_checkout(device, &[line(item_id, 1)], NORTH_COUNTRY).await?;
    let completed = complete(device, &session).await?.json();
    Ok(order_id(&completed).to_owned())
}

pub async fn a_device_catches_up_in_one_call(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    // News of orders would come in between, in the relay's own time.
    set_policies(&aisle, json!({"notification": {"rules": []}})).await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let phone = sign_in(&aisle, NORTH, ADA).await?.client;
    let laptop = sign_in(&aisle, NORTH, ADA).await?.client;
    let start = phone.get("/sync").expect(200).await?.json();
    assert_eq!(start["changes"], json!([]));
    assert_eq!(start["more"], false);
    let cursor = start.text("/cursor");

    let first = cart(&laptop, &item.id).await?;
    let id = first.text("/id");
    let path = format!("/carts/{id}");
    for quantity in 2..5 {
        let body = json!({ "line_items": [line(&item.id, quantity)] });
        laptop.put(&path).json(&body).expect(200).await?;
    }
    let bought = order(&laptop, &item.id).await?;
    let news = sync(&phone, cursor).await?;
    assert_eq!(
        seen(&news),
        [("cart", id, false), ("order", &bought, false)]
    );
    let shown = phone.get(&path).expect(200).await?.json();
    assert_eq!(news.at("/changes/0/doc"), &shown, "as it is now");
    assert_eq!(news.number("/changes/0/version"), 4);
    let summary = news.at("/changes/1/doc");
    let whole = phone.get(&format!("/orders/{bought}")).expect(200).await?;
    assert_eq!(
        (summary.text("/status"), summary.number("/lines")),
        ("confirmed", 1)
    );
    assert!(
        whole
            .text()
            .contains(&summary.number("/total_minor").to_string())
    );
    let now = news.text("/cursor").to_owned();
    assert_eq!(sync(&phone, &now).await?["changes"], json!([]));
    // The same question has the same answer.
    assert_eq!(sync(&phone, cursor).await?, news);

    // In parts, where the device wants that.
    let path = format!("/sync?limit=1&cursor={cursor}");
    let part = phone.get(&path).expect(200).await?.json();
    assert_eq!((seen(&part).len(), &part["more"]), (1, &json!(true)));
    let rest = sync(&phone, part.text("/cursor")).await?;
    assert_eq!(seen(&rest), [("order", bought.as_str(), false)]);
    assert_eq!(
        (rest.text("/cursor"), &rest["more"]),
        (now.as_str(), &json!(false))
    );

    // What is gone is said to who knew of it.
    let cancel = format!("/carts/{id}/cancel");
    laptop.post(&cancel).expect(200).await?;
    assert_eq!(seen(&sync(&phone, &now).await?), [("cart", id, true)]);
    let fresh = phone.get("/sync").expect(200).await?.json();
    assert_eq!(seen(&fresh), [("order", bought.as_str(), false)]);

    // A cart that became an order.
    let second = cart(&laptop, &item.id).await?;
    let session = json!({"cart_id": second["id"], "line_items": []});
    let opened = laptop.post("/checkout-sessions").json(&session);
    let opened = opened.expect(201).await?.json();
    let mut ready = update_of(&opened);
    ready["fulfillment"] = shipping_to(NORTH_COUNTRY);
    ready["buyer"] = buyer();
    let path = format!("/checkout-sessions/{}", opened.text("/id"));
    let ready = laptop.put(&path).json(&ready).expect(200).await?.json();
    let ready = choose_first_options(&laptop, ready).await?;
    let completed = complete(&laptop, &ready).await?.json();
    let second_order = order_id(&completed);
    let month = sync(&phone, &now).await?;
    for change in [
        ("cart", id, true),
        ("cart", second.text("/id"), true),
        ("order", second_order, false),
    ] {
        assert!(seen(&month).contains(&change), "{change:?}: {month:#}");
    }
    aisle.database.check_invariants().await
}

/// Once more with a token for another quarter of an hour.
async fn back(aisle: &Environment, device: &Device) -> Result<Device> {
    let (status, signed_in) = refresh(aisle, &device.refresh_token, None).await?;
    assert_eq!(status, 200, "{signed_in:#}");
    Ok(Device::of(aisle, NORTH, signed_in))
}

pub async fn a_device_that_was_away_for_a_month_catches_up(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let phone = sign_in(&aisle, NORTH, ADA).await?;
    let laptop = sign_in(&aisle, NORTH, ADA).await?;
    let start = phone.client.get("/sync").expect(200).await?.json();

    aisle.database.set_clock_forward_ms(20 * DAY_MS).await?;
    let laptop = back(&aisle, &laptop).await?.client;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(order(&laptop, &item.id).await?);
    }
    let texted = json!({
        "scope": "order", "id": orders[0], "address": "+4915112345678",
        "consent": {"wording_version": "2026-11"},
    });
    let invite = laptop.post("/invites").json(&texted).expect(201).await?;
    let invite = invite.json();
    let cart = cart(&laptop, &item.id).await?;
    aisle.send_messages().await?;

    aisle.database.set_clock_forward_ms(MONTH_MS).await?;
    let phone = back(&aisle, &phone).await?.client;
    let news = sync(&phone, start.text("/cursor")).await?;
    assert_eq!(news["more"], false);
    let seen = seen(&news);
    for (kind, id) in [
        ("order", orders[0].as_str()),
        ("order", &orders[1]),
        ("order", &orders[2]),
        ("invite", invite.text("/id")),
        ("cart", cart.text("/id")),
    ] {
        let found = seen.iter().filter(|one| **one == (kind, id, false));
        assert_eq!(found.count(), 1, "{kind} {id}: {news:#}");
    }
    let mut told: Vec<&str> = news
        .list("/changes")
        .iter()
        .filter(|change| change["kind"] == "notice")
        .map(|change| change.text("/doc/order_id"))
        .collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, orders, "{news:#}");
    let now = news.text("/cursor");
    assert_eq!(sync(&phone, now).await?["changes"], json!([]));
    Ok(())
}

pub async fn an_expired_cart_is_gone_by_itself(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let phone = sign_in(&aisle, NORTH, ADA).await?;
    let made = cart(&phone.client, &item.id).await?;
    let start = phone.client.get("/sync").expect(200).await?.json();
    aisle.database.set_clock_forward_ms(MONTH_MS).await?;
    let phone = back(&aisle, &phone).await?;
    let relay = aisle.with_key(&aisle.relay_key);
    relay.post("/checkout-sessions/recover").expect(200).await?;
    let news = sync(&phone.client, start.text("/cursor")).await?;
    assert_eq!(seen(&news), [("cart", made.text("/id"), true)]);
    phone.client.get("/carts/mine").expect(404).await?;
    cart(&phone.client, &item.id).await?;
    Ok(())
}

pub async fn a_cursor_is_for_its_account(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    let eve = sign_in(&aisle, NORTH, EVE).await?;
    let abroad = sign_in(&aisle, HARBOR, ADA).await?;
    let cursor = ada.client.get("/sync").expect(200).await?.json();
    let cursor = cursor.text("/cursor");
    for (who, cursor) in [
        (&eve, cursor),
        (&abroad, cursor),
        (&ada, "x"),
        (&ada, "5b5d"),
        (&ada, &"00".repeat(3_000)),
    ] {
        for path in ["/sync", "/sync/stream"] {
            let refused = who.client.get(&format!("{path}?cursor={cursor}"));
            let refused = refused.expect(400).await?.json();
            assert_eq!(refused["code"], "invalid_cursor", "{refused}");
            assert_eq!(refused["path"], "cursor");
        }
    }
    let stream = eve.client.get("/sync/stream");
    stream.header("last-event-id", cursor).expect(400).await?;
    for limit in ["0", "-1", "x", "99999999999999999999"] {
        let path = format!("/sync?limit={limit}");
        ada.client.get(&path).expect(400).await?;
    }
    let elsewhere = with_token(&aisle, HARBOR, &ada.access_token);
    for path in ["/sync", "/sync/stream"] {
        aisle.north().get(path).expect(401).await?;
        elsewhere.get(path).expect(403).await?;
        ada.client.post(path).expect(405).await?;
    }
    ada.client.get("/sync/other").expect(404).await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// The same account through another process.
async fn beside(aisle: &Environment, device: &Device) -> Result<(aisle_e2e::Neighbour, Client)> {
    let neighbour = aisle.neighbour().await?;
    let bearer = format!("Bearer {}", device.access_token);
    let client = neighbour
        .client(NORTH)
        .with_header("authorization", &bearer);
    Ok((neighbour, client))
}

pub async fn a_change_reaches_streams_of_every_process(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let phone = sign_in(&aisle, NORTH, ADA).await?;
    let (_neighbour, listener) = beside(&aisle, &phone).await?;
    let made = cart(&phone.client, &item.id).await?;
    let path = format!("/carts/{}", made.text("/id"));
    let mut stream = listener.get("/sync/stream").events().await?;
    let first = stream.must_say().await?;
    assert_eq!(first.name, "changes");
    assert_eq!(first.data.at("/changes/0/doc/version"), 1);

    // A busy machine can be late once, but not each time.
    let mut soonest = Duration::MAX;
    let mut last = first;
    for quantity in 2..5 {
        let body = json!({ "line_items": [line(&item.id, quantity)] });
        phone.client.put(&path).json(&body).expect(200).await?;
        let changed = Instant::now();
        last = stream.must_say().await?;
        soonest = soonest.min(changed.elapsed());
        assert_eq!(last.data.number("/changes/0/version"), quantity);
        assert_eq!(last.id, last.data.text("/cursor"));
    }
    assert!(soonest <= SOON, "{soonest:?}");
    drop(stream);

    // Whoever comes back gets what it missed, and that once.
    let cancel = format!("{path}/cancel");
    phone.client.post(&cancel).expect(200).await?;
    let back = listener
        .get("/sync/stream")
        .header("last-event-id", &last.id);
    let missed = back.events().await?.must_say().await?;
    assert_eq!(seen(&missed.data), [("cart", made.text("/id"), true)]);
    assert_eq!(sync(&phone.client, &last.id).await?, missed.data);
    Ok(())
}

pub async fn a_stream_of_news_ends_with_its_time_and_with_its_session(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let phone = sign_in(&aisle, NORTH, ADA).await?;
    let laptop = sign_in(&aisle, NORTH, ADA).await?;
    cart(&laptop.client, &item.id).await?;
    let mut stream = phone.client.get("/sync/stream").events().await?;
    stream.must_say().await?;
    aisle.database.set_clock_forward_ms(5 * MINUTE_MS).await?;
    assert_eq!(stream.next().await?, None, "five minutes are over");

    let mut stream = phone.client.get("/sync/stream").events().await?;
    stream.must_say().await?;
    let revoke = format!("/accounts/me/sessions/{}", phone.session_id);
    laptop
        .client
        .call(Method::DELETE, &revoke)
        .expect(204)
        .await?;
    assert_eq!(stream.next().await?, None, "the session is over");
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// More streams than the pool of a process has connections (64).
pub async fn open_streams_of_devices_hold_no_connection(pair: Pair) -> Result<()> {
    const PHONES: usize = 10;
    const STREAMS_OF_A_PHONE: usize = 8;
    let aisle = Setup::demo(pair).start().await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let mut open = Vec::new();
    for number in 0..PHONES {
        let address = format!("ada{number}@example.com");
        let phone = sign_in(&aisle, NORTH, &address).await?.client;
        let made = cart(&phone, &item.id).await?;
        let mut streams = Vec::new();
        for _ in 0..STREAMS_OF_A_PHONE {
            let mut stream = phone.get("/sync/stream").events().await?;
            let event = stream.must_say().await?;
            assert_eq!(seen(&event.data), [("cart", made.text("/id"), false)]);
            streams.push(stream);
        }
        open.push((phone, made, streams));
    }
    for (phone, made, streams) in &mut open {
        let body = json!({ "line_items": [line(&item.id, 3)] });
        let changed = phone.put(&format!("/carts/{}", made.text("/id")));
        let changed = changed.json(&body).expect(200).await?.json();
        for stream in streams {
            let event = stream.must_say().await?;
            assert_eq!(event.data.at("/changes/0/doc"), &changed);
        }
        // What is no stream is answered meanwhile as ever.
        phone.get("/accounts/me").expect(200).await?;
    }
    assert_eq!(aisle.traps(), 0);
    Ok(())
}
