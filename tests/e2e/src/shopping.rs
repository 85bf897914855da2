//! What a storefront does on a shopper's behalf, call by call.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::json::Look;
use crate::{Answer, Client};

/// Something to buy.
#[derive(Debug, Clone)]
pub struct Item {
    /// The variant's id, which is what a cart takes.
    pub id: String,
    pub sku: String,
    pub title: String,
    pub price_minor: i64,
}

/// Up to `count` sold articles of the brand, each of another product and in stock somewhere.
pub async fn items(shopper: &Client, count: usize) -> Result<Vec<Item>> {
    let search = json!({"query": "*", "pagination": {"limit": 50}});
    let found = shopper
        .post("/catalog/search")
        .json(&search)
        .expect(200)
        .await?
        .json();
    let products = found.list("/products").iter();
    let available = products.filter_map(|product| {
        let mut variants = product.list("/variants").iter();
        let variant = variants.find(|variant| variant["availability"]["available"] == true)?;
        Some(Item {
            id: variant.text("/id").into(),
            sku: variant.text("/sku").into(),
            title: product.text("/title").into(),
            price_minor: variant.number("/price/amount"),
        })
    });
    let items: Vec<Item> = available.take(count).collect();
    ensure!(
        items.len() == count,
        "only {} products are in stock",
        items.len()
    );
    Ok(items)
}

/// Where `sku` is, as (location id, available): the first page, nearest first when `near` is
/// given, else those that have most.
pub async fn stock(shopper: &Client, sku: &str, query: &str) -> Result<Vec<(String, i64)>> {
    let stock = shopper
        .get(&format!("/stock/{sku}{query}"))
        .expect(200)
        .await?
        .json();
    let locations = stock.list("/locations").iter();
    Ok(locations
        .map(|location| {
            (
                location.text("/location_id").into(),
                location.number("/available"),
            )
        })
        .collect())
}

/// Reads the stock until a location has this many, however long the read model may take:
/// its bound is a matter of its own.
pub async fn until_available(
    shopper: &Client,
    sku: &str,
    location_id: &str,
    available: i64,
) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    for _ in 0..REQUESTS {
        let shown = stock(shopper, sku, "?limit=200").await?;
        let here = shown.iter().find(|(id, _)| id == location_id);
        if here.map_or(0, |(_, count)| *count) == available {
            return Ok(());
        }
    }
    anyhow::bail!("{sku} does not come to {available} at {location_id}")
}

pub fn line(item_id: &str, quantity: i64) -> Value {
    json!({"item": {"id": item_id}, "quantity": quantity})
}

pub fn buyer() -> Value {
    json!({"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com", "phone_number": "+12025550143"})
}

/// A checkout of `lines` for collection at a store, as far as it goes without a payment.
pub async fn pickup_checkout(shopper: &Client, lines: &[Value], store_id: &str) -> Result<Value> {
    checkout(shopper, lines, pickup_at(store_id)).await
}

/// A checkout of `lines` sent to an address in `country`.
pub async fn shipping_checkout(shopper: &Client, lines: &[Value], country: &str) -> Result<Value> {
    checkout(shopper, lines, shipping_to(country)).await
}

async fn checkout(shopper: &Client, lines: &[Value], fulfillment: Value) -> Result<Value> {
    begin_checkout(shopper, &checkout_request(lines, fulfillment)).await
}

/// The checkout that is asked for, with the first of all that it offers.
pub async fn begin_checkout(shopper: &Client, request: &Value) -> Result<Value> {
    let created = shopper
        .post("/checkout-sessions")
        .json(request)
        .expect(201)
        .await?
        .json();
    choose_first_options(shopper, created).await
}

pub fn checkout_request(lines: &[Value], fulfillment: Value) -> Value {
    json!({"line_items": lines, "buyer": buyer(), "fulfillment": fulfillment})
}

pub fn pickup_at(store_id: &str) -> Value {
    json!({"methods": [{"type": "pickup", "selected_destination_id": store_id}]})
}

pub fn shipping_to(country: &str) -> Value {
    let address = json!({
        "id": "home", "type": "shipping_address", "first_name": "Ada", "last_name": "Byron",
        "street_address": "1 Analytical Way", "address_locality": "Springfield", "postal_code": "10115",
        "address_country": country,
        // Tax there depends on the state; in this one there is none.
        "address_region": (country == "US").then_some("OR"),
    });
    json!({"methods": [{"type": "shipping", "destinations": [address], "selected_destination_id": "home"}]})
}

/// Takes the first option of every group that has none chosen yet.
pub async fn choose_first_options(shopper: &Client, session: Value) -> Result<Value> {
    let Some(update) = with_first_options(&session) else {
        return Ok(session);
    };
    let path = format!("/checkout-sessions/{}", session.text("/id"));
    Ok(shopper.put(&path).json(&update).expect(200).await?.json())
}

/// The update that takes them; nothing when there is none to take.
pub fn with_first_options(session: &Value) -> Option<Value> {
    let mut update = update_of(session);
    let mut chosen = false;
    let methods = update
        .pointer_mut("/fulfillment/methods")
        .and_then(Value::as_array_mut);
    for (method, shown) in methods
        .into_iter()
        .flatten()
        .zip(session.list("/fulfillment/methods"))
    {
        let groups = method["groups"].as_array_mut().into_iter().flatten();
        for (group, shown) in groups.zip(shown.list("/groups")) {
            if group["selected_option_id"].is_null() && shown["options"][0].is_object() {
                group["selected_option_id"] = shown.at("/options/0/id").clone();
                chosen = true;
            }
        }
    }
    chosen.then_some(update)
}

/// The update that leaves the session as it is.
pub fn update_of(session: &Value) -> Value {
    let lines = session.list("/line_items").iter();
    let lines: Vec<Value> =
        lines.map(|line| json!({"id": line["id"], "item": {"id": line["item"]["id"]}, "quantity": line["quantity"]})).collect();
    let mut update = json!({"line_items": lines});
    for member in ["buyer", "context", "fulfillment"] {
        if let Some(value) = session.get(member) {
            update[member] = value.clone();
        }
    }
    update
}

/// The tokens with which the sandbox authorises or declines a payment.
pub const TOKEN_SUCCESS: &str = "tok_success";
pub const TOKEN_FAIL: &str = "tok_fail";

/// A payment that the sandbox authorises.
pub fn payment(session: &Value) -> Value {
    payment_with(session, TOKEN_SUCCESS)
}

/// A payment in the sandbox with a token that says what becomes of it.
pub fn payment_with(session: &Value, token: &str) -> Value {
    let handlers = session
        .at("/ucp/payment_handlers")
        .as_object()
        .expect("payment handlers");
    let handler = handlers.values().next().expect("a payment handler");
    json!({"payment": {"instruments": [{
        "id": "pi_1", "handler_id": handler.at("/0/id"), "type": "card", "selected": true,
        "credential": {"type": "token", "token": token},
    }]}})
}

/// Completes a session with a payment that goes through.
pub async fn complete(shopper: &Client, session: &Value) -> Result<Answer> {
    let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
    shopper.post(&path).json(&payment(session)).send().await
}

/// Completes a session under a key with which the client can ask again.
pub async fn complete_with_key(
    shopper: &Client,
    session: &Value,
    payment: &Value,
    key: &str,
) -> Result<Answer> {
    let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
    let call = shopper.post(&path).idempotency_key(key);
    call.json(payment).send().await
}

/// The order that a completed checkout led to.
pub fn order_id(completed: &Value) -> &str {
    assert_eq!(completed["status"], "completed", "{completed:#}");
    completed.text("/order/id")
}
