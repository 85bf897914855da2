//! The story between and inside stores, by everybody who takes part in it: a shopper, a
//! sending store, a carrier, the store that hands over, and two of its tills.

use aisle_domain::instant::{parse_rfc3339, rfc3339};
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, line, order_id, pickup_checkout, stock};
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::checkout_transfer::{destination, spread};

/// What the item's own store needs; each is used by somebody below.
const SCOPES: &str = "pos stock transfer";
const EARLIER_MS: i64 = 6 * 3_600_000;

pub async fn from_another_stores_shelf_to_the_shoppers_hands(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = spread(&aisle, &[("HAM-01", 4)]).await?;
    let (shopper, item) = (aisle.north(), &wanted.item);
    let (mine, source) = (wanted.location("BER-01"), wanted.location("HAM-01"));

    // Mine has none, another has: when could it be here?
    let shown = stock(&shopper, &item.sku, "").await?;
    let at = |id: &str| shown.iter().find(|(known, _)| known == id).map(|(_, n)| *n);
    assert_eq!((at(mine).unwrap_or(0), at(source)), (0, Some(4)));
    let asked = json!({"items": [{"sku": item.sku, "quantity": 2}], "to": {"location_id": mine}});
    let quote = call(&shopper, "/transfers/quote", asked, 200).await?;
    let promised = quote.text("/ready_at").to_owned();

    let session = pickup_checkout(&shopper, &[line(&item.id, 2)], mine).await?;
    let offered = destination(&session, mine)?;
    assert_eq!(offered["available_now"], 0, "{offered:#}");
    assert_eq!(offered.text("/ready_at"), promised, "the same promise");
    let completed = complete(&shopper, &session).await?.json();
    let order = order_id(&completed).to_owned();
    let order_path = format!("/orders/{order}");
    let read =
        async |path: &str| -> Result<Value> { Ok(shopper.get(path).expect(200).await?.json()) };

    // The sending store packs it, and the carrier is early.
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
    let arrives = out.text("/transfers/0/eta/arrives_at").to_owned();
    let arrives_ms = parse_rfc3339(&arrives).context("an instant")?;
    let early = json!({"type": "arriving", "expected_at": rfc3339(arrives_ms - EARLIER_MS)});
    aisle
        .admin()
        .post(&format!("{transfer}/events"))
        .json(&early)
        .expect(200)
        .await?;
    let expected = read(&order_path).await?;
    let ready_at = expected.text("/fulfillment/expectations/0/ready_at");
    let moved = parse_rfc3339(ready_at) <= parse_rfc3339(&promised);
    assert!(moved, "{ready_at} is later than {promised}");

    // My store unpacks it, lays it ready, and sees who comes.
    let clerk = aisle.staff(NORTH, mine, SCOPES).await?.client;
    let too_soon = shopper
        .post(&format!("{order_path}/pass"))
        .expect(409)
        .await?;
    assert_eq!(too_soon.json()["code"], "not_ready");
    let unpacked = json!({"lines": [{"sku": item.sku, "received": 2}]});
    call(&clerk, &format!("{transfer}/receive"), unpacked, 200).await?;
    let pulls = clerk.get("/holds/pull-list").expect(200).await?;
    assert!(pulls.text().contains(&order), "{pulls:?}");
    call(
        &clerk,
        &format!("/holds/pickups/{order}/ready"),
        json!({}),
        200,
    )
    .await?;
    let here = json!({"state": "arrived", "signal": "declared", "consent": {"version": "2026-10"}});
    call(&shopper, &format!("{order_path}/presence"), here, 200).await?;
    let board = clerk.get("/pos/arrivals").expect(200).await?.json();
    assert_eq!(board.text("/arrivals/0/order_id"), order, "{board:#}");

    // The pass is scanned; of two tills one hands over, once.
    let pass = call(&shopper, &format!("{order_path}/pass"), json!({}), 201).await?;
    let scanned = call(
        &clerk,
        "/pos/scan",
        json!({"text": pass.text("/token")}),
        200,
    )
    .await?;
    let (path, other) = (
        scanned.text("/actions/0/path").to_owned(),
        aisle.staff(NORTH, mine, SCOPES).await?.client,
    );
    let shown = json!({"pass": pass.text("/token")});
    let (one, two) = tokio::try_join!(
        clerk.post(&path).json(&shown).send(),
        other.post(&path).json(&shown).send(),
    )?;
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{one:?} {two:?}");

    let over = read(&order_path).await?;
    assert_eq!(over.text("/line_items/0/status"), "fulfilled");
    assert_eq!(over.text("/pickup/status"), "collected");
    let timeline = read(&format!("{order_path}/timeline")).await?;
    let kinds: Vec<&str> = timeline
        .list("/entries")
        .iter()
        .map(|one| one.text("/kind"))
        .collect();
    for kind in [
        "transfer_requested",
        "in_transit",
        "transfer_received",
        "ready_for_pickup",
        "picked_up",
    ] {
        assert_eq!(
            kinds.iter().filter(|one| **one == kind).count(),
            1,
            "{kind}: {kinds:?}"
        );
    }
    aisle.drain_outbox().await?;
    aisle.database.check_invariants().await
}

async fn call(client: &Client, path: &str, body: Value, status: u16) -> Result<Value> {
    Ok(client.post(path).json(&body).expect(status).await?.json())
}
