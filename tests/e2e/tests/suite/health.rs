//! `/healthz`, and what still works while something is down.

use aisle_e2e::json::Look;
use aisle_e2e::shopping::items;
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Result, bail};
use serde_json::{Value, json};

pub async fn all_is_well(pair: Pair) -> Result<()> {
    let aisle = Setup::empty(pair).start().await?;
    let health = aisle.north().get("/healthz").expect(200).await?.json();

    assert_eq!(health.text("/database"), "ok");
    assert_eq!(health.text("/key_value_store"), "ok");
    Ok(())
}

/// Redis gone: slower, but everything answers.
pub async fn without_the_key_value_store_everything_answers(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).through_lines().start().await?;
    let Some(lines) = &aisle.lines else {
        return Ok(());
    };
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    lines.redis.cut();
    let health = until_status(&shopper, 503).await?;
    assert_ne!(health.text("/key_value_store"), "ok", "{health:#}");
    assert_eq!(health.text("/database"), "ok", "{health:#}");
    shopper
        .post("/catalog/lookup")
        .json(&json!({"ids": [wanted.id]}))
        .expect(200)
        .await?;
    shopper
        .get(&format!("/stock/{}", wanted.sku))
        .expect(200)
        .await?;
    shopper
        .post("/locations/search")
        .json(&json!({}))
        .expect(200)
        .await?;
    shopper
        .post("/carts")
        .json(&json!({"line_items": [{"item": {"id": wanted.id}, "quantity": 1}]}))
        .expect(201)
        .await?;
    lines.redis.mend();
    until_status(&shopper, 200).await.map(drop)
}

/// PostgreSQL gone: what the read model has is served, everything else says 503.
pub async fn without_the_database_the_read_model_goes_on(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).through_lines().start().await?;
    let Some(lines) = &aisle.lines else {
        return Ok(());
    };
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let lookup = json!({"ids": [wanted.id]});
    let known = shopper
        .post("/catalog/lookup")
        .json(&lookup)
        .expect(200)
        .await?
        .json();
    lines.postgres.cut();
    let health = until_status(&shopper, 503).await?;
    assert_ne!(health.text("/database"), "ok", "{health:#}");
    assert_eq!(health.text("/key_value_store"), "ok", "{health:#}");
    assert_eq!(
        shopper
            .post("/catalog/lookup")
            .json(&lookup)
            .expect(200)
            .await?
            .json(),
        known
    );
    let refused = shopper
        .post("/carts")
        .json(&json!({"line_items": []}))
        .expect(503)
        .await?;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    lines.postgres.mend();
    until_status(&shopper, 200).await?;
    shopper
        .post("/carts")
        .json(&json!({"line_items": [{"item": {"id": wanted.id}, "quantity": 1}]}))
        .expect(201)
        .await?;
    Ok(())
}

async fn until_status(shopper: &Client, status: u16) -> Result<Value> {
    for _ in 0..1000 {
        let health = shopper.get("/healthz").send().await?;
        if health.status == status {
            return Ok(health.json());
        }
    }
    bail!("/healthz does not come to {status}")
}
