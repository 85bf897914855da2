//! Where parcels come from: by the brand's rules, and on record.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, line, order_id, shipping_checkout};
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::checkout_transfer::{set_policies, spread};

const UNITS: [(&str, i64); 3] = [("BER-01", 9), ("HAM-01", 2), ("DC-RTM", 3)];

pub async fn a_warehouse_comes_first_unless_the_brand_says_otherwise(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let considered = ship(&aisle, "DC-RTM").await?;
    assert_eq!(
        considered[0]["reasons"],
        json!(["has_everything", "warehouse"])
    );
    let others: Vec<&Value> = considered.iter().skip(1).collect();
    assert!(
        others
            .iter()
            .any(|place| place["reasons"] == json!(["not_a_warehouse"]))
    );
    assert!(
        others
            .iter()
            .any(|place| place["reasons"] == json!(["out_of_stock"]))
    );
    aisle.database.check_invariants().await
}

pub async fn a_brand_may_protect_low_stock(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    set_policies(
        &aisle,
        json!({"sourcing": {"shipping": ["protect_low_stock"]}}),
    )
    .await?;
    let considered = ship(&aisle, "BER-01").await?;
    assert_eq!(
        considered[0]["reasons"],
        json!(["has_everything", "keeps_most"])
    );
    assert!(
        considered
            .iter()
            .any(|place| place["reasons"] == json!(["low_stock"]))
    );
    aisle.database.check_invariants().await
}

/// Two units by parcel, from where they are expected: the decision as the order keeps it.
async fn ship(aisle: &Environment, expected: &str) -> Result<Vec<Value>> {
    let wanted = spread(aisle, &UNITS).await?;
    let shopper = aisle.north();
    let session = shipping_checkout(&shopper, &[line(&wanted.item.id, 2)], NORTH_COUNTRY).await?;
    let completed = complete(&shopper, &session).await?.json();
    let id = order_id(&completed);
    let rows = aisle
        .database
        .rows(&format!("SELECT doc FROM customer_order WHERE id = '{id}'"))
        .await?;
    let doc: Value = serde_json::from_str(rows[0][0].as_deref().context("no document")?)?;
    assert_eq!(
        doc["plan"]["allocations"][0]["location_id"],
        wanted.location(expected),
        "{doc:#}"
    );
    let considered = doc.list("/plan/considered");
    assert_eq!(considered[0]["location_id"], wanted.location(expected));
    assert_eq!(considered[0]["chosen"], true);
    Ok(considered.to_vec())
}
