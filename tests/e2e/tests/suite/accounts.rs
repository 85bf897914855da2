//! Accounts: signing up and in, devices, orders, codes for the till, forms.

mod bad_input;
mod erasure;
mod forms;
mod identities;
mod misuse;
mod traces;

use aisle_e2e::accounts::{Device, code, sign_in, sign_in_with, with_token};
use aisle_e2e::environment::{NORTH, NORTH_COUNTRY};
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, items, line, order_id, shipping_checkout};
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

pub use bad_input::requests_that_make_no_sense_change_nothing;
pub use erasure::{
    an_account_is_exported_and_erased_from_every_table, an_erasure_needs_to_be_sure,
    an_erasure_that_was_cut_short_goes_on, personal_data_is_kept_as_long_as_the_policy_says,
};
pub use forms::{
    a_browser_signs_in_without_a_script, a_link_does_not_hide_who_is_signed_in,
    another_site_cannot_use_a_cookie, over_tls_cookies_are_the_hosts_own,
    the_sign_in_page_says_what_is_wrong,
};
pub use identities::{
    an_address_is_given_up, an_address_is_given_up_by_its_person_only, one_address_stays,
};
pub use misuse::{
    a_code_is_for_its_address_its_brand_and_once, codes_are_limited,
    guesses_are_counted_however_they_come, nobody_learns_who_is_known,
    what_belongs_to_somebody_else_stays_theirs, who_guesses_at_many_codes_is_stopped,
};
pub use traces::{
    what_a_guest_left_is_shown_and_erased_with_the_account, what_is_not_paid_is_erased_too,
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
pub const ADA: &str = "ada@example.com";
pub const ADAS_PHONE: &str = "+4915112345678";

/// An order that somebody placed who is not signed in.
pub async fn order(shopper: &Client) -> Result<String> {
    let item = items(shopper, 1).await?.remove(0);
    let session = shipping_checkout(shopper, &[line(&item.id, 1)], NORTH_COUNTRY).await?;
    let completed = complete(shopper, &session).await?.json();
    Ok(order_id(&completed).to_owned())
}

/// Asks until the device is refused, however long an instance may remember it: its bound is a
/// matter of its own.
pub async fn until_refused(device: &Client) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    for _ in 0..REQUESTS {
        if device.get("/accounts/me").send().await?.status == 401 {
            return Ok(());
        }
    }
    anyhow::bail!("the device is still let in")
}

/// Exchanges a refresh token.
pub async fn refresh(aisle: &Environment, token: &str, key: Option<&str>) -> Result<(u16, Value)> {
    let client = Client::new(aisle.addr(), NORTH);
    let request = json!({"refresh_token": token});
    let mut call = client.post("/accounts/sessions/refresh").json(&request);
    if let Some(key) = key {
        call = call.idempotency_key(key);
    }
    let answer = call.send().await?;
    Ok((answer.status.as_u16(), answer.json()))
}

pub async fn a_code_signs_up_and_in(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let phone = sign_in_with(&aisle, NORTH, ADA, json!({"name": "Ada", "locale": "de"})).await?;
    let me = phone.client.get("/accounts/me").expect(200).await?;
    let etag = me.headers["etag"].to_str()?.to_owned();
    let me = me.json();
    assert_eq!((me.text("/name"), me.text("/locale")), ("Ada", "de"));
    assert_eq!(me.list("/identities").len(), 1);
    assert_eq!(me.text("/identities/0/address"), ADA);

    // The next device is the same person's, who keeps their name.
    let tablet = sign_in_with(&aisle, NORTH, " ADA@Example.com ", json!({"name": "Eve"})).await?;
    assert_eq!(tablet.account_id, phone.account_id);
    assert_eq!(tablet.signed_in.text("/account/name"), "Ada");

    // A second address, then a device that signs in with it.
    let (challenge, code) = code(&aisle, NORTH, "0151 12345678").await?;
    let proof = json!({"challenge_id": challenge, "code": code});
    let added = phone
        .client
        .post("/accounts/me/identities")
        .json(&proof)
        .expect(200)
        .await?;
    assert_eq!(added.json().list("/identities").len(), 2);
    let third = sign_in(&aisle, NORTH, ADAS_PHONE).await?;
    assert_eq!(third.account_id, phone.account_id);

    // Two devices change the name: the second learns of the first.
    let patch = async |client: &Client, etag: &str, body: Value| {
        let call = client.call(Method::PATCH, "/accounts/me");
        call.header("if-match", etag).json(&body).send().await
    };
    assert_eq!(
        patch(&tablet.client, &etag, json!({"name": "Lovelace"}))
            .await?
            .status,
        412
    );
    let etag = added.headers["etag"].to_str()?;
    let changed = patch(
        &tablet.client,
        etag,
        json!({"name": "Lovelace", "locale": null}),
    )
    .await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    let me = phone.client.get("/accounts/me").expect(200).await?;
    assert_eq!(me.headers["etag"], changed.headers["etag"]);
    assert_eq!(me.json(), changed.json());
    assert_eq!(
        (me.json().text("/name"), me.json().get("locale")),
        ("Lovelace", None)
    );
    Ok(())
}

pub async fn devices_are_listed_and_signed_out_one_by_one(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let phone = sign_in_with(&aisle, NORTH, ADA, json!({"device_name": "Ada's phone"})).await?;
    let tablet = sign_in_with(&aisle, NORTH, ADA, json!({"device_name": "Old tablet"})).await?;
    let listed = phone
        .client
        .get("/accounts/me/sessions")
        .expect(200)
        .await?
        .json();
    let named = |name: &str| {
        let sessions = listed.list("/sessions").iter();
        sessions
            .filter(move |one| one["device_name"] == name)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed.list("/sessions").len(), 2, "{listed:#}");
    assert_eq!(named("Ada's phone")[0]["current"], true);
    assert_eq!(named("Old tablet")[0]["current"], false);

    let path = format!("/accounts/me/sessions/{}", tablet.session_id);
    phone.client.call(Method::DELETE, &path).expect(204).await?;
    until_refused(&tablet.client).await?;
    let (status, refusal) = refresh(&aisle, &tablet.refresh_token, None).await?;
    assert_eq!(
        (status, refusal["code"].clone()),
        (401, json!("session_over"))
    );
    phone.client.call(Method::DELETE, &path).expect(404).await?;
    let listed = phone
        .client
        .get("/accounts/me/sessions")
        .expect(200)
        .await?
        .json();
    assert_eq!(listed.list("/sessions").len(), 1);

    phone.client.post("/accounts/sign-out").expect(204).await?;
    until_refused(&phone.client).await?;
    let (status, _) = refresh(&aisle, &phone.refresh_token, None).await?;
    assert_eq!(status, 401);
    Ok(())
}

pub async fn a_refresh_token_works_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let first = sign_in(&aisle, NORTH, ADA).await?;
    let other = sign_in(&aisle, NORTH, ADA).await?;

    // The answer is lost: the same request again brings the same tokens, not a thief's.
    let (status, second) = refresh(&aisle, &first.refresh_token, Some("k-1")).await?;
    assert_eq!(status, 200, "{second:#}");
    assert_eq!(
        refresh(&aisle, &first.refresh_token, Some("k-1")).await?,
        (200, second.clone())
    );
    let second = Device::of(&aisle, NORTH, second);
    second.client.get("/accounts/me").expect(200).await?;
    until_refused(&first.client).await?;

    // Two at the same moment: one of them, and the session stays.
    let (one, two) = tokio::try_join!(
        refresh(&aisle, &second.refresh_token, Some("k-2")),
        refresh(&aisle, &second.refresh_token, Some("k-2")),
    )?;
    assert_eq!(one, two);
    let third = Device::of(&aisle, NORTH, one.1);

    // Somebody else has the token that was used: the session is over for both.
    let (status, refusal) = refresh(&aisle, &second.refresh_token, Some("thief")).await?;
    assert_eq!(
        (status, refusal["code"].clone()),
        (401, json!("refresh_token_reused"))
    );
    until_refused(&third.client).await?;
    let (status, refusal) = refresh(&aisle, &third.refresh_token, None).await?;
    assert_eq!(
        (status, refusal["code"].clone()),
        (401, json!("session_over"))
    );
    other.client.get("/accounts/me").expect(200).await?;

    // A lost answer is not given again later.
    let (status, _) = refresh(&aisle, &other.refresh_token, Some("k-3")).await?;
    assert_eq!(status, 200);
    aisle.database.set_clock_forward_ms(10_000).await?;
    let (status, refusal) = refresh(&aisle, &other.refresh_token, Some("k-3")).await?;
    assert_eq!(
        (status, refusal["code"].clone()),
        (401, json!("refresh_token_reused"))
    );
    Ok(())
}

pub async fn a_session_slides_to_its_end(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let used = sign_in(&aisle, NORTH, ADA).await?;
    let unused = sign_in(&aisle, NORTH, ADA).await?;
    aisle.database.set_clock_forward_ms(15 * MINUTE_MS).await?;
    until_refused(&used.client).await?;
    let mut token = used.refresh_token.clone();
    let mut refreshed = 0;
    for day in (59..200).step_by(59) {
        aisle.database.set_clock_forward_ms(day * DAY_MS).await?;
        let (status, answer) = refresh(&aisle, &token, None).await?;
        if status == 401 {
            assert_eq!(answer["code"], "session_over");
            break;
        }
        refreshed += 1;
        token = answer.text("/refresh_token").into();
        let fresh = with_token(&aisle, NORTH, answer.text("/access_token"));
        fresh.get("/accounts/me").expect(200).await?;
    }
    assert_eq!(refreshed, 3, "59 days each time, 177 days; 236 is past 180");
    let (status, refusal) = refresh(&aisle, &unused.refresh_token, None).await?;
    assert_eq!(status, 401, "{refusal:#}");
    Ok(())
}

pub async fn an_order_becomes_the_accounts(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let anybody = aisle.north();

    // After checkout: signing up takes the order along.
    let first = order(&anybody).await?;
    let ada = sign_in_with(&aisle, NORTH, ADA, json!({"order_id": first})).await?;

    // During checkout: the order is attached when there is one.
    let item = items(&anybody, 1).await?.remove(0);
    let session = shipping_checkout(&anybody, &[line(&item.id, 2)], NORTH_COUNTRY).await?;
    let checkout = json!({"checkout_session_id": session["id"]});
    sign_in_with(&aisle, NORTH, ADA, checkout).await?;
    let second = order_id(&complete(&anybody, &session).await?.json()).to_owned();

    // Signed in before: the order is theirs without a word.
    let shopper = aisle
        .north()
        .with_header("authorization", &format!("Bearer {}", ada.access_token));
    let third = order(&shopper).await?;

    // One that they know and that nobody has.
    let fourth = order(&anybody).await?;
    let attach = json!({"order_id": fourth});
    for _ in 0..2 {
        let call = ada.client.post("/accounts/me/orders").json(&attach);
        let attached = call.idempotency_key("attach").expect(200).await?.json();
        assert_eq!(attached.text("/id"), fourth);
    }

    let mut listed = Vec::new();
    let mut path = "/accounts/me/orders?limit=3".to_owned();
    loop {
        let page = ada.client.get(&path).expect(200).await?.json();
        let orders = page.list("/orders").iter();
        listed.extend(orders.map(|order| order.text("/id").to_owned()));
        match page.pointer("/pagination/cursor").and_then(Value::as_str) {
            Some(cursor) => path = format!("/accounts/me/orders?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(
        listed,
        [fourth, third, second, first],
        "the latest first, each once"
    );
    let orders = ada
        .client
        .get("/accounts/me/orders")
        .expect(200)
        .await?
        .json();
    let order = orders.at("/orders/2");
    assert_eq!(
        (order.number("/quantity"), order.text("/status")),
        (2, "confirmed")
    );
    assert!(
        order.text("/titles/0").starts_with(&item.title),
        "{order:#}"
    );

    // Devices that keep in step learn of all four.
    let sql = format!(
        "SELECT count(*) FROM account_change WHERE account_id = '{}' AND kind = 'order'",
        ada.account_id
    );
    assert_eq!(aisle.database.number(&sql).await?, 4);
    Ok(())
}

pub async fn a_till_code_is_short_lived_and_the_only_one(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    let issue = async || {
        ada.client
            .post("/accounts/me/customer-code")
            .expect(201)
            .await
    };
    let first = issue().await?.json();
    let code = first.text("/code");
    assert_eq!(first.text("/text"), format!("AISLE:C:{code}"));
    assert!(first.text("/svg").contains("<svg"), "{first:#}");
    let second = issue().await?.json();
    assert_ne!(second.text("/code"), code);
    let rows = aisle
        .database
        .rows("SELECT code_hash FROM customer_code")
        .await?;
    assert_eq!(rows.len(), 1, "the one that is on the screen");
    assert!(rows.iter().flatten().flatten().all(|hash| hash.len() == 64));
    for _ in 2..30 {
        issue().await?;
    }
    let refused = ada
        .client
        .post("/accounts/me/customer-code")
        .expect(429)
        .await?;
    assert_eq!(refused.headers["retry-after"], "600");
    Ok(())
}
