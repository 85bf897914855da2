//! One clock decides what has expired, on reads and on writes: the database's.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{buyer, complete, items, line, shipping_checkout, update_of};
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use serde_json::json;

const YEAR_MS: i64 = 365 * 86_400_000;

pub async fn an_expired_checkout_or_cart_is_gone(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let cart = shopper
        .post("/carts")
        .json(&json!({"line_items": [line(&wanted.id, 1)]}))
        .expect(201)
        .await?
        .json();
    let ready = shipping_checkout(&shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let (cart_path, checkout_path) = (
        format!("/carts/{}", cart.text("/id")),
        format!("/checkout-sessions/{}", ready.text("/id")),
    );
    aisle.database.set_clock_forward_ms(YEAR_MS).await?;
    let before = aisle.database.snapshot().await?;

    let converted = json!({"cart_id": cart["id"], "line_items": [], "buyer": buyer()});
    let answers = [
        ("read the cart", shopper.get(&cart_path).send().await?),
        (
            "convert the cart",
            shopper
                .post("/checkout-sessions")
                .json(&converted)
                .send()
                .await?,
        ),
        ("read", shopper.get(&checkout_path).send().await?),
        (
            "update",
            shopper
                .put(&checkout_path)
                .json(&update_of(&ready))
                .send()
                .await?,
        ),
        ("complete", complete(&shopper, &ready).await?),
    ];
    for (what, answer) in answers {
        assert_eq!(answer.status, 404, "{what}: {answer:?}");
        let document = answer.json();
        assert_eq!(document["ucp"]["status"], "error", "{what}: {document:#}");
        assert!(
            document.text("/messages/0/content").contains("expired"),
            "{what}: {document:#}"
        );
    }
    assert_eq!(aisle.database.snapshot().await?, before);

    aisle.database.set_clock_forward_ms(0).await?;
    assert_eq!(
        shopper.get(&checkout_path).expect(200).await?.json()["status"],
        "ready_for_complete"
    );
    Ok(())
}
