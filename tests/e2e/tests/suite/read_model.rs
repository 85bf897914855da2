//! The read model in front of the database: fast, fresh within its bound, dispensable.

use aisle_e2e::json::Look;
use aisle_e2e::shopping::{items, until_available};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::{Result, bail};
use serde_json::json;

pub async fn what_was_read_once_needs_no_sql(pair: Pair) -> Result<()> {
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    for _ in 0..2 {
        read_everything(&shopper, &wanted.id, &wanted.sku).await?;
    }
    let before = aisle.shopper_sql();
    read_everything(&shopper, &wanted.id, &wanted.sku).await?;
    assert_eq!(aisle.shopper_sql() - before, 0);
    Ok(())
}

async fn read_everything(shopper: &Client, item_id: &str, sku: &str) -> Result<()> {
    let found = shopper
        .post("/catalog/lookup")
        .json(&json!({"ids": [item_id, sku]}))
        .expect(200)
        .await?
        .json();
    assert_eq!(found.list("/products").len(), 1);
    shopper
        .post("/catalog/product")
        .json(&json!({"id": item_id}))
        .expect(200)
        .await?;
    shopper.get(&format!("/stock/{sku}")).expect(200).await?;
    shopper
        .post("/locations/search")
        .json(&json!({"filters": {"items": [item_id]}}))
        .expect(200)
        .await?;
    Ok(())
}

/// An import of stock reaches shoppers who have looked before.
pub async fn a_change_of_stock_becomes_visible(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let seen = shopper
        .get(&format!("/stock/{}", wanted.sku))
        .expect(200)
        .await?
        .json();
    let place = seen.at("/locations/0");
    let on_hand = place.number("/available") + 23;
    let csv = format!(
        "sku,location_code,on_hand,safety\n{},{},{on_hand},0\n",
        wanted.sku,
        place.text("/code")
    );
    aisle
        .admin()
        .post("/admin/imports?kind=stock&brand=north")
        .csv(csv)
        .expect(200)
        .await?;
    until_available(&shopper, &wanted.sku, place.text("/location_id"), on_hand).await
}

/// The store is only a copy: without it everything answers, and then it is fast again.
pub async fn losing_the_store_costs_speed_only(pair: Pair) -> Result<()> {
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    read_everything(&shopper, &wanted.id, &wanted.sku).await?;
    aisle.edge().clear_key_value().await?;
    until_no_sql(&aisle, &shopper, &wanted.id, &wanted.sku).await
}

/// A name that nothing has leaves nothing behind, however many there are.
pub async fn unknown_names_leave_nothing_behind(pair: Pair) -> Result<()> {
    const NAMES: usize = 100;
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    aisle.drain_outbox().await?;
    read_everything(&shopper, &wanted.id, &wanted.sku).await?;
    ask_for_what_is_not_there(&aisle, 0).await?;
    let before = aisle.edge().key_value_keys().await?;
    assert!(!before.is_empty());
    for name in 1..=NAMES {
        ask_for_what_is_not_there(&aisle, name).await?;
    }
    let after = aisle.edge().key_value_keys().await?;
    let left: Vec<&String> = after.iter().filter(|key| !before.contains(key)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

/// By names of every kind, none of which anything has.
async fn ask_for_what_is_not_there(aisle: &Environment, number: usize) -> Result<()> {
    let shopper = aisle.north();
    let sku = format!("NO-{number}");
    let id = format!("01890000-0000-7000-8000-{number:012}");
    let gtin = with_check_digit(900_000_000_000 + number as u64);
    shopper.get(&format!("/stock/{sku}")).expect(404).await?;
    shopper
        .get(&format!("/stock?gtin={gtin}"))
        .expect(404)
        .await?;
    let names = [sku.as_str(), &id, &gtin, &format!("no-handle-{number}")];
    for (path, body) in [
        ("/catalog/lookup", json!({"ids": names})),
        ("/catalog/product", json!({"id": sku})),
        ("/catalog/product", json!({"id": id})),
        (
            "/locations/lookup",
            json!({"ids": [format!("NO-{number}"), id]}),
        ),
        ("/locations/search", json!({"filters": {"items": names}})),
        (
            "/carts",
            json!({"line_items": [{"item": {"id": id}, "quantity": 1}]}),
        ),
        (
            "/transfers/quote",
            json!({"items": [{"sku": sku, "quantity": 1}], "to": {"location_id": id}}),
        ),
        (
            "/holds",
            json!({"items": [{"sku": sku, "quantity": 1}], "location_id": id}),
        ),
    ] {
        let answer = shopper.post(path).json(&body).send().await?;
        assert!(!answer.status.is_server_error(), "{path}: {answer:?}");
    }
    for path in ["carts", "orders", "checkout-sessions", "holds", "transfers"] {
        let answer = shopper.get(&format!("/{path}/{id}")).send().await?;
        assert!(answer.status.is_client_error(), "{path}: {answer:?}");
    }
    let host = aisle.client(&format!("nobody-{number}.example"));
    host.get("/stock/no-such-sku").expect(404).await?;
    Ok(())
}

/// A GTIN-13 of these twelve digits.
fn with_check_digit(digits: u64) -> String {
    let text = digits.to_string();
    let weighted = text.bytes().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{text}{}", (10 - sum % 10) % 10)
}

/// Whoever asks for the same unknown name again does not make the database look again.
pub async fn an_unknown_name_is_looked_up_once_in_a_while(pair: Pair) -> Result<()> {
    const REQUESTS: u64 = 500;
    if !crate::harness::counts_sql() {
        return Ok(());
    }
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    shopper.get("/stock/NO-SUCH-SKU").expect(404).await?;
    let before = aisle.shopper_sql();
    for _ in 0..REQUESTS {
        shopper.get("/stock/NO-SUCH-SKU").expect(404).await?;
    }
    let asked = aisle.shopper_sql() - before;
    assert!(asked < REQUESTS / 2, "{asked} statements");
    Ok(())
}

async fn until_no_sql(
    aisle: &Environment,
    shopper: &Client,
    item_id: &str,
    sku: &str,
) -> Result<()> {
    for _ in 0..100 {
        let before = aisle.shopper_sql();
        read_everything(shopper, item_id, sku).await?;
        if aisle.shopper_sql() == before {
            return Ok(());
        }
    }
    bail!("reads go on asking the database")
}
