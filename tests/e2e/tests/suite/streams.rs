//! Streams of events are few for each who listens and each that is listened to.

use std::time::Duration;

use aisle_e2e::accounts::{sign_in, with_token};
use aisle_e2e::environment::{NORTH, NORTH_COUNTRY};
use aisle_e2e::events::Events;
use aisle_e2e::shopping::{complete, items, line, order_id, shipping_checkout};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Context, Result};

const MINUTE_MS: i64 = 60_000;
/// What a board, an account's news and an order's page allow.
const OF_TILL: usize = 4;
const OF_DEVICE: usize = 8;
const OF_ACCOUNT: usize = 24;
const OF_ORDER: usize = 24;
const OF_NETWORK: usize = 96;
const BOARD: &str = "/pos/arrivals/stream";
const NEWS: &str = "/sync/stream";
/// Leases of accounts and their devices that are out.
const TAKEN: &str = "SELECT count(*) FROM rate_limit \
     WHERE name LIKE 'stream/account/%/%' OR name LIKE 'stream/session/%/%'";

async fn open(client: &Client, path: &str, count: usize) -> Result<Vec<Events>> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        streams.push(client.get(path).events().await?);
    }
    Ok(streams)
}

async fn is_turned_away(client: &Client, path: &str) -> Result<()> {
    let refused = client.get(path).expect(429).await?;
    assert_eq!(refused.json()["code"], "too_many_streams", "{refused:?}");
    let seconds = refused.header("retry-after").parse::<u32>()?;
    assert!((1..=60).contains(&seconds), "{seconds}");
    Ok(())
}

/// Tries until there is a place again, however long it takes to notice who has gone: that is
/// at most a heartbeat.
async fn until_open(client: &Client, path: &str) -> Result<Events> {
    const TRIES: usize = 600;
    for _ in 0..TRIES {
        if let Ok(stream) = client.get(path).events().await {
            return Ok(stream);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("there is no place at {path} any more")
}

fn at(aisle: &Environment, network: &str) -> Client {
    aisle.north().with_header("x-came-from", network)
}

async fn orders(shopper: &Client, count: usize) -> Result<Vec<String>> {
    let item = items(shopper, 1).await?.remove(0);
    let mut orders = Vec::with_capacity(count);
    for _ in 0..count {
        let ready = shipping_checkout(shopper, &[line(&item.id, 1)], NORTH_COUNTRY).await?;
        let completed = complete(shopper, &ready).await?.json();
        orders.push(format!("/my/orders/{}/events", order_id(&completed)));
    }
    Ok(orders)
}

pub async fn a_network_and_an_order_have_so_many_streams(pair: Pair) -> Result<()> {
    let setup = Setup::demo(pair).variable("client_address_header", "x-came-from");
    let aisle = setup.start().await?;
    let (one, other) = (at(&aisle, "203.0.113.1"), at(&aisle, "203.0.113.2"));
    let orders = orders(&one, OF_NETWORK / OF_ORDER + 1).await?;
    let (last, first) = orders.split_last().context("no orders")?;
    let mut streams = Vec::new();
    for order in first {
        streams.extend(open(&one, order, OF_ORDER).await?);
        // The order has as many as it can have, whoever asks.
        is_turned_away(&one, order).await?;
        is_turned_away(&other, order).await?;
    }
    assert_eq!(streams.len(), OF_NETWORK);
    is_turned_away(&one, last).await?;
    // Nobody else is in the way of it, nor is what is no stream.
    let elsewhere = open(&other, last, 1).await?;
    one.get("/stock/no-such-sku").expect(404).await?;

    drop(streams);
    drop(elsewhere);
    until_open(&one, last).await?;
    until_open(&other, &first[0]).await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// Of every process: the leases are in the database.
pub async fn a_till_has_so_many_streams(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let neighbour = aisle.neighbour().await?;
    let store = "SELECT l.id FROM location l JOIN brand_location b ON b.location_id = l.id \
         JOIN brand_host h ON h.brand_id = b.brand_id WHERE h.host = 'north.localhost' LIMIT 1";
    let store = aisle.database.rows(store).await?.remove(0).remove(0);
    let store = store.context("a store")?;
    let till = aisle.staff(NORTH, &store, "pos").await?;
    let (here, token) = (&till.client, format!("Bearer {}", till.token));
    let there = neighbour.client(NORTH).with_header("authorization", &token);
    let mut streams = open(here, BOARD, OF_TILL - 1).await?;
    streams.extend(open(&there, BOARD, 1).await?);
    is_turned_away(here, BOARD).await?;
    is_turned_away(&there, BOARD).await?;
    let beside = aisle.staff(NORTH, &store, "pos").await?.client;
    let beside = open(&beside, BOARD, 1).await?;

    // What a process that died has not given back ends by itself.
    let lost = format!(
        "UPDATE rate_limit SET window_ends_ms = window_ends_ms + 1 WHERE name LIKE 'stream/device/{}/%'",
        till.device_id
    );
    aisle.database.rows(&lost).await?;
    drop(streams);
    drop(beside);
    is_turned_away(here, BOARD).await?;
    aisle.database.set_clock_forward_ms(6 * MINUTE_MS).await?;
    open(here, BOARD, OF_TILL).await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

pub async fn an_account_has_so_many_streams(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let address = "ada@example.com";
    let mut streams = Vec::new();
    for _ in 0..OF_ACCOUNT / OF_DEVICE {
        let device = sign_in(&aisle, NORTH, address).await?.client;
        streams.extend(open(&device, NEWS, OF_DEVICE).await?);
        is_turned_away(&device, NEWS).await?;
    }
    let device = sign_in(&aisle, NORTH, address).await?;
    is_turned_away(&device.client, NEWS).await?;
    // Somebody else is not in the way.
    let eve = sign_in(&aisle, NORTH, "eve@example.com").await?.client;
    let of_eve = open(&eve, NEWS, 1).await?;

    drop(streams);
    drop(of_eve);
    let same = with_token(&aisle, NORTH, &device.access_token);
    drop(until_open(&same, NEWS).await?);
    until_none_is_taken(&aisle).await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

async fn until_none_is_taken(aisle: &Environment) -> Result<()> {
    const LOOKS: usize = 600;
    for _ in 0..LOOKS {
        if aisle.database.number(TAKEN).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("leases are not given back")
}
