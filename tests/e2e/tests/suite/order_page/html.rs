//! The page as HTML: what it says, what keeps it private, and its forms.

use aisle_e2e::Pair;
use aisle_e2e::environment::NORTH;
use anyhow::Result;
use http::Method;
use serde_json::json;

use super::submit;
use crate::transfers::scene::{BERLIN, HAMBURG, Scene};

/// What a page may weigh, before images.
const MAX_BYTES: usize = 50 << 10;

pub async fn the_page_is_small_sealed_and_in_three_languages(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, HAMBURG).await?;
    let path = format!("/my/orders/{order}");
    for (language, headline, collects) in [
        (
            "en-US,en;q=0.9",
            "On its way to Northfell Hamburg",
            "Who collects it",
        ),
        ("es-MX", "De camino a Northfell Hamburg", "Quién lo recoge"),
        (
            "fr, de;q=0.5",
            "Unterwegs zu Northfell Hamburg",
            "Wer abholt",
        ),
        ("fr", "On its way to Northfell Hamburg", "Who collects it"),
    ] {
        let call = scene.shopper.get(&path).header("accept-language", language);
        let page = call.expect(200).await?;
        let text = page.text();
        assert!(
            text.contains(headline) && text.contains(collects),
            "{language}: {text}"
        );
        assert!(page.body.len() < MAX_BYTES, "{} bytes", page.body.len());
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("x-robots-tag"), "noindex");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for never in [
            "onclick",
            "style=\"",
            "ada@example.com",
            "Byron",
            "<script src",
            "<link rel=\"stylesheet",
        ] {
            assert!(!text.contains(never), "{never}: {text}");
        }
    }
    for (method, path) in [
        (Method::POST, path.as_str()),
        (Method::PUT, "/my/orders"),
        (Method::DELETE, "/my/cart"),
    ] {
        let answer = scene.shopper.call(method, path).send().await?;
        assert_eq!(answer.status, 405, "{path}");
    }
    Ok(())
}

pub async fn forms_do_what_the_api_does(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, BERLIN).await?;
    let at = |what: &str| format!("/my/orders/{order}{what}");
    let go = async |form: &str, fields: &str| -> Result<String> {
        let answer = submit(&scene.shopper, &at(form), fields).await?;
        assert_eq!(answer.status, 303, "{form}: {answer:?}");
        Ok(answer.header("location").to_owned())
    };
    let done = |code: &str| format!("{}?done={code}#notice", at(""));
    let failed = |code: &str| format!("{}?failed={code}#notice", at(""));

    // Another site cannot have a browser send it.
    for site in ["cross-site", "same-site", "none"] {
        let form = scene.shopper.post(&at("/cancel"));
        let form = form.text("application/x-www-form-urlencoded", "");
        let answer = form.header("sec-fetch-site", site).send().await?;
        assert_eq!(answer.status, 403, "{site}");
    }

    assert_eq!(go("/presence", "state=arrived").await?, failed("consent"));
    assert_eq!(
        go("/presence", "state=arrived&consent=v1").await?,
        done("presence")
    );
    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    let board = clerk.get("/pos/arrivals").expect(200).await?;
    assert!(board.text().contains(&order), "{board:?}");
    assert_eq!(go("/withdraw", "").await?, done("withdrawn"));
    assert_eq!(go("/pass", "").await?, failed("not_ready"));
    assert_eq!(go("/person", "name=Grace+Hopper").await?, done("person"));
    assert_eq!(
        go("/person", &format!("name={}", "x".repeat(81))).await?,
        failed("name")
    );
    assert_eq!(
        go("/notifications", "sms_address=0151+12345678&consent=v1").await?,
        done("news")
    );
    assert_eq!(
        go("/notifications", "sms_address=0151+12345678").await?,
        failed("consent")
    );
    assert_eq!(
        go("/notifications", "sms_address=1&consent=v1").await?,
        failed("address")
    );
    let page = scene
        .shopper
        .get(&at("?failed=consent"))
        .expect(200)
        .await?;
    assert!(page.text().contains("ticking the box"), "{page:?}");
    assert!(page.text().contains("Grace Hopper"), "{page:?}");

    let ready = format!("/holds/pickups/{order}/ready");
    clerk.post(&ready).json(&json!({})).expect(200).await?;
    assert_eq!(go("/pass", "").await?, done("pass"));
    let page = scene.shopper.get(&at("")).expect(200).await?;
    assert!(page.text().contains("viewBox"), "the QR code: {page:?}");
    assert!(page.body.len() < MAX_BYTES, "{} bytes", page.body.len());
    assert_eq!(go("/pass", "large=1").await?, at("/pass"));
    scene.shopper.get(&at("/pass")).expect(200).await?;
    assert_eq!(go("/returns", "reason=damaged").await?, failed("return"));
    assert_eq!(go("/cancel", "").await?, done("cancelled"));
    assert_eq!(go("/cancel", "").await?, failed("too_late"));
    let answer = submit(&scene.shopper, &at("/nothing"), "").await?;
    assert_eq!(answer.status, 404);
    scene.aisle.database.check_invariants().await
}

pub async fn a_stream_tells_that_the_order_changed(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, BERLIN).await?;
    // The relay adds the buyer's mail, which the page shows, in its own time.
    scene.aisle.send_messages().await?;
    let path = format!("/my/orders/{order}/events");
    let mut events = scene.shopper.get(&path).events().await?;
    let first = events.must_say().await?;
    assert_eq!(first.name, "order");
    let page = scene
        .shopper
        .get(&format!("/my/orders/{order}"))
        .expect(200)
        .await?;
    let shown = format!("data-version=\"{}\"", first.id);
    assert!(page.text().contains(&shown), "{shown}");

    let presence = json!({"state": "arrived", "signal": "declared", "consent": {"version": "1"}});
    scene
        .shopper
        .post(&format!("/orders/{order}/presence"))
        .json(&presence)
        .expect(200)
        .await?;
    let next = events.must_say().await?;
    assert_ne!(next.id, first.id);

    // Whoever comes back is told only what is new.
    let resumed = scene.shopper.get(&path).header("last-event-id", &next.id);
    let mut resumed = resumed.events().await?;
    let person = json!({"name": "Grace"});
    scene
        .shopper
        .put(&format!("/orders/{order}/pickup-person"))
        .json(&person)
        .expect(200)
        .await?;
    let told = resumed.must_say().await?;
    assert!(told.id != next.id && told.id != first.id);
    scene.aisle.harbor().get(&path).expect(404).await.map(drop)
}

/// More pages than the pool of a process has connections (64).
pub async fn open_pages_hold_no_connection(pair: Pair) -> Result<()> {
    const PAGES: usize = 80;
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(2, BERLIN).await?;
    scene.aisle.send_messages().await?;
    let path = format!("/my/orders/{order}/events");
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let mut events = scene.shopper.get(&path).events().await?;
        let first = events.must_say().await?;
        pages.push((events, first.id));
    }
    let person = format!("/orders/{order}/pickup-person");
    let person = scene.shopper.put(&person).json(&json!({"name": "Grace"}));
    person.expect(200).await?;
    for (events, before) in &mut pages {
        let told = events.must_say().await?;
        assert_ne!(told.id, *before);
    }
    let page = format!("/my/orders/{order}");
    scene.shopper.get(&page).expect(200).await.map(drop)
}
