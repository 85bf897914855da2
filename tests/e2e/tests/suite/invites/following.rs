//! Following links, by people and by programs.

use aisle_e2e::environment::NORTH;
use aisle_e2e::json::Look;
use aisle_e2e::phone::Phone;
use aisle_e2e::{Answer, Client, Environment, Pair};
use anyhow::Result;
use http::Method;
use serde_json::json;

use super::scene::{Account, NUMBER, PHONE, Scene, ask, browser, cart, code, code_of, request};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

const PREVIEWERS: [&str; 11] = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 \
     Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Viber/20.0",
];
const PROGRAMS: [&str; 4] = [
    "curl/8.5.0",
    "python-requests/2.32",
    "okhttp/4.12.0",
    "SafeLinks",
];

async fn opened(aisle: &Environment, invite: &str) -> Result<bool> {
    let shown = aisle
        .north()
        .get(&format!("/invites/{invite}"))
        .expect(200)
        .await?
        .json();
    Ok(shown.get("opened_at").is_some())
}

fn leads_to(answer: &Answer, place: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, place),
        "{answer:?}"
    );
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
}

pub async fn previewers_and_scanners_use_nothing_up(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (invite, code) = scene.invite(NUMBER).await?;
    let (path, page) = (
        format!("/i/{code}"),
        format!("/my/orders/{}", scene.order_id),
    );
    aisle.send_messages().await?;
    let before = aisle.database.snapshot().await?;
    for _ in 0..3 {
        for agent in PREVIEWERS {
            let seen = Client::new(aisle.addr(), NORTH).with_header("user-agent", agent);
            let seen = seen.get(&path).expect(200).await?;
            assert_eq!(seen.header("set-cookie"), "");
            let text = seen.text();
            assert!(
                text.contains(r#"property="og:title" content="Northfell""#),
                "{text}"
            );
            for secret in [
                scene.order_id.as_str(),
                code.as_str(),
                "78",
                "Ada",
                "example.com",
            ] {
                assert!(!text.contains(secret), "{secret} is in {text}");
            }
        }
        for agent in PROGRAMS {
            let seen = Client::new(aisle.addr(), NORTH).with_header("user-agent", agent);
            leads_to(&seen.get(&path).expect(303).await?, &page);
        }
        let phone = || Client::new(aisle.addr(), NORTH).with_header("user-agent", PHONE);
        phone().call(Method::HEAD, &path).expect(303).await?;
        phone()
            .get(&path)
            .header("sec-purpose", "prefetch;prerender")
            .expect(303)
            .await?;
        phone()
            .get(&path)
            .header("purpose", "prefetch")
            .expect(303)
            .await?;
    }
    aisle.drain_outbox().await?;
    let changed = aisle_e2e::database::difference(&before, &aisle.database.snapshot().await?);
    let changed: Vec<_> = changed
        .keys()
        .filter(|table| !table.contains("message") && **table != "notice")
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(!opened(aisle, invite.text("/id")).await?);

    // Then its owner comes, again and again.
    for _ in 0..3 {
        let led = browser(aisle).get(&path).expect(303).await?;
        leads_to(&led, &page);
        let cookie = led.header("set-cookie");
        assert!(
            cookie.starts_with(&format!("aisle_link={code}; ")),
            "{cookie}"
        );
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        // The cookie opens what the link is for.
        let holder = browser(aisle).with_header("cookie", &format!("aisle_link={code}"));
        let list = format!("/invites?order={}", scene.order_id);
        assert_eq!(
            holder
                .get(&list)
                .expect(200)
                .await?
                .json()
                .list("/invites")
                .len(),
            1
        );
    }
    assert!(opened(aisle, invite.text("/id")).await?);
    // So it does for who is signed in to another account than the order's.
    let owner = Account::new(aisle, NORTH).await?;
    scene.give_order_to(&owner).await?;
    let other = Account::new(aisle, NORTH).await?;
    let list = format!("/invites?order={}", scene.order_id);
    other.browser(aisle).get(&list).expect(404).await?;
    let both = format!("aisle_session={}; aisle_link={code}", other.token);
    let holder = browser(aisle).with_header("cookie", &both);
    holder.get(&list).expect(200).await?;
    // As it was read off another screen.
    let typed = code.to_uppercase().replace('0', "O").replace('1', "L");
    leads_to(
        &browser(aisle)
            .get(&format!("/i/{typed}"))
            .expect(303)
            .await?,
        &page,
    );

    // An app is told what it is for.
    let app = Client::new(aisle.addr(), NORTH).with_header("accept", "application/json");
    let target = app.get(&path).expect(200).await?.json();
    assert_eq!(
        (target.text("/scope"), target.text("/subject_id")),
        ("order", scene.order_id.as_str())
    );
    assert_eq!(
        (target.text("/page"), target.text("/status")),
        (page.as_str(), "open")
    );

    let cart = ask(&aisle.north(), &request("cart", &cart(aisle).await?)).await?;
    let cart = code_of(aisle, cart.text("/id")).await?;
    leads_to(
        &browser(aisle)
            .get(&format!("/i/{cart}"))
            .expect(303)
            .await?,
        "/my/cart",
    );
    Ok(())
}

pub async fn what_is_over_says_so(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    // A name that would be markup if nobody took care.
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["name"] = json!("<b>North & Co</b>");
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await?;

    let (invite, revoked) = scene.invite(NUMBER).await?;
    let revoke = format!("/invites/{}", invite.text("/id"));
    aisle
        .north()
        .call(Method::DELETE, &revoke)
        .expect(204)
        .await?;
    let (_, used) = scene.invite(NUMBER).await?;
    let owner = Account::new(aisle, NORTH).await?;
    let claim = format!("/invites/{used}/claim");
    owner.client(aisle).post(&claim).expect(200).await?;
    let (_, expired) = {
        let invite = ask(&owner.client(aisle), &scene.request()).await?;
        let code = code_of(aisle, invite.text("/id")).await?;
        (invite, code)
    };
    let api = Client::new(aisle.addr(), NORTH).with_header("accept", "application/json");
    api.get(&format!("/i/{expired}")).expect(200).await?;
    aisle
        .database
        .set_clock_forward_ms(30 * DAY_MS + HOUR_MS)
        .await?;
    let owner = owner.again(aisle, NORTH).await?;

    for (link, status, problem, words) in [
        (
            revoked.as_str(),
            410,
            "link_revoked",
            ["withdrawn", "anulado", "zurückgezogen"],
        ),
        (
            used.as_str(),
            410,
            "link_used",
            ["used", "usado", "benutzt"],
        ),
        (
            expired.as_str(),
            410,
            "link_expired",
            ["expired", "caducado", "abgelaufen"],
        ),
        (
            "00000000000000",
            404,
            "link_unknown",
            ["does not work", "no funciona", "funktioniert nicht"],
        ),
        (
            "nonsense",
            404,
            "link_unknown",
            ["does not work", "no funciona", "funktioniert nicht"],
        ),
        (
            "%3Cscript%3E",
            404,
            "link_unknown",
            ["does not work", "no funciona", "funktioniert nicht"],
        ),
    ] {
        let path = format!("/i/{link}");
        let told = api.get(&path).expect(status).await?;
        assert_eq!(code(&told), problem);
        for (language, words) in ["en-GB", "es-MX, en;q=0.1", "de"].into_iter().zip(words) {
            let page = browser(aisle).with_header("accept-language", language);
            let page = page.get(&path).expect(status).await?;
            let text = page.text();
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert!(
                text.contains(&format!("<html lang=\"{}\"", &language[..2])),
                "{text}"
            );
            assert!(text.contains(words), "{words} is not in {text}");
            assert!(text.len() < 10_000 && !text.contains("http"), "{text}");
            assert!(!text.contains("<b>") && !text.contains("<script"), "{text}");
            assert_eq!(page.header("set-cookie"), "");
            assert!(
                page.header("content-security-policy")
                    .starts_with("default-src 'none'")
            );
        }
        // Previewers learn no more than people.
        let bot = Client::new(aisle.addr(), NORTH).with_header("user-agent", PREVIEWERS[0]);
        bot.get(&path).expect(status).await?;
        owner
            .client(aisle)
            .post(&format!("/invites/{link}/claim"))
            .expect(if link == used { 200 } else { status })
            .await?;
    }
    // Another brand has no such link, and the token opens nothing there.
    aisle
        .harbor()
        .get(&format!("/i/{used}"))
        .expect(404)
        .await?;
    let used_page = browser(aisle)
        .get(&format!("/i/{used}"))
        .expect(410)
        .await?;
    assert!(
        used_page
            .text()
            .contains(&format!("/my/sign-in?return_to=/i/{used}")),
        "{used_page:?}"
    );
    browser(aisle)
        .post(&format!("/i/{used}"))
        .expect(405)
        .await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
}

pub async fn guessing_is_limited(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (_, code) = scene.invite(NUMBER).await?;
    let known = format!("/i/{code}");
    let guesser = browser(aisle);
    for guess in 0..100 {
        guesser
            .get(&format!("/i/0000000000{guess:04}"))
            .expect(404)
            .await?;
        if guess % 25 == 0 {
            browser(aisle).get(&known).expect(303).await?;
        }
    }
    // Whatever address is claimed.
    let claimed = guesser
        .get("/i/00000000009999")
        .header("spin-client-addr", "203.0.113.7:1");
    let stopped = claimed.expect(429).await?;
    assert_eq!(stopped.header("retry-after"), "900");
    // Whoever has the code gets in from the same network.
    guesser.get(&known).expect(303).await?;
    let account = Account::new(aisle, NORTH).await?.client(aisle);
    let claim = format!("/invites/{code}/claim");
    let claimed = account.post(&claim).send().await?;
    assert!(claimed.status.is_success(), "{claimed:?}");
    aisle.database.set_clock_forward_ms(16 * 60_000).await?;
    guesser.get("/i/00000000009999").expect(404).await?;
    Ok(())
}

/// Asks until an instance has noticed that the brand has changed, whose bound is a matter of
/// its own.
async fn until_known(aisle: &Environment, file: &str) -> Result<()> {
    /// Each is a round trip, so that this is a bound on patience, not on time.
    const REQUESTS: usize = 200_000;
    let client = aisle.north();
    for _ in 0..REQUESTS {
        if client.get(file).send().await?.status == 200 {
            return Ok(());
        }
    }
    anyhow::bail!("{file} is not there")
}

pub async fn an_app_opens_the_links_of_its_brand(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let files = [
        "/.well-known/apple-app-site-association",
        "/.well-known/assetlinks.json",
    ];
    for file in files {
        aisle.north().get(file).expect(404).await?;
    }
    let admin = aisle.admin();
    let mut brand = admin.get("/admin/brands/north").expect(200).await?.json();
    brand["app"] = json!({"apple": {"app_ids": ["com.example"], "store_id": "1"}});
    let refused = admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(422)
        .await?;
    assert_eq!(refused.json().text("/path"), "$.app.apple.app_ids");
    let fingerprint = ["AB"; 32].join(":");
    brand["app"] = json!({
        "apple": {"app_ids": ["ABCDE12345.com.example.shop"], "store_id": "123456789"},
        "android": {"package": "com.example.shop", "cert_fingerprints": [fingerprint]},
    });
    admin
        .put("/admin/brands/north")
        .json(&brand)
        .expect(200)
        .await?;
    aisle.drain_outbox().await?;

    until_known(aisle, files[0]).await?;
    let apple = aisle.north().get(files[0]).expect(200).await?;
    assert_eq!(apple.header("content-type"), "application/json");
    let details = apple.json();
    assert_eq!(
        details["applinks"]["details"][0]["appIDs"],
        json!(["ABCDE12345.com.example.shop"])
    );
    assert_eq!(
        details["applinks"]["details"][0]["components"][0],
        json!({"/": "/i/*"})
    );
    let android = aisle.north().get(files[1]).expect(200).await?.json();
    assert_eq!(
        android[0]["relation"],
        json!(["delegate_permission/common.handle_all_urls"])
    );
    assert_eq!(android[0]["target"]["package_name"], "com.example.shop");
    for file in files {
        aisle.harbor().get(file).expect(404).await?;
    }

    // The link still leads a browser to the page; opening the app is the page's offer.
    let (_, code) = scene.invite(NUMBER).await?;
    browser(aisle)
        .get(&format!("/i/{code}"))
        .expect(303)
        .await?;
    let path = format!("/i/{code}/app");
    let page = Phone::new(aisle, NORTH, "en");
    let page = page.open(&format!("/i/{code}")).await?;
    let place = format!("/my/orders/{}", scene.order_id);
    let shown = page.must_be(&place)?;
    let banner = format!(
        "name=\"apple-itunes-app\" content=\"app-id=123456789, app-argument={}{place}\"",
        aisle.north().origin()
    );
    for offer in [banner, format!("href=\"{path}\"")] {
        assert!(shown.contains(&offer), "{offer}: {shown}");
    }
    let place = async |agent: &str| -> Result<String> {
        let led = browser(aisle)
            .get(&path)
            .header("user-agent", agent)
            .expect(303)
            .await?;
        Ok(led.header("location").to_owned())
    };
    let android = place("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36").await?;
    let host = format!(
        "intent://{NORTH}:{}/i/{code}#Intent;scheme=http;",
        aisle.addr().port()
    );
    assert!(android.starts_with(&host), "{android}");
    assert!(
        android.contains(
            "package=com.example.shop;S.browser_fallback_url=https%3A%2F%2Fplay.google.com"
        ),
        "{android}"
    );
    assert_eq!(
        place(PHONE).await?,
        "https://apps.apple.com/app/id123456789"
    );
    assert_eq!(
        place("Mozilla/5.0 (X11; Linux x86_64)").await?,
        format!("/i/{code}")
    );
    browser(aisle).get("/i/nonsense/app").expect(404).await?;
    Ok(())
}

pub async fn addresses_are_forgotten_after_a_while(pair: Pair) -> Result<()> {
    let scene = Scene::open(pair).await?;
    let aisle = &scene.aisle;
    let (invite, code) = scene.invite(NUMBER).await?;
    let path = format!("/invites/{}", invite.text("/id"));
    let relay = aisle.with_key(&aisle.relay_key);
    let tidy = || relay.post("/accounts/housekeeping").expect(200);
    // Thirty days until its end, and ninety after that.
    aisle.database.set_clock_forward_ms(119 * DAY_MS).await?;
    tidy().await?;
    let shown = aisle.north().get(&path).expect(200).await?.json();
    assert_eq!(shown.text("/address"), "•••78");
    aisle.database.set_clock_forward_ms(121 * DAY_MS).await?;
    tidy().await?;
    let shown = aisle.north().get(&path).expect(200).await?.json();
    assert_eq!(shown.text("/address"), "");
    browser(aisle)
        .get(&format!("/i/{code}"))
        .expect(410)
        .await?;
    Ok(())
}
