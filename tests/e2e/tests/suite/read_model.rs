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
