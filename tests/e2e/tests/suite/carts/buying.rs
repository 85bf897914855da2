//! A cart that is being bought on one device while another one changes it.

use aisle_e2e::environment::NORTH_COUNTRY;
use aisle_e2e::json::{Look, message};
use aisle_e2e::shopping::{
    Item, TOKEN_FAIL, buyer, choose_first_options, complete, items, order_id, payment,
    payment_with, shipping_to, update_of,
};
use aisle_e2e::{Client, Pair, Setup};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{create, device, lines, messages, named, of, put};

/// A checkout of the cart, as far as it goes without a payment.
async fn check_out(client: &Client, cart_id: &str) -> Result<Value> {
    let request = json!({
        "cart_id": cart_id, "line_items": [], "fulfillment": shipping_to(NORTH_COUNTRY),
    });
    let opened = client.post("/checkout-sessions").json(&request);
    let opened = opened.expect(201).await?.json();
    choose_first_options(client, opened).await
}

/// A cart with one piece of the item, and who buys it.
fn basket(item: &Item) -> Value {
    let mut basket = of(&[named("a", item, 1)]);
    basket["buyer"] = buyer();
    basket
}

pub async fn what_another_device_does_comes_into_the_order(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = items(&aisle.north(), 2).await?;
    let phone = device(&aisle, "phone").await?.client;
    let laptop = device(&aisle, "laptop").await?.client;
    let cart = create(&phone, &basket(&wanted[0])).await?;
    let id = cart.text("/id");
    let path = format!("/carts/{id}");
    let ready = check_out(&laptop, id).await?;
    assert_eq!(ready["status"], "ready_for_complete", "{ready:#}");

    // Added, and said before anything is bought.
    let known = phone.get(&path).expect(200).await?;
    let mut more = known.json();
    more["line_items"] = json!([named("a", &wanted[0], 1), named("b", &wanted[1], 2)]);
    let body = json!({"line_items": more["line_items"], "buyer": more["buyer"]});
    let added = put(&phone, id, known.header("etag"), &body).await?;
    assert_eq!(lines(&added.json()), [("a", 1), ("b", 2)]);
    let told = complete(&laptop, &ready).await?.json();
    let notice = message(&told, "cart_changed").with_context(|| format!("{told:#}"))?;
    assert_eq!(notice["type"], "warning");
    assert_eq!(notice["path"], "$.line_items");
    assert_eq!(lines(&told), [("a", 1), ("b", 2)]);
    assert_eq!(told["status"], "ready_for_complete", "{told:#}");
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM payment")
            .await?,
        0
    );

    // What the checkout takes out again stays out, of both.
    let mut less = update_of(&told);
    less["line_items"] = json!([named("a", &wanted[0], 1)]);
    less["fulfillment"]["methods"][0]["line_item_ids"] = json!(["a"]);
    let session = format!("/checkout-sessions/{}", told.text("/id"));
    let less = laptop.put(&session).json(&less).expect(200).await?.json();
    assert_eq!(lines(&less), [("a", 1)]);
    assert_eq!(
        lines(&phone.get(&path).expect(200).await?.json()),
        [("a", 1)]
    );

    // Back in the shop something is added, and the same checkout has it.
    let again = put(&laptop, id, "*", &body).await?;
    assert_eq!(again.status, 200, "{again:?}");
    let request = json!({"cart_id": id, "line_items": []});
    let opened = laptop.post("/checkout-sessions").json(&request);
    let opened = opened.expect(200).await?.json();
    assert_eq!(opened["id"], told["id"]);
    assert_eq!(lines(&opened), [("a", 1), ("b", 2)]);
    assert_eq!(messages(&opened, "cart_changed").len(), 1);
    let same = laptop.post("/checkout-sessions").json(&request);
    let same = same.expect(200).await?.json();
    assert!(messages(&same, "cart_changed").is_empty(), "{same:#}");

    let bought = complete(&laptop, &opened).await?.json();
    let order = format!("/orders/{}", order_id(&bought));
    let order = laptop.get(&order).expect(200).await?.json();
    let pieces = order.list("/line_items").iter();
    let pieces: Vec<i64> = pieces.map(|line| line.number("/quantity/total")).collect();
    assert_eq!(pieces, [1, 2], "{order:#}");
    phone.get(&path).expect(404).await?;
    aisle.database.check_invariants().await
}

pub async fn an_emptied_cart_is_not_bought(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let shopper = aisle.north();
    let wanted = items(&shopper, 1).await?;
    let cart = create(&shopper, &basket(&wanted[0])).await?;
    let id = cart.text("/id");
    let ready = check_out(&shopper, id).await?;
    let mut empty = of(&[]);
    empty["buyer"] = cart["buyer"].clone();
    put(&shopper, id, "*", &empty).await?;
    let told = complete(&shopper, &ready).await?.json();
    assert_eq!(told["status"], "incomplete", "{told:#}");
    message(&told, "cart_changed").with_context(|| format!("{told:#}"))?;
    let still = complete(&shopper, &ready).await?.json();
    assert_eq!(still["status"], "incomplete", "{still:#}");
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM customer_order")
            .await?,
        0
    );
    Ok(())
}

pub async fn a_given_up_cart_is_not_bought(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = items(&aisle.north(), 1).await?;
    let phone = device(&aisle, "phone").await?.client;
    let laptop = device(&aisle, "laptop").await?.client;
    let cart = create(&phone, &basket(&wanted[0])).await?;
    let id = cart.text("/id");
    let ready = check_out(&laptop, id).await?;
    let given_up = phone.post(&format!("/carts/{id}/cancel"));
    given_up.expect(200).await?;
    let session = format!("/checkout-sessions/{}", ready.text("/id"));
    let shown = laptop.get(&session).expect(200).await?.json();
    assert_eq!(shown["status"], "canceled", "{shown:#}");
    let late = laptop.post(&format!("{session}/complete"));
    let late = late.json(&payment(&ready)).send().await?;
    assert_ne!(late.json()["status"], "completed", "{late:?}");
    let bought = aisle.database.number("SELECT count(*) FROM customer_order");
    assert_eq!(bought.await?, 0);
    aisle.database.check_invariants().await
}

/// The checkout and another device each put something in, and name no line.
pub async fn lines_of_cart_and_checkout_stay_apart(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let wanted = items(&aisle.north(), 3).await?;
    let phone = device(&aisle, "phone").await?.client;
    let laptop = device(&aisle, "laptop").await?.client;
    let unnamed = |item: &Item| json!({"item": {"id": item.id}, "quantity": 1});
    let mut basket = json!({"line_items": [unnamed(&wanted[0])], "buyer": buyer()});
    let cart = create(&phone, &basket).await?;
    let id = cart.text("/id");
    let ready = check_out(&laptop, id).await?;

    basket["line_items"] = json!([unnamed(&wanted[0]), unnamed(&wanted[1])]);
    let known = phone.get(&format!("/carts/{id}")).expect(200).await?;
    let added = put(&phone, id, known.header("etag"), &basket).await?;
    assert_eq!(added.status, 200, "{added:?}");
    let session = format!("/checkout-sessions/{}", ready.text("/id"));
    let mut update = update_of(&ready);
    update["line_items"] = json!([unnamed(&wanted[0]), unnamed(&wanted[2])]);
    let both = laptop.put(&session).json(&update).expect(200).await?.json();
    let mut update = update_of(&both);
    update["line_items"][1]["quantity"] = json!(2);
    laptop.put(&session).json(&update).expect(200).await?;

    let cart = phone.get(&format!("/carts/{id}")).expect(200).await?.json();
    let pieces = |item: &Item| {
        let of_it = |line: &&Value| line.text("/item/id") == item.id;
        let lines = cart.list("/line_items").iter().filter(of_it);
        lines.map(|line| line.number("/quantity")).sum::<i64>()
    };
    let pieces: Vec<i64> = wanted.iter().map(pieces).collect();
    assert_eq!(pieces, [1, 1, 2], "{cart:#}");
    Ok(())
}

pub async fn a_cart_stands_still_while_it_is_bought(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let guest = aisle.north();
    let wanted = items(&guest, 2).await?;
    let laptop = device(&aisle, "laptop").await?.client;
    let cart = create(&laptop, &basket(&wanted[0])).await?;
    let other = create(&guest, &of(&[named("x", &wanted[1], 1)])).await?;
    let id = cart.text("/id");
    let ready = check_out(&laptop, id).await?;
    let known = laptop.get("/carts/mine").expect(200).await?;
    let session = format!("/checkout-sessions/{}", ready.text("/id"));
    let unanswered = payment_with(&ready, "tok_unavailable");
    let completing = laptop
        .post(&format!("{session}/complete"))
        .json(&unanswered);
    completing.expect(200).await?;
    aisle.drain_outbox().await?;

    let before = aisle.database.snapshot().await?;
    let more = of(&[named("a", &wanted[0], 1), named("b", &wanted[1], 1)]);
    let etag = known.header("etag");
    let refused = [
        put(&laptop, id, etag, &more).await?,
        put(&laptop, id, "*", &more).await?,
        laptop.post(&format!("/carts/{id}/cancel")).send().await?,
        laptop
            .post("/carts/mine/merge")
            .json(&json!({ "cart_id": other["id"] }))
            .send()
            .await?,
    ];
    for answer in refused {
        assert_eq!(answer.status, 409, "{answer:?}");
        assert_eq!(answer.header("retry-after"), "2");
        let answer = answer.json();
        assert_eq!(answer.at("/messages/0/code"), "complete_in_progress");
    }
    assert_eq!(aisle.database.snapshot().await?, before);

    // It was not bought: what a device knew is good for a change again.
    aisle.database.set_clock_forward_ms(60_000).await?;
    let open = laptop.get(&session).expect(200).await?.json();
    assert_eq!(open["status"], "ready_for_complete", "{open:#}");
    let declined = laptop.post(&format!("{session}/complete"));
    let declined = declined.json(&payment_with(&open, TOKEN_FAIL));
    declined.expect(200).await?;
    let mut more = more;
    more["buyer"] = cart["buyer"].clone();
    let changed = put(&laptop, id, etag, &more).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(lines(&changed.json()), [("a", 1), ("b", 1)]);
    let told = complete(&laptop, &open).await?.json();
    message(&told, "cart_changed").with_context(|| format!("{told:#}"))?;
    order_id(&complete(&laptop, &told).await?.json());
    aisle.database.check_invariants().await
}

/// Whatever comes first: what a device was told to have in its cart is in the order. The
/// change comes after more and more of other work, so that it meets every moment of the
/// purchase.
pub async fn a_change_and_a_purchase_at_one_moment(pair: Pair) -> Result<()> {
    const CARTS: usize = 48;
    const MOMENTS: usize = 8;
    let aisle = Setup::demo(pair).start().await?;
    let (shopper, other) = (aisle.north(), aisle.north());
    let wanted = items(&shopper, 1).await?.remove(0);
    let mut made_first = 0;
    for number in 0..CARTS {
        let cart = create(&shopper, &basket(&wanted)).await?;
        let id = cart.text("/id");
        let session = check_out(&shopper, id).await?;
        let path = format!("/carts/{id}");
        let known = shopper.get(&path).expect(200).await?;
        let mut changed = basket(&wanted);
        changed["buyer"]["first_name"] = "Grace".into();
        let (changed, bought) = tokio::join!(
            async {
                for _ in 0..number % MOMENTS {
                    other.get(&path).send().await?;
                }
                put(&other, id, known.header("etag"), &changed).await
            },
            keep_buying(&shopper, &session),
        );
        let (changed, bought) = (changed?, bought?);
        let expected = match changed.status.as_u16() {
            200 => "Grace",
            404 | 409 => "Ada",
            _ => panic!("{changed:?}"),
        };
        assert_eq!(bought, expected, "{number}: {changed:?}");
        made_first += usize::from(changed.status == 200);
    }
    assert!((1..CARTS).contains(&made_first), "{made_first}");
    aisle.database.check_invariants().await
}

/// Completes until there is an order; answers whose it is.
async fn keep_buying(shopper: &Client, session: &Value) -> Result<String> {
    /// One is refused for the change, and one may find it under way.
    const ATTEMPTS: usize = 3;
    let path = format!("/checkout-sessions/{}/complete", session.text("/id"));
    for _ in 0..ATTEMPTS {
        let answer = shopper.post(&path).json(&payment(session)).send().await?;
        assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
        let shown = answer.json();
        if shown["status"] == "completed" {
            return Ok(shown.text("/buyer/first_name").to_owned());
        }
    }
    anyhow::bail!("never bought");
}
