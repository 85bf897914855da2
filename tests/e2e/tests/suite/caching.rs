//! What a CDN and a browser may keep.

use aisle_e2e::shopping::items;
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use http::Method;

/// Stock is served from caches while it is fetched anew, and costs a 304 while it holds.
pub async fn stock_can_be_cached_and_revalidated(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let path = format!("/stock/{}", wanted.sku);
    let first = shopper.get(&path).expect(200).await?;
    let control = first.header("cache-control");
    assert!(
        control.contains("max-age=") && control.contains("stale-while-revalidate="),
        "{control}"
    );
    assert!(control.contains("public"), "{control}");
    assert!(first.header("vary").is_empty() || !first.header("vary").contains('*'));
    let etag = first.header("etag");
    assert!(etag.starts_with('"'), "a strong ETag: {etag}");

    let unchanged = shopper
        .get(&path)
        .header("if-none-match", etag)
        .expect(304)
        .await?;
    assert!(unchanged.body.is_empty());
    assert_eq!(unchanged.header("etag"), etag);
    assert_eq!(unchanged.header("cache-control"), control);
    let among_others = shopper
        .get(&path)
        .header("if-none-match", &format!("\"x\", {etag}"))
        .send()
        .await?;
    assert_eq!(among_others.status, 304);
    shopper
        .get(&path)
        .header("if-none-match", "\"x\"")
        .expect(200)
        .await?;

    let head = shopper.call(Method::HEAD, &path).expect(200).await?;
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), etag);
    assert_eq!(head.header("content-length"), first.body.len().to_string());
    Ok(())
}

/// By GTIN the same answer as by SKU.
pub async fn stock_is_found_by_gtin(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let row = aisle.database.rows("SELECT v.sku, v.gtin FROM variant v JOIN brand b ON b.id = v.brand_id WHERE b.handle = 'north' AND v.gtin IS NOT NULL ORDER BY v.sku LIMIT 1").await?.remove(0);
    let (sku, gtin) = (
        row[0].as_deref().unwrap_or_default(),
        row[1].as_deref().unwrap_or_default(),
    );
    let shopper = aisle.north();
    let by_sku = shopper
        .get(&format!("/stock/{sku}"))
        .expect(200)
        .await?
        .json();
    let by_gtin = shopper
        .get(&format!("/stock?gtin={gtin}"))
        .expect(200)
        .await?
        .json();
    assert_eq!(by_sku, by_gtin);
    Ok(())
}

/// Baskets, checkouts and orders belong to one shopper: no cache may keep them.
pub async fn what_belongs_to_a_shopper_is_not_cached(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let body = serde_json::json!({"line_items": [aisle_e2e::shopping::line(&wanted.id, 1)]});
    for path in ["/carts", "/checkout-sessions"] {
        let created = shopper.post(path).json(&body).expect(201).await?;
        let read = shopper
            .get(&format!(
                "{path}/{}",
                created.json()["id"].as_str().unwrap_or_default()
            ))
            .expect(200)
            .await?;
        for answer in [&created, &read] {
            let control = answer.header("cache-control");
            assert!(
                control.contains("no-store") || control.contains("private"),
                "{path}: {control:?}"
            );
        }
    }
    Ok(())
}
