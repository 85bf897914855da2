//! Addresses by which an account is known: given up, and then anybody's.

use aisle_e2e::accounts::{Device, code, sign_in, sign_in_with, with_token};
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use super::{ADA, ADAS_PHONE, MINUTE_MS, order};

const EVE: &str = "eve@example.com";

async fn add(aisle: &Environment, device: &Device, address: &str) -> Result<()> {
    let (challenge, code) = code(aisle, NORTH, address).await?;
    let proof = json!({"challenge_id": challenge, "code": code});
    let call = device.client.post("/accounts/me/identities").json(&proof);
    call.expect(200).await?;
    Ok(())
}

/// What the account calls an address.
async fn id_of(device: &Device, address: &str) -> Result<String> {
    let me = device.client.get("/accounts/me").expect(200).await?.json();
    let mut own = me.list("/identities").iter();
    let own = own.find(|one| one["address"] == address);
    Ok(own.context("no such address")?.text("/id").to_owned())
}

async fn remove(client: &Client, id: &str, key: Option<&str>, proof: &Value) -> Result<Answer> {
    let path = format!("/accounts/me/identities/{id}");
    let mut call = client.call(Method::DELETE, &path);
    if !proof.is_null() {
        call = call.json(proof);
    }
    if let Some(key) = key {
        call = call.idempotency_key(key);
    }
    call.send().await
}

fn refused(answer: &Answer) -> (u16, String) {
    let code = answer.json().text("/code").to_owned();
    (answer.status.as_u16(), code)
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.into())
}

pub async fn an_address_is_given_up(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let placed = order(&aisle.north()).await?;
    let ada = sign_in_with(&aisle, NORTH, ADA, json!({"order_id": placed})).await?;
    add(&aisle, &ada, ADAS_PHONE).await?;
    let contact = json!({"channel": "sms", "active": true, "address": ADAS_PHONE, "consent": {"version": "2026-11"}});
    let told = ada.client.put(&format!("/orders/{placed}/notifications"));
    told.json(&json!({"contacts": [contact]}))
        .expect(200)
        .await?;
    aisle.send_messages().await?;
    let waiting = format!(
        "INSERT INTO message (id, brand_id, dedup_key, channel, address, purpose, template, locale, params, order_id, \
         status, next_attempt_at_ms, expires_at_ms, created_at_ms, updated_at_ms) SELECT 'm-1', brand_id, 'm-1', 'sms', \
         '{ADAS_PHONE}', 'update', 'order_ready', 'de', '{{\"number\":\"1\"}}', id, 'queued', 9000000000000, 9000000000000, 0, 0 \
         FROM customer_order WHERE id = '{placed}'"
    );
    aisle.database.rows(&waiting).await?;
    let link = format!(
        "INSERT INTO invite (id, brand_id, code_hash, scope, subject_id, account_id, channel, address, locale, created_at_ms, \
         expires_at_ms) SELECT 'i-1', brand_id, 'h', 'account', id, id, 'sms', '{ADAS_PHONE}', 'de', 0, 9000000000000 \
         FROM account WHERE id = '{}'",
        ada.account_id
    );
    aisle.database.rows(&link).await?;

    let (mail, phone) = (id_of(&ada, ADA).await?, id_of(&ada, ADAS_PHONE).await?);
    let gone = remove(&ada.client, &phone, Some("give-up"), &Value::Null).await?;
    assert_eq!(gone.status, 200, "{gone:?}");
    let me = ada.client.get("/accounts/me").expect(200).await?;
    assert_eq!(
        (me.json(), &me.headers["etag"]),
        (gone.json(), &gone.headers["etag"])
    );
    assert_eq!(me.json().list("/identities").len(), 1);
    let again = remove(&ada.client, &phone, Some("give-up"), &Value::Null).await?;
    assert_eq!((again.status, again.body), (gone.status, gone.body));
    let other = remove(&ada.client, &mail, Some("give-up"), &Value::Null).await?;
    assert_eq!(refused(&other), refusal(422, "idempotency_conflict"));
    let twice = remove(&ada.client, &phone, None, &Value::Null).await?;
    assert_eq!(refused(&twice), refusal(404, "identity_not_found"));
    let last = remove(&ada.client, &mail, None, &Value::Null).await?;
    assert_eq!(refused(&last), refusal(409, "last_identity"));

    // Nothing goes there any more.
    for (what, rows) in [
        (
            "message WHERE id = 'm-1' AND status = 'suppressed' AND params = '{}'",
            1,
        ),
        ("invite WHERE id = 'i-1' AND revoked_at_ms IS NOT NULL", 1),
        (
            "order_contact WHERE channel = 'sms' AND ended_at_ms IS NULL",
            0,
        ),
        ("account_identity", 1),
    ] {
        let sql = format!("SELECT count(*) FROM {what}");
        assert_eq!(aisle.database.number(&sql).await?, rows, "{what}");
    }

    // Nobody gets to Ada's account with it: it can become anybody's.
    let eve = sign_in(&aisle, NORTH, EVE).await?;
    add(&aisle, &eve, ADAS_PHONE).await?;
    let with_it = sign_in(&aisle, NORTH, ADAS_PHONE).await?;
    assert_eq!(with_it.account_id, eve.account_id);
    Ok(())
}

pub async fn an_address_is_given_up_by_its_person_only(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    add(&aisle, &ada, ADAS_PHONE).await?;
    let eve = sign_in(&aisle, NORTH, EVE).await?;
    add(&aisle, &eve, "eve@example.org").await?;
    let phone = id_of(&ada, ADAS_PHONE).await?;
    let tried = async |client: &Client, id: &str, proof: Value| -> Result<(u16, String)> {
        Ok(refused(&remove(client, id, None, &proof).await?))
    };
    let nothing = || Value::Null;
    let missing = refusal(404, "identity_not_found");
    assert_eq!(tried(&eve.client, &phone, nothing()).await?, missing);
    assert_eq!(tried(&ada.client, "x", nothing()).await?, missing);
    let elsewhere = with_token(&aisle, HARBOR, &ada.access_token);
    assert_eq!(tried(&elsewhere, &phone, nothing()).await?.0, 403);
    assert_eq!(tried(&aisle.north(), &phone, nothing()).await?.0, 401);
    let nonsense = remove(&ada.client, &phone, None, &json!({"code": 1})).await?;
    assert_eq!(
        (nonsense.status.as_u16(), &nonsense.json()["path"]),
        (400, &json!("$.code"))
    );
    let path = format!("/accounts/me/identities/{phone}");
    ada.client.get(&path).expect(405).await?;

    aisle
        .database
        .set_clock_forward_ms(10 * MINUTE_MS + 1_000)
        .await?;
    let unsure = refusal(403, "fresh_sign_in_needed");
    let (challenge, right) = code(&aisle, NORTH, "ada@example.org").await?;
    let proof = json!({"challenge_id": challenge, "code": right});
    let added = ada.client.post("/accounts/me/identities").json(&proof);
    assert_eq!(refused(&added.send().await?), unsure, "nor is one added");
    assert_eq!(tried(&ada.client, &phone, nothing()).await?, unsure);
    let (challenge, eves) = code(&aisle, NORTH, EVE).await?;
    let proof = json!({"challenge_id": challenge, "code": eves});
    assert_eq!(tried(&ada.client, &phone, proof).await?, unsure);
    let (challenge, right) = code(&aisle, NORTH, ADA).await?;
    let wrong = json!({"challenge_id": challenge, "code": "000 00"});
    assert_eq!(
        tried(&ada.client, &phone, wrong).await?,
        refusal(401, "wrong_code")
    );
    let count = "SELECT count(*) FROM account_identity";
    assert_eq!(
        aisle.database.number(count).await?,
        4,
        "nothing has changed"
    );
    let proof = json!({"challenge_id": challenge, "code": right});
    let gone = remove(&ada.client, &phone, Some("with-code"), &proof).await?;
    assert_eq!(gone.status, 200, "{gone:?}");
    let again = remove(&ada.client, &phone, Some("with-code"), &proof).await?;
    assert_eq!((again.status, again.body), (gone.status, gone.body));
    Ok(())
}

/// Two devices give up one address each, at the same moment.
pub async fn one_address_stays(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let ada = sign_in(&aisle, NORTH, ADA).await?;
    add(&aisle, &ada, ADAS_PHONE).await?;
    let (mail, phone) = (id_of(&ada, ADA).await?, id_of(&ada, ADAS_PHONE).await?);
    let nothing = Value::Null;
    let (one, other) = tokio::try_join!(
        remove(&ada.client, &mail, None, &nothing),
        remove(&ada.client, &phone, None, &nothing)
    )?;
    let mut answers = [one.status.as_u16(), other.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 409]);
    let me = ada.client.get("/accounts/me").expect(200).await?.json();
    assert_eq!(me.list("/identities").len(), 1, "{me:#}");
    Ok(())
}
