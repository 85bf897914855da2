//! A request that comes twice happens once.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::shopping::{
    self, complete_with_key, items, line, order_id, payment, shipping_checkout,
};
use aisle_e2e::{Pair, Setup};
use anyhow::Result;
use serde_json::json;

const KEY: &str = "3f6b1d0e-8a5c-4f0b-9d7e-2c1a0b9e8d7f";

pub async fn the_same_key_twice_is_one_order_and_one_answer(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];

    let cart = json!({"line_items": [line(&wanted.id, 1)]});
    let first = shopper
        .post("/carts")
        .idempotency_key(KEY)
        .json(&cart)
        .expect(201)
        .await?;
    let second = shopper
        .post("/carts")
        .idempotency_key(KEY)
        .json(&cart)
        .expect(201)
        .await?;
    assert_eq!(first.json(), second.json());
    assert_eq!(aisle.database.number("SELECT count(*) FROM cart").await?, 1);

    let ready = shipping_checkout(&shopper, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let first = complete_with_key(&shopper, &ready, &payment(&ready), KEY).await?;
    let second = complete_with_key(&shopper, &ready, &payment(&ready), KEY).await?;
    assert_eq!((first.status, first.json()), (second.status, second.json()));
    order_id(&first.json());
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM customer_order")
            .await?,
        1
    );
    aisle.database.check_invariants().await
}

pub async fn the_same_key_at_the_same_moment_is_one_order(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (one, two) = (aisle.north(), aisle.north());
    let wanted = &items(&one, 1).await?[0];
    let ready = shipping_checkout(&one, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
    let body = payment(&ready);
    let (first, second) = tokio::join!(
        complete_with_key(&one, &ready, &body, KEY),
        complete_with_key(&two, &ready, &body, KEY)
    );
    let mut answers = [first?, second?];
    answers.sort_by_key(|answer| answer.status);
    order_id(&answers[0].json());
    if answers[1].status == 409 {
        // Still under way: the client is told to come again, and then gets the answer.
        assert!(
            !answers[1].header("retry-after").is_empty(),
            "{:?}",
            answers[1]
        );
        answers[1] = complete_with_key(&two, &ready, &body, KEY).await?;
    }
    assert_eq!(answers[0].json(), answers[1].json());
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM customer_order")
            .await?,
        1
    );
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM payment")
            .await?,
        1
    );
    aisle.database.check_invariants().await
}

/// UCP asks for 409 (checkout REST binding, "Specific Header Requirements").
pub async fn the_same_key_with_another_body_is_refused(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = &items(&shopper, 1).await?[0];
    let body =
        |quantity| json!({"line_items": [line(&wanted.id, quantity)], "buyer": shopping::buyer()});
    for path in ["/carts", "/checkout-sessions"] {
        shopper
            .post(path)
            .idempotency_key(KEY)
            .json(&body(1))
            .expect(201)
            .await?;
        let before = aisle.database.snapshot().await?;
        let refused = shopper
            .post(path)
            .idempotency_key(KEY)
            .json(&body(2))
            .expect(409)
            .await?
            .json();
        assert_eq!(refused["ucp"]["status"], "error", "{refused:#}");
        assert_eq!(
            refused["messages"][0]["code"], "idempotency_conflict",
            "{refused:#}"
        );
        assert_eq!(aisle.database.snapshot().await?, before);
    }
    Ok(())
}

/// Another caller's key, another operation's key: no relation.
pub async fn a_key_belongs_to_its_brand_and_its_session(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (aisle.north(), aisle.harbor());
    for shopper in [&north, &harbor] {
        let wanted = &items(shopper, 1).await?[0];
        let cart = json!({"line_items": [line(&wanted.id, 1)]});
        shopper
            .post("/carts")
            .idempotency_key(KEY)
            .json(&cart)
            .expect(201)
            .await?;
    }
    let wanted = &items(&north, 1).await?[0];
    let mut orders = Vec::new();
    for _ in 0..2 {
        let ready = shipping_checkout(&north, &[line(&wanted.id, 1)], NORTH_COUNTRY).await?;
        let completed = complete_with_key(&north, &ready, &payment(&ready), KEY)
            .await?
            .json();
        orders.push(order_id(&completed).to_owned());
    }
    assert_ne!(orders[0], orders[1]);
    Ok(())
}
