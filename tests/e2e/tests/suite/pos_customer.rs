//! A customer who shows their code at a till.

use aisle_e2e::Pair;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::line;
use anyhow::Result;
use serde_json::{Value, json};

use crate::pos_collection::Shop;

const CODE: &str = "7Q4ZKM0TCX";
const LIFETIME_MS: i64 = 120_000;

/// The account of whoever bought the shop's order, with a cart, and its code.
async fn sign_up(shop: &Shop, cart_id: &str) -> Result<()> {
    let (account, order) = (uuid::Uuid::now_v7(), &shop.order_id);
    let now_ms = std::time::UNIX_EPOCH.elapsed()?.as_millis() as i64;
    let hash = aisle_store::sha256_hex(CODE.as_bytes());
    for (into, values) in [
        (
            "account (id, brand_id, status, doc, version, created_at_ms, updated_at_ms, last_seen_at_ms)",
            format!("'{account}', brand_id, 'active', '{{\"name\": \"Ada Byron\"}}', 1, 0, 0, 0"),
        ),
        (
            "account_order (brand_id, order_id, account_id, attached_at_ms)",
            format!("brand_id, id, '{account}', 0"),
        ),
        (
            "account_cart (brand_id, account_id, cart_id)",
            format!("brand_id, '{account}', '{cart_id}'"),
        ),
        (
            "customer_code (code_hash, brand_id, account_id, expires_at_ms)",
            format!("'{hash}', brand_id, '{account}', {}", now_ms + LIFETIME_MS),
        ),
    ] {
        let insert =
            format!("INSERT INTO {into} SELECT {values} FROM customer_order WHERE id = '{order}'");
        shop.aisle.database.rows(&insert).await?;
    }
    Ok(())
}

pub async fn who_shows_a_code_is_served(pair: Pair) -> Result<()> {
    let shop = Shop::open(pair).await?;
    let cart = json!({"line_items": [line(&shop.item_id, 1)]});
    let phone = shop.aisle.north();
    let cart = phone.post("/carts").json(&cart);
    let cart = cart.expect(201).await?.json();
    sign_up(&shop, cart.text("/id")).await?;
    let till = shop.till("pos").await?.client;
    let body = json!({"text": format!("aisle:c:{}", CODE.to_lowercase())});
    let scanned = till.post("/pos/scan").json(&body).expect(200).await?;
    assert!(!scanned.text().contains("Byron"), "{scanned:?}");
    let scanned = scanned.json();
    assert_eq!(scanned["kind"], "customer");
    let expected = json!({
        "first_name": "Ada",
        "ready_orders": [{"id": shop.order_id, "number": shop.number}],
        "cart_id": cart["id"],
    });
    assert_eq!(scanned["customer"], expected);
    let path = format!("/pos/carts/{}/continue", cart.text("/id"));
    assert_eq!(scanned.text("/actions/0/path"), path);
    till.post(&path).expect(200).await?;

    // What lies at another store, and a code of another brand, is nobody's business here.
    let elsewhere = shop.elsewhere("pos").await?.client;
    let there = elsewhere.post("/pos/scan").json(&body).expect(200).await?;
    assert_eq!(there.json().at("/customer/ready_orders"), &json!([]));
    let unknown: Value = json!({"text": "AISLE:C:0000000000"});
    let unknown = till.post("/pos/scan").json(&unknown).expect(404).await?;
    assert_eq!(unknown.json()["code"], "unknown_code");
    let database = &shop.aisle.database;
    database.set_clock_forward_ms(LIFETIME_MS).await?;
    till.post("/pos/scan").json(&body).expect(404).await?;
    Ok(())
}
