//! The page as HTML: what it says, what keeps it private, and its forms.

use std::time::{SystemTime, UNIX_EPOCH};

use aisle_domain::instant::parse_rfc3339;
use aisle_e2e::environment::NORTH;
use aisle_e2e::events::Events;
use aisle_e2e::json::Look;
use aisle_e2e::shopping::{complete, order_id, pickup_checkout};
use aisle_e2e::{Answer, Pair};
use anyhow::{Context, Result};
use http::Method;
use serde_json::json;

use super::{account, bearer, kinds, submit};
use crate::invites::link_code;
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

    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    assert_eq!(go("/presence", "state=arrived").await?, failed("consent"));
    for (state, said) in [
        ("on_my_way", "knows that you are on your way"),
        ("arrived", "knows that you are here"),
    ] {
        let fields = format!("state={state}&consent=v1");
        assert_eq!(go("/presence", &fields).await?, done("presence"));
        let page = scene.shopper.get(&at("")).expect(200).await?;
        assert!(page.text().contains(said), "{page:?}");
        let board = clerk.get("/pos/arrivals").expect(200).await?.json();
        let coming = board.list("/arrivals").iter();
        let coming: Vec<_> = coming.filter(|one| one["order_id"] == order).collect();
        assert_eq!(coming.len(), 1, "{board:#}");
        assert_eq!(coming[0]["state"], state);
    }
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
    let first = pass_code(&page);
    assert_eq!(go("/pass", "").await?, done("pass"));
    let page = scene.shopper.get(&at("")).expect(200).await?;
    let second = pass_code(&page);
    for (code, possible) in [(&first, false), (&second, true)] {
        let scan = json!({"text": code});
        let scanned = clerk.post("/pos/scan").json(&scan).expect(200).await?;
        let scanned = scanned.json();
        assert_eq!(scanned.at("/actions/0/possible"), possible, "{scanned:#}");
    }
    assert_eq!(go("/pass", "large=1").await?, at("/pass"));
    scene.shopper.get(&at("/pass")).expect(200).await?;
    assert_eq!(go("/returns", "reason=damaged").await?, failed("return"));
    assert_eq!(go("/cancel", "").await?, done("cancelled"));
    assert_eq!(go("/cancel", "").await?, failed("too_late"));
    let answer = submit(&scene.shopper, &at("/nothing"), "").await?;
    assert_eq!(answer.status, 404);
    scene.aisle.database.check_invariants().await
}

/// As many lines as an order can have, each of them half collected, and as many entries as a
/// timeline shows.
pub async fn the_longest_order_fits_as_well(pair: Pair) -> Result<()> {
    const LINES: i64 = 100;
    let scene = Scene::with(pair, &[(BERLIN, 3 * LINES)]).await?;
    let lines: Vec<_> = (0..LINES)
        .map(|_| {
            let id = uuid::Uuid::now_v7().to_string();
            json!({"id": id, "item": {"id": scene.item.id}, "quantity": 2})
        })
        .collect();
    let session = pickup_checkout(&scene.shopper, &lines, scene.id(BERLIN)).await?;
    let completed = complete(&scene.shopper, &session).await?.json();
    let order = order_id(&completed);
    let page = format!("/my/orders/{order}");
    let pass = format!("/orders/{order}/pass");
    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    let ready = format!("/holds/pickups/{order}/ready");
    clerk.post(&ready).json(&json!({})).expect(200).await?;
    let shown = scene.order_shown(order).await?;
    let one_each: Vec<_> = shown
        .list("/line_items")
        .iter()
        .map(|line| json!({"line_id": line["id"], "quantity": 1}))
        .collect();
    let token = scene.shopper.post(&pass).expect(201).await?.json();
    let half = json!({"pass": token["token"], "lines": one_each});
    let hand_over = clerk.post(&format!("/pos/orders/{order}/hand-over"));
    hand_over.json(&half).expect(201).await?;
    scene.shopper.post(&pass).expect(201).await?;
    for doubling in 0..7 {
        let again = format!(
            "INSERT INTO order_event (id, brand_id, order_id, type, doc, occurred_at_ms) \
             SELECT id || '{doubling}', brand_id, order_id, type, doc, occurred_at_ms + {} \
             FROM order_event WHERE order_id = '{order}'",
            60_000 << doubling
        );
        scene.aisle.database.rows(&again).await?;
    }
    let history = format!("{page}/history");
    for language in ["en", "es", "de"] {
        for (path, entries) in [(&page, 20), (&history, 101)] {
            let call = scene.shopper.get(path).header("accept-language", language);
            let shown = call.expect(200).await?;
            let (text, bytes) = (shown.text(), shown.body.len());
            assert!(bytes < MAX_BYTES, "{language} {path}: {bytes} bytes");
            assert_eq!(text.matches("<time ").count(), entries, "{language} {path}");
        }
    }
    let shown = scene.shopper.get(&page).expect(200).await?;
    let text = shown.text();
    assert_eq!(text.matches("1 of 2 collected").count(), 100, "{text}");
    assert!(
        text.contains("viewBox") && text.contains("id=\"return\""),
        "{text}"
    );
    assert!(text.contains(&format!("href=\"{history}\"")), "{text}");
    Ok(())
}

/// What is to be typed where the QR code cannot be scanned.
fn pass_code(page: &Answer) -> String {
    let text = page.text();
    let code = text.split_once("translate=\"no\">");
    let code = code.and_then(|(_, rest)| rest.split('<').next());
    code.unwrap_or_default().to_owned()
}

/// After the hand-over, of which part is given back.
pub async fn a_return_is_started_by_form(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let order = scene.order(3, BERLIN).await?;
    let page = format!("/my/orders/{order}");
    let clerk = scene
        .aisle
        .staff(NORTH, scene.id(BERLIN), "pos stock")
        .await?
        .client;
    let ready = format!("/holds/pickups/{order}/ready");
    clerk.post(&ready).json(&json!({})).expect(200).await?;
    let pass = scene.shopper.post(&format!("/orders/{order}/pass"));
    let pass = pass.expect(201).await?.json();
    let hand_over = clerk.post(&format!("/pos/orders/{order}/hand-over"));
    let token = json!({"pass": pass["token"]});
    hand_over.json(&token).expect(201).await?;

    let shown = scene.shopper.get(&page).expect(200).await?;
    let text = shown.text();
    assert!(text.contains("max=\"3\""), "{text}");
    let line = text.split_once("name=\"line\" value=\"");
    let line = line.and_then(|(_, rest)| rest.split('"').next());
    let line = line.context("a line to return")?;
    let fields = format!("line={line}&pieces=2&reason=damaged");
    let done = submit(&scene.shopper, &format!("{page}/returns"), &fields).await?;
    assert_eq!(
        done.header("location"),
        format!("{page}?done=return#notice")
    );
    let shown = scene.shopper.get(&page).expect(200).await?;
    let text = shown.text();
    assert!(text.contains("You started a return of 2 items."), "{text}");
    assert!(text.contains("max=\"1\""), "one is left: {text}");
    let told = kinds(&scene.shopper, &order).await?;
    assert!(told.contains(&"return_requested".to_owned()), "{told:?}");
    let again = submit(&scene.shopper, &format!("{page}/returns"), &fields).await?;
    assert_eq!(
        again.header("location"),
        format!("{page}?failed=return#notice")
    );
    Ok(())
}

/// On the Wednesday before Christmas, in the store's time.
pub async fn the_store_is_found_and_open(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let noon = parse_rfc3339("2026-12-23T11:00:00Z").context("an instant")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let offset = noon - i64::try_from(now)?;
    scene.aisle.database.set_clock_forward_ms(offset).await?;
    let order = scene.order(1, BERLIN).await?;
    let page = scene.shopper.get(&format!("/my/orders/{order}"));
    let page = page.header("accept-language", "de").expect(200).await?;
    let text = page.text();
    for there in [
        "Torstraße 143",
        "10119 Berlin",
        "href=\"https://www.google.com/maps/dir/?api=1&amp;destination=52.5297000,13.4006000\"",
        "href=\"tel:+493055500143\"",
        "Jetzt geöffnet",
    ] {
        assert!(text.contains(there), "{there}: {text}");
    }
    let (_, week) = text.split_once("<table").context("a week")?;
    let (week, _) = week.split_once("</table>").context("its end")?;
    let mut days = week.split("<tr").skip(1);
    for (day, hours) in [
        ("Mittwoch (heute)", "10:00 – 20:00"),
        ("24. Dezember", "10:00 – 14:00"),
        ("25. Dezember", "geschlossen"),
        ("26. Dezember", "geschlossen"),
        ("Sonntag", "geschlossen"),
        ("Montag", "10:00 – 20:00"),
        ("Dienstag", "10:00 – 20:00"),
    ] {
        let shown = days.next().context("a day")?;
        assert!(
            shown.contains(day) && shown.contains(hours),
            "{day}: {shown}"
        );
    }
    assert_eq!(days.next(), None);
    assert_eq!(week.matches("Christmas").count(), 3, "why: {week}");

    let night = noon + 12 * 3_600_000;
    scene
        .aisle
        .database
        .set_clock_forward_ms(offset + night - noon)
        .await?;
    let page = scene.shopper.get(&format!("/my/orders/{order}"));
    let page = page.expect(200).await?;
    assert!(page.text().contains("Closed now"), "{page:?}");
    Ok(())
}

pub async fn a_page_stops_listening_with_its_link_and_its_time(pair: Pair) -> Result<()> {
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let aisle = &scene.aisle;
    let order = scene.order(2, BERLIN).await?;
    let path = format!("/my/orders/{order}/events");
    let open = async || -> Result<(String, String, Events)> {
        let wanted = json!({
            "scope": "order", "id": order, "address": "+4915112345678",
            "consent": {"wording_version": "2026-11"},
        });
        let invite = scene.shopper.post("/invites").json(&wanted);
        let invite = invite.expect(201).await?.json().text("/id").to_owned();
        let code = link_code(aisle, &invite).await?;
        let phone = aisle.north();
        let cookie = format!("aisle_link={code}");
        let mut events = phone.get(&path).header("cookie", &cookie).events().await?;
        events.must_say().await?;
        Ok((invite, code, events))
    };
    let until_over = async |events: &mut Events| -> Result<()> {
        // What else happens to the order meanwhile is told.
        while events.next().await?.is_some() {}
        Ok(())
    };

    let (_, _, mut events) = open().await?;
    aisle.database.set_clock_forward_ms(5 * 60_000).await?;
    until_over(&mut events).await?;

    let (invite, _, mut events) = open().await?;
    let revoke = format!("/invites/{invite}");
    let revoke = scene.shopper.call(Method::DELETE, &revoke);
    revoke.expect(204).await?;
    until_over(&mut events).await?;

    let (_, code, mut events) = open().await?;
    let (_, token) = account(aisle, "north").await?;
    let claim = format!("/invites/{code}/claim");
    let owner = bearer(aisle, NORTH, &token);
    owner.post(&claim).expect(200).await?;
    until_over(&mut events).await?;
    assert_eq!(aisle.traps(), 0);
    Ok(())
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
    const ORDERS: usize = 4;
    const PAGES_OF_AN_ORDER: usize = 20;
    let scene = Scene::with(pair, &[(BERLIN, 4)]).await?;
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(scene.order(1, BERLIN).await?);
    }
    scene.aisle.send_messages().await?;
    let mut open = Vec::new();
    for order in orders {
        let path = format!("/my/orders/{order}/events");
        let mut pages = Vec::new();
        for _ in 0..PAGES_OF_AN_ORDER {
            let mut events = scene.shopper.get(&path).events().await?;
            let first = events.must_say().await?;
            pages.push((events, first.id));
        }
        open.push((order, pages));
    }
    for (order, pages) in &mut open {
        let person = format!("/orders/{order}/pickup-person");
        let person = scene.shopper.put(&person).json(&json!({"name": "Grace"}));
        person.expect(200).await?;
        for (events, before) in pages {
            let told = events.must_say().await?;
            assert_ne!(told.id, *before);
        }
        let page = format!("/my/orders/{order}");
        scene.shopper.get(&page).expect(200).await?;
    }
    Ok(())
}
