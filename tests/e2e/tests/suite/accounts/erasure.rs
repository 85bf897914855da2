//! Personal data: shown to its person, forgotten when they ask or when its time is over.

use aisle_e2e::accounts::{Device, code, sign_in, sign_in_with};
use aisle_e2e::environment::{NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{buyer, complete, items, line, order_id, shipping_checkout};
use aisle_e2e::{Answer, Environment, Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use super::{ADA, ADAS_PHONE, DAY_MS, MINUTE_MS, order, refresh, until_refused};
use crate::checkout_transfer::set_policies;

/// Of a guest whom nobody knows otherwise.
const GUESTS_PHONE: &str = "+4915177777777";
/// Between two runs of the housekeeping.
const HOUSEKEEPING_MS: i64 = 10_000;
/// By what Ada is known: to the shop, and to nobody else in the demo.
const ADAS: [&str; 6] = [
    ADA,
    ADAS_PHONE,
    "+12025550143",
    "Byron",
    "Analytical",
    "Murray",
];

/// A cart, a checkout that became an order by a request with a key, a hold, news by text, and
/// a device that refreshed.
async fn lively(aisle: &Environment) -> Result<(Device, String)> {
    let further = json!({"name": "Ada Byron", "device_name": "Ada Byron's phone"});
    let ada = sign_in_with(aisle, NORTH, ADA, further).await?;
    let (status, signed_in) = refresh(aisle, &ada.refresh_token, None).await?;
    assert_eq!(status, 200);
    let ada = Device::of(aisle, NORTH, signed_in);
    let (challenge, code) = code(aisle, NORTH, ADAS_PHONE).await?;
    let proof = json!({"challenge_id": challenge, "code": code});
    let added = ada.client.post("/accounts/me/identities").json(&proof);
    added.idempotency_key("phone").expect(200).await?;

    let item = items(&aisle.north(), 1).await?.remove(0);
    let shopper = aisle
        .north()
        .with_header("authorization", &format!("Bearer {}", ada.access_token));
    let cart = json!({"line_items": [line(&item.id, 1)], "buyer": buyer()});
    let cart = shopper
        .post("/carts")
        .json(&cart)
        .idempotency_key("cart")
        .expect(201)
        .await?
        .json();
    let insert = format!(
        "INSERT INTO account_cart (brand_id, account_id, cart_id) \
         SELECT c.brand_id, '{}', c.id FROM cart c WHERE c.id = '{}' ON CONFLICT DO NOTHING",
        ada.account_id,
        cart.text("/id")
    );
    aisle.database.rows(&insert).await?;
    let session = shipping_checkout(&shopper, &[line(&item.id, 1)], NORTH_COUNTRY).await?;
    let order = order_id(&complete(&shopper, &session).await?.json()).to_owned();
    told(aisle, &ada.account_id, &order).await?;
    aisle.send_messages().await?;
    Ok((ada, order))
}

/// What other parts of the system write down about somebody who follows an order.
async fn told(aisle: &Environment, account_id: &str, order: &str) -> Result<()> {
    let brand = format!("(SELECT brand_id FROM account WHERE id = '{account_id}')");
    for row in [
        format!(
            "INSERT INTO order_contact VALUES ({brand}, '{order}', 'sms', '{ADAS_PHONE}', 'de', 0, NULL)"
        ),
        format!(
            "INSERT INTO consent VALUES ('c-1', {brand}, 'sms', '{ADAS_PHONE}', 'update', '2026-10', 'given', 'invite', 0)"
        ),
        format!("INSERT INTO opt_out VALUES ({brand}, 'sms', '{ADAS_PHONE}', 0)"),
        format!(
            "INSERT INTO invite (id, brand_id, code_hash, scope, subject_id, account_id, channel, address, locale, \
             created_at_ms, expires_at_ms) VALUES ('i-1', {brand}, 'h', 'order', '{order}', '{account_id}', 'sms', \
             '{ADAS_PHONE}', 'de', 0, 9000000000000)"
        ),
        format!(
            "INSERT INTO message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, order_id, \
             invite_id, status, next_attempt_at_ms, expires_at_ms, created_at_ms, updated_at_ms) VALUES ('m-1', {brand}, \
             'm-1', 'sms', '{ADAS_PHONE}', 'invite', 'invite_order', 'de', '{{\"name\":\"Byron\"}}', '{order}', 'i-1', \
             'delivered', 0, 0, 0, 0)"
        ),
        format!(
            "INSERT INTO sandbox_message VALUES ('s-1', {brand}, 'sms', '{ADAS_PHONE}', NULL, 'Hello Byron', 0)"
        ),
        format!("INSERT INTO pickup_person VALUES ({brand}, '{order}', 'Grace Murray', 0)"),
        format!(
            "INSERT INTO presence SELECT 'p-1', {brand}, '{order}', (SELECT min(id) FROM location), 'on_my_way', \
             'declared', '2026-10', 0, 9000000000000"
        ),
        format!(
            "INSERT INTO return_request VALUES ('r-1', {brand}, '{order}', 'requested', '{{\"reason\":\"damaged\"}}', 0, 0)"
        ),
        format!(
            "INSERT INTO notice VALUES ('n-1', {brand}, '{order}', 'order.updated', '{{\"who\":\"Byron\"}}', 0, 0, 0)"
        ),
    ] {
        aisle.database.rows(&row).await?;
    }
    Ok(())
}

async fn run_housekeeping(aisle: &Environment) -> Result<()> {
    let ticker = aisle.with_key(&aisle.relay_key);
    loop {
        let run = ticker
            .post("/accounts/housekeeping")
            .expect(200)
            .await?
            .json();
        if run["more"] == false {
            return Ok(());
        }
    }
}

pub async fn an_account_is_exported_and_erased_from_every_table(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (ada, order) = lively(&aisle).await?;
    let eve = sign_in_with(&aisle, NORTH, "eve@example.com", json!({"name": "Eve"})).await?;

    let export = ada
        .client
        .get("/accounts/me/export")
        .expect(200)
        .await?
        .json();
    for (list, entries) in [
        ("/sessions", 1),
        ("/orders", 1),
        ("/checkouts", 1),
        ("/carts", 1),
        ("/cart_versions", 0),
        ("/codes", 2),
        ("/pickup_persons", 1),
        ("/presences", 1),
        ("/returns", 1),
        ("/holds", 0),
        ("/consents", 1),
        ("/opt_outs", 1),
        ("/invites", 1),
        ("/cut_short", 0),
    ] {
        assert_eq!(export.list(list).len(), entries, "{list} of {export:#}");
    }
    // The relay may have added the buyer's mail to the number that was given.
    assert!(
        (1..=2).contains(&export.list("/order_contacts").len()),
        "{export:#}"
    );
    assert_eq!(export.list("/account/identities").len(), 2);
    assert!(export.list("/messages").len() >= 2, "{export:#}");
    assert_eq!(export.text("/orders/0/document/buyer/last_name"), "Byron");
    assert_eq!(export.text("/pickup_persons/0/name"), "Grace Murray");
    assert_eq!(export.text("/returns/0/document/reason"), "damaged");
    assert!(!export.list("/notices").is_empty(), "{export:#}");
    assert!(
        !export.to_string().contains("token"),
        "an export lets nobody in"
    );

    let (order_path, payments) = (
        format!("/orders/{order}"),
        format!("SELECT * FROM payment WHERE order_id = '{order}' ORDER BY id"),
    );
    let bought = ada.client.get(&order_path).expect(200).await?.json();
    let paid = aisle.database.rows(&payments).await?;

    let tokens = [ada.access_token.as_str(), &ada.refresh_token];
    assert!(
        aisle.database.search(&tokens).await?.is_empty(),
        "tokens are kept as digests"
    );
    assert!(!aisle.database.search(&ADAS).await?.is_empty());
    ada.client
        .call(Method::DELETE, "/accounts/me")
        .expect(204)
        .await?;
    aisle.drain_outbox().await?;

    assert_eq!(aisle.database.search(&ADAS).await?, Vec::<String>::new());
    assert_eq!(aisle.database.search(&tokens).await?, Vec::<String>::new());

    until_refused(&ada.client).await?;
    assert_eq!(refresh(&aisle, &ada.refresh_token, None).await?.0, 401);
    let status = format!(
        "SELECT count(*) FROM account WHERE id = '{}' AND status = 'erased'",
        ada.account_id
    );
    assert_eq!(aisle.database.number(&status).await?, 1);
    let told = format!(
        "SELECT count(*) FROM outbox WHERE type = 'account.erased' AND aggregate_id = '{}'",
        ada.account_id
    );
    assert_eq!(
        aisle.database.number(&told).await?,
        1,
        "whoever has copies is told"
    );
    // The law asks to keep what was bought, what was paid for it, and where its tax was due.
    let kept = aisle.north().get(&order_path).expect(200).await?.json();
    let destination = "/fulfillment/expectations/0/destination";
    let (country, region) = (
        format!("{destination}/address_country"),
        format!("{destination}/address_region"),
    );
    for member in [
        "/id",
        "/currency",
        "/line_items",
        "/totals",
        &country,
        &region,
    ] {
        assert_eq!(kept.pointer(member), bought.pointer(member), "{member}");
    }
    assert_eq!(kept.text(&country), NORTH_COUNTRY);
    assert_eq!(kept.list("/line_items").len(), 1);
    assert!(!paid.is_empty());
    assert_eq!(aisle.database.rows(&payments).await?, paid);
    aisle.database.check_invariants().await?;

    // Eve is still there; and Ada can come again, as somebody new.
    eve.client.get("/accounts/me").expect(200).await?;
    let again = sign_in(&aisle, NORTH, ADA).await?;
    assert_ne!(again.account_id, ada.account_id);
    Ok(())
}

pub async fn an_erasure_needs_to_be_sure(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    aisle
        .database
        .set_clock_forward_ms(10 * MINUTE_MS + 1_000)
        .await?;
    let erase = async |body: Option<Value>| -> Result<(u16, Value)> {
        let call = ada.client.call(Method::DELETE, "/accounts/me");
        let call = match &body {
            Some(body) => call.json(body),
            None => call,
        };
        let answer = call.send().await?;
        let code = if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()["code"].clone()
        };
        Ok((answer.status.as_u16(), code))
    };
    assert_eq!(erase(None).await?, (403, json!("fresh_sign_in_needed")));
    let (challenge, other_code) = code(&aisle, NORTH, "eve@example.com").await?;
    let body = json!({"challenge_id": challenge, "code": other_code});
    assert_eq!(
        erase(Some(body)).await?,
        (403, json!("fresh_sign_in_needed")),
        "a code of somebody else"
    );
    let (challenge, right) = code(&aisle, NORTH, ADA).await?;
    let body = json!({"challenge_id": challenge, "code": "000 00"});
    assert_eq!(erase(Some(body)).await?, (401, json!("wrong_code")));
    let body = json!({"challenge_id": challenge, "code": right});
    assert_eq!(erase(Some(body)).await?, (204, Value::Null));
    assert_eq!(aisle.database.search(&[ADA]).await?, Vec::<String>::new());
    Ok(())
}

pub async fn an_erasure_that_was_cut_short_goes_on(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let order = order(&aisle.north()).await?;
    let ada = sign_in_with(&aisle, NORTH, ADA, json!({"order_id": order})).await?;
    // Nothing is on its way to her any more.
    aisle.send_messages().await?;
    // As if the request had ended after its first batch.
    let account = format!("WHERE account_id = '{}'", ada.account_id);
    for sql in [
        format!(
            "UPDATE account SET status = 'erasing', doc = '{{}}' WHERE id = '{}'",
            ada.account_id
        ),
        format!(
            "DELETE FROM account_refresh WHERE session_id IN (SELECT id FROM account_session {account})"
        ),
        format!("DELETE FROM account_session {account}"),
        format!("DELETE FROM account_identity {account}"),
        "DELETE FROM one_time_code".into(),
        "DELETE FROM order_contact".into(),
        "DELETE FROM notice".into(),
        "DELETE FROM message".into(),
        "DELETE FROM sandbox_message".into(),
    ] {
        aisle.database.rows(&sql).await?;
    }
    run_housekeeping(&aisle).await?;
    assert_eq!(aisle.database.search(&ADAS).await?, Vec::<String>::new());
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM account WHERE status = 'erased'")
            .await?,
        1
    );
    Ok(())
}

/// Asks for texts about an order to the guest's number.
async fn tell(aisle: &Environment, order: &str) -> Result<Answer> {
    let contact = json!({
        "channel": "sms", "active": true, "address": GUESTS_PHONE, "consent": {"version": "2026-11"},
    });
    let path = format!("/orders/{order}/notifications");
    let wanted = json!({"contacts": [contact]});
    aisle.north().put(&path).json(&wanted).send().await
}

pub async fn personal_data_is_kept_as_long_as_the_policy_says(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let policy = json!({"retention": {
        "code_days": 1, "message_days": 20, "session_days": 10, "cart_days": 40, "checkout_days": 20,
        "unused_account_days": 100, "order_days": 200, "consent_days": 150,
    }});
    set_policies(&aisle, policy).await?;
    let (_, order) = lively(&aisle).await?;
    let item = items(&aisle.north(), 1).await?.remove(0);
    let abandoned = json!({"line_items": [line(&item.id, 1)], "buyer": buyer()});
    aisle
        .north()
        .post("/carts")
        .json(&abandoned)
        .expect(201)
        .await?;
    aisle
        .north()
        .post("/checkout-sessions")
        .json(&abandoned)
        .expect(201)
        .await?;

    // By the one route that a deployment's ticker calls, a few times.
    let ticker = aisle.with_key(&aisle.relay_key);
    let at_day = async |day: i64| -> Result<()> {
        for run in 0..5 {
            let now = day * DAY_MS + run * HOUSEKEEPING_MS;
            aisle.database.set_clock_forward_ms(now).await?;
            let run = ticker.post("/relay/run").expect(200).await?.json();
            // Whoever was faster has done it.
            let Some(chores) = run["housekeeping"].as_array() else {
                continue;
            };
            let mut chores = chores.iter();
            let own = chores.find(|chore| chore["path"] == "/accounts/housekeeping");
            assert_eq!(own.context("accounts")?["status"], 200, "{run:#}");
        }
        Ok(())
    };
    let rows = async |sql: &str| {
        aisle
            .database
            .number(&format!("SELECT count(*) FROM {sql}"))
            .await
    };
    at_day(2).await?;
    assert_eq!(rows("one_time_code").await?, 0);
    assert_ne!(rows("message WHERE address <> ''").await?, 0);
    at_day(21).await?;
    assert_eq!(
        rows("message WHERE address <> '' AND status NOT IN ('queued', 'sending')").await?,
        0
    );
    assert_eq!(rows("sandbox_message WHERE text LIKE '%Byron%'").await?, 0);
    assert_eq!(rows("checkout_session WHERE doc LIKE '%Byron%'").await?, 0);
    assert_ne!(rows("cart WHERE doc LIKE '%Byron%'").await?, 0);
    assert_ne!(rows("customer_order WHERE doc LIKE '%Byron%'").await?, 0);
    // Carts end by themselves.
    at_day(31).await?;
    at_day(80).await?;
    assert_eq!(rows("cart").await?, 0);
    assert_eq!(rows("account_session").await?, 0);
    assert_eq!(rows("account WHERE status = 'active'").await?, 1);
    at_day(101).await?;
    assert_eq!(rows("account WHERE status = 'erased'").await?, 1);
    assert_eq!(
        rows("customer_order WHERE doc LIKE '%Byron%'").await?,
        0,
        "it was the account's"
    );

    // A guest's order is known by nobody's account, and has its own time.
    let guests = super::order(&aisle.north()).await?;
    assert_eq!(tell(&aisle, &guests).await?.status, 200);
    let stop = format!(
        "INSERT INTO opt_out SELECT brand_id, channel, address, at_ms FROM consent WHERE address = '{GUESTS_PHONE}'"
    );
    aisle.database.rows(&stop).await?;
    let words = format!("consent WHERE address = '{GUESTS_PHONE}'");
    at_day(260).await?;
    assert_eq!(rows(&words).await?, 1, "the order is still told there");
    at_day(302).await?;
    let known = [&ADAS[..], &[GUESTS_PHONE]].concat();
    assert_eq!(aisle.database.search(&known).await?, Vec::<String>::new());
    for id in [order, guests] {
        aisle
            .north()
            .get(&format!("/orders/{id}"))
            .expect(200)
            .await?;
    }
    // What is left knows the number again, and what was said there.
    assert_eq!(rows("consent WHERE source = 'page'").await?, 1);
    let buyer = json!({"email": "guest@example.com", "phone_number": GUESTS_PHONE});
    let next = crate::typed::checkout_of(&aisle.north(), buyer).await?;
    let next = complete(&aisle.north(), &next).await?.json();
    let refused = tell(&aisle, order_id(&next)).await?;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (409, &json!("opted_out"))
    );
    aisle.database.check_invariants().await?;
    Ok(())
}
