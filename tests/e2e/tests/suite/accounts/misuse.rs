//! What others try with codes, tokens and ids.

use std::cell::Cell;

use aisle_e2e::accounts::{channel, code, sign_in, sign_in_with, with_token};
use aisle_e2e::environment::{HARBOR, NORTH};
use aisle_e2e::json::Look;
use aisle_e2e::{Answer, Client, Environment, Neighbour, Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use super::{ADA, ADAS_PHONE, MINUTE_MS, order};

async fn guess(client: &Client, challenge: &str, code: &str) -> Result<(u16, Value)> {
    let request = json!({"challenge_id": challenge, "code": code, "device_name": "Any"});
    let answer = client
        .post("/accounts/sessions")
        .json(&request)
        .send()
        .await?;
    Ok((answer.status.as_u16(), answer.json()))
}

/// A code that is not this one.
fn another(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

fn over() -> (u16, Value) {
    (401, json!("code_over"))
}

fn refused((status, body): (u16, Value)) -> (u16, Value) {
    (status, body["code"].clone())
}

/// What an answer is like, without what differs from one code to the next.
fn outline(answer: &Answer, challenge: &str) -> (u16, Vec<String>, String) {
    let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let headers = [answer.header("location"), answer.header("set-cookie")].join(" ");
    let said = format!("{headers} {}", answer.text());
    let length = said.len();
    let said = said.replace(challenge, "CHALLENGE");
    // The instant at which the code is over.
    let said = said.split("\"expires_at\"").next().unwrap_or_default();
    (answer.status.as_u16(), names, format!("{length} {said}"))
}

pub async fn nobody_learns_who_is_known(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    sign_in(&aisle, NORTH, ADA).await?;
    sign_in(&aisle, NORTH, ADAS_PHONE).await?;
    let client = Client::new(aisle.addr(), NORTH);
    for (known, unknown) in [(ADA, "nobody@example.com"), (ADAS_PHONE, "+4915199999999")] {
        let mut told = Vec::new();
        for address in [known, unknown] {
            let request = json!({"channel": channel(address), "address": address});
            let sent = client.post("/accounts/codes").json(&request);
            let sent = sent.expect(202).await?;
            let challenge = sent.json().text("/challenge_id").to_owned();
            let wrong = guess(&client, &challenge, "not a code").await?;

            let form = format!("address={}", address.replace('+', "%2B"));
            let form = client
                .post("/accounts/web/codes")
                .text("application/x-www-form-urlencoded", form);
            let led = form.header("origin", &client.origin()).expect(303).await?;
            let place = led.header("location").to_owned();
            let (_, page_challenge) = place.split_once("challenge=").context("a challenge")?;
            let page_challenge = page_challenge.split('&').next().unwrap_or_default();
            let page = client.get(&place).expect(200).await?;
            told.push((
                outline(&sent, &challenge),
                wrong,
                outline(&led, page_challenge),
                outline(&page, page_challenge),
            ));
        }
        assert_eq!(told[0], told[1], "{known} and {unknown}");
    }

    // What nobody ever asked for is as over as what was used.
    let never = "0190a8c0-0000-7000-8000-000000000000";
    assert_eq!(refused(guess(&client, never, "123456").await?), over());
    Ok(())
}

pub async fn guesses_are_counted_however_they_come(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let neighbour = aisle.neighbour().await?;
    let (challenge, code) = code(&aisle, NORTH, ADA).await?;
    let wrong = another(&code);
    let answers = at_once(&aisle, &neighbour, 24, (&challenge, wrong)).await?;
    let counted = answers
        .iter()
        .filter(|answer| answer.1 == "wrong_code")
        .count();
    assert_eq!(counted, 5, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| *status == 401));
    let client = Client::new(aisle.addr(), NORTH);
    assert_eq!(
        refused(guess(&client, &challenge, &code).await?),
        over(),
        "the right one, too late"
    );
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM account")
            .await?,
        0
    );

    // The right one at the same moment, many times: one of them signs in.
    let (challenge, code) = aisle_e2e::accounts::code(&aisle, NORTH, ADA).await?;
    let answers = at_once(&aisle, &neighbour, 8, (&challenge, &code)).await?;
    let signed_in = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(signed_in, 1, "{answers:?}");
    assert_eq!(
        aisle
            .database
            .number("SELECT count(*) FROM account_session")
            .await?,
        1
    );
    Ok(())
}

/// The same guess many times at the same moment, by turns in this process and in another.
async fn at_once(
    aisle: &Environment,
    neighbour: &Neighbour,
    count: usize,
    (challenge, code): (&str, &str),
) -> Result<Vec<(u16, Value)>> {
    let mut running = tokio::task::JoinSet::new();
    for number in 0..count {
        let client = match number % 2 {
            0 => Client::new(aisle.addr(), NORTH),
            _ => neighbour.client(NORTH),
        };
        let (challenge, code) = (challenge.to_owned(), code.to_owned());
        running.spawn(async move { guess(&client, &challenge, &code).await.map(refused) });
    }
    running.join_all().await.into_iter().collect()
}

pub async fn a_code_is_for_its_address_its_brand_and_once(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let (north, harbor) = (
        Client::new(aisle.addr(), NORTH),
        Client::new(aisle.addr(), HARBOR),
    );
    let (eves, eves_code) = code(&aisle, NORTH, "eve@example.com").await?;
    let (adas, adas_code) = code(&aisle, NORTH, ADA).await?;
    if eves_code != adas_code {
        assert_eq!(
            refused(guess(&north, &adas, &eves_code).await?),
            (401, json!("wrong_code"))
        );
    }
    assert_eq!(refused(guess(&harbor, &adas, &adas_code).await?), over());
    assert_eq!(guess(&north, &adas, &adas_code).await?.0, 201);
    assert_eq!(refused(guess(&north, &adas, &adas_code).await?), over());

    // A new code does not end the one before it: anybody can ask for one.
    let (again, again_code) = code(&aisle, NORTH, "eve@example.com").await?;
    assert_eq!(guess(&north, &eves, &eves_code).await?.0, 201);
    aisle.database.set_clock_forward_ms(10 * MINUTE_MS).await?;
    assert_eq!(refused(guess(&north, &again, &again_code).await?), over());

    // A sign-in that is sent twice is one session, whose tokens are shown once.
    let (challenge, right) = code(&aisle, NORTH, ADA).await?;
    let request = json!({"challenge_id": challenge, "code": right, "device_name": "Any"});
    let send = || {
        north
            .post("/accounts/sessions")
            .idempotency_key("k")
            .json(&request)
    };
    let first = send().expect(201).await?.json();
    let second = send().expect(201).await?.json();
    assert_eq!(first["session_id"], second["session_id"]);
    assert!(first["access_token"].is_string() && second.get("access_token").is_none());

    // Nothing that lets anybody in is kept as it is, nor what the code was.
    let tokens = [first.text("/access_token"), first.text("/refresh_token")];
    assert_eq!(aisle.database.search(&tokens).await?, Vec::<String>::new());
    for table in [
        "account_session",
        "account_refresh",
        "one_time_code",
        "idempotency",
    ] {
        let all = format!("SELECT * FROM {table}");
        let rows = aisle.database.rows(&all).await?;
        let kept = rows
            .iter()
            .flatten()
            .flatten()
            .any(|column| *column == adas_code);
        assert!(!kept, "{table} keeps the code");
    }
    Ok(())
}

/// Sixty wrong codes in a quarter of an hour, for whatever challenges and in whatever process.
/// After that a network has one guess at each: whoever has the code gets in.
pub async fn who_guesses_at_many_codes_is_stopped(pair: Pair) -> Result<()> {
    const CHALLENGES: usize = 12;
    let aisle = Setup::demo(pair).start().await?;
    let neighbour = aisle.neighbour().await?;
    let clients = [Client::new(aisle.addr(), NORTH), neighbour.client(NORTH)];
    let (last, last_code) = code(&aisle, NORTH, ADA).await?;
    let (guessed, guessed_code) = code(&aisle, NORTH, "eve@example.com").await?;
    let (harbors, harbors_code) = code(&aisle, HARBOR, ADA).await?;
    for number in 0..CHALLENGES {
        let address = format!("n{number}@example.com");
        let (challenge, right) = code(&aisle, NORTH, &address).await?;
        for attempt in 0..5 {
            let client = &clients[(number + attempt) % 2];
            let answer = guess(client, &challenge, another(&right)).await?;
            assert_eq!(refused(answer), (401, json!("wrong_code")));
        }
    }
    let wrong = guess(&clients[0], &guessed, another(&guessed_code)).await?;
    assert_eq!(refused(wrong), (401, json!("wrong_code")));
    for client in &clients {
        let request = json!({"challenge_id": guessed, "code": guessed_code, "device_name": "Any"});
        let answer = client.post("/accounts/sessions").json(&request).expect(429);
        let answer = answer.await?;
        assert_eq!(answer.json()["code"], "too_many_tries");
        assert_eq!(answer.header("retry-after"), "900");
    }
    assert_eq!(guess(&clients[1], &last, &last_code).await?.0, 201);
    let harbor = Client::new(aisle.addr(), HARBOR);
    assert_eq!(guess(&harbor, &harbors, &harbors_code).await?.0, 201);
    aisle
        .database
        .set_clock_forward_ms(15 * MINUTE_MS + 1_000)
        .await?;
    sign_in(&aisle, NORTH, ADA).await?;
    Ok(())
}

pub async fn codes_are_limited(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let neighbour = aisle.neighbour().await?;
    let turn = Cell::new(0);
    // By turns in this process and in another.
    let send = async |host: &str, address: &str| -> Result<(u16, Option<String>)> {
        turn.set(turn.get() + 1);
        let client = match turn.get() % 2 {
            0 => Client::new(aisle.addr(), host),
            _ => neighbour.client(host),
        };
        let request = json!({"channel": "email", "address": address});
        let answer = client.post("/accounts/codes").json(&request).send().await?;
        let after = answer
            .headers
            .get("retry-after")
            .and_then(|after| after.to_str().ok());
        Ok((answer.status.as_u16(), after.map(Into::into)))
    };
    for _ in 0..5 {
        assert_eq!(send(NORTH, ADA).await?.0, 202);
    }
    assert_eq!(send(NORTH, ADA).await?, (429, Some("900".into())));
    assert_eq!(
        send(NORTH, "Ada@EXAMPLE.com").await?.0,
        429,
        "the same address"
    );
    assert_eq!(send(HARBOR, ADA).await?.0, 202, "a brand of its own");
    for number in 5..30 {
        assert_eq!(send(NORTH, &format!("n{number}@example.com")).await?.0, 202);
    }
    assert_eq!(
        send(NORTH, "one-more@example.com").await?.0,
        429,
        "the caller"
    );
    aisle
        .database
        .set_clock_forward_ms(15 * MINUTE_MS + 1_000)
        .await?;
    assert_eq!(send(NORTH, ADA).await?.0, 202);
    let names = aisle.database.rows("SELECT name FROM rate_limit").await?;
    assert!(
        names
            .iter()
            .flatten()
            .flatten()
            .all(|name| !name.contains("example"))
    );
    Ok(())
}

pub async fn what_belongs_to_somebody_else_stays_theirs(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let adas = order(&aisle.north()).await?;
    let ada = sign_in_with(&aisle, NORTH, ADA, json!({"order_id": adas})).await?;
    let eve = sign_in(&aisle, NORTH, "eve@example.com").await?;

    other_brands_know_nobody(&aisle, &ada.access_token, &adas).await?;
    let path = format!("/accounts/me/sessions/{}", ada.session_id);
    eve.client.call(Method::DELETE, &path).expect(404).await?;
    let attach = json!({"order_id": adas});
    eve.client
        .post("/accounts/me/orders")
        .json(&attach)
        .expect(404)
        .await?;
    let (challenge, code) = code(&aisle, NORTH, "eve@example.com").await?;
    let request =
        json!({"challenge_id": challenge, "code": code, "device_name": "Any", "order_id": adas});
    let client = Client::new(aisle.addr(), NORTH);
    let refused = client
        .post("/accounts/sessions")
        .json(&request)
        .expect(409)
        .await?
        .json();
    assert_eq!(refused["code"], "order_taken");

    // A code for one's own address adds it; Ada's is Ada's, even for who has her code.
    let (challenge, code) = aisle_e2e::accounts::code(&aisle, NORTH, ADA).await?;
    let proof = json!({"challenge_id": challenge, "code": code});
    let refused = eve
        .client
        .post("/accounts/me/identities")
        .json(&proof)
        .expect(409)
        .await?;
    assert_eq!(refused.json()["code"], "identity_taken");

    // A cursor belongs to its account.
    let second = order(&aisle.north()).await?;
    ada.client
        .post("/accounts/me/orders")
        .json(&json!({"order_id": second}))
        .expect(200)
        .await?;
    let page = ada
        .client
        .get("/accounts/me/orders?limit=1")
        .expect(200)
        .await?
        .json();
    let path = format!(
        "/accounts/me/orders?cursor={}",
        page.text("/pagination/cursor")
    );
    ada.client.get(&path).expect(200).await?;
    eve.client.get(&path).expect(400).await?;
    assert!(
        eve.client
            .get("/accounts/me/orders")
            .expect(200)
            .await?
            .json()
            .list("/orders")
            .is_empty()
    );
    Ok(())
}

async fn other_brands_know_nobody(aisle: &Environment, token: &str, order: &str) -> Result<()> {
    let elsewhere = with_token(aisle, HARBOR, token);
    for path in [
        "/accounts/me",
        "/accounts/me/orders",
        "/accounts/me/sessions",
        "/accounts/me/export",
    ] {
        elsewhere.get(path).expect(403).await?;
    }
    for path in ["/accounts/me/customer-code", "/accounts/sign-out"] {
        elsewhere.post(path).expect(403).await?;
    }
    let attach = json!({"order_id": order});
    elsewhere
        .post("/accounts/me/orders")
        .json(&attach)
        .expect(403)
        .await?;
    elsewhere
        .call(Method::PATCH, "/accounts/me")
        .json(&json!({}))
        .expect(403)
        .await?;
    elsewhere
        .call(Method::DELETE, "/accounts/me")
        .expect(403)
        .await?;
    // The same address is another person there.
    let there = sign_in(aisle, HARBOR, ADA).await?;
    there
        .client
        .post("/accounts/me/orders")
        .json(&attach)
        .expect(404)
        .await?;
    Ok(())
}
