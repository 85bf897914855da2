//! Pages without a script: forms, redirects, cookies.

use std::collections::BTreeMap;

use aisle_e2e::accounts::code_of;
use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::phone::Phone;
use aisle_e2e::{Answer, Client, Environment, Pair, Setup};
use anyhow::{Context, Result};
use http::Method;
use serde_json::json;

use super::{ADA, ADAS_PHONE, MINUTE_MS, order, until_refused};
use crate::invites::link_code;

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a form as a browser on our own page does.
async fn submit(client: &Client, path: &str, cookies: &str, form: &str) -> Result<Answer> {
    let call = client.post(path).text(FORM, form.to_owned());
    call.header("origin", &client.origin())
        .header("cookie", cookies)
        .send()
        .await
}

fn location(answer: &Answer) -> &str {
    answer.headers["location"].to_str().unwrap_or_default()
}

fn field<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let query = path.split_once('?')?.1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The cookies that an answer sets, by name.
fn cookies(answer: &Answer) -> BTreeMap<String, String> {
    let set = answer.headers.get_all("set-cookie").iter();
    let set: Vec<&str> = set.filter_map(|cookie| cookie.to_str().ok()).collect();
    for cookie in &set {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }
    let pairs = set
        .into_iter()
        .filter_map(|cookie| cookie.split(';').next()?.split_once('='));
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// Signs a browser in: the value of its `Cookie` header.
async fn browser(aisle: &Environment, client: &Client) -> Result<String> {
    let sent = submit(
        client,
        "/accounts/web/codes",
        "",
        "address=ada%40example.com&return_to=%2Fmy%2Forders%2F1",
    )
    .await?;
    assert_eq!(sent.status, 303, "{sent:?}");
    assert!(
        location(&sent).starts_with("/my/sign-in?challenge="),
        "{sent:?}"
    );
    assert_eq!(field(location(&sent), "return_to"), Some("/my/orders/1"));
    let challenge = field(location(&sent), "challenge").context("no challenge")?;
    let code = code_of(&aisle.database, challenge).await?;
    let form = format!("challenge={challenge}&code={code}&return_to=%2Fmy%2Forders%2F1");
    let signed_in = submit(client, "/accounts/web/sessions", "", &form).await?;
    assert_eq!(
        (signed_in.status.as_u16(), location(&signed_in)),
        (303, "/my/orders/1"),
        "{signed_in:?}"
    );
    let cookies = cookies(&signed_in);
    Ok(format!(
        "aisle_session={}; aisle_refresh={}",
        cookies["aisle_session"], cookies["aisle_refresh"]
    ))
}

/// Over TLS a neighbour of the same domain can put no cookie in the place of ours.
pub async fn over_tls_cookies_are_the_hosts_own(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    let hosts = brand["hosts"].as_array_mut().context("no hosts")?;
    hosts.push(json!("shop.example"));
    let put = admin.put("/admin/brands/north").json(&brand);
    put.expect(200).await?;
    aisle.drain_outbox().await?;

    // TLS ends in front of the edge, for every host of the public.
    let client = Client::new(aisle.addr(), "shop.example");
    let form = "address=ada%40example.com";
    let sent = submit(&client, "/accounts/web/codes", "", form).await?;
    let challenge = field(location(&sent), "challenge").context("no challenge")?;
    let code = code_of(&aisle.database, challenge).await?;
    let form = format!("challenge={challenge}&code={code}");
    let signed_in = submit(&client, "/accounts/web/sessions", "", &form).await?;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    for set in signed_in.headers.get_all("set-cookie") {
        let set = set.to_str()?;
        assert!(set.starts_with("__Host-aisle_"), "{set}");
        assert!(
            set.contains("; Path=/;") && set.ends_with("; Secure"),
            "{set}"
        );
        assert!(!set.contains("Domain"), "{set}");
    }
    let cookies = cookies(&signed_in);
    let token = &cookies["__Host-aisle_session"];
    let me = |cookie: String| client.get("/accounts/me").header("cookie", &cookie).send();
    let own = me(format!("__Host-aisle_session={token}")).await?;
    assert_eq!(own.status, 200, "{own:?}");
    let planted = me(format!("aisle_session={token}")).await?;
    assert_eq!(planted.status, 401, "{planted:?}");
    Ok(())
}

pub async fn a_browser_signs_in_without_a_script(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let client = Client::new(aisle.addr(), NORTH);
    let jar = browser(&aisle, &client).await?;
    let me = client
        .get("/accounts/me")
        .header("cookie", &jar)
        .expect(200)
        .await?
        .json();
    assert_eq!(me.text("/identities/0/address"), ADA);

    // The access cookie is over: a page leads here, and back.
    let path = "/accounts/web/refresh?return_to=/my/orders";
    let refreshed = client.get(path).header("cookie", &jar).expect(303).await?;
    assert_eq!(location(&refreshed), "/my/orders");
    let fresh = cookies(&refreshed);
    let again = client.get(path).header("cookie", &jar).expect(303).await?;
    assert_eq!(cookies(&again), fresh, "two windows of one browser");
    let fresh = format!(
        "aisle_session={}; aisle_refresh={}",
        fresh["aisle_session"], fresh["aisle_refresh"]
    );
    client
        .get("/accounts/me")
        .header("cookie", &fresh)
        .expect(200)
        .await?;
    let nobody = client.get(path).expect(303).await?;
    assert_eq!(location(&nobody), "/my/sign-in?return_to=/my/orders");

    let out = submit(
        &client,
        "/accounts/web/sign-out",
        &fresh,
        "return_to=%2Fmy%2Forders",
    )
    .await?;
    assert_eq!(out.status, 303);
    assert!(cookies(&out).values().all(String::is_empty));
    let token = fresh.split(['=', ';']).nth(1).unwrap_or_default();
    until_refused(&aisle_e2e::accounts::with_token(&aisle, NORTH, token)).await?;

    // What is wrong is told on the page.
    let wrong = submit(&client, "/accounts/web/codes", "", "address=nonsense").await?;
    assert_eq!(wrong.status, 303);
    assert!(field(location(&wrong), "error").is_some(), "{wrong:?}");
    let wrong = submit(&client, "/accounts/web/sessions", "", "challenge=x&code=1").await?;
    assert_eq!(field(location(&wrong), "error"), Some("code_over"));
    Ok(())
}

/// An access token lasts minutes, the link that a browser holds beside it a month.
pub async fn a_link_does_not_hide_who_is_signed_in(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let guest = aisle.north();
    let ordered = order(&guest).await?;
    let invite = json!({
        "scope": "order", "id": ordered, "address": ADAS_PHONE, "consent": {"wording_version": "2026-11"},
    });
    let invite = guest.post("/invites").json(&invite);
    let invite = invite.expect(201).await?.json();
    let link = format!("/i/{}", link_code(&aisle, invite.text("/id")).await?);
    let page = format!("/my/orders/{ordered}");
    let phone = Phone::new(&aisle, NORTH, "en");
    phone.open(&link).await?.must_be(&page)?;
    phone.open("/my/orders").await?.must_be(&page)?;

    let home = [("address", ADA), ("return_to", "/my/orders")];
    let asked = phone.submit("/accounts/web/codes", &home).await?;
    let challenge = asked.parameter("challenge")?;
    let code = code_of(&aisle.database, challenge).await?;
    let form = [
        ("challenge", challenge),
        ("code", code.as_str()),
        ("return_to", "/my/orders"),
    ];
    let signed_in = phone.submit("/accounts/web/sessions", &form).await?;
    signed_in.must_be("/my/orders")?;
    phone.forget("aisle_session");
    phone.open("/my/orders").await?.must_be("/my/orders")?;

    // Who is signed in no more still has the link.
    let over = "UPDATE account_session SET revoked_at_ms = 1";
    aisle.database.rows(over).await?;
    phone.forget("aisle_session");
    phone.open(&page).await?.must_be(&page)?;
    phone.open("/my/orders").await?.must_be(&page)?;
    Ok(())
}

/// What the page to which an answer leads says is wrong, in a language, and whether it asks
/// for a code.
async fn said(client: &Client, answer: &Answer, language: &str) -> Result<(String, bool)> {
    assert_eq!(answer.status, 303, "{answer:?}");
    let page = client
        .get(location(answer))
        .header("accept-language", language);
    let page = page.expect(200).await?;
    let html = page.text();
    let (_, notice) = html
        .split_once("role=\"alert\">")
        .context("nothing is said")?;
    let notice = notice
        .split('<')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    Ok((notice, html.contains("action=\"/accounts/web/sessions\"")))
}

pub async fn the_sign_in_page_says_what_is_wrong(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let client = Client::new(aisle.addr(), NORTH);
    let send = async |address: &str| {
        let form = format!("address={address}&return_to=%2Fmy%2Forders");
        submit(&client, "/accounts/web/codes", "", &form).await
    };
    let guess = async |challenge: &str, code: &str| {
        let form = format!("challenge={challenge}&code={code}&return_to=%2Fmy%2Forders");
        submit(&client, "/accounts/web/sessions", "", &form).await
    };
    let challenge = async |address: &str| -> Result<(String, String)> {
        let sent = send(address).await?;
        let challenge = field(location(&sent), "challenge").context("no challenge")?;
        Ok((challenge.into(), code_of(&aisle.database, challenge).await?))
    };
    let other = |code: &str| if code == "000000" { "000001" } else { "000000" };

    let unreachable = send("nobody").await?;
    assert_eq!(
        said(&client, &unreachable, "en").await?,
        (
            "We cannot send a code there. Please check the number or address.".into(),
            false
        )
    );
    let (first, code) = challenge("ada%40example.com").await?;
    let wrong = guess(&first, other(&code)).await?;
    for (language, sentence) in [
        (
            "en",
            "This is not the code that we sent you. Please check it.",
        ),
        ("es", "Este no es el código que te enviamos. Revísalo."),
        (
            "de",
            "Das ist nicht der Code, den wir dir geschickt haben. Bitte prüfe ihn.",
        ),
    ] {
        assert_eq!(
            said(&client, &wrong, language).await?,
            (sentence.into(), true)
        );
    }

    // Used; guessed at too often; expired: each is over, and the page asks for an address.
    let signed_in = guess(&first, &code).await?;
    assert_eq!(location(&signed_in), "/my/orders");
    let used = guess(&first, &code).await?;
    let (second, code) = challenge("ben%40example.com").await?;
    for _ in 0..5 {
        guess(&second, other(&code)).await?;
    }
    let guessed = guess(&second, &code).await?;
    let (third, code) = challenge("eve%40example.com").await?;
    aisle
        .database
        .set_clock_forward_ms(10 * MINUTE_MS + 1_000)
        .await?;
    let expired = guess(&third, &code).await?;
    for over in [used, guessed, expired] {
        for (language, sentence) in [
            (
                "en",
                "This code has expired or was used before. Ask for a new one.",
            ),
            ("es", "Este código ha caducado o ya se usó. Pide uno nuevo."),
            (
                "de",
                "Dieser Code ist abgelaufen oder schon verwendet. Fordere einen neuen an.",
            ),
        ] {
            assert_eq!(
                said(&client, &over, language).await?,
                (sentence.into(), false)
            );
        }
    }

    // Too many wrong ones from one caller, and too many codes to one address.
    let (fourth, code) = challenge("fay%40example.com").await?;
    let mut refused = guess(&fourth, &code[1..]).await?;
    for _ in 0..60 {
        if field(location(&refused), "error") == Some("too_many_tries") {
            break;
        }
        refused = guess("x", &code).await?;
    }
    let mut unsent = send("gil%40example.com").await?;
    for _ in 0..5 {
        unsent = send("gil%40example.com").await?;
    }
    for often in [refused, unsent] {
        for (language, sentence) in [
            (
                "en",
                "Those were too many tries. Please wait a while, then try again.",
            ),
            (
                "es",
                "Han sido demasiados intentos. Espera un poco y vuelve a probar.",
            ),
            (
                "de",
                "Das waren zu viele Versuche. Bitte warte eine Weile und versuche es dann noch einmal.",
            ),
        ] {
            assert_eq!(said(&client, &often, language).await?.0, sentence);
        }
    }
    Ok(())
}

pub async fn another_site_cannot_use_a_cookie(pair: Pair) -> Result<()> {
    let aisle = Setup::demo(pair).start().await?;
    let client = Client::new(aisle.addr(), NORTH);
    let jar = browser(&aisle, &client).await?;
    let patch = |name: &'static str, value: &str| {
        let call = client
            .call(Method::PATCH, "/accounts/me")
            .header("cookie", &jar);
        call.json(&json!({"name": "Eve"}))
            .header(name, value)
            .send()
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("x-nothing", "at all"),
    ] {
        let answer = patch(name, value).await?;
        assert_eq!(
            answer.json()["code"],
            "cross_origin",
            "{name}: {value}: {answer:?}"
        );
    }
    assert_eq!(patch("sec-fetch-site", "same-origin").await?.status, 200);

    for path in ["codes", "sessions", "refresh", "sign-out"] {
        let call = client
            .post(&format!("/accounts/web/{path}"))
            .text(FORM, "address=a");
        let call = call
            .header("origin", "https://evil.example")
            .header("cookie", &jar);
        call.expect(403).await?;
    }
    client
        .get("/accounts/me")
        .header("cookie", &jar)
        .expect(200)
        .await?;

    // Nobody is led away.
    for bad in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%0D%0ASet-Cookie%3Aa",
    ] {
        let out = submit(
            &client,
            "/accounts/web/sign-out",
            "",
            &format!("return_to={bad}"),
        )
        .await?;
        assert_eq!(location(&out), "/my/orders", "{bad}");
    }
    let json = client
        .post("/accounts/web/codes")
        .json(&json!({"address": ADA}));
    json.header("origin", &client.origin()).expect(415).await?;
    let long = format!("address={}", "x".repeat(9_000));
    assert_eq!(
        submit(&client, "/accounts/web/codes", "", &long)
            .await?
            .status,
        413
    );
    Ok(())
}
