//! The story across devices, by everybody who takes part in it, each with credentials of
//! their own: a laptop's storefront, a phone's browser, and the stores' staff.

use aisle_domain::instant::{parse_rfc3339, rfc3339};
use aisle_e2e::accounts::sign_in;
use aisle_e2e::environment::NORTH;
use aisle_e2e::inbox::texts_to;
use aisle_e2e::json::Look;
use aisle_e2e::phone::Phone;
use aisle_e2e::shopping::{complete, line, order_id, pickup_checkout};
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::checkout_transfer::{destination, set_policies, spread};
use crate::invites::link_code;

const ADA: &str = "ada@example.com";
const ADAS_NUMBER: &str = "+4915112345678";
const SCOPES: &str = "pos stock transfer";
/// The carrier is at the door.
const EARLY_MS: i64 = 5 * 60_000;
/// Of the machine, which the databases' clocks are.
const NOW: &str = "SELECT max(created_at_ms) FROM message";

pub async fn sign_up_text_open_arrives_early_here_i_am(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    // News are told at any hour and one by one, whenever this story is told.
    let at_once =
        json!({"quiet_hours": {"from": "00:00", "until": "00:00"}, "collapse_seconds": 0});
    set_policies(&aisle, json!({"notification": at_once})).await?;
    let wanted = spread(&aisle, &[("HAM-01", 2)]).await?;
    let (mine, source) = (wanted.location("BER-01"), wanted.location("HAM-01"));

    // On the laptop: signed up, and bought for collection at a store that lacks it.
    let laptop = sign_in(&aisle, NORTH, ADA).await?.client;
    let session = pickup_checkout(&laptop, &[line(&wanted.item.id, 1)], mine).await?;
    let promised = destination(&session, mine)?.text("/ready_at").to_owned();
    let completed = complete(&laptop, &session).await?.json();
    let order = order_id(&completed).to_owned();
    let order_path = format!("/orders/{order}");
    let number = format!("SELECT number FROM customer_order WHERE id = '{order}'");
    let number = aisle.database.rows(&number).await?.remove(0).remove(0);
    let number = number.context("an order has a number")?;
    aisle.north().get(&order_path).expect(401).await?;

    // A text to the phone, whose browser opens the link without an account.
    let invite = json!({
        "scope": "order", "id": order, "address": "0151 12345678", "locale": "de",
        "consent": {"wording_version": "2026-11"},
    });
    let invite = call(&laptop, "/invites", invite, 201).await?;
    let link = format!("/i/{}", link_code(&aisle, invite.text("/id")).await?);
    let phone = Phone::new(&aisle, NORTH, "de-DE");
    let page = format!("/my/orders/{order}");
    let shown = phone.open(&link).await?.must_be(&page)?;
    assert!(shown.contains(&number), "the same order: {shown}");
    let invite_path = format!("/invites/{}", invite.text("/id"));
    let opened = laptop.get(&invite_path).expect(200).await?.json();
    assert!(opened.get("opened_at").is_some(), "{opened:#}");

    // There, signed in to the same account, the link becomes its own.
    assert!(
        shown.contains(&format!("{link}/claim")),
        "it can be kept: {shown}"
    );
    let claim = format!("{link}/claim");
    phone.open(&claim).await?.must_be("/my/sign-in")?;
    let asked = phone.sign_in(&aisle, ADA, &claim).await?;
    asked.must_be(&claim)?;
    phone.submit(&claim, &[]).await?.must_be(&page)?;
    let stranger = Phone::new(&aisle, NORTH, "en");
    assert_eq!(stranger.open(&link).await?.answer.status, 410);

    // The sending store packs it, and its carrier is early.
    let sender = aisle.staff(NORTH, source, SCOPES).await?.client;
    let out = sender
        .get("/transfers?direction=out")
        .expect(200)
        .await?
        .json();
    let transfer = format!("/transfers/{}", out.text("/transfers/0/id"));
    for step in ["pick", "ship"] {
        call(&sender, &format!("{transfer}/{step}"), json!({}), 200).await?;
    }
    let now = aisle.database.number(NOW).await?;
    let early = json!({"type": "arriving", "expected_at": rfc3339(now + EARLY_MS)});
    call(&aisle.admin(), &format!("{transfer}/events"), early, 200).await?;
    let expected = laptop.get(&order_path).expect(200).await?.json();
    let ready_at = expected.text("/fulfillment/expectations/0/ready_at");
    assert!(
        parse_rfc3339(ready_at) < parse_rfc3339(&promised),
        "{ready_at} is not before {promised}"
    );
    let shown = phone.open(&page).await?.must_be(&page)?;
    assert!(
        shown.to_lowercase().contains("früher"),
        "the date moved up: {shown}"
    );
    let texts = texts_to(&aisle, ADAS_NUMBER).await?;
    let told = texts.iter().filter(|one| one.text.contains("früher"));
    assert_eq!(told.count(), 1, "and a text says so, once: {texts:?}");

    // The store unpacks it and lays it ready; the phone says that its owner is there.
    let clerk = aisle.staff(NORTH, mine, SCOPES).await?.client;
    let unpacked = json!({"lines": [{"sku": wanted.item.sku, "received": 1}]});
    call(&clerk, &format!("{transfer}/receive"), unpacked, 200).await?;
    call(
        &clerk,
        &format!("/holds/pickups/{order}/ready"),
        json!({}),
        200,
    )
    .await?;
    let here = [("state", "arrived"), ("consent", "2026-11")];
    phone
        .submit(&format!("{page}/presence"), &here)
        .await?
        .must_be(&page)?;
    let board = clerk.get("/pos/arrivals").expect(200).await?.json();
    assert_eq!(board.text("/arrivals/0/order_id"), order, "{board:#}");

    // What the phone shows is scanned, and the order handed over, once.
    phone
        .submit(&format!("{page}/pass"), &[])
        .await?
        .must_be(&page)?;
    let pass = call(&laptop, &format!("{order_path}/pass"), json!({}), 201).await?;
    let scan = json!({"text": pass.text("/token")});
    let scanned = call(&clerk, "/pos/scan", scan, 200).await?;
    let hand_over = scanned.text("/actions/0/path").to_owned();
    let shown = json!({"pass": pass.text("/token")});
    call(&clerk, &hand_over, shown.clone(), 201).await?;
    call(&clerk, &hand_over, shown, 409).await?;
    let over = laptop.get(&order_path).expect(200).await?.json();
    assert_eq!(over.text("/pickup/status"), "collected");
    phone.open(&page).await?.must_be(&page)?;
    aisle.drain_outbox().await?;
    assert_eq!(aisle.traps(), 0);
    aisle.database.check_invariants().await
}

async fn call(client: &Client, path: &str, body: Value, status: u16) -> Result<Value> {
    Ok(client.post(path).json(&body).expect(status).await?.json())
}
