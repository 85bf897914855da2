//! Who collects, who is told, and what comes back.

use aisle_e2e::Pair;
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{kinds, refused};
use crate::transfers::scene::{BERLIN, Scene};

pub async fn somebody_else_collects_and_staff_know(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(1, BERLIN).await?;
    let path = format!("/orders/{order}/pickup-person");
    let put = async |body: Value| scene.shopper.put(&path).json(&body).send().await;
    let set = put(json!({"name": "  Grace Hopper "})).await?;
    assert_eq!(set.json()["name"], "Grace Hopper", "{set:?}");

    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    clerk
        .post(&format!("/holds/pickups/{order}/ready"))
        .json(&json!({}))
        .expect(200)
        .await?;
    let pass = scene
        .shopper
        .post(&format!("/orders/{order}/pass"))
        .expect(201)
        .await?
        .json();
    let scanned = clerk
        .post("/pos/scan")
        .json(&json!({"text": pass["token"]}))
        .expect(200)
        .await?;
    assert!(scanned.text().contains("Grace Hopper"), "{scanned:?}");
    let told = kinds(&scene.shopper, &order).await?;
    assert!(
        told.contains(&"pickup_person_changed".to_owned()),
        "{told:?}"
    );

    let bad = put(json!({"name": "x".repeat(81)})).await?;
    assert_eq!(refused(&bad, 422, "invalid_value")["path"], "$.name");
    assert_eq!(put(json!({"nam": "x"})).await?.status, 400);
    assert_eq!(put(json!({"name": null})).await?.status, 200);
    let hand_over = json!({"pass": pass["token"]});
    clerk
        .post(&format!("/pos/orders/{order}/hand-over"))
        .json(&hand_over)
        .expect(201)
        .await?;
    refused(
        &put(json!({"name": "Eve"})).await?,
        409,
        "nothing_to_collect",
    );
    scene.aisle.database.check_invariants().await
}

pub async fn news_go_where_the_shopper_agreed(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(1, BERLIN).await?;
    let path = format!("/orders/{order}/notifications");
    let put = async |contact: Value| {
        let body = json!({"contacts": [contact]});
        scene.shopper.put(&path).json(&body).send().await
    };
    let on = |more: Value| {
        let mut contact = json!({"channel": "sms", "active": true});
        for (name, value) in more.as_object().into_iter().flatten() {
            contact[name] = value.clone();
        }
        contact
    };
    refused(&put(on(json!({}))).await?, 409, "no_contact");
    let bare = put(on(json!({"address": "+4915112345678"}))).await?;
    let bare = refused(&bare, 422, "consent_required");
    assert_eq!(bare["path"], "$.contacts[0].consent");
    let consent = json!({"version": "2026-11"});
    let wrong = put(on(json!({"address": "12", "consent": consent}))).await?;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(wrong.json()["path"], "$.contacts[0].address");
    let abroad = put(on(json!({"address": "+12125550123", "consent": consent}))).await?;
    refused(&abroad, 422, "country_not_served");

    let new = on(json!({"address": "0151 12345678", "consent": consent}));
    let set = put(new.clone()).await?;
    assert_eq!(set.status, 200, "{set:?}");
    // The buyer's mail may stand beside it, as soon as the relay has seen the order.
    let set = set.json();
    let mut contacts = set.list("/contacts").iter();
    let texted = contacts.find(|contact| contact["channel"] == "sms");
    assert_eq!(
        texted.context("a number")?.text("/address_hint"),
        "+49 … 78"
    );
    let given = "SELECT count(*) FROM consent WHERE address = '+4915112345678' AND decision = 'given' \
                 AND wording_version = '2026-11' AND source = 'page'";
    assert_eq!(scene.count(given).await?, 1);
    let live = "SELECT count(*) FROM order_contact WHERE address = '+4915112345678' AND ended_at_ms IS NULL";
    assert_eq!(scene.count(live).await?, 1);
    put(json!({"channel": "sms", "active": false})).await?;
    assert_eq!(scene.count(live).await?, 0);
    let again = put(on(json!({}))).await?;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(scene.count(live).await?, 1);

    // STOP holds, whatever somebody chooses here. It is told of the buyer's own number only:
    // anybody can name anybody's for an order of theirs.
    let stop = "INSERT INTO opt_out (brand_id, channel, address, since_ms) \
                SELECT id, 'sms', '+4915112345678', 0 FROM brand WHERE handle = 'north'";
    scene.aisle.database.rows(stop).await?;
    for taken in [on(json!({})), new] {
        let taken = put(taken).await?;
        assert_eq!(taken.status, 200, "{taken:?}");
    }
    let shown = scene.shopper.get(&path).expect(200).await?.json();
    let mut contacts = shown.list("/contacts").iter();
    let texted = contacts.find(|contact| contact["channel"] == "sms");
    assert_eq!(texted.context("a number")?["active"], true, "{shown:#}");
    let own = "ada@example.com";
    let stop = format!(
        "INSERT INTO opt_out (brand_id, channel, address, since_ms) \
         SELECT id, 'email', '{own}', 0 FROM brand WHERE handle = 'north'"
    );
    scene.aisle.database.rows(&stop).await?;
    let of_buyer = json!({"channel": "email", "active": true, "address": own, "consent": consent});
    refused(&put(of_buyer).await?, 409, "opted_out");

    let mut refusals = 0;
    for number in 0..=10 {
        let address = format!("ada{number}@example.com");
        let mail =
            json!({"channel": "email", "active": true, "address": address, "consent": consent});
        let answer = put(mail).await?;
        if answer.status != 200 {
            refused(&answer, 429, "too_many_addresses");
            refusals += 1;
        }
    }
    assert_eq!(
        refusals, 3,
        "ten new addresses a day, of which the phone was chosen twice"
    );
    Ok(())
}

pub async fn only_what_was_handed_over_is_returned(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, BERLIN).await?;
    let shown = scene.order_shown(&order).await?;
    let line = shown.text("/line_items/0/id").to_owned();
    let path = format!("/orders/{order}/returns");
    let start = async |quantity: i64, reason: &str| {
        let body = json!({"line_items": [{"id": line, "quantity": quantity}], "reason": reason});
        scene.shopper.post(&path).json(&body).send().await
    };
    let early = refused(&start(1, "changed_mind").await?, 409, "return_refused");
    assert_eq!(early["reasons"], json!(["not_handed_over"]));

    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    let ready = format!("/holds/pickups/{order}/ready");
    clerk.post(&ready).json(&json!({})).expect(200).await?;
    let pass = scene
        .shopper
        .post(&format!("/orders/{order}/pass"))
        .expect(201)
        .await?
        .json();
    let hand_over = format!("/pos/orders/{order}/hand-over");
    let token = json!({"pass": pass["token"]});
    clerk.post(&hand_over).json(&token).expect(201).await?;

    let too_many = start(3, "damaged").await?;
    refused(&too_many, 422, "impossible_quantity");
    assert_eq!(start(1, "bored").await?.status, 400);
    // Of two who give back the last two pieces at once, and one of them one: no piece twice.
    let (one, other) = tokio::join!(start(2, "damaged"), start(1, "damaged"));
    let statuses = [one?.status.as_u16(), other?.status.as_u16()];
    assert!(
        statuses.contains(&201) && statuses.contains(&422),
        "{statuses:?}"
    );
    let told = kinds(&scene.shopper, &order).await?;
    assert!(told.contains(&"return_requested".to_owned()), "{told:?}");
    let refunds = format!("/orders/{order}/cancel");
    let cancel = scene.shopper.post(&refunds).send().await?;
    refused(&cancel, 409, "already_handed_over");

    // Long after the window.
    let old = "UPDATE hand_over SET handed_at_ms = 1";
    scene.aisle.database.rows(old).await?;
    let late = refused(&start(1, "damaged").await?, 409, "return_refused");
    assert_eq!(late["reasons"], json!(["window_over"]));
    scene.aisle.database.check_invariants().await
}
