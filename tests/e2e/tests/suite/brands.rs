//! Brands share stores and stock, and see nothing of each other.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, items, line, order_id, shipping_checkout};
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use serde_json::json;

pub async fn another_brand_does_not_know_my_cart_checkout_order_or_product(
    pair: Pair,
) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let wanted = &items(&north, 1).await?[0];
    let cart = north
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .expect(201)
        .await?
        .json();
    let ready = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let completed = complete(&north, &ready).await?.json();

    for path in [
        format!("/carts/{}", cart.text("/id")),
        format!("/checkout-sessions/{}", ready.text("/id")),
        format!("/orders/{}", order_id(&completed)),
    ] {
        north.get(&path).expect(200).await?;
        let refused = harbor.get(&path).expect(404).await?.json();
        assert_eq!(refused["ucp"]["status"], "error", "{refused:#}");
    }
    let product = harbor
        .post("/catalog/product")
        .json(&json!({"id": wanted.id}))
        .expect(200)
        .await?
        .json();
    assert_eq!(product["messages"][0]["code"], "not_found", "{product:#}");
    harbor
        .get(&format!("/stock/{}", wanted.sku))
        .expect(404)
        .await?;
    let foreign = harbor
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .send()
        .await?;
    assert_ne!(foreign.status, 201, "{foreign:?}");
    let update = json!({"line_items": []});
    harbor
        .put(&format!("/checkout-sessions/{}", ready.text("/id")))
        .json(&update)
        .expect(404)
        .await?;
    harbor
        .post(&format!("/carts/{}/cancel", cart.text("/id")))
        .expect(404)
        .await?;
    Ok(())
}

/// A host that belongs to nobody gets the default brand.
pub async fn an_unknown_host_gets_the_default_brand(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let by_host = aisle
        .client("shop.example")
        .get("/.well-known/ucp")
        .expect(200)
        .await?
        .json();
    let by_address = aisle
        .client("127.0.0.1")
        .get("/.well-known/ucp")
        .expect(200)
        .await?
        .json();
    assert_eq!(
        by_host.pointer("/ucp/version"),
        by_address.pointer("/ucp/version")
    );
    let default = items(&aisle.client("shop.example"), 1).await?;
    let default_handle = aisle
        .database
        .rows("SELECT handle FROM brand WHERE is_default = 1")
        .await?;
    let owner = aisle
        .database
        .rows(&format!(
            "SELECT b.handle FROM brand b JOIN variant v ON v.brand_id = b.id WHERE v.id = '{}'",
            default[0].id
        ))
        .await?;
    assert_eq!(owner, default_handle);
    Ok(())
}

/// Which brand answers, and under which origin, is the host's affair: whatever else a client
/// claims changes nothing.
pub async fn a_claimed_host_changes_nothing(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    let wanted = &items(&north, 1).await?[0];
    let ready = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let order = format!(
        "/orders/{}",
        order_id(&complete(&north, &ready).await?.json())
    );
    let host = format!("north.localhost:{}", aisle.addr().port());
    for (name, value) in [
        ("spin-full-url", format!("http://{host}{order}")),
        ("spin-component-route", "/orders".into()),
        ("x-forwarded-host", host.clone()),
        ("forwarded", format!("host={host}")),
        ("x-original-host", host.clone()),
    ] {
        harbor.get(&order).header(name, &value).expect(404).await?;
    }
    for path in [order.as_str(), "/.well-known/ucp"] {
        let plain = north.get(path).expect(200).await?.json();
        let claimed = north
            .get(path)
            .header("spin-full-url", "https://evil.example/")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .expect(200)
            .await?
            .json();
        assert_eq!(claimed, plain, "{path}");
    }
    Ok(())
}
